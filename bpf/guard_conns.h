/* SPDX-License-Identifier: MIT */
/* Contract of bpf/guard_conns.bpf.c, which counts accepted connections for one interface's guard in
 * its maps `guard` and `guard_sums`. */
#ifndef BPF_GUARD_CONNS_H
#define BPF_GUARD_CONNS_H

#include "bpf/guard.h"

struct guard_conns_conf {
	struct guard_conf guard; /* the gate's */
};
_Static_assert(sizeof(struct guard_conns_conf) == sizeof(struct guard_conf),
	       "guard_conns_conf is a contract");

/* Value of map `conns_socks` (socket storage): the entry in each scope that counts the connection
 * as open. */
struct conns_sock {
	__u64 hash[GUARD_SCOPES_MAX]; /* 0: none */
	__u32 entry[GUARD_SCOPES_MAX];
};
_Static_assert(sizeof(struct conns_sock) == 48, "conns_sock is a contract");

#endif
