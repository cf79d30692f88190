/* SPDX-License-Identifier: MIT */
/* The owners of sockets: recorded when sockets are created, and looked up for existing ones. */
#ifndef OWNER_OWNER_H
#define OWNER_OWNER_H

#include "obj/obj.h"

/* Zeroed: closed. */
struct owners {
	struct obj obj;
	int link_fd;
	int map_fd; /* owned by obj; for programs that read the map */
};

/* Starts recording the process that creates each new socket. Returns 0 or -errno. Does not report
 * errors, as captures work without owners. */
int owners_open(struct owners *o);
/* Records the owners of existing sockets. Skips processes that this process may not examine.
 * Returns 0 or -errno. Does not report errors. */
int owners_scan(const struct owners *o);
void owners_close(struct owners *o);

#endif
