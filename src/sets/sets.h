/* SPDX-License-Identifier: MIT */
/* A filter's sets of addresses as maps of the kernel. */
#ifndef SETS_SETS_H
#define SETS_SETS_H

#include "filter/emit.h"
#include "sets/set_table.h"

struct set_map {
	int fd; /* 0: no members of this family */
	struct set_head head;
};

/* The sets of several filters, each name once. Zeroed: closed. */
struct sets {
	struct set_map maps[FILTER_SETS_MAX][SET_FAMILIES];
	const char *names[FILTER_SETS_MAX]; /* the filters' */
	size_t n;
};

enum { SETS_NAME_MAX = 10 }; /* characters of a name below, for two digits of a number */

/* Create and fill them, their maps named NAME0_v4 and so on, in the order in which n filters, which
 * are to stay as long as they, name them first. 0 or -errno, after one clear line and with nothing
 * left open. */
int sets_open(struct sets *s, const struct filter *const *filters, size_t n, const char *name);
/* The place of a name in them; their number: it is not there. */
size_t sets_find(const struct sets *s, const char *name);
/* Put what looks into them into code that was emitted for the same filters: in the place of the
 * first calls to IPv4's, else behind it, once for each that is called. They are to stay open until
 * the code has been loaded, and no longer: the program holds them. 0 or -ENOMEM, after saying so.
 */
int sets_link(const struct sets *s, struct filter_code *code);
void sets_close(struct sets *s);

/* What a set's maps hold, in order and in as few prefixes as say the same; a descriptor 0: there
 * are none of this family. It has no name. 0, -ENOMEM, -EINVAL (a map of something else), or why
 * the map cannot be read; out is untouched then. */
int sets_read(int fd4, int fd6, struct filter_set *out);

#endif
