/* SPDX-License-Identifier: MIT */
/* What happens before the C library begins: pointers are moved to where the program was loaded.
 *
 * The linker packs those relocations (DT_RELR: 8 bytes for up to 63 pointers, where DT_RELA takes
 * 24 for one), which musl before 1.2.4 does not know. What is left over it does by itself. */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* From 1.2.4 on the C library knows them, and says so: then it does all by itself. */
#ifdef DT_RELR
enum { RELR_SIZE, RELR_TABLE = -1, DONE_BY_LIBC = 1 };
#else
enum { RELR_SIZE = 35, RELR_TABLE = 36, DONE_BY_LIBC = 0 };
#endif

#define HIDDEN __attribute__((visibility("hidden")))
extern const ElfW(Dyn) _DYNAMIC[] HIDDEN;
extern const char __ehdr_start[] HIDDEN;

/* There is no thread yet, and so no canary of its stack. */
__attribute__((used, no_stack_protector)) HIDDEN void start_relocate(void)
{
	const uintptr_t base = (uintptr_t)__ehdr_start;
	const uintptr_t *at = NULL;
	uintptr_t *where = NULL;
	size_t n = 0;

	for (const ElfW(Dyn) *d = _DYNAMIC; !DONE_BY_LIBC && d->d_tag; d++) {
		if (d->d_tag == RELR_TABLE)
			at = (const uintptr_t *)(base + d->d_un.d_ptr);
		else if (d->d_tag == RELR_SIZE)
			n = d->d_un.d_val / sizeof(*at);
	}
	for (; at && n; n--, at++) {
		if (!(*at & 1)) { /* an address */
			where = (uintptr_t *)(base + *at);
			*where++ += base;
			continue;
		}
		for (uintptr_t bits = *at >> 1, i = 0; bits; bits >>= 1, i++)
			if (bits & 1)
				where[i] += base;
		where += 8 * sizeof(*at) - 1;
	}
}

/* The stack pointer has to be at _start what it was here. */
#if defined(__x86_64__)
__asm__(".globl start_here\nstart_here:\n"
	"push %rdx\npush %rdx\ncall start_relocate\npop %rdx\npop %rdx\njmp _start\n");
#elif defined(__aarch64__)
__asm__(".globl start_here\nstart_here:\nbl start_relocate\nb _start\n");
#elif defined(__riscv)
__asm__(".globl start_here\nstart_here:\ncall start_relocate\ntail _start\n");
#elif defined(__arm__)
__asm__(".globl start_here\n.type start_here, %function\nstart_here:\n"
	"bl start_relocate\nb _start\n");
#endif
