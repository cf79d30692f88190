/* SPDX-License-Identifier: MIT */
/* The gate's place for an observer: a program that sees every packet with the gate's verdict. */
#ifndef GATE_OBSERVE_H
#define GATE_OBSERVE_H

#include "sys/link.h"

/* Zeroed: none. The kernel empties the place when the last descriptor of its map is closed, however
 * the process ends. */
struct observe {
	int slot_fd;     /* of the map with the place */
	int decision_fd; /* of the map with the verdict, for the observer to read */
};

/* The place of the gate at an interface's XDP hook, whoever put the gate there. -ENOENT (not said):
 * there is no gate. -EBUSY, said: another observer has it. -EOPNOTSUPP, said: it has no such place.
 */
int observe_open(struct observe *o, struct nl *nl, const struct link *link);
/* Put a program there, loaded for XDP in the same way as the gate is: -EINVAL if it was not. */
int observe_set(const struct observe *o, int prog_fd);
void observe_close(struct observe *o);

#endif
