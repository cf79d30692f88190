/* SPDX-License-Identifier: MIT */
/* A second process that takes off tc filters when the first is killed: the one thing that the
 * kernel does not clean up by itself, for clsact filters have no links. */
#ifndef OBJ_KEEPER_H
#define OBJ_KEEPER_H

#include "sys/tc.h"

/* Start the keeper now rather than with the first filter: a confined process cannot fork. */
int keeper_start(void);
/* From now on, until keeper_forget(), a filter of program filter->prog_id at that interface and
 * direction goes when this process does, by whatever signal: to be called before it is there. The
 * keeper is started with the first one and ends with this process. */
int keeper_add(const struct tc_filter *filter);
/* The filter is gone already. */
void keeper_forget(const struct tc_filter *filter);

#endif
