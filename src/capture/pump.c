/* SPDX-License-Identifier: MIT */
/* Collects what every CPU has written, sorts it by time, writes it, and gives the memory back.
 *
 * Under load packets are read a few hundred times a second at most; the first packet after a pause
 * is read at once. A full chunk always wakes the reader. */
#include "base/array.h"
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
#include "capture/limits.h"
#include "capture/order.h"
#include "filter/view.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/wait.h"

#define MS      UINT64_C(1000000)
#define NEVER_S INT64_C(9000000000) /* since the epoch: the year 2255 */

enum {
	PRIORITY = -15, /* for setpriority(2) */
	PAUSE_MS = 5,
	FILE_PAUSE_MS = 50, /* the next packet of a file is not urgent */
	/* Packets older than SETTLE_MS are complete once no CPU is writing; allows for clock skew
	 * between CPUs. */
	SETTLE_MS = 5,
	DRAIN_MS = 100, /* upper bound of one drain_batches(): then signals are handled */
	/* A program that was running while it was detached has ended by then. */
	LAST_MS = 10,
};

struct pump {
	const struct capture_pump_opts *opts;
	struct capture_out *out;
	struct capture_session session;
	struct capfile decoder; /* decodes the blocks for text and JSON */
	struct block_batch *batches;
	int clock_fd;
	int events_fd; /* epoll(7) of everything but packets */
	int poll_fd;   /* epoll(7) of events_fd and packets */
	struct capture_limits limits;
	int file_rc;      /* of a file that could not take a packet */
	bool has_section; /* the stream has its section block */
	bool stopped;     /* detached: no more packets come */
	bool done;
};

/* Blocks go to the file unchanged. */
static bool passes_blocks(const struct pump *p)
{
	return capture_out_is_ng(p->out) && capture_session_is_exact(&p->session);
}

static bool counts_packets(const struct pump *p)
{
	return p->limits.count || !passes_blocks(p);
}

/* Checks the filter again where the kernel lets through more than it should. */
static bool passes_filter(const struct pump *p, const struct frame *f)
{
	struct view views[VIEW_LAYERS];
	struct filter_packet packet = { views, f->data, f->caplen };

	if (capture_session_is_exact(&p->session))
		return true;
	view_frame(views, f);
	return filter_recheck(p->opts->session.filter, &packet);
}

static int on_frame(const struct frame *f, void *arg)
{
	struct pump *p = arg;
	int rc;

	if (!passes_filter(p, f))
		return 0;
	rc = capture_out_write_frame(p->out, f, capfile_iface(&p->decoder, f->iface));
	p->limits.delivered++;
	/* After a write error packets are still read, to be counted. */
	if (p->out->failed) {
		if (!p->file_rc)
			p->file_rc = rc;
		rc = 0;
	}
	return rc ? rc : limits_reached(&p->limits);
}

/* Starts the stream of blocks with the section and the interface. */
static int on_iface(const struct capture_iface *iface, uint32_t number, void *arg)
{
	struct pump *p = arg;
	struct capfile_iface i = { .link = iface->link_type, .snaplen = p->opts->session.snaplen };
	struct buf head = { 0 };
	int rc;

	(void)number;
	snprintf(i.name, sizeof(i.name), "%s", iface->link.name);
	if (!p->has_section)
		capfile_put_section(&head, "sonde");
	p->has_section = true;
	capfile_put_iface(&head, &i, p->opts->filter_text);
	if (passes_blocks(p))
		rc = capture_out_add_header(p->out, &head);
	else
		rc = capfile_feed(&p->decoder, head.data, head.len, on_frame, p);
	if (!rc && p->out->opts.file.name && !p->out->opts.file.pcapng)
		rc = capture_out_add_pcap_header(p->out, iface->link_type);
	buf_free(&head);
	return rc;
}

static int on_blocks(const uint8_t *blocks, size_t len, void *arg)
{
	struct pump *p = arg;
	int rc;

	if (!passes_blocks(p)) {
		rc = capfile_feed(&p->decoder, blocks, len, on_frame, p);
		rc = rc < 0 || !p->file_rc ? rc : p->file_rc;
		p->file_rc = 0;
	} else {
		if (p->limits.count) {
			len = limits_cut(&p->limits, &p->out->file, blocks, len);
			p->done = limits_reached(&p->limits);
		}
		rc = capture_out_write_blocks(p->out, blocks, len);
	}
	p->done = p->done || rc == 1;
	return rc ? rc : p->done;
}

static int write_full_chunks(struct pump *p, uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++) {
		struct block_batch *batch = &p->batches[i];

		if (!batch->full)
			continue;
		rc = capture_out_write_chunk(p->out, batch->at, batch->len);
		batch->consumed = batch->len;
	}
	p->done = p->done || rc == 1;
	return rc;
}

static bool has_full_chunk(const struct pump *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (p->batches[i].full)
			return true;
	return false;
}

/* Decides whether to write chunks that are still being filled. */
static bool takes_partial(struct pump *p, uint64_t now)
{
	return (counts_packets(p) || limits_partial_due(&p->limits, now)) &&
	       !limits_older_may_come(&p->limits, p->session.packets.is_writing, now);
}

/* Looks at every CPU once. all: even if an older packet may still arrive. *any is set if packets
 * were found; *more: call it again at once. */
static int drain_pass(struct pump *p, bool all, bool *any, bool *more)
{
	uint64_t now = clock_mono(), until = all ? UINT64_MAX : clock_real() - SETTLE_MS * MS;
	uint32_t n = packet_buf_take(&p->session.packets, p->batches);
	size_t used = 0;
	int rc = 0;

	*more = false;
	*any = *any || n;
	if (has_full_chunk(p, n) && !counts_packets(p)) {
		rc = write_full_chunks(p, n);
		p->limits.full_ns = now;
	} else if (n && (all || takes_partial(p, now))) {
		rc = order_batches(p->batches, n, until, on_blocks, p);
		p->limits.partial_ns = now;
	}
	for (uint32_t i = 0; i < n; i++) {
		used += p->batches[i].consumed;
		*more = *more ||
			(p->batches[i].has_next && p->batches[i].consumed == p->batches[i].len);
	}
	*more = *more || (all && used);
	packet_buf_release(&p->session.packets, p->batches, n);
	return rc == -EBADMSG ? fail(rc, "damaged blocks from the kernel: a bug in sonde") : rc;
}

/* Writes the packets that arrived since the last pause. *any: packets were found, or are left. */
static int drain_batches(struct pump *p, bool all, bool *any)
{
	uint64_t end = clock_mono() + DRAIN_MS * MS;
	bool more = true;
	int rc = 0;

	*any = false;
	while (!rc && more && !p->done && (p->stopped || clock_mono() < end))
		rc = drain_pass(p, all, any, &more);
	if (!rc)
		rc = capture_out_flush(p->out);
	if (!rc)
		rc = capture_out_rotate(p->out);
	p->done = p->done || rc == 1;
	return rc < 0 ? rc : 0;
}

/* A timer that never expires, but reports each step of the clock (timerfd_create(2),
 * TFD_TIMER_CANCEL_ON_SET). Reads the clock after arming it, so that no step is missed. */
static int watch_clock(struct pump *p)
{
	struct itimerspec never = { .it_value.tv_sec = NEVER_S };
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	p->clock_fd = fd;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0)
		return -errno;
	packet_buf_set_clock(&p->session.packets);
	return 0;
}

static int add_polled(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

static int open_epoll(int *fd)
{
	int new_fd = epoll_create1(EPOLL_CLOEXEC);

	if (new_fd < 0)
		return -errno;
	*fd = new_fd;
	return 0;
}

static int open_events(struct pump *p)
{
	int rc = open_epoll(&p->events_fd);

	if (!rc)
		rc = open_epoll(&p->poll_fd);
	if (!rc)
		rc = watch_clock(p);
	if (!rc)
		rc = add_polled(p->events_fd, p->clock_fd);
	if (!rc)
		rc = add_polled(p->events_fd, p->session.follower.events.fd);
	if (!rc)
		rc = add_polled(p->poll_fd, p->events_fd);
	if (!rc)
		rc = add_polled(p->poll_fd, packet_buf_poll_fd(&p->session.packets));
	return rc ? fail_errno(rc, "waiting for packets") : 0;
}

/* Handles a step of the clock and a change of the interfaces. Packets stamped before a step are
 * written at once: their time may now be in the future. */
static int poll_events(struct pump *p)
{
	struct pollfd links = { .fd = p->session.follower.events.fd, .events = POLLIN };
	uint64_t expired;
	bool any;
	int rc = 0;

	if (read(p->clock_fd, &expired, sizeof(expired)) < 0 && errno == ECANCELED) {
		packet_buf_set_clock(&p->session.packets);
		rc = drain_batches(p, true, &any);
	}
	/* usually a packet woke it */
	if (!rc && poll(&links, 1, 0) > 0)
		rc = capture_session_follow(&p->session);
	if (!rc && !p->session.follower.nused && p->opts->session.names->n)
		rc = fail(-ENODEV, "no interface is left to capture on");
	return rc;
}

/* A ring cannot report that it is getting full. */
static uint64_t pause_ms(const struct pump *p)
{
	return p->out->file.never_blocks && p->session.packets.mapped ? FILE_PAUSE_MS : PAUSE_MS;
}

/* Pauses if there was something, else waits until there is. */
static int wait_packets(struct pump *p, bool any)
{
	uint64_t until = limits_wait_until(any ? pause_ms(p) * MS : 0,
					   capture_file_next_rotation(&p->out->file), clock_mono(),
					   clock_real());
	/* A ring with something in it is always readable; chunks wake the reader when they are
	 * full. */
	int fd = any && !p->session.packets.mapped ? p->events_fd : p->poll_fd;

	if (p->limits.end_ns && p->limits.end_ns < until)
		until = p->limits.end_ns;
	switch (wait_for(fd, until)) {
	case WAIT_STOP:
		p->done = true;
		return 0;
	case WAIT_STDOUT_CLOSED:
		return fail(-EPIPE, "standard output: the reader is gone");
	case WAIT_READABLE:
		return poll_events(p);
	default:
		return 0;
	}
}

static int run_loop(struct pump *p)
{
	int rc = 0;
	bool any;

	while (!rc && !p->done && !limits_time_is_up(&p->limits, clock_mono())) {
		rc = drain_batches(p, false, &any);
		/* Request a wakeup first, then look again: no packet in between is missed, and a
		 * wakeup that was answered above is discarded. */
		if (!rc && !p->done && !any) {
			packet_buf_arm(&p->session.packets);
			rc = drain_batches(p, false, &any);
		}
		if (!rc && !p->done)
			rc = wait_packets(p, any);
	}
	return rc;
}

/* Reads what the kernel still holds, unless the packet count is reached. */
static int drain_rest(struct pump *p)
{
	bool any;

	capture_session_stop(&p->session);
	p->stopped = true;
	nanosleep(&(struct timespec){ .tv_nsec = LAST_MS * 1000000 }, NULL);
	if (limits_reached(&p->limits))
		return 0;
	p->done = false;
	return drain_batches(p, true, &any);
}

static void note_counts(const struct pump *p)
{
	struct capture_iface_counts sum = { 0 }, c;
	uint64_t captured;

	for (uint32_t i = 0; i < p->session.n; i++) {
		if (capture_iface_counts(p->session.ifaces[i], &c))
			continue;
		sum.seen += c.seen;
		sum.matched += c.matched;
		sum.lost += c.lost;
	}
	if (p->opts->session.quiet && !sum.lost)
		return;
	captured = counts_packets(p) ? p->limits.delivered : sum.matched - sum.lost;
	fprintf(stderr, "%llu packets captured\n",
		(unsigned long long)(captured - p->out->unsaved));
	if (p->out->unsaved)
		fprintf(stderr, "%llu packets not written\n", (unsigned long long)p->out->unsaved);
	fprintf(stderr, "%llu packets received by filter\n", (unsigned long long)sum.matched);
	fprintf(stderr, "%llu packets dropped by kernel\n", (unsigned long long)sum.lost);
	if (sum.seen != sum.matched)
		fprintf(stderr, "%llu packets seen\n", (unsigned long long)sum.seen);
}

/* Appends the statistics of each interface, as the end of a file. */
static void append_stats(struct buf *b, void *arg)
{
	const struct pump *p = arg;
	struct capture_iface_counts c;

	for (uint32_t i = 0; i < p->session.n; i++) {
		const struct capture_iface *iface = p->session.ifaces[i];

		/* an interface without packets may not be in the file */
		if (capture_iface_counts(iface, &c) || (!passes_blocks(p) && i >= p->out->ifaces))
			continue;
		capfile_put_stats(b, i,
				  &(struct capfile_stats){ .start_ns = iface->start_ns,
							   .end_ns = clock_real(),
							   .received = c.seen,
							   .dropped_os = c.lost });
	}
}

/* Uses little time, but needs it promptly, since packets are waiting: run before busy processes,
 * where permitted. */
static void raise_priority(void)
{
	setpriority(PRIO_PROCESS, 0, PRIORITY);
}

static int open_pump(struct pump *p)
{
	struct capture_session_opts opts = p->opts->session;
	const struct capture_file_opts *file = &p->out->opts.file;
	uint64_t caps = PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON) | PRIV(CAP_NET_RAW);
	bool rotates = file->max_bytes || file->interval_ns;
	int rc;

	opts.on_iface = on_iface;
	opts.arg = p;
	rc = capture_session_open(&p->session, &opts);
	if (rc)
		return rc;
	p->batches = calloc(p->session.packets.cpus, sizeof(*p->batches));
	if (!p->batches)
		return fail_errno(-ENOMEM, "capture");
	raise_priority();
	rc = open_events(p);
	if (!rc)
		rc = capture_out_begin(p->out);
	if (file->name && !p->out->file.is_stdout)
		wait_ignore_stdout();
	/* To open another file takes the permission that opened the first one. */
	return rc ? rc : confine_process(rotates ? caps | PRIV(CAP_DAC_OVERRIDE) : caps, rotates);
}

int capture_pump(const struct capture_pump_opts *opts, struct capture_out *out)
{
	struct pump p = { .opts = opts, .out = out, .limits.count = opts->count };
	const int *const fds[] = { &p.poll_fd, &p.events_fd, &p.clock_fd };
	int rc = open_pump(&p), drained;

	if (capture_out_is_ng(out)) {
		out->file.opts.append_trailer = append_stats;
		out->file.opts.arg = &p;
	}
	if (opts->duration)
		p.limits.end_ns = clock_mono() + opts->duration;
	if (!rc) {
		rc = run_loop(&p);
		if (!rc || rc == -ENODEV) {
			drained = drain_rest(&p);
			if (!rc)
				rc = drained;
		}
		/* Count the packets that the failed file did not get. */
		if (out->failed)
			drain_rest(&p);
		capture_session_stop(&p.session);
		note_counts(&p);
	}
	rc = capture_out_close(out, rc);
	capture_session_close(&p.session);
	capfile_close(&p.decoder);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i])
			close(*fds[i]);
	free(p.batches);
	return rc;
}
