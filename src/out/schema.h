/* SPDX-License-Identifier: MIT */
/* Describes a record once: its columns, for all sinks. */
#ifndef OUT_SCHEMA_H
#define OUT_SCHEMA_H

#include <stddef.h>
#include <stdint.h>
#include "base/array.h"

enum col_kind {
	COL_STR,       /* const char *; NULL: unknown */
	COL_U64,       /* uint64_t; COL_UNKNOWN: unknown */
	COL_S64,       /* int64_t; COL_S64_UNKNOWN: unknown */
	COL_F64,       /* double; NAN: unknown */
	COL_BOOL,      /* bool */
	COL_TIME,      /* uint64_t, nanoseconds since 1970-01-01 UTC; 0: unknown */
	COL_STRS,      /* struct col_list of const char * */
	COL_U64S,      /* struct col_list of uint64_t */
	COL_TABLE,     /* struct col_list of records with schema .rows; JSON only */
	COL_HISTOGRAM, /* struct col_histogram; Prometheus only */
};

#define COL_UNKNOWN     UINT64_MAX
#define COL_S64_UNKNOWN INT64_MIN
/* Converts 0, which means unknown in many contracts. */
static inline uint64_t col_known(uint64_t v)
{
	return v ? v : COL_UNKNOWN;
}

/* The value of a list: an array of n items. Zeroed: unknown. n 0 and at not NULL: empty. */
struct col_list {
	const void *at;
	size_t n;
	size_t size; /* COL_TABLE: size of a record in bytes */
};

/* A histogram and the sum of its observations. Zeroed: unknown. Bounds and sum are in the column's
 * unit. */
struct col_histogram {
	const uint64_t *counts; /* of n bins, not cumulative; the last one has no upper bound */
	const uint64_t *below;  /* upper bounds of the other n - 1 bins, ascending */
	size_t n;
	uint64_t sum;
};

enum col_role {
	COL_KEY,     /* identifies the row: a Prometheus label */
	COL_COUNTER, /* only grows: a Prometheus counter */
	COL_GAUGE,   /* a momentary value: a Prometheus gauge */
	COL_INFO,    /* text and JSON only */
};

enum col_unit {
	COL_PLAIN, /* no unit */
	COL_RATE,  /* per second; text shortens it with k M G (powers of 1000) */
	COL_BYTES, /* bytes; text shortens it with KiB MiB GiB */
	COL_NS,    /* nanoseconds; text shortens it with us ms s; JSON and Prometheus: seconds */
};

struct col {
	const char *name;   /* key in JSON, lower snake case; NULL: not in JSON */
	const char *head;   /* heading of the text table (ASCII); NULL: not in the table */
	const char *metric; /* Prometheus: name of the label (keys) or of the metric (counters,
			       gauges) without the prefix "sonde_"; NULL: not exported */
	const char *help;   /* Prometheus: # HELP of the metric */
	const struct schema *rows; /* COL_TABLE: schema of its records */
	uint8_t kind, role, unit;  /* enum col_kind, col_role, col_unit */
	uint16_t off;              /* offset of the member in the record */
	_Bool below; /* lists of strings: in text, wrapped on separate lines below the row */
};

/* JSON objects start with "record":NAME, unless name is NULL. */
struct schema {
	const char *name;
	const struct col *cols; /* ncols columns */
	size_t ncols;
	/* For record kinds that share one table of columns: a bit for each column of this kind.
	 * JSON leaves out the others. 0: all. */
	uint64_t has;
};

/* Returns true if column i belongs to the schema's kind of record. */
#define SCHEMA_HAS(schema, i) (!(schema)->has || (schema)->has >> (i)&1)

#define SCHEMA(name, cols)                      \
	{                                       \
		name, cols, ARRAY_LEN(cols), 0, \
	}

#define COL_OFF_(T, m, M)                                                                 \
	(offsetof(T, m) +                                                                 \
	 0 * sizeof(struct {                                                              \
		 _Static_assert(__builtin_types_compatible_p(__typeof__(((T *)0)->m), M), \
				"column's member has another type");                      \
		 int unused;                                                              \
	 }))
#define COL_AT_STR(T, m)       .kind = COL_STR, .off = COL_OFF_(T, m, const char *)
#define COL_AT_U64(T, m)       .kind = COL_U64, .off = COL_OFF_(T, m, uint64_t)
#define COL_AT_S64(T, m)       .kind = COL_S64, .off = COL_OFF_(T, m, int64_t)
#define COL_AT_F64(T, m)       .kind = COL_F64, .off = COL_OFF_(T, m, double)
#define COL_AT_BOOL(T, m)      .kind = COL_BOOL, .off = COL_OFF_(T, m, _Bool)
#define COL_AT_TIME(T, m)      .kind = COL_TIME, .off = COL_OFF_(T, m, uint64_t)
#define COL_AT_STRS(T, m)      .kind = COL_STRS, .off = COL_OFF_(T, m, struct col_list)
#define COL_AT_U64S(T, m)      .kind = COL_U64S, .off = COL_OFF_(T, m, struct col_list)
#define COL_AT_TABLE(T, m)     .kind = COL_TABLE, .off = COL_OFF_(T, m, struct col_list)
#define COL_AT_HISTOGRAM(T, m) .kind = COL_HISTOGRAM, .off = COL_OFF_(T, m, struct col_histogram)

#endif
