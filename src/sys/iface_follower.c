/* SPDX-License-Identifier: MIT */
/* Follows interfaces by listing them after each event. Events only trigger the listing, so a lost
 * event does no harm. One exception: an interface that was removed and is listed again lost its
 * programs in between. */
#include "sys/iface_follower.h"
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/err.h"
#include "sys/wait.h"

struct followed_iface {
	struct link link; /* as in the last list */
	bool unusable;    /* rejected: iface_follower_reject() */
	bool removed;     /* by an event since the last list */
};

static const struct link *find_link(const struct link_list *links, int ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->at[i].ifindex == ifindex)
			return &links->at[i];
	return NULL;
}

/* Finds an interface also by its alternative names, as the kernel does. */
static const struct link *find_link_named(struct nl *nl, const struct link_list *links,
					  const char *name)
{
	struct link link;

	for (size_t i = 0; i < links->n; i++)
		if (!strcmp(links->at[i].name, name))
			return &links->at[i];
	return link_get(nl, name, 0, &link) ? NULL : find_link(links, link.ifindex);
}

static int list_links(struct nl *nl, struct link_list *links)
{
	int rc = link_list(nl, links);

	return rc ? fail_errno(rc, "listing the interfaces") : 0;
}

static int select_named(struct nl *nl, const struct opt_list *names, struct link_list *list)
{
	struct link_list named = { 0 };
	int rc = 0;

	for (unsigned int i = 0; i < names->n && !rc; i++) {
		const struct link *link = find_link_named(nl, list, names->at[i]);
		struct link *more;

		if (!link) {
			rc = fail(-ENODEV, "no interface %s", names->at[i]);
			continue;
		}
		if (find_link(&named, link->ifindex))
			continue;
		more = array_grow(named.at, named.n, &named.room, sizeof(*more));
		if (!more) {
			rc = fail_errno(-ENOMEM, "%s", link->name);
			continue;
		}
		named.at = more;
		named.at[named.n++] = *link;
	}
	link_list_free(list);
	*list = named;
	return rc;
}

int iface_list(struct nl *nl, const struct opt_list *names, struct link_list *list)
{
	int rc = list_links(nl, list);

	return rc || !names->n ? rc : select_named(nl, names, list);
}

static struct followed_iface *find_followed(const struct iface_follower *f, int ifindex)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].link.ifindex == ifindex)
			return &f->at[i];
	return NULL;
}

static int add_change(struct iface_follower *f, enum iface_change_kind kind,
		      const struct link *link)
{
	void *more = array_grow(f->changes, f->nchanges, &f->changes_room, sizeof(*f->changes));

	if (!more)
		return fail_errno(-ENOMEM, "%s", link->name);
	f->changes = more;
	f->changes[f->nchanges++] = (struct iface_change){ .kind = kind, .link = *link };
	return 0;
}

static int add_followed(struct iface_follower *f, const struct link *link)
{
	void *more = array_grow(f->at, f->n, &f->room, sizeof(*f->at));

	if (!more)
		return fail_errno(-ENOMEM, "%s", link->name);
	f->at = more;
	f->at[f->n++] = (struct followed_iface){ .link = *link };
	f->nused++;
	return add_change(f, IFACE_ADDED, link);
}

int iface_follower_add_event(const struct nlmsghdr *hdr, struct nl_span body, void *follower)
{
	struct followed_iface *iface;
	struct link link;

	if (link_parse(hdr, body, &link) && link.gone) {
		iface = find_followed(follower, link.ifindex);
		if (iface)
			iface->removed = true;
	}
	return 0;
}

static int remove_followed(struct iface_follower *f, const struct followed_iface *iface)
{
	if (iface->unusable)
		return 0;
	note("%s: the interface is gone", iface->link.name);
	f->nused--;
	return add_change(f, IFACE_REMOVED, &iface->link);
}

static int rename_followed(struct iface_follower *f, const struct followed_iface *iface,
			   const struct link *link)
{
	if (iface->unusable)
		return 0;
	note("%s: the interface is now named %s", iface->link.name, link->name);
	return add_change(f, IFACE_RENAMED, link);
}

static int update_followed(struct iface_follower *f, const struct link_list *links)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t i = 0; i < f->n && !rc; i++) {
		struct followed_iface iface = f->at[i];
		const struct link *link = find_link(links, iface.link.ifindex);

		if (!link || iface.removed) {
			rc = remove_followed(f, &iface);
			continue;
		}
		if (strcmp(link->name, iface.link.name))
			rc = rename_followed(f, &iface, link);
		iface.link = *link;
		f->at[kept++] = iface;
	}
	if (!rc)
		f->n = kept;
	return rc;
}

static bool is_wanted(const struct iface_follower *f, const struct link *link)
{
	for (unsigned int i = 0; f->names && i < f->names->n; i++)
		if (!strcmp(f->names->at[i], link->name))
			return true;
	return !f->names && link->up;
}

int iface_follower_add_list(struct iface_follower *f, const struct link_list *links)
{
	int rc = update_followed(f, links);

	for (size_t i = 0; i < links->n && !rc; i++)
		if (is_wanted(f, &links->at[i]) && !find_followed(f, links->at[i].ifindex))
			rc = add_followed(f, &links->at[i]);
	return rc;
}

int iface_follower_open(struct iface_follower *f, const struct opt_list *names)
{
	struct iface_follower got = { .names = names->n ? names : NULL };
	int rc = nl_open(&got.request, 0);

	if (rc)
		return fail_errno(rc, "opening a route netlink socket");
	*f = got;
	return 0;
}

int iface_follower_start(struct iface_follower *f, bool watch)
{
	struct link_list links = { 0 };
	int rc = watch ? nl_open(&f->events, RTMGRP_LINK) : 0;

	if (rc)
		return fail_errno(rc, "opening a route netlink socket");
	rc = list_links(&f->request, &links);
	if (!rc && f->names)
		rc = select_named(&f->request, f->names, &links);
	for (size_t i = 0; i < links.n && !rc; i++)
		if (f->names || links.at[i].up)
			rc = add_followed(f, &links.at[i]);
	link_list_free(&links);
	return rc;
}

/* -ENOBUFS: events were lost. */
int iface_follower_update(struct iface_follower *f)
{
	struct link_list links = { 0 };
	int rc = nl_read(&f->events, iface_follower_add_event, f);

	if (rc && rc != -ENOBUFS)
		return fail_errno(rc, "watching the interfaces");
	rc = list_links(&f->request, &links);
	if (!rc)
		rc = iface_follower_add_list(f, &links);
	link_list_free(&links);
	return rc;
}

int iface_follower_next(struct iface_follower *f, struct iface_change *change)
{
	if (f->done == f->nchanges) {
		f->done = f->nchanges = 0;
		f->started = true;
		return 0;
	}
	if (!f->started && wait_for(0, 0) == WAIT_STOP)
		return fail(-EINTR, "interrupted");
	*change = f->changes[f->done++];
	return 1;
}

/* Returns true for errors that every other interface would cause, too. */
static bool is_fatal(int err)
{
	return err == -EPERM || err == -EACCES || err == -ENOSYS || err == -ENOMEM ||
	       err == -EMFILE || err == -ENFILE;
}

int iface_follower_reject(struct iface_follower *f, int ifindex, int err)
{
	struct followed_iface *iface = find_followed(f, ifindex);

	if (is_fatal(err) || (f->names && !f->started))
		return err;
	if (iface && !iface->unusable) {
		iface->unusable = true;
		f->nused--;
	}
	return 0;
}

void iface_follower_close(struct iface_follower *f)
{
	nl_close(&f->request);
	nl_close(&f->events);
	free(f->at);
	free(f->changes);
	*f = (struct iface_follower){ 0 };
}
