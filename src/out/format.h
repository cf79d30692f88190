/* SPDX-License-Identifier: MIT */
/* Shared by the sinks: their state, the output hooks, and access to a record's values. */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include <math.h>
#include <string.h>
#include "base/buf.h"
#include "out/sink.h"

/* The hooks of an output format. row and end return 0 or -errno; end leaves the text to write in
 * s->out. */
struct sink_hooks {
	int (*begin)(struct sink *s);
	int (*row)(struct sink *s, const void *rec);
	int (*end)(struct sink *s);
	void (*close)(struct sink *s);                   /* frees what own holds */
	void (*line)(struct sink *s, const char *words); /* NULL: this format has no prose */
};

struct sink {
	const struct sink_hooks *hooks;
	int fd;
	bool screen, colors;
	bool open; /* between sink_begin() and sink_end() */
	const struct schema *schema;
	const char *title;
	struct buf *into;      /* NULL: write to fd or file */
	struct textfile *file; /* NULL: write to fd */
	struct buf out;        /* sink.c writes and empties it */
	struct buf own[3]; /* used by the format: close() frees what they point to, sink.c frees the
			      buffers */
};

extern const struct sink_hooks text_hooks, json_hooks, prom_hooks;

#define COL_GETTER(name, type)                                        \
	static inline type name(const struct col *c, const void *rec) \
	{                                                             \
		type v;                                               \
                                                                      \
		memcpy(&v, (const char *)rec + c->off, sizeof(v));    \
		return v;                                             \
	}
COL_GETTER(col_str, const char *)
COL_GETTER(col_u64, uint64_t)
COL_GETTER(col_s64, int64_t)
COL_GETTER(col_f64, double)
COL_GETTER(col_bool, bool)
COL_GETTER(col_list, struct col_list)
COL_GETTER(col_histogram, struct col_histogram)
#undef COL_GETTER

static inline bool col_is_list(const struct col *c)
{
	return c->kind >= COL_STRS && c->kind <= COL_TABLE;
}

/* Returns true if this column of the record is unknown. */
static inline bool col_is_unknown(const struct col *c, const void *rec)
{
	switch (c->kind) {
	case COL_STR:
		return !col_str(c, rec);
	case COL_U64:
		return col_u64(c, rec) == COL_UNKNOWN;
	case COL_S64:
		return col_s64(c, rec) == COL_S64_UNKNOWN;
	case COL_F64:
		return isnan(col_f64(c, rec));
	case COL_BOOL:
		return false;
	case COL_TIME:
		return !col_u64(c, rec);
	case COL_HISTOGRAM:
		return !col_histogram(c, rec).counts;
	default:
		return !col_list(c, rec).at;
	}
}

/* Appends nanoseconds as seconds, exactly: "1.5", "0.000000001". */
void format_put_seconds(struct buf *b, uint64_t ns);

#endif
