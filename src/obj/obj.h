/* SPDX-License-Identifier: MIT */
/* A spec made real: its maps created, its programs relocated for this kernel and loaded. */
#ifndef OBJ_OBJ_H
#define OBJ_OBJ_H

#include <stdbool.h>
#include <stdint.h>
#include "obj/spec.h"

enum { OBJ_MAPS_MAX = 16, OBJ_PROGS_MAX = 16 };

/* Zeroed: closed. Descriptors are 0 for what was not created. */
struct obj {
	const struct spec *spec;
	int map_fd[OBJ_MAPS_MAX];
	int prog_fd[OBJ_PROGS_MAX];
	int btf_fd;
};

/* Code in place of a program's stub. */
struct obj_code {
	const struct bpf_insn *insns;
	uint32_t n; /* 0: the stub stays */
	bool none;  /* it is taken out, and answers 0: not all kernels have subprograms beside tail
		     * calls */
};

/* What is otherwise with a map than its spec says; 0: as there. */
struct obj_map {
	int fd; /* the caller's: use this map */
	uint32_t value_size, max_entries;
};

struct btf;
struct obj_opts {
	const struct btf *types;      /* the kernel's, if the caller has them; NULL: looked for */
	const struct obj_code *stubs; /* one a program; NULL: stubs stay */
	const struct obj_map *maps;   /* one a map; NULL: all as in the spec */
	const void *conf;   /* spec->conf_len bytes for the frozen conf; NULL: as compiled */
	uint32_t progs;     /* bit i: load spec->progs[i]; 0: all */
	uint32_t flags;     /* BPF_F_* for all programs */
	uint32_t xdp_flags; /* the same for the XDP programs, besides */
	bool no_tail_calls; /* they are taken out, as if nobody were called: not even where they are
			     * never reached may they stand beside subprograms in all kernels */
	bool verbose;       /* on failure the verifier's whole log, not its last lines */
};

/* Create, relocate, load; what was created is closed again on failure, after one clear line (and
 * the log's end if the verifier said no). 0 or -errno. */
int obj_open(struct obj *o, const struct spec *spec, const struct obj_opts *opts);
void obj_close(struct obj *o);

/* Look up at once what all programs of these specs want of the kernel's types, before they are
 * opened with them one by one. 0 or -ENOMEM, unsaid: each is looked up then. */
int obj_learn(struct btf *types, const struct spec *const *specs, size_t n);

/* All instructions of a spec, where its programs are from .first on, on the heap. 0 or -errno,
 * said.
 */
int obj_code(const struct spec *spec, struct bpf_insn **code);

#endif
