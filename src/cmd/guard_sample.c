/* SPDX-License-Identifier: MIT */
/* A tap with little memory, emptied once. */
#define _GNU_SOURCE
#include "cmd/guard_sample.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "host/names.h"
#include "net/capfile.h"
#include "tap/order.h"
#include "tap/tap.h"

enum { SNAPLEN = 256, BYTES = 1 << 20, SECOND_MS = 1000, LAST_MS = 10, TOP = 3, NAME_LEN = 64 };

/* What the sampler is asked for. It has the views, too: of the table they have the same memory. The
 * answer is the file's name, with a NUL; empty: there is none. */
struct request {
	uint32_t view, n, entry[TOP];
};

/* The other process. */
struct sampler {
	const struct guard_views *views;
	const char *dir;
	int dir_fd, fd;
};

/* A sample being taken. */
struct sample {
	const char *path;
	struct tap tap;
	struct filter filter;
	struct opt_list names;
	int fd;
	int rc; /* of what could not be written */
};

/* What the gate drops, if it can tell; else what comes from the sources that were busiest, which of
 * all keys an expression is made of most simply. */
static void choose(const struct guard_view *v, const struct request *r, struct buf *expr)
{
	const char *joint = "";

	if (hook_is_xdp(v->seat.at.hook) && v->seat.conf.guard.enforce && v->seat.conf.observed) {
		buf_str(expr, "verdict drop");
		buf_char(expr, '\0');
		return;
	}
	for (uint32_t i = 0; i < r->n; i++) {
		const struct guard_name *name = guard_table_name(&v->table, r->entry[i]);

		if (name->key != GUARD_SRC)
			continue;
		buf_str(expr, joint);
		buf_str(expr, "src net ");
		guard_print_name(name, expr);
		joint = " or ";
	}
	buf_char(expr, '\0');
}

/* What cannot be written is said once, at the end. */
static void put(struct sample *s, struct buf *b)
{
	s->rc = s->rc ? s->rc : buf_write(b, s->fd);
	buf_free(b);
}

static int on_port(const struct tap_port *port, uint32_t number, void *arg)
{
	struct sample *s = arg;
	struct capfile_iface i = { .link = port->link_type, .snaplen = SNAPLEN };
	struct buf head = { 0 };

	(void)number;
	snprintf(i.name, sizeof(i.name), "%s", port->link.name);
	capfile_put_section(&head, "sonde");
	capfile_put_iface(&head, &i, NULL);
	put(s, &head);
	return 0;
}

static int open_tap(struct sample *s, const struct guard_view *v, const char *expr)
{
	struct tap_wish wish = { .names = &s->names,
				 .filter = &s->filter,
				 .hooks = { [TAP_IN] = HOOK_BIT(v->seat.at.hook) | HOOKS_TC },
				 .snaplen = SNAPLEN,
				 .bytes = BYTES,
				 .quiet = true,
				 .on_port = on_port,
				 .arg = s };
	struct diag diag = { 0 };
	int rc = filter_parse(&s->filter, expr, &host_names, &diag);

	if (rc)
		return fail(rc, "sample: %s: %s", expr, diag.msg);
	rc = tap_open(&s->tap, &wish);
	if (!rc)
		area_set_clock(&s->tap.area);
	return rc;
}

static void close_all(struct sample *s)
{
	tap_close(&s->tap);
	filter_close(&s->filter);
	if (s->fd > 0)
		close(s->fd);
	s->fd = s->rc = 0;
}

static int begin(struct sample *s, const struct sampler *p, const struct request *r,
		 const char *name)
{
	const struct guard_view *v = &p->views->at[r->view];
	struct buf expr = { 0 };
	int rc;

	s->path = name;
	s->names = (struct opt_list){ .at = { v->seat.link.name }, .n = 1 };
	s->fd = openat(p->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (s->fd < 0)
		return fail_errno(-errno, "sample %s/%s", p->dir, name);
	choose(v, r, &expr);
	rc = expr.nomem ? fail_errno(-ENOMEM, "sample") : open_tap(s, v, expr.data);
	buf_free(&expr);
	if (rc)
		unlinkat(p->dir_fd, name, 0);
	return rc;
}

static int on_blocks(const uint8_t *blocks, size_t len, void *arg)
{
	struct sample *s = arg;
	struct buf b = { 0 };

	buf_add(&b, blocks, len);
	put(s, &b);
	return s->rc;
}

static int take_all(struct sample *s)
{
	struct area_run *runs = calloc(s->tap.area.cpus, sizeof(*runs));
	bool any = true;
	int rc = runs ? 0 : -ENOMEM;

	while (!rc && any) {
		uint32_t n = area_take(&s->tap.area, runs);

		rc = order_runs(runs, n, UINT64_MAX, on_blocks, s);
		any = false;
		for (uint32_t i = 0; i < n; i++)
			any |= runs[i].used != 0;
		area_release(&s->tap.area, runs, n);
	}
	free(runs);
	return rc;
}

static void put_counts(struct sample *s)
{
	const struct tap_port *port = s->tap.ports[0];
	struct tap_counts c;
	struct buf b = { 0 };

	if (tap_counts(port, &c))
		return;
	capfile_put_stats(&b, 0,
			  &(struct capfile_stats){ .start_ns = port->start_ns,
						   .end_ns = clock_real(),
						   .received = c.seen,
						   .dropped_os = c.lost });
	put(s, &b);
}

static void end(struct sample *s)
{
	int rc;

	tap_stop(&s->tap);
	nanosleep(&(struct timespec){ .tv_nsec = LAST_MS * 1000000 }, NULL);
	rc = take_all(s);
	put_counts(s);
	rc = rc ? rc : s->rc;
	if (rc)
		fail_errno(rc, "sample %s", s->path);
}

static void name_of(char name[NAME_LEN], const char *iface)
{
	time_t now = (time_t)(clock_real() / NS_PER_S);
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	snprintf(name, NAME_LEN, "%s-%s.pcapng", iface, when);
}

/* One request, in a process of its own: others may follow before it is done. */
static void serve(const struct sampler *p, const struct request *r)
{
	struct pollfd asker = { .fd = p->fd, .events = POLLRDHUP };
	struct sample s = { 0 };
	char name[NAME_LEN];
	int rc;

	name_of(name, p->views->at[r->view].seat.link.name);
	rc = begin(&s, p, r, name);
	if (rc)
		*name = '\0';
	if (send(p->fd, name, strlen(name) + 1, MSG_NOSIGNAL) < 0 || rc) {
		close_all(&s);
		return;
	}
	poll(&asker, 1, SECOND_MS); /* less if nobody waits for it any more */
	end(&s);
	close_all(&s);
}

static bool is_sane(const struct sampler *p, const struct request *r)
{
	bool sane = r->view < p->views->n && r->n <= TOP;

	for (uint32_t i = 0; sane && i < r->n; i++)
		sane = r->entry[i] < p->views->at[r->view].table.entries;
	return sane;
}

/* What ends the others, ends this one: when nobody is there to ask. */
static _Noreturn void run_sampler(const struct sampler *p)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD };
	struct request r;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
	while (read(p->fd, &r, sizeof(r)) == sizeof(r) && is_sane(p, &r)) {
		pid_t pid = fork();

		if (!pid) {
			serve(p, &r);
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
	int ask[2] = { -1, -1 }, done[2] = { -1, -1 }, rc = 0;
	pid_t pid = -1;

	p.dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p.dir_fd < 0)
		return fail_errno(-errno, "%s", dir);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask) < 0 ||
	    pipe2(done, O_CLOEXEC) < 0)
		rc = -errno;
	fflush(NULL);
	if (!rc)
		pid = fork();
	if (!pid) {
		close(ask[0]);
		close(done[0]);
		p.fd = ask[1];
		run_sampler(&p);
	}
	close(ask[1]);
	close(done[1]);
	close(p.dir_fd);
	if (pid > 0) {
		*s = (struct guard_sampler){ .fd = ask[0], .done_fd = done[0], .dir = dir };
		return 0;
	}
	close(ask[0]);
	close(done[0]);
	return fail_errno(rc ? rc : -EAGAIN, "sampler");
}

void guard_sampler_ask(struct guard_sampler *s, size_t view, const struct guard_busy *busy,
		       size_t n, struct buf *path)
{
	struct request r = { .view = (uint32_t)view, .n = (uint32_t)(n < TOP ? n : TOP) };
	char name[NAME_LEN] = "";

	for (uint32_t i = 0; i < r.n; i++)
		r.entry[i] = busy[i].entry;
	buf_clear(path);
	if (write(s->fd, &r, sizeof(r)) != sizeof(r) || read(s->fd, name, sizeof(name) - 1) < 1 ||
	    !*name)
		return;
	buf_printf(path, "%s/%s", s->dir, name);
	buf_char(path, '\0');
}

/* Whoever has the other end of the pipe is still at work. */
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
