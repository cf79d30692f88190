/* SPDX-License-Identifier: MIT */
/* The BTF reader with generated types: valid, truncated at every length, and with every byte
 * damaged. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "sys/btf.h"
#include "tests/unit/sys_cases.h"

enum { KIND_ENUM64 = 19, KIND_NEW = 31, BITS = 8 };

/* A BTF blob that is being built: header, types, strings. */
struct blob {
	uint8_t types[4096], strings[1024], all[8192];
	uint32_t types_len, strings_len, n;
	size_t len;
};

static void put_words(struct blob *b, const uint32_t *w, size_t n)
{
	ck_assert_uint_le(b->types_len + n * 4, sizeof(b->types));
	memcpy(b->types + b->types_len, w, n * 4);
	b->types_len += (uint32_t)n * 4;
}
#define WORDS(b, ...) \
	put_words(b, (const uint32_t[]){ __VA_ARGS__ }, sizeof((uint32_t[]){ __VA_ARGS__ }) / 4)

static uint32_t add_string(struct blob *b, const char *s)
{
	uint32_t at = b->strings_len;

	if (!*s)
		return 0;
	ck_assert_uint_le(at + strlen(s) + 1, sizeof(b->strings));
	strcpy((char *)b->strings + at, s);
	b->strings_len += (uint32_t)strlen(s) + 1;
	return at;
}

/* Adds a type's header and returns its id. size: the size or the type it refers to. */
static uint32_t add_type(struct blob *b, const char *name, uint32_t kind, uint32_t vlen,
			 uint32_t size)
{
	WORDS(b, add_string(b, name), kind << 24 | vlen, size);
	return ++b->n;
}

static void add_member(struct blob *b, const char *name, uint32_t id, uint32_t bits)
{
	WORDS(b, add_string(b, name), id, bits);
}

static uint32_t add_int(struct blob *b, const char *name, uint32_t size)
{
	uint32_t id = add_type(b, name, BTF_KIND_INT, 0, size);

	WORDS(b, size * BITS);
	return id;
}

static uint32_t add_array(struct blob *b, uint32_t of, uint32_t n)
{
	uint32_t id = add_type(b, "", BTF_KIND_ARRAY, 0, 0);

	WORDS(b, of, of, n);
	return id;
}

static void finish_blob(struct blob *b)
{
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h) + 8, /* longer than known headers */
				.type_len = b->types_len,
				.str_off = b->types_len,
				.str_len = b->strings_len };

	memset(b->all, 0, sizeof(b->all));
	memcpy(b->all, &h, sizeof(h));
	memcpy(b->all + h.hdr_len, b->types, b->types_len);
	memcpy(b->all + h.hdr_len + b->types_len, b->strings, b->strings_len);
	b->len = h.hdr_len + b->types_len + b->strings_len;
}

/* Ids of the types that tests look up. */
static struct {
	uint32_t integer, byte, inner, outer, td, color, big, ptr, flexible, loop, maze, huge, fn,
		vast;
} ids;

static void add_structs(struct blob *b)
{
	uint32_t trio, either, matrix, nested;

	ids.inner = add_type(b, "inner", BTF_KIND_STRUCT, 2, 8);
	add_member(b, "a", ids.integer, 0);
	add_member(b, "b", ids.integer, 32);
	trio = add_array(b, ids.inner, 3);
	matrix = add_array(b, add_array(b, ids.byte, 4), 2);
	nested = add_type(b, "", BTF_KIND_STRUCT | 1 << 7, 3, 8);
	add_member(b, "deep1", ids.byte, 0);
	add_member(b, "deepbits", ids.byte, 2u << 24 | 8);
	add_member(b, "deep2", ids.integer, 32);
	either = add_type(b, "", BTF_KIND_UNION, 3, 8);
	add_member(b, "u1", ids.integer, 0);
	add_member(b, "u2", ids.byte, 0);
	add_member(b, "", nested, 0);
	/* With the kind flag, member offsets also hold the size of bit fields. */
	ids.outer = add_type(b, "outer", BTF_KIND_STRUCT | 1 << 7, 9, 80);
	add_member(b, "first", ids.integer, 0);
	add_member(b, "", either, 64);
	add_member(b, "trio", trio, 128);
	add_member(b, "next", ids.ptr, 320);
	add_member(b, "named", ids.td, 384);
	add_member(b, "bits", ids.integer, 3u << 24 | 416);
	add_member(b, "odd", ids.integer, 419);
	add_member(b, "matrix", matrix, 448);
	add_member(b, "tail", ids.flexible, 512);
}

/* A function and a tracepoint. A tracepoint's type has no parameter names. */
static void add_functions(struct blob *b)
{
	uint32_t text, number, trace, proto;

	add_type(b, "char", BTF_KIND_INT, 0, 1);
	WORDS(b, BITS);
	text = add_type(b, "", BTF_KIND_PTR, 0, b->n);
	number = add_type(b, "long", BTF_KIND_INT, 0, 4);
	WORDS(b, BTF_INT_SIGNED << 24 | 32);
	proto = add_type(b, "", BTF_KIND_FUNC_PROTO, 4, number);
	WORDS(b, add_string(b, "name"), text, add_string(b, "n"), number, add_string(b, "inside"),
	      ids.outer, add_string(b, "after"), number);
	add_type(b, "calls", BTF_KIND_FUNC, 1, proto);
	trace = add_type(b, "", BTF_KIND_FUNC_PROTO, 3, 0);
	WORDS(b, 0, ids.ptr, 0, ids.ptr, 0, number);
	trace = add_type(b, "", BTF_KIND_PTR, 0, trace);
	add_type(b, "btf_trace_sent", BTF_KIND_TYPEDEF, 0, trace);
	proto = add_type(b, "", BTF_KIND_FUNC_PROTO, 3, number);
	WORDS(b, add_string(b, "data"), ids.ptr, add_string(b, "sk"), ids.ptr,
	      add_string(b, "state"), number);
	add_type(b, "__traceiter_sent", BTF_KIND_FUNC, 0, proto);
	add_type(b, "btf_trace_odd", BTF_KIND_TYPEDEF, 0, number);
}

/* Types that no compiler emits. */
static void add_damaged(struct blob *b)
{
	ids.loop = add_type(b, "loop", BTF_KIND_TYPEDEF, 0, b->n + 2);
	add_type(b, "pool", BTF_KIND_TYPEDEF, 0, ids.loop);
	ids.maze = b->n + 1; /* an unnamed member of itself, four times */
	add_type(b, "maze", BTF_KIND_STRUCT, 4, 4);
	for (int i = 0; i < 4; i++)
		add_member(b, "", ids.maze, 0);
	ids.vast = add_array(b, add_array(b, ids.integer, UINT32_MAX), UINT32_MAX);
	ids.huge = add_type(b, "huge", BTF_KIND_STRUCT, 1, 4);
	add_member(b, "vast", ids.vast, 0);
}

static void make_blob(struct blob *b, bool damaged)
{
	*b = (struct blob){ .strings_len = 1 };
	ids.integer = add_int(b, "int", 4);
	ids.byte = add_int(b, "unsigned char", 1);
	ids.ptr = add_type(b, "", BTF_KIND_PTR, 0, 0);
	ids.td = add_type(b, "td", BTF_KIND_TYPEDEF, 0, b->n + 2);
	add_type(b, "", BTF_KIND_CONST, 0, b->n + 2);
	add_type(b, "", BTF_KIND_VOLATILE, 0, ids.integer);
	ids.flexible = add_array(b, ids.integer, 0);
	ids.color = add_type(b, "color", BTF_KIND_ENUM, 2, 4);
	WORDS(b, add_string(b, "RED"), 0, add_string(b, "BLUE"), UINT32_MAX);
	ids.big = add_type(b, "big", KIND_ENUM64, 1, 8);
	WORDS(b, add_string(b, "HUGE"), 0x9abcdef0, 0x12345678);
	add_structs(b);
	add_type(b, "proto", BTF_KIND_FUNC_PROTO, 1, ids.integer);
	WORDS(b, add_string(b, "arg"), ids.integer);
	ids.fn = add_type(b, "fn", BTF_KIND_FUNC, 1, b->n);
	add_type(b, "outer", BTF_KIND_FWD, 0, 0);
	add_functions(b);
	if (damaged)
		add_damaged(b);
}

static struct blob blob;
static struct btf btf;

static void open_blob(void)
{
	make_blob(&blob, true);
	finish_blob(&blob);
	ck_assert_int_eq(btf_open_blob(&btf, blob.all, blob.len), 0);
}

static void close_blob(void)
{
	btf_close(&btf);
	btf_close(&btf);
}

START_TEST(types_are_indexed)
{
	ck_assert_uint_eq(btf.n, blob.n);
	ck_assert_str_eq(btf_type_name(&btf, ids.integer), "int");
	ck_assert_str_eq(btf_type_name(&btf, ids.outer), "outer");
	ck_assert_str_eq(btf_type_name(&btf, ids.flexible), "");
	ck_assert_str_eq(btf_type_name(&btf, 0), "");
	ck_assert_str_eq(btf_type_name(&btf, btf.n + 1), "");
}
END_TEST

static const struct {
	const char *path;
	int rc;
	uint32_t off, size;
} paths[] = {
	{ "first", 0, 0, 4 },
	{ "u1", 0, 8, 4 },
	{ "deep2", 0, 12, 4 },
	{ "deepbits", -EOPNOTSUPP, 0, 0 },
	{ "trio", 0, 16, 24 },
	{ "trio[2]", 0, 32, 8 },
	{ "trio[2].b", 0, 36, 4 },
	{ "trio[3]", -ENOENT, 0, 0 },
	{ "trio[x]", -EINVAL, 0, 0 },
	{ "trio[4294967296]", -EINVAL, 0, 0 },
	{ "trio[99999999999999999999999]", -EINVAL, 0, 0 },
	{ "next", 0, 40, sizeof(void *) },
	{ "named", 0, 48, 4 },
	{ "bits", -EOPNOTSUPP, 0, 0 },
	{ "odd", -EOPNOTSUPP, 0, 0 },
	{ "matrix[1][3]", 0, 63, 1 },
	{ "matrix[1][4]", -ENOENT, 0, 0 },
	{ "tail[7]", 0, 92, 4 },
	{ "tail[4294967295]", -EINVAL, 0, 0 },
	{ "first.x", -ENOENT, 0, 0 },
	{ "firs", -ENOENT, 0, 0 },
	{ "first2", -ENOENT, 0, 0 },
	{ "", 0, 0, 80 },
};

START_TEST(paths_find_fields)
{
	struct btf_field f = { 99, 99, 99 };
	int rc = btf_find_field(&btf, ids.outer, paths[_i].path, &f);

	ck_assert_msg(rc == paths[_i].rc, "%s: %d", paths[_i].path, rc);
	ck_assert_uint_eq(f.off, rc ? 99 : paths[_i].off);
	ck_assert_uint_eq(f.size, rc ? 99 : paths[_i].size);
}
END_TEST

START_TEST(types_have_sizes)
{
	ck_assert_int_eq(btf_type_size(&btf, ids.integer), 4);
	ck_assert_int_eq(btf_type_size(&btf, ids.td), 4);
	ck_assert_int_eq(btf_type_size(&btf, ids.color), 4);
	ck_assert_int_eq(btf_type_size(&btf, ids.ptr), (int)sizeof(void *));
	ck_assert_int_eq(btf_type_size(&btf, ids.fn), -EINVAL);
	ck_assert_int_eq(btf_type_size(&btf, 0), -EINVAL);
	ck_assert_int_eq(btf_type_size(&btf, btf.n + 1), -EINVAL);
	ck_assert_int_eq(btf_type_size(&btf, ids.loop), -EINVAL);
	ck_assert_int_eq(btf_type_size(&btf, ids.vast), -EINVAL);
}
END_TEST

static const struct {
	const char *name;
	uint32_t size;
} longs[] = {
	{ "long unsigned int", 8 }, /* gcc's name */
	{ "unsigned long", 8 },     /* clang's name */
	{ "long unsigned int", 4 },
	{ "unsigned int", sizeof(void *) },
};

/* The kernel's pointers may have another size than the program's. */
START_TEST(pointers_are_as_long_as_longs)
{
	struct btf got;

	make_blob(&blob, false);
	add_int(&blob, longs[_i].name, longs[_i].size);
	finish_blob(&blob);
	ck_assert_int_eq(btf_open_blob(&got, blob.all, blob.len), 0);
	ck_assert_int_eq(btf_type_size(&got, ids.ptr), longs[_i].size);
	btf_close(&got);
}
END_TEST

START_TEST(names_are_resolved)
{
	struct btf_lookup want[] = {
		{ "outer", BTF_KIND_BIT(STRUCT), 1, 0, 0 },
		{ "outer", BTF_KIND_BIT(UNION), 1, 0, 0 },
		{ "fn", BTF_KIND_BIT(FUNC), 0, 0, 0 },
		{ "td", BTF_KIND_BIT(TYPEDEF), 0, 0, 0 },
		{ "int", BTF_KIND_BIT(STRUCT) | BTF_KIND_BIT(INT), 0, 0, 0 },
		{ "nothing", UINT32_MAX, 1, 0, 0 },
		{ "", UINT32_MAX, 1, 0, 0 },
		{ "outer", BTF_KIND_BIT(FWD), 0, 0, 0 },
		{ "outer", BTF_KIND_BIT(FWD) | BTF_KIND_BIT(STRUCT), 0, 0, 0 },
	};

	btf_resolve(&btf, want, ARRAY_LEN(want));
	ck_assert_uint_eq(want[0].id, ids.outer);
	ck_assert_uint_eq(want[1].id, 0);
	ck_assert_uint_eq(want[2].id, ids.fn);
	ck_assert_uint_eq(want[3].id, ids.td);
	ck_assert_uint_eq(want[4].id, ids.integer);
	ck_assert_uint_eq(want[5].id, 0);
	ck_assert_uint_eq(want[6].id, 0);
	ck_assert_uint_eq(want[7].id, ids.fn + 1);
	ck_assert_uint_eq(want[8].id, ids.outer);
}
END_TEST

/* Cached names are found without the types. */
START_TEST(names_are_cached)
{
	struct btf_lookup want[] = {
		{ "outer", BTF_KIND_BIT(STRUCT), 0, 0, 0 },
		{ "nothing", BTF_KIND_BIT(STRUCT), 0, 0, 0 },
		{ "outer", BTF_KIND_BIT(STRUCT), 0, 0, 0 },
		{ "td", BTF_KIND_BIT(TYPEDEF), 0, 0, 0 },
		{ "", UINT32_MAX, 0, 0, 0 },
	};
	struct btf_lookup other = { "fn", BTF_KIND_BIT(FUNC), 0, 0, 0 };
	struct btf got = { 0 };
	uint32_t n;

	ck_assert_int_eq(btf_open_blob(&got, blob.all, blob.len), 0);
	ck_assert_int_eq(btf_cache_names(&got, want, 5), 0);
	ck_assert_uint_eq(want[0].id, ids.outer);
	ck_assert_uint_eq(want[2].id, ids.outer);
	btf_resolve(&got, &other, 1);
	ck_assert_uint_eq(other.id, ids.fn);
	n = got.n;
	got.n = 0;
	memset(want, 0, sizeof(want));
	want[0] = (struct btf_lookup){ "outer", BTF_KIND_BIT(STRUCT), 0, 0, 0 };
	want[1] = (struct btf_lookup){ "nothing", BTF_KIND_BIT(STRUCT), 9, 0, 0 };
	want[2] = (struct btf_lookup){ "outer", BTF_KIND_BIT(UNION), 9, 0, 0 };
	want[3] = (struct btf_lookup){ "td", BTF_KIND_BIT(TYPEDEF), 0, 0, 0 };
	want[4] = other;
	btf_resolve(&got, want, 5);
	ck_assert_uint_eq(want[0].id, ids.outer);
	ck_assert_uint_eq(want[1].id, 0);
	ck_assert_uint_eq(want[2].id, 0);
	ck_assert_uint_eq(want[3].id, ids.td);
	ck_assert_uint_eq(want[4].id, 0);
	got.n = n;
	ck_assert_int_eq(btf_cache_names(&got, &other, 1), 0);
	ck_assert_uint_eq(other.id, ids.fn);
	btf_close(&got);
}
END_TEST

START_TEST(enumerators_have_values)
{
	uint64_t v = 99;

	ck_assert_int_eq(btf_enum_value(&btf, ids.color, "RED", &v), 0);
	ck_assert_uint_eq(v, 0);
	ck_assert_int_eq(btf_enum_value(&btf, ids.color, "BLUE", &v), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_int_eq(btf_enum_value(&btf, ids.big, "HUGE", &v), 0);
	ck_assert_uint_eq(v, 0x123456789abcdef0);
	ck_assert_int_eq(btf_enum_value(&btf, ids.color, "GREEN", &v), -ENOENT);
	ck_assert_int_eq(btf_enum_value(&btf, ids.outer, "RED", &v), -ENOENT);
	ck_assert_uint_eq(v, 0x123456789abcdef0);
	ck_assert_str_eq(btf_enum_name(&btf, ids.color, 0), "RED");
	ck_assert_str_eq(btf_enum_name(&btf, ids.big, 0x123456789abcdef0), "HUGE");
	ck_assert_ptr_null(btf_enum_name(&btf, ids.color, 77));
	ck_assert_ptr_null(btf_enum_name(&btf, ids.outer, 0));
}
END_TEST

/* Parameters after the first one without a register of its own are not described. */
START_TEST(function_parameters_are_described)
{
	struct btf_value v[4] = { 0 }, returns = { 0 };

	ck_assert_int_eq(btf_describe_function(&btf, "calls", v, 4, &returns), 2);
	ck_assert_str_eq(v[0].name, "name");
	ck_assert_int_eq(v[0].kind, BTF_VALUE_STRING);
	ck_assert_str_eq(v[1].name, "n");
	ck_assert_int_eq(v[1].kind, BTF_VALUE_SIGNED);
	ck_assert_uint_eq(v[1].size, 4);
	ck_assert_int_eq(returns.kind, BTF_VALUE_SIGNED);
	ck_assert_int_eq(btf_describe_function(&btf, "calls", v, 1, NULL), 1);
	ck_assert_int_eq(btf_describe_function(&btf, "fn", v, 4, NULL), 1);
	ck_assert_int_eq(btf_describe_function(&btf, "outer", v, 4, NULL), -ENOENT);
}
END_TEST

static int append_name(const char *name, void *arg)
{
	strcat(arg, name);
	strcat(arg, " ");
	return 0;
}

START_TEST(tracepoint_arguments_are_described)
{
	struct btf_value v[4] = { 0 };
	char names[64] = "";

	ck_assert_int_eq(btf_describe_tracepoint(&btf, "sent", v, 4), 2);
	ck_assert_str_eq(v[0].name, "sk");
	ck_assert_int_eq(v[0].kind, BTF_VALUE_POINTER);
	ck_assert_str_eq(v[1].name, "state");
	ck_assert_int_eq(v[1].kind, BTF_VALUE_SIGNED);
	ck_assert_uint_eq(btf_count_tracepoint_args(&btf, "sent"), 2);
	ck_assert_int_eq(btf_describe_tracepoint(&btf, "odd", v, 4), -ENOENT);
	ck_assert_int_eq(btf_describe_tracepoint(&btf, "nothing", v, 4), -ENOENT);
	ck_assert_int_eq(btf_walk_tracepoints(&btf, append_name, names), 0);
	ck_assert_str_eq(names, "sent odd ");
}
END_TEST

START_TEST(cyclic_types_are_refused)
{
	struct btf_field f;

	ck_assert_int_eq(btf_find_field(&btf, ids.maze, "way_out", &f), -ENOENT);
	ck_assert_int_eq(btf_find_field(&btf, ids.loop, "x", &f), -ENOENT);
	ck_assert_int_eq(btf_find_field(&btf, ids.huge, "vast", &f), -EINVAL);
	ck_assert_int_eq(btf_find_field(&btf, ids.huge, "vast[2]", &f), -EINVAL);
	ck_assert_int_eq(btf_find_field(&btf, ids.huge, "vast[0][9]", &f), -EINVAL);
}
END_TEST

START_TEST(an_unknown_kind_ends_the_index)
{
	struct btf got;
	uint32_t known;

	make_blob(&blob, true);
	known = blob.n;
	add_type(&blob, "news", KIND_NEW, 3, 4);
	add_int(&blob, "after", 4);
	finish_blob(&blob);
	ck_assert_int_eq(btf_open_blob(&got, blob.all, blob.len), 0);
	ck_assert_uint_eq(got.n, known);
	ck_assert_str_eq(btf_type_name(&got, ids.outer), "outer");
	btf_close(&got);
}
END_TEST

/* Calls every reader. */
static void read_all(const struct btf *b)
{
	struct btf_lookup want[] = { { "outer", BTF_KIND_BIT(STRUCT), 0, 0, 0 },
				     { "color", UINT32_MAX, 0, 0, 0 } };
	struct btf_value v[4], returns;
	struct btf_field f;
	uint64_t value;

	btf_describe_function(b, "calls", v, 4, &returns);
	btf_describe_tracepoint(b, "sent", v, 4);
	btf_resolve(b, want, 2);
	for (uint32_t id = 0; id <= b->n + 1; id++) {
		btf_type_size(b, id);
		ck_assert_uint_lt(strlen(btf_type_name(b, id)), b->strings_len);
		btf_enum_value(b, id, "BLUE", &value);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			btf_find_field(b, id, paths[i].path, &f);
	}
}

/* Allocates exactly that size, so that the sanitizer detects reads past it. */
static void open_exactly(const uint8_t *data, size_t len)
{
	uint8_t *own = malloc(len ? len : 1);
	struct btf got = { 0 }, before = got;
	int rc;

	memcpy(own, data, len);
	rc = btf_open_blob(&got, own, len);
	if (rc)
		ck_assert_mem_eq(&got, &before, sizeof(got));
	else
		read_all(&got);
	btf_close(&got);
	free(own);
}

START_TEST(truncated_at_every_length)
{
	struct btf_header h;
	struct btf got;

	make_blob(&blob, false);
	finish_blob(&blob);
	for (size_t len = 0; len < blob.len; len++) {
		ck_assert_int_eq(btf_open_blob(&got, blob.all, len), -EINVAL);
		open_exactly(blob.all, len);
	}
	/* Truncates the types and leaves the strings after them. */
	for (uint32_t len = 0; len <= blob.types_len; len++) {
		memcpy(&h, blob.all, sizeof(h));
		h.type_len = len;
		memcpy(blob.all, &h, sizeof(h));
		open_exactly(blob.all, blob.len);
	}
}
END_TEST

START_TEST(damaged_at_every_byte)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };

	make_blob(&blob, false); /* without the types that take long, since few damaged bytes make
				    them slow */
	finish_blob(&blob);
	for (size_t at = 0; at < blob.len; at++) {
		uint8_t was = blob.all[at];

		for (size_t i = 0; i < sizeof(flips); i++) {
			blob.all[at] = was ^ flips[i];
			open_exactly(blob.all, blob.len);
		}
		blob.all[at] = was;
	}
}
END_TEST

TCase *btf_cases(void)
{
	TCase *t = tcase_create("btf");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, open_blob, close_blob);
	tcase_add_test(t, types_are_indexed);
	tcase_add_loop_test(t, paths_find_fields, 0, ARRAY_LEN(paths));
	tcase_add_test(t, types_have_sizes);
	tcase_add_loop_test(t, pointers_are_as_long_as_longs, 0, ARRAY_LEN(longs));
	tcase_add_test(t, names_are_resolved);
	tcase_add_test(t, names_are_cached);
	tcase_add_test(t, enumerators_have_values);
	tcase_add_test(t, function_parameters_are_described);
	tcase_add_test(t, tracepoint_arguments_are_described);
	tcase_add_test(t, cyclic_types_are_refused);
	tcase_add_test(t, an_unknown_kind_ends_the_index);
	tcase_add_test(t, truncated_at_every_length);
	tcase_add_test(t, damaged_at_every_byte);
	return t;
}
