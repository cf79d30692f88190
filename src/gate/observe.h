/* SPDX-License-Identifier: MIT */
/* The gate's observer: a program that sees every packet with the gate's verdict. */
#ifndef GATE_OBSERVE_H
#define GATE_OBSERVE_H

#include "sys/link.h"

/* Zeroed: closed. The kernel empties the program array when its last descriptor is closed, in
 * whatever way the process ends. */
struct observe {
	int slot_fd;     /* the map that the observer is put into */
	int decision_fd; /* the map with the verdict, which the observer reads */
};

/* Opens the observer's map of the gate at an interface's XDP hook, which another process may have
 * attached. Returns 0 or -errno: -ENOENT if there is no gate (not reported), -EBUSY if another
 * observer is there, -EOPNOTSUPP if the gate cannot have one. */
int observe_open(struct observe *o, struct nl *nl, const struct link *link);
/* Sets the observer. It has to be loaded for XDP with the same flags as the gate: else -EINVAL. */
int observe_set(const struct observe *o, int prog_fd);
void observe_close(struct observe *o);

#endif
