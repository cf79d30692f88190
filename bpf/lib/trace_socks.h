/* SPDX-License-Identifier: MIT */
/* TCP sockets that are tracked, and the events about them. */
#ifndef BPF_LIB_TRACE_SOCKS_H
#define BPF_LIB_TRACE_SOCKS_H

#include "bpf/lib/trace.h"

enum {
	ESTABLISHED = 1,
	SYN_SENT,
	SYN_RECV,
	FIN_WAIT1,
	FIN_WAIT2,
	TIME_WAIT,
	CLOSED,
	CLOSE_WAIT,
	LAST_ACK,
	LISTENING,
};

struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, TRACE_SOCKS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_sock);
} socks MAP;

/* Listening processes, by network namespace and port. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_LISTENERS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_proc);
} listeners MAP;

/* Reports an event of a socket if its kind is selected and the filter matches. Returns 1 if it is
 * in the ring. */
static __noinline int emit_event(const struct trace_head *head, const struct trace_detail *detail,
				 __u32 kind)
{
	__u32 kinds = conf.common.kinds;
	struct trace_event *e;

	if (conf.common.failures && detail->error)
		kinds |= conf.common.failures;
	if (!(kinds & 1u << kind) || !filter_match(head))
		return 0;
	e = reserve_record(sizeof(*e));
	if (!e)
		return 0;
	__builtin_memcpy(&e->head, head, sizeof(*head));
	__builtin_memcpy(&e->detail, detail, sizeof(*detail));
	e->head.time = bpf_ktime_get_ns();
	e->head.kind = kind;
	e->head.bytes = 0;
	bpf_ringbuf_submit(e, 0);
	return 1;
}

static __always_inline __u64 listener_key(const struct trace_head *h)
{
	return (__u64)h->proc.netns << 16 | h->lport;
}

/* Assumes the process that listens at the local port of an incoming connection. */
static __always_inline void fill_listener(struct trace_head *h)
{
	__u8 flags = h->flags | TRACE_INCOMING | TRACE_NOT_ACCEPTED;
	__u64 key = listener_key(h);
	struct trace_proc *w = bpf_map_lookup_elem(&listeners, &key);

	if (w) {
		h->proc = *w;
		flags |= TRACE_BY_LISTENER;
	}
	/* last: a program that sees the flags may change the rest */
	asm volatile("" : : : "memory");
	*(volatile __u8 *)&h->flags = flags;
}

static __always_inline bool has_listener(const struct trace_head *h)
{
	__u64 key = listener_key(h);

	return bpf_map_lookup_elem(&listeners, &key) != 0;
}

/* Fills in everything but the process. */
static __noinline __attribute__((unused)) int describe_sock(struct trace_head *h, struct sock *sk,
							    struct tcp_sock *tp)
{
	h->sk = (__u64)sk;
	h->proto = IPPROTO_TCP;
	h->lport = be16(tp->inet_conn.icsk_inet.inet_sport);
	h->proc.netns = netns_of(sk, true);
	fill_iface(h, sk, true);
	if (!fill_endpoints(h, sk, true))
		return 0;
	unmap_v4(h);
	return 1;
}

/* Processes that accepted a connection before it was established. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_EARLY_ACCEPTS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_proc);
} early_accepts MAP;

/* accept(2) and the state change may come in either order. Whichever comes second finds what the
 * first stored, and only one of them deletes it. */
static __always_inline bool claim_early_accept(__u64 sk, struct trace_proc *proc)
{
	struct trace_proc *w = bpf_map_lookup_elem(&early_accepts, &sk);

	if (!w)
		return false;
	*proc = *w;
	return !bpf_map_delete_elem(&early_accepts, &sk);
}

#endif
