/* SPDX-License-Identifier: MIT */
/* Runs before the C library starts: applies the relative relocations of this static-pie program.
 *
 * The linker packs them as DT_RELR (8 bytes for up to 63 pointers, where DT_RELA takes 24 for one),
 * which musl before 1.2.4 does not know. musl applies the remaining relocations itself. */
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>

/* musl 1.2.4 and later define DT_RELR and apply these relocations: nothing is left to do here. */
#ifdef DT_RELR
enum { RELR_SIZE, RELR_TABLE = -1, DONE_BY_LIBC = 1 };
#else
enum { RELR_SIZE = 35, RELR_TABLE = 36, DONE_BY_LIBC = 0 };
#endif

#define HIDDEN __attribute__((visibility("hidden")))
extern const ElfW(Dyn) _DYNAMIC[] HIDDEN;
extern const char __ehdr_start[] HIDDEN;

/* The thread pointer is not set up yet, so there is no stack canary. */
__attribute__((used, no_stack_protector)) HIDDEN void start_relocate(void)
{
	const uintptr_t base = (uintptr_t)__ehdr_start;
	const uintptr_t *relr = NULL;
	uintptr_t *addr = NULL;
	size_t n = 0;

	for (const ElfW(Dyn) *d = _DYNAMIC; !DONE_BY_LIBC && d->d_tag; d++) {
		if (d->d_tag == RELR_TABLE)
			relr = (const uintptr_t *)(base + d->d_un.d_ptr);
		else if (d->d_tag == RELR_SIZE)
			n = d->d_un.d_val / sizeof(*relr);
	}
	for (; relr && n; n--, relr++) {
		if (!(*relr & 1)) { /* an address; other words are bitmaps of the words after it */
			addr = (uintptr_t *)(base + *relr);
			*addr++ += base;
			continue;
		}
		for (uintptr_t bits = *relr >> 1, i = 0; bits; bits >>= 1, i++)
			if (bits & 1)
				addr[i] += base;
		addr += 8 * sizeof(*relr) - 1;
	}
}

/* At _start the stack pointer must be what it was here. */
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
