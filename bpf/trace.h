/* SPDX-License-Identifier: MIT */
/* Contract of the tracing programs: their configuration, and the records they send. */
#ifndef BPF_TRACE_H
#define BPF_TRACE_H

#include <linux/types.h>

enum { TRACE_COMM = 16 };

enum trace_kind {
	TRACE_CONNECT,    /* an outgoing connection was established, or failed */
	TRACE_ACCEPT,     /* a process accepted an incoming connection */
	TRACE_CLOSE,      /* a connection ended */
	TRACE_STATE,      /* a socket changed its state */
	TRACE_RETRANSMIT, /* a segment was retransmitted */
	TRACE_RESET,      /* a reset was sent or received */
	TRACE_LISTEN,     /* a listener's queue is full */
	TRACE_BIND,       /* a socket was bound to an address */
	TRACE_OPEN,       /* a connection that existed at the start */
	TRACE_DROP,       /* the kernel dropped a packet */
	TRACE_DNS,        /* a DNS message */
	TRACE_TLS,        /* plain text of a TLS connection */
	TRACE_CGROUP,     /* first sight of a cgroup: struct trace_cgroup */
	TRACE_HIT,        /* a probe was hit: struct probe_hit of bpf/probe.h */
	TRACE_KINDS,
};

/* How a connection ended. */
enum trace_end {
	TRACE_END_UNKNOWN,
	TRACE_END_LOCAL,   /* this side closed first */
	TRACE_END_REMOTE,  /* the peer closed first */
	TRACE_END_ABORTED, /* this side reset it */
	TRACE_END_ERROR,   /* error has the reason: reset by the peer, or timed out */
};

/* Why a segment was retransmitted. */
enum trace_resend {
	TRACE_RESEND_UNKNOWN,
	TRACE_RESEND_TIMEOUT, /* no answer */
	TRACE_RESEND_FAST,    /* acknowledgments show that it was lost */
	TRACE_RESEND_PROBE,   /* a tail loss probe (RFC 8985): it may have arrived */
	TRACE_RESEND_SYN,     /* of an outgoing connection attempt */
	TRACE_RESEND_SYNACK,  /* of an incoming connection attempt */
};

enum trace_flag {
	TRACE_OUTGOING = 1, /* this side initiated it */
	TRACE_INCOMING = 2,
	TRACE_EXISTED = 4,      /* it existed before the tracing */
	TRACE_NOT_ACCEPTED = 8, /* no process accepted it */
	TRACE_BY_LISTENER = 16, /* the process is the one that listens at that port */
	TRACE_SENT = 32,        /* of a reset or a message: sent, not received */
};

struct trace_proc {
	__u64 cgroup; /* id; 0: unknown */
	__u32 pid;    /* in the initial namespace; 0: unknown */
	__u32 tid;
	__u32 uid;
	__u32 netns; /* inode number */
	__u8 comm[TRACE_COMM];
};

/* All records start with this. Numbers are in host byte order, addresses in network byte order
 * (IPv4: the first four bytes). */
struct trace_head {
	__u64 time; /* CLOCK_MONOTONIC, in nanoseconds */
	__u64 sk;   /* identifies a socket while it exists */
	struct trace_proc proc;
	__u8 local[16], remote[16];
	__u16 lport, rport;
	__u8 iface[16]; /* the interface's name, if known */
	__u32 ifindex;  /* its number in its namespace; 0: unknown */
	__u8 kind;      /* enum trace_kind */
	__u8 family;    /* 4 or 6 */
	__u8 proto;     /* IPPROTO_* */
	__u8 flags;     /* TRACE_* of enum trace_flag */
	__u32 bytes;    /* length of the data that ends the record */
};
_Static_assert(sizeof(struct trace_head) == 120, "struct trace_head has no hidden padding");

struct trace_detail {
	/* of the attempt (connect) or the connection; CLOCK_MONOTONIC; 0: unknown */
	__u64 start_ns;
	/* close: bytes of payload; retransmit: sent is the segment's length */
	__u64 sent, received;
	__u64 location;             /* drop: address in the kernel */
	__u32 retransmits;          /* close: segments; retransmit: so far */
	__u32 rtt_us;               /* smoothed */
	__s32 error;                /* an errno, or 0 */
	__u32 reason;               /* drop, reset: the kernel's number */
	__s32 stack;                /* drop: id in map `stacks`; negative: none */
	__u32 queue_len, queue_max; /* listen: connections waiting, and the limit */
	__u8 old_state, new_state;  /* as the kernel numbers states (net/tcp_states.h) */
	__u8 cause;                 /* enum trace_end, enum trace_resend */
	__u8 reserved;
};

struct trace_event {
	struct trace_head head;
	struct trace_detail detail;
};
_Static_assert(sizeof(struct trace_event) == 184, "struct trace_event is a contract");

/* A dropped packet: event.head.bytes bytes of it, from the network header on. */
enum { TRACE_PACKET = 128 };
struct trace_packet {
	struct trace_event event;
	__u32 len;  /* of the packet */
	__u16 type; /* EtherType */
	__u16 reserved;
	__u8 bytes[TRACE_PACKET];
};
_Static_assert(sizeof(struct trace_packet) == 320, "struct trace_packet is a contract");

/* A DNS message that a socket sent or received: head.bytes bytes of it. */
enum { TRACE_MESSAGE = 512 };
struct trace_message {
	struct trace_head head;
	__u8 bytes[TRACE_MESSAGE];
};
_Static_assert(sizeof(struct trace_message) == 632, "struct trace_message is a contract");

/* Part of a TLS read or write: head.bytes bytes, from byte `offset` of `total`. */
enum { TRACE_TEXT = 4096, TRACE_PIECES = 4 };
struct trace_text {
	struct trace_head head; /* .sk: address of the connection's SSL object */
	__u32 offset, total;
	__u8 bytes[TRACE_TEXT];
};
_Static_assert(sizeof(struct trace_text) == 4224, "struct trace_text is a contract");

/* Value of map `tls_calls`, by thread: the arguments of the call. */
struct tls_call {
	__u64 ssl, buffer, count;
};
_Static_assert(sizeof(struct tls_call) == 24, "struct tls_call is a contract");

/* Key of map `drops`, whose values count packets. */
struct trace_drop {
	__u64 location;
	__u32 reason, reserved;
};
_Static_assert(sizeof(struct trace_drop) == 16, "struct trace_drop is a contract");

enum { TRACE_CGROUP_NAME = 96 };

/* Names of a cgroup's directory and of its parent, cut off if they are longer. */
struct trace_cgroup {
	struct trace_head head; /* .proc.cgroup */
	__u8 name[TRACE_CGROUP_NAME], parent[TRACE_CGROUP_NAME];
};
_Static_assert(sizeof(struct trace_cgroup) == 312, "struct trace_cgroup is a contract");

/* Value of map `socks`, by the socket's address: a tracked socket. */
struct trace_sock {
	struct trace_head head;
	__u64 start_ns; /* of connect(2), or when it was established */
	__u8 cause;
	/* separate bytes: a system call and the network change them concurrently */
	__u8 connecting; /* connect(2) has not returned */
	__u8 failed;     /* the attempt failed before connect(2) returned */
	__u8 reported;   /* its failure was reported */
	__u8 reserved[4];
};

_Static_assert(sizeof(struct trace_sock) == 136 &&
		       sizeof(struct trace_sock) ==
			       __builtin_offsetof(struct trace_event, detail.received),
	       "a tracked socket is the start of an event");

/* Value of map `calls`, by thread: the arguments of connect(2) or bind(2). */
struct trace_call {
	__u64 sk;
	__u8 addr[16];
	__u16 family, port_be, proto, reserved;
};
_Static_assert(sizeof(struct trace_call) == 32, "struct trace_call is a contract");

struct trace_counts {
	__u64 lost;      /* records without room in the ring */
	__u64 untracked; /* sockets without room in the map */
};
_Static_assert(sizeof(struct trace_counts) == 16, "struct trace_counts is a contract");
enum { TRACE_COUNTS = sizeof(struct trace_counts) / sizeof(__u64) };

enum {
	TRACE_RING = 2 << 20,
	TRACE_SOCKS = 1 << 16,
	TRACE_CALLS = 4096,
	TRACE_LISTENERS = 1024,
	TRACE_CGROUPS = 1024,
	TRACE_EARLY_ACCEPTS = 1024,
	TRACE_DROPS = 1024,
	TRACE_STACKS = 1024,
	TRACE_FRAMES = 32
};

/* Configuration that all tracing programs have. */
struct trace_common {
	__u32 kinds;          /* a bit for each kind */
	__u32 failures;       /* a bit for each kind: report only its events with an error */
	__u8 filter;          /* 1: a filter is set */
	__u8 can_read_kernel; /* kernel memory may be copied: lockdown can forbid it */
	__u8 reserved[6];
};
_Static_assert(sizeof(struct trace_common) == 16, "struct trace_common is a contract");

struct trace_conf {
	struct trace_common common;
	__u8 connect_ret, accept_ret; /* the results of these calls are reported */
	__u8 reserved[6];
};
_Static_assert(sizeof(struct trace_conf) == 24, "struct trace_conf is a contract");

struct sock_calls_conf {
	struct trace_common common;
	/* report the results of connect(2), accept(2), bind(2) */
	__u8 connect_ret, accept_ret, bind_ret;
	__u8 accept_args; /* number of arguments of inet_csk_accept() */
	__u8 reserved[4];
};
_Static_assert(sizeof(struct sock_calls_conf) == 24, "struct sock_calls_conf is a contract");

struct tls_conf {
	struct trace_common common;
	__u32 max_bytes; /* bytes of a read or write to report, at most TRACE_PIECES pieces */
	__u32 reserved;
};
_Static_assert(sizeof(struct tls_conf) == 24, "struct tls_conf is a contract");

struct dns_conf {
	struct trace_common common;
	__u32 net_off;      /* of the namespace's address in struct sock; 0: unknown */
	__u32 inum_off;     /* of the namespace's number in struct net */
	__u16 port;         /* the port of DNS */
	__u8 pointer_bytes; /* of the kernel */
	__u8 reserved[5];
};
_Static_assert(sizeof(struct dns_conf) == 32, "struct dns_conf is a contract");

struct tcp_events_conf {
	struct trace_common common;
	/* which arguments this kernel's tracepoints have: */
	__u8 retransmit_err; /* whether retransmitting failed */
	__u8 reset_reason, drop_reason;
	__u8 stacks;          /* record the stacks of drops */
	__u32 ignored_reason; /* of data left unread in a closed socket, which is not a loss */
};
_Static_assert(sizeof(struct tcp_events_conf) == 24, "struct tcp_events_conf is a contract");

#endif
