/* SPDX-License-Identifier: MIT */
/* What is known of TCP's sockets, and how it is told. */
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

/* Who listens, by network namespace and port. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_LISTENERS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_who);
} listeners MAP;

/* A record of a kind, of a socket as it is known, if the filter wants it. */
static __noinline int emit_event(const struct trace_head *head, const struct trace_detail *detail,
				 __u32 kind)
{
	__u32 kinds = conf.all.kinds;
	struct trace_event *e;

	if (conf.all.failures && detail->error)
		kinds |= conf.all.failures;
	if (!(kinds & 1u << kind) || !filter_match(head))
		return 0;
	e = record_new(sizeof(*e));
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
	return (__u64)h->who.netns << 16 | h->lport;
}

/* What is known of whoever listens where a connection came in. */
static __always_inline void by_listener(struct trace_head *h)
{
	__u8 flags = h->flags | TRACE_INCOMING | TRACE_NOT_TAKEN;
	__u64 key = listener_key(h);
	struct trace_who *w = bpf_map_lookup_elem(&listeners, &key);

	if (w) {
		h->who = *w;
		flags |= TRACE_BY_LISTENER;
	}
	/* Last: who sees the flags may change the rest. */
	asm volatile("" : : : "memory");
	*(volatile __u8 *)&h->flags = flags;
}

static __always_inline bool has_listener(const struct trace_head *h)
{
	__u64 key = listener_key(h);

	return bpf_map_lookup_elem(&listeners, &key) != 0;
}

/* All but the process. */
static __noinline __attribute__((unused)) int describe(struct trace_head *h, struct sock *sk,
						       struct tcp_sock *tp)
{
	h->sk = (__u64)sk;
	h->proto = IPPROTO_TCP;
	h->lport = be16(tp->inet_conn.icsk_inet.inet_sport);
	h->who.netns = netns_of(sk, true);
	put_iface(h, sk, true);
	if (!put_ends(h, sk, true))
		return 0;
	unmap(h);
	return 1;
}

/* Who took a connection that was not one yet. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_EARLY);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_who);
} early_accepts MAP;

/* Whoever meets the other one last has seen both halves, and only one of them takes this away. */
static __always_inline bool claim(__u64 sk, struct trace_who *who)
{
	struct trace_who *w = bpf_map_lookup_elem(&early_accepts, &sk);

	if (!w)
		return false;
	*who = *w;
	return !bpf_map_delete_elem(&early_accepts, &sk);
}

#endif
