/* SPDX-License-Identifier: MIT */
/* The gates of several interfaces, followed as interfaces appear and vanish. */
#ifndef GATE_PORTS_H
#define GATE_PORTS_H

#include <stdbool.h>
#include "base/opt.h"
#include "gate/gate.h"

/* An interface that is counted on, and what was counted since it was first seen. */
struct port {
	struct gate gate;
	bool gone;               /* the interface is no more; its last numbers still stand */
	bool skipped;            /* no gate could be put there: said once, not tried again */
	struct gate_table last;  /* the maps as last read */
	struct gate_table total; /* since the start */
	struct gate_table delta; /* between the last two ports_read() */
};

/* Zeroed: closed. */
struct ports {
	struct nl ask, watch;
	const struct opt_list *names; /* NULL: every interface that is up */
	struct gate_wish wish;
	struct port **at;
	unsigned int n;
	unsigned int left; /* of n: neither gone nor skipped */
};

/* names (the caller's, for as long as *p is open) may be empty: every interface that is up. */
int ports_open(struct ports *p, const struct opt_list *names, const struct gate_wish *wish);
/* Put a gate on each. A named interface must be there and take one; among "every one", one that
 * cannot is left out with a word, and where a foreign program holds XDP, tc serves. What was
 * installed is taken back on failure. */
int ports_attach(struct ports *p);
/* To be called before the process gives up its privileges, if ports_follow() is to attach later. */
int ports_prepare(const struct ports *p);
/* Find the installed gates instead, for gate_read(). */
int ports_find(struct ports *p);
/* Read what the watching socket has and act on it: the way to call it is when p->watch.fd can be
 * read. */
int ports_follow(struct ports *p);
/* Read every gate: total and delta. */
int ports_read(struct ports *p);
/* Forget the interfaces that are gone. */
void ports_sweep(struct ports *p);
void ports_close(struct ports *p);

#endif
