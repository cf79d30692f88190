/* SPDX-License-Identifier: MIT */
/* Any bytes as an object file: read it, and emit its source if it is accepted. */
#include "tests/fuzz/fuzz.h"
#include <elf.h>
#include "gen/gen.h"
#include "sys/btf.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

static void check_size(const struct btf *b, uint32_t type, uint32_t size)
{
	MUST(type <= b->n && (!type || btf_type_size(b, type) == size));
}

/* The reader at run time finds the same sizes in the reduced BTF. */
static void check_types(const struct spec *spec)
{
	struct btf b = { 0 };

	if (!spec->btf)
		return;
	MUST(!btf_open_blob(&b, spec->btf, spec->btf_len));
	for (uint32_t i = 0; i < spec->nmaps; i++) {
		check_size(&b, spec->maps[i].key_type, spec->maps[i].key_size);
		check_size(&b, spec->maps[i].value_type, spec->maps[i].value_size);
	}
	btf_close(&b);
}

/* Every jump and call stays in the program. */
static void check_jumps(const struct spec_prog *p, const struct bpf_insn *insns)
{
	for (uint32_t i = 0; i < p->ninsns; i++) {
		const struct bpf_insn *in = &insns[i];
		bool jump = BPF_CLASS(in->code) == BPF_JMP || BPF_CLASS(in->code) == BPF_JMP32;
		int64_t to = (int64_t)i + 1;

		if (in->code == (BPF_LD | BPF_IMM | BPF_DW))
			MUST(++i < p->ninsns);
		if (!jump || BPF_OP(in->code) == BPF_EXIT)
			continue;
		if (BPF_OP(in->code) == BPF_CALL) {
			/* a helper's call has no target here */
			if (in->code != (BPF_JMP | BPF_CALL) || in->src_reg != BPF_PSEUDO_CALL)
				continue;
			to += in->imm;
		} else {
			to += in->code == (BPF_JMP32 | BPF_JA) ? in->imm : in->off;
		}
		MUST(to >= 0 && to < p->ninsns);
	}
}

/* Every index is within its table. */
static void check_spec(const struct gen_obj *obj)
{
	const struct spec *spec = &obj->spec;

	MUST(spec->conf_map <= spec->nmaps);
	if (spec->conf_map < spec->nmaps)
		MUST((uint64_t)spec->conf_off + spec->conf_len <=
		     spec->maps[spec->conf_map].value_size);
	for (const struct spec_prog *p = spec->progs; p < spec->progs + spec->nprogs; p++) {
		MUST(p->first <= spec->ninsns && p->ninsns <= spec->ninsns - p->first);
		check_jumps(p, obj->layouts[p - spec->progs].insns);
		for (uint32_t i = 0; i < p->nrelocs; i++)
			MUST(p->relocs[i].map < spec->nmaps && p->relocs[i].insn + 1 < p->ninsns);
		for (uint32_t i = 0; i < p->ncores; i++)
			MUST(p->cores[i].insn < p->ninsns && p->cores[i].type && p->cores[i].path);
	}
}

/* Emitted C stays well formed: no name or text ends its quotes. */
static void check_text(const struct gen_text *t)
{
	bool quoted = false;

	for (size_t i = 0; i < t->len; i++) {
		char c = t->at[i];

		MUST(c == '\n' || c == '\t' || (c >= ' ' && c <= '~'));
		MUST(c != '\n' || !quoted);
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
	}
	MUST(!quoted);
}

static void check_emit(const struct gen_obj *obj)
{
	struct gen_text text = { 0 }, again = { 0 };

	MUST(!gen_emit_source(obj, &text) && !gen_emit_header(obj, &text));
	MUST(!gen_emit_source(obj, &again) && !gen_emit_header(obj, &again));
	MUST(text.len == again.len && !memcmp(text.at, again.at, text.len));
	check_text(&text);
	gen_text_close(&text);
	gen_text_close(&again);
}

/* A number of n bytes in the object's byte order. */
static uint64_t read_num(const uint8_t *at, size_t n, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | at[big ? i : n - 1 - i];
	return v;
}

static void write_num(uint8_t *at, size_t n, bool big, uint64_t v)
{
	for (size_t i = 0; i < n; i++, v >>= 8)
		at[big ? n - 1 - i : i] = (uint8_t)v;
}

/* Picks sizes and offsets that end exactly at a bound or just past it. */
static uint64_t pick_edge(const uint8_t *at, size_t before, size_t size, bool big,
			  unsigned int seed)
{
	uint64_t step = seed >> 3 & 1;

	switch (seed & 7) {
	case 0:
		return 0 - step;
	case 1:
		return size + step;
	case 2: /* a size after its offset: to the end of the object */
		return before < 8 ? step : size - read_num(at - 8, 8, big) + step;
	case 3: /* offset + size wraps around */
		return before < 8 ? step : step - read_num(at - 8, 8, big);
	case 4:
		return seed >> 4 & 0xff;
	case 5:
		return UINT64_C(1) << (seed >> 4 & 63);
	default:
		return read_num(at, 8, big) + (seed >> 4 & 15) - 7;
	}
}

/* Random mutations rarely change the few bytes that locate everything else: the header and the
 * section headers. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	bool big = size > EI_DATA && data[EI_DATA] == ELFDATA2MSB;
	size_t from = 0, len = sizeof(Elf64_Ehdr), at;
	uint64_t table;

	if (seed % 3 || size < sizeof(Elf64_Ehdr))
		return LLVMFuzzerMutate(data, size, max);
	seed /= 3;
	table = read_num(data + offsetof(Elf64_Ehdr, e_shoff), 8, big);
	if (seed % 16 && table < size) {
		from = table;
		len = size - table;
	}
	seed /= 16;
	at = from + seed % (len / 8 + 1) * 8;
	if (at + 8 > size)
		at = size - 8;
	seed /= (unsigned int)(len / 8 + 1);
	write_num(data + at, seed & 1 ? 8 : 4, big, pick_edge(data + at, at, size, big, seed >> 1));
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen_obj obj, before;
	struct diag d = { "" };

	memset(&obj, 0x5a, sizeof(obj));
	before = obj;
	/* "maps" is the one seed (tests/data/gen, compiled) that has a conf. */
	if (gen_read(data, size, "maps", &obj, &d)) {
		MUST(d.msg[0] && strlen(d.msg) < sizeof(d.msg));
		MUST(!memcmp(&obj, &before, sizeof(obj)));
		return 0;
	}
	check_spec(&obj);
	if (!obj.big)
		check_types(&obj.spec);
	check_emit(&obj);
	gen_obj_close(&obj);
	return 0;
}
