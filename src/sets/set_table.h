/* SPDX-License-Identifier: MIT */
/* The addresses that a set has of a family as lines (bpf/set.h), and the maps that hold them. */
#ifndef SETS_SET_TABLE_H
#define SETS_SET_TABLE_H

#include "bpf/set.h"
#include "filter/set.h"

struct set_table {
	struct set_line *at;
	uint32_t n;
};

/* Of prefixes in order and disjoint, as set_parse() leaves them. 0, -ENOMEM, -E2BIG. */
int set4_build(const struct set_prefixes *p, struct set_table *out);
int set6_build(const struct set_prefixes *p, struct set_table *out);
/* What they hold, behind what is in out, in no order and maybe in smaller parts. -EINVAL: that is
 * no such set. */
int set4_read(const struct set_table *t, struct set_prefixes *out);
int set6_read(const struct set_table *t, struct set_prefixes *out);
void set_table_close(struct set_table *t);

static inline struct set_head set_table_head(const struct set_table *t)
{
	return *(const struct set_head *)t->at;
}

/* A map of this name, filled. flags: BPF_F_MMAPABLE: through a mapping; 0: by system calls. The
 * descriptor, or -errno. */
int set_table_create(const struct set_table *t, const char *name, uint32_t flags);
/* The lines of such a map. */
int set_table_read(int fd, struct set_table *out);

#endif
