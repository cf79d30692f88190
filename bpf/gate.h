/* SPDX-License-Identifier: MIT */
/* Contract of the gate: its configuration and counters, as the kernel programs and user space share
 * them. One gate serves one interface. */
#ifndef BPF_GATE_H
#define BPF_GATE_H

#include <linux/types.h>
#include "bpf/guard.h"

#define GATE_MAGIC          0x67617465 /* "gate": maps of others may have the same names */
#define GATE_VERSION        6          /* of this file's layouts and its maps' names */
#define GATE_VERSION_OLDEST 5 /* the oldest version with these layouts: only names differ */

enum gate_dir { GATE_IN, GATE_OUT, GATE_DIRS };

enum gate_family { GATE_IPV4, GATE_IPV6, GATE_ARP, GATE_OTHER, GATE_FAMILIES };

/* The XDP actions (linux/bpf.h). tc programs use the first three of them. */
enum gate_verdict { GATE_ABORTED, GATE_DROP, GATE_PASS, GATE_TX, GATE_REDIRECT, GATE_VERDICTS };

/* IP protocols with a slot of their own, in IPv4 and in IPv6 (IANA protocol-numbers). The hash
 * counts the others. */
/* clang-format off */
#define GATE_PROTOS(X) \
	X(TCP, 6) \
	X(UDP, 17) \
	X(ICMP, 1) \
	X(ICMPV6, 58) \
	X(IGMP, 2) \
	X(GRE, 47) \
	X(ESP, 50) \
	X(AH, 51) \
	X(SCTP, 132) \
	X(IPIP, 4) \
	X(IPV6, 41) \
	X(OSPF, 89) \
	X(VRRP, 112)
/* clang-format on */
#define GATE_SLOT_ENUM(name, number) GATE_SLOT_##name,
enum gate_slot {
	GATE_SLOT_OTHER_PROTO, /* in the hash; counts here only if that has no room */
	GATE_SLOT_BAD,         /* a header that is cut short or wrong */
	GATE_PROTOS(GATE_SLOT_ENUM) GATE_SLOT_USED,
	/* A group for IPv4, one like it for IPv6, then the slots of other families. */
	GATE_SLOT_GROUP = 16,
	GATE_SLOT_GROUP6 = GATE_SLOT_GROUP,
	GATE_SLOT_OTHER = 2 * GATE_SLOT_GROUP,
	GATE_SLOT_ARP = GATE_SLOT_OTHER + GATE_SLOT_BAD + 1,
	GATE_SLOTS,
	GATE_SLOT_MASK = 63
};
_Static_assert(GATE_SLOT_USED <= GATE_SLOT_GROUP, "a group has room for every protocol");
_Static_assert(GATE_SLOTS - 1 <= GATE_SLOT_MASK, "the mask holds every slot");

struct gate_conf {
	__u32 magic;
	__u16 version;
	__u8 ethernet; /* 1: packets start with an Ethernet header, 0: with an IP header */
	__u8 multibuf; /* 1: frames may have several buffers (bpf_xdp_get_buff_len()) */
	__u32 ifindex;
	__u8 has_observer; /* 1: call the program in map `observer` */
	/* About the rules: */
	__u8 has_rules; /* 1: rules replace stub_rules() */
	__u8 addr_only; /* 1: they look only at addresses and protocols of IP packets */
	__u8 inner;     /* 1: they look at the packet inside a tunnel */
	__u8 groups;    /* enum view_group: what they look at */
	__u8 guarded;   /* 1: guard is set */
	__u8 has_allow; /* 1: evaluated with the verdict "drop", the rules' code returns what the
			   guard allows */
	__u8 pad[13];
	struct guard_conf guard;
};
_Static_assert(sizeof(struct gate_conf) == 32 + sizeof(struct guard_conf),
	       "gate_conf is a contract");

/* Value of map `counters` (per-CPU array), key: dir * GATE_VERDICTS + verdict. */
struct gate_counters_val {
	struct gate_sum slot[GATE_SLOTS];
};
_Static_assert(sizeof(struct gate_counters_val) == 16 * GATE_SLOTS,
	       "gate_counters_val is a contract");

/* Key of map `counters_other` (per-CPU hash), value: struct gate_sum. */
struct gate_other_key {
	__u8 dir, family, verdict, pad;
	__u16 proto; /* IP protocol number; for GATE_OTHER the EtherType in host byte order, and
			ETH_P_802_2 for all frames of IEEE 802.3, which have a length instead */
	__u16 pad2;
};
_Static_assert(sizeof(struct gate_other_key) == 8, "gate_other_key is a contract");

/* Result of the rules for a packet. */
enum gate_answer {
	GATE_ANSWER_SLOT = 0xffff, /* id of the rule that decided; 0: none */
	GATE_ANSWER_DROP = 0x10000,
	GATE_ANSWER_ALLOW = 0x20000, /* it passes the guard without limits */
};

enum { GATE_RULES_MAX = 1024 };

/* Value of map `hits` (per-CPU array): packets and bytes (as in gate_sum) that a rule decided
 * on. */
struct gate_hit {
	__u64 packets, bytes;
	__u64 last; /* time of the last one in jiffies, which are much cheaper than a clock; 0: none
		       yet */
};
_Static_assert(sizeof(struct gate_hit) == 24, "gate_hit is a contract");

/* Users of a gate. It is detached when the last one gives it up. */
enum gate_user { GATE_USER_COUNT = 1, GATE_USER_FILTER = 2, GATE_USER_GUARD = 4 };

/* Value of map `rules_text` (array of one), followed by the text: the rules of the gate's
 * direction, in the form of src/gate/rules.h. Programs do not read it: user space does when it
 * finds the gate. */
struct gate_text {
	__u32 users;     /* enum gate_user */
	__u32 len;       /* bytes of rules that follow */
	__u32 allow_len; /* bytes of the guard's expressions after them, one a line */
	__u32 pad;
};
_Static_assert(sizeof(struct gate_text) == 16, "gate_text is a contract");

/* Value of map `successor` (array of one). Programs that replace each other share it as they share
 * the counters: readers of the counters find in it which program goes on counting. */
struct gate_successor {
	__u32 prog[GATE_DIRS]; /* id of the program that counts or is about to; 0: the first one */
};
_Static_assert(sizeof(struct gate_successor) == 8, "gate_successor is a contract");

/* The gate at XDP ends with a tail call into map `observer` (program array of one). A program there
 * gets the packet, finds the gate's verdict in map `decision` (per-CPU array of one __u32: an XDP
 * action), and has to return it. */

#endif
