/* SPDX-License-Identifier: MIT */
/* What is known of a packet once it has been parsed: the contract between the parsers (in the
 * kernel and in user space) and the filter language, which looks at nothing else but the packet's
 * bytes. */
#ifndef BPF_VIEW_H
#define BPF_VIEW_H

#include <linux/types.h>

enum {
	VIEW_NONE = 0xffff, /* an offset of what is not there; a protocol where there is none */
	VIEW_VLANS_MAX = 2, /* tags looked at, the outermost first */
	VIEW_LAYERS = 2,    /* the packet, and what a tunnel carries in it */
};

enum view_dir { VIEW_DIR_UNKNOWN, VIEW_IN, VIEW_OUT };
enum view_verdict { VIEW_VERDICT_UNKNOWN, VIEW_PASS, VIEW_DROP };
enum view_fragment { VIEW_WHOLE, VIEW_FIRST, VIEW_LATER };

/* Parts of a view that programs fill in only if somebody looks at them; the rest always is. */
enum view_group {
	VIEW_MACS = 1,    /* dmac, smac */
	VIEW_ADDRS = 2,   /* src, dst */
	VIEW_PORTS = 4,   /* ports, sport, dport */
	VIEW_PAYLOAD = 8, /* payload */
	VIEW_CHAIN = 16,  /* chain */
	VIEW_OWNER = 32,  /* cgroup, pid, netns, comm */
	VIEW_GROUPS = 63,
};

/* Numbers are in host byte order; addresses are bytes as on the wire. Absent is 0 unless said. */
struct view {
	__u32 len;     /* bytes on the wire, link-layer header and tags included */
	__u32 ifindex; /* 0: unknown */
	__u16 link;    /* where the Ethernet header begins; VIEW_NONE: there is none */
	__u16 net;     /* the IP, ARP or other network header; VIEW_NONE: cut off */
	__u16 trans;   /* the transport header; VIEW_NONE: none, as in a later fragment */
	__u16 type;    /* EtherType behind tags and labels, or an 802.3 length */
	__u16 proto;   /* IP protocol behind extension headers; VIEW_NONE: not IP */
	__u16 sport, dport;
	__u8 family;   /* 4 or 6; 0: not IP */
	__u8 addrs;    /* of src and dst: 4 (IPv4, ARP, RARP), 6, or 0: there are none */
	__u8 ports;    /* 1: sport and dport are there (TCP, UDP, SCTP) */
	__u8 fragment; /* enum view_fragment */
	__u8 dir;      /* enum view_dir */
	__u8 verdict;  /* enum view_verdict */
	__u8 vlans, labels;
	__u16 vlan[VIEW_VLANS_MAX]; /* identifiers */
	__u16 payload;              /* behind the header of TCP, UDP or SCTP; VIEW_NONE: cut */
	__u32 label;                /* the outermost of MPLS */
	__u8 dmac[6], smac[6];
	__u8 src[16], dst[16]; /* IPv4: the first four bytes, zeros behind them */
	__u32 reserved;
	__u64 chain[4]; /* a bit for each IP protocol and extension header on the way */
	/* Of the socket's owner. */
	__u64 cgroup; /* id */
	__u32 pid;
	__u32 netns; /* inode number */
	__u8 comm[16];
};
_Static_assert(sizeof(struct view) == 152, "struct view has no hidden padding");

#endif
