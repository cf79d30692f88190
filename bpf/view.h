/* SPDX-License-Identifier: MIT */
/* A parsed packet: the contract between the parsers (in the kernel and in user space) and the
 * filter language, which reads nothing else but the packet's bytes. */
#ifndef BPF_VIEW_H
#define BPF_VIEW_H

#include <linux/types.h>

enum {
	VIEW_NONE = 0xffff, /* as an offset: absent; as a protocol: not IP */
	VIEW_VLANS_MAX = 2, /* tags that are parsed, the outermost first */
	VIEW_LAYERS = 2,    /* the packet, and the packet that it carries if it is a tunnel's */
};

enum view_dir { VIEW_DIR_UNKNOWN, VIEW_IN, VIEW_OUT };
enum view_verdict { VIEW_VERDICT_UNKNOWN, VIEW_PASS, VIEW_DROP };
enum view_fragment { VIEW_WHOLE, VIEW_FIRST, VIEW_LATER };

/* Parts of a view that programs fill in only if a filter reads them; the rest always is. */
enum view_group {
	VIEW_MACS = 1,    /* dmac, smac */
	VIEW_ADDRS = 2,   /* src, dst */
	VIEW_PORTS = 4,   /* ports, sport, dport */
	VIEW_PAYLOAD = 8, /* payload */
	VIEW_CHAIN = 16,  /* chain */
	VIEW_OWNER = 32,  /* cgroup, pid, netns, comm */
	VIEW_GROUPS = 63,
};

/* Numbers are in host byte order; addresses are bytes as on the wire. What is absent is 0, unless
 * stated otherwise. */
struct view {
	__u32 len;     /* bytes on the wire, link-layer header and tags included */
	__u32 ifindex; /* 0: unknown */
	__u16 link;    /* offset of the Ethernet header; VIEW_NONE: none */
	__u16 net;     /* of the network header (IP, ARP or other); VIEW_NONE: cut off */
	__u16 trans;   /* of the transport header; VIEW_NONE: none, as in a later fragment */
	__u16 type;    /* EtherType after tags and labels, or an 802.3 length */
	__u16 proto;   /* IP protocol after extension headers; VIEW_NONE: not IP */
	__u16 sport, dport;
	__u8 family;   /* 4 or 6; 0: not IP */
	__u8 addrs;    /* family of src and dst: 4 (IPv4, ARP, RARP), 6, or 0: no addresses */
	__u8 ports;    /* 1: sport and dport are valid (TCP, UDP, SCTP) */
	__u8 fragment; /* enum view_fragment */
	__u8 dir;      /* enum view_dir */
	__u8 verdict;  /* enum view_verdict */
	__u8 vlans, labels;
	__u16 vlan[VIEW_VLANS_MAX]; /* identifiers */
	__u16 payload; /* offset after the TCP, UDP or SCTP header; VIEW_NONE: cut off */
	__u32 label;   /* the outermost MPLS label */
	__u8 dmac[6], smac[6];
	__u8 src[16], dst[16]; /* IPv4: the first four bytes, then zeros */
	__u32 reserved;
	__u64 chain[4]; /* a bit per protocol number: the extension headers and the protocol */
	/* The owner of the packet's socket. */
	__u64 cgroup; /* cgroup v2 id */
	__u32 pid;
	__u32 netns; /* inode number */
	__u8 comm[16];
};
_Static_assert(sizeof(struct view) == 152, "struct view has no hidden padding");

#endif
