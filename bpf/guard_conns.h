/* SPDX-License-Identifier: MIT */
/* Contract of the counting of accepted connections (bpf/conns.bpf.c) for one interface's guard,
 * whose maps `guard` and `guard_sums` it writes to. */
#ifndef BPF_GUARD_CONNS_H
#define BPF_GUARD_CONNS_H

#include "bpf/guard.h"

struct guard_conns_conf {
	struct guard_conf guard; /* the gate's */
};

/* Value of map `conns_socks` (socket storage): in which entry of each scope a connection is counted
 * as open. */
struct conns_sock {
	__u64 hash[GUARD_SCOPES_MAX]; /* 0: in none */
	__u32 entry[GUARD_SCOPES_MAX];
};
_Static_assert(sizeof(struct conns_sock) == 48, "conns_sock is a contract");

#endif
