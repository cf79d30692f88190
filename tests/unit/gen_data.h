/* SPDX-License-Identifier: MIT */
/* The objects that gen is tested with, as files in memory. */
#ifndef TESTS_UNIT_GEN_DATA_H
#define TESTS_UNIT_GEN_DATA_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/array.h"
#include "gen/gen.h"

#ifndef GEN_DATA
#define GEN_DATA "build/unit/data" /* bpfel/NAME.bpf.o and bpfeb/NAME.bpf.o */
#endif

static const char *const targets[] = { "bpfel", "bpfeb" };
/* The first NDEEP are also corrupted byte by byte. Together they use all that gen reads. */
static const char *const good[] = { "maps", "core", "subs", "circle", "sections", "types", "data" };
enum { NTARGETS = 2, NGOOD = ARRAY_LEN(good), NDEEP = 2 };

struct file {
	uint8_t *at;
	size_t len;
};

/* Allocates exactly the file's size, so that the sanitizer detects reads past it. */
static inline struct file read_object_file(const char *target, const char *name)
{
	const char *dir = getenv("GEN_DATA");
	struct file file = { 0 };
	char *path = NULL;
	FILE *f;

	ck_assert_int_gt(asprintf(&path, "%s/%s/%s.bpf.o", dir ? dir : GEN_DATA, target, name), 0);
	f = fopen(path, "rb");
	ck_assert_msg(f != NULL, "cannot open %s", path);
	fseek(f, 0, SEEK_END);
	file.len = ftell(f);
	rewind(f);
	file.at = malloc(file.len);
	ck_assert_uint_eq(fread(file.at, 1, file.len, f), file.len);
	fclose(f);
	free(path);
	return file;
}

static inline struct gen_obj read_good(const char *target, const char *name)
{
	struct file file = read_object_file(target, name);
	struct gen_obj obj = { 0 };
	struct diag d;

	ck_assert_msg(!gen_read(file.at, file.len, name, &obj, &d), "%s: %s", name, d.msg);
	free(file.at);
	return obj;
}

#endif
