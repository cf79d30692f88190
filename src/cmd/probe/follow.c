/* SPDX-License-Identifier: MIT */
/* Runs probes and shows their hits as lines or objects, and counts as tables or metrics. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/probe/options.h"
#include "cmd/probe/show.h"
#include "out/color.h"
#include "out/textfile.h"
#include "probe/file.h"
#include "sys/confine.h"
#include "sys/event_loop.h"
#include "sys/pidfd.h"
#include "sys/priv.h"
#include "sys/stdout.h"
#include "sys/wait.h"

#define MS UINT64_C(1000000)

enum { FULL = 1 << 16, PACE_MS = 5, MAPS_MS = 200 };

/* Repeated work, each at its own interval. */
enum { TIMER_FILES, TIMER_MAPS, TIMER_TABLES, TIMERS };
struct timer {
	uint64_t interval, next; /* ns; interval 0: never */
};

/* Zeroed: closed. */
struct probing {
	const struct probe_request *r;
	struct probe probe;
	struct probe_show show;
	/* sink: JSON or Prometheus; NULL: text. screen: text tables during the run, if any. */
	struct sink *sink, *screen;
	struct textfile file;
	struct buf out;
	struct timer timers[TIMERS];
	enum file_change reported[PROBE_MAX];
	uint64_t shown, started;
	int pidfd, joined_fd; /* 0: none */
	bool never_blocks;    /* standard output */
};

static bool is_prom(const struct probing *p)
{
	return p->r->o.common.format == SINK_PROM;
}

static int flush_out(struct probing *p)
{
	return stdout_write(&p->out, p->never_blocks);
}

/* Searching the kernel's types takes time (megabytes), so it is only done to show values. */
static bool needs_types(const struct probe_request *r)
{
	bool needs = r->o.events;

	for (uint32_t i = 0; i < r->opts.n; i++)
		needs |= r->targets[i].returns;
	return needs;
}

static int open_probes(struct probing *p, struct probe_request *r)
{
	struct btf types = { 0 };
	int rc = 0;

	if (needs_types(r) && !btf_open_kernel(&types))
		r->opts.types = &types;
	for (uint32_t i = 0; i < r->opts.n && !rc; i++) {
		rc = target_find(&r->targets[i], r->opts.types);
		if (!rc)
			rc = target_set_texts(&r->targets[i], r->strings);
	}
	if (!rc)
		rc = probe_open(&p->probe, &r->opts);
	r->opts.types = NULL;
	btf_close(&types);
	return rc;
}

static int watch_process(struct probing *p)
{
	uint32_t pid = p->r->o.common.pid;
	int fd = pid ? cmd_open_process(pid) : 0;

	if (fd < 0)
		return fd;
	p->pidfd = fd;
	return 0;
}

static bool has_ended(const struct probing *p)
{
	return p->pidfd && pidfd_has_ended(p->pidfd);
}

/* Reports each file that changed under its probe, once. */
static void check_files(struct probing *p)
{
	static const char *const words[] = {
		[FILE_GONE] = "is gone: processes that run another file are not probed",
		[FILE_REPLACED] = "was replaced: processes that run the new file are not probed; "
				  "restart sonde",
		[FILE_CHANGED] =
			"was changed: the probe may be at a wrong place in it; restart sonde",
	};

	for (uint32_t i = 0; i < p->r->opts.n; i++) {
		const struct target *t = &p->r->targets[i];
		enum file_change change = t->kind->user ? file_changed(&t->file) : FILE_SAME;

		if (change != FILE_SAME && change != p->reported[i])
			note("%s: %s %s", t->text, t->file.path, words[change]);
		if (change != FILE_SAME)
			p->reported[i] = change;
	}
}

/* Reads the mappings of a process with stacks now: it may end before its stacks are shown. */
static int read_maps(const void *what, uint64_t n, void *arg)
{
	const struct probe_path *path = what;

	(void)n;
	if (path->user_stack >= 0)
		users_read_maps(arg, path->pid);
	return 0;
}

static double seconds_since(uint64_t start)
{
	return (double)(clock_mono() - start) / 1e9;
}

static bool is_enough(const struct probing *p)
{
	return p->r->o.count && p->shown == p->r->o.count;
}

static int on_hit(const struct probe_hit *hit, void *arg)
{
	struct probing *p = arg;
	int rc = 0;

	if (p->sink)
		rc = probe_show_row(&p->show, hit, p->sink);
	else
		probe_show_line(&p->show, hit, &p->out);
	p->shown++;
	if (rc)
		return fail_errno(rc, "standard output");
	if (p->out.len >= FULL)
		rc = flush_out(p);
	return rc || !is_enough(p) ? rc : LOOP_END;
}

static int read_hits(struct probing *p)
{
	int rc = probe_read(&p->probe, on_hit, p), written = flush_out(p);

	return written ? written : rc;
}

static int on_readable(void *arg)
{
	struct probing *p = arg;
	int rc = p->r->o.events ? read_hits(p) : 0;

	return !rc && has_ended(p) ? LOOP_END : rc;
}

static int write_metrics(struct probing *p)
{
	const char *file = p->r->o.common.textfile;
	int rc = probe_show_metrics(&p->show, p->sink);

	return rc ? fail_errno(rc, "%s", file ? file : "standard output") : flush_out(p);
}

static int show_counts(struct probing *p)
{
	int rc;

	if (is_prom(p))
		return write_metrics(p);
	rc = probe_show_counts(&p->show, seconds_since(p->started), p->screen ? p->screen : p->sink,
			       p->screen);
	return rc ? fail_errno(rc, "standard output") : flush_out(p);
}

static bool is_due(struct timer *t, uint64_t now)
{
	if (!t->interval || now < t->next)
		return false;
	t->next = now + t->interval;
	return true;
}

static uint64_t next_timer(void *arg)
{
	const struct probing *p = arg;
	uint64_t next = UINT64_MAX;

	for (int i = 0; i < TIMERS; i++)
		if (p->timers[i].interval && p->timers[i].next < next)
			next = p->timers[i].next;
	return next;
}

static int on_timer(void *arg, uint64_t now)
{
	struct probing *p = arg;
	int rc = 0;

	if (is_due(&p->timers[TIMER_FILES], now))
		check_files(p);
	if (is_due(&p->timers[TIMER_MAPS], now))
		rc = probe_walk_paths(&p->probe, read_maps, &p->show.users);
	if (rc)
		return fail_errno(rc, "stacks");
	return is_due(&p->timers[TIMER_TABLES], now) ? show_counts(p) : 0;
}

/* Standard output gets one Prometheus document, at the end. */
static bool has_interim_tables(const struct probing *p)
{
	const struct probe_cmd_opts *o = &p->r->o;

	return o->common.textfile || (!o->events && (p->screen || o->common.interval));
}

static void start_timers(struct probing *p)
{
	const struct probe_cmd_opts *o = &p->r->o;
	uint64_t interval = o->common.interval ? o->common.interval : NS_PER_S;

	p->timers[TIMER_FILES] = (struct timer){ NS_PER_S, p->started + NS_PER_S };
	if (o->stacks && !o->events)
		p->timers[TIMER_MAPS].interval = MAPS_MS * MS;
	if (has_interim_tables(p))
		p->timers[TIMER_TABLES] = (struct timer){ interval, p->started + interval };
}

/* Gets the descriptor to wait for: hits, the end of the process, or both joined. */
static int open_wait_fd(struct probing *p, int *fd)
{
	*fd = p->r->o.events ? p->probe.ring.fd : p->pidfd;
	if (!p->r->o.events || !p->pidfd)
		return 0;
	*fd = wait_join(p->probe.ring.fd, p->pidfd);
	if (*fd < 0)
		return fail_errno(*fd, "waiting for hits");
	p->joined_fd = *fd;
	return 0;
}

static int run_loop(struct probing *p, int fd)
{
	uint64_t duration = p->r->o.common.duration;
	const struct event_loop loop = {
		.fd = fd,
		.end = duration ? p->started + duration : UINT64_MAX,
		.pace = PACE_MS * MS,
		.on_readable = on_readable,
		.next_timer = next_timer,
		.on_timer = on_timer,
		.arg = p,
	};

	start_timers(p);
	return event_loop_run(&loop);
}

static int show_tables(struct probing *p)
{
	struct sink *sink = p->sink ? p->sink : sink_new(SINK_TEXT, STDOUT_FILENO, false);
	int rc = sink ? 0 : -ENOMEM;

	if (sink && !p->sink)
		sink_into(sink, &p->out);
	if (!rc)
		rc = probe_show_counts(&p->show, seconds_since(p->started), sink, !p->sink);
	if (!rc)
		rc = probe_show_times(&p->show, sink, !p->sink);
	if (!rc && p->r->o.values)
		rc = probe_show_values(&p->show, sink, !p->sink);
	if (!rc && p->r->o.stacks)
		rc = probe_show_paths(&p->show, sink, !p->sink);
	if (sink != p->sink)
		sink_free(sink);
	return rc ? fail_errno(rc, "tables") : flush_out(p);
}

/* Counts the calls whose entry and return were seen. */
static int count_timed(const struct probing *p, uint64_t *timed)
{
	struct probe_times t;
	int rc = 0;

	*timed = 0;
	for (uint32_t i = 0; i < p->r->opts.n && !rc; i++) {
		if (!p->r->targets[i].returns)
			continue;
		rc = probe_times(&p->probe, i, &t);
		for (int b = 0; b < PROBE_BUCKETS && !rc; b++)
			*timed += t.calls[b];
	}
	return rc;
}

static int note_lost(const struct probing *p)
{
	static const char *const missed[PROBE_MISSES] = {
		[PROBE_MISSED_HITS] =
			"hits were not counted, of too many processes: raise --processes",
		[PROBE_MISSED_PATHS] = "hits whose stack could not be counted (table full)",
		[PROBE_MISSED_VALUES] = "hits whose return value could not be counted (table full)",
		[PROBE_MISSED_STACKS] = "hits whose stack could not be stored (stack table full)",
		[PROBE_ENTRIES] = "calls were not timed: not returned, or too many at a time",
	};
	const struct probe_cmd_opts *o = &p->r->o;
	struct probe_lost lost;
	uint64_t timed = 0;
	int rc = probe_lost(&p->probe, &lost);

	if (!rc)
		rc = count_timed(p, &timed);
	if (rc)
		return fail_errno(rc, "counts");
	if (o->events && (!o->common.quiet || lost.events))
		fprintf(stderr, "%llu hits shown\n%llu hits lost\n", (unsigned long long)p->shown,
			(unsigned long long)lost.events);
	if (lost.skipped)
		note("%llu hits while a probe was already running on that CPU were not counted",
		     (unsigned long long)lost.skipped);
	lost.missed[PROBE_ENTRIES] -=
		timed < lost.missed[PROBE_ENTRIES] ? timed : lost.missed[PROBE_ENTRIES];
	for (int i = 0; i < PROBE_MISSES; i++)
		if (lost.missed[i])
			note("%llu %s", (unsigned long long)lost.missed[i], missed[i]);
	return 0;
}

static int finish_probing(struct probing *p)
{
	const struct probe_cmd_opts *o = &p->r->o;
	int rc = 0;

	probe_stop(&p->probe);
	if (o->events && !is_enough(p))
		rc = read_hits(p);
	if (rc < 0)
		return rc;
	rc = 0;
	if (is_prom(p))
		rc = write_metrics(p);
	else if (!o->events || !o->common.quiet)
		rc = show_tables(p);
	return rc ? rc : note_lost(p);
}

static int open_sinks(struct probing *p)
{
	const struct cmd_common *common = &p->r->o.common;
	bool screen = isatty(STDOUT_FILENO) && !p->r->o.events;

	p->never_blocks = fd_never_blocks(STDOUT_FILENO);
	if (common->format != SINK_TEXT) {
		p->sink = cmd_open_sink(common, false, &p->file);
		if (p->sink && !common->textfile)
			sink_into(p->sink, &p->out);
		if (common->textfile)
			wait_ignore_stdout();
		return p->sink ? 0 : -EIO;
	}
	if (!screen && !common->interval)
		return 0;
	p->screen = sink_new(SINK_TEXT, STDOUT_FILENO, screen);
	return p->screen ? 0 : fail_errno(-ENOMEM, "standard output");
}

static void note_start(const struct probing *p)
{
	const struct probe_request *r = p->r;

	if (r->o.common.quiet)
		return;
	for (uint32_t i = 0; i < r->opts.n; i++)
		if (r->targets[i].file.searched)
			note("%s: %s", r->targets[i].text, r->targets[i].file.path);
	note("%u probe%s attached", r->opts.n, r->opts.n == 1 ? "" : "s");
}

/* Keeps the capabilities for reading maps, symbols and programs, and for replacing a text file. */
static int drop_privileges(const struct probing *p)
{
	uint64_t caps = PRIV(CAP_BPF) | PRIV(CAP_PERFMON) | PRIV(CAP_SYSLOG) |
			PRIV(CAP_SYS_PTRACE) | PRIV(CAP_DAC_READ_SEARCH);

	if (p->r->o.common.textfile)
		caps |= PRIV(CAP_DAC_OVERRIDE);
	return confine_process(caps, true);
}

static int open_output(struct probing *p)
{
	int rc = probe_show_open(&p->show, &p->probe);

	if (rc)
		return fail_errno(rc, "names of functions");
	p->show.utc_offset = clock_utc_offset();
	p->show.no_time = p->r->o.common.no_time;
	p->show.colors = color_enabled(STDOUT_FILENO);
	return open_sinks(p);
}

static int run_probing(struct probing *p, struct probe_request *r)
{
	int fd = 0, rc = watch_process(p);

	if (!rc)
		rc = open_probes(p, r);
	if (!rc)
		rc = open_output(p);
	if (!rc)
		rc = open_wait_fd(p, &fd);
	if (rc)
		return rc;
	p->started = clock_mono();
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	note_start(p);
	rc = drop_privileges(p);
	if (!rc)
		rc = run_loop(p, fd);
	if (rc < 0)
		return rc;
	if (has_ended(p) && !r->o.common.quiet)
		note("process %u has ended", r->o.common.pid);
	return finish_probing(p);
}

static void close_probing(struct probing *p)
{
	probe_show_close(&p->show);
	probe_close(&p->probe);
	sink_free(p->sink);
	sink_free(p->screen);
	textfile_close(&p->file);
	buf_free(&p->out);
	if (p->pidfd)
		close(p->pidfd);
	if (p->joined_fd)
		close(p->joined_fd);
}

int probe_follow(struct probe_request *r)
{
	struct probing *p = calloc(1, sizeof(*p)); /* large */
	int rc;

	if (!p)
		return fail_errno(-ENOMEM, "probe");
	p->r = r;
	rc = run_probing(p, r);
	close_probing(p);
	free(p);
	return rc;
}
