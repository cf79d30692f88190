/* SPDX-License-Identifier: MIT */
/* A filter's sets of addresses as maps of the kernel. */
#ifndef OBJ_SETS_H
#define OBJ_SETS_H

#include "filter/emit.h"

/* Zeroed: closed. A trie for each set and family that has members; descriptors are 0 for others. */
struct sets {
	int fd[FILTER_SETS_MAX][SET_FAMILIES];
};

/* Create and fill them. 0 or -errno, after one clear line and with nothing left open. */
int sets_open(struct sets *s, const struct filter *f);
/* Put them into code that was emitted for the same filter; of several, s has one for each. They are
 * to stay open until it has been loaded, and no longer: the program holds them. */
void sets_link(const struct sets *s, struct filter_code *code);
void sets_close(struct sets *s);

#endif
