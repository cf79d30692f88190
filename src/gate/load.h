/* SPDX-License-Identifier: MIT */
/* The gate's programs loaded for an interface, with rules or without. */
#ifndef GATE_LOAD_H
#define GATE_LOAD_H

#include <stdbool.h>
#include "gate/rules.h"
#include "gen/gate.gen.h"
#include "guard/guard.h"
#include "obj/find.h"
#include "obj/obj.h"
#include "sys/link.h"

/* The sets' maps are named GATE_LOAD_SET, a number, and "_v4" or "_v6": by their number in the
 * order in which the direction's rules name them first. */
#define GATE_LOAD_SET "set"

struct gate_load {
	const struct link *link;
	uint32_t progs; /* bits of enum in gen/gate.gen.h */
	uint32_t uses;  /* enum gate_user */
	bool verbose;   /* the verifier's whole log, should it come to that */
	/* Of one program only: */
	const struct rules *rules;      /* NULL: none */
	enum gate_dir dir;              /* whose rules */
	const struct guard_plan *guard; /* of what comes in; NULL: none */
	/* Of the gate that this one is to take the place of; NULL: there is none. */
	const struct gate_conf *before;
	const int *maps; /* descriptors by map: shared; 0: a new one */
};

/* Load; for frames in several buffers where the kernel knows them. One clear line on failure, and
 * nothing stays. *conf (may be NULL): what was frozen into them. */
int gate_load(struct obj *obj, const struct gate_load *what, struct gate_conf *conf);
/* Open a map of a gate, by its name in this version or in an older one that is still known. map: an
 * index of gen/gate.gen.h. A descriptor, the caller's, with *info; -ENOENT or another -errno. Does
 * not report errors. */
int gate_find_map(const struct find_prog *prog, int map, struct bpf_map_info *info);
/* A gate of this version, or of an older one whose layouts are the same. */
bool gate_conf_is_known(const struct gate_conf *conf);
/* The conf in a gate's map .rodata; magic 0 if it is not there. */
void gate_load_conf(int fd, const struct bpf_map_info *info, struct gate_conf *conf);
/* That of a program in the kernel, whoever loaded it. -ENOENT: it is not a gate, or one of another
 * version. */
int gate_load_find(const struct find_prog *prog, struct gate_conf *conf);
/* Of a direction, by the hooks (HOOK_BIT()s) that may serve. */
uint32_t gate_load_prog(enum gate_dir dir, unsigned int hooks, bool guarded);

#endif
