/* SPDX-License-Identifier: MIT */
/* Names for addresses in processes, as long as these live and their files can be read. */
#ifndef PROBE_USER_H
#define PROBE_USER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"

enum { USER_PROCESSES = 4096, USER_FILES = 256 };

/* Zeroed: closed. */
struct users {
	int proc; /* directory; 0: none */
	struct user_process *processes;
	struct user_file *files;
	uint32_t next_process, next_file;
};

/* What it takes to look them up later, when less may be allowed. 0 or -errno. */
int users_open(struct users *u);
void users_close(struct users *u);
/* Look at what a process has in memory, unless that was done: it may end before it is asked for. */
void users_learn(struct users *u, uint32_t pid);
/* Append "function+0x10", "file+0x1234" where the file does not say (an address as of a uprobe), or
 * the bare address. False, and nothing is: the process has nothing there. (Stacks of programs that
 * keep no frame pointers end in such.) */
bool users_name(struct users *u, uint32_t pid, uint64_t addr, struct buf *out);

#endif
