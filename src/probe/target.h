/* SPDX-License-Identifier: MIT */
/* What to probe: from a word of the command line to a place in the kernel or in a file. */
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
/* "kprobe", ...; ends with NULL */
extern const char *const target_kinds[TARGET_KINDS + 1];

enum { TARGET_NAME = 256, TARGET_VALUE_NAME = 24 };

struct target_value {
	char name[TARGET_VALUE_NAME]; /* "": unknown */
	uint8_t type;                 /* enum btf_is */
	uint8_t size;                 /* bytes of the register */
	uint8_t errors;               /* of a return value: enum probe_errors */
};

struct target {
	const char *text; /* as typed; the caller's */
	enum target_kind kind;
	bool returns;                        /* probed at its return */
	char category[64];                   /* of a tracepoint */
	char name[TARGET_NAME];              /* of a function, tracepoint or system call */
	char path[TARGET_NAME];              /* uprobes: the file */
	uint64_t symbol_offset, file_offset; /* uprobes: after the symbol; in the file */
	int syscall;                         /* number of a system call; -1: not one */
	bool is_64bit;                       /* uprobes: a 64-bit program */
	bool path_searched;                  /* uprobes: the path was found by the file's name */
	bool has_types;                      /* the kernel's types describe it */
	struct target_value args[PROBE_ARGS], ret;
	uint8_t nargs;
	uint8_t text_args[PROBE_TEXTS]; /* string arguments: 1 is the first */
	dev_t dev;                      /* uprobes: of the file when it was found */
	ino_t ino;
	struct timespec mtime;
};

/* A function of a program or library. */
static inline bool target_is_user(const struct target *t)
{
	return t->kind == TARGET_UPROBE || t->kind == TARGET_URETPROBE;
}

/* The kind that a word starts with, followed by a colon; -1: none. */
int target_find_kind(const char *word);
/* Parses KIND:... Returns 0 or -E_USAGE. Reports errors. */
int target_parse(struct target *t, const char *word);
/* Finds a target's file, system call and types (types: NULL if the kernel has none). Returns 0 or
 * -errno. Reports errors, with the most similar name. */
int target_find(struct target *t, const struct btf *types);
/* Chooses the string arguments (1: the first): by their types, else as wanted. Returns 0 or
 * -E_USAGE. Reports errors. */
int target_set_texts(struct target *t, const uint8_t opts[PROBE_TEXTS]);
/* Reports why the kernel refused to attach, with the most similar name. Returns rc. */
int target_fail_attach(const struct target *t, int rc);
/* Reports a missing name and suggests the most similar one, after prefix. Returns -ENOENT. */
int target_none(const struct target *t, const char *what, const char *prefix,
		const struct near *near);

#endif
