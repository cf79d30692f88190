/* SPDX-License-Identifier: MIT */
/* The keeper: a forked process that waits for its parent's end at a pipe. */
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

struct keeper_cmd {
	struct tc_filter filter;
	bool keep;
};

static int keeper_pipe; /* the writing end; 0: not started */

/* The keeper must not keep its parent's links, maps and pipes open. */
static void close_inherited_fds(int from)
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

/* The parent knows the filter's handle only after it was added: look for its program instead. */
static int match_prog(const struct tc_filter *f, void *arg)
{
	struct tc_filter *filter = arg;

	if (f->prog_id != filter->prog_id)
		return 0;
	*filter = *f;
	return 1;
}

static void remove_all(struct nl *nl, struct tc_filter *filters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (tc_filter_dump(nl, filters[i].ifindex, filters[i].ingress, match_prog,
				   &filters[i]) == 1)
			tc_filter_del(nl, &filters[i]);
}

static void forget_filter(struct tc_filter *filters, size_t *n, const struct tc_filter *f)
{
	for (size_t i = 0; i < *n; i++) {
		if (filters[i].ifindex == f->ifindex && filters[i].ingress == f->ingress &&
		    filters[i].prog_id == f->prog_id) {
			filters[i] = filters[--*n];
			return;
		}
	}
}

static void run_keeper(int from)
{
	struct tc_filter *filters = NULL;
	struct nl nl = { 0 };
	struct keeper_cmd cmd;
	size_t n = 0;

	close_inherited_fds(from);
	prctl(PR_SET_NAME, "sonde-keeper");
	setsid();
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_IGN);
	if (nl_open(&nl, 0) || priv_keep(PRIV(CAP_NET_ADMIN)))
		_exit(1);
	while (read(3, &cmd, sizeof(cmd)) == sizeof(cmd)) {
		struct tc_filter *more;

		forget_filter(filters, &n, &cmd.filter);
		if (!cmd.keep)
			continue;
		more = realloc(filters, (n + 1) * sizeof(*filters));
		if (!more)
			break;
		filters = more;
		filters[n++] = cmd.filter;
	}
	remove_all(&nl, filters, n);
	_exit(0);
}

int keeper_start(void)
{
	int pipe_ends[2];
	pid_t pid;

	if (keeper_pipe)
		return 0;
	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		close(pipe_ends[0]);
		close(pipe_ends[1]);
		return -EAGAIN;
	}
	if (!pid)
		run_keeper(pipe_ends[0]);
	close(pipe_ends[0]);
	keeper_pipe = pipe_ends[1];
	return 0;
}

static int send_cmd(const struct tc_filter *filter, bool keep)
{
	struct keeper_cmd cmd = { *filter, keep };

	/* Shorter than PIPE_BUF: it is written as a whole or not at all (pipe(7)). */
	return write(keeper_pipe, &cmd, sizeof(cmd)) == sizeof(cmd) ? 0 : -EPIPE;
}

int keeper_add(const struct tc_filter *filter)
{
	int rc = keeper_start();

	return rc ? rc : send_cmd(filter, true);
}

void keeper_forget(const struct tc_filter *filter)
{
	if (keeper_pipe)
		send_cmd(filter, false);
}
