// SPDX-License-Identifier: MIT
/* Reads an ELF64 BPF object of either byte order. */
#include <elf.h>
#include <stdlib.h>

#include "gen/read.h"

static int check_header(struct reader *r, struct slice *file)
{
	uint16_t type, machine, shentsize;

	if (!slice_has(*file, 0, sizeof(Elf64_Ehdr)) || memcmp(file->at, ELFMAG, SELFMAG))
		return gen_fail(r, NULL, NULL, "not an ELF file");
	if (file->at[EI_CLASS] != ELFCLASS64)
		return gen_fail(r, NULL, NULL, "not a 64-bit ELF file");
	if (file->at[EI_DATA] != ELFDATA2LSB && file->at[EI_DATA] != ELFDATA2MSB)
		return gen_fail(r, NULL, NULL, "ELF file of unknown byte order");
	file->big = file->at[EI_DATA] == ELFDATA2MSB;
	slice_read_u16(*file, offsetof(Elf64_Ehdr, e_type), &type);
	slice_read_u16(*file, offsetof(Elf64_Ehdr, e_machine), &machine);
	slice_read_u16(*file, offsetof(Elf64_Ehdr, e_shentsize), &shentsize);
	if (type != ET_REL || machine != EM_BPF)
		return gen_fail(r, NULL, NULL, "not a relocatable BPF object");
	if (shentsize != sizeof(Elf64_Shdr))
		return gen_fail(r, NULL, NULL, "section headers of %u bytes", shentsize);
	return 0;
}

static int read_sec(struct reader *r, struct slice file, struct slice h, uint32_t i,
		    uint32_t *name_off)
{
	struct elf_sec *sec = &r->elf.secs[i];
	uint64_t off;

	slice_read_u32(h, offsetof(Elf64_Shdr, sh_name), name_off);
	slice_read_u32(h, offsetof(Elf64_Shdr, sh_type), &sec->type);
	slice_read_u64(h, offsetof(Elf64_Shdr, sh_flags), &sec->flags);
	slice_read_u64(h, offsetof(Elf64_Shdr, sh_offset), &off);
	slice_read_u64(h, offsetof(Elf64_Shdr, sh_size), &sec->size);
	slice_read_u32(h, offsetof(Elf64_Shdr, sh_link), &sec->link);
	slice_read_u32(h, offsetof(Elf64_Shdr, sh_info), &sec->info);
	if (sec->type == SHT_NOBITS || sec->type == SHT_NULL)
		return 0;
	if (!slice_cut(file, off, sec->size, &sec->data))
		return gen_fail(r, NULL, NULL, "section %u lies outside the file", i);
	return 0;
}

static int read_secs(struct reader *r, struct slice file)
{
	uint32_t name_offs[SECS_MAX];
	struct elf *elf = &r->elf;
	uint16_t n, names;
	struct slice all;
	uint64_t off;

	slice_read_u64(file, offsetof(Elf64_Ehdr, e_shoff), &off);
	slice_read_u16(file, offsetof(Elf64_Ehdr, e_shnum), &n);
	slice_read_u16(file, offsetof(Elf64_Ehdr, e_shstrndx), &names);
	if (!n || n > SECS_MAX || names >= n)
		return gen_fail(r, NULL, NULL, "%u section headers", n);
	if (!slice_cut(file, off, (uint64_t)n * sizeof(Elf64_Shdr), &all))
		return gen_fail(r, NULL, NULL, "section headers lie outside the file");
	elf->secs = gen_alloc(r, n, sizeof(*elf->secs));
	if (!elf->secs)
		return -EINVAL;
	elf->nsecs = n;
	for (uint32_t i = 0; i < n; i++) {
		struct slice h = { 0 };

		slice_cut(all, i * sizeof(Elf64_Shdr), sizeof(Elf64_Shdr), &h);
		if (read_sec(r, file, h, i, &name_offs[i]))
			return -EINVAL;
	}
	for (uint32_t i = 0; i < n; i++) {
		elf->secs[i].name = slice_read_str(elf->secs[names].data, name_offs[i]);
		if (!elf->secs[i].name)
			return gen_fail(r, NULL, NULL, "section %u has no name", i);
	}
	return 0;
}

static int read_sym(struct reader *r, struct slice e, struct slice strs, struct elf_sym *sym)
{
	struct elf *elf = &r->elf;
	uint64_t info;
	uint32_t name;
	uint16_t sec;

	slice_read_u32(e, offsetof(Elf64_Sym, st_name), &name);
	slice_read_num(e, offsetof(Elf64_Sym, st_info), 1, &info);
	slice_read_u16(e, offsetof(Elf64_Sym, st_shndx), &sec);
	slice_read_u64(e, offsetof(Elf64_Sym, st_value), &sym->value);
	slice_read_u64(e, offsetof(Elf64_Sym, st_size), &sym->size);
	sym->type = ELF64_ST_TYPE(info);
	sym->bind = ELF64_ST_BIND(info);
	sym->sec = sec;
	sym->name = slice_read_str(strs, name);
	if (!sym->name)
		return gen_fail(r, ".symtab", NULL, "symbol without a name");
	if (sec >= elf->nsecs && sec != SHN_ABS)
		return gen_fail(r, ".symtab", sym->name, "is in section %u, which does not exist",
				sec);
	if (sym->type == STT_SECTION && sec < elf->nsecs)
		sym->name = elf->secs[sec].name;
	return 0;
}

static int read_syms(struct reader *r)
{
	struct elf *elf = &r->elf;
	const struct elf_sec *tab = NULL;

	for (uint32_t i = 0; i < elf->nsecs && !tab; i++)
		if (elf->secs[i].type == SHT_SYMTAB)
			tab = &elf->secs[i];
	if (!tab || tab->link >= elf->nsecs || tab->size % sizeof(Elf64_Sym))
		return gen_fail(r, NULL, NULL, "no symbol table");
	elf->nsyms = tab->size / sizeof(Elf64_Sym);
	elf->syms = gen_alloc(r, elf->nsyms, sizeof(*elf->syms));
	if (!elf->syms)
		return -EINVAL;
	for (uint32_t i = 0; i < elf->nsyms; i++) {
		struct slice e = { 0 };

		slice_cut(tab->data, i * sizeof(Elf64_Sym), sizeof(Elf64_Sym), &e);
		if (read_sym(r, e, elf->secs[tab->link].data, &elf->syms[i]))
			return -EINVAL;
	}
	return 0;
}

static bool is_loaded_rel(const struct elf *elf, const struct elf_sec *sec)
{
	return (sec->type == SHT_REL || sec->type == SHT_RELA) && sec->info < elf->nsecs &&
	       elf->secs[sec->info].flags & SHF_ALLOC;
}

static int read_rel(struct reader *r, const struct elf_sec *sec, uint64_t at, struct elf_rel *rel)
{
	const struct elf_sec *into = &r->elf.secs[sec->info];
	uint64_t info;

	slice_read_u64(sec->data, at + offsetof(Elf64_Rel, r_offset), &rel->off);
	slice_read_u64(sec->data, at + offsetof(Elf64_Rel, r_info), &info);
	rel->sec = sec->info;
	rel->type = ELF64_R_TYPE(info);
	rel->sym = ELF64_R_SYM(info);
	if (rel->sym >= r->elf.nsyms)
		return gen_fail(r, sec->name, NULL,
				"relocation names symbol %u, which does not exist", rel->sym);
	if (rel->off >= into->size)
		return gen_fail(r, sec->name, r->elf.syms[rel->sym].name,
				"relocation lies outside section %s", into->name);
	return 0;
}

static int compare_rels(const void *a, const void *b)
{
	const struct elf_rel *x = a, *y = b;

	if (x->sec != y->sec)
		return x->sec < y->sec ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

static int read_rels(struct reader *r)
{
	struct elf *elf = &r->elf;
	uint64_t n = 0;

	for (uint32_t i = 0; i < elf->nsecs; i++) {
		const struct elf_sec *sec = &elf->secs[i];

		if (!is_loaded_rel(elf, sec))
			continue;
		if (sec->type == SHT_RELA || sec->size % sizeof(Elf64_Rel))
			return gen_fail(r, sec->name, NULL, "relocations of unknown format");
		n += sec->size / sizeof(Elf64_Rel);
	}
	elf->rels = gen_alloc(r, n, sizeof(*elf->rels));
	if (!elf->rels)
		return -EINVAL;
	for (uint32_t i = 0; i < elf->nsecs; i++) {
		const struct elf_sec *sec = &elf->secs[i];

		if (!is_loaded_rel(elf, sec))
			continue;
		for (uint64_t at = 0; at < sec->size; at += sizeof(Elf64_Rel))
			if (read_rel(r, sec, at, &elf->rels[elf->nrels++]))
				return -EINVAL;
	}
	qsort(elf->rels, elf->nrels, sizeof(*elf->rels), compare_rels);
	return 0;
}

int gen_elf_open(struct reader *r, struct slice file)
{
	if (check_header(r, &file) || read_secs(r, file) || read_syms(r) || read_rels(r))
		return -EINVAL;
	r->elf.big = file.big;
	return 0;
}

const struct elf_sec *gen_elf_find_sec(const struct elf *elf, const char *name)
{
	for (uint32_t i = 0; i < elf->nsecs; i++)
		if (!strcmp(elf->secs[i].name, name))
			return &elf->secs[i];
	return NULL;
}

const struct elf_sym *gen_elf_find_sym(const struct elf *elf, const struct elf_sec *sec,
				       const char *name)
{
	uint32_t index = elf_section_index(elf, sec);

	for (uint32_t i = 0; i < elf->nsyms; i++)
		if (elf->syms[i].sec == index && elf->syms[i].type != STT_SECTION &&
		    !strcmp(elf->syms[i].name, name))
			return &elf->syms[i];
	return NULL;
}
