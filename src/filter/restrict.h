/* SPDX-License-Identifier: MIT */
/* Conditions that a command's options add to a filter. */
#ifndef FILTER_RESTRICT_H
#define FILTER_RESTRICT_H

#include "filter/filter.h"

/* All of these must hold, besides the filter; of several interfaces any one. Zeroed: none. */
struct filter_restriction {
	const uint32_t *ifindexes; /* nifaces of them */
	size_t nifaces;
	uint32_t netns; /* inode number; 0: any */
	uint32_t pid;   /* 0: any */
};

/* Returns 0, or -ENOMEM, after which *f can only be closed. */
int filter_restrict(struct filter *f, const struct filter_restriction *r);

#endif
