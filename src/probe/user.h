/* SPDX-License-Identifier: MIT */
/* Names of addresses in processes, while the processes live and their files can be read. */
#ifndef PROBE_USER_H
#define PROBE_USER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { USER_PROCESSES = 4096, USER_FILES = 256 };

/* Zeroed: closed. */
struct users {
	int proc; /* descriptor of procfs; 0: none */
	struct user_process *processes;
	struct user_file *files;
	uint32_t next_process, next_file;
};

/* Opens procfs for later lookups, which may happen with fewer privileges. Returns 0 or -errno. Does
 * not report errors. */
int users_open(struct users *u);
void users_close(struct users *u);
/* Reads a process's mappings unless they are known: it may end before its addresses are looked
 * up. */
void users_read_maps(struct users *u, uint32_t pid);
/* Appends "function+0x10", "file+0x1234" where the file has no symbol (an offset as uprobes take
 * it), or the bare address. Returns false, appending nothing, if the process has nothing at the
 * address: stacks of programs without frame pointers end in such addresses. */
bool users_append_name(struct users *u, uint32_t pid, uint64_t addr, struct buf *out);

#endif
