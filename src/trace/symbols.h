/* SPDX-License-Identifier: MIT */
/* Names of kernel addresses; only requested ones are kept. */
#ifndef TRACE_SYMBOLS_H
#define TRACE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum { SYMBOLS_CACHED = 512, SYMBOL_NAME = 64, SYMBOLS_BATCH = 64 };

struct symbol {
	uint64_t addr, start; /* start: of the function; 0: unknown */
	char name[SYMBOL_NAME];
};

/* Zeroed: closed. */
struct symbols {
	int proc; /* descriptor of procfs; 0: none */
	struct symbol *cache;
	uint32_t n;
};

/* Opens procfs for later lookups, which may happen with fewer privileges. Without procfs nothing
 * has a name. */
void symbols_open(struct symbols *s);
/* Returns the symbol of an address; its .start is 0 if the kernel does not report it. NULL: out of
 * memory. */
const struct symbol *symbols_lookup(struct symbols *s, uint64_t addr);
/* Looks up several addresses in one pass. */
void symbols_find(struct symbols *s, const uint64_t *addrs, size_t n);
/* Appends an address as "function+0x10", or as a number if the kernel does not report its
 * symbol. */
void symbols_append(struct symbols *s, uint64_t addr, struct buf *out);
/* Appends n frames of a stack, innermost first, each between two texts, leaving out those of the
 * tracing program. Returns how many were appended. */
uint32_t symbols_append_stack(struct symbols *s, const uint64_t *frames, uint32_t n,
			      const char *prefix, const char *suffix, struct buf *out);
/* Called with each function of the kernel and its modules; the name has no NUL. Returning anything
 * but 0 stops the walk. addr is 0 if the kernel does not report it. */
typedef int symbols_each(uint64_t addr, const char *name, size_t len, void *arg);
int symbols_walk(const struct symbols *s, symbols_each *each, void *arg);
void symbols_close(struct symbols *s);

#endif
