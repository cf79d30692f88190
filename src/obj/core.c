/* SPDX-License-Identifier: MIT */
/* Resolves CO-RE relocations by struct names and member paths. The instructions' local BTF is not
 * needed. */
#include "obj/core.h"
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

/* A helper number that no kernel has, easy to see in a verifier's log. */
enum { CORE_POISON = 0x50de };

struct core_value {
	bool resolved;
	uint64_t value;
	uint32_t size; /* of the field, for loads and stores; 0: any */
};

static uint32_t btf_kinds_for(uint16_t kind)
{
	if (kind == SPEC_ENUM_EXISTS || kind == SPEC_ENUM_VALUE)
		return BTF_KIND_BIT(ENUM) | 1u << 19 /* BTF_KIND_ENUM64 */;
	if (kind == SPEC_TYPE_EXISTS || kind == SPEC_TYPE_SIZE)
		return BTF_KIND_BIT(STRUCT) | BTF_KIND_BIT(UNION) | BTF_KIND_BIT(TYPEDEF) |
		       BTF_KIND_BIT(ENUM) | 1u << 19;
	return BTF_KIND_BIT(STRUCT) | BTF_KIND_BIT(UNION) | BTF_KIND_BIT(TYPEDEF);
}

static struct core_value resolve_core(const struct btf *btf, const struct spec_core *c, uint32_t id)
{
	struct core_value a = { .resolved = true };
	struct btf_field f = { 0 };
	int64_t size;

	switch (c->kind) {
	case SPEC_TYPE_EXISTS:
		a.value = id != 0;
		break;
	case SPEC_TYPE_SIZE:
		size = btf_type_size(btf, id);
		a.resolved = size >= 0;
		a.value = (uint64_t)size;
		break;
	case SPEC_ENUM_EXISTS:
		a.value = !btf_enum_value(btf, id, c->path, &a.value);
		break;
	case SPEC_ENUM_VALUE:
		a.resolved = !btf_enum_value(btf, id, c->path, &a.value);
		break;
	case SPEC_FIELD_EXISTS:
		a.value = !btf_find_field(btf, id, c->path, &f);
		break;
	case SPEC_FIELD_SIZE:
		a.resolved = !btf_find_field(btf, id, c->path, &f);
		a.value = f.size;
		break;
	default:
		a.resolved = !btf_find_field(btf, id, c->path, &f);
		a.value = f.off;
		a.size = f.size;
		break;
	}
	return a;
}

static void poison_insn(struct bpf_insn *insn)
{
	/* A ld_imm64 has two halves: replace both. */
	int n = insn->code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1;

	for (int i = 0; i < n; i++)
		insn[i] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = CORE_POISON };
}

static int width_code(uint32_t size)
{
	switch (size) {
	case 1:
		return BPF_B;
	case 2:
		return BPF_H;
	case 4:
		return BPF_W;
	case 8:
		return BPF_DW;
	default:
		return -1;
	}
}

/* A load or store of a whole field takes the field's size in this kernel. One of a part of a field
 * keeps its size. */
static int patch_access(struct bpf_insn *insn, const struct spec_core *c,
			const struct core_value *a)
{
	if (a->value > INT16_MAX)
		return -ERANGE;
	insn->off = (int16_t)a->value;
	if (c->size && a->size && c->size != a->size) {
		int width = width_code(a->size);

		if (width < 0)
			return -ERANGE;
		insn->code = (uint8_t)((insn->code & ~0x18) | width);
	}
	return 0;
}

static int patch_insn(struct bpf_insn *insn, const struct spec_core *c, const struct core_value *a)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_LDX:
	case BPF_ST:
	case BPF_STX:
		return patch_access(insn, c, a);
	case BPF_LD: /* ld_imm64 */
		insn[0].imm = (int32_t)a->value;
		insn[1].imm = (int32_t)(a->value >> 32);
		return 0;
	default:
		insn->imm = (int32_t)a->value;
		return a->value > INT32_MAX && (int64_t)a->value > 0 ? -ERANGE : 0;
	}
}

void core_lookups(const struct spec *spec, const struct spec_prog *prog, struct btf_lookup *lookups)
{
	for (uint32_t i = 0; i < prog->ncores; i++) {
		bool packed = !prog->cores;

		lookups[i] = (struct btf_lookup){
			.name = packed ? spec->names + prog->packed[i].type : prog->cores[i].type,
			.kinds = btf_kinds_for(packed ? prog->packed[i].kind : prog->cores[i].kind),
		};
	}
}

int core_apply(const struct spec_prog *prog, struct bpf_insn *insns, const struct btf *btf,
	       const struct btf_lookup *found)
{
	for (uint32_t i = 0; i < prog->ncores; i++) {
		const struct spec_core *c = &prog->cores[i];
		struct core_value a = resolve_core(btf, c, found[i].id);
		int rc = 0;

		if (!a.resolved)
			poison_insn(&insns[c->insn]);
		else
			rc = patch_insn(&insns[c->insn], c, &a);
		if (rc)
			return fail(
				rc,
				"%s: the value of %s.%s in this kernel does not fit instruction %u",
				prog->name, c->type, c->path, c->insn);
	}
	return 0;
}
