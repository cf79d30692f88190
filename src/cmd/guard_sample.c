/* SPDX-License-Identifier: MIT */
/* A tap with little memory, emptied once. */
#include "cmd/guard_sample.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "host/names.h"
#include "net/capfile.h"
#include "tap/order.h"
#include "tap/tap.h"

enum { SNAPLEN = 256, BYTES = 1 << 20, SECOND_MS = 1000, LAST_MS = 10, TOP = 3, PATH_LEN = 1024 };

/* What the sampler is asked for. It has the views, too: of the table they have the same memory. */
struct request {
	uint32_t view, n, entry[TOP];
	char path[PATH_LEN];
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

/* Sources' addresses are not ports' or destinations', and they are not made up where they have an
 * entry. */
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

static int begin(struct sample *s, const struct guard_view *v, const struct request *r)
{
	struct buf expr = { 0 };
	int rc;

	s->path = r->path;
	s->names = (struct opt_list){ .at = { v->seat.link.name }, .n = 1 };
	s->fd = open(s->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (s->fd < 0)
		return fail_errno(-errno, "sample %s", s->path);
	choose(v, r, &expr);
	rc = expr.nomem ? fail_errno(-ENOMEM, "sample") : open_tap(s, v, expr.data);
	buf_free(&expr);
	if (rc)
		unlink(s->path);
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

/* One request: the answer is whether there is a file. */
static void serve(int fd, const struct guard_views *views, struct request *r)
{
	struct pollfd asker = { .fd = fd };
	struct sample s = { 0 };
	char none;

	r->path[PATH_LEN - 1] = '\0';
	none = begin(&s, &views->at[r->view], r) != 0;
	if (write(fd, &none, 1) == 1 && !none)
		poll(&asker, 1, SECOND_MS); /* less if nobody waits for it any more */
	if (!none)
		end(&s);
	close_all(&s);
}

/* What ends the others, ends this one: when nobody is there to ask. */
static _Noreturn void run_sampler(int fd, const struct guard_views *views)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct request r;

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_IGN);
	while (read(fd, &r, sizeof(r)) == sizeof(r) && r.view < views->n && r.n <= TOP)
		serve(fd, views, &r);
	_exit(0);
}

int guard_sampler_start(struct guard_sampler *s, const struct guard_views *views)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return fail_errno(-errno, "sampler");
	s->pid = fork();
	if (!s->pid) {
		close(fds[0]);
		run_sampler(fds[1], views);
	}
	close(fds[1]);
	s->fd = fds[0];
	if (s->pid > 0)
		return 0;
	close(s->fd);
	*s = (struct guard_sampler){ 0 };
	return fail_errno(-EAGAIN, "sampler");
}

static void put_path(struct buf *path, const char *dir, const char *iface)
{
	time_t now = (time_t)(clock_real() / NS_PER_S);
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	buf_printf(path, "%s/%s-%s.pcapng", dir, iface, when);
	buf_char(path, '\0');
}

void guard_sampler_ask(struct guard_sampler *s, const struct guard_views *views, size_t view,
		       const char *dir, const struct guard_busy *busy, size_t n, struct buf *path)
{
	struct request r = { .view = (uint32_t)view, .n = (uint32_t)(n < TOP ? n : TOP) };
	char none = 1;

	buf_clear(path);
	put_path(path, dir, views->at[view].seat.link.name);
	for (uint32_t i = 0; i < r.n; i++)
		r.entry[i] = busy[i].entry;
	if (!path->nomem && path->len <= PATH_LEN) {
		memcpy(r.path, path->data, path->len);
		if (write(s->fd, &r, sizeof(r)) != sizeof(r) || read(s->fd, &none, 1) != 1)
			none = 1;
	}
	if (none)
		buf_clear(path);
}

void guard_sampler_stop(struct guard_sampler *s)
{
	if (s->pid <= 0)
		return;
	close(s->fd);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	*s = (struct guard_sampler){ 0 };
}
