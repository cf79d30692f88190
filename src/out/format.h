/* SPDX-License-Identifier: MIT */
/* What the sinks share among themselves: a sink's state, the output hooks, values of a record. */
#ifndef OUT_FORMAT_H
#define OUT_FORMAT_H

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
	bool screen, open; /* open: between begin and end */
	const struct schema *schema;
	const char *title;
	struct buf *into;  /* NULL: fd */
	struct buf out;    /* written and emptied by sink.c */
	struct buf own[3]; /* the format's; close frees what they hold, sink.c the buffers */
};

extern const struct sink_hooks text_hooks, json_hooks, prom_hooks;

static inline const char *col_str(const struct col *c, const void *rec)
{
	const char *v;

	memcpy(&v, (const char *)rec + c->off, sizeof(v));
	return v;
}

static inline uint64_t col_u64(const struct col *c, const void *rec)
{
	uint64_t v;

	memcpy(&v, (const char *)rec + c->off, sizeof(v));
	return v;
}

static inline double col_f64(const struct col *c, const void *rec)
{
	double v;

	memcpy(&v, (const char *)rec + c->off, sizeof(v));
	return v;
}

static inline bool col_bool(const struct col *c, const void *rec)
{
	bool v;

	memcpy(&v, (const char *)rec + c->off, sizeof(v));
	return v;
}

#endif
