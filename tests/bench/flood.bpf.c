// SPDX-License-Identifier: MIT
/* The benchmark's packet generator. The kernel runs it on live frames without end. It changes each
 * frame and sends it out of an interface, at a fixed rate. */
#include "tests/bench/flood.h"
#include "tests/bench/prog.h"
#include "tests/bench/sets.h"

enum {
	MAX_LATE_NS = 50000000, /* older delays are not caught up */
	/* Offsets after the Ethernet header, in units of 16 bits. */
	IP_ID = 2,
	IP_SOURCE = 6,
	IP_SOURCE_LOW = 7,
	UDP_SOURCE = 10,
	UDP_DEST = 11,
	SOURCE_SUM =
		0xc612, /* one's complement sum of the frame's source address and identification */
};

static long (*const bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;

const volatile struct flood_conf conf = {};

STATE(counts, struct flood_counts);

/* Whether a packet is due. */
static __always_inline bool is_due(struct flood_counts *c)
{
	if (!c->left) {
		__u64 now = bpf_ktime_get_ns();

		if (now < c->due)
			return false;
		c->due = now > c->due + MAX_LATE_NS ? now : c->due;
		c->due += conf.ns_per_burst;
		c->left = FLOOD_BURST;
	}
	c->left--;
	return true;
}

STATE(slices, struct flood_slices);

static __always_inline void record_slice(struct flood_counts *c)
{
	__u64 now = bpf_ktime_get_ns();
	struct flood_slices *s = get_state(&slices);

	if (s && c->slice)
		s->ns[s->n++ % FLOOD_SLICES] = now - c->slice;
	c->slice = now;
}

/* Changes the identification, too, so that the header's checksum stays correct. */
static __always_inline void put_source(struct flood_counts *c, __be16 *at)
{
	__u32 addr[4], sum;

	sets_address(c->source, addr);
	c->source += conf.stride;
	if (c->source >= conf.sources)
		c->source -= conf.sources;
	at[IP_SOURCE] = (__u16)addr[0];
	at[IP_SOURCE_LOW] = (__u16)(addr[0] >> 16);
	sum = be16(SOURCE_SUM) + (__u16)~addr[0] + (__u16) ~(addr[0] >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	at[IP_ID] = (__u16)(sum + (sum >> 16));
}

/* Sets one of a few source addresses in turn. Address and identification cancel out in the header's
 * checksum. */
static __always_inline void put_counted_source(__u64 n, __be16 *at)
{
	at[IP_SOURCE_LOW] = be16((__u16)(n >> 4));
	at[IP_ID] = be16((__u16) ~(n >> 4));
}

SEC("xdp") int bench_flood(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__be16 *at = data + ETH_HLEN;
	struct flood_counts *c = get_state(&counts);
	__u64 n;

	if (!c || (void *)(at + UDP_DEST + 1) > end)
		return XDP_ABORTED;
	if (conf.ns_per_burst && !is_due(c))
		return XDP_DROP; /* the kernel passes the frame again */
	n = c->sent++;
	if (conf.slices && n % FLOOD_SLICE == 0)
		record_slice(c);
	if (conf.sources)
		put_source(c, at);
	else
		put_counted_source(n, at);
	at[UDP_SOURCE] = be16(0x4000 | (n & 0x3fff));
	at[UDP_DEST] =
		be16(conf.match_every && n % conf.match_every == 0 ? FLOOD_PORT_MATCH : FLOOD_PORT);
	return bpf_redirect(conf.ifindex, 0);
}

LICENSE("Dual MIT/GPL");
