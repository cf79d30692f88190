// SPDX-License-Identifier: MIT
/* Capture: writes the packets that the filter selects as finished pcapng blocks. */
#include "bpf/lib/bpf.h"
#include "bpf/lib/decision.h"
#include "bpf/lib/owner.h"
#include "bpf/lib/scratch.h"
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
	BLOCK_TAIL = 16, /* after the packet and other options: epb_flags, the end of options, the
			    length again */
};

#define VERDICT "verdict: "

/* Keep 64-bit numbers within bounds right where they are used, in a form that every verifier
 * understands: old ones learn nothing from "not 0", and forget bounds of 32-bit values, of copies,
 * and of what the compiler turns a check into. The verifier must know max. */
#define at_least_1(x) asm volatile("if %0 > 0 goto +1\n\t%0 = 1" : "+r"(x))
#define at_most(x, max)                                                               \
	do {                                                                          \
		__u64 max_ = (max);                                                   \
		asm volatile("if %0 <= %1 goto +1\n\t%0 = %1" : "+r"(x) : "r"(max_)); \
	} while (0)

const volatile struct capture_conf conf = { .snaplen = CAPTURE_SNAPLEN_MAX };

/* The loader sets the sizes of the next three maps by the CPUs and the options. */
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
} blocks MAP;

/* Carries blocks where chunks are not mapped, else only wakeups. */
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

/* A packet being captured. */
struct packet {
	void *ctx;
	bool xdp;
	__u32 len; /* with bytes that are inserted: a hidden tag, an Ethernet header */
	__u32 dir;
	__u32 bare;          /* as in struct view_src */
	bool observer;       /* the packet has a verdict */
	__u32 action;        /* the verdict: XDP_PASS, ... */
	struct owner *owner; /* 0: unknown */
};

/* The filter's code replaces this function. r1: views, r2: data or the skb, r3: data_end. Returns 0
 * if the packet does not match. */
__noinline int stub_filter(struct view *views, void *packet, void *end)
{
	return stub_answer(1, views, packet, end);
}

static __always_inline bool is_passed(const struct packet *p)
{
	return p->action != XDP_DROP && p->action != XDP_ABORTED;
}

/* Fills in the packet's view. Returns 0 if that fails. */
static __always_inline struct view_work *fill_view(const struct packet *p)
{
	struct view_src s = { .skb = p->xdp ? 0 : p->ctx, .groups = conf.groups, .bare = p->bare };
	struct __sk_buff *skb = p->ctx;
	struct xdp_md *xdp = p->ctx;
	struct view_work *w;
	__u32 zero = 0;

	w = bpf_map_lookup_elem(&scratch, &zero);
	if (!w)
		return 0;
	s.data = (void *)(long)(p->xdp ? xdp->data : skb->data);
	s.end = (void *)(long)(p->xdp ? xdp->data_end : skb->data_end);
	view_parse_outer(&s, w, p->len - (conf.prepend ? ETH_HLEN : 0), conf.ethernet);
	w->views[0].dir = p->dir;
	w->views[0].ifindex = p->xdp ? xdp->ingress_ifindex : skb->ifindex;
	w->views[0].netns = conf.netns;
	if (p->observer)
		w->views[0].verdict = is_passed(p) ? VIEW_PASS : VIEW_DROP;
	if (conf.inner)
		view_parse_inner(&s, w);
	return w;
}

/* Finds the socket that receives a packet by its addresses. The caller releases it. */
static __always_inline struct bpf_sock *find_receiver(struct __sk_buff *skb, const struct view *v)
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

/* Outgoing packets have their socket; a connection in progress has its listener's owner. */
static __always_inline struct owner *find_owner(const struct packet *p, const struct view_work *w)
{
	struct __sk_buff *skb = p->ctx;
	struct bpf_sock *sk, *full;
	struct owner *o;

	if (p->dir == VIEW_OUT) {
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
	sk = find_receiver(skb, &w->views[0]);
	if (!sk)
		return 0;
	o = bpf_sk_storage_get(&owners, sk, 0, 0);
	bpf_sk_release(sk);
	return o;
}

static __always_inline void set_view_owner(struct view *v, const struct owner *o)
{
	if (!o)
		return;
	v->pid = o->pid;
	v->cgroup = o->cgroup;
	__builtin_memcpy(v->comm, o->comm, sizeof(v->comm));
}

/* Returns true if the filter selects the packet. Finds the owner as late as possible. */
static __always_inline bool select_packet(struct packet *p)
{
	struct __sk_buff *skb = p->ctx;
	struct view_work *w = 0;

	if (conf.filter || (conf.owner == CAPTURE_OWNER_ALL && p->dir == VIEW_IN && !p->xdp))
		w = fill_view(p);
	if (conf.owner && conf.filter_owner && !p->xdp) {
		p->owner = find_owner(p, w);
		if (w)
			set_view_owner(&w->views[0], p->owner);
	}
	if (conf.filter) {
		struct xdp_md *xdp = p->ctx;

		if (!w)
			return false;
		if (!(p->xdp ? stub_filter(w->views, (void *)(long)xdp->data,
					   (void *)(long)xdp->data_end)
			     : stub_filter(w->views, skb, 0)))
			return false;
	}
	if (conf.owner && !conf.filter_owner && !p->xdp)
		p->owner = find_owner(p, w);
	return true;
}

/* Where a block goes: chunk number and offset. */
struct write_pos {
	__u32 chunk, at;
	bool next; /* the first block in its chunk */
};

/* Reserves a block in this CPU's chunks. Only a program that interrupts this one could write there
 * too, and `busy` keeps it out. Returns false if all chunks are full, or busy. */
static __always_inline bool reserve_block(struct capture_cpu *cpu, struct write_pos *pos)
{
	__u64 head = cpu->head;

	if (*(volatile __u32 *)&cpu->busy)
		return false;
	pos->chunk = head >> 32;
	pos->at = head;
	pos->next = pos->at >= conf.fill;
	if (pos->next) {
		if (pos->chunk + 1 - *(volatile __u32 *)&cpu->tail >= conf.chunks)
			return false;
		pos->chunk++;
		pos->at = 0;
	}
	*(volatile __u32 *)&cpu->busy = 1;
	return true;
}

/* Publishes the block by moving head: an atomic exchange whose result is used orders memory. */
static __always_inline bool commit_block(struct capture_cpu *cpu, const struct write_pos *pos,
					 __u32 len)
{
	__u32 before = (pos->chunk - 1) & (conf.chunks - 1) & (CAPTURE_CHUNKS_MAX - 1);
	__u64 head = (__u64)pos->chunk << 32 | (pos->at + len);
	bool sane;

	if (pos->next)
		cpu->final_len[before] = cpu->head;
	sane = __sync_lock_test_and_set(&cpu->head, head) != ~0ull;
	*(volatile __u32 *)&cpu->busy = 0;
	return sane;
}

/* Copies n bytes of the packet from offset off; n is at least 1 and at most the snaplen. */
static __always_inline long load_bytes(const struct packet *p, __u32 off, void *to, __u64 n)
{
	struct xdp_md *xdp = p->ctx;

	at_most(n, conf.snaplen);
	at_least_1(n);
	if (!p->xdp)
		return bpf_skb_load_bytes(p->ctx, off, to, n);
	if (conf.multibuf)
		return bpf_xdp_load_bytes(xdp, off, to, n);
	return bpf_probe_read_kernel(to, n, (void *)(long)xdp->data + off);
}

/* Copies a packet whose Ethernet header, and hidden tag, lie before its data. */
static __always_inline long copy_bare(const struct packet *p, __u8 *to, __u64 cap)
{
	struct __sk_buff *skb = p->ctx;
	__be16 *type = (__be16 *)(to + MACS);

	if (bpf_skb_load_bytes_relative(skb, 0, to, ETH_HLEN, BPF_HDR_START_MAC))
		return -1;
	if (!skb->vlan_present)
		return cap > ETH_HLEN ? load_bytes(p, 0, to + ETH_HLEN, cap - ETH_HLEN) : 0;
	type[2] = type[0];
	type[0] = skb->vlan_proto;
	type[1] = be16((__u16)skb->vlan_tci);
	if (cap <= ETH_HLEN + TAG)
		return 0;
	return load_bytes(p, 0, to + ETH_HLEN + TAG, cap - ETH_HLEN - TAG);
}

/* Copies the packet's first bytes, with a hidden VLAN tag inserted in its place. */
static __always_inline long copy_packet(const struct packet *p, __u8 *to, __u64 cap)
{
	struct __sk_buff *skb = p->ctx;
	__be16 *tag = (__be16 *)(to + MACS);

	if (conf.prepend) {
		/* an Ethernet header of zeros except for the type */
		for (__u32 i = 0; i < MACS / 4; i++)
			((__u32 *)to)[i] = 0;
		*tag = p->xdp ? 0 : (__u16)skb->protocol;
		if (cap <= ETH_HLEN)
			return 0;
		return load_bytes(p, 0, to + ETH_HLEN, cap - ETH_HLEN);
	}
	if (p->bare)
		return copy_bare(p, to, cap);
	if (p->xdp || !skb->vlan_present || cap < MACS + TAG)
		return load_bytes(p, 0, to, cap);
	if (load_bytes(p, 0, to, MACS))
		return -1;
	tag[0] = skb->vlan_proto;
	tag[1] = be16((__u16)skb->vlan_tci);
	if (cap <= MACS + TAG)
		return 0;
	return load_bytes(p, MACS, to + MACS + TAG, cap - MACS - TAG);
}

static __always_inline __u64 pad_len(__u64 n)
{
	return (n + 3) & ~3ull;
}

/* Bytes of the owner's options, a multiple of 4. */
static __always_inline __u32 owner_len(const struct packet *p)
{
	return conf.owner && p->owner ? p->owner->len & OWNER_LEN_MASK : 0;
}

static __always_inline __u32 block_len(const struct packet *p, __u32 cap, __u32 owner)
{
	return BLOCK_HEAD + pad_len(cap) + owner + (p->observer ? VERDICT_LEN : 0) + BLOCK_TAIL;
}

/* Writes a comment as net/capfile/capfile.h defines it: "verdict: pass". */
static __always_inline void write_verdict(const struct packet *p, __u32 *to)
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
		text[i] = is_passed(p) ? "pass"[i] : "drop"[i];
}

/* Copies options of any length in full: what follows them is written afterwards. */
static __always_inline void write_owner(const struct packet *p, __u32 *to)
{
	__u32 *from = (__u32 *)p->owner->options;

	for (__u32 i = 0; i < OWNER_OPTIONS / 4; i++)
		to[i] = from[i];
}

/* Writes a whole block. Returns false if the packet could not be read; its place is taken, so it
 * becomes a block that readers ignore. */
static __always_inline bool write_block(const struct packet *p, __u8 *block, __u32 cap, __u32 owner,
					__u64 time)
{
	__u32 *w = (__u32 *)block, len = block_len(p, cap, owner);
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
	w[6] = p->len;
	/* padding first: the packet's last bytes overwrite it */
	*(__u32 *)(end + (keep & ~3ull)) = 0;
	ok = !copy_packet(p, end, keep);
	w[0] = ok ? BLOCK_EPB : CAPTURE_BLOCK_PAD;
	w = (__u32 *)(end + pad_len(keep));
	option = (__u16 *)w;
	option[0] = OPT_FLAGS;
	option[1] = 4;
	w[1] = p->dir == VIEW_IN ? FLAG_IN : FLAG_OUT;
	if (owner) {
		write_owner(p, w + 2);
		at_most(options, OWNER_LEN_MASK);
		w += options / 4;
	}
	if (p->observer) {
		write_verdict(p, w + 2);
		w += VERDICT_LEN / 4;
	}
	w[2] = 0;
	w[3] = len;
	return ok;
}

/* Wakes the reader. */
static __always_inline void wake_reader(struct capture_cpu *cpu, __u32 id)
{
	__u64 word = id;

	cpu->wakeup = 0;
	bpf_ringbuf_output(&ring, &word, sizeof(word), BPF_RB_FORCE_WAKEUP);
}

/* Bytes of the packet to capture; 0: none. */
static __always_inline __u32 captured_len(const struct packet *p)
{
	__u32 cap = p->len;

	return cap < conf.snaplen ? cap : conf.snaplen;
}

static __always_inline bool write_to_chunk(const struct packet *p, struct capture_cpu *cpu,
					   __u32 id)
{
	__u32 cap = captured_len(p), owner = owner_len(p), key;
	struct write_pos pos;
	__u64 at;
	__u8 *chunk;
	bool ok;

	if (!cap || !reserve_block(cpu, &pos))
		return false;
	key = id * conf.chunks + (pos.chunk & (conf.chunks - 1));
	chunk = bpf_map_lookup_elem(&blocks, &key);
	if (!chunk) {
		cpu->busy = 0;
		return false;
	}
	at = pos.at & ~3u;
	at_most(at, conf.fill - 4);
	ok = write_block(p, chunk + at, cap, owner, bpf_ktime_get_ns() + cpu->clock_offset);
	if (!commit_block(cpu, &pos, block_len(p, cap, owner)))
		return false;
	if (pos.next || cpu->wakeup)
		wake_reader(cpu, id);
	return ok;
}

/* Uses no atomic operations. */
static __always_inline bool write_to_ring(const struct packet *p, struct capture_cpu *cpu, __u32 id)
{
	__u32 cap = captured_len(p), owner = owner_len(p), len = block_len(p, cap, owner);
	__u64 flags = BPF_RB_NO_WAKEUP, size = len;
	__u8 *chunk;
	bool ok;

	chunk = bpf_map_lookup_elem(&blocks, &id);
	if (!chunk || !cap || *(volatile __u32 *)&cpu->busy)
		return false;
	*(volatile __u32 *)&cpu->busy = 1;
	ok = write_block(p, chunk, cap, owner, bpf_ktime_get_ns() + cpu->clock_offset);
	if (cpu->wakeup) {
		cpu->wakeup = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	at_most(size, conf.snaplen + CAPTURE_BLOCK_REST);
	ok = ok && !bpf_ringbuf_output(&ring, chunk, size, flags);
	*(volatile __u32 *)&cpu->busy = 0;
	/* a reader that looked before the block was written waits now */
	if (*(volatile __u32 *)&cpu->wakeup)
		wake_reader(cpu, id);
	return ok;
}

static __always_inline void capture_packet(struct packet *p, bool mapped)
{
	__u32 zero = 0, id;
	struct capture_counts *c = bpf_map_lookup_elem(&counts, &zero);
	struct capture_cpu *cpu;

	if (!c)
		return;
	c->seen++;
	if (!select_packet(p))
		return;
	c->matched++;
	id = c->cpu;
	cpu = bpf_map_lookup_elem(&cpus, &id);
	if (!cpu || !(mapped ? write_to_chunk(p, cpu, id) : write_to_ring(p, cpu, id)))
		c->lost++;
}

static __always_inline int capture_skb(struct __sk_buff *skb, __u32 dir, bool mapped)
{
	struct packet p = { .ctx = skb, .dir = dir, .len = skb->len };

	if (dir == VIEW_IN && conf.ethernet && view_is_bare(skb))
		p.bare = ETH_HLEN;
	p.len += p.bare;
	if (conf.prepend)
		p.len += ETH_HLEN;
	else if (skb->vlan_present)
		p.len += TAG;
	capture_packet(&p, mapped);
	return TC_NEXT;
}

static __always_inline int capture_xdp(struct xdp_md *xdp, bool mapped)
{
	struct packet p = { .ctx = xdp, .xdp = true, .dir = VIEW_IN, .action = XDP_PASS };
	__u32 zero = 0, *verdict;

	if (conf.observer) {
		verdict = bpf_map_lookup_elem(&decision, &zero);
		p.observer = true;
		p.action = verdict ? *verdict : XDP_ABORTED;
	}
	p.len = conf.multibuf ? bpf_xdp_get_buff_len(xdp) : (__u64)(xdp->data_end - xdp->data);
	if (conf.prepend)
		p.len += ETH_HLEN;
	capture_packet(&p, mapped);
	return p.action;
}

SEC("tc")
int sonde_cap_in(struct __sk_buff *skb)
{
	return capture_skb(skb, VIEW_IN, true);
}

SEC("tc")
int sonde_cap_out(struct __sk_buff *skb)
{
	return capture_skb(skb, VIEW_OUT, true);
}

SEC("xdp")
int sonde_cap_xdp(struct xdp_md *xdp)
{
	return capture_xdp(xdp, true);
}

/* For kernels without atomic operations that return the old value. */
SEC("tc")
int sonde_ring_in(struct __sk_buff *skb)
{
	return capture_skb(skb, VIEW_IN, false);
}

SEC("tc")
int sonde_ring_out(struct __sk_buff *skb)
{
	return capture_skb(skb, VIEW_OUT, false);
}

SEC("xdp")
int sonde_ring_xdp(struct xdp_md *xdp)
{
	return capture_xdp(xdp, false);
}

LICENSE("Dual MIT/GPL");
