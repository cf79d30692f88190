/* SPDX-License-Identifier: MIT */
/* Live capture: the kernel programs on every interface asked for, and what they have written. */
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

/* What is captured where. Pointers are the caller's and stay as long as the tap is open. */
struct capture_session_opts {
	const struct opt_list
		*names; /* of interfaces; empty: every one that is up, and those to come */
	const struct filter *filter;
	unsigned int
		hooks[CAPTURE_DIRS]; /* HOOK_BIT()s that may serve a direction; 0: leave it out */
	uint32_t snaplen;
	uint64_t bytes; /* of memory for packets; 0: as is useful */
	enum capture_owner
		owner; /* of which packets the process is wanted, where it can be known */
	bool promiscuous;
	bool ring;    /* by ring buffer, though the kernel could do better */
	bool verbose; /* the verifier's whole log, should it come to that */
	bool quiet;   /* no note of the hooks that were taken */
	/* Called for each interface before its first packet is read; numbered from 0 in that order,
	 * as their packets' blocks say. 0 or -errno, said. */
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
	struct observe gate; /* where incoming packets are taken behind a gate at XDP */
};

/* Packets that came by, that the filter chose, and of those the ones that were lost. */
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
	struct sets sets;           /* the filter's */
	struct capture_iface **ifaces;
	uint32_t n;
	bool mixed; /* interfaces with and without Ethernet headers: all get one */
};

/* LINKTYPE_* of an interface's packets where it is captured on alone. */
uint16_t capture_link_type(const struct link *link);
/* Load and attach. A named interface must be there and take the programs; among "every one", one
 * that cannot is left out with a word. Said on failure, and nothing stays behind. */
int capture_session_open(struct capture_session *t, const struct capture_session_opts *opts);
/* Handles changes of interfaces. Call it when t->follower.events.fd is readable. Returns 0 or
 * -errno. Reports errors. */
int capture_session_follow(struct capture_session *t);
/* Whether the kernel's answer is the filter's last word; else it is a little generous, and each
 * packet is to be judged again (filter_recheck()). */
bool capture_session_is_exact(const struct capture_session *t);
/* No more packets come; what has come is still in t->area. */
void capture_session_stop(struct capture_session *t);
int capture_iface_counts(const struct capture_iface *iface, struct capture_iface_counts *counts);
void capture_session_close(struct capture_session *t);

#endif
