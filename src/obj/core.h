/* SPDX-License-Identifier: MIT */
/* CO-RE: instructions fitted to the running kernel's types. */
#ifndef OBJ_CORE_H
#define OBJ_CORE_H

#include "obj/spec.h"
#include "sys/btf.h"

/* What the relocations of a spec's program have to have found (btf_resolve()), in turn:
 * prog->ncores of them. */
void core_lookups(const struct spec *spec, const struct spec_prog *prog, struct btf_lookup *want);
/* Apply them to insns, the program's own copy. What this kernel lacks becomes a call that the
 * verifier refuses if it is reached: code behind an exists check is pruned before that. 0 or -errno
 * after saying why. */
int core_apply(const struct spec_prog *prog, struct bpf_insn *insns, const struct btf *btf,
	       const struct btf_lookup *found);

#endif
