/* SPDX-License-Identifier: MIT */
/* Rounds: take what every CPU has finished, put it in order of time, hand it on, give it back.
 *
 * Packets that come by the thousand are read a few hundred times a second at most; the first one
 * after a silence is read at once. A chunk that is full wakes the reader whenever that is. */
#include "capture/pump.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "capture/order.h"
#include "filter/view.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/wait.h"

#define MS      UINT64_C(1000000)
#define NEVER_S INT64_C(9000000000) /* of the epoch: in the year 2255 */

enum {
	PRIORITY = -15, /* as setpriority(2) has it */
	PAUSE_MS = 5,
	FILE_PAUSE_MS = 50, /* nobody waits for a file's next packet */
	/* What was stamped so long ago, by a clock that is not quite this one, is there when no
	 * CPU is seen writing; else it is waited for, but not forever. */
	SETTLE_MS = 5,
	STALL_MS = 200,
	WHOLE_MS = 50,
	PARTIAL_MS = 200,
	ROUNDS_MS = 100, /* then signals are looked at, whatever comes */
	/* A program that was running when it was taken off has ended by then. */
	LAST_MS = 10,
};

struct live {
	const struct capture_pump_opts *opts;
	struct capture_out *out;
	struct capture_session session;
	struct capfile in; /* of lines and JSON: what reads the blocks */
	struct block_batch *batches;
	int clock_fd;
	int around_fd;                 /* an epoll(7) of what is not packets */
	int poll_fd;                   /* and one of that and of them */
	uint64_t handed;               /* packets, where they are counted one by one */
	uint64_t whole_ns, partial_ns; /* when such were handed on last */
	uint64_t calm_ns;              /* when no CPU was writing */
	int rc;                        /* of a file that could not take a packet */
	bool section;                  /* was put */
	bool stopped;                  /* no more packets come */
	bool over;
};

/* Blocks go to the file as they are. */
static bool takes_blocks(const struct live *l)
{
	return capture_out_is_ng(l->out) && capture_session_is_exact(&l->session);
}

static bool counts_each(const struct live *l)
{
	return l->opts->count || !takes_blocks(l);
}

/* Where the kernel lets through more than the filter wants. */
static bool is_wanted(const struct live *l, const struct frame *f)
{
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, f->data, f->caplen };

	if (capture_session_is_exact(&l->session))
		return true;
	view_frame(views, f);
	return filter_recheck(l->opts->session.filter, &p);
}

static int on_frame(const struct frame *f, void *arg)
{
	struct live *l = arg;
	int rc;

	if (!is_wanted(l, f))
		return 0;
	rc = capture_out_frame(l->out, f, capfile_iface(&l->in, f->iface));
	l->handed++;
	/* What comes behind a full disk is still read, to be counted. */
	if (l->out->failed) {
		l->rc = l->rc ? l->rc : rc;
		rc = 0;
	}
	return rc ? rc : l->opts->count && l->handed == l->opts->count;
}

/* The section and the interface as the stream of blocks has them. */
static int on_iface(const struct capture_iface *iface, uint32_t number, void *arg)
{
	struct live *l = arg;
	struct capfile_iface i = { .link = iface->link_type, .snaplen = l->opts->session.snaplen };
	struct buf head = { 0 };
	int rc;

	(void)number;
	snprintf(i.name, sizeof(i.name), "%s", iface->link.name);
	if (!l->section)
		capfile_put_section(&head, "sonde");
	l->section = true;
	capfile_put_iface(&head, &i, l->opts->filter_text);
	if (takes_blocks(l))
		rc = capture_out_head(l->out, &head);
	else
		rc = capfile_feed(&l->in, head.data, head.len, on_frame, l);
	if (!rc && l->out->opts.file.name && !l->out->opts.file.ng)
		rc = capture_out_pcap(l->out, iface->link_type);
	buf_free(&head);
	return rc;
}

/* So many bytes of the blocks as hold the packets that are still wished for. */
static size_t within_count(struct live *l, const uint8_t *blocks, size_t len)
{
	uint64_t left = l->opts->count - l->handed;
	size_t at = 0;

	for (uint32_t n; at < len && left; at += n) {
		n = order_block_len(blocks + at);
		left -= capture_file_packets(&l->out->file, blocks + at, n);
	}
	l->handed = l->opts->count - left;
	l->over = !left;
	return at;
}

static int on_blocks(const uint8_t *blocks, size_t len, void *arg)
{
	struct live *l = arg;
	int rc;

	if (!takes_blocks(l)) {
		rc = capfile_feed(&l->in, blocks, len, on_frame, l);
		rc = rc < 0 || !l->rc ? rc : l->rc;
		l->rc = 0;
	} else {
		if (l->opts->count)
			len = within_count(l, blocks, len);
		rc = capture_out_blocks(l->out, blocks, len);
	}
	l->over = l->over || rc == 1;
	return rc ? rc : l->over;
}

/* Chunks that are full go to the file as they are. */
static int put_whole(struct live *l, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		struct block_batch *batch = &l->batches[i];

		if (!batch->full)
			continue;
		rc = capture_out_whole(l->out, batch->at, batch->len);
		batch->consumed = batch->len;
	}
	l->over = l->over || rc == 1;
	return rc;
}

static bool any_whole(const struct live *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (l->batches[i].full)
			return true;
	return false;
}

/* Files get full chunks; what stands in chunks that are being filled can wait for more of it while
 * there are such, but not forever. */
static bool takes_partial(const struct live *l, uint64_t now)
{
	return counts_each(l) || now - l->whole_ns > WHOLE_MS * MS ||
	       now - l->partial_ns > PARTIAL_MS * MS;
}

/* Whether an older packet than those that are there may be on its way. */
static bool older_may_come(struct live *l, uint64_t now)
{
	if (!l->session.packets.busy)
		l->calm_ns = now;
	return now - l->calm_ns < STALL_MS * MS && l->session.packets.busy;
}

/* One look at all CPUs. all: though a packet that is older may still come from another. *more:
 * there is more to be had at once. */
static int look(struct live *l, bool all, bool *any, bool *more)
{
	uint64_t now = clock_mono(), until = all ? UINT64_MAX : clock_real() - SETTLE_MS * MS;
	uint32_t n = packet_buf_take(&l->session.packets, l->batches);
	size_t used = 0;
	int rc = 0;

	*more = false;
	*any = *any || n;
	if (any_whole(l, n) && !counts_each(l)) {
		rc = put_whole(l, n);
		l->whole_ns = now;
	} else if (n && (all || (takes_partial(l, now) && !older_may_come(l, now)))) {
		rc = order_batches(l->batches, n, until, on_blocks, l);
		l->partial_ns = now;
	}
	for (uint32_t i = 0; i < n; i++) {
		used += l->batches[i].consumed;
		*more = *more ||
			(l->batches[i].has_next && l->batches[i].consumed == l->batches[i].len);
	}
	*more = *more || (all && used);
	packet_buf_release(&l->session.packets, l->batches, n);
	return rc == -EBADMSG ? fail(rc, "the kernel's blocks are damaged: a bug of sonde") : rc;
}

/* What has come since the last pause. *any: something had, or is still on its way. */
static int rounds(struct live *l, bool all, bool *any)
{
	uint64_t end = clock_mono() + ROUNDS_MS * MS;
	bool more = true;
	int rc = 0;

	*any = false;
	while (!rc && more && !l->over && (l->stopped || clock_mono() < end))
		rc = look(l, all, any, &more);
	if (!rc)
		rc = capture_out_flush(l->out);
	if (!rc)
		rc = capture_out_turn(l->out);
	l->over = l->over || rc == 1;
	return rc < 0 ? rc : 0;
}

/* A timer that never ends, but tells of each step of the clock (timerfd_create(2),
 * TFD_TIMER_CANCEL_ON_SET). What was known of the clock before is read again: nothing that happens
 * in between is missed. */
static int watch_clock(struct live *l)
{
	struct itimerspec never = { .it_value.tv_sec = NEVER_S };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	l->clock_fd = fd;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0)
		return -errno;
	packet_buf_set_clock(&l->session.packets);
	return 0;
}

static int watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int new_epoll(int *fd)
{
	int got = epoll_create1(EPOLL_CLOEXEC);

	if (got < 0)
		return -errno;
	*fd = got;
	return 0;
}

static int open_waiting(struct live *l)
{
	int rc = new_epoll(&l->around_fd);

	rc = rc ? rc : new_epoll(&l->poll_fd);
	rc = rc ? rc : watch_clock(l);
	rc = rc ? rc : watch(l->around_fd, l->clock_fd);
	rc = rc ? rc : watch(l->around_fd, l->session.follower.events.fd);
	rc = rc ? rc : watch(l->poll_fd, l->around_fd);
	rc = rc ? rc : watch(l->poll_fd, packet_buf_fd(&l->session.packets));
	return rc ? fail_errno(rc, "waiting for packets") : 0;
}

/* A step of the clock and a change of the interfaces, if there was one. What was stamped before a
 * step is handed on at once, for its time may lie ahead now. */
static int poll_events(struct live *l)
{
	struct pollfd links = { .fd = l->session.follower.events.fd, .events = POLLIN };
	uint64_t expired;
	bool any;
	int rc = 0;

	if (read(l->clock_fd, &expired, sizeof(expired)) < 0 && errno == ECANCELED) {
		packet_buf_set_clock(&l->session.packets);
		rc = rounds(l, true, &any);
	}
	/* Most often it was a packet. */
	if (!rc && poll(&links, 1, 0) > 0)
		rc = capture_session_follow(&l->session);
	if (!rc && !l->session.follower.nused && l->opts->session.names->n)
		rc = fail(-ENODEV, "no interface is left to capture on");
	return rc;
}

/* A ring has no way to say that it is getting full. */
static uint64_t pause_ms(const struct live *l)
{
	return l->out->file.patient && l->session.packets.mapped ? FILE_PAUSE_MS : PAUSE_MS;
}

/* Between two rounds: a pause if there was something, else until there is. */
static int wait_more(struct live *l, bool any)
{
	uint64_t due = capture_file_due(&l->out->file), now = clock_mono(), until = UINT64_MAX;
	/* A ring with something in it can be read at any time; chunks wake when they are full. */
	int fd = any && !l->session.packets.mapped ? l->around_fd : l->poll_fd;

	if (any)
		until = now + pause_ms(l) * MS;
	else if (due != UINT64_MAX)
		until = now + (due > clock_real() ? due - clock_real() : 0) + MS;
	switch (wait_for(fd, until)) {
	case WAIT_STOP:
		l->over = true;
		return 0;
	case WAIT_STDOUT_CLOSED:
		return fail(-EPIPE, "standard output is closed");
	case WAIT_READABLE:
		return poll_events(l);
	default:
		return 0;
	}
}

static int batch(struct live *l)
{
	int rc = 0;
	bool any;

	while (!rc && !l->over) {
		rc = rounds(l, false, &any);
		/* Asked for a call first, then looked again: nothing that comes in between is
		 * missed, and a call that was answered above is no longer waited for. */
		if (!rc && !l->over && !any) {
			packet_buf_arm(&l->session.packets);
			rc = rounds(l, false, &any);
		}
		if (!rc && !l->over)
			rc = wait_more(l, any);
	}
	return rc;
}

/* What the kernel still has, unless so many packets were wished for and are there. */
static int drain(struct live *l)
{
	bool any;

	capture_session_stop(&l->session);
	l->stopped = true;
	nanosleep(&(struct timespec){ .tv_nsec = LAST_MS * 1000000 }, NULL);
	if (l->opts->count && l->handed == l->opts->count)
		return 0;
	l->over = false;
	return rounds(l, true, &any);
}

static void note_counts(const struct live *l)
{
	struct capture_iface_counts sum = { 0 }, c;
	uint64_t captured;

	for (uint32_t i = 0; i < l->session.n; i++) {
		if (capture_iface_counts(l->session.ifaces[i], &c))
			continue;
		sum.seen += c.seen;
		sum.matched += c.matched;
		sum.lost += c.lost;
	}
	if (l->opts->session.quiet && !sum.lost)
		return;
	captured = counts_each(l) ? l->handed : sum.matched - sum.lost;
	fprintf(stderr, "%llu packets captured\n",
		(unsigned long long)(captured - l->out->unsaved));
	if (l->out->unsaved)
		fprintf(stderr, "%llu packets not written\n", (unsigned long long)l->out->unsaved);
	fprintf(stderr, "%llu packets received by filter\n", (unsigned long long)sum.matched);
	fprintf(stderr, "%llu packets dropped by kernel\n", (unsigned long long)sum.lost);
	if (sum.seen != sum.matched)
		fprintf(stderr, "%llu packets seen\n", (unsigned long long)sum.seen);
}

/* What is known of each interface at a file's end. */
static void put_tail(struct buf *b, void *arg)
{
	const struct live *l = arg;
	struct capture_iface_counts c;

	for (uint32_t i = 0; i < l->session.n; i++) {
		const struct capture_iface *p = l->session.ifaces[i];

		/* An interface without a packet may not be in the file. */
		if (capture_iface_counts(p, &c) || (!takes_blocks(l) && i >= l->out->ifaces))
			continue;
		capfile_put_stats(b, i,
				  &(struct capfile_stats){ .start_ns = p->start_ns,
							   .end_ns = clock_real(),
							   .received = c.seen,
							   .dropped_os = c.lost });
	}
}

/* Little time is asked for, but when it is packets are waiting: before what is busy with other
 * work, if that is allowed. */
static void raise_priority(void)
{
	setpriority(PRIO_PROCESS, 0, PRIORITY);
}

static int open_live(struct live *l)
{
	struct capture_session_opts opts = l->opts->session;
	const struct capture_file_opts *file = &l->out->opts.file;
	uint64_t caps = PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON) | PRIV(CAP_NET_RAW);
	bool rotates = file->bytes || file->every;
	int rc;

	opts.on_iface = on_iface;
	opts.arg = l;
	rc = capture_session_open(&l->session, &opts);
	if (rc)
		return rc;
	l->batches = calloc(l->session.packets.cpus, sizeof(*l->batches));
	if (!l->batches)
		return fail_errno(-ENOMEM, "capture");
	raise_priority();
	rc = open_waiting(l);
	rc = rc ? rc : capture_out_begin(l->out);
	if (file->name && !l->out->file.standard)
		wait_ignore_stdout();
	/* Another file has to be opened where this one could be. */
	return rc ? rc : confine_process(rotates ? caps | PRIV(CAP_DAC_OVERRIDE) : caps, rotates);
}

int capture_pump(const struct capture_pump_opts *opts, struct capture_out *out)
{
	struct live l = { .opts = opts, .out = out };
	const int *const fds[] = { &l.poll_fd, &l.around_fd, &l.clock_fd };
	int rc = open_live(&l), drained;

	if (capture_out_is_ng(out)) {
		out->file.opts.tail = put_tail;
		out->file.opts.arg = &l;
	}
	if (!rc) {
		rc = batch(&l);
		if (!rc || rc == -ENODEV) {
			drained = drain(&l);
			rc = rc ? rc : drained;
		}
		/* What stopped the writing: how many packets were waiting for it? */
		if (out->failed)
			drain(&l);
		capture_session_stop(&l.session);
		note_counts(&l);
	}
	rc = capture_out_close(out, rc);
	capture_session_close(&l.session);
	capfile_close(&l.in);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (*fds[i])
			close(*fds[i]);
	free(l.batches);
	return rc;
}
