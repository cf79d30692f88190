/* SPDX-License-Identifier: MIT */
/* Shared by tracing programs: the ring of records, the current process, descriptions of sockets and
 * packets. Each includer has a conf whose .common is struct trace_common. */
#ifndef BPF_LIB_TRACE_H
#define BPF_LIB_TRACE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include "bpf/lib/kernel.h"
#include "bpf/trace.h"
#include "bpf/view.h"

enum { AF_INET = 2, AF_INET6 = 10 }; /* bits/socket.h */

struct {
	MAP_UINT(type, BPF_MAP_TYPE_RINGBUF);
	MAP_UINT(max_entries, TRACE_RING);
} events MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct trace_counts);
} counts MAP;

/* Cgroups whose names were reported. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_CGROUPS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, __u8);
} cgroups MAP;

/* The filter's code replaces this function. r1: the view. Returns 0 if it does not match. */
__noinline int stub_filter(struct view *view)
{
	return stub_answer(1, view, 0, 0);
}

/* Reserves a record in the ring. Counts it as lost if there is no room. */
static __always_inline void *reserve_record(const __u64 size)
{
	void *record = bpf_ringbuf_reserve(&events, size, 0);
	__u32 zero = 0;
	struct trace_counts *c;

	if (record)
		return record;
	c = bpf_map_lookup_elem(&counts, &zero);
	if (c)
		__sync_fetch_and_add(&c->lost, 1); /* atomic: a task may be preempted here */
	return 0;
}

/* Adds one to a key's value in a hash map. Returns false if the map has no room for the key. */
static __always_inline bool increment_count(void *map, const void *key)
{
	__u64 *n = bpf_map_lookup_elem(map, key), none = 0;

	if (!n) {
		bpf_map_update_elem(map, key, &none, BPF_NOEXIST);
		n = bpf_map_lookup_elem(map, key);
	}
	if (n)
		__sync_fetch_and_add(n, 1);
	return n;
}

static __always_inline struct kernfs_node *get_parent(struct kernfs_node *kn)
{
	struct kernfs_node___two *two = (void *)kn;
	struct kernfs_node *parent = 0;

	if (HAS(two->__parent))
		GET(false, parent, two->__parent);
	else if (HAS(kn->parent))
		GET(false, parent, kn->parent);
	return parent;
}

static __always_inline void copy_name(__u8 to[TRACE_CGROUP_NAME], struct kernfs_node *kn)
{
	const char *name = 0;

	to[0] = 0;
	if (kn)
		GET(false, name, kn->name);
	if (name)
		bpf_probe_read_kernel_str(to, TRACE_CGROUP_NAME, name);
}

/* Reports a cgroup's name once, before the first event of a process in it. */
static __noinline int emit_cgroup(struct task_struct *task, __u64 id)
{
	struct kernfs_node *kn = 0;
	struct css_set *set = 0;
	struct cgroup *group = 0;
	struct trace_cgroup *c;
	__u8 seen = 1;

	if (!conf.common.can_read_kernel || bpf_map_update_elem(&cgroups, &id, &seen, BPF_NOEXIST))
		return 0;
	GET(false, set, task->cgroups);
	GET(false, group, set->dfl_cgrp);
	GET(false, kn, group->kn);
	c = bpf_ringbuf_reserve(&events, sizeof(*c), 0);
	if (!c) {
		bpf_map_delete_elem(&cgroups, &id);
		return 0;
	}
	__builtin_memset(&c->head, 0, sizeof(c->head));
	c->head.kind = TRACE_CGROUP;
	c->head.proc.cgroup = id;
	copy_name(c->name, kn);
	copy_name(c->parent, get_parent(kn));
	bpf_ringbuf_submit(c, 0);
	return 0;
}

/* Fills in the current process, which is not always the one that an event is about. */
static __always_inline void fill_current(struct trace_proc *w)
{
	__u64 id = bpf_get_current_pid_tgid();

	w->pid = id >> 32;
	w->tid = id;
	w->uid = bpf_get_current_uid_gid();
	w->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(w->comm, sizeof(w->comm));
	emit_cgroup(bpf_get_current_task(), w->cgroup);
}

static __always_inline __u32 netns_of(struct sock *sk, const bool typed)
{
	struct net *net = 0;
	__u32 inum = 0;

	if (!HAS(sk->__sk_common.skc_net))
		return 0;
	HOP(typed, net, sk->__sk_common.skc_net.net);
	if (HOPS_FROM(net))
		HOP(typed, inum, net->ns.inum);
	return inum;
}

/* Only the number where kernel memory may not be copied. */
static __always_inline void fill_device(struct trace_head *h, struct net_device *dev,
					const bool typed)
{
	HOP(typed, h->ifindex, *(__u32 *)&dev->ifindex);
	if (conf.common.can_read_kernel)
		bpf_probe_read_kernel(h->iface, sizeof(h->iface), &dev->name);
}

/* Fills in a packet's interface and its namespace. */
static __always_inline void fill_device_netns(struct trace_head *h, struct net_device *dev,
					      const bool typed)
{
	struct net *net = 0;

	fill_device(h, dev, typed);
	HOP(typed, net, dev->nd_net.net);
	if (HOPS_FROM(net))
		HOP(typed, h->proc.netns, net->ns.inum);
}

/* Fills in the interface that a socket sends through. */
static __always_inline void fill_iface(struct trace_head *h, struct sock *sk, const bool typed)
{
	struct net_device *dev = 0;
	struct dst_entry *dst = 0;

	HOP(typed, dst, sk->sk_dst_cache);
	if (HOPS_FROM(dst))
		HOP(typed, dev, dst->dev);
	if (HOPS_FROM(dev))
		fill_device(h, dev, typed);
}

static __always_inline void copy_addr6(__u8 to[16], struct in6_addr *from, const bool typed)
{
	__u32 *words = (__u32 *)to;

	if (!typed) {
		bpf_probe_read_kernel(to, 16, &from->in6_u.u6_addr32[0]);
		return;
	}
#pragma clang loop unroll(full)
	for (int i = 0; i < 4; i++)
		words[i] = from->in6_u.u6_addr32[i];
}

/* Fills in a socket's addresses and remote port. Returns false if it is neither IPv4 nor IPv6. */
static __always_inline bool fill_endpoints(struct trace_head *h, struct sock *sk, const bool typed)
{
	__u16 family = 0, port = 0;

	GET(typed, family, sk->__sk_common.skc_family);
	GET(typed, port, sk->__sk_common.skc_dport);
	h->rport = be16(port);
	if (family == AF_INET) {
		h->family = 4;
		GET(typed, *(__u32 *)h->local, sk->__sk_common.skc_rcv_saddr);
		GET(typed, *(__u32 *)h->remote, sk->__sk_common.skc_daddr);
		return true;
	}
	if (family != AF_INET6 || !HAS(sk->__sk_common.skc_v6_daddr))
		return false;
	h->family = 6;
	copy_addr6(h->local, &sk->__sk_common.skc_v6_rcv_saddr, typed);
	copy_addr6(h->remote, &sk->__sk_common.skc_v6_daddr, typed);
	return true;
}

static __always_inline void copy_bytes(__u8 *to, const __u8 *from, const __u32 n)
{
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < n / 4; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
}

/* 0 for an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2). */
static __always_inline __u64 not_v4_mapped(const __u8 addr[16])
{
	const __u32 *w = (const __u32 *)addr;

	return w[0] | w[1] | (w[2] ^ be32(0xffff));
}

/* Turns the IPv4-mapped addresses of an IPv6 socket into IPv4. One condition: the verifier walks
 * both branches of each. */
static __always_inline void unmap_v4(struct trace_head *h)
{
	__u32 *local = (__u32 *)h->local, *remote = (__u32 *)h->remote;

	if (h->family != 6 || not_v4_mapped(h->remote) * not_v4_mapped(h->local))
		return;
	h->family = 4;
	local[0] = local[3];
	remote[0] = remote[3];
	local[1] = local[2] = local[3] = 0;
	remote[1] = remote[2] = remote[3] = 0;
}

/* IP header and ports. */
struct headers {
	__u8 ip[40]; /* IPv4: the first 20 */
	__u8 ports[4];
};

/* Fills in a packet's addresses from its IP header. Returns the offset of the ports from that
 * header; 0: no ports, or a later fragment; negative: not an IP header. */
static __always_inline int parse_addresses(struct trace_head *h, const struct headers *hd, bool in)
{
	__u8 *from = in ? h->remote : h->local, *to = in ? h->local : h->remote;
	bool ports = true;
	int trans = 40;

	if (hd->ip[0] >> 4 == 4) {
		h->family = 4;
		h->proto = hd->ip[9];
		copy_bytes(from, hd->ip + 12, 4);
		copy_bytes(to, hd->ip + 16, 4);
		trans = (hd->ip[0] & 15) * 4;
		ports = !((hd->ip[6] & 0x1f) | hd->ip[7]);
	} else if (hd->ip[0] >> 4 == 6) {
		h->family = 6;
		h->proto = hd->ip[6];
		copy_bytes(from, hd->ip + 8, 16);
		copy_bytes(to, hd->ip + 24, 16);
	} else {
		return -1;
	}
	return ports && (h->proto == IPPROTO_TCP || h->proto == IPPROTO_UDP) ? trans : 0;
}

static __always_inline void fill_ports(struct trace_head *h, const struct headers *hd, bool in)
{
	__u16 sport = hd->ports[0] << 8 | hd->ports[1], dport = hd->ports[2] << 8 | hd->ports[3];

	h->lport = in ? dport : sport;
	h->rport = in ? sport : dport;
}

/* Fills in a packet's endpoints. net: start of the IP header, if type (an EtherType) is IP. */
static __always_inline void parse_packet(struct trace_head *h, const unsigned char *net, __u16 type,
					 bool in)
{
	struct headers hd = {};
	int trans;

	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return;
	bpf_probe_read_kernel(&hd.ip, sizeof(hd.ip), net);
	trans = parse_addresses(h, &hd, in);
	if (trans <= 0)
		return;
	bpf_probe_read_kernel(&hd.ports, sizeof(hd.ports), net + trans);
	fill_ports(h, &hd, in);
}

/* Runs the filter on a view whose source is the side that initiated the connection. */
static __noinline int run_filter(const struct trace_head *h)
{
	struct view v = {};
	bool in = h->flags & TRACE_INCOMING;

	v.ifindex = h->ifindex;
	v.link = v.net = v.trans = v.payload = VIEW_NONE;
	v.type = h->family == 4 ? ETH_P_IP : h->family == 6 ? ETH_P_IPV6 : 0;
	v.proto = h->proto;
	v.family = v.addrs = h->family;
	v.ports = h->family != 0;
	v.sport = in ? h->rport : h->lport;
	v.dport = in ? h->lport : h->rport;
	v.dir = in ? VIEW_IN : VIEW_OUT;
	copy_bytes(v.src, in ? h->remote : h->local, 16);
	copy_bytes(v.dst, in ? h->local : h->remote, 16);
	v.cgroup = h->proc.cgroup;
	v.pid = h->proc.pid;
	v.netns = h->proc.netns;
	copy_bytes(v.comm, h->proc.comm, 16);
	return stub_filter(&v);
}

static __always_inline bool filter_match(const struct trace_head *h)
{
	return !conf.common.filter || run_filter(h);
}

#endif
