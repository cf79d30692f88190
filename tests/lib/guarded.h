/* SPDX-License-Identifier: MIT */
/* A gate with a guard put together by hand: just the limits that are asked for. */
#ifndef TESTS_LIB_GUARDED_H
#define TESTS_LIB_GUARDED_H

#include <stdint.h>
#include "bpf/gate.h"
#include "obj/obj.h"

/* It enforces; its one scope, of sources (of IPv6: /64), has no limits yet, and an entry for each
 * from its first packet on. lines: of the table, a power of two; 0: there is no guard. */
struct gate_conf guarded_conf(uint32_t lines);
/* burst: as many may come at once. */
struct guard_limit guarded_limit(enum guard_unit unit, uint64_t rate, uint64_t burst,
				 enum guard_action action);
/* Numbers are in the order of a scope's limits. */
void guarded_add(struct gate_conf *conf, int scope, struct guard_limit limit);
/* progs: as in struct obj_opts. 0 or -errno, said. */
int guarded_open(struct obj *gate, const struct gate_conf *conf, uint32_t progs);

#endif
