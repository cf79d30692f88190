/* SPDX-License-Identifier: MIT */
/* Live capture: loads and attaches the kernel programs on every chosen interface. */
#ifndef CAPTURE_SESSION_H
#define CAPTURE_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/opt.h"
#include "capture/packet_buf.h"
#include "filter/emit.h"
#include "gate/observe.h"
#include "obj/attach.h"
#include "obj/obj.h"
#include "owner/owner.h"
#include "sets/sets.h"
#include "sys/iface_follower.h"
#include "sys/link.h"

enum capture_dir { CAPTURE_IN, CAPTURE_OUT, CAPTURE_DIRS };

struct capture_iface;

/* What to capture and where. Pointers remain the caller's and must stay valid while the session is
 * open. */
struct capture_session_opts {
	const struct opt_list *names; /* of interfaces; empty: every one that is up, now or later */
	const struct filter *filter;
	unsigned int
		hooks[CAPTURE_DIRS]; /* HOOK_BIT()s allowed for a direction; 0: do not capture it */
	uint32_t snaplen;
	uint64_t bytes;           /* of memory for packets; 0: choose by the host's memory */
	enum capture_owner owner; /* which packets to attribute to processes */
	bool promiscuous;
	bool ring;    /* use the ring buffer even where mapped chunks work */
	bool verbose; /* on failure print the verifier's whole log */
	bool quiet;   /* do not report the hooks in use */
	/* Called for each interface before its first packet is read, in order of its number in the
	 * packets' blocks, from 0. Returns 0 or -errno; reports errors. */
	int (*on_iface)(const struct capture_iface *iface, uint32_t number, void *arg);
	void *arg;
};

/* An interface that is, or was, captured on. */
struct capture_iface {
	struct link link;
	uint16_t link_type; /* LINKTYPE_* of its packets */
	bool gone;
	uint64_t start_ns; /* since the epoch */
	struct obj obj;
	struct attach at[CAPTURE_DIRS];
	struct observe gate; /* for incoming packets where a gate holds the XDP hook */
};

/* Packets that passed the interface, that the filter selected, and of those the lost ones. */
struct capture_iface_counts {
	uint64_t seen, matched, lost;
};

/* Zeroed: closed. */
struct capture_session {
	struct capture_session_opts opts;
	struct iface_follower follower;
	int promiscuous_fd;
	struct packet_buf packets;
	struct owners owners;
	uint32_t netns;             /* inode number */
	struct filter_code code[2]; /* by enum filter_target */
	struct sets sets;           /* of the filter */
	struct capture_iface **ifaces;
	uint32_t n;
	bool mixed; /* interfaces with and without Ethernet headers: all get one */
};

/* LINKTYPE_* of an interface's packets if no other interface is captured on. */
uint16_t capture_link_type(const struct link *link);
/* Loads and attaches. An interface given by name must exist and take the programs; of "every
 * interface" one that fails is skipped with a note. Returns 0 or -errno, leaving nothing attached.
 * Reports errors. */
int capture_session_open(struct capture_session *s, const struct capture_session_opts *opts);
/* Applies changes of interfaces: call it when .follower.events.fd can be read. Returns 0
 * or -errno. Reports errors. */
int capture_session_follow(struct capture_session *s);
/* Returns true if the kernel decides exactly as the filter does. Else it lets more packets through,
 * and each must be checked again with filter_recheck(). */
bool capture_session_is_exact(const struct capture_session *s);
/* Detaches: no more packets arrive; those that have are still in .packets. */
void capture_session_stop(struct capture_session *s);
int capture_iface_counts(const struct capture_iface *iface, struct capture_iface_counts *counts);
void capture_session_close(struct capture_session *s);

#endif
