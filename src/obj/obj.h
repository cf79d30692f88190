/* SPDX-License-Identifier: MIT */
/* Turns a spec into kernel objects: creates its maps, relocates its programs for this kernel and
 * loads them. */
#ifndef OBJ_OBJ_H
#define OBJ_OBJ_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/spec.h"

enum { OBJ_MAPS_MAX = 16, OBJ_PROGS_MAX = 16 };

/* Zeroed: closed. Descriptors of what was not created are 0. */
struct obj {
	const struct spec *spec;
	int map_fd[OBJ_MAPS_MAX];
	int prog_fd[OBJ_PROGS_MAX];
	int btf_fd;
};

/* Code that replaces a program's stub. */
struct obj_code {
	const struct bpf_insn *insns;
	uint32_t n;  /* 0: keep the stub */
	bool remove; /* remove the stub, and use 0 as its result: not all kernels have subprograms
			and tail calls in one program */
};

/* Overrides for a map; 0 keeps the spec's value. */
struct obj_map {
	int fd; /* use this map, which the caller owns */
	uint32_t value_size, max_entries;
};

struct btf;
struct obj_opts {
	/* the kernel's types, if the caller has read them; NULL: read them */
	const struct btf *types;
	const struct obj_code *stubs; /* one for each program; NULL: keep all stubs */
	const struct obj_map *maps;   /* one for each map; NULL: all as in the spec */
	const void *conf;   /* spec->conf_len bytes for the frozen conf; NULL: as compiled */
	uint32_t progs;     /* bit i: load spec->progs[i]; 0: load all */
	uint32_t flags;     /* BPF_F_* for all programs */
	uint32_t xdp_flags; /* more of them for XDP programs */
	bool no_tail_calls; /* remove the tail calls, as if they failed: some kernels refuse them
			       beside subprograms even where they are unreachable */
	bool verbose;       /* on failure print the verifier's whole log, not only its last lines */
};

/* Creates, relocates and loads. On failure closes what was created, and reports one line, with the
 * log's end if the verifier refused a program. Returns 0 or -errno. */
int obj_open(struct obj *o, const struct spec *spec, const struct obj_opts *opts);
void obj_close(struct obj *o);

/* Looks up the types that all programs of these specs need in one pass, before the specs are opened
 * one by one with these types. Returns 0, or -ENOMEM: each type is looked up later then. Does not
 * report errors. */
int obj_learn_types(struct btf *types, const struct spec *const *specs, size_t n);

/* Unpacks all instructions of a spec: spec_prog.first is an index into them. The caller frees
 * *code. Returns 0 or -errno. Reports errors. */
int obj_unpack_code(const struct spec *spec, struct bpf_insn **code);

#endif
