/* SPDX-License-Identifier: MIT */
/* gen with objects that it must refuse, and with damaged ones. */
#define _GNU_SOURCE /* asprintf */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "gen/gen.h"
#include "tests/unit/gen_data.h"
#include "tests/unit/suites.h"

static const struct {
	const char *name, *message;
} refusals[] = {
	{ "no_ksym", "section .ksyms: symbol jiffies_64: kernel symbols" },
	{ "no_kfunc", "section .ksyms: symbol bpf_rcu_read_lock: kernel symbols and functions" },
	{ "no_kconfig", "section .kconfig: symbol CONFIG_HZ: kernel configuration" },
	{ "no_undefined", "symbol elsewhere: is not defined" },
	{ "no_callback", "section xdp: symbol prog: instruction 1: takes a function's address" },
	{ "no_pointer", "section .rodata: symbol names: holds a pointer to '.rodata.str1.1'" },
	{ "no_bitfield", "section tp_btf/x: symbol prog: CO-RE on 'bits.high': bitfields" },
	{ "no_shift", "section tp_btf/x: symbol prog: CO-RE on 'bits': bitfields" },
	{ "no_typeid", "section tp_btf/x: symbol prog: CO-RE on 'thing': type ids" },
	{ "no_element", "symbol prog: CO-RE on 'thing': does not start at the first element" },
	{ "no_section", "section lsm/file_open: unknown section of programs" },
	{ "no_target", "section fentry/: programs of this kind need a target" },
	{ "no_data", "section .struct_ops: unknown section of data" },
	{ "no_longprog", "section xdp: symbol sixteen_letters_: name has more than 15" },
	{ "no_license", "section license: is missing" },
	{ "no_conf", "section .data: symbol conf: must be 'const volatile struct no_conf_conf'" },
	{ "no_confname", "section .rodata: symbol conf: is not a 'struct no_confname_conf'" },
	{ "no_progs", "has no programs" },
	{ "no_longmap", "section .maps: symbol sixteen_letters_: name has more than 15" },
	{ "no_member", "section .maps: symbol m: unknown member 'pinning'" },
	{ "no_nested", "section .maps: symbol m: maps of type 12" },
	{ "no_values", "section .maps: symbol m: unknown member 'values'" },
	{ "no_ring", "section .maps: symbol m: its max_entries must be a power of two" },
	{ "no_ringpage",
	  "section .maps: symbol m: its max_entries must be a power of two, at least 65536" },
	{ "no_ringkey", "section .maps: symbol m: this type of map has no value" },
	{ "no_lpm", "section .maps: symbol m: needs BPF_F_NO_PREALLOC" },
	{ "no_key", "section .maps: symbol m: its key must have 4 bytes" },
	{ "no_sizes", "section .maps: symbol m: its key has 4 bytes, not 8" },
	{ "no_entries", "section .maps: symbol m: has no max_entries" },
	{ "no_alikemaps", "symbol HOT: two maps have names that are the same" },
	{ "no_alikeprogs", "symbol Prog: two programs have names that are the same" },
	{ "no_static", "section xdp: symbol prog: is a static function" },
	{ "no_storage", "section .maps: symbol m: this type of map has no max_entries" },
	{ "no_notype", "section .maps: symbol m: has no type" },
};

START_TEST(unsupported_objects_are_named)
{
	for (int t = 0; t < NTARGETS; t++) {
		struct file file = read_object_file(targets[t], refusals[_i].name);
		struct gen_obj obj = { .spec = { .nmaps = 77 } };
		struct diag d;

		ck_assert_int_lt(gen_read(file.at, file.len, refusals[_i].name, &obj, &d), 0);
		ck_assert_msg(strstr(d.msg, refusals[_i].message) != NULL, "message: %s", d.msg);
		/* Unchanged on failure. */
		ck_assert_uint_eq(obj.spec.nmaps, 77);
		free(file.at);
	}
}
END_TEST

static void assert_fails(const struct file *file, size_t len, const char *name, const char *message)
{
	struct gen_obj obj = { 0 };
	struct diag d;

	ck_assert_int_lt(gen_read(file->at, len, name, &obj, &d), 0);
	ck_assert_msg(strstr(d.msg, message) != NULL, "message: %s", d.msg);
}

START_TEST(other_files_are_refused)
{
	static const struct {
		size_t at;
		uint8_t to;
		const char *message;
	} changes[] = {
		{ 0, 'x', "not an ELF file" },
		{ 4, 1, "not a 64-bit ELF file" },
		{ 5, 3, "unknown byte order" },
		{ 16, 2, "not a relocatable BPF object" },
		{ 18, 62, "not a relocatable BPF object" },
		{ 58, 63, "section headers of" },
	};
	struct file file = read_object_file("bpfel", "maps");

	assert_fails(&file, 0, "maps", "not an ELF file");
	assert_fails(&file, file.len, "no-name", "not a C identifier");
	assert_fails(&file, file.len, "", "not a C identifier");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		uint8_t was = file.at[changes[i].at];

		file.at[changes[i].at] = changes[i].to;
		assert_fails(&file, file.len, "maps", changes[i].message);
		file.at[changes[i].at] = was;
	}
	free(file.at);
}
END_TEST

/* The section headers are at the end of an object, so every prefix is refused. */
START_TEST(truncated_objects_are_refused)
{
	struct file file = read_object_file(targets[_i % NTARGETS], good[_i / NTARGETS]);

	for (size_t len = 0; len < file.len; len += UNIT_STRIDE) {
		uint8_t *part = malloc(len ? len : 1);
		struct gen_obj obj = { 0 };
		struct diag d;

		memcpy(part, file.at, len);
		if (gen_read(part, len, "maps", &obj, &d) >= 0 || !d.msg[0])
			ck_abort_msg("%zu of %zu bytes are accepted, or refused without a message",
				     len, file.len);
		free(part);
	}
	free(file.at);
}
END_TEST

/* Reads an object and emits it if it is accepted. The sanitizers detect errors. */
static bool read_and_emit(const struct file *file, const char *name)
{
	struct gen_text text = { 0 };
	struct gen_obj obj = { 0 };
	struct diag d;
	int err = gen_read(file->at, file->len, name, &obj, &d);

	if (err && !d.msg[0])
		ck_abort_msg("refused without a message");
	if (err)
		return false;
	if (gen_emit_source(&obj, &text) || gen_emit_header(&obj, &text))
		ck_abort_msg("read, but not emitted");
	gen_text_close(&text);
	gen_obj_close(&obj);
	return true;
}

START_TEST(corrupt_objects_are_safe)
{
	static const uint8_t flips[] = { 0xff, 0x01, 0x80 };
	const char *name = good[_i / NTARGETS];
	struct file file = read_object_file(targets[_i % NTARGETS], name);
	size_t accepted = 0, refused = 0;

	for (size_t at = 0; at < file.len; at += UNIT_STRIDE) {
		uint8_t flip = flips[at % sizeof(flips)];

		file.at[at] ^= flip;
		if (read_and_emit(&file, name))
			accepted++;
		else
			refused++;
		file.at[at] ^= flip;
	}
	ck_assert_uint_gt(accepted, 0);
	ck_assert_uint_gt(refused, 0);
	free(file.at);
}
END_TEST

Suite *gen_refuse_suite(void)
{
	Suite *s = suite_create("gen_refuse");
	TCase *refuses = tcase_create("refuses"), *broken = tcase_create("broken");

	tcase_add_loop_test(refuses, unsupported_objects_are_named, 0, ARRAY_LEN(refusals));
	tcase_add_test(refuses, other_files_are_refused);
	suite_add_tcase(s, refuses);
	/* Reads tens of thousands of objects with sanitizers. */
	tcase_set_timeout(broken, 120);
	tcase_add_loop_test(broken, truncated_objects_are_refused, 0, NGOOD * NTARGETS);
	tcase_add_loop_test(broken, corrupt_objects_are_safe, 0, NDEEP * NTARGETS);
	suite_add_tcase(s, broken);
	return s;
}
