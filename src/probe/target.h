/* SPDX-License-Identifier: MIT */
/* What is to be probed, from the words of a command line to a place in the kernel or in a file. */
#ifndef PROBE_TARGET_H
#define PROBE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/near.h"
#include "bpf/probe.h"
#include "sys/btf.h"

enum target_kind {
	TARGET_KPROBE,
	TARGET_KRETPROBE,
	TARGET_UPROBE,
	TARGET_URETPROBE,
	TARGET_TRACEPOINT,
	TARGET_RAW,
	TARGET_KINDS,
};
/* "kprobe", ... */
extern const char *const target_kinds[TARGET_KINDS + 1];

enum { TARGET_NAME = 256, TARGET_VALUE_NAME = 24 };

struct target_value {
	char name[TARGET_VALUE_NAME]; /* "": not known */
	uint8_t kind;                 /* enum btf_value_kind */
	uint8_t size;                 /* bytes of it in its register */
	uint8_t errors;               /* of one that is returned: enum probe_errors */
};

struct target {
	const char *text; /* as it was typed, the caller's */
	enum target_kind kind;
	bool returns;           /* it is where something returns */
	char category[64];      /* of a tracepoint */
	char name[TARGET_NAME]; /* of a function, tracepoint or system call */
	char path[TARGET_NAME]; /* uprobes: of the file */
	uint64_t plus, offset;  /* uprobes: behind the symbol; in the file */
	int call;               /* number of a system call; -1: it is none */
	bool wide;              /* uprobes: a program of 64 bits */
	bool searched;          /* uprobes: the file was looked for */
	bool typed;             /* the kernel describes what it takes */
	struct target_value takes[PROBE_ARGS], value;
	uint8_t ntakes;
	uint8_t strings[PROBE_TEXTS]; /* of what it takes: 1 for the first */
	dev_t dev;                    /* uprobes: of the file as it was found */
	ino_t ino;
	struct timespec changed;
};

/* It is in a program or library. */
static inline bool target_is_user(const struct target *t)
{
	return t->kind == TARGET_UPROBE || t->kind == TARGET_URETPROBE;
}

/* The number of the kind that a word begins with and a colon behind it; -1: it has none. */
int target_kind_of(const char *word);
/* 0 or -E_USAGE, said. */
int target_parse(struct target *t, const char *word);
/* Look up its file, its number, its types (types: NULL if the kernel has none). 0 or -errno, said,
 * with the nearest name. */
int target_find(struct target *t, const struct btf *types);
/* Which of its arguments are strings (1: the first): by their types, else as they are wished for,
 * which is said if it cannot be. 0 or -E_USAGE. */
int target_texts(struct target *t, const uint8_t opts[PROBE_TEXTS]);
/* Say that the kernel would not: why, and the nearest name. Returns rc. */
int target_refused(const struct target *t, int rc);
/* Say that there is no such thing, and what was perhaps meant. prefix: in front of its name.
 * Returns -ENOENT. */
int target_none(const struct target *t, const char *what, const char *prefix,
		const struct near *near);

#endif
