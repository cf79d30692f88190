/* SPDX-License-Identifier: MIT */
/* sonde filter confirm and sonde guard confirm, and the process that waits for them. They send a
 * byte to the socket of that process. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cmd/common/confirm.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/gate.h"
#include "sys/wait.h"

/* Makes the address of an abstract socket (unix(7)) from the interface's name. */
static socklen_t address_of(const char *iface, struct sockaddr_un *a)
{
	int n;

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "sonde/confirm/%s", iface);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int listen_for(const char *iface, int *fd)
{
	struct sockaddr_un a;
	socklen_t len = address_of(iface, &a);
	int got = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (got < 0 || bind(got, (struct sockaddr *)&a, len)) {
		int rc = -errno;

		if (got >= 0)
			close(got);
		return fail_errno(rc, "creating the socket for confirmations");
	}
	*fd = got;
	return 0;
}

enum answer { ANSWER_NONE, ANSWER_KEEP, ANSWER_UNDO };

/* Reads an answer. Ignores those of other users. */
static enum answer read_answer(int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char answer = 0;
	struct iovec iov = { &answer, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	const struct cmsghdr *c;
	struct ucred sender;

	if (recvmsg(fd, &m, MSG_DONTWAIT) != 1)
		return ANSWER_NONE;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_CREDENTIALS)
		return ANSWER_NONE;
	memcpy(&sender, CMSG_DATA(c), sizeof(sender));
	if (sender.uid != geteuid())
		return ANSWER_NONE;
	return answer == 'y' ? ANSWER_KEEP : answer == 'n' ? ANSWER_UNDO : ANSWER_NONE;
}

/* Runs in a separate process, which a lost connection, a signal or the end of the shell does not
 * end. */
static int keep_or_undo(const struct confirm *c, int fd)
{
	uint64_t end = clock_mono() + c->time, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	enum answer answer = ANSWER_NONE;

	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	while (!answer && (now = clock_mono()) < end)
		if (poll(&p, 1, (int)((end - now) / 1000000) + 1) > 0)
			answer = read_answer(fd);
	return answer == ANSWER_KEEP ? 0 : c->undo(c->arg) ? 2 : 1;
}

static int send_answer(const char *iface, char answer)
{
	struct sockaddr_un a;
	socklen_t len = address_of(iface, &a);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return -errno;
	rc = sendto(fd, &answer, 1, 0, (struct sockaddr *)&a, len) == 1 ? 0 : -errno;
	close(fd);
	return rc;
}

static void read_terminal(const char *iface)
{
	char line[64];
	ssize_t n = read(STDIN_FILENO, line, sizeof(line));

	if (n > 0)
		send_answer(iface, *line == 'y' || *line == 'Y' ? 'y' : 'n');
}

/* Passes on the user's input until the child process ends. */
static int wait_for_child(pid_t pid, const struct confirm *c)
{
	int fd = isatty(STDIN_FILENO) ? STDIN_FILENO : -1, status;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (wait_for(0, clock_mono()) == WAIT_STOP) {
			send_answer(c->iface, 'n');
			waitpid(pid, &status, 0);
			break;
		}
		if (poll(&p, 1, 50) > 0 && p.revents & POLLIN)
			read_terminal(c->iface);
		else if (p.revents)
			p.fd = -1;
	}
	if (WIFEXITED(status) && !WEXITSTATUS(status)) {
		note("confirmed");
		return 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
		return fail(-ETIMEDOUT, "not confirmed: the change was undone");
	return fail(-EIO,
		    "not confirmed, but the change could not be undone completely: see sonde %s",
		    c->inspect);
}

/* Undoes a change that nobody could confirm. */
static int undo_and_fail(const struct confirm *c, int rc)
{
	c->undo(c->arg);
	return rc;
}

int cmd_confirm_wait(const struct confirm *c)
{
	int fd, rc = wait_catch_signals(), on = 1;
	pid_t pid;

	if (rc)
		return undo_and_fail(c, fail_errno(rc, "signals"));
	rc = listen_for(c->iface, &fd);
	if (rc)
		return undo_and_fail(c, rc);
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(keep_or_undo(c, fd));
	close(fd);
	if (pid < 0)
		return undo_and_fail(c, fail_errno(-errno, "starting the process that waits"));
	note("%s; the change is undone in %g s unless confirmed: %ssonde %s -i %s", c->change,
	     (double)c->time / 1e9, isatty(STDIN_FILENO) ? "press y and Enter, or run " : "",
	     c->confirm, c->iface);
	return wait_for_child(pid, c);
}

struct confirm_opts {
	struct cmd_common common;
};

#define O struct confirm_opts
const struct opt cmd_confirm_rows[] = { GATE_ROWS_WHERE(O), { 0 } };
#undef O

int cmd_confirm_run(const struct opt_spec *spec, const char *what, int argc, char **argv)
{
	struct confirm_opts o = { 0 };
	struct nl nl = { 0 };
	struct link link;
	int rc = cmd_parse_options(spec, &o, &o.common, argc, argv);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = cmd_gate_begin(what, o.common.netns);
	if (rc)
		return rc;
	if (o.common.ifaces.n != 1)
		return fail_usage("name one interface: -i IFACE");
	rc = send_answer(o.common.ifaces.at[0], 'y');
	if (rc == -ECONNREFUSED && !nl_open(&nl, 0)) {
		int err = cmd_gate_link(&nl, o.common.ifaces.at[0], &link);

		nl_close(&nl);
		if (err)
			return err;
	}
	if (rc == -ECONNREFUSED)
		return fail(rc, "%s: no change is waiting for confirmation", o.common.ifaces.at[0]);
	return rc ? fail_errno(rc, "confirming") : 0;
}
