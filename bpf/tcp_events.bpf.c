// SPDX-License-Identifier: MIT
/* Reports retransmitted segments, resets, dropped packets, and connections that a full queue
 * rejects. */
#include "bpf/lib/regs.h"
#include "bpf/trace.h"

const volatile struct tcp_events_conf conf = {};

#include "bpf/lib/trace_socks.h"

/* Describes a full or a request socket: both start with struct sock_common. */
static __always_inline void describe_common(struct trace_head *h, struct sock *sk, const bool typed)
{
	__u16 port = 0;

	h->sk = (__u64)sk;
	h->proto = IPPROTO_TCP;
	GET(typed, port, sk->__sk_common.skc_num);
	h->lport = port;
	h->proc.netns = netns_of(sk, typed);
	fill_endpoints(h, sk, typed);
	unmap_v4(h);
}

/* Describes a tracked socket by its record, any other one by its fields. */
static __always_inline void describe_known(struct trace_head *h, struct sock *sk, const bool typed)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (s)
		__builtin_memcpy(h, &s->head, sizeof(*h));
	if (h->lport)
		return;
	/* untracked, or tracked since before it had a port and a route */
	describe_common(h, sk, typed);
	fill_iface(h, sk, typed);
}

enum { LOSS_PROBE = 5 }; /* ICSK_TIME_LOSS_PROBE of net/inet_connection_sock.h */

SEC("tp_btf/tcp_retransmit_skb")
int sonde_retrans(__u64 *args)
{
	struct sock *sk = (void *)args[0];
	struct sk_buff *skb = (void *)args[1];
	struct tcp_sock *tp;
	struct trace_detail detail = {};
	struct trace_head h = {};

	if (conf.retransmit_err && (int)args[2])
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	detail.old_state = detail.new_state = sk->__sk_common.skc_state;
	if (detail.new_state == SYN_SENT)
		detail.cause = TRACE_RESEND_SYN;
	else if (tp->inet_conn.icsk_pending == LOSS_PROBE)
		detail.cause = TRACE_RESEND_PROBE;
	else
		detail.cause =
			tp->inet_conn.icsk_retransmits ? TRACE_RESEND_TIMEOUT : TRACE_RESEND_FAST;
	detail.sent = skb->len;
	detail.retransmits = tp->total_retrans;
	detail.rtt_us = tp->srtt_us >> 3;
	describe_known(&h, sk, true);
	if (detail.cause == TRACE_RESEND_SYN)
		describe_sock(&h, sk, tp);
	emit_event(&h, &detail, TRACE_RETRANSMIT);
	return 0;
}

SEC("tp_btf/tcp_retransmit_synack")
int sonde_retrans_s(__u64 *args)
{
	struct request_sock *req = (void *)args[1];
	struct trace_detail detail = { .cause = TRACE_RESEND_SYNACK,
				       .old_state = SYN_RECV,
				       .new_state = SYN_RECV };
	struct trace_head h = {};

	describe_common(&h, (struct sock *)req, true);
	fill_listener(&h);
	h.flags &= ~TRACE_NOT_ACCEPTED;
	detail.retransmits = req->num_retrans + 1; /* it is counted after it is sent */
	emit_event(&h, &detail, TRACE_RETRANSMIT);
	return 0;
}

SEC("tp_btf/tcp_receive_reset")
int sonde_rst_rx(__u64 *args)
{
	struct sock *sk = (void *)args[0];
	struct trace_detail detail = {};
	struct trace_head h = {};

	detail.old_state = sk->__sk_common.skc_state;
	describe_known(&h, sk, true);
	emit_event(&h, &detail, TRACE_RESET);
	return 0;
}

/* Fills in the endpoints of an incoming packet. */
static __always_inline void fill_incoming(struct trace_head *h, struct sk_buff *skb)
{
	unsigned char *head = 0;
	__u16 off = 0, type = 0;

	GET(false, head, skb->head);
	GET(false, off, skb->network_header);
	GET(false, type, skb->protocol);
	parse_packet(h, head + off, be16(type), true);
}

/* Either argument may be 0, and has no type for that reason. The packet that caused the reset is
 * incoming. */
SEC("raw_tp/tcp_send_reset")
int sonde_rst_tx(__u64 *args)
{
	struct sock *sk = (void *)args[0];
	struct sk_buff *skb = (void *)args[1];
	struct trace_detail detail = {};
	struct trace_head h = {};

	if (sk)
		GET(false, detail.old_state, *(__u8 *)&sk->__sk_common.skc_state);
	/* a listener is not an endpoint of a packet that it does not expect */
	if (sk && !(detail.old_state == LISTENING && skb)) {
		describe_known(&h, sk, false);
	} else if (skb) {
		struct net_device *dev = 0;

		fill_incoming(&h, skb);
		GET(false, dev, skb->dev);
		if (dev)
			fill_device_netns(&h, dev, false);
		h.flags = TRACE_INCOMING;
	}
	h.flags |= TRACE_SENT;
	if (conf.reset_reason)
		detail.reason = args[2];
	emit_event(&h, &detail, TRACE_RESET);
	return 0;
}

/* Dropped packets by reason and location, whether or not their records fit in the ring. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, TRACE_DROPS);
	MAP_TYPE(key, struct trace_drop);
	MAP_TYPE(value, __u64);
} drops MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_STACK_TRACE);
	MAP_UINT(max_entries, TRACE_STACKS);
	MAP_UINT(key_size, 4);
	MAP_UINT(value_size, TRACE_FRAMES * 8);
} stacks MAP;

static __always_inline void count_drop(const struct trace_detail *detail)
{
	struct trace_drop key = { .location = detail->location, .reason = detail->reason };

	increment_count(&drops, &key);
}

static __always_inline void emit_drop(const struct trace_head *h, const struct trace_detail *detail,
				      struct sk_buff *skb, const unsigned char *net, __u16 type)
{
	struct trace_packet *p = reserve_record(sizeof(*p));
	__u32 len;

	/* Check at once: older verifiers forget the check otherwise. */
	if (!p)
		return;
	len = skb->len + (skb->data - net);
	__builtin_memcpy(&p->event.head, h, sizeof(*h));
	__builtin_memcpy(&p->event.detail, detail, sizeof(*detail));
	p->event.head.time = bpf_ktime_get_ns();
	p->event.head.kind = TRACE_DROP;
	p->len = len;
	p->type = type;
	p->reserved = 0;
	/* only what lies in the linear part */
	len -= skb->data_len;
	if (len > TRACE_PACKET)
		len = TRACE_PACKET;
	p->event.head.bytes = bpf_probe_read_kernel(p->bytes, len, net) ? 0 : len;
	bpf_ringbuf_submit(p, 0);
}

SEC("tp_btf/kfree_skb")
int sonde_drop(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];
	struct net_device *dev = 0;
	struct sock *sk = 0;
	struct trace_detail detail = { .location = args[1], .stack = -1 };
	__u16 type = be16(skb->protocol);
	const unsigned char *net;
	struct trace_head h = {};
	bool in;

	/* messages between local sockets are not packets */
	if (!type)
		return 0;
	HOP(true, dev, skb->dev);
	HOP(true, sk, skb->sk);
	if (conf.drop_reason)
		detail.reason = args[2];
	if (conf.ignored_reason && detail.reason == conf.ignored_reason)
		return 0;
	net = skb->head + skb->network_header;
	in = !sk || skb->skb_iif;
	h.flags = in ? TRACE_INCOMING : TRACE_OUTGOING;
	if (conf.common.can_read_kernel)
		parse_packet(&h, net, type, in);
	if (dev)
		fill_device_netns(&h, dev, true);
	if (sk) {
		__u64 key = (__u64)sk;
		struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

		h.sk = key;
		if (s)
			h.proc = s->head.proc;
	}
	if (!filter_match(&h))
		return 0;
	count_drop(&detail);
	if (conf.stacks)
		detail.stack = bpf_get_stackid(args, &stacks, 0);
	emit_drop(&h, &detail, skb, net, type);
	return 0;
}

/* A listener whose queue is full rejects a connection. */
static __always_inline void on_queue_full(struct sock *sk, struct sk_buff *skb)
{
	struct trace_detail detail = {};
	struct trace_head h = {};

	GET(false, detail.queue_len, sk->sk_ack_backlog);
	GET(false, detail.queue_max, sk->sk_max_ack_backlog);
	if (detail.queue_len <= detail.queue_max)
		return;
	fill_incoming(&h, skb);
	unmap_v4(&h);
	h.sk = (__u64)sk;
	h.proc.netns = netns_of(sk, false);
	fill_listener(&h);
	h.flags &= ~TRACE_NOT_ACCEPTED;
	detail.new_state = LISTENING;
	emit_event(&h, &detail, TRACE_LISTEN);
}

SEC("kprobe/tcp_v4_syn_recv_sock")
int sonde_acceptq(void *regs)
{
	on_queue_full((void *)ARG(regs, 0), (void *)ARG(regs, 1));
	return 0;
}

SEC("kprobe/tcp_conn_request")
int sonde_synq(void *regs)
{
	on_queue_full((void *)ARG(regs, 2), (void *)ARG(regs, 3));
	return 0;
}

LICENSE("Dual MIT/GPL");
