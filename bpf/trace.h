/* SPDX-License-Identifier: MIT */
/* Contract of the tracing programs: what they are told, and what they tell of sockets. */
#ifndef BPF_TRACE_H
#define BPF_TRACE_H

#include <linux/types.h>

enum { TRACE_COMM = 16 };

enum trace_kind {
	TRACE_CONNECT,    /* an outgoing connection was made, or could not be */
	TRACE_ACCEPT,     /* one that came in was taken by a process */
	TRACE_CLOSE,      /* a connection ended */
	TRACE_STATE,      /* a socket went from one state to another */
	TRACE_RETRANSMIT, /* a segment was sent again */
	TRACE_RESET,      /* a reset was sent or received */
	TRACE_LISTEN,     /* a listener's queue is full */
	TRACE_BIND,       /* a socket was bound to an address */
	TRACE_OPEN,       /* a connection that was there before */
	TRACE_DROP,       /* the kernel dropped a packet */
	TRACE_DNS,        /* a message of DNS */
	TRACE_TLS,        /* text that TLS hides on the wire */
	TRACE_CGROUP,     /* a cgroup is met for the first time: struct trace_cgroup */
	TRACE_HIT,        /* a probe was come to: struct probe_hit of bpf/probe.h */
	TRACE_KINDS,
};

/* How a connection ended. */
enum trace_how {
	TRACE_HOW_UNKNOWN,
	TRACE_LOCAL,   /* this side closed first */
	TRACE_REMOTE,  /* the other one did */
	TRACE_ABORTED, /* this side reset it */
	TRACE_BROKEN,  /* error says why: the other one reset it, or was silent */
};

/* What made a segment be sent again. */
enum trace_again {
	TRACE_AGAIN_UNKNOWN,
	TRACE_TIMEOUT, /* nothing was heard */
	TRACE_FAST,    /* what was heard says that it is lost */
	TRACE_PROBE,   /* a tail loss probe (RFC 8985): it may have arrived */
	TRACE_SYN,     /* of a connection that is being made */
	TRACE_SYNACK,  /* of one that is being taken */
};

enum trace_flag {
	TRACE_OUTGOING = 1, /* this side began */
	TRACE_INCOMING = 2,
	TRACE_EXISTED = 4,      /* it was there before the tracing began */
	TRACE_NOT_TAKEN = 8,    /* no process accepted it */
	TRACE_BY_LISTENER = 16, /* the process is the one that listens there */
	TRACE_SENT = 32,        /* of a reset: sent, not received */
};

struct trace_who {
	__u64 cgroup; /* id; 0: unknown */
	__u32 pid;    /* in the initial namespace; 0: unknown */
	__u32 tid;
	__u32 uid;
	__u32 netns; /* inode number */
	__u8 comm[TRACE_COMM];
};

/* What all records begin with. Numbers are in host byte order, addresses as on the wire (IPv4: the
 * first four bytes). */
struct trace_head {
	__u64 time; /* CLOCK_MONOTONIC, in nanoseconds */
	__u64 sk;   /* tells sockets apart while they live */
	struct trace_who who;
	__u8 local[16], remote[16];
	__u16 lport, rport;
	__u8 iface[16]; /* the interface's name, where it is known */
	__u32 ifindex;  /* and its number in its namespace; 0: unknown */
	__u8 kind;      /* enum trace_kind */
	__u8 family;    /* 4 or 6 */
	__u8 proto;     /* IPPROTO_* */
	__u8 flags;     /* TRACE_* of enum trace_flag */
	__u32 bytes;    /* of what follows the record */
};
_Static_assert(sizeof(struct trace_head) == 120, "struct trace_head has no hidden padding");

struct trace_detail {
	__u64 began;          /* when it was asked for (connect) or made; as time. 0: unknown */
	__u64 sent, received; /* close: bytes of payload; retransmit: sent are the segment's */
	__u64 location;       /* drop: where in the kernel */
	__u32 retransmits;    /* close: segments; retransmit: so far */
	__u32 rtt_us;         /* smoothed */
	__s32 error;          /* an errno, or 0 */
	__u32 reason;         /* drop, reset: the kernel's number of it */
	__s32 stack;          /* drop: number in map `stacks`; negative: there is none */
	__u32 queue, room;    /* listen: connections that wait, and how many may */
	__u8 before, after;   /* states, as the kernel numbers them (net/tcp_states.h) */
	__u8 how;             /* enum trace_how, enum trace_again */
	__u8 reserved;
};

struct trace_event {
	struct trace_head head;
	struct trace_detail detail;
};
_Static_assert(sizeof(struct trace_event) == 184, "struct trace_event is a contract");

/* A record of a dropped packet: as many bytes of it as are said, from the network header on. */
enum { TRACE_PACKET = 128 };
struct trace_packet {
	struct trace_event event;
	__u32 len;  /* of the packet */
	__u16 type; /* EtherType */
	__u16 reserved;
	__u8 bytes[TRACE_PACKET];
};

/* A record of what a socket sent or received: head.bytes of it. */
enum { TRACE_MESSAGE = 512 };
struct trace_message {
	struct trace_head head;
	__u8 bytes[TRACE_MESSAGE];
};

/* A piece of what a TLS library was given or gave: head.bytes of it, from byte `from` of `total`.
 */
enum { TRACE_TEXT = 4096, TRACE_PIECES = 4 };
struct trace_text {
	struct trace_head head; /* .sk: the connection's, as the process knows it */
	__u32 from, total;
	__u8 bytes[TRACE_TEXT];
};

/* The value of map `talks`, by thread: what a function was called with. */
struct tls_call {
	__u64 ssl, buffer, count;
};

/* The key of map `drops`, whose values are numbers of packets. */
struct trace_drop {
	__u64 location;
	__u32 reason, reserved;
};

enum { TRACE_CGROUP_NAME = 96 };

/* A cgroup's directories: its own, and the one above. Cut off if they are longer. */
struct trace_cgroup {
	struct trace_head head; /* .who.cgroup */
	__u8 name[TRACE_CGROUP_NAME], above[TRACE_CGROUP_NAME];
};

/* The value of map `socks`, by the socket's address: what is to be known of it later. */
struct trace_sock {
	struct trace_head head;
	__u64 began; /* connect(2), or when it was established */
	__u8 how;
	/* Bytes of their own: a system call and the network change them side by side. */
	__u8 calling; /* connect(2) has not returned */
	__u8 failed;  /* before that has said why */
	__u8 told;    /* its failure was */
	__u8 reserved[4];
};

_Static_assert(sizeof(struct trace_sock) == 136 &&
		       sizeof(struct trace_sock) ==
			       __builtin_offsetof(struct trace_event, detail.received),
	       "a record begins as what is known of a socket does");

/* The value of map `calls`, by thread: what connect(2) was asked for. */
struct trace_call {
	__u64 sk;
	__u8 addr[16];
	__u16 family, port_be, proto, reserved;
};

struct trace_counts {
	__u64 lost;      /* there was no room in the ring */
	__u64 untracked; /* sockets there was no room for */
};
enum { TRACE_COUNTS = sizeof(struct trace_counts) / sizeof(__u64) };

enum {
	TRACE_RING = 2 << 20,
	TRACE_SOCKS = 1 << 16,
	TRACE_CALLS = 4096,
	TRACE_LISTENERS = 1024,
	TRACE_CGROUPS = 1024,
	TRACE_EARLY = 1024,
	TRACE_DROPS = 1024,
	TRACE_STACKS = 1024,
	TRACE_FRAMES = 32
};

/* What all tracing programs are told. */
struct trace_all {
	__u32 kinds;          /* a bit each */
	__u32 failures;       /* the same: of these those with an error */
	__u8 filter;          /* there is one */
	__u8 can_read_kernel; /* memory of the kernel may be copied: lockdown does not let it */
	__u8 reserved[6];
};

struct trace_conf {
	struct trace_all all;
	__u8 connects, accepts; /* what these return is heard of */
	__u8 reserved[6];
};

struct sock_calls_conf {
	struct trace_all all;
	__u8 connects, accepts, binds; /* what connect(2), accept(2), bind(2) return is wanted */
	__u8 accept_args;              /* of inet_csk_accept() */
	__u8 reserved[4];
};

struct tls_conf {
	struct trace_all all;
	__u32 most; /* bytes of a read or write that are wanted, in TRACE_PIECES at most */
	__u32 reserved;
};

struct dns_conf {
	struct trace_all all;
	__u16 port; /* where it is spoken */
	__u8 reserved[6];
};

struct tcp_events_conf {
	struct trace_all all;
	/* Arguments that tracepoints have not had from the beginning: */
	__u8 retransmit_err; /* whether it failed */
	__u8 reset_reason, drop_reason;
	__u8 stacks;  /* of drops are wanted */
	__u32 unread; /* the reason of what a closed socket leaves unread, which is no loss */
};

#endif
