// SPDX-License-Identifier: MIT
/* A program in a section of every kind. */
#include "kern.h"

#define PROG(section, name)              \
	SEC(section) int name(void *ctx) \
	{                                \
		return 0;                \
	}

PROG("xdp", p_xdp)
PROG("tc", p_tc)
PROG("socket", p_socket)
PROG("syscall", p_syscall)
PROG("cgroup_skb/ingress", p_in)
PROG("cgroup_skb/egress", p_out)
PROG("raw_tp/kfree_skb", p_raw)
PROG("tp_btf/kfree_skb", p_btf)
PROG("fentry/tcp_connect", p_fentry)
PROG("fexit/tcp_connect", p_fexit)
PROG("iter/tcp", p_iter)
PROG("tracepoint/sock/inet_sock_set_state", p_tp)
PROG("kprobe/tcp_connect", p_kprobe)
PROG("kretprobe", p_kretprobe)
PROG("uprobe", p_uprobe)
PROG("uretprobe/x", p_uretprobe)

LICENSE;
