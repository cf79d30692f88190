// SPDX-License-Identifier: MIT
/* Capture: packets that a filter chooses, laid out as finished pcapng blocks. */
#include "bpf/lib/bpf.h"
#include "bpf/lib/view.h"
#include "bpf/capture.h"

#define TC_NEXT -1

enum {
	TRIES = 8,       /* to reserve, against programs that interrupt this one */
	BLOCK_EPB = 6,   /* enhanced packet block; draft-ietf-opsawg-pcapng sec. 4.3 */
	BLOCK_HEAD = 28, /* before the packet's bytes */
	OPT_FLAGS = 2,   /* epb_flags, of 4 bytes */
	FLAG_IN = 1,
	FLAG_OUT = 2,
	MACS = 12,
	TAG = 4,
	BLOCK_TAIL = 16, /* behind them: that option, the end of options, the length again */
};

/* Keeps the compiler from seeing through a number: what was checked is then what is used. */
#define opaque(x) asm volatile("" : "+r"(x))

const volatile struct capture_conf conf = { .snaplen = CAPTURE_SNAPLEN_MAX };

/* Sizes of the next three are the loader's: they depend on the CPUs and on the options. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_UINT(map_flags, BPF_F_MMAPABLE);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct capture_cpu);
} cpus MAP;

struct chunk {
	__u8 bytes[4096];
};
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_UINT(map_flags, BPF_F_MMAPABLE);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct chunk);
} area MAP;

/* Blocks where there is no mapped area; where there is, just calls to wake. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_RINGBUF);
	MAP_UINT(max_entries, 65536);
} ring MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct capture_counts);
} counts MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct view_work);
} work MAP;

/* A packet on its way into a block. */
struct take {
	void *ctx;
	bool xdp;
	__u32 len; /* bytes with what is put in: a hidden tag, an Ethernet header */
	__u32 dir;
	__u32 bare; /* as view_src has it */
};

/* The filter's place: its code is put here. r1: views, r2: data or the skb, r3: data_end. */
__noinline int stub_filter(struct view *views, void *packet, void *end)
{
	asm volatile("" : "+r"(views), "+r"(packet), "+r"(end));
	return views != 0;
}

/* Whether the filter wants it. */
static __always_inline bool matches(const struct take *t)
{
	struct view_src s = { .skb = t->xdp ? 0 : t->ctx, .chain = conf.chain, .bare = t->bare };
	struct __sk_buff *skb = t->ctx;
	struct xdp_md *xdp = t->ctx;
	struct view_work *w;
	__u32 zero = 0;

	w = bpf_map_lookup_elem(&work, &zero);
	if (!w)
		return false;
	s.data = (void *)(long)(t->xdp ? xdp->data : skb->data);
	s.end = (void *)(long)(t->xdp ? xdp->data_end : skb->data_end);
	view_outer(&s, w, t->len - (conf.prepend ? ETH_HLEN : 0), conf.ethernet);
	w->views[0].dir = t->dir;
	w->views[0].ifindex = t->xdp ? xdp->ingress_ifindex : skb->ifindex;
	if (conf.inner)
		view_inner(&s, w);
	return stub_filter(w->views, t->xdp ? s.data : skb, t->xdp ? s.end : 0) != 0;
}

/* A CPU's own memory, but for programs that interrupt this one: so by compare and swap. The
 * number of the chunk, or -1 if all are full or the tries are over. */
static __always_inline int reserve(struct capture_cpu *cpu, __u32 len, __u32 *at, bool *ended)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < TRIES; i++) {
		__u64 old = *(volatile __u64 *)&cpu->head, new = old + len;
		__u32 off = old, chunk = old >> 32, slot = chunk & (conf.chunks - 1);

		if (off >= conf.fill) {
			if (chunk + 1 - *(volatile __u32 *)&cpu->tail >= conf.chunks)
				return -1;
			new = (__u64)(chunk + 1) << 32 | len;
		}
		if (__sync_val_compare_and_swap(&cpu->head, old, new) != old)
			continue;
		if (off < conf.fill) {
			*at = off;
			return slot;
		}
		cpu->ended[slot & (CAPTURE_CHUNKS_MAX - 1)] = off;
		*ended = true;
		*at = 0;
		return (chunk + 1) & (conf.chunks - 1);
	}
	return -1;
}

/* n bytes of the packet from off on; n is at least 1 and at most the snaplen. */
static __always_inline long load(const struct take *t, __u32 off, void *to, __u32 n)
{
	struct xdp_md *xdp = t->ctx;

	if (!t->xdp)
		return bpf_skb_load_bytes(t->ctx, off, to, n);
	if (conf.multibuf)
		return bpf_xdp_load_bytes(xdp, off, to, n);
	return bpf_probe_read_kernel(to, n, (void *)(long)xdp->data + off);
}

/* The same with the Ethernet header, and a hidden tag, that are not in the packet's bytes. */
static __always_inline long put_bare(const struct take *t, __u8 *to, __u32 cap)
{
	struct __sk_buff *skb = t->ctx;
	__be16 *type = (__be16 *)(to + MACS);

	if (bpf_skb_load_bytes_relative(skb, 0, to, ETH_HLEN, BPF_HDR_START_MAC))
		return -1;
	if (!skb->vlan_present)
		return cap > ETH_HLEN ? load(t, 0, to + ETH_HLEN, cap - ETH_HLEN) : 0;
	type[2] = type[0];
	type[0] = skb->vlan_proto;
	type[1] = be16((__u16)skb->vlan_tci);
	if (cap <= ETH_HLEN + TAG)
		return 0;
	return load(t, 0, to + ETH_HLEN + TAG, cap - ETH_HLEN - TAG);
}

/* The bytes that are kept, with a hidden tag put where it belongs. */
static __always_inline long put_bytes(const struct take *t, __u8 *to, __u32 cap)
{
	struct __sk_buff *skb = t->ctx;
	__be16 *tag = (__be16 *)(to + MACS);

	if (conf.prepend) {
		/* An Ethernet header of zeros but for the type. */
		for (__u32 i = 0; i < MACS / 4; i++)
			((__u32 *)to)[i] = 0;
		*tag = t->xdp ? 0 : (__u16)skb->protocol;
		if (cap <= ETH_HLEN)
			return 0;
		return load(t, 0, to + ETH_HLEN, cap - ETH_HLEN);
	}
	if (t->bare)
		return put_bare(t, to, cap);
	if (t->xdp || !skb->vlan_present || cap < MACS + TAG)
		return load(t, 0, to, cap);
	if (load(t, 0, to, MACS))
		return -1;
	tag[0] = skb->vlan_proto;
	tag[1] = be16((__u16)skb->vlan_tci);
	if (cap <= MACS + TAG)
		return 0;
	return load(t, MACS, to + MACS + TAG, cap - MACS - TAG);
}

static __always_inline __u32 padded(__u32 n)
{
	return (n + 3) & ~3u;
}

static __always_inline __u32 block_len(__u32 cap)
{
	return BLOCK_HEAD + padded(cap) + BLOCK_TAIL;
}

/* The whole block. A packet that cannot be read leaves one that readers pass over, for its place is
 * taken: false. */
static __always_inline bool put_block(const struct take *t, __u8 *block, __u32 cap, __u64 time)
{
	__u32 *w = (__u32 *)block, len = block_len(cap);
	__u8 *end = block + BLOCK_HEAD;
	__u16 *option;
	bool ok;

	w[1] = len;
	w[2] = conf.iface;
	w[3] = time >> 32;
	w[4] = time;
	w[5] = cap;
	w[6] = t->len;
	/* The padding first: the packet's last bytes are put over it. */
	*(__u32 *)(end + (cap & ~3u)) = 0;
	ok = !put_bytes(t, end, cap);
	w[0] = ok ? BLOCK_EPB : CAPTURE_BLOCK_PAD;
	w = (__u32 *)(end + padded(cap));
	option = (__u16 *)w;
	option[0] = OPT_FLAGS;
	option[1] = 4;
	w[1] = t->dir == VIEW_IN ? FLAG_IN : FLAG_OUT;
	w[2] = 0;
	w[3] = len;
	return ok;
}

/* Whoever waits is told that there is something to read. */
static __always_inline void wake(struct capture_cpu *cpu, __u32 id)
{
	__u64 word = id;

	cpu->wanted = 0;
	bpf_ringbuf_output(&ring, &word, sizeof(word), BPF_RB_FORCE_WAKEUP);
}

/* Bytes of the packet that go into the block, at least 1; 0: none. */
static __always_inline __u32 kept(const struct take *t)
{
	__u32 cap = t->len;

	if (cap > conf.snaplen)
		cap = conf.snaplen;
	opaque(cap); /* or the compiler keeps the bound in another register */
	return cap > CAPTURE_SNAPLEN_MAX ? 0 : cap;
}

static __always_inline bool to_area(const struct take *t, struct capture_cpu *cpu, __u32 id)
{
	__u32 cap = kept(t), at = 0, key, len = block_len(cap);
	bool ended = false, ok;
	__u8 *chunk;
	int slot;

	if (!cap)
		return false;
	slot = reserve(cpu, len, &at, &ended);
	if (slot < 0)
		return false;
	key = id * conf.chunks + slot;
	chunk = bpf_map_lookup_elem(&area, &key);
	at &= ~3u;
	opaque(at);
	if (!chunk || at >= conf.fill)
		return false;
	ok = put_block(t, chunk + at, cap, bpf_ktime_get_ns() + cpu->clock);
	/* With the answer used it orders memory: the block is there before it is done. */
	if (__sync_fetch_and_add(&cpu->done[slot & (CAPTURE_CHUNKS_MAX - 1)], len) > ~0u)
		return false;
	if (ended || cpu->wanted)
		wake(cpu, id);
	return ok;
}

/* Without atomic operations: a program that interrupts another finds the chunk in use. */
static __always_inline bool to_ring(const struct take *t, struct capture_cpu *cpu, __u32 id)
{
	__u32 cap = kept(t), len = block_len(cap);
	__u64 flags = BPF_RB_NO_WAKEUP;
	__u8 *chunk;
	bool ok;

	chunk = bpf_map_lookup_elem(&area, &id);
	if (!chunk || !cap || cpu->done[0])
		return false;
	cpu->done[0] = 1;
	asm volatile("" ::: "memory");
	ok = put_block(t, chunk, cap, bpf_ktime_get_ns() + cpu->clock);
	if (cpu->wanted) {
		cpu->wanted = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	ok = ok && !bpf_ringbuf_output(&ring, chunk, len, flags);
	asm volatile("" ::: "memory");
	cpu->done[0] = 0;
	/* Whoever looked before the block was there, and waits since. */
	if (*(volatile __u32 *)&cpu->wanted)
		wake(cpu, id);
	return ok;
}

static __always_inline void take(const struct take *t, bool mapped)
{
	__u32 zero = 0, id = bpf_get_smp_processor_id();
	struct capture_counts *c = bpf_map_lookup_elem(&counts, &zero);
	struct capture_cpu *cpu;

	if (!c)
		return;
	c->seen++;
	if (conf.filter && !matches(t))
		return;
	c->matched++;
	cpu = bpf_map_lookup_elem(&cpus, &id);
	if (!cpu || !(mapped ? to_area(t, cpu, id) : to_ring(t, cpu, id)))
		c->lost++;
}

static __always_inline int take_skb(struct __sk_buff *skb, __u32 dir, bool mapped)
{
	struct take t = { .ctx = skb, .dir = dir, .len = skb->len };

	if (dir == VIEW_IN && conf.ethernet && view_is_bare(skb))
		t.bare = ETH_HLEN;
	t.len += t.bare;
	if (conf.prepend)
		t.len += ETH_HLEN;
	else if (skb->vlan_present)
		t.len += TAG;
	take(&t, mapped);
	return TC_NEXT;
}

static __always_inline int take_xdp(struct xdp_md *xdp, bool mapped)
{
	struct take t = { .ctx = xdp, .xdp = true, .dir = VIEW_IN };

	t.len = conf.multibuf ? bpf_xdp_get_buff_len(xdp) : (__u64)(xdp->data_end - xdp->data);
	if (conf.prepend)
		t.len += ETH_HLEN;
	take(&t, mapped);
	return XDP_PASS;
}

SEC("tc")
int sonde_cap_in(struct __sk_buff *skb)
{
	return take_skb(skb, VIEW_IN, true);
}

SEC("tc")
int sonde_cap_out(struct __sk_buff *skb)
{
	return take_skb(skb, VIEW_OUT, true);
}

SEC("xdp")
int sonde_cap_xdp(struct xdp_md *xdp)
{
	return take_xdp(xdp, true);
}

/* The same for kernels without atomic operations that fetch. */
SEC("tc")
int sonde_ring_in(struct __sk_buff *skb)
{
	return take_skb(skb, VIEW_IN, false);
}

SEC("tc")
int sonde_ring_out(struct __sk_buff *skb)
{
	return take_skb(skb, VIEW_OUT, false);
}

SEC("xdp")
int sonde_ring_xdp(struct xdp_md *xdp)
{
	return take_xdp(xdp, false);
}

LICENSE("Dual MIT/GPL");
