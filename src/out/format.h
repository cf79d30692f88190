/* SPDX-License-Identifier: MIT */
/* What the sinks share among themselves: a sink's state, the output hooks, values of a record. */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

#include <math.h>
#include <string.h>
#include "base/buf.h"
#include "out/sink.h"

/* One format. row and end return 0 or -errno; end leaves in s->out what is to be written. */
struct sink_hooks {
	int (*begin)(struct sink *s);
	int (*row)(struct sink *s, const void *rec);
	int (*end)(struct sink *s);
	void (*close)(struct sink *s);                   /* frees own */
	void (*line)(struct sink *s, const char *words); /* NULL: no prose in this format */
};

struct sink {
	const struct sink_hooks *hooks;
	int fd;
	bool screen, colors;
	bool open; /* between begin and end */
	const struct schema *schema;
	const char *title;
	struct buf *into;      /* NULL: fd, or file */
	struct textfile *file; /* NULL: fd */
	struct buf out;        /* written and emptied by sink.c */
	struct buf own[3];     /* the format's; close frees what they hold, sink.c the buffers */
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

/* Whether the record does not say this column's value. */
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

/* Append nanoseconds as seconds: "1.5", "0.000000001", exact. */
void format_put_seconds(struct buf *b, uint64_t ns);

#endif
