/* SPDX-License-Identifier: MIT */
/* CO-RE: adapts instructions to the running kernel's types. */
#ifndef OBJ_CORE_H
#define OBJ_CORE_H

#include "obj/spec.h"
#include "sys/btf.h"

/* Fills lookups with the types that the relocations of a spec's program need, for btf_resolve():
 * prog->ncores of them, in order. */
void core_lookups(const struct spec *spec, const struct spec_prog *prog,
		  struct btf_lookup *lookups);
/* Applies the relocations to insns, the program's own copy. A type or member that this kernel lacks
 * becomes a call that the verifier refuses if it is reachable; the verifier prunes code after a
 * false exists check. Returns 0 or -errno. Reports errors. */
int core_apply(const struct spec_prog *prog, struct bpf_insn *insns, const struct btf *btf,
	       const struct btf_lookup *found);

#endif
