/* SPDX-License-Identifier: MIT */
/* Follows network interfaces: those asked for by name, or every one that is up, as they appear, are
 * renamed and disappear. */
#ifndef SYS_IFACE_FOLLOWER_H
#define SYS_IFACE_FOLLOWER_H

#include <stdbool.h>
#include <stddef.h>
#include "base/opt.h"
#include "sys/link.h"
#include "sys/netlink.h"

enum iface_change_kind {
	IFACE_ADDED,   /* an interface to use */
	IFACE_RENAMED, /* a used interface has another name */
	IFACE_REMOVED, /* a used interface is gone, or is in another network namespace */
};

struct iface_change {
	enum iface_change_kind kind;
	struct link link; /* as it was last seen */
};

/* Zeroed: closed. */
struct iface_follower {
	struct nl request;            /* also for the caller's own requests */
	struct nl events;             /* its descriptor is readable when interfaces have changed */
	const struct opt_list *names; /* owned by the caller; NULL: every interface that is up */
	/* Interfaces that were added and are not removed, rejected ones among them. */
	struct followed_iface *at;
	size_t n, room;
	unsigned int nused; /* of these: not rejected */
	/* Changes for iface_follower_next(), from the index `done` on. */
	struct iface_change *changes;
	size_t nchanges, changes_room, done;
	bool started;
};

/* Lists the interfaces with these names (alternative names too), in that order and each once; all
 * interfaces if names is empty. Returns 0 or -errno, -ENODEV if a name has no interface. Reports
 * errors. The caller frees the list, which it has zeroed. */
int iface_list(struct nl *nl, const struct opt_list *names, struct link_list *list);

/* Opens the socket for requests. names: as in struct iface_follower, may be empty. Returns 0 or
 * -errno. Reports errors. */
int iface_follower_open(struct iface_follower *f, const struct opt_list *names);
/* Finds the first interfaces. Every name must have one. With watch opens f->events before that, so
 * that no change is missed. Returns 0 or -errno. Reports errors. */
int iface_follower_start(struct iface_follower *f, bool watch);
/* Reads the events. Call it when f->events.fd is readable. Returns 0 or -errno. Reports errors. */
int iface_follower_update(struct iface_follower *f);
/* Takes the next change. An interface that was away for a moment (in another namespace, or deleted
 * and made again with the same index) is removed and added again, as its attachments are lost.
 * Returns 1 with *change, 0 if there is none, -EINTR if a signal asks the process to end during the
 * start, where attaching to hundreds of interfaces takes a while. Reports errors, and notes
 * interfaces that are gone or renamed. */
int iface_follower_next(struct iface_follower *f, struct iface_change *change);
/* An added interface could not be used: err, which the caller has reported. Returns 0 if others may
 * be: this one is not added again as long as it exists. Returns err if it was asked for by name at
 * the start, or if the others would fail in the same way. */
int iface_follower_reject(struct iface_follower *f, int ifindex, int err);
void iface_follower_close(struct iface_follower *f);

/* The parts of start and update without a system call. */

/* Of nl_read(): an event. */
int iface_follower_add_event(const struct nlmsghdr *hdr, struct nl_span body, void *follower);
/* Compares with a list of all interfaces that is newer than the events. Events may be lost: the
 * list has everything but short absences. */
int iface_follower_add_list(struct iface_follower *f, const struct link_list *links);

#endif
