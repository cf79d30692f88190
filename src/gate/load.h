/* SPDX-License-Identifier: MIT */
/* Loads the gate's programs for an interface, with or without rules. */
#ifndef GATE_LOAD_H
#define GATE_LOAD_H

#include <stdbool.h>
#include "gate/rules.h"
#include "gen/gate.gen.h"
#include "guard/guard.h"
#include "obj/find.h"
#include "obj/obj.h"
#include "sys/link.h"

/* Maps of sets are named GATE_SET_PREFIX, a number, and "_v4" or "_v6". Sets are numbered in the
 * order in which the direction's rules name them. */
#define GATE_SET_PREFIX "set"

struct gate_load_opts {
	const struct link *link;
	uint32_t progs; /* bits of the enum in gen/gate.gen.h */
	uint32_t users; /* enum gate_user */
	bool verbose;   /* print the verifier's whole log if it refuses a program */
	/* If progs is a single program: */
	const struct rules *rules;      /* NULL: none */
	enum gate_dir dir;              /* the rules' direction */
	const struct guard_plan *guard; /* for incoming packets; NULL: none */
	/* The gate that is replaced; NULL: none. */
	const struct gate_conf *replaced;
	const int *maps; /* descriptors to share, by map; 0: a new map */
};

/* Loads the programs, with support for multi-buffer frames if the kernel has it. Stores the conf in
 * *conf, which may be NULL. Returns 0 or -errno. Reports errors; on failure nothing stays
 * loaded. */
int gate_load(struct obj *obj, const struct gate_load_opts *opts, struct gate_conf *conf);
/* Opens a map of a gate, by its name in this version or in an older one that is still known. map:
 * an index of gen/gate.gen.h. Returns a descriptor, which the caller closes, and stores its
 * information in *info; -ENOENT or another -errno. Does not report errors. */
int gate_find_map(const struct find_prog *prog, int map, struct bpf_map_info *info);
/* Returns true for a gate of this version, or of an older one with the same layouts. */
bool gate_conf_is_known(const struct gate_conf *conf);
/* Reads the conf from a gate's map .rodata. Leaves *conf as it is if there is none. */
void gate_read_conf(int fd, const struct bpf_map_info *info, struct gate_conf *conf);
/* Reads the conf of a program in the kernel, which another process may have loaded. Returns 0 or
 * -errno; -ENOENT if it is not a gate, or is one of an unknown version. Does not report errors. */
int gate_find_conf(const struct find_prog *prog, struct gate_conf *conf);
/* Returns the program of a direction, for these hooks (HOOK_BIT()s). */
uint32_t gate_select_prog(enum gate_dir dir, unsigned int hooks, bool guarded);

#endif
