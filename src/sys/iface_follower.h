/* SPDX-License-Identifier: MIT */
/* Follows network interfaces, either named ones or all that are up, as they appear, are renamed and
 * disappear. */
#ifndef SYS_IFACE_FOLLOWER_H
#define SYS_IFACE_FOLLOWER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/opt.h"
#include "sys/link.h"
#include "sys/netlink.h"

enum iface_change_kind {
	IFACE_ADDED,   /* an interface to use */
	IFACE_RENAMED, /* a used interface was renamed */
	IFACE_REMOVED, /* a used interface was removed or moved to another network namespace */
};

struct iface_change {
	enum iface_change_kind kind;
	struct link link; /* as last listed */
};

/* Zeroed: closed. */
struct iface_follower {
	struct nl request;            /* also for the caller's own requests */
	struct nl events;             /* its descriptor is readable after interfaces changed */
	const struct opt_list *names; /* owned by the caller; NULL: every interface that is up */
	/* Interfaces that were added and not removed, including rejected ones. */
	struct followed_iface *at;
	size_t n, room;
	unsigned int nused; /* number of those not rejected */
	/* Changes for iface_follower_next(), from the index `done` on. */
	struct iface_change *changes;
	size_t nchanges, changes_room, done;
	bool started;
};

/* Lists the interfaces with these names (alternative names too), in that order, each once; all
 * interfaces if names is empty. Returns 0 or -errno; -ENODEV if a name has no interface. Reports
 * errors. *list must be zeroed; the caller frees it. */
int iface_list(struct nl *nl, const struct opt_list *names, struct link_list *list);

/* Opens the socket for requests. names: as in struct iface_follower; may be empty. Returns 0 or
 * -errno. Reports errors. */
int iface_follower_open(struct iface_follower *f, const struct opt_list *names);
/* Finds the initial interfaces. Fails if a name has none. watch: first opens f->events, so that no
 * change is missed. Returns 0 or -errno. Reports errors. */
int iface_follower_start(struct iface_follower *f, bool watch);
/* Reads the pending events. Call it when f->events.fd is readable. Returns 0 or -errno. Reports
 * errors. */
int iface_follower_update(struct iface_follower *f);
/* Gets the next change. An interface that disappeared for a moment (moved to another namespace, or
 * deleted and created again with the same index) is removed and added again, as its attachments are
 * lost. Returns 1 with *change, 0 if no change is left, or -EINTR if a signal ends the process
 * during the start, where attaching to hundreds of interfaces takes time. Reports errors; prints
 * notes about removed and renamed interfaces. */
int iface_follower_next(struct iface_follower *f, struct iface_change *change);
/* Rejects an added interface that could not be used; err is the error, which the caller has
 * reported. Returns 0 if other interfaces may be used: this one is not added again as long as it
 * exists. Returns err if the user named the interface and it existed at the start, or if other
 * interfaces would fail in the same way. */
int iface_follower_reject(struct iface_follower *f, int ifindex, int err);
void iface_follower_close(struct iface_follower *f);

/* The parts of start and update that make no system calls. */

/* Adds an event; a callback of nl_read(). */
int iface_follower_add_event(const struct nlmsghdr *hdr, struct nl_span body, void *follower);
/* Compares with a list of all interfaces that is newer than the events. Lost events do no harm: the
 * list misses only short absences. */
int iface_follower_add_list(struct iface_follower *f, const struct link_list *links);

#endif
