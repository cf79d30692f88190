/* SPDX-License-Identifier: MIT */
/* The gates of several interfaces, followed as interfaces appear and disappear. */
#ifndef GATE_IFACES_H
#define GATE_IFACES_H

#include <stdbool.h>
#include "base/opt.h"
#include "gate/gate.h"
#include "sys/iface_follower.h"

/* An interface whose packets are counted, and what was counted since it was first seen. */
struct gate_iface {
	struct gate gate;
	bool gone;                  /* the interface is gone; its last counters remain */
	bool unusable;              /* its gate was detached, and no other could be attached */
	struct gate_counters last;  /* the maps as last read */
	struct gate_counters total; /* since the start */
	struct gate_counters delta; /* between the last two gate_ifaces_read() */
};

/* Zeroed: closed. */
struct gate_ifaces {
	struct iface_follower follower;
	struct gate_opts opts;
	struct gate_iface **at;
	unsigned int n;
};

/* names may be empty: every interface that is up. The caller keeps them as long as *p is open.
 * Returns 0 or -errno. Reports errors. */
int gate_ifaces_open(struct gate_ifaces *p, const struct opt_list *names,
		     const struct gate_opts *opts);
/* Attaches a gate to each interface. A named interface must exist and accept one. Without names,
 * interfaces that do not are reported and left out, and tc is used where another program holds XDP.
 * Returns 0 or -errno. Reports errors; on failure detaches what it installed. */
int gate_ifaces_attach(struct gate_ifaces *p);
/* Prepares for gate_ifaces_follow(). Call it before the process gives up its privileges. Returns 0
 * or -errno. Reports errors. */
int gate_ifaces_prepare(const struct gate_ifaces *p);
/* Finds the installed gates instead, for gate_read(). Returns 0 or -errno, -ENOENT if there are
 * none. Reports errors. */
int gate_ifaces_find(struct gate_ifaces *p);
/* Handles changes of interfaces and gates. Call it when p->follower.events.fd is readable. Returns
 * 0 or -errno. Reports errors. */
int gate_ifaces_follow(struct gate_ifaces *p);
/* Reads every gate's counters: total and delta. Returns 0 or -errno. Reports errors. */
int gate_ifaces_read(struct gate_ifaces *p);
/* Removes the interfaces that are gone. */
void gate_ifaces_forget_gone(struct gate_ifaces *p);
void gate_ifaces_close(struct gate_ifaces *p);

#endif
