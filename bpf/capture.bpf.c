// SPDX-License-Identifier: MIT
/* Capture: packets that a filter chooses, laid out as finished pcapng blocks. */
#include "bpf/lib/bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/owner.h"
#include "bpf/lib/work.h"
#include "bpf/capture.h"

#define TC_NEXT -1

enum {
	BLOCK_EPB = 6,   /* enhanced packet block; draft-ietf-opsawg-pcapng sec. 4.3 */
	BLOCK_HEAD = 28, /* before the packet's bytes */
	OPT_FLAGS = 2,   /* epb_flags, of 4 bytes */
	FLAG_IN = 1,
	FLAG_OUT = 2,
	MACS = 12,
	TAG = 4,
	OPT_COMMENT = 1,
	VERDICT_LEN = 20, /* of that option */
	OWNER_LEN_MASK = 0x7c,
	BLOCK_TAIL = 16, /* behind them: that option, the end of options, the length again */
};

#define VERDICT "verdict: "

/* Numbers of 64 bits kept within bounds right where they are used, in a form that every verifier
 * learns from: old ones learn nothing from "not 0", and lose what they know of 32 bits, of copies,
 * and of what the compiler makes of a check. max is known to the verifier. */
#define at_least_1(x) asm volatile("if %0 > 0 goto +1\n\t%0 = 1" : "+r"(x))
#define at_most(x, max)                                                               \
	do {                                                                          \
		__u64 max_ = (max);                                                   \
		asm volatile("if %0 <= %1 goto +1\n\t%0 = %1" : "+r"(x) : "r"(max_)); \
	} while (0)

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

/* A packet on its way into a block. */
struct take {
	void *ctx;
	bool xdp;
	__u32 len; /* bytes with what is put in: a hidden tag, an Ethernet header */
	__u32 dir;
	__u32 bare;          /* as view_src has it */
	bool observer;       /* the packet has a verdict */
	__u32 action;        /* which is this: XDP_PASS, ... */
	struct owner *owner; /* 0: not known */
};

/* The filter's place: its code is put here. r1: views, r2: data or the skb, r3: data_end. */
__noinline int stub_filter(struct view *views, void *packet, void *end)
{
	return stub_answer(1, views, packet, end);
}

static __always_inline bool passes(const struct take *t)
{
	return t->action != XDP_DROP && t->action != XDP_ABORTED;
}

/* The view of the packet, if anybody looks at it. */
static __always_inline struct view_work *parse(const struct take *t)
{
	struct view_src s = { .skb = t->xdp ? 0 : t->ctx, .groups = conf.groups, .bare = t->bare };
	struct __sk_buff *skb = t->ctx;
	struct xdp_md *xdp = t->ctx;
	struct view_work *w;
	__u32 zero = 0;

	w = bpf_map_lookup_elem(&work, &zero);
	if (!w)
		return 0;
	s.data = (void *)(long)(t->xdp ? xdp->data : skb->data);
	s.end = (void *)(long)(t->xdp ? xdp->data_end : skb->data_end);
	view_outer(&s, w, t->len - (conf.prepend ? ETH_HLEN : 0), conf.ethernet);
	w->views[0].dir = t->dir;
	w->views[0].ifindex = t->xdp ? xdp->ingress_ifindex : skb->ifindex;
	w->views[0].netns = conf.netns;
	if (t->observer)
		w->views[0].verdict = passes(t) ? VIEW_PASS : VIEW_DROP;
	if (conf.inner)
		view_inner(&s, w);
	return w;
}

/* The socket that a packet is for, by its addresses; to be released. */
static __always_inline struct bpf_sock *receiver(struct __sk_buff *skb, const struct view *v)
{
	struct bpf_sock_tuple tuple = {};
	__u32 len = sizeof(tuple.ipv4);

	if (!v->ports || (v->proto != IPPROTO_TCP && v->proto != IPPROTO_UDP))
		return 0;
	if (v->family == 4) {
		tuple.ipv4.saddr = *(__u32 *)v->src;
		tuple.ipv4.daddr = *(__u32 *)v->dst;
		tuple.ipv4.sport = be16(v->sport);
		tuple.ipv4.dport = be16(v->dport);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, v->src, 16);
		__builtin_memcpy(tuple.ipv6.daddr, v->dst, 16);
		tuple.ipv6.sport = be16(v->sport);
		tuple.ipv6.dport = be16(v->dport);
		len = sizeof(tuple.ipv6);
	}
	if (v->proto == IPPROTO_TCP)
		return bpf_sk_lookup_tcp(skb, &tuple, len, BPF_F_CURRENT_NETNS, 0);
	return bpf_sk_lookup_udp(skb, &tuple, len, BPF_F_CURRENT_NETNS, 0);
}

/* Of what goes out the socket is known; a connection that is being made has its listener's. */
static __always_inline struct owner *owner_of(const struct take *t, const struct view_work *w)
{
	struct __sk_buff *skb = t->ctx;
	struct bpf_sock *sk, *full;
	struct owner *o;

	if (t->dir == VIEW_OUT) {
		sk = skb->sk;
		if (!sk)
			return 0;
		full = bpf_sk_fullsock(sk);
		if (full)
			return bpf_sk_storage_get(&owners, full, 0, 0);
		full = bpf_get_listener_sock(sk);
		return full ? bpf_sk_storage_get(&owners, full, 0, 0) : 0;
	}
	if (conf.owner != CAPTURE_OWNER_ALL || !w)
		return 0;
	sk = receiver(skb, &w->views[0]);
	if (!sk)
		return 0;
	o = bpf_sk_storage_get(&owners, sk, 0, 0);
	bpf_sk_release(sk);
	return o;
}

static __always_inline void show_owner(struct view *v, const struct owner *o)
{
	if (!o)
		return;
	v->pid = o->pid;
	v->cgroup = o->cgroup;
	__builtin_memcpy(v->comm, o->comm, sizeof(v->comm));
}

/* Whether the filter wants the packet; its owner is asked for as late as may be. */
static __always_inline bool chooses(struct take *t)
{
	struct __sk_buff *skb = t->ctx;
	struct view_work *w = 0;

	if (conf.filter || (conf.owner == CAPTURE_OWNER_ALL && t->dir == VIEW_IN && !t->xdp))
		w = parse(t);
	if (conf.owner && conf.judged && !t->xdp) {
		t->owner = owner_of(t, w);
		if (w)
			show_owner(&w->views[0], t->owner);
	}
	if (conf.filter) {
		struct xdp_md *xdp = t->ctx;

		if (!w)
			return false;
		if (!(t->xdp ? stub_filter(w->views, (void *)(long)xdp->data,
					   (void *)(long)xdp->data_end)
			     : stub_filter(w->views, skb, 0)))
			return false;
	}
	if (conf.owner && !conf.judged && !t->xdp)
		t->owner = owner_of(t, w);
	return true;
}

/* Where a block goes: in chunk number, at an offset. */
struct place {
	__u32 chunk, at;
	bool next; /* it is the first in a chunk */
};

/* A CPU's own memory, which only a program that interrupts this one could write to: it does not.
 * False if all chunks are full, too. */
static __always_inline bool reserve(struct capture_cpu *cpu, struct place *p)
{
	__u64 head = cpu->head;

	if (*(volatile __u32 *)&cpu->busy)
		return false;
	p->chunk = head >> 32;
	p->at = head;
	p->next = p->at >= conf.fill;
	if (p->next) {
		if (p->chunk + 1 - *(volatile __u32 *)&cpu->tail >= conf.chunks)
			return false;
		p->chunk++;
		p->at = 0;
	}
	*(volatile __u32 *)&cpu->busy = 1;
	return true;
}

/* The block is there before head says so: an exchange whose answer is used orders memory. */
static __always_inline bool commit(struct capture_cpu *cpu, const struct place *p, __u32 len)
{
	__u32 before = (p->chunk - 1) & (conf.chunks - 1) & (CAPTURE_CHUNKS_MAX - 1);
	__u64 head = (__u64)p->chunk << 32 | (p->at + len);
	bool sane;

	if (p->next)
		cpu->ended[before] = cpu->head;
	sane = __sync_lock_test_and_set(&cpu->head, head) != ~0ull;
	*(volatile __u32 *)&cpu->busy = 0;
	return sane;
}

/* n bytes of the packet from off on; n is at least 1 and at most the snaplen. */
static __always_inline long load(const struct take *t, __u32 off, void *to, __u64 n)
{
	struct xdp_md *xdp = t->ctx;

	at_most(n, conf.snaplen);
	at_least_1(n);
	if (!t->xdp)
		return bpf_skb_load_bytes(t->ctx, off, to, n);
	if (conf.multibuf)
		return bpf_xdp_load_bytes(xdp, off, to, n);
	return bpf_probe_read_kernel(to, n, (void *)(long)xdp->data + off);
}

/* The same with the Ethernet header, and a hidden tag, that are not in the packet's bytes. */
static __always_inline long put_bare(const struct take *t, __u8 *to, __u64 cap)
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
static __always_inline long put_bytes(const struct take *t, __u8 *to, __u64 cap)
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

static __always_inline __u64 padded(__u64 n)
{
	return (n + 3) & ~3ull;
}

/* Bytes of its options, a multiple of 4. */
static __always_inline __u32 owner_len(const struct take *t)
{
	return conf.owner && t->owner ? t->owner->len & OWNER_LEN_MASK : 0;
}

static __always_inline __u32 block_len(const struct take *t, __u32 cap, __u32 owner)
{
	return BLOCK_HEAD + padded(cap) + owner + (t->observer ? VERDICT_LEN : 0) + BLOCK_TAIL;
}

/* A comment as net/capfile.h has it: "verdict: pass". */
static __always_inline void put_verdict(const struct take *t, __u32 *to)
{
	__u16 *option = (__u16 *)to;
	char *text = (char *)(to + 1);

	option[0] = OPT_COMMENT;
	option[1] = sizeof(VERDICT) - 1 + 4;
	to[4] = 0;
	for (__u32 i = 0; i < sizeof(VERDICT) - 1; i++)
		text[i] = VERDICT[i];
	text += sizeof(VERDICT) - 1;
	for (__u32 i = 0; i < 4; i++)
		text[i] = passes(t) ? "pass"[i] : "drop"[i];
}

/* All of them, whatever their length: what stands behind it is written after them. */
static __always_inline void put_owner(const struct take *t, __u32 *to)
{
	__u32 *from = (__u32 *)t->owner->options;

	for (__u32 i = 0; i < OWNER_OPTIONS / 4; i++)
		to[i] = from[i];
}

/* The whole block. A packet that cannot be read leaves one that readers pass over, for its place is
 * taken: false. */
static __always_inline bool put_block(const struct take *t, __u8 *block, __u32 cap, __u32 owner,
				      __u64 time)
{
	__u32 *w = (__u32 *)block, len = block_len(t, cap, owner);
	__u64 keep = cap, options = owner;
	__u8 *end = block + BLOCK_HEAD;
	__u16 *option;
	bool ok;

	at_most(keep, conf.snaplen);
	w[1] = len;
	w[2] = conf.iface;
	w[3] = time >> 32;
	w[4] = time;
	w[5] = cap;
	w[6] = t->len;
	/* The padding first: the packet's last bytes are put over it. */
	*(__u32 *)(end + (keep & ~3ull)) = 0;
	ok = !put_bytes(t, end, keep);
	w[0] = ok ? BLOCK_EPB : CAPTURE_BLOCK_PAD;
	w = (__u32 *)(end + padded(keep));
	option = (__u16 *)w;
	option[0] = OPT_FLAGS;
	option[1] = 4;
	w[1] = t->dir == VIEW_IN ? FLAG_IN : FLAG_OUT;
	if (owner) {
		put_owner(t, w + 2);
		at_most(options, OWNER_LEN_MASK);
		w += options / 4;
	}
	if (t->observer) {
		put_verdict(t, w + 2);
		w += VERDICT_LEN / 4;
	}
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

	return cap < conf.snaplen ? cap : conf.snaplen;
}

static __always_inline bool to_area(const struct take *t, struct capture_cpu *cpu, __u32 id)
{
	__u32 cap = kept(t), owner = owner_len(t), key;
	struct place p;
	__u64 at;
	__u8 *chunk;
	bool ok;

	if (!cap || !reserve(cpu, &p))
		return false;
	key = id * conf.chunks + (p.chunk & (conf.chunks - 1));
	chunk = bpf_map_lookup_elem(&area, &key);
	if (!chunk) {
		cpu->busy = 0;
		return false;
	}
	at = p.at & ~3u;
	at_most(at, conf.fill - 4);
	ok = put_block(t, chunk + at, cap, owner, bpf_ktime_get_ns() + cpu->clock);
	if (!commit(cpu, &p, block_len(t, cap, owner)))
		return false;
	if (p.next || cpu->wanted)
		wake(cpu, id);
	return ok;
}

/* Without atomic operations. */
static __always_inline bool to_ring(const struct take *t, struct capture_cpu *cpu, __u32 id)
{
	__u32 cap = kept(t), owner = owner_len(t), len = block_len(t, cap, owner);
	__u64 flags = BPF_RB_NO_WAKEUP, size = len;
	__u8 *chunk;
	bool ok;

	chunk = bpf_map_lookup_elem(&area, &id);
	if (!chunk || !cap || *(volatile __u32 *)&cpu->busy)
		return false;
	*(volatile __u32 *)&cpu->busy = 1;
	ok = put_block(t, chunk, cap, owner, bpf_ktime_get_ns() + cpu->clock);
	if (cpu->wanted) {
		cpu->wanted = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	at_most(size, conf.snaplen + CAPTURE_BLOCK_REST);
	ok = ok && !bpf_ringbuf_output(&ring, chunk, size, flags);
	*(volatile __u32 *)&cpu->busy = 0;
	/* Whoever looked before the block was there, and waits since. */
	if (*(volatile __u32 *)&cpu->wanted)
		wake(cpu, id);
	return ok;
}

static __always_inline void take(struct take *t, bool mapped)
{
	__u32 zero = 0, id;
	struct capture_counts *c = bpf_map_lookup_elem(&counts, &zero);
	struct capture_cpu *cpu;

	if (!c)
		return;
	c->seen++;
	if (!chooses(t))
		return;
	c->matched++;
	id = c->cpu;
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
	struct take t = { .ctx = xdp, .xdp = true, .dir = VIEW_IN, .action = XDP_PASS };
	__u32 zero = 0, *told;

	if (conf.observer) {
		told = bpf_map_lookup_elem(&decision, &zero);
		t.observer = true;
		t.action = told ? *told : XDP_ABORTED;
	}
	t.len = conf.multibuf ? bpf_xdp_get_buff_len(xdp) : (__u64)(xdp->data_end - xdp->data);
	if (conf.prepend)
		t.len += ETH_HLEN;
	take(&t, mapped);
	return t.action;
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
