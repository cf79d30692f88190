/* SPDX-License-Identifier: MIT */
/* Resolves the names in a filter. Fills a struct diag on failure. */
#include "resolve/names.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "resolve/hosts.h"
#include "sys/cgroup.h"
#include "sys/link.h"
#include "sys/netns.h"

static int fail_diag(struct diag *why, int rc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int fail_diag(struct diag *why, int rc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why->msg, sizeof(why->msg), fmt, ap);
	va_end(ap);
	return rc;
}

/* Writes "WHAT NAME: reason", for names that exist but cannot be read. */
static int diag_errno(struct diag *why, int rc, const char *what, const char *name)
{
	return fail_diag(why, rc, "%s%s%s: %s", what, *what ? " " : "", name, err_message(rc));
}

static int read_file(const char *path, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = buf_read(text, fd, 0);
	close(fd);
	return rc;
}

static int find_host(void *arg, const char *name, struct filter_addr *addrs, int max,
		     struct diag *why)
{
	static const char file[] = "/etc/hosts";
	struct buf text = { 0 };
	int rc = read_file(file, &text);

	(void)arg;
	if (!rc)
		rc = hosts_find(text.data, text.len, name, addrs, max);
	buf_free(&text);
	if (rc == -E2BIG)
		return fail_diag(why, rc, "%s has more than %d addresses in %s", name, max, file);
	if (rc < 0 && rc != -ENOENT)
		return diag_errno(why, rc, "", file);
	return rc;
}

static int find_iface(void *arg, const char *name, uint32_t *ifindex, struct diag *why)
{
	struct link link;
	struct nl nl;
	int rc;

	(void)arg;
	if (strlen(name) >= sizeof(link.name))
		return -ENODEV;
	rc = nl_open(&nl, 0);
	if (!rc) {
		rc = link_get(&nl, name, 0, &link);
		nl_close(&nl);
	}
	if (rc)
		return rc == -ENODEV ? rc : diag_errno(why, rc, "interface", name);
	*ifindex = (uint32_t)link.ifindex;
	return 0;
}

/* Enters the namespace for the lookup, then switches back. */
static int find_iface_in(void *arg, const char *name, uint32_t *ifindex, struct diag *why)
{
	const char *netns = arg;
	int home = netns_current(), rc = home < 0 ? home : netns_enter(netns), back;

	if (rc)
		diag_errno(why, rc, "network namespace", netns);
	else
		rc = find_iface(NULL, name, ifindex, why);
	back = home < 0 ? 0 : netns_set(home);
	if (home >= 0)
		close(home);
	return back ? diag_errno(why, back, "network namespace", "of this process") : rc;
}

static int find_netns(void *arg, const char *name, uint32_t *inode, struct diag *why)
{
	int rc = netns_inode(name, inode);

	(void)arg;
	switch (rc) {
	case 0:
	case -ENOENT:
		return rc;
	case -ESRCH:
		return fail_diag(why, rc, "no process %s", name);
	case -EINVAL:
		return fail_diag(why, rc, "%s is not a network namespace", name);
	default:
		return diag_errno(why, rc, "network namespace", name);
	}
}

static int find_cgroup(void *arg, const char *path, uint64_t *id, struct diag *why)
{
	int rc = cgroup_find_id(path, id);

	(void)arg;
	if (rc == -ENODEV)
		return fail_diag(why, rc, "this kernel has no cgroup v2");
	return !rc || rc == -ENOENT ? rc : diag_errno(why, rc, "cgroup", path);
}

static int find_container(void *arg, const char *id, uint64_t *number, struct diag *why)
{
	int rc = cgroup_find_container(id, number);

	(void)arg;
	switch (rc) {
	case 0:
	case -ENOENT:
		return rc;
	case -EINVAL:
		return fail_diag(why, rc, "a container ID needs at least %d hex digits",
				 CGROUP_ID_MIN);
	case -ENOTUNIQ:
		return fail_diag(why, rc, "more than one container ID starts with %s", id);
	case -ENODEV:
		return fail_diag(why, rc, "this kernel has no cgroup v2");
	default:
		return diag_errno(why, rc, "container", id);
	}
}

static int read_set(void *arg, const char *file, struct buf *text, struct diag *why)
{
	int rc;

	(void)arg;
	if (!strcmp(file, "-"))
		return fail_diag(why, -EINVAL,
				 "a set needs a file name: it cannot be standard input");
	rc = read_file(file, text);
	return rc && rc != -ENOMEM ? diag_errno(why, rc, "", file) : rc;
}

const struct filter_names resolve_names = { .host = find_host,
					    .iface = find_iface,
					    .cgroup = find_cgroup,
					    .container = find_container,
					    .netns = find_netns,
					    .set = read_set };

struct filter_names resolve_names_in(const char *netns)
{
	struct filter_names names = resolve_names;

	if (netns) {
		names.iface = find_iface_in;
		names.arg = (void *)(uintptr_t)netns;
	}
	return names;
}
