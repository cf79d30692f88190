/* SPDX-License-Identifier: MIT */
/* The program at an interface's XDP hook, when a gate cannot be attached there. */
#ifndef GATE_XDP_H
#define GATE_XDP_H

#include "obj/find.h"

/* Finds the program at the XDP hook now, and what it is; *prog is zeroed if its id leads nowhere.
 * Returns 0 or -errno; -ENOENT if there is none. Does not report errors. */
int gate_find_xdp(struct nl *nl, int ifindex, struct found *xdp, struct find_prog *prog);

/* Reports who holds the XDP hook, and what to do about it. Returns -EEXIST for a program of
 * sonde's, else rc. */
int gate_fail_xdp_busy(const char *iface, const struct found *xdp, const struct find_prog *prog,
		       int rc);

#endif
