/* SPDX-License-Identifier: MIT */
/* Any bytes as type information: indexed, asked for everything in it by the names it has itself,
 * and relocated against. */
#include "base/array.h"
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "base/err.h"
#include "obj/core.h"
#include "sys/btf.h"

/* Types and names that are looked at: all pairs of them are. */
enum { IDS = 12, NAMES = 3, KINDS = 7, PATH_ROOM = 256 };

/* The first bytes of most inputs would never make a header: make one of the input's, with the types
 * before a mark and the strings behind it. */
static size_t with_header(uint8_t *to, const uint8_t *data, size_t size)
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	size_t types = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];

	data += size < 2 ? size : 2;
	size -= size < 2 ? size : 2;
	h.type_len = (uint32_t)(types < size ? types : size);
	h.str_off = h.type_len;
	h.str_len = (uint32_t)size - h.type_len + 2; /* a NUL before and behind */
	memcpy(to, &h, sizeof(h));
	to += sizeof(h);
	memcpy(to, data, h.type_len);
	to[h.type_len] = 0;
	memcpy(to + h.type_len + 1, data + h.type_len, size - h.type_len);
	to[size + 1] = 0;
	return sizeof(h) + size + 2;
}

/* Names of its own that have a meaning in a path as they are; returns how many. */
static size_t pick_names(const struct btf *b, const char **names)
{
	const char *end = b->strings + b->strings_len;
	size_t n = 0;

	for (const char *s = b->strings; s < end && n < NAMES; s += strlen(s) + 1)
		if (*s && strlen(s) < PATH_ROOM / 4 && !strpbrk(s, ".["))
			names[n++] = s;
	for (; n < 2; n++)
		names[n] = "a";
	return n;
}

/* A path in two parts leads where the second leads from where the first led to. */
static void check_path(const struct btf *b, uint32_t id, const struct btf_field *first,
		       const char *one, const char *two, const char *point)
{
	struct btf_field whole = { 0 }, second = { 0 };
	char path[PATH_ROOM];
	int rc = btf_find_field(b, first->type, two, &second), got;

	snprintf(path, sizeof(path), "%s%s%s", one, point, two);
	got = btf_find_field(b, id, path, &whole);
	if (!rc && (uint64_t)first->off + second.off > UINT32_MAX)
		rc = -EINVAL;
	MUST(got == rc);
	if (!rc)
		MUST(whole.off == first->off + second.off && whole.size == second.size &&
		     whole.type == second.type);
}

static void check_fields(const struct btf *b, uint32_t id, const char *const *names, size_t n)
{
	static const char *const elements[] = { "[0]", "[1]", "[4294967295]", "[", "[3" };

	for (size_t i = 0; i < n; i++) {
		struct btf_field f = { 0 };

		if (btf_find_field(b, id, names[i], &f)) {
			MUST(!f.off && !f.size && !f.type);
			continue;
		}
		MUST(f.type <= b->n && btf_type_size(b, f.type) == f.size);
		for (size_t j = 0; j < n; j++)
			check_path(b, id, &f, names[i], names[j], ".");
		for (size_t j = 0; j < ARRAY_LEN(elements); j++)
			check_path(b, id, &f, names[i], elements[j], "");
	}
}

static void ask(const struct btf *b, const char *const *names, size_t n)
{
	struct btf_lookup want[] = { { names[0], UINT32_MAX, 0 },
				     { names[1], BTF_KIND_BIT(STRUCT), 0 },
				     { names[n - 1], BTF_KIND_BIT(ENUM), 0 } };
	uint32_t ids = b->n < IDS ? b->n : IDS;
	struct btf_field f;
	uint64_t value;

	btf_resolve(b, want, 3);
	for (int i = 0; i < 3; i++)
		MUST(want[i].id <= b->n &&
		     (!want[i].id || !strcmp(btf_type_name(b, want[i].id), want[i].name)));
	for (uint32_t id = 0; id <= ids + 1; id++) {
		MUST(btf_type_size(b, id) <= UINT32_MAX && strlen(btf_type_name(b, id)) < b->len);
		check_fields(b, id, names, n);
		btf_find_field(b, id, "", &f);
		btf_find_field(b, id, "a..b", &f);
		for (size_t i = 0; i < n; i++)
			btf_enum_value(b, id, names[i], &value);
	}
}

/* One relocation of each kind: a refusal has words. */
static void relocate(const struct btf *b, const char *const *names, size_t n)
{
	static const uint16_t kinds[KINDS] = { SPEC_FIELD_OFFSET, SPEC_FIELD_SIZE,
					       SPEC_FIELD_EXISTS, SPEC_TYPE_EXISTS,
					       SPEC_TYPE_SIZE,    SPEC_ENUM_EXISTS,
					       SPEC_ENUM_VALUE };
	static const uint8_t codes[] = { BPF_LDX | BPF_W, BPF_LD | BPF_DW, BPF_ALU64, BPF_STX };
	struct spec_core cores[KINDS * NAMES];
	struct btf_lookup found;
	struct spec_prog prog = { .name = "fuzz", .cores = cores };
	struct bpf_insn *insns = calloc(2 * KINDS * n, sizeof(*insns));
	struct err_capture before;
	char said[1024] = "";
	int rc;

	MUST(insns);
	for (size_t i = 0; i < KINDS * n; i++) {
		insns[2 * i].code = codes[i % 4];
		cores[i] = (struct spec_core){ (uint32_t)i * 2, kinds[i % KINDS], i & 8 ? 4 : 0,
					       names[i / KINDS], names[(i + 1) % n] };
	}
	before = err_capture_begin(said, sizeof(said));
	/* Each alone, for one that does not fit is the end of a program. */
	for (prog.ncores = 1; prog.cores < cores + KINDS * n; prog.cores++) {
		said[0] = '\0';
		core_lookups(NULL, &prog, &found);
		btf_resolve(b, &found, 1);
		rc = core_apply(&prog, insns, b, &found);
		MUST(rc ? rc == -ERANGE && said[0] : !said[0]);
	}
	err_capture_end(before);
	free(insns);
}

static void try(const uint8_t *data, size_t size)
{
	const char *names[NAMES];
	struct btf b = { 0 };
	size_t n;

	if (btf_open_blob(&b, data, size)) {
		MUST(!b.index && !b.data);
		return;
	}
	n = pick_names(&b, names);
	ask(&b, names, n);
	relocate(&b, names, n);
	btf_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *made = malloc(sizeof(struct btf_header) + size + 2);

	try(data, size);
	MUST(made);
	try(made, with_header(made, data, size));
	free(made);
	return 0;
}
