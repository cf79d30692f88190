/* SPDX-License-Identifier: MIT */
/* Any bytes as an ELF file whose functions are listed. */
#include "sys/elf.h"
#include "tests/fuzz/fuzz.h"

static int on_symbol(const struct elf_symbol *symbol, void *arg)
{
	const struct elf *e = arg;
	uint64_t offset;

	MUST(*symbol->name);
	MUST(elf_find_offset(e, symbol->value, &offset) || offset < e->len);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf e = { 0 };
	uint64_t value;

	if (elf_open_blob(&e, data, size))
		return 0;
	elf_walk_functions(&e, on_symbol, &e);
	elf_find_value(&e, size / 2, &value);
	elf_close(&e);
	return 0;
}
