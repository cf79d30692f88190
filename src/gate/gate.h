/* SPDX-License-Identifier: MIT */
/* The gate of an interface as the commands use it: attach it, find an installed one, read its
 * counters. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stdbool.h>
#include "gate/counters.h"
#include "obj/attach.h"
#include "obj/obj.h"
#include "sys/link.h"

/* What to attach where. */
struct gate_opts {
	unsigned int hooks[GATE_DIRS]; /* HOOK_BIT()s to try for a direction; 0: do not count it */
	bool persistent;               /* installed: it outlives the process */
	bool verbose; /* print the verifier's whole log if it refuses the program */
	bool quiet;   /* print no note about the hooks in use */
};

/* Where a direction's counters are read from: maps of our own gate, or those borrowed from an
 * installed one. */
struct gate_counter_src {
	enum hook hook; /* HOOK_NONE: this direction is not counted */
	bool borrowed;
	uint32_t prog_id;   /* of the borrowed gate */
	uint64_t load_time; /* of the borrowed gate: when it was loaded, in ns of CLOCK_BOOTTIME */
	int counters_fd, other_fd;
	int successor_fd; /* of the borrowed gate */
};

/* Zeroed: closed. */
struct gate {
	struct link link;
	struct obj obj;
	struct attach at[GATE_DIRS];
	struct gate_counter_src counters[GATE_DIRS];
	/* the borrowed counters at the time of gate_open() */
	struct gate_counters baseline;
};

/* Loads a gate and attaches it to link. If an installed gate holds the XDP hook, its counters are
 * read instead; with opts->persistent that is -EEXIST. Another program at XDP is left there:
 * -EBUSY. -EALREADY: a running sonde's gate is there, whose counters end with it, so the caller has
 * to use tc; this one is not reported. Returns 0 or -errno. Reports other errors. On failure
 * nothing stays attached. */
int gate_open(struct gate *g, struct nl *nl, const struct link *link, const struct gate_opts *opts);
/* Finds the installed gates of link, for reading. Returns 0 or -errno; -ENOENT if there are none.
 * Does not report errors. */
int gate_find(struct gate *g, struct nl *nl, const struct link *link);
/* Closes the gate. Detaches it unless it is persistent. */
void gate_close(struct gate *g, struct nl *nl);
/* Detaches the programs that are not persistent, and keeps the maps open for reading. */
void gate_detach(struct gate *g, struct nl *nl);

/* Adds all counters to *t. Returns 0 or -errno. Reports errors. */
int gate_read(const struct gate *g, struct gate_counters *t);
/* Returns false if the borrowed gate was detached from the interface. Returns true also if another
 * program took over its counters. */
bool gate_is_live(const struct gate *g, struct nl *nl);
/* Attaches an own gate for incoming packets, with new counters, in place of a borrowed one that was
 * detached. The other direction goes on. Errors as of gate_open(). */
int gate_attach_own(struct gate *g, struct nl *nl, const struct gate_opts *opts);

#endif
