/* SPDX-License-Identifier: MIT */
/* The kernel's own structs: the members that tracing programs read. CO-RE finds their offsets in
 * the running kernel.
 *
 * If a program's arguments are typed (tp_btf), members are loaded directly, which lockdown does not
 * forbid. Otherwise the bytes are copied by a helper. GET(typed, to, from) serves both. */
#ifndef BPF_LIB_KERNEL_H
#define BPF_LIB_KERNEL_H

#include "bpf/lib/bpf.h"

#define GET(typed, to, from)                                               \
	do {                                                               \
		if (typed)                                                 \
			(to) = (from);                                     \
		else                                                       \
			bpf_probe_read_kernel(&(to), sizeof(to), &(from)); \
	} while (0)

/* From pointer to pointer memory is copied in any case if that is allowed: newer verifiers search
 * all of the kernel's types, several times, for each typed pointer that is followed. */
#define HOP(typed, to, from)                     \
	do {                                     \
		if (conf.common.can_read_kernel) \
			GET(false, to, from);    \
		else if (typed)                  \
			GET(true, to, from);     \
	} while (0)

/* True if HOP() may continue from the pointer: a helper copies zeros from an invalid address. */
#define HOPS_FROM(pointer) (conf.common.can_read_kernel || (pointer))

/* 1 if this kernel has the member. The verifier skips code that depends on it otherwise. */
#define HAS(member) __builtin_preserve_field_info(member, 2)

struct ns_common {
	unsigned int inum;
} CORE;

struct net {
	struct ns_common ns;
} CORE;

typedef struct {
	struct net *net;
} CORE possible_net_t;

struct net_device {
	char name[16];
	int ifindex;
	possible_net_t nd_net;
} CORE;

struct dst_entry {
	struct net_device *dev;
} CORE;

struct in6_addr {
	union {
		__u32 u6_addr32[4];
	} in6_u;
} CORE;

struct sock_common {
	__u32 skc_daddr, skc_rcv_saddr;
	__u16 skc_dport, skc_num, skc_family;
	volatile unsigned char skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	unsigned long skc_flags;
} CORE;

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol, sk_type;
	int sk_err;
	__u32 sk_ack_backlog, sk_max_ack_backlog;
	struct dst_entry *sk_dst_cache;
} CORE;

struct inet_sock {
	struct sock sk;
	__u16 inet_sport;
} CORE;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	__u8 icsk_pending, icsk_retransmits;
} CORE;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u64 bytes_received, bytes_acked, bytes_sent, bytes_retrans;
	__u32 srtt_us, total_retrans;
} CORE;

struct request_sock {
	struct sock_common __req_common;
	__u8 num_retrans;
} CORE;

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	unsigned int len, data_len;
	__u16 protocol, network_header, transport_header;
	int skb_iif;
	unsigned char *head, *data;
} CORE;

struct kernfs_node {
	const char *name;
	struct kernfs_node *parent;
	__u64 id;
} CORE;

/* Since Linux 6.16. */
struct kernfs_node___two {
	struct kernfs_node *__parent;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
} CORE;

struct css_set {
	struct cgroup *dfl_cgrp;
} CORE;

typedef struct {
	__u32 val;
} CORE kuid_t;

struct cred {
	kuid_t uid;
} CORE;

struct nsproxy {
	struct net *net_ns;
} CORE;

struct task_struct {
	int tgid, pid;
	char comm[16];
	struct css_set *cgroups;
	const struct cred *cred;
	struct files_struct *files;
	struct nsproxy *nsproxy;
} CORE;

struct file {
	void *private_data;
	struct inode *f_inode;
} CORE;

struct inode {
	__u16 i_mode;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct socket {
	__u16 type;
	struct sock *sk;
	struct file *file;
} CORE;

enum sock_flags { SOCK_DEAD, SOCK_DONE };

#endif
