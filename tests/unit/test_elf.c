/* SPDX-License-Identifier: MIT */
/* Functions are found in ELF files: in the running program, and in damaged ones. */
#include <check.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sys/elf.h"
#include "tests/unit/suites.h"

int elf_is_found_here(int n);

__attribute__((noinline, used)) int elf_is_found_here(int n)
{
	return n + 1;
}

static int count_function(const struct elf_symbol *symbol, void *arg)
{
	ck_assert_uint_gt(strlen(symbol->name), 0);
	++*(unsigned int *)arg;
	return 0;
}

struct search {
	const char *name;
	uint64_t value;
};

static int match_name(const struct elf_symbol *symbol, void *arg)
{
	struct search *s = arg;

	if (strcmp(symbol->name, s->name))
		return 0;
	s->value = symbol->value;
	return 1;
}

/* Finds a function's offset in the file. */
static int find_offset(const struct elf *e, const char *name, uint64_t *offset)
{
	struct search s = { .name = name };

	return elf_walk_functions(e, match_name, &s) ? elf_find_offset(e, s.value, offset)
						     : -ENOENT;
}

/* The bytes at the offset found are the function's code. */
START_TEST(own_functions_are_found)
{
	unsigned char bytes[8];
	unsigned int n = 0;
	struct elf e = { 0 };
	uint64_t offset;

	ck_assert_int_eq(elf_open(&e, "/proc/self/exe"), 0);
	ck_assert_int_eq(elf_walk_functions(&e, count_function, &n), 0);
	ck_assert_uint_gt(n, 100);
	ck_assert_int_eq(find_offset(&e, "elf_is_found_here", &offset), 0);
	ck_assert_int_eq(pread(e.fd, bytes, sizeof(bytes), (off_t)offset), sizeof(bytes));
	ck_assert_mem_eq(bytes, (const void *)(uintptr_t)elf_is_found_here, sizeof(bytes));
	ck_assert_int_eq(find_offset(&e, "elf_is_found_now", &offset), -ENOENT);
	ck_assert_int_eq(elf_find_offset(&e, UINT64_MAX, &offset), -ENOENT);
	elf_close(&e);
}
END_TEST

START_TEST(other_files_are_refused)
{
	struct elf e = { 0 };

	ck_assert_int_eq(elf_open(&e, "/nowhere"), -ENOENT);
	ck_assert_int_eq(elf_open(&e, "/dev/null"), -ENOEXEC);
	ck_assert_int_eq(elf_open(&e, "/"), -ENOEXEC);
	ck_assert_int_eq(elf_open_blob(&e, "", 0), -ENOEXEC);
	ck_assert_int_eq(elf_open_blob(&e, ELFMAG "\3\1", 6), -ENOEXEC);
	ck_assert_int_eq(elf_open(&e, "tests/unit/test_elf.c"), -ENOEXEC);
}
END_TEST

/* A small program: one segment, two symbols with their names and versions. */
struct program {
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	Elf64_Shdr sections[4];
	Elf64_Sym symbols[2];
	char names[8];
	uint16_t versions[2];
	char code[16];
};

/* The machine of the running program. The field has the same offset in both classes. */
static uint16_t own_machine(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint16_t machine = 0;

	ck_assert_int_eq(pread(fd, &machine, sizeof(machine), offsetof(Elf64_Ehdr, e_machine)),
			 sizeof(machine));
	close(fd);
	return machine;
}

static struct program make_program(void)
{
	static const uint16_t one = 1;
	struct program p = {
		.head = { .e_ident = ELFMAG,
			  .e_phoff = offsetof(struct program, segment),
			  .e_shoff = offsetof(struct program, sections),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = 1,
			  .e_shentsize = sizeof(Elf64_Shdr),
			  .e_shnum = 4 },
		.segment = { .p_type = PT_LOAD,
			     .p_flags = PF_X | PF_R,
			     .p_offset = offsetof(struct program, code),
			     .p_vaddr = 0x1000,
			     .p_filesz = 16 },
		.sections = { { 0 },
			      { .sh_type = SHT_SYMTAB,
				.sh_offset = offsetof(struct program, symbols),
				.sh_size = 2 * sizeof(Elf64_Sym),
				.sh_entsize = sizeof(Elf64_Sym),
				.sh_link = 2 },
			      { .sh_type = SHT_STRTAB,
				.sh_offset = offsetof(struct program, names),
				.sh_size = 8 },
			      { .sh_type = SHT_GNU_versym,
				.sh_offset = offsetof(struct program, versions),
				.sh_size = 2 * sizeof(uint16_t),
				.sh_link = 1 } },
		.symbols = { { .st_name = 1,
			       .st_info = STT_FUNC,
			       .st_shndx = 1,
			       .st_value = 0x1004 },
			     { .st_name = 3, .st_info = STT_OBJECT, .st_shndx = 1 } },
		.names = "\0f\0data",
	};

	p.head.e_machine = own_machine();
	p.head.e_ident[EI_CLASS] = ELFCLASS64;
	p.head.e_ident[EI_DATA] = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	return p;
}

START_TEST(symbols_of_code_are_found)
{
	struct program p = make_program();
	unsigned int n = 0;
	struct elf e = { 0 };
	uint64_t offset;

	ck_assert_int_eq(elf_open_blob(&e, &p, sizeof(p)), 0);
	elf_walk_functions(&e, count_function, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(find_offset(&e, "f", &offset), 0);
	ck_assert_uint_eq(offset, offsetof(struct program, code) + 4);
	ck_assert_int_eq(find_offset(&e, "data", &offset), -ENOENT);
	/* Code is only in executable segments. */
	p.segment.p_flags = PF_R;
	ck_assert_int_eq(find_offset(&e, "f", &offset), -ENOENT);
}
END_TEST

/* Hidden versions of a function, kept for older programs, are not found by its name. */
START_TEST(hidden_versions_are_ignored)
{
	struct program p = make_program();
	struct elf e = { 0 };
	uint64_t offset;

	p.sections[1].sh_type = SHT_DYNSYM;
	ck_assert_int_eq(elf_open_blob(&e, &p, sizeof(p)), 0);
	p.versions[0] = 2;
	ck_assert_int_eq(find_offset(&e, "f", &offset), 0);
	p.versions[0] = 2 | 0x8000;
	ck_assert_int_eq(find_offset(&e, "f", &offset), -ENOENT);
}
END_TEST

static int store_is_ifunc(const struct elf_symbol *symbol, void *arg)
{
	*(bool *)arg = symbol->is_ifunc;
	return 1;
}

START_TEST(ifuncs_are_detected)
{
	struct program p = make_program();
	struct elf e = { 0 };
	bool is_ifunc = true;

	ck_assert_int_eq(elf_open_blob(&e, &p, sizeof(p)), 0);
	ck_assert_int_eq(elf_walk_functions(&e, store_is_ifunc, &is_ifunc), 1);
	ck_assert(!is_ifunc);
	p.symbols[0].st_info = STT_GNU_IFUNC;
	ck_assert_int_eq(elf_walk_functions(&e, store_is_ifunc, &is_ifunc), 1);
	ck_assert(is_ifunc);
}
END_TEST

START_TEST(other_machines_are_refused)
{
	struct program p = make_program();
	struct elf e = { 0 };

	p.head.e_machine = EM_ALPHA;
	ck_assert_int_eq(elf_open_blob(&e, &p, sizeof(p)), -ENOEXEC);
	p.head.e_machine = own_machine();
	p.head.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	ck_assert_int_eq(elf_open_blob(&e, &p, sizeof(p)), -ENOEXEC);
	ck_assert_str_eq(elf_open_error(-ENOEXEC), "not a program or library for this machine");
}
END_TEST

/* Every byte changed and every length: no read past the end. */
START_TEST(damaged_files_are_safe)
{
	struct program p = make_program();
	unsigned int n = 0;
	uint64_t offset;

	for (size_t i = 0; i < sizeof(p); i += UNIT_STRIDE) {
		uint8_t *copy = malloc(sizeof(p));
		struct elf e = { 0 };

		memcpy(copy, &p, sizeof(p));
		copy[i] ^= 0xff;
		if (!elf_open_blob(&e, copy, sizeof(p))) {
			elf_walk_functions(&e, count_function, &n);
			find_offset(&e, "f", &offset);
		}
		memcpy(copy, &p, sizeof(p));
		copy = realloc(copy, i + 1);
		if (!elf_open_blob(&e, copy, i)) {
			elf_walk_functions(&e, count_function, &n);
			find_offset(&e, "f", &offset);
		}
		free(copy);
	}
}
END_TEST

Suite *elf_suite(void)
{
	Suite *s = suite_create("elf");
	TCase *t = tcase_create("elf");

	tcase_add_test(t, own_functions_are_found);
	tcase_add_test(t, other_files_are_refused);
	tcase_add_test(t, symbols_of_code_are_found);
	tcase_add_test(t, hidden_versions_are_ignored);
	tcase_add_test(t, ifuncs_are_detected);
	tcase_add_test(t, other_machines_are_refused);
	tcase_add_test(t, damaged_files_are_safe);
	suite_add_tcase(s, t);
	return s;
}
