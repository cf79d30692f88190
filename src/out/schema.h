/* SPDX-License-Identifier: MIT */
/* A record described once: its columns, for every sink to walk. */
#ifndef OUT_SCHEMA_H
#define OUT_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

enum col_kind {
	COL_STR,   /* const char *; NULL: unknown */
	COL_U64,   /* uint64_t; COL_UNKNOWN: unknown */
	COL_F64,   /* double; NAN: unknown */
	COL_BOOL,  /* bool */
	COL_TIME,  /* uint64_t, nanoseconds since 1970-01-01 UTC; 0: unknown */
	COL_STRS,  /* struct col_list of const char * */
	COL_U64S,  /* struct col_list of uint64_t */
	COL_TABLE, /* struct col_list of records that .rows describes; JSON only */
};

#define COL_UNKNOWN UINT64_MAX
/* 0 stands for "unknown" in many contracts. */
static inline uint64_t col_known(uint64_t v)
{
	return v ? v : COL_UNKNOWN;
}

/* The value of a list: n items that follow each other. Zeroed: unknown; n 0 with any at: empty. */
struct col_list {
	const void *at;
	size_t n;
	size_t size; /* COL_TABLE: bytes of a record */
};

enum col_role {
	COL_KEY,     /* tells rows apart: a Prometheus label */
	COL_COUNTER, /* only grows: a Prometheus counter */
	COL_GAUGE,   /* a momentary value: a Prometheus gauge */
	COL_INFO,    /* text and JSON only */
};

enum col_unit {
	COL_PLAIN, /* as it is */
	COL_RATE,  /* a rate a second; text shortens it with k M G (powers of 1000) */
	COL_BYTES, /* bytes; text shortens it with KiB MiB GiB */
	COL_NS,    /* nanoseconds; text shortens it with us ms s; JSON and Prometheus: seconds */
};

struct col {
	const char *name;   /* JSON's key, lower snake case; NULL: not in JSON */
	const char *head;   /* the text table's heading (ASCII), NULL: not in the table */
	const char *metric; /* Prometheus: the label's name (keys), or the metric's (counters,
			     * gauges) without the "sonde_" before it; NULL: not exported */
	const char *help;   /* Prometheus: # HELP of a metric */
	const struct schema *rows; /* COL_TABLE: of its records */
	uint8_t kind, role, unit;  /* enum col_kind, col_role, col_unit */
	uint16_t off;              /* of the member in the record */
	_Bool below; /* strings: in text, on lines of their own below the row, wrapped */
};

/* JSON objects begin with "record":NAME, unless name is NULL: then a column says it. */
struct schema {
	const char *name;
	const struct col *cols; /* ncols of them */
	size_t ncols;
	/* Records have a uint64_t there with a bit for each column that belongs to their kind: JSON
	 * leaves out the others. 0: all belong. No column is at their beginning, then. */
	size_t has_off;
};

#define SCHEMA(name, cols)                                   \
	{                                                    \
		name, cols, sizeof(cols) / sizeof(*cols), 0, \
	}

#define COL_OFF_(T, m, M)                                                                 \
	(offsetof(T, m) +                                                                 \
	 0 * sizeof(struct {                                                              \
		 _Static_assert(__builtin_types_compatible_p(__typeof__(((T *)0)->m), M), \
				"column's member has another type");                      \
		 int unused;                                                              \
	 }))
#define COL_AT_STR(T, m)   .kind = COL_STR, .off = COL_OFF_(T, m, const char *)
#define COL_AT_U64(T, m)   .kind = COL_U64, .off = COL_OFF_(T, m, uint64_t)
#define COL_AT_F64(T, m)   .kind = COL_F64, .off = COL_OFF_(T, m, double)
#define COL_AT_BOOL(T, m)  .kind = COL_BOOL, .off = COL_OFF_(T, m, _Bool)
#define COL_AT_TIME(T, m)  .kind = COL_TIME, .off = COL_OFF_(T, m, uint64_t)
#define COL_AT_STRS(T, m)  .kind = COL_STRS, .off = COL_OFF_(T, m, struct col_list)
#define COL_AT_U64S(T, m)  .kind = COL_U64S, .off = COL_OFF_(T, m, struct col_list)
#define COL_AT_TABLE(T, m) .kind = COL_TABLE, .off = COL_OFF_(T, m, struct col_list)

#endif
