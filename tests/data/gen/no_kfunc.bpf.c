// SPDX-License-Identifier: MIT
/* Refused: a call of a kernel function. */
#include "kern.h"

extern void bpf_rcu_read_lock(void) IN(".ksyms");

SEC("xdp") int prog(struct xdp_md *ctx)
{
	bpf_rcu_read_lock();
	return 0;
}

LICENSE;
