/* SPDX-License-Identifier: MIT */
/* Contract of probe's programs: one set of them is loaded for each probe. */
#ifndef BPF_PROBE_H
#define BPF_PROBE_H

#include "bpf/trace.h"

enum {
	PROBE_MAX = 64, /* at a time */
	PROBE_ARGS = 6,
	PROBE_TEXTS = 2,  /* string arguments */
	PROBE_TEXT = 128, /* bytes of each */
	PROBE_BUCKETS = 64,
	PROBE_FRAMES = 64,
	PROBE_ERROR_LAST = 4095, /* MAX_ERRNO of the kernel's linux/err.h */
};

/* Which return values are errors (-1 to -PROBE_ERROR_LAST). */
enum probe_errors {
	PROBE_NO_ERRORS,   /* none: the type has no errors */
	PROBE_WORD_ERRORS, /* of a 64-bit value, or of a known type */
	PROBE_INT_ERRORS,  /* of a 64-bit value, or of an int if the type is unknown */
};

struct probe_conf {
	struct trace_common common;  /* .filter */
	__u32 probe;                 /* number of the probe */
	__s32 call;                  /* sys_enter, sys_exit: only this system call */
	__u32 own_pid;               /* the process that reads: not counted */
	__u8 nargs;                  /* arguments to read, or that the tracepoint has */
	__u8 ret_pops;               /* bytes that a return pops off the stack */
	__u8 no_ret_sp;              /* the stack pointer is unknown at a return */
	__u8 has_return;             /* entries are saved for their returns */
	__u8 events;                 /* report each hit */
	__u8 stacks;                 /* count hits by stack */
	__u8 values;                 /* count hits by return value */
	__u8 kernel_stacks;          /* kernel stacks, too */
	__u8 user_memory;            /* strings are in the process's memory */
	__u8 text_args[PROBE_TEXTS]; /* string arguments: 1 is the first; 0: none */
	__u8 value_shift;            /* bits of the register above the return value */
	__u8 value_signed;           /* its type is signed */
	__u8 errors;                 /* enum probe_errors */
	__u8 reserved[6];
};
_Static_assert(sizeof(struct probe_conf) == 48, "struct probe_conf has no hidden padding");

/* Map `hits`, per CPU. */
struct probe_key {
	__u32 probe, pid;
};
_Static_assert(sizeof(struct probe_key) == 8, "struct probe_key is a contract");
struct probe_val {
	__u64 hits;
	__u64 failed; /* calls that returned an error */
	__u8 comm[TRACE_COMM];
};
_Static_assert(sizeof(struct probe_val) == 32, "struct probe_val is a contract");

/* Map `times`, by probe, per CPU: calls by duration, in bucket i 2^i to 2^(i+1) - 1 nanoseconds. */
struct probe_times {
	__u64 calls[PROBE_BUCKETS];
	__u64 total_ns, max_ns; /* of all calls; of the slowest */
};
_Static_assert(sizeof(struct probe_times) == 528, "struct probe_times is a contract");

/* Map `open_calls`: calls that have not returned, by their stack pointer at entry. */
struct probe_call_key {
	__u64 stack;
	__u32 tid, probe;
};
_Static_assert(sizeof(struct probe_call_key) == 16, "struct probe_call_key is a contract");
struct probe_call {
	__u64 start_ns;
	__u64 args[PROBE_ARGS];
	__s32 kernel_stack, user_stack; /* as in struct probe_path */
	__u64 caller;
};
_Static_assert(sizeof(struct probe_call) == 72, "struct probe_call is a contract");

/* Map `paths`: hits by stack. */
struct probe_path {
	__u32 probe, pid;
	__s32 kernel_stack, user_stack; /* ids in map `stacks`; negative: none */
	/* return address of a program's function, not on the stack yet; 0: unknown */
	__u64 caller;
};
_Static_assert(sizeof(struct probe_path) == 24, "struct probe_path is a contract");

/* Map `values`: hits by return value. */
struct probe_value {
	__u64 value;
	__u32 probe, reserved;
};
_Static_assert(sizeof(struct probe_value) == 16, "struct probe_value is a contract");

struct probe_hit {
	struct trace_head head; /* TRACE_HIT */
	__u64 args[PROBE_ARGS];
	__u64 value;       /* return value */
	__u64 duration_ns; /* 0: unknown */
	__u32 probe;
	__s32 kernel_stack, user_stack; /* as in struct probe_path */
	__u32 texts_read;               /* a bit for each string that could be read */
	__u64 caller;
	/* Ends with a NUL. Missing from the record if no strings are requested. */
	__u8 text[PROBE_TEXTS][PROBE_TEXT];
};
enum { PROBE_HIT_SIZE = 208 /* bytes without strings */ };
_Static_assert(sizeof(struct probe_hit) == PROBE_HIT_SIZE + PROBE_TEXTS * PROBE_TEXT,
	       "struct probe_hit is a contract");

/* Map `missed`, per CPU: what could not be stored. */
enum probe_miss {
	PROBE_MISSED_HITS, /* hits of processes beyond PROBE_PROCESSES */
	PROBE_MISSED_PATHS,
	PROBE_MISSED_VALUES,
	PROBE_MISSED_STACKS, /* stacks whose slot in the map is taken */
	PROBE_ENTRIES,       /* entries of calls whose return is probed */
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
