/* SPDX-License-Identifier: MIT */
/* A record described once: its columns, for every sink to walk. */
#ifndef OUT_SCHEMA_H
#define OUT_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

enum col_kind {
	COL_STR,  /* const char *; NULL is shown as absent */
	COL_U64,  /* uint64_t */
	COL_F64,  /* double */
	COL_BOOL, /* bool */
};

enum col_role {
	COL_KEY,     /* tells rows apart: a Prometheus label */
	COL_COUNTER, /* grows for ever: a Prometheus counter */
	COL_GAUGE,   /* a momentary value: a Prometheus gauge */
	COL_INFO,    /* a word about the row: text and JSON only */
};

enum col_unit {
	COL_PLAIN, /* as it is */
	COL_RATE,  /* a rate a second: text shortens it with k M G (powers of 1000) */
	COL_BYTES, /* bytes: text shortens it with KiB MiB GiB */
	COL_NS,    /* nanoseconds: text shortens it with us ms s; Prometheus gets seconds */
};

struct col {
	const char *name;   /* JSON's key; lower snake case */
	const char *head;   /* the text table's heading (ASCII), NULL: not in the table */
	const char *metric; /* Prometheus: the label's name (keys), or the metric's (counters,
			     * gauges) without the "sonde_" before it; NULL: not exported */
	const char *help;   /* Prometheus: # HELP of a metric */
	enum col_kind kind;
	enum col_role role;
	enum col_unit unit;
	size_t off; /* of the member in the record */
};

struct schema {
	const char *name;       /* "count": of the record */
	const struct col *cols; /* ncols of them */
	size_t ncols;
	/* Records have a uint64_t there with a bit for each column that they have: JSON leaves out
	 * the others. 0: they have all. No column is at their beginning, then. */
	size_t has_off;
};

#define COL_OFF_(T, m, M)                                                                 \
	(offsetof(T, m) +                                                                 \
	 0 * sizeof(struct {                                                              \
		 _Static_assert(__builtin_types_compatible_p(__typeof__(((T *)0)->m), M), \
				"column's member has another type");                      \
		 int unused;                                                              \
	 }))
#define COL_AT_STR(T, m)  .kind = COL_STR, .off = COL_OFF_(T, m, const char *)
#define COL_AT_U64(T, m)  .kind = COL_U64, .off = COL_OFF_(T, m, uint64_t)
#define COL_AT_F64(T, m)  .kind = COL_F64, .off = COL_OFF_(T, m, double)
#define COL_AT_BOOL(T, m) .kind = COL_BOOL, .off = COL_OFF_(T, m, _Bool)

#endif
