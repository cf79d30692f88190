/* SPDX-License-Identifier: MIT */
/* The address sets of filters as kernel maps. */
#ifndef SETS_SETS_H
#define SETS_SETS_H

#include "filter/emit.h"
#include "sets/set_table.h"

struct set_map {
	int fd; /* 0: the set has no prefixes of this family */
	struct set_head head;
};

/* The sets of several filters, one entry per name. Zeroed: closed. */
struct sets {
	struct set_map maps[FILTER_SETS_MAX][SET_FAMILIES];
	const char *names[FILTER_SETS_MAX]; /* owned by the filters */
	size_t n;
};

enum {
	SETS_NAME_MAX = 10
}; /* longest name for sets_open(), which appends up to two digits and "_v4" */

/* Creates and fills the maps of all sets of n filters. Names the maps NAME0_v4, NAME0_v6, NAME1_v4
 * and so on, in the order in which the filters first name the sets. The filters must outlive *s.
 * Returns 0 or -errno. Reports errors; leaves nothing open on failure. */
int sets_open(struct sets *s, const struct filter *const *filters, size_t n, const char *name);
/* Returns the index of the set of this name; s->n if no set has it. */
size_t sets_find(const struct sets *s, const char *name);
/* Links the lookup code into the code of the same filters. Inlines the code at the first calls of
 * IPv4 lookups; for the other calls appends it once per set and family. Keep *s open until the code
 * is loaded; then the program holds the maps. Returns 0 or -errno. Reports errors. */
int sets_link(const struct sets *s, struct filter_code *code);
void sets_close(struct sets *s);

/* Reads a set from its maps; a descriptor of 0 means that the set has no prefixes of this family.
 * The result is normalized (filter/set.h) and has no name. Returns 0, -ENOMEM, -EINVAL if a map is
 * not of a set, or another -errno. Does not report errors; *out is unchanged on failure. */
int sets_read(int fd4, int fd6, struct filter_set *out);

#endif
