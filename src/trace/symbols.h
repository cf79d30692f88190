/* SPDX-License-Identifier: MIT */
/* Names for addresses in the kernel, of which only those asked for are kept. */
#ifndef TRACE_SYMBOLS_H
#define TRACE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { SYMBOLS_KEPT = 512, SYMBOL_NAME = 64, SYMBOLS_ASKED = 64 };

struct symbol {
	uint64_t addr, begin; /* begin: the function's; 0: there is none known */
	char name[SYMBOL_NAME];
};

/* Zeroed: closed. */
struct symbols {
	int proc; /* directory; 0: none */
	struct symbol *kept;
	uint32_t n;
};

/* What it takes to look them up later, when less may be allowed. Without procfs there are none. */
void symbols_open(struct symbols *s);
/* That of an address; its .begin is 0 if the kernel does not tell. NULL: no memory. */
const struct symbol *symbols_of(struct symbols *s, uint64_t addr);
/* Look several up at once: one walk over all there are. */
void symbols_find(struct symbols *s, const uint64_t *addrs, size_t n);
/* Append an address: "function+0x10", or its number if the kernel does not tell. */
void symbols_put(struct symbols *s, uint64_t addr, struct buf *out);
/* Append n frames of a stack, innermost first, each between two texts, but for those of the
 * programs that looked at it. How many they are. */
uint32_t symbols_put_stack(struct symbols *s, const uint64_t *frames, uint32_t n,
			   const char *before, const char *behind, struct buf *out);
/* Called with each function of the kernel and its modules; the name is not ended by NUL. A value
 * other than 0 ends it and is returned. addr is 0 where the kernel does not tell. */
typedef int symbols_each(uint64_t addr, const char *name, size_t len, void *arg);
int symbols_walk(const struct symbols *s, symbols_each *each, void *arg);
void symbols_close(struct symbols *s);

#endif
