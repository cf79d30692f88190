/* SPDX-License-Identifier: MIT */
/* One family of an address set as a table of lines (bpf/set.h), and the maps that hold tables. */
#ifndef SETS_SET_TABLE_H
#define SETS_SET_TABLE_H

#include "bpf/set.h"
#include "filter/set.h"

/* Zeroed: closed. */
struct set_table {
	struct set_line *at;
	uint32_t n;
};

/* Build a table from prefixes that set_parse() has sorted and merged. Return 0, -ENOMEM or
 * -E2BIG. */
int set4_build(const struct set_prefixes *p, struct set_table *out);
int set6_build(const struct set_prefixes *p, struct set_table *out);
/* Append a table's prefixes to out, unsorted and possibly split into longer ones. Return 0,
 * -ENOMEM, or -EINVAL if it is not a valid table. */
int set4_read(const struct set_table *t, struct set_prefixes *out);
int set6_read(const struct set_table *t, struct set_prefixes *out);
void set_table_close(struct set_table *t);

static inline struct set_head set_table_head(const struct set_table *t)
{
	return *(const struct set_head *)t->at;
}

/* Creates a map of this name and copies the table into it: through a memory mapping if flags have
 * BPF_F_MMAPABLE and the kernel supports it, else by system calls. Returns a descriptor or
 * -errno. */
int set_table_create(const struct set_table *t, const char *name, uint32_t flags);
/* Reads such a map. Returns 0 or -errno; -EINVAL if the map is of another type. */
int set_table_read(int fd, struct set_table *out);

#endif
