/* SPDX-License-Identifier: MIT */
/* A second process that takes off tc filters when the first is killed: the one thing that the
 * kernel does not clean up by itself, for clsact filters have no links. */
#ifndef OBJ_KEEPER_H
#define OBJ_KEEPER_H

#include "sys/tc.h"

/* Start the keeper now rather than with the first filter: a confined process cannot fork. */
int keeper_start(void);
/* From now on, until keeper_forget(), the filter goes when this process does, by whatever signal.
 * prog_fd: the filter's program, so that nobody else's is ever taken. The keeper is started with
 * the first filter, if not before, and ends with this process. */
int keeper_add(const struct tc_filter *filter, int prog_fd);
/* The filter is gone already. */
void keeper_forget(const struct tc_filter *filter);

#endif
