// SPDX-License-Identifier: MIT
/* gen with objects compiled from tests/data/gen: what it reads and what it emits. */
#define _GNU_SOURCE /* asprintf, memmem */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "gen/gen.h"
#include "obj/obj.h"
#include "tests/unit/gen_data.h"
#include "tests/unit/suites.h"

static const struct spec_map *map_of(const struct gen_obj *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->spec.nmaps; i++)
		if (!strcmp(obj->spec.maps[i].name, name))
			return &obj->spec.maps[i];
	return NULL;
}

static const struct spec_prog *prog_of(const struct gen_obj *obj, const char *name)
{
	for (uint32_t i = 0; i < obj->spec.nprogs; i++)
		if (!strcmp(obj->spec.progs[i].name, name))
			return &obj->spec.progs[i];
	ck_abort_msg("no program %s", name);
}

static const struct gen_layout *layout_of(const struct gen_obj *obj, const struct spec_prog *p)
{
	return &obj->layouts[p - obj->spec.progs];
}

static const struct gen_func *func_of(const struct gen_obj *obj, const char *prog, const char *name)
{
	const struct gen_layout *l = layout_of(obj, prog_of(obj, prog));

	for (uint32_t i = 0; i < l->nfuncs; i++)
		if (!strcmp(l->funcs[i].name, name))
			return &l->funcs[i];
	return NULL;
}

START_TEST(maps_as_declared)
{
	static const struct spec_map want[] = {
		{ .name = "flows", .type = 1, .key_size = 8, .value_size = 16, .max_entries = 100 },
		{ .name = "sums", .type = 6, .key_size = 4, .value_size = 24, .max_entries = 3 },
		{ .name = "nets",
		  .type = 11,
		  .key_size = 8,
		  .value_size = 1,
		  .max_entries = 1000,
		  .flags = BPF_F_NO_PREALLOC },
		{ .name = "ring", .type = 27, .max_entries = 65536 },
		{ .name = "next", .type = 3, .key_size = 4, .value_size = 4, .max_entries = 2 },
		{ .name = "events", .type = 4, .key_size = 4, .value_size = 4 },
		{ .name = "line", .type = 22, .value_size = 4, .max_entries = 8 },
		{ .name = "maps.rodata",
		  .type = 2,
		  .key_size = 4,
		  .value_size = 16,
		  .max_entries = 1,
		  .flags = BPF_F_RDONLY_PROG,
		  .frozen = true,
		  .global = true },
		{ .name = "maps.data",
		  .type = 2,
		  .key_size = 4,
		  .value_size = 16,
		  .max_entries = 1,
		  .global = true },
		{ .name = "maps.bss",
		  .type = 2,
		  .key_size = 4,
		  .value_size = 24,
		  .max_entries = 1,
		  .global = true },
	};
	struct gen_obj obj = read_good(targets[_i], "maps");
	size_t n = ARRAY_LEN(want);

	ck_assert_uint_eq(obj.spec.nmaps, n);
	for (size_t i = 0; i < n; i++) {
		const struct spec_map *m = map_of(&obj, want[i].name);

		ck_assert_msg(m != NULL, "no map %s", want[i].name);
		ck_assert_uint_eq(m->type, want[i].type);
		ck_assert_uint_eq(m->key_size, want[i].key_size);
		ck_assert_uint_eq(m->value_size, want[i].value_size);
		ck_assert_uint_eq(m->max_entries, want[i].max_entries);
		ck_assert_uint_eq(m->flags, want[i].flags);
		ck_assert_int_eq(m->frozen, want[i].frozen);
		ck_assert_int_eq(m->global, want[i].global);
	}
	ck_assert_ptr_null(map_of(&obj, "unused"));
	gen_obj_close(&obj);
}
END_TEST

START_TEST(global_data_has_its_bytes)
{
	struct gen_obj obj = read_good(targets[_i], "maps");
	const struct spec_map *data = map_of(&obj, "maps.data"), *conf;
	unsigned int low = _i ? 3 : 0;

	for (uint8_t i = 0; i < 4; i++)
		ck_assert_uint_eq(data->image[i * 4 + low], i + 1);
	ck_assert_ptr_null(map_of(&obj, "maps.bss")->image);
	ck_assert_ptr_null(map_of(&obj, "flows")->image);
	ck_assert_uint_lt(obj.spec.conf_map, obj.spec.nmaps);
	conf = &obj.spec.maps[obj.spec.conf_map];
	ck_assert_str_eq(conf->name, "maps.rodata");
	ck_assert_uint_eq(obj.spec.conf_len, 8);
	ck_assert_uint_eq(conf->image[obj.spec.conf_off + low], 9);
	ck_assert_uint_eq(conf->image[obj.spec.conf_off + 4], 1);
	gen_obj_close(&obj);
}
END_TEST

START_TEST(conf_is_optional)
{
	struct gen_obj obj = read_good("bpfel", "subs");

	ck_assert_uint_eq(obj.spec.conf_map, obj.spec.nmaps);
	ck_assert_uint_eq(obj.spec.conf_len, 0);
	gen_obj_close(&obj);
}
END_TEST

/* Each relocation is at a ld_imm64 that is filled in as far as possible, they are in order, and all
 * maps are used (no map of maps.bpf.c is kept for conf only). */
START_TEST(relocations_refer_to_their_instructions)
{
	struct gen_obj obj = read_good(targets[_i], "maps");
	const struct spec_prog *p = prog_of(&obj, "count");
	uint64_t seen = 0;
	bool conf = false;

	for (uint32_t i = 0; i < p->nrelocs; i++) {
		const struct spec_reloc *rel = &p->relocs[i];
		const struct bpf_insn *in = &layout_of(&obj, p)->insns[rel->insn];

		ck_assert_uint_lt(rel->insn + 1, p->ninsns);
		ck_assert_uint_lt(rel->map, obj.spec.nmaps);
		ck_assert_uint_eq(in->code, BPF_LD | BPF_IMM | BPF_DW);
		ck_assert_uint_eq(in->src_reg, rel->kind);
		ck_assert_uint_eq(rel->kind,
				  obj.spec.maps[rel->map].global ? SPEC_MAP_VALUE : SPEC_MAP_FD);
		ck_assert_int_eq(in[1].imm, rel->off);
		if (i)
			ck_assert_uint_gt(rel->insn, p->relocs[i - 1].insn);
		seen |= 1ull << rel->map;
		conf |= rel->map == obj.spec.conf_map && rel->off == obj.spec.conf_off;
	}
	ck_assert_uint_eq(seen, (1ull << obj.spec.nmaps) - 1);
	ck_assert(conf);
	gen_obj_close(&obj);
}
END_TEST

START_TEST(variables_have_their_own_offsets)
{
	struct gen_obj obj = read_good(targets[_i], "maps");
	const struct spec_prog *p = prog_of(&obj, "count");
	const struct spec_map *bss = map_of(&obj, "maps.bss");
	uint32_t n = 0, offs[2];

	for (uint32_t i = 0; i < p->nrelocs; i++) {
		if (&obj.spec.maps[p->relocs[i].map] != bss)
			continue;
		ck_assert_uint_lt(n, 2);
		offs[n++] = p->relocs[i].off;
	}
	/* calls has 8 bytes and last 16. The compiler chooses which is first. */
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_ne(offs[0], offs[1]);
	ck_assert_uint_eq(offs[0] + offs[1] == 8 ? 8 : 16, offs[0] + offs[1]);
	gen_obj_close(&obj);
}
END_TEST

START_TEST(data_sections_have_their_own_names)
{
	static const char *const names[] = { "data.data.own", "data.rodata.str",
					     "data.rodata.cst" };
	static const char *const labels[] = { "data_own", "rodata_str1_1", "rodata_cst16" };
	struct gen_obj obj = read_good(targets[_i], "data");

	ck_assert_uint_eq(obj.spec.nmaps, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(obj.spec.maps[i].name, names[i]);
		ck_assert_str_eq(obj.map_labels[i], labels[i]);
		ck_assert_int_eq(obj.spec.maps[i].frozen, i > 0);
	}
	gen_obj_close(&obj);
}
END_TEST

/* Whether function a of a program calls its function b. */
static bool has_call(const struct gen_obj *obj, const char *prog, const char *a, const char *b)
{
	const struct bpf_insn *insns = layout_of(obj, prog_of(obj, prog))->insns;
	const struct gen_func *from = func_of(obj, prog, a), *to = func_of(obj, prog, b);

	ck_assert(from && to);
	for (uint32_t i = from->start; i < from->start + from->len; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].dst_reg &&
		    insns[i].src_reg == BPF_PSEUDO_CALL && i + 1 + insns[i].imm == to->start)
			return true;
	return false;
}

static void assert_layout(const struct gen_obj *obj, const char *prog, const char *const *names)
{
	const struct spec_prog *p = prog_of(obj, prog);
	const struct gen_layout *l = layout_of(obj, p);
	uint32_t i, at = 0;

	for (i = 0; names[i]; i++) {
		ck_assert_uint_lt(i, l->nfuncs);
		ck_assert_str_eq(l->funcs[i].name, names[i]);
		ck_assert_uint_eq(l->funcs[i].start, at);
		at += l->funcs[i].len;
	}
	ck_assert_uint_eq(i, l->nfuncs);
	ck_assert_uint_eq(at, p->ninsns);
	ck_assert_uint_eq(l->insns[at - 1].code, BPF_JMP | BPF_EXIT);
}

START_TEST(subprograms_follow_their_program)
{
	static const char *const first[] = { "first", "middle", "global", "leaf", NULL };
	static const char *const second[] = { "second", "leaf", NULL };
	static const char *const alone[] = { "alone", NULL };
	struct gen_obj obj = read_good(targets[_i], "subs");

	ck_assert_uint_eq(obj.spec.nprogs, 3);
	assert_layout(&obj, "first", first);
	assert_layout(&obj, "second", second);
	assert_layout(&obj, "alone", alone);
	ck_assert(has_call(&obj, "first", "first", "middle"));
	ck_assert(has_call(&obj, "first", "first", "global"));
	ck_assert(has_call(&obj, "first", "middle", "leaf"));
	ck_assert(has_call(&obj, "first", "global", "leaf"));
	ck_assert(!has_call(&obj, "first", "first", "leaf"));
	ck_assert(has_call(&obj, "second", "second", "leaf"));
	gen_obj_close(&obj);
}
END_TEST

/* leaf uses two variables, so its relocations must move with it. */
START_TEST(subprograms_bring_their_relocations)
{
	static const char *const progs[] = { "first", "second" };
	struct gen_obj obj = read_good(targets[_i], "subs");

	for (int k = 0; k < 2; k++) {
		const struct spec_prog *p = prog_of(&obj, progs[k]);
		const struct gen_func *leaf = func_of(&obj, progs[k], "leaf");

		ck_assert_uint_eq(p->nrelocs, 2);
		for (uint32_t i = 0; i < 2; i++) {
			ck_assert_uint_ge(p->relocs[i].insn, leaf->start);
			ck_assert_uint_lt(p->relocs[i].insn, leaf->start + leaf->len);
		}
		ck_assert_uint_ne(p->relocs[0].map, p->relocs[1].map);
	}
	ck_assert_uint_eq(prog_of(&obj, "alone")->nrelocs, 0);
	gen_obj_close(&obj);
}
END_TEST

START_TEST(recursive_calls_end)
{
	static const char *const want[] = { "spin", "count_even", "count_odd", NULL };
	struct gen_obj obj = read_good(targets[_i], "circle");

	assert_layout(&obj, "spin", want);
	ck_assert(has_call(&obj, "spin", "count_even", "count_odd"));
	ck_assert(has_call(&obj, "spin", "count_odd", "count_even"));
	gen_obj_close(&obj);
}
END_TEST

/* value: what the compiled instruction holds. */
struct core_lookups {
	const char *func;
	uint16_t kind, size;
	const char *type, *path;
	int32_t value;
};

static void assert_cores(const struct gen_obj *obj, const char *prog,
			 const struct core_lookups *want, uint32_t n)
{
	const struct spec_prog *p = prog_of(obj, prog);
	const struct bpf_insn *insns = layout_of(obj, p)->insns;

	ck_assert_uint_eq(p->ncores, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct gen_func *f = func_of(obj, prog, want[i].func);
		const struct spec_core *c = NULL;
		uint8_t class;

		for (uint32_t k = 0; k < n && !c; k++)
			if (p->cores[k].kind == want[i].kind &&
			    !strcmp(p->cores[k].type, want[i].type) &&
			    !strcmp(p->cores[k].path, want[i].path))
				c = &p->cores[k];
		ck_assert_msg(c != NULL, "no %s.%s", want[i].type, want[i].path);
		ck_assert_uint_eq(c->size, want[i].size);
		ck_assert_uint_ge(c->insn, f->start);
		ck_assert_uint_lt(c->insn, f->start + f->len);
		class = BPF_CLASS(insns[c->insn].code);
		if (class == BPF_LDX || class == BPF_STX || class == BPF_ST)
			ck_assert_int_eq(insns[c->insn].off, want[i].value);
		else
			ck_assert_int_eq(insns[c->insn].imm, want[i].value);
		if (i)
			ck_assert_uint_gt(p->cores[i].insn, p->cores[i - 1].insn);
	}
}

START_TEST(core_paths_are_names)
{
	static const struct core_lookups want[] = {
		{ "paths", SPEC_FIELD_OFFSET, 4, "outer", "a", 0 },
		{ "paths", SPEC_FIELD_OFFSET, 4, "outer", "b", 8 },
		{ "paths", SPEC_FIELD_OFFSET, 8, "outer", "d", 8 },
		{ "paths", SPEC_FIELD_OFFSET, 4, "point", "y", 4 },
		{ "paths", SPEC_FIELD_OFFSET, 4, "far", "ns.inum", 24 },
		{ "read_nested", SPEC_FIELD_OFFSET, 2, "outer", "list[1].words[2]", 32 },
		{ "read_nested", SPEC_FIELD_OFFSET, 5, "outer", "named.tail[1]", 53 },
	};
	struct gen_obj obj = read_good(targets[_i], "core");

	assert_cores(&obj, "paths", want, ARRAY_LEN(want));
	gen_obj_close(&obj);
}
END_TEST

START_TEST(core_infos_are_known)
{
	static const struct core_lookups want[] = {
		{ "infos", SPEC_FIELD_EXISTS, 0, "outer", "list", 1 },
		{ "infos", SPEC_FIELD_SIZE, 0, "outer", "list[2].words", 8 },
		{ "infos", SPEC_FIELD_OFFSET, 10, "outer", "named.tail", 48 },
		{ "infos", SPEC_TYPE_EXISTS, 0, "inner", "", 1 },
		{ "infos", SPEC_TYPE_SIZE, 0, "outer", "", 64 },
		{ "infos", SPEC_ENUM_VALUE, 0, "color", "BLUE", 70000 },
		{ "infos", SPEC_ENUM_EXISTS, 0, "big", "HUGE", 1 },
	};
	struct gen_obj obj = read_good(targets[_i], "core");

	assert_cores(&obj, "infos", want, ARRAY_LEN(want));
	gen_obj_close(&obj);
}
END_TEST

START_TEST(sections_set_the_type)
{
	static const struct {
		const char *name;
		uint32_t type, attach;
		const char *target;
	} want[] = {
		{ "p_xdp", BPF_PROG_TYPE_XDP, BPF_XDP, NULL },
		{ "p_tc", BPF_PROG_TYPE_SCHED_CLS, 0, NULL },
		{ "p_socket", BPF_PROG_TYPE_SOCKET_FILTER, 0, NULL },
		{ "p_syscall", BPF_PROG_TYPE_SYSCALL, 0, NULL },
		{ "p_in", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, NULL },
		{ "p_out", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, NULL },
		{ "p_raw", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, "kfree_skb" },
		{ "p_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "kfree_skb" },
		{ "p_fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "tcp_connect" },
		{ "p_fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "tcp_connect" },
		{ "p_iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "tcp" },
		{ "p_tp", BPF_PROG_TYPE_TRACEPOINT, 0, "sock/inet_sock_set_state" },
		{ "p_kprobe", BPF_PROG_TYPE_KPROBE, 0, "tcp_connect" },
		{ "p_kretprobe", BPF_PROG_TYPE_KPROBE, 0, NULL },
		{ "p_uprobe", BPF_PROG_TYPE_KPROBE, 0, NULL },
		{ "p_uretprobe", BPF_PROG_TYPE_KPROBE, 0, "x" },
	};
	struct gen_obj obj = read_good("bpfel", "sections");
	size_t n = ARRAY_LEN(want);

	ck_assert_uint_eq(obj.spec.nprogs, n);
	for (size_t i = 0; i < n; i++) {
		const struct spec_prog *p = prog_of(&obj, want[i].name);

		ck_assert_uint_eq(p->type, want[i].type);
		ck_assert_uint_eq(p->attach_type, want[i].attach);
		ck_assert_pstr_eq(p->target, want[i].target);
	}
	gen_obj_close(&obj);
}
END_TEST

static bool btf_has(const struct gen_obj *obj, const char *name)
{
	return memmem(obj->spec.btf, obj->spec.btf_len, name, strlen(name) + 1) != NULL;
}

/* A 32-bit word of a reduced BTF, in the target's byte order. */
static uint32_t read_word(const struct gen_obj *obj, uint32_t at)
{
	const uint8_t *b = obj->spec.btf + at;

	ck_assert_uint_le(at + 4, obj->spec.btf_len);
	return obj->big ? (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]
			: (uint32_t)b[3] << 24 | b[2] << 16 | b[1] << 8 | b[0];
}

START_TEST(btf_pointers_refer_to_void)
{
	struct gen_obj obj = read_good(targets[_i], "types");
	uint32_t head = read_word(&obj, 4), end = head + read_word(&obj, 12), n = 0;

	/* No other word of this object's types looks like the info of a pointer. */
	for (uint32_t at = head; at + 4 < end; at += 4) {
		if (read_word(&obj, at) != 2u << 24)
			continue;
		ck_assert_uint_eq(read_word(&obj, at + 4), 0);
		n++;
	}
	ck_assert_uint_eq(n, 1);
	gen_obj_close(&obj);
}
END_TEST

START_TEST(btf_is_reduced)
{
	static const uint8_t magic[NTARGETS][2] = { { 0x9f, 0xeb }, { 0xeb, 0x9f } };
	struct gen_obj obj = read_good(targets[_i], "types");

	ck_assert_ptr_nonnull(obj.spec.btf);
	ck_assert_mem_eq(obj.spec.btf, magic[_i], 2);
	ck_assert(map_of(&obj, "rich")->key_type && map_of(&obj, "rich")->value_type);
	ck_assert(btf_has(&obj, "pairs") && btf_has(&obj, "rest") && btf_has(&obj, "BUSY"));
	/* Types after a pointer, of the object's own sections, and of an omitted map. */
	ck_assert(!btf_has(&obj, "secret_member") && !btf_has(&obj, "hidden"));
	ck_assert(!btf_has(&obj, "license") && !btf_has(&obj, "look"));
	ck_assert(!btf_has(&obj, "measured") && !btf_has(&obj, "float"));
	ck_assert_uint_eq(map_of(&obj, "floating")->key_type, 0);
	ck_assert_uint_eq(map_of(&obj, "floating")->value_type, 0);
	ck_assert_uint_eq(map_of(&obj, "half")->key_type, 0);
	ck_assert_uint_eq(map_of(&obj, "half")->value_type, 0);
	gen_obj_close(&obj);
	obj = read_good(targets[_i], "subs");
	ck_assert_ptr_null(obj.spec.btf);
	ck_assert_uint_eq(obj.spec.btf_len, 0);
	gen_obj_close(&obj);
}
END_TEST

static void assert_same_insns(const struct bpf_insn *a, const struct bpf_insn *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		ck_assert_uint_eq(a[i].code, b[i].code);
		ck_assert_uint_eq(a[i].dst_reg, b[i].dst_reg);
		ck_assert_uint_eq(a[i].src_reg, b[i].src_reg);
		ck_assert_int_eq(a[i].off, b[i].off);
		ck_assert_int_eq(a[i].imm, b[i].imm);
	}
}

static void assert_same_prog(const struct spec_prog *a, const struct spec_prog *b)
{
	ck_assert_str_eq(a->name, b->name);
	ck_assert_uint_eq(a->first, b->first);
	ck_assert_uint_eq(a->ninsns, b->ninsns);
	ck_assert_uint_eq(a->nrelocs, b->nrelocs);
	for (uint32_t i = 0; i < a->nrelocs; i++) {
		ck_assert_uint_eq(a->relocs[i].insn, b->relocs[i].insn);
		ck_assert_uint_eq(a->relocs[i].map, b->relocs[i].map);
		ck_assert_uint_eq(a->relocs[i].off, b->relocs[i].off);
	}
	ck_assert_uint_eq(a->ncores, b->ncores);
	for (uint32_t i = 0; i < a->ncores; i++) {
		ck_assert_uint_eq(a->cores[i].insn, b->cores[i].insn);
		ck_assert_str_eq(a->cores[i].path, b->cores[i].path);
	}
}

/* The sources do not depend on the byte order, so both objects have the same code. */
START_TEST(byte_orders_are_alike)
{
	struct gen_obj el = read_good("bpfel", good[_i]), eb = read_good("bpfeb", good[_i]);

	ck_assert(!el.big && eb.big);
	ck_assert_uint_eq(el.spec.nprogs, eb.spec.nprogs);
	for (uint32_t i = 0; i < el.spec.nprogs; i++) {
		assert_same_prog(&el.spec.progs[i], &eb.spec.progs[i]);
		assert_same_insns(el.layouts[i].insns, eb.layouts[i].insns,
				  el.spec.progs[i].ninsns);
	}
	ck_assert_uint_eq(el.spec.nmaps, eb.spec.nmaps);
	ck_assert_uint_eq(el.spec.btf_len, eb.spec.btf_len);
	gen_obj_close(&el);
	gen_obj_close(&eb);
}
END_TEST

/* Unpacking restores the instructions. Code that was not packed is in the target's byte order. */
START_TEST(code_is_packed)
{
	const char *target = targets[_i % NTARGETS], *name = good[_i / NTARGETS];
	struct gen_obj obj = read_good(target, name);
	bool swapped = obj.big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	uint32_t len = 0, at = 0;
	uint32_t streams[STREAMS] = { 0 };
	uint8_t *code = gen_pack(&obj, &len, streams);
	struct spec spec = { .name = name, .code = code, .code_len = len };
	struct bpf_insn *insns;

	ck_assert_uint_le(len, obj.spec.ninsns * sizeof(*insns));
	swapped &= len == obj.spec.ninsns * sizeof(*insns);
	spec.ninsns = obj.spec.ninsns;
	memcpy(spec.streams, streams, sizeof(streams));
	ck_assert(code && !obj_unpack_code(&spec, &insns));
	for (uint32_t i = 0; i < obj.spec.ninsns && swapped; i++) {
		uint8_t regs = insns[i].src_reg;

		insns[i].src_reg = insns[i].dst_reg;
		insns[i].dst_reg = regs;
		insns[i].off = (int16_t)__builtin_bswap16((uint16_t)insns[i].off);
		insns[i].imm = (int32_t)__builtin_bswap32((uint32_t)insns[i].imm);
	}
	for (uint32_t i = 0; i < obj.spec.nprogs; at += obj.spec.progs[i++].ninsns) {
		ck_assert_uint_eq(obj.spec.progs[i].first, at);
		assert_same_insns(insns + at, obj.layouts[i].insns, obj.spec.progs[i].ninsns);
	}
	ck_assert_uint_eq(at, obj.spec.ninsns);
	free(insns);
	free(code);
	gen_obj_close(&obj);
}
END_TEST

/* Each stream must have exactly the length that the instructions need. */
START_TEST(stream_lengths_are_checked)
{
	/* r0 = 7; *(u64 *)(r10 - 512) = r0; if r0 == 1 << 20 goto +1; exit */
	static const uint8_t at[] = { 0xb7, 0x00, 0x7b, 0x0a, 0x15, 0x00, 0x95, 0x00, 0x80, 0x00,
				      0xfe, 0x01, 0x00, 7,    0x80, 0,    0,    0x10, 0 };
	static const uint32_t lens[STREAMS] = { 8, 3, 2, 6 };
	struct bpf_insn insns[4];

	ck_assert(!streams_join(at, lens, insns, 4));
	ck_assert(insns[0].imm == 7 && insns[1].off == -512 && insns[1].dst_reg == 10);
	ck_assert(insns[2].off == 1 && insns[2].imm == 1 << 20 && insns[3].code == 0x95);
	ck_assert_int_eq(streams_join(at, lens, insns, 3), -EBADMSG);
	for (int i = 0; i < STREAMS; i++) {
		uint32_t wrong[STREAMS];

		memcpy(wrong, lens, sizeof(wrong));
		wrong[i]--;
		ck_assert_int_eq(streams_join(at, wrong, insns, 4), -EBADMSG);
	}
}
END_TEST

static struct gen_text emit_text(const struct gen_obj *obj)
{
	struct gen_text text = { 0 };

	ck_assert_int_eq(gen_emit_header(obj, &text), 0);
	ck_assert_int_eq(gen_emit_source(obj, &text), 0);
	return text;
}

static void assert_contains(const struct gen_text *text, const char *part)
{
	ck_assert_msg(memmem(text->at, text->len, part, strlen(part)) != NULL, "no '%s'", part);
}

START_TEST(output_is_reproducible)
{
	const char *target = targets[_i % NTARGETS], *name = good[_i / NTARGETS];
	struct gen_obj a = read_good(target, name), b = read_good(target, name);
	struct gen_text x = emit_text(&a), y = emit_text(&b);

	ck_assert_uint_gt(x.len, 0);
	ck_assert_uint_eq(x.len, y.len);
	ck_assert_mem_eq(x.at, y.at, x.len);
	gen_text_close(&x);
	gen_text_close(&y);
	gen_obj_close(&a);
	gen_obj_close(&b);
}
END_TEST

START_TEST(output_describes_the_object)
{
	struct gen_obj obj = read_good(targets[_i], "maps");
	struct gen_text text = emit_text(&obj);

	assert_contains(&text,
			"/* SPDX-License-Identifier: MIT */\n/* Made by gen from maps.bpf.o");
	assert_contains(&text, "#include \"obj/spec.h\"\n");
	assert_contains(&text, "\tMAPS_MAP_FLOWS,\n");
	assert_contains(&text, "\tMAPS_MAP_RODATA,\n");
	assert_contains(&text, "\tMAPS_NMAPS,\n");
	assert_contains(&text, "\tMAPS_PROG_COUNT,\n\tMAPS_NPROGS,\n");
	assert_contains(&text, "extern const struct spec maps_spec;\n");
	assert_contains(&text, _i ? "#error \"made from a big-endian object\""
				  : "#error \"made from a little-endian object\"");
	assert_contains(&text, "\t\t.name = \"maps.rodata\",\n");
	assert_contains(&text, "\t\t.image = image_rodata,\n\t\t.frozen = true,\n");
	assert_contains(&text, "\t\t/* 0: count */\n\t\t.first = 0,\n");
	assert_contains(&text, "const struct spec maps_spec = {\n");
	assert_contains(&text, "\t.license = \"GPL\",\n");
	gen_text_close(&text);
	gen_obj_close(&obj);
}
END_TEST

/* Strings in an object cannot end the quotes around them. */
START_TEST(strings_are_quoted)
{
	struct file file = read_object_file("bpfel", "subs");
	struct gen_obj obj = { 0 };
	struct gen_text text;
	struct diag d;
	uint8_t *gpl = memmem(file.at, file.len, "GPL", 4);

	ck_assert_ptr_nonnull(gpl);
	memcpy(gpl, "\"\n\\", 3);
	ck_assert_int_eq(gen_read(file.at, file.len, "subs", &obj, &d), 0);
	text = emit_text(&obj);
	assert_contains(&text, "\t.license = \"\\\"\\012\\\\\",\n");
	gen_text_close(&text);
	gen_obj_close(&obj);
	free(file.at);
}
END_TEST

START_TEST(closing_twice_is_harmless)
{
	struct gen_obj obj = read_good("bpfel", "subs");
	struct gen_text text = { 0 };

	gen_obj_close(&obj);
	gen_obj_close(&obj);
	gen_text_close(&text);
	ck_assert_ptr_null(obj.spec.progs);
}
END_TEST

Suite *gen_suite(void)
{
	Suite *s = suite_create("gen");
	TCase *reads = tcase_create("reads"), *writes = tcase_create("writes");

	tcase_add_loop_test(reads, maps_as_declared, 0, NTARGETS);
	tcase_add_loop_test(reads, global_data_has_its_bytes, 0, NTARGETS);
	tcase_add_test(reads, conf_is_optional);
	tcase_add_loop_test(reads, relocations_refer_to_their_instructions, 0, NTARGETS);
	tcase_add_loop_test(reads, variables_have_their_own_offsets, 0, NTARGETS);
	tcase_add_loop_test(reads, data_sections_have_their_own_names, 0, NTARGETS);
	tcase_add_loop_test(reads, subprograms_follow_their_program, 0, NTARGETS);
	tcase_add_loop_test(reads, subprograms_bring_their_relocations, 0, NTARGETS);
	tcase_add_loop_test(reads, recursive_calls_end, 0, NTARGETS);
	tcase_add_loop_test(reads, core_paths_are_names, 0, NTARGETS);
	tcase_add_loop_test(reads, core_infos_are_known, 0, NTARGETS);
	tcase_add_test(reads, sections_set_the_type);
	tcase_add_loop_test(reads, btf_is_reduced, 0, NTARGETS);
	tcase_add_loop_test(reads, btf_pointers_refer_to_void, 0, NTARGETS);
	tcase_add_loop_test(reads, byte_orders_are_alike, 0, NGOOD);
	tcase_add_test(reads, closing_twice_is_harmless);
	suite_add_tcase(s, reads);
	tcase_add_loop_test(writes, code_is_packed, 0, NGOOD * NTARGETS);
	tcase_add_test(writes, stream_lengths_are_checked);
	tcase_add_loop_test(writes, output_is_reproducible, 0, NGOOD * NTARGETS);
	tcase_add_loop_test(writes, output_describes_the_object, 0, NTARGETS);
	tcase_add_test(writes, strings_are_quoted);
	suite_add_tcase(s, writes);
	return s;
}
