/* SPDX-License-Identifier: MIT */
/* The sockets' owners: written down as sockets are made, and found out for those that there are. */
#ifndef OWNER_OWNER_H
#define OWNER_OWNER_H

#include "obj/obj.h"

/* Zeroed: closed. */
struct owners {
	struct obj obj;
	int link_fd;
	int map_fd; /* the obj's: for the programs that look into it */
};

/* From now on the makers of sockets are known. 0 or -errno, not said: captures go without. */
int owners_open(struct owners *o);
/* And those that hold one now. A process is passed over that may not be looked into. 0 or -errno.
 */
int owners_scan(const struct owners *o);
void owners_close(struct owners *o);

#endif
