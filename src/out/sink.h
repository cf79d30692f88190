/* SPDX-License-Identifier: MIT */
/* Output of records as a table, JSON lines or Prometheus text; commands need not know which. */
#ifndef OUT_SINK_H
#define OUT_SINK_H

#include <stdbool.h>
#include "out/schema.h"

enum sink_format { SINK_TEXT, SINK_JSON, SINK_PROM };

/* Names of the formats in the order of enum sink_format, NULL at the end: the choices of -o. The
 * second list is for commands without counters. */
extern const char *const sink_formats[], *const sink_formats_no_prom[];

struct sink; /* opaque; on the heap, one per command */
struct buf;
struct textfile;

/* Allocates a sink of the format that writes to fd, which the caller owns. With screen, a text sink
 * overwrites the previous table (ANSI: home, erase to the end of each line and below) and cuts
 * lines at the terminal's width. NULL: out of memory. */
struct sink *sink_new(enum sink_format format, int fd, bool screen);
void sink_free(struct sink *s);
/* Appends further output to *into, which the caller writes. */
void sink_into(struct sink *s, struct buf *into);
/* Writes each further table to the file (out/textfile.h), replacing the previous one. */
void sink_to_file(struct sink *s, struct textfile *file);

/* Write one table: begin sets the schema and a title line (text only, may be NULL; valid until
 * sink_end()), row adds a record of that schema (copied as far as needed), end writes the table
 * with one call. All return 0 or -errno; -EPIPE if the reader is gone. JSON rows are complete
 * lines. Prometheus output has # HELP and # TYPE once per metric, then all its samples together,
 * and every table is a complete exposition. Unknown values are null in JSON, "-" in text, and left
 * out of Prometheus. Strings are escaped as the format requires (RFC 8259, Prometheus text 0.0.4).
 * Control characters in strings never reach a terminal; U+FFFD replaces invalid UTF-8. */
int sink_begin(struct sink *s, const struct schema *schema, const char *title);
int sink_row(struct sink *s, const void *rec);
int sink_end(struct sink *s);
/* Writes a table of one row. */
int sink_record(struct sink *s, const struct schema *schema, const void *rec);

/* Writes a line of prose between tables, for headings and summaries. Text only; other formats
 * ignore it. */
int sink_line(struct sink *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
