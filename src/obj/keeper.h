/* SPDX-License-Identifier: MIT */
/* A second process that removes tc filters when the first one is killed. Filters of clsact have no
 * links, so the kernel does not clean them up. */
#ifndef OBJ_KEEPER_H
#define OBJ_KEEPER_H

#include "sys/tc.h"

/* Starts the keeper before the first filter needs it: a confined process cannot fork. */
int keeper_start(void);
/* Registers a filter before it is added. When this process ends, by whatever signal, the keeper
 * removes filters of program filter->prog_id at that interface and direction, until
 * keeper_forget(). Starts the keeper if needed; it ends with this process. Returns 0 or -errno. */
int keeper_add(const struct tc_filter *filter);
/* Unregisters a filter that was removed. */
void keeper_forget(const struct tc_filter *filter);

#endif
