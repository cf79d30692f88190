/* SPDX-License-Identifier: MIT */
/* The gates of several interfaces, followed as interfaces appear and vanish. */
#ifndef GATE_IFACES_H
#define GATE_IFACES_H

#include <stdbool.h>
#include "base/opt.h"
#include "gate/gate.h"

/* An interface that is counted on, and what was counted since it was first seen. */
struct gate_iface {
	struct gate gate;
	bool gone;                  /* the interface is no more; its last numbers still stand */
	bool unusable;              /* no gate could be put there: said once, not tried again */
	struct gate_counters last;  /* the maps as last read */
	struct gate_counters total; /* since the start */
	struct gate_counters delta; /* between the last two gate_ifaces_read() */
};

/* Zeroed: closed. */
struct gate_ifaces {
	struct nl ask, watch;
	const struct opt_list *names; /* NULL: every interface that is up */
	struct gate_opts opts;
	struct gate_iface **at;
	unsigned int n;
	unsigned int usable; /* of n: neither gone nor skipped */
};

/* names (the caller's, for as long as *p is open) may be empty: every interface that is up. */
int gate_ifaces_open(struct gate_ifaces *p, const struct opt_list *names,
		     const struct gate_opts *opts);
/* Put a gate on each. A named interface must be there and take one; among "every one", one that
 * cannot is left out with a word, and where a foreign program holds XDP, tc serves. What was
 * installed is taken back on failure. */
int gate_ifaces_attach(struct gate_ifaces *p);
/* To be called before the process gives up its privileges, if gate_ifaces_follow() is to attach
 * later. */
int gate_ifaces_prepare(const struct gate_ifaces *p);
/* Find the installed gates instead, for gate_read(). */
int gate_ifaces_find(struct gate_ifaces *p);
/* Read what the watching socket has and act on it: the way to call it is when p->watch.fd can be
 * read. */
int gate_ifaces_follow(struct gate_ifaces *p);
/* Read every gate: total and delta. */
int gate_ifaces_read(struct gate_ifaces *p);
/* Forget the interfaces that are gone. */
void gate_ifaces_forget_gone(struct gate_ifaces *p);
void gate_ifaces_close(struct gate_ifaces *p);

#endif
