/* SPDX-License-Identifier: MIT */
/* Any bytes as BTF: index it, look up everything by its own names, and relocate against it. */
#include "base/array.h"
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "base/err.h"
#include "obj/core.h"
#include "sys/btf.h"

/* Limits on the types and names that are checked. All pairs are checked. */
enum { IDS = 12, NAMES = 3, KINDS = 7, PATH_ROOM = 256 };

/* Random input rarely has a valid header. Makes one for the input: the first two bytes split the
 * rest into types and strings. */
static size_t with_header(uint8_t *to, const uint8_t *data, size_t size)
{
	struct btf_header h = { .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(h) };
	size_t types = size < 2 ? 0 : (size_t)data[0] << 8 | data[1];

	data += size < 2 ? size : 2;
	size -= size < 2 ? size : 2;
	h.type_len = (uint32_t)(types < size ? types : size);
	h.str_off = h.type_len;
	h.str_len = (uint32_t)size - h.type_len + 2; /* a NUL before and after */
	memcpy(to, &h, sizeof(h));
	to += sizeof(h);
	memcpy(to, data, h.type_len);
	to[h.type_len] = 0;
	memcpy(to + h.type_len + 1, data + h.type_len, size - h.type_len);
	to[size + 1] = 0;
	return sizeof(h) + size + 2;
}

/* Picks names of the input that have no special meaning in a path. Returns their number. */
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

/* The path "a.b" finds the same field as "a" and then "b" in its type. */
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

static void check_lookups(const struct btf *b, const char *const *names, size_t n)
{
	struct btf_lookup want[] = { { .name = names[0], .kinds = UINT32_MAX },
				     { .name = names[1], .kinds = BTF_KIND_BIT(STRUCT) },
				     { .name = names[n - 1], .kinds = BTF_KIND_BIT(ENUM) } };
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

/* Applies one relocation of each kind: a refusal is reported. */
static void check_relocs(const struct btf *b, const char *const *names, size_t n)
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
	char errors[1024] = "";
	int rc;

	MUST(insns);
	for (size_t i = 0; i < KINDS * n; i++) {
		insns[2 * i].code = codes[i % 4];
		cores[i] = (struct spec_core){ (uint32_t)i * 2, kinds[i % KINDS], i & 8 ? 4 : 0,
					       names[i / KINDS], names[(i + 1) % n] };
	}
	before = err_capture_begin(errors, sizeof(errors));
	/* One at a time, since a relocation that does not fit ends the program. */
	for (prog.ncores = 1; prog.cores < cores + KINDS * n; prog.cores++) {
		errors[0] = '\0';
		core_lookups(NULL, &prog, &found);
		btf_resolve(b, &found, 1);
		rc = core_apply(&prog, insns, b, &found);
		MUST(rc ? rc == -ERANGE && errors[0] : !errors[0]);
	}
	err_capture_end(before);
	free(insns);
}

static void check_blob(const uint8_t *data, size_t size)
{
	const char *names[NAMES];
	struct btf b = { 0 };
	size_t n;

	if (btf_open_blob(&b, data, size)) {
		MUST(!b.index && !b.data);
		return;
	}
	n = pick_names(&b, names);
	check_lookups(&b, names, n);
	check_relocs(&b, names, n);
	btf_close(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *made = malloc(sizeof(struct btf_header) + size + 2);

	check_blob(data, size);
	MUST(made);
	check_blob(made, with_header(made, data, size));
	free(made);
	return 0;
}
