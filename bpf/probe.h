/* SPDX-License-Identifier: MIT */
/* Contract of the probes' programs: one set of them is loaded for each probe. */
#ifndef BPF_PROBE_H
#define BPF_PROBE_H

#include "bpf/trace.h"

enum {
	PROBE_MAX = 64, /* at a time */
	PROBE_ARGS = 6,
	PROBE_TEXTS = 2,  /* arguments that are strings */
	PROBE_TEXT = 128, /* bytes of each */
	PROBE_BUCKETS = 64,
	PROBE_FRAMES = 64,
	PROBE_ERROR_LAST = 4095, /* MAX_ERRNO of the kernel's linux/err.h */
};

/* Which values returned are errors: -1 to -PROBE_ERROR_LAST. */
enum probe_errors {
	PROBE_NO_ERRORS, /* nobody knows */
	PROBE_WORDS,     /* of a whole word, or of a type that is known */
	PROBE_GUESSED,   /* or, of no known type, of an int */
};

struct probe_conf {
	struct trace_all all;   /* .filter */
	__u32 probe;            /* its number */
	__s32 call;             /* sys_enter, sys_exit: only system call of this number */
	__u32 self;             /* the process that reads: not to be counted */
	__u8 nargs;             /* that are wanted, or that the tracepoint has */
	__u8 pops;              /* bytes that a return takes off the stack */
	__u8 flat;              /* a return does not know where its stack was */
	__u8 starts;            /* what begins is kept for its return */
	__u8 events;            /* each hit is told */
	__u8 stacks;            /* where from, and how often */
	__u8 values;            /* what is returned, and how often */
	__u8 kernel;            /* stacks of the kernel, too */
	__u8 user;              /* strings are in the process's memory */
	__u8 text[PROBE_TEXTS]; /* arguments that are strings: 1 for the first; 0: none */
	__u8 shift;             /* bits of a word that are not of the value returned */
	__u8 is_signed;         /* it is of a signed type */
	__u8 errors;            /* enum probe_errors */
	__u8 reserved[6];
};
_Static_assert(sizeof(struct probe_conf) == 48, "struct probe_conf has no hidden padding");

/* Map `hits`, per CPU. */
struct probe_key {
	__u32 probe, pid;
};
struct probe_val {
	__u64 hits;
	__u64 failed; /* returned an error */
	__u8 comm[TRACE_COMM];
};

/* Map `times`, by probe, per CPU: calls by how long they took, in bucket i 2^i to 2^(i+1) - 1
 * nanoseconds. */
struct probe_times {
	__u64 calls[PROBE_BUCKETS];
	__u64 ns, most; /* of all together; of the slowest */
};

/* Map `begun`: calls that have not returned, each by where its thread's stack was. */
struct probe_call_key {
	__u64 stack;
	__u32 tid, probe;
};
struct probe_call {
	__u64 ns;
	__u64 args[PROBE_ARGS];
	__s32 kernel, user; /* as of struct probe_path */
	__u64 caller;
};

/* Map `paths`: how often it was come to a probe that way. */
struct probe_path {
	__u32 probe, pid;
	__s32 kernel, user; /* numbers in map `stacks`; negative: there is none */
	/* Where a program's function returns to, whose frame is not on the stack yet; 0: unknown.
	 */
	__u64 caller;
};

/* Map `values`: how often that was returned. */
struct probe_value {
	__u64 value;
	__u32 probe, reserved;
};

struct probe_hit {
	struct trace_head head; /* TRACE_HIT */
	__u64 args[PROBE_ARGS];
	__u64 value; /* returned */
	__u64 ns;    /* how long it took; 0: unknown */
	__u32 probe;
	__s32 kernel, user; /* as of struct probe_path */
	__u32 read;         /* a bit for each text that could be read */
	__u64 caller;
	/* Ends with a NUL. Not there at all if none is asked for. */
	__u8 text[PROBE_TEXTS][PROBE_TEXT];
};
enum { PROBE_HIT = 208 /* bytes without texts */ };
_Static_assert(sizeof(struct probe_hit) == PROBE_HIT + PROBE_TEXTS * PROBE_TEXT,
	       "struct probe_hit is a contract");

/* Map `missed`, per CPU: how often something had no room. */
enum probe_miss {
	PROBE_MISSED_HITS, /* of processes that could not be told apart */
	PROBE_MISSED_PATHS,
	PROBE_MISSED_VALUES,
	PROBE_MISSED_STACKS, /* whose places in the map others have */
	PROBE_BEGUN,         /* all that began, of what is to return */
	PROBE_MISSES,
};

enum {
	PROBE_PROCESSES = 2048,
	PROBE_CALLS = 16384,
	PROBE_PATHS = 4096,
	PROBE_STACKS = 16384,
	PROBE_VALUES = 4096,
};

#endif
