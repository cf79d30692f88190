/* SPDX-License-Identifier: MIT */
/* A gate with a guard that has only the limits that a test adds. */
#ifndef TESTS_LIB_GUARDED_H
#define TESTS_LIB_GUARDED_H

#include <stdint.h>
#include "bpf/gate.h"
#include "obj/obj.h"

/* A guard that enforces. Its one scope is sources (of IPv6: /64), has no limits and creates an
 * entry at the first packet. lines: size of the table, a power of two; 0: no guard. */
struct gate_conf guarded_conf(uint32_t lines);
/* burst: how many may come at once. */
struct guard_limit guarded_limit(enum guard_unit unit, uint64_t rate, uint64_t burst,
				 enum guard_action action);
/* Limits are numbered in the order of their scope. */
void guarded_add(struct gate_conf *conf, int scope, struct guard_limit limit);
/* progs: as in struct obj_opts. 0 or -errno. Reports errors. */
int guarded_open(struct obj *gate, const struct gate_conf *conf, uint32_t progs);

#endif
