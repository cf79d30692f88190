/* SPDX-License-Identifier: MIT */
/* The gate of an interface as the commands use it: put there, found again, read. */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stdbool.h>
#include "gate/counters.h"
#include "obj/attach.h"
#include "obj/obj.h"
#include "sys/link.h"

/* What to put where. */
struct gate_opts {
	unsigned int hooks[GATE_DIRS]; /* HOOK_BIT()s that may serve a direction; 0: leave it out */
	bool persistent;               /* installed: outlives the process */
	bool verbose;                  /* the verifier's whole log, should it come to that */
	bool quiet;                    /* no note of the hooks that were taken */
};

/* Where a direction's counters are read: maps of our own, or of a gate that was there before. */
struct gate_counter_src {
	enum hook hook; /* HOOK_NONE: this direction is not counted */
	bool borrowed;
	uint32_t prog_id; /* of a borrowed one */
	uint64_t loaded;  /* of a borrowed one: when, in ns of CLOCK_BOOTTIME */
	int counters_fd, other_fd;
	int successor_fd; /* of a borrowed one */
};

/* Zeroed: closed. */
struct gate {
	struct link link;
	struct obj obj;
	struct attach at[GATE_DIRS];
	struct gate_counter_src counters[GATE_DIRS];
	struct gate_counters before; /* what borrowed counters stood at when gate_open() met them */
};

/* Load and attach to link. Where an installed gate holds the XDP hook already, its counters are
 * read instead, unless wish->persistent: then it is -EEXIST. A foreign XDP program is named and
 * left alone: -EBUSY. Errors are said in one line, and nothing stays behind. -EALREADY is not said:
 * a running sonde's gate is there, whose counters end with it, so that tc has to serve. */
int gate_open(struct gate *g, struct nl *nl, const struct link *link, const struct gate_opts *opts);
/* The installed gates of link, for reading; -ENOENT (not said) if there are none. */
int gate_find(struct gate *g, struct nl *nl, const struct link *link);
/* Close and, unless it was to stay, take off. */
void gate_close(struct gate *g, struct nl *nl);

/* Add all counters to *t. Said on failure. */
int gate_read(const struct gate *g, struct gate_counters *t);
/* false if a gate that is read has been taken off the interface meanwhile. One that was changed but
 * goes on counting is followed. */
bool gate_is_live(const struct gate *g, struct nl *nl);
/* Then: put our own there for incoming packets, with fresh counters; the other direction goes on.
 * Errors as of gate_open(). */
int gate_retake(struct gate *g, struct nl *nl, const struct gate_opts *opts);

#endif
