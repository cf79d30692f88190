// SPDX-License-Identifier: MIT
/* gen: converts a compiled BPF object to C source and header. */
#define _GNU_SOURCE /* asprintf */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gen/gen.h"

enum { FILE_MAX = 16 << 20 };

static int print_error(const char *file, const char *what)
{
	fprintf(stderr, "gen: %s: %s\n", file, what);
	return -EINVAL;
}

/* Reads a whole file. Reports errors. The caller frees the bytes. */
static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *buf = f ? malloc(FILE_MAX) : NULL;

	if (!buf)
		print_error(path, strerror(errno));
	else
		*len = fread(buf, 1, FILE_MAX, f);
	if (buf && (ferror(f) || *len == FILE_MAX)) {
		print_error(path, ferror(f) ? "cannot be read" : "is too large for an object");
		free(buf);
		buf = NULL;
	}
	if (f)
		fclose(f);
	return buf;
}

/* "dir/gate.bpf.o" -> "gate". The caller frees it. */
static char *make_base_name(const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = strdup(base ? base + 1 : path);

	if (name)
		name[strcspn(name, ".")] = 0;
	return name;
}

/* A file that is written under a temporary name and renamed when both files are complete. */
struct output {
	char *path, *temp;
	bool renamed;
};

static int write_output(struct output *o, const char *dir, const char *name, const char *suffix,
			const struct gen_text *text)
{
	FILE *f;

	if (asprintf(&o->path, "%s/%s.gen.%s", dir, name, suffix) < 0)
		o->path = NULL;
	if (!o->path || asprintf(&o->temp, "%s.%ld.tmp", o->path, (long)getpid()) < 0) {
		o->temp = NULL;
		return print_error(name, strerror(ENOMEM));
	}
	f = fopen(o->temp, "wb");
	if (!f)
		return print_error(o->temp, strerror(errno));
	if (fwrite(text->at, 1, text->len, f) != text->len) {
		fclose(f);
		return print_error(o->temp, strerror(errno));
	}
	return fclose(f) ? print_error(o->temp, strerror(errno)) : 0;
}

static int rename_output(struct output *o)
{
	if (rename(o->temp, o->path))
		return print_error(o->path, strerror(errno));
	o->renamed = true;
	return 0;
}

static void close_output(struct output *o, bool keep)
{
	if (o->temp && !o->renamed)
		unlink(o->temp);
	if (o->renamed && !keep)
		unlink(o->path);
	free(o->path);
	free(o->temp);
}

static int write_outputs(const char *dir, const struct gen_obj *obj, const char *file)
{
	struct gen_text source = { 0 }, header = { 0 };
	struct output c = { 0 }, h = { 0 };
	const char *name = obj->spec.name;
	int err = 0;

	if (gen_emit_source(obj, &source))
		err = print_error(file, source.error);
	if (!err && gen_emit_header(obj, &header))
		err = print_error(file, header.error);
	if (!err)
		err = write_output(&c, dir, name, "c", &source);
	if (!err)
		err = write_output(&h, dir, name, "h", &header);
	if (!err)
		err = rename_output(&h);
	if (!err)
		err = rename_output(&c);
	close_output(&c, !err);
	close_output(&h, !err);
	gen_text_close(&source);
	gen_text_close(&header);
	return err;
}

static int convert_object(const char *file, const char *dir)
{
	struct gen_obj obj = { 0 };
	struct diag d;
	char *name = make_base_name(file);
	uint8_t *elf;
	size_t len;
	int err = -EINVAL;

	if (!name)
		print_error(file, strerror(ENOMEM));
	elf = name ? read_file(file, &len) : NULL;
	if (elf)
		err = gen_read(elf, len, name, &obj, &d) ? print_error(file, d.msg) : 0;
	if (!err)
		err = write_outputs(dir, &obj, file);
	gen_obj_close(&obj);
	free(elf);
	free(name);
	return err;
}

int main(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "-o")) {
		fprintf(stderr, "Usage: gen -o DIR NAME.bpf.o\n"
				"Writes DIR/NAME.gen.c and DIR/NAME.gen.h.\n");
		return 2;
	}
	return convert_object(argv[3], argv[2]) ? 1 : 0;
}
