/* SPDX-License-Identifier: MIT */
/* Receives requests on a socket. Closes a pipe after writing the last file. */
#define _GNU_SOURCE
#include "base/array.h"
#include "incident/sampler.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "incident/request.h"
#include "incident/sample.h"

enum { SECOND_MS = 1000 };

/* State of the sampler process. */
struct sampler {
	const struct guard_views *views;
	const char *dir;
	int dir_fd, fd;
};

/* Creates a file. Returns its descriptor or -errno. Reports errors. */
static int open_file(const struct sampler *p, const char *name)
{
	int fd = openat(p->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	return fd < 0 ? fail_errno(-errno, "sample %s/%s", p->dir, name) : fd;
}

/* Serves a request in a separate process, so that the next request need not wait. */
static void serve_request(const struct sampler *p, const struct sample_request *r)
{
	const struct guard_view *v = &p->views->at[r->view];
	struct pollfd requester = { .fd = p->fd, .events = POLLRDHUP };
	struct guard_sample s;
	char name[SAMPLE_NAME];
	int fd, rc;

	sample_name(name, v->install.link.name, clock_real());
	fd = open_file(p, name);
	rc = fd < 0 ? fd : guard_sample_begin(&s, fd, v, r->entry, r->n);
	if (fd >= 0 && rc)
		unlinkat(p->dir_fd, name, 0);
	if (rc)
		*name = '\0';
	send(p->fd, name, strlen(name) + 1, MSG_NOSIGNAL);
	if (rc)
		return;
	poll(&requester, 1, SECOND_MS); /* ends early once the requester is gone */
	rc = guard_sample_end(&s);
	if (rc)
		fail_errno(rc, "sample %s/%s", p->dir, name);
}

/* Ignores signals that end the requester, and ends when the requester closes the socket. */
static _Noreturn void run_sampler(const struct sampler *p)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
	struct sample_request r;

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	while (read(p->fd, &r, sizeof(r)) == sizeof(r) && sample_request_is_valid(&r, p->views)) {
		pid_t pid = fork();

		if (!pid) {
			serve_request(p, &r);
			_exit(0);
		}
		if (pid < 0)
			send(p->fd, "", 1, MSG_NOSIGNAL);
	}
	_exit(0);
}

int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views, const char *dir)
{
	struct sampler p = { .views = views, .dir = dir };
	int socks[2] = { -1, -1 }, done[2] = { -1, -1 }, rc = 0;
	pid_t pid = -1;

	p.dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p.dir_fd < 0)
		return fail_errno(-errno, "%s", dir);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0 ||
	    pipe2(done, O_CLOEXEC) < 0)
		rc = -errno;
	fflush(NULL);
	if (!rc)
		pid = fork();
	if (!pid) {
		close(socks[0]);
		close(done[0]);
		p.fd = socks[1];
		run_sampler(&p);
	}
	close(socks[1]);
	close(done[1]);
	close(p.dir_fd);
	if (pid > 0) {
		*s = (struct guard_sampler){ .fd = socks[0], .done_fd = done[0], .dir = dir };
		return 0;
	}
	close(socks[0]);
	close(done[0]);
	return fail_errno(rc ? rc : -EAGAIN, "sampler");
}

void guard_sampler_request(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
			   size_t n, struct buf *path)
{
	const struct sample_request r = sample_request_of(view, busy, n);
	char name[SAMPLE_NAME] = "";

	buf_clear(path);
	if (write(s->fd, &r, sizeof(r)) != sizeof(r) || read(s->fd, name, sizeof(name) - 1) < 1 ||
	    !*name)
		return;
	buf_printf(path, "%s/%s", s->dir, name);
	buf_char(path, '\0');
}

/* Waits for end of file: every process that still writes holds the other end of the pipe. */
void guard_sampler_stop(struct guard_sampler *s)
{
	char none;

	if (!s->fd)
		return;
	close(s->fd);
	while (read(s->done_fd, &none, 1) > 0)
		continue;
	close(s->done_fd);
	*s = (struct guard_sampler){ 0 };
}
