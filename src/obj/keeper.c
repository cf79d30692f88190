/* SPDX-License-Identifier: MIT */
/* The keeper: a forked process that waits at a pipe for its parent's end. */
#define _GNU_SOURCE
#include "obj/keeper.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sys/netlink.h"
#include "sys/priv.h"

struct order {
	struct tc_filter filter;
	bool keep;
};

static int keeper_pipe; /* writing end; 0: not started */

/* The parent's links, maps and pipes must not live on in here. */
static void shed(int from)
{
	int nothing;

	dup2(from, 3);
	if (syscall(SYS_close_range, 4u, ~0u, 0u) < 0)
		for (int fd = 4; fd < 4096; fd++)
			close(fd);
	nothing = open("/", O_PATH);
	for (int fd = 0; fd < 3; fd++)
		dup2(nothing, fd);
	if (nothing > 3)
		close(nothing);
}

/* Where the filter was put is known only after it is there: look for its program. */
static int is_ours(const struct tc_filter *f, void *arg)
{
	struct tc_filter *want = arg;

	if (f->prog_id != want->prog_id)
		return 0;
	*want = *f;
	return 1;
}

static void remove_all(struct nl *nl, struct tc_filter *filters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tc_filter_dump(nl, filters[i].ifindex, filters[i].ingress, is_ours,
				   &filters[i]) == 1)
			tc_filter_del(nl, &filters[i]);
}

static void drop(struct tc_filter *filters, size_t *n, const struct tc_filter *f)
{
	for (size_t i = 0; i < *n; i++) {
		if (filters[i].ifindex == f->ifindex && filters[i].ingress == f->ingress &&
		    filters[i].prog_id == f->prog_id) {
			filters[i] = filters[--*n];
			return;
		}
	}
}

static void watch(int from)
{
	struct tc_filter *filters = NULL;
	struct nl nl = { 0 };
	struct order o;
	size_t n = 0;

	shed(from);
	prctl(PR_SET_NAME, "sonde-keeper");
	setsid();
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	if (nl_open(&nl, 0) || priv_keep(PRIV(CAP_NET_ADMIN)))
		_exit(1);
	while (read(3, &o, sizeof(o)) == sizeof(o)) {
		struct tc_filter *more;

		drop(filters, &n, &o.filter);
		if (!o.keep)
			continue;
		more = realloc(filters, (n + 1) * sizeof(*filters));
		if (!more)
			break;
		filters = more;
		filters[n++] = o.filter;
	}
	remove_all(&nl, filters, n);
	_exit(0);
}

int keeper_start(void)
{
	int ends[2];
	pid_t pid;

	if (keeper_pipe)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(ends[0]);
		close(ends[1]);
		return -EAGAIN;
	}
	if (!pid)
		watch(ends[0]);
	close(ends[0]);
	keeper_pipe = ends[1];
	return 0;
}

static int tell(const struct tc_filter *filter, bool keep)
{
	struct order o = { *filter, keep };

	/* Shorter than PIPE_BUF: whole or not at all. */
	return write(keeper_pipe, &o, sizeof(o)) == sizeof(o) ? 0 : -EPIPE;
}

int keeper_add(const struct tc_filter *filter)
{
	int rc = keeper_start();

	return rc ? rc : tell(filter, true);
}

void keeper_forget(const struct tc_filter *filter)
{
	if (keeper_pipe)
		tell(filter, false);
}
