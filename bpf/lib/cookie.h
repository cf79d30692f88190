/* SPDX-License-Identifier: MIT */
/* SYN cookies at XDP: sends the kernel's own answer before the kernel has any work with the SYN. */
#ifndef BPF_LIB_COOKIE_H
#define BPF_LIB_COOKIE_H

#include "bpf/lib/guard.h"

/* The answer to a SYN. */
struct cookie {
	__u32 seq;
	__be32 client_seq;
	__u16 mss;
};

enum {
	COOKIE_TCP_LEN = sizeof(struct tcphdr) + 4, /* with one option, MSS */
	COOKIE_MSS = 536, /* the default of a SYN without the option (RFC 9293, 3.7.1) */
	COOKIE_HOPS = 64,
	COOKIE_WINDOW = 0xffff, /* not scaled: window scaling needs state */
};

static __always_inline __u16 cookie_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline __u64 cookie_sum(const __be16 *at, __u32 words)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < words; i++)
		sum += at[i];
	return sum;
}

/* Copies the TCP header with the one option that the kernel reads, if that comes first, as all
 * senders of it do. The copy has a fixed length: verifiers do not know the header's own. */
static __always_inline void cookie_copy(const struct guard_headers *h, const struct pkt_src *s,
					__be16 to[COOKIE_TCP_LEN / 2])
{
	const __be16 *half = (const __be16 *)h->tcp, *option = half + 10;

	for (__u32 i = 0; i < sizeof(*h->tcp) / 2; i++)
		to[i] = half[i];
	to[10] = be16(2 << 8 | 4); /* the MSS option (RFC 9293, 3.7.1) */
	to[11] = be16(COOKIE_MSS);
	if (half[6] & be16(0xf000) && be16(half[6]) >> 12 > 5 && (void *)(option + 2) <= s->end &&
	    option[0] == to[10])
		to[11] = option[1];
	to[6] = be16(COOKIE_TCP_LEN / 4 << 12 | GUARD_TCP_SYN);
}

/* Asks the kernel for a cookie. It gives one only if its queue is full, or always with
 * tcp_syncookies=2. Returns false without a cookie: the SYN is the kernel's then. */
static __always_inline bool cookie_request(struct xdp_md *ctx, const struct guard_pkt *g,
					   const struct pkt_src *s, struct cookie *c)
{
	__be16 tcp[COOKIE_TCP_LEN / 2];
	struct guard_headers h;
	struct bpf_sock *sk;
	__s64 got = -1;

	if (!guard_find_headers(&h, s, g))
		return false;
	c->client_seq = guard_load_u32((const __be16 *)&h.tcp->seq);
	cookie_copy(&h, s, tcp);
	sk = guard_find_socket(ctx, g);
	if (!sk)
		return false;
	if (sk->state == BPF_TCP_LISTEN)
		got = g->family == 4 ? bpf_tcp_gen_syncookie(sk, h.ip, sizeof(struct iphdr), tcp,
							     sizeof(tcp))
				     : bpf_tcp_gen_syncookie(sk, h.ip, sizeof(struct ipv6hdr), tcp,
							     sizeof(tcp));
	bpf_sk_release(sk);
	if (got < 0)
		return false;
	c->seq = got;
	c->mss = got >> 32;
	return true;
}

static __always_inline void cookie_write_tcp(struct tcphdr *tcp, const struct guard_pkt *g,
					     const struct cookie *c, __u64 addresses)
{
	__be16 *half = (__be16 *)tcp;
	__u32 seq = __builtin_bswap32(c->seq), ack = c->client_seq;

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	seq = c->seq;
	ack += 1;
#else
	ack = __builtin_bswap32(__builtin_bswap32(ack) + 1);
#endif
	half[0] = g->dport;
	half[1] = g->sport;
	__builtin_memcpy(half + 2, &seq, sizeof(seq));
	__builtin_memcpy(half + 4, &ack, sizeof(ack));
	half[6] = be16(COOKIE_TCP_LEN / 4 << 12 | GUARD_TCP_SYN | GUARD_TCP_ACK);
	half[7] = be16(COOKIE_WINDOW);
	half[8] = 0;
	half[9] = 0;
	half[10] = be16(2 << 8 | 4);
	half[11] = be16(c->mss);
	half[8] = cookie_fold(addresses + be16(IPPROTO_TCP) + be16(COOKIE_TCP_LEN) +
			      cookie_sum(half, COOKIE_TCP_LEN / 2));
}

static __always_inline void cookie_write_ip4(struct iphdr *ip, const struct guard_pkt *g)
{
	__be16 *half = (__be16 *)ip;
	__u32 src = g->src[0], dst = g->dst[0];

	half[0] = be16(0x4500);
	half[1] = be16(sizeof(*ip) + COOKIE_TCP_LEN);
	half[2] = 0;
	half[3] = be16(0x4000); /* do not fragment */
	half[4] = be16(COOKIE_HOPS << 8 | IPPROTO_TCP);
	half[5] = 0;
	__builtin_memcpy(half + 6, &dst, sizeof(dst));
	__builtin_memcpy(half + 8, &src, sizeof(src));
	half[5] = cookie_fold(cookie_sum(half, sizeof(*ip) / 2));
}

static __always_inline void cookie_write_ip6(struct ipv6hdr *ip, const struct guard_pkt *g)
{
	__be16 *half = (__be16 *)ip;

	half[0] = be16(0x6000);
	half[1] = 0;
	half[2] = be16(COOKIE_TCP_LEN);
	half[3] = be16(IPPROTO_TCP << 8 | COOKIE_HOPS);
	__builtin_memcpy(half + 4, g->dst, sizeof(g->dst));
	__builtin_memcpy(half + 12, g->src, sizeof(g->src));
}

static __always_inline void cookie_swap_macs(__be16 *mac)
{
	for (int i = 0; i < 3; i++) {
		__be16 first = mac[i];

		mac[i] = mac[3 + i];
		mac[3 + i] = first;
	}
}

/* Turns a SYN into its answer. Returns GUARD_PASSES: *replied is true if the packet is the answer
 * now, else it is still the SYN. GUARD_DROPS: the packet is damaged. */
static __always_inline enum guard_verdict cookie_reply(struct xdp_md *ctx,
						       const struct guard_pkt *g,
						       const struct pkt_src *s, bool ethernet,
						       bool *replied)
{
	struct pkt_src reply;
	struct guard_headers h;
	struct cookie c;

	if (!cookie_request(ctx, g, s, &c))
		return GUARD_PASSES;
	guard_find_headers(&h, s, g);
	if (bpf_xdp_adjust_tail(ctx, (int)(g->net + h.ip_len + COOKIE_TCP_LEN) - (int)g->bytes))
		return GUARD_PASSES;
	reply = (struct pkt_src){ (void *)(long)ctx->data, (void *)(long)ctx->data_end, 0 };
	if (!guard_find_headers(&h, &reply, g) || (void *)h.tcp + COOKIE_TCP_LEN > reply.end ||
	    reply.data + ETH_HLEN > reply.end)
		return GUARD_DROPS;
	if (g->family == 4)
		cookie_write_ip4(h.ip, g);
	else
		cookie_write_ip6(h.ip, g);
	cookie_write_tcp(h.tcp, g, &c,
			 cookie_sum((const __be16 *)g->src, 8) +
				 cookie_sum((const __be16 *)g->dst, 8));
	if (ethernet)
		cookie_swap_macs(reply.data);
	*replied = true;
	return GUARD_PASSES;
}

#endif
