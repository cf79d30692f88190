// SPDX-License-Identifier: MIT
/* DNS messages as sockets send and receive them, with the process that created the socket. */
#include "bpf/lib/owner.h"
#include "bpf/trace.h"

const volatile struct dns_conf conf = {};

#include "bpf/lib/trace.h"

enum { DNS_HEADER = 12 };

/* Returns the offset of the transport header; 0: not a DNS port, or unreadable. */
static __always_inline __u32 parse_headers(struct __sk_buff *skb, struct trace_head *h, bool in)
{
	struct headers hd = {};
	int trans;

	if (bpf_skb_load_bytes(skb, 0, hd.ip, skb->protocol == be16(ETH_P_IP) ? 20 : 40))
		return 0;
	trans = parse_addresses(h, &hd, in);
	if (trans <= 0 || bpf_skb_load_bytes(skb, trans, hd.ports, sizeof(hd.ports)))
		return 0;
	fill_ports(h, &hd, in);
	return h->lport == conf.port || h->rport == conf.port ? trans : 0;
}

static __always_inline void fill_owner(struct __sk_buff *skb, struct trace_head *h)
{
	struct bpf_sock *sk = skb->sk, *full;
	struct owner *o;

	if (!sk)
		return;
	full = bpf_sk_fullsock(sk);
	if (!full)
		return;
	o = bpf_sk_storage_get(&owners, full, 0, 0);
	if (!o)
		return;
	h->proc.pid = o->pid;
	h->proc.cgroup = o->cgroup;
	copy_bytes(h->proc.comm, o->comm, TRACE_COMM);
}

/* The verifier takes no offset from a socket's pointer, but any number for an address: read the
 * pointer from the stack. */
static __always_inline void fill_netns(struct __sk_buff *skb, struct trace_head *h)
{
	struct bpf_sock *volatile sk = skb->sk;
	__u64 addr = 0, net = 0;

	if (!conf.net_off || !conf.common.can_read_kernel)
		return;
	bpf_probe_read_kernel(&addr, sizeof(addr), (const void *)&sk);
	bpf_probe_read_kernel(&net, conf.pointer_bytes, (const void *)(addr + conf.net_off));
	bpf_probe_read_kernel(&h->proc.netns, sizeof(h->proc.netns),
			      (const void *)(net + conf.inum_off));
}

/* The verifier must see both bounds, each separately, right where they are used. */
static __always_inline __u32 load_message(struct __sk_buff *skb, __u32 at, struct trace_message *m,
					  __u64 len)
{
	asm volatile("" : "+r"(len));
	if (len < DNS_HEADER)
		return 0;
	asm volatile("" : "+r"(len));
	if (len > TRACE_MESSAGE)
		return 0;
	return bpf_skb_load_bytes(skb, at, m->bytes, len) ? 0 : len;
}

static __always_inline int on_packet(struct __sk_buff *skb, bool in)
{
	struct trace_head h = { .kind = TRACE_DNS };
	__u32 at = parse_headers(skb, &h, in), len = skb->len, head = 8;
	struct trace_message *m;
	__u8 words = 0;

	if (!at)
		return 1;
	/* over TCP a length precedes the message: only messages that start a segment are seen */
	if (h.proto == IPPROTO_TCP) {
		if (bpf_skb_load_bytes(skb, at + 12, &words, 1))
			return 1;
		head = (words >> 4) * 4 + 2;
	}
	at += head;
	if (len < at + DNS_HEADER)
		return 1;
	len -= at;
	if (len > TRACE_MESSAGE)
		len = TRACE_MESSAGE;
	h.ifindex = skb->ifindex;
	h.flags = (h.rport == conf.port ? TRACE_OUTGOING : TRACE_INCOMING) | (in ? 0 : TRACE_SENT);
	fill_owner(skb, &h);
	fill_netns(skb, &h);
	if (!filter_match(&h))
		return 1;
	m = reserve_record(sizeof(*m));
	if (!m)
		return 1;
	h.time = bpf_ktime_get_ns();
	h.bytes = load_message(skb, at, m, len);
	__builtin_memcpy(&m->head, &h, sizeof(h));
	bpf_ringbuf_submit(m, 0);
	return 1;
}

SEC("cgroup_skb/ingress")
int sonde_dns_in(struct __sk_buff *skb)
{
	return on_packet(skb, true);
}

SEC("cgroup_skb/egress")
int sonde_dns_out(struct __sk_buff *skb)
{
	return on_packet(skb, false);
}

LICENSE("Dual MIT/GPL");
