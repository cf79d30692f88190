/* SPDX-License-Identifier: MIT */
/* Contract of capture: its configuration, and how finished pcapng blocks leave the kernel.  With
 * atomic operations that return the old value (Linux 5.12), each CPU writes into chunks of its own,
 * which user space has mapped: it fills in a block after `head` and moves head past it by an
 * exchange, which orders memory. Bytes below head can be read, or written to a file unchanged.
 * Without them a block is built in the CPU's only chunk and copied into a ring buffer, among
 * records of 8 bytes that only wake the reader. */
#ifndef BPF_CAPTURE_H
#define BPF_CAPTURE_H

#include <linux/types.h>

enum {
	CAPTURE_CHUNKS_MAX = 16, /* of a CPU; a power of two */
	CAPTURE_SNAPLEN_MAX = 262144,
	/* bytes of a block besides the packet: head, options, final length, padding */
	CAPTURE_BLOCK_REST = 256,
	/* a block that readers ignore, as in net/capfile/capfile.h */
	CAPTURE_BLOCK_PAD = (int)0x80736f6e,
};

/* Which packets to attribute to processes: incoming ones cost a socket lookup. */
enum capture_owner { CAPTURE_OWNER_NONE, CAPTURE_OWNER_OUT, CAPTURE_OWNER_ALL };

struct capture_conf {
	__u32 iface;       /* number of the interface block in the file, from 0 */
	__u32 snaplen;     /* bytes to capture of a packet; at most CAPTURE_SNAPLEN_MAX */
	__u32 fill;        /* blocks start below this offset; the longest block fits in after it */
	__u32 chunks;      /* of a CPU; a power of two */
	__u32 cpus;        /* CPUs that have chunks */
	__u8 ethernet;     /* 1: packets start with an Ethernet header, 0: with an IP header */
	__u8 prepend;      /* 1: insert an Ethernet header of zeros where packets have none */
	__u8 filter;       /* 1: fill in a view and run the filter */
	__u8 inner;        /* 1: the filter looks into tunnels */
	__u8 groups;       /* enum view_group: what the filter or the socket lookup needs */
	__u8 multibuf;     /* 1: XDP frames may have fragments, and the helpers for them exist */
	__u8 owner;        /* enum capture_owner */
	__u8 filter_owner; /* 1: the filter looks at the owner */
	__u32 netns;       /* inode number of the network namespace */
	__u32 observer;    /* 1: called at the end of a gate, whose verdict is in map `decision` */
};
_Static_assert(sizeof(struct capture_conf) == 36, "capture_conf is a contract");

/* Value of map `cpus` (array, key: CPU), mapped. */
struct capture_cpu {
	/* written by the kernel */
	__u64 head; /* number of the chunk in use << 32 | bytes written in it */
	__u32 busy; /* 1: a block is being written; a program that interrupts loses its packet */
	__u32 pad;
	/* bytes in a finished chunk, by chunk number modulo conf.chunks */
	__u32 final_len[CAPTURE_CHUNKS_MAX];
	__u64 pad2[6];
	/* written by user space */
	__u32 tail;         /* number of the oldest chunk that may not be overwritten yet */
	__u32 wakeup;       /* 1: a reader waits for the next packet: wake it and clear this */
	__s64 clock_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
	__u64 pad3[6];
};
_Static_assert(sizeof(struct capture_cpu) == 192, "capture_cpu is a contract");

/* Value of map `counts` (per-CPU array of one, for each interface): packets. */
struct capture_counts {
	__u64 seen;    /* passed the interface */
	__u64 matched; /* selected by the filter */
	__u64 lost;    /* of those: no room, or unreadable */
	/* set by user space: this CPU's number, the key in `cpus`. Some kernels' BPF compilers give
	 * one number to all CPUs (bpf_get_smp_processor_id(), 6.12 for riscv64). */
	__u64 cpu;
};
_Static_assert(sizeof(struct capture_counts) == 32, "capture_counts is a contract");

#endif
