// SPDX-License-Identifier: MIT
/* pages: compresses text pages to one LZ4 block and writes it as C source and header. */
#include <lz4hc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 32, TEXT_MAX = 1 << 18 };

static char text[TEXT_MAX];

static _Noreturn void exit_with_error(const char *file, const char *what)
{
	fprintf(stderr, "pages: %s: %s\n", file, what);
	exit(1);
}

/* "dir/filter.txt" -> "filter". */
static const char *find_page_name(const char *path, size_t *len)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	*len = strcspn(name, ".");
	return name;
}

static size_t read_page(const char *path, size_t at)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f)
		exit_with_error(path, "cannot be read");
	n = fread(text + at, 1, sizeof(text) - at, f);
	if (ferror(f) || at + n == sizeof(text))
		exit_with_error(path, "cannot be read, or is too long");
	fclose(f);
	return n;
}

static FILE *open_output(const char *dir, const char *suffix)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pages.gen.%s", dir, suffix);
	f = fopen(path, "wb");
	if (!f)
		exit_with_error(path, "cannot be written");
	return f;
}

static void write_header(const char *dir, int n, size_t packed, size_t len)
{
	FILE *f = open_output(dir, "h");

	fprintf(f,
		"/* Generated: the text pages of `sonde help`, one LZ4 block. */\n#pragma once\n"
		"#include <stdint.h>\n\n"
		"enum { PAGES = %d, PAGES_PACKED = %zu, PAGES_LEN = %zu };\n"
		"struct page_entry {\n\tchar name[16];\n\tuint32_t off, len;\n};\n"
		"extern const struct page_entry page_entries[PAGES];\n"
		"extern const uint8_t pages_packed[PAGES_PACKED];\n",
		n, packed, len);
	fclose(f);
}

static void write_source(const char *dir, char **files, const size_t *offs, int n,
			 const uint8_t *packed, int len)
{
	FILE *f = open_output(dir, "c");

	fprintf(f, "/* Generated. */\n#include \"gen/pages.gen.h\"\n\n"
		   "const struct page_entry page_entries[PAGES] = {\n");
	for (int i = 0; i < n; i++) {
		size_t name_len;
		const char *name = find_page_name(files[i], &name_len);

		fprintf(f, "\t{ \"%.*s\", %zu, %zu },\n", (int)name_len, name, offs[i],
			offs[i + 1] - offs[i]);
	}
	fprintf(f, "};\n\nconst uint8_t pages_packed[PAGES_PACKED] = {");
	for (int i = 0; i < len; i++)
		fprintf(f, "%s0x%02x,", i % 16 ? " " : "\n\t", packed[i]);
	fprintf(f, "\n};\n");
	fclose(f);
}

int main(int argc, char **argv)
{
	size_t offs[PAGES_MAX + 1] = { 0 };
	int n = argc - 3, room, len;
	uint8_t *packed;

	if (n < 1 || n > PAGES_MAX || strcmp(argv[1], "-o")) {
		fprintf(stderr, "Usage: pages -o DIR NAME.txt...\n");
		return 2;
	}
	for (int i = 0; i < n; i++)
		offs[i + 1] = offs[i] + read_page(argv[3 + i], offs[i]);
	room = LZ4_compressBound((int)offs[n]);
	packed = malloc((size_t)room);
	len = packed ? LZ4_compress_HC(text, (char *)packed, (int)offs[n], room, LZ4HC_CLEVEL_MAX)
		     : 0;
	if (len <= 0)
		exit_with_error(argv[3], "cannot be compressed");
	write_header(argv[2], n, (size_t)len, offs[n]);
	write_source(argv[2], argv + 3, offs, n, packed, len);
	free(packed);
	return 0;
}
