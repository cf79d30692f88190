/* SPDX-License-Identifier: MIT */
/* Where records go: a table, JSON lines or Prometheus text; no command knows which. */
#ifndef OUT_SINK_H
#define OUT_SINK_H

#include <stdbool.h>
#include "out/schema.h"

enum sink_format { SINK_TEXT, SINK_JSON, SINK_PROM };

/* The formats' names in the order of enum sink_format, NULL at the end: the choices of -o. The
 * second list is for commands without counters. */
extern const char *const sink_formats[], *const sink_formats_no_prom[];

struct sink; /* opaque; on the heap, one a command */
struct buf;
struct textfile;

/* A sink of the given format that writes to fd, which stays the caller's. With screen, a text sink
 * paints each table over the one before it (ANSI: home, erase to the end of each line and below)
 * and cuts lines at the terminal's width. NULL if there is no memory. */
struct sink *sink_new(enum sink_format format, int fd, bool screen);
void sink_free(struct sink *s);
/* From now on append the output to *into, which the caller writes. */
void sink_into(struct sink *s, struct buf *into);
/* From now on write each table to the file (out/textfile.h), whole, in place of the one before. */
void sink_to_file(struct sink *s, struct textfile *file);

/* Rows of one table: begin names the schema and a title line (text only, may be NULL; valid until
 * sink_end), row adds a record of that schema (copied as far as it is needed), end writes the table
 * out in one go. All return 0 or -errno; -EPIPE if the reader is gone. JSON rows are complete
 * lines; Prometheus output has # HELP and # TYPE once a metric, then all its samples together, and
 * every table is a whole exposition. Unknown values are null in JSON, "-" in text, and left out of
 * Prometheus. Strings are escaped as the format asks (RFC 8259, Prometheus text 0.0.4); a terminal
 * never sees a control character of theirs, and bytes that are not UTF-8 become U+FFFD. */
int sink_begin(struct sink *s, const struct schema *schema, const char *title);
int sink_row(struct sink *s, const void *rec);
int sink_end(struct sink *s);
/* A table of one row. */
int sink_record(struct sink *s, const struct schema *schema, const void *rec);

/* A line of prose among the tables (text only, else nothing), for headings and summaries. */
int sink_line(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
