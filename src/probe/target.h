/* SPDX-License-Identifier: MIT */
/* What to probe: from a word of the command line to a place in the kernel or in a file. */
#ifndef PROBE_TARGET_H
#define PROBE_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include "bpf/probe.h"
#include "probe/file.h"
#include "sys/btf.h"

/* A kind of target: KIND:... on the command line. */
struct target_kind {
	const char *name;
	bool user;       /* a function of a program or library, else of the kernel */
	bool tracepoint; /* not a function */
	bool category;   /* CATEGORY:NAME, as tracefs names tracepoints */
	bool returns;    /* probed at its return */
};
/* All kinds; ends with a NULL name. */
extern const struct target_kind target_kinds[];

enum { TARGET_NAME = 256, TARGET_VALUE_NAME = 24 };

struct target_value {
	char name[TARGET_VALUE_NAME]; /* "": unknown */
	uint8_t type;                 /* enum btf_value_kind */
	uint8_t size;                 /* bytes of the register */
	uint8_t errors;               /* of a return value: enum probe_errors */
};

struct target {
	const char *text; /* as typed; the caller's */
	const struct target_kind *kind;
	bool returns;           /* probed at its return */
	char category[64];      /* of a tracepoint */
	char name[TARGET_NAME]; /* of a function, tracepoint or system call */
	struct probe_file file; /* uprobes */
	uint64_t symbol_offset; /* uprobes: from the start of the function */
	int syscall;            /* number of a system call; -1: not one */
	bool has_types;         /* the kernel's types describe it */
	struct target_value args[PROBE_ARGS], ret;
	uint8_t nargs;
	uint8_t text_args[PROBE_TEXTS]; /* string arguments: 1 is the first */
};

/* Returns the kind that a word starts with, followed by a colon; NULL: none. */
const struct target_kind *target_find_kind(const char *word);
/* Returns the name of the kind that was probably meant; NULL: none is similar. */
const char *target_suggest_kind(const char *word);
/* Parses KIND:... Returns 0 or -E_USAGE. Reports errors. */
int target_parse(struct target *t, const char *word);
/* Finds a target's file, system call and types (types: NULL if the kernel has none). Returns 0 or
 * -errno. Reports errors, with the most similar name. */
int target_find(struct target *t, const struct btf *types);
/* Chooses the string arguments (1: the first): by their types, else user_args. Returns 0 or
 * -E_USAGE. Reports errors. */
int target_set_texts(struct target *t, const uint8_t user_args[PROBE_TEXTS]);
/* Reports why the kernel refused to attach, with the most similar name. Returns rc. */
int target_fail_attach(const struct target *t, int rc);

#endif
