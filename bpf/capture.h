/* SPDX-License-Identifier: MIT */
/* Contract of capture: its configuration, and how finished pcapng blocks come from the kernel.
 *
 * Where the kernel has atomic operations that fetch (5.12), each CPU writes into chunks of its own,
 * which user space has mapped: it fills in a block behind `head` and moves head over it by an
 * exchange, which orders memory. What is below head can be read, or handed on as it is. Elsewhere a
 * block is made in the CPU's one chunk and copied into a ring buffer, among records of 8 bytes that
 * only wake. */
#ifndef BPF_CAPTURE_H
#define BPF_CAPTURE_H

#include <linux/types.h>

enum {
	CAPTURE_CHUNKS_MAX = 16, /* of a CPU; a power of two */
	CAPTURE_SNAPLEN_MAX = 262144,
	/* A block's bytes that are not the packet's: head, options, length once more, padding. */
	CAPTURE_BLOCK_REST = 256,
	/* A block that readers pass over, as net/capfile.h has it. */
	CAPTURE_BLOCK_PAD = (int)0x80736f6e,
};

/* Whose packets get a process: incoming ones cost a look for their socket. */
enum capture_owner { CAPTURE_OWNER_NONE, CAPTURE_OWNER_OUT, CAPTURE_OWNER_ALL };

struct capture_conf {
	__u32 iface;    /* number in the blocks: of an interface block in the file, from 0 */
	__u32 snaplen;  /* bytes of a packet that are kept; at most CAPTURE_SNAPLEN_MAX */
	__u32 fill;     /* a block begins below this offset in a chunk, which has room behind it for
			 * the longest block */
	__u32 chunks;   /* of a CPU; a power of two */
	__u32 cpus;     /* of which there are chunks */
	__u8 ethernet;  /* 1: packets begin with an Ethernet header, 0: with an IP header */
	__u8 prepend;   /* 1: give those without one an Ethernet header of zeros */
	__u8 filter;    /* 1: there is one: fill in a view and ask it */
	__u8 inner;     /* 1: it looks into tunnels */
	__u8 groups;    /* enum view_group: what it, or the look for a socket, needs of a view */
	__u8 multibuf;  /* 1: XDP frames may have fragments, and the helpers for them are there */
	__u8 owner;     /* enum capture_owner */
	__u8 has_rules; /* 1: the filter looks at the owner */
	__u32 netns;    /* inode number of the network namespace */
	__u32 observer; /* 1: called at the end of a gate, whose verdict is in map `decision` */
};
_Static_assert(sizeof(struct capture_conf) == 36, "capture_conf is a contract");

/* Value of map `cpus` (array, key: CPU), mapped. */
struct capture_cpu {
	/* The kernel's. */
	__u64 head; /* running number of the chunk in use << 32 | bytes written in it */
	__u32 busy; /* 1: a block is being written: a program that interrupts that one loses its own
		     */
	__u32 pad;
	__u32 ended[CAPTURE_CHUNKS_MAX]; /* bytes of a chunk that is over, by running number modulo
					  * conf.chunks */
	__u64 pad2[6];
	/* User space's. */
	__u32 tail;   /* running number of the oldest chunk that may not be written anew */
	__u32 wanted; /* 1: somebody waits for the next packet: wake them, and clear it */
	__s64 clock;  /* CLOCK_REALTIME - CLOCK_MONOTONIC, ns */
	__u64 pad3[6];
};
_Static_assert(sizeof(struct capture_cpu) == 192, "capture_cpu is a contract");

/* Value of map `counts` (per-CPU array of one, for each interface): packets. */
struct capture_counts {
	__u64 seen;    /* that came by */
	__u64 matched; /* the filter */
	__u64 lost;    /* of those: no room, or not readable */
	__u64 cpu; /* user space's: this CPU's number, the key in `cpus`. Some kernels' compilers of
		    * programs give one number to all CPUs (bpf_get_smp_processor_id(), 6.12 for
		    * riscv64) */
};
_Static_assert(sizeof(struct capture_counts) == 32, "capture_counts is a contract");

#endif
