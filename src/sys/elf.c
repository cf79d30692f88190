/* SPDX-License-Identifier: MIT */
/* Converts headers of 32-bit files to the 64-bit form, so that both are handled alike. All offsets
 * come from the file and are checked. */
#include "sys/elf.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

enum {
	SEGMENTS_MAX = 1 << 12,
	TABLE_MAX = 1 << 28,
	TABLES_MAX = 4,
	SYMBOL_NAME_MAX = 1 << 12, /* longer names are skipped */
	VERSION_HIDDEN = 1 << 15,  /* VERSYM_HIDDEN: for programs linked with this version */
};

static bool read_bytes(const struct elf *e, uint64_t off, void *to, size_t len)
{
	if (off > e->len || len > e->len - off)
		return false;
	if (!e->data)
		return pread(e->fd, to, len, (off_t)off) == (ssize_t)len;
	memcpy(to, e->data + off, len);
	return true;
}

/* The needed part of a file's header. */
struct elf_header {
	uint64_t sections, segments;
	uint32_t nsections, nsegments, section_size, segment_size;
	uint16_t machine;
};

/* Accepts files that this machine runs, including those of the 32-bit variant of its
 * architecture. */
static bool is_native(uint16_t machine)
{
#if defined(__x86_64__)
	return machine == EM_X86_64 || machine == EM_386;
#elif defined(__aarch64__)
	return machine == EM_AARCH64 || machine == EM_ARM;
#elif defined(__arm__)
	return machine == EM_ARM;
#elif defined(__riscv)
	return machine == EM_RISCV;
#elif defined(__s390__)
	return machine == EM_S390;
#else
	return machine != EM_NONE;
#endif
}

static bool read_header(const struct elf *e, struct elf_header *h)
{
	Elf64_Ehdr wide;
	Elf32_Ehdr narrow;

	if (e->wide) {
		if (!read_bytes(e, 0, &wide, sizeof(wide)))
			return false;
		*h = (struct elf_header){ wide.e_shoff,  wide.e_phoff,     wide.e_shnum,
					  wide.e_phnum,  wide.e_shentsize, wide.e_phentsize,
					  wide.e_machine };
		return true;
	}
	if (!read_bytes(e, 0, &narrow, sizeof(narrow)))
		return false;
	*h = (struct elf_header){ narrow.e_shoff,  narrow.e_phoff,     narrow.e_shnum,
				  narrow.e_phnum,  narrow.e_shentsize, narrow.e_phentsize,
				  narrow.e_machine };
	return true;
}

struct section {
	uint64_t off, size, entry;
	uint32_t type, link;
};

static bool read_section(const struct elf *e, const struct elf_header *h, uint32_t i,
			 struct section *s)
{
	uint64_t at = h->sections + (uint64_t)i * h->section_size;
	Elf64_Shdr wide;
	Elf32_Shdr narrow;

	if (i >= h->nsections)
		return false;
	if (e->wide) {
		if (!read_bytes(e, at, &wide, sizeof(wide)))
			return false;
		*s = (struct section){ wide.sh_offset, wide.sh_size, wide.sh_entsize, wide.sh_type,
				       wide.sh_link };
		return true;
	}
	if (!read_bytes(e, at, &narrow, sizeof(narrow)))
		return false;
	*s = (struct section){ narrow.sh_offset, narrow.sh_size, narrow.sh_entsize, narrow.sh_type,
			       narrow.sh_link };
	return true;
}

static int check_header(struct elf *e)
{
	static const uint16_t one = 1;
	uint8_t native_order = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB, ident[EI_NIDENT];
	struct elf_header h;

	if (!read_bytes(e, 0, ident, sizeof(ident)) || memcmp(ident, ELFMAG, SELFMAG) ||
	    ident[EI_DATA] != native_order ||
	    (ident[EI_CLASS] != ELFCLASS64 && ident[EI_CLASS] != ELFCLASS32))
		return -ENOEXEC;
	e->wide = ident[EI_CLASS] == ELFCLASS64;
	if (!read_header(e, &h) || h.nsegments > SEGMENTS_MAX || !is_native(h.machine))
		return -ENOEXEC;
	e->machine = h.machine;
	return 0;
}

int elf_open_blob(struct elf *e, const void *data, size_t len)
{
	struct elf opened = { .data = data, .len = len };
	int rc = check_header(&opened);

	if (!rc)
		*e = opened;
	return rc;
}

int elf_open(struct elf *e, const char *path)
{
	return elf_open_at(e, AT_FDCWD, path);
}

int elf_open_at(struct elf *e, int dir, const char *path)
{
	struct elf opened = { .fd = openat(dir, path,
					   O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) };
	off_t len;
	int rc;

	if (opened.fd < 0)
		return -errno;
	/* lseek(2), not fstat(2): a confined process may only call the former. */
	len = lseek(opened.fd, 0, SEEK_END);
	opened.len = len > 0 ? (uint64_t)len : 0;
	rc = check_header(&opened);
	if (rc)
		close(opened.fd);
	else
		*e = opened;
	return rc;
}

void elf_close(struct elf *e)
{
	if (!e->data && e->fd)
		close(e->fd);
	*e = (struct elf){ 0 };
}

/* Returns a section's bytes, allocated; NULL: missing, too large or out of memory. */
static void *load_section(const struct elf *e, const struct section *s)
{
	void *bytes = s->size && s->size <= TABLE_MAX && s->size <= e->len ? malloc((size_t)s->size)
									   : NULL;

	if (bytes && !read_bytes(e, s->off, bytes, (size_t)s->size)) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

/* Reads a symbol table entry. Returns false if it is not a function defined in this file. */
static bool read_symbol(const struct elf *e, const uint8_t *at, const char *names, uint64_t len,
			struct elf_symbol *symbol)
{
	Elf64_Sym wide;
	Elf32_Sym narrow;

	if (e->wide) {
		memcpy(&wide, at, sizeof(wide));
	} else {
		memcpy(&narrow, at, sizeof(narrow));
		wide = (Elf64_Sym){ .st_name = narrow.st_name,
				    .st_info = narrow.st_info,
				    .st_shndx = narrow.st_shndx,
				    .st_value = narrow.st_value,
				    .st_size = narrow.st_size };
	}
	if ((ELF64_ST_TYPE(wide.st_info) != STT_FUNC &&
	     ELF64_ST_TYPE(wide.st_info) != STT_GNU_IFUNC) ||
	    wide.st_shndx == SHN_UNDEF || wide.st_name >= len)
		return false;
	len -= wide.st_name;
	if (!memchr(names + wide.st_name, '\0',
		    len < SYMBOL_NAME_MAX ? (size_t)len : SYMBOL_NAME_MAX))
		return false;
	/* On ARM the lowest bit marks Thumb code. */
	if (e->machine == EM_ARM)
		wide.st_value &= ~UINT64_C(1);
	*symbol = (struct elf_symbol){ names + wide.st_name, wide.st_value, wide.st_size,
				       ELF64_ST_TYPE(wide.st_info) == STT_GNU_IFUNC };
	return *symbol->name;
}

/* Returns the version of each symbol in a table, allocated; NULL: no versions. */
static uint16_t *load_versions(const struct elf *e, const struct elf_header *h, uint32_t table,
			       uint64_t n)
{
	struct section s;

	for (uint32_t i = 0; read_section(e, h, i, &s); i++)
		if (s.type == SHT_GNU_versym && s.link == table && s.size / sizeof(uint16_t) >= n)
			return load_section(e, &s);
	return NULL;
}

static int walk_symbols(const struct elf *e, const struct section *table,
			const struct section *strings, const uint16_t *versions, elf_each *each,
			void *arg)
{
	size_t size = e->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint8_t *entries = table->entry == size ? load_section(e, table) : NULL;
	char *names = entries ? load_section(e, strings) : NULL;
	struct elf_symbol symbol;
	int rc = 0;

	if (names)
		names[strings->size - 1] = '\0'; /* as in an undamaged file */
	for (uint64_t i = 0; names && !rc && i < table->size / size; i++)
		if ((!versions || !(versions[i] & VERSION_HIDDEN)) &&
		    read_symbol(e, entries + i * size, names, strings->size, &symbol))
			rc = each(&symbol, arg);
	free(names);
	free(entries);
	return rc;
}

int elf_walk_functions(const struct elf *e, elf_each *each, void *arg)
{
	struct section table, names;
	int rc = 0, tables = 0;
	uint16_t *versions;
	struct elf_header h;

	if (!read_header(e, &h))
		return 0;
	/* Valid files have one or two symbol tables. */
	for (uint32_t i = 0; !rc && tables < TABLES_MAX && read_section(e, &h, i, &table); i++) {
		if ((table.type != SHT_SYMTAB && table.type != SHT_DYNSYM) ||
		    !read_section(e, &h, table.link, &names) || names.type != SHT_STRTAB)
			continue;
		versions = table.type == SHT_DYNSYM
				   ? load_versions(e, &h, i,
						   table.size / (e->wide ? sizeof(Elf64_Sym)
									 : sizeof(Elf32_Sym)))
				   : NULL;
		rc = walk_symbols(e, &table, &names, versions, each, arg);
		free(versions);
		tables++;
	}
	return rc;
}

/* A segment of the file that is loaded as code. */
struct segment {
	uint64_t value, offset, len;
};

/* Reads segment number i. Returns 1 if it is code, 0 if not, -ENOENT if there is no such
 * segment. */
static int read_segment(const struct elf *e, const struct elf_header *h, uint32_t i,
			struct segment *s)
{
	uint64_t at = h->segments + (uint64_t)i * h->segment_size;
	Elf64_Phdr wide = { 0 };
	Elf32_Phdr narrow;

	if (i >= h->nsegments || (e->wide ? !read_bytes(e, at, &wide, sizeof(wide))
					  : !read_bytes(e, at, &narrow, sizeof(narrow))))
		return -ENOENT;
	if (!e->wide) {
		wide.p_type = narrow.p_type;
		wide.p_flags = narrow.p_flags;
		wide.p_offset = narrow.p_offset;
		wide.p_vaddr = narrow.p_vaddr;
		wide.p_filesz = narrow.p_filesz;
	}
	*s = (struct segment){ wide.p_vaddr, wide.p_offset, wide.p_filesz };
	return wide.p_type == PT_LOAD && wide.p_flags & PF_X;
}

int elf_find_offset(const struct elf *e, uint64_t value, uint64_t *offset)
{
	struct segment s;
	struct elf_header h;
	int rc = read_header(e, &h) ? 0 : -ENOENT;

	for (uint32_t i = 0; rc >= 0; i++) {
		rc = read_segment(e, &h, i, &s);
		if (rc <= 0 || value < s.value || value - s.value >= s.len)
			continue;
		*offset = value - s.value + s.offset;
		return *offset < e->len ? 0 : -ENOENT;
	}
	return -ENOENT;
}

int elf_find_value(const struct elf *e, uint64_t offset, uint64_t *value)
{
	struct segment s;
	struct elf_header h;
	int rc = read_header(e, &h) ? 0 : -ENOENT;

	for (uint32_t i = 0; rc >= 0; i++) {
		rc = read_segment(e, &h, i, &s);
		if (rc <= 0 || offset < s.offset || offset - s.offset >= s.len)
			continue;
		*value = offset - s.offset + s.value;
		return 0;
	}
	return -ENOENT;
}

const char *elf_open_error(int rc)
{
	return rc == -ENOEXEC ? "not a program or library for this machine" : err_message(rc);
}
