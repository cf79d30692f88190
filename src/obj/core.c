/* SPDX-License-Identifier: MIT */
/* CO-RE relocations from struct names and member paths (no instruction's local BTF is needed). */
#include "obj/core.h"
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

/* A helper number that no kernel has, easily seen in a verifier's log. */
enum { CORE_POISON = 0x50de };

struct answer {
	bool known;
	uint64_t value;
	uint32_t size; /* of the field, for loads and stores; 0: does not matter */
};

static uint32_t kinds_of(uint16_t kind)
{
	if (kind == SPEC_ENUM_EXISTS || kind == SPEC_ENUM_VALUE)
		return BTF_KIND_BIT(ENUM) | 1u << 19 /* BTF_KIND_ENUM64 */;
	if (kind == SPEC_TYPE_EXISTS || kind == SPEC_TYPE_SIZE)
		return BTF_KIND_BIT(STRUCT) | BTF_KIND_BIT(UNION) | BTF_KIND_BIT(TYPEDEF) |
		       BTF_KIND_BIT(ENUM) | 1u << 19;
	return BTF_KIND_BIT(STRUCT) | BTF_KIND_BIT(UNION) | BTF_KIND_BIT(TYPEDEF);
}

static struct answer ask(const struct btf *btf, const struct spec_core *c, uint32_t id)
{
	struct answer a = { .known = true };
	struct btf_field f = { 0 };
	int64_t size;

	switch (c->kind) {
	case SPEC_TYPE_EXISTS:
		a.value = id != 0;
		break;
	case SPEC_TYPE_SIZE:
		size = btf_type_size(btf, id);
		a.known = size >= 0;
		a.value = (uint64_t)size;
		break;
	case SPEC_ENUM_EXISTS:
		a.value = !btf_enum_value(btf, id, c->path, &a.value);
		break;
	case SPEC_ENUM_VALUE:
		a.known = !btf_enum_value(btf, id, c->path, &a.value);
		break;
	case SPEC_FIELD_EXISTS:
		a.value = !btf_find_field(btf, id, c->path, &f);
		break;
	case SPEC_FIELD_SIZE:
		a.known = !btf_find_field(btf, id, c->path, &f);
		a.value = f.size;
		break;
	default:
		a.known = !btf_find_field(btf, id, c->path, &f);
		a.value = f.off;
		a.size = f.size;
		break;
	}
	return a;
}

static void poison(struct bpf_insn *insn)
{
	/* Both halves of a ld_imm64 have to go. */
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

/* A load or store of a whole field follows the field's size; of a part, it stays as it was. */
static int patch_access(struct bpf_insn *insn, const struct spec_core *c, const struct answer *a)
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

static int patch(struct bpf_insn *insn, const struct spec_core *c, const struct answer *a)
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

void core_lookups(const struct spec *spec, const struct spec_prog *prog, struct btf_lookup *want)
{
	for (uint32_t i = 0; i < prog->ncores; i++) {
		bool packed = !prog->cores;

		want[i] = (struct btf_lookup){
			.name = packed ? spec->names + prog->packed[i].type : prog->cores[i].type,
			.kinds = kinds_of(packed ? prog->packed[i].kind : prog->cores[i].kind),
		};
	}
}

int core_apply(const struct spec_prog *prog, struct bpf_insn *insns, const struct btf *btf,
	       const struct btf_lookup *found)
{
	for (uint32_t i = 0; i < prog->ncores; i++) {
		const struct spec_core *c = &prog->cores[i];
		struct answer a = ask(btf, c, found[i].id);
		int rc = 0;

		if (!a.known)
			poison(&insns[c->insn]);
		else
			rc = patch(&insns[c->insn], c, &a);
		if (rc)
			return fail(rc, "%s: this kernel's %s.%s does not fit instruction %u",
				    prog->name, c->type, c->path, c->insn);
	}
	return 0;
}
