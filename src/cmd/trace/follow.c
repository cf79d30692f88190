/* SPDX-License-Identifier: MIT */
/* Runs a trace: shows its records as lines, objects or counts. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/trace/options.h"
#include "cmd/trace/show.h"
#include "out/color.h"
#include "out/textfile.h"
#include "sys/confine.h"
#include "sys/event_loop.h"
#include "sys/priv.h"
#include "sys/stdout.h"
#include "sys/wait.h"
#include "trace/summary.h"

#define MS UINT64_C(1000000)

enum {
	PACE_MS = 5, /* records arrive by the thousand and are read in batches */
	FULL = 1 << 16,
	DESTS_SHOWN = 20,
};

/* Zeroed: closed. */
struct tracing {
	const struct trace_cmd_opts *o;
	struct trace trace;
	struct trace_fmt fmt;
	struct trace_show_opts show;
	struct trace_sum sum;
	struct trace_dns_table dns;
	struct sink *sink; /* JSON or Prometheus; NULL: text */
	struct textfile file;
	struct buf out;
	uint64_t events[TRACE_KINDS]; /* number of shown events by kind */
	uint64_t shown, next_file;
	bool never_blocks; /* standard output */
};

static bool is_prom(const struct tracing *t)
{
	return t->o->common.format == SINK_PROM;
}

static uint32_t wanted_kinds(const struct tracing *t)
{
	return t->trace.opts.kinds | t->trace.opts.failures;
}

static int flush_out(struct tracing *t)
{
	return stdout_write(&t->out, t->never_blocks);
}

static bool is_enough(const struct tracing *t)
{
	return t->o->count && t->shown == t->o->count;
}

/* Runs after each event. rc: the result of showing it. */
static int after_event(struct tracing *t, uint8_t kind, int rc)
{
	t->events[kind]++;
	t->shown++;
	if (rc)
		return fail_errno(rc, "standard output");
	if (t->out.len >= FULL)
		rc = flush_out(t);
	return rc || !is_enough(t) ? rc : LOOP_END;
}

static int show_dns(struct tracing *t, const struct trace_dns *dns)
{
	int rc = 0;

	if (!t->sink)
		trace_show_dns_line(&t->fmt, &t->show, dns, &t->out);
	else if (!is_prom(t))
		rc = trace_show_dns_row(&t->fmt, dns, t->sink);
	return after_event(t, TRACE_DNS, rc);
}

/* Shows DNS queries whose answer did not arrive in time. */
static int show_expired(struct tracing *t, uint64_t now)
{
	struct trace_dns dns;
	int rc = 0;

	while (!rc && t->dns.slots && trace_dns_expire(&t->dns, now, &dns))
		rc = show_dns(t, &dns);
	return rc;
}

static int on_record(const struct trace_head *rec, size_t len, void *arg)
{
	struct tracing *t = arg;
	struct trace_dns dns;
	int rc = 0;

	(void)len;
	if (rec->kind == TRACE_CGROUP) {
		trace_fmt_learn(&t->fmt, (const struct trace_cgroup *)(const void *)rec);
		return 0;
	}
	if (rec->kind == TRACE_DNS) {
		if (!trace_dns_add(&t->dns, (const struct trace_message *)(const void *)rec, &dns))
			return 0;
		return show_dns(t, &dns);
	}
	trace_sum_add(&t->sum, rec);
	if (!t->sink)
		trace_show_line(&t->fmt, &t->show, rec, &t->out);
	else if (!is_prom(t))
		rc = trace_show_row(&t->fmt, rec, t->sink);
	return after_event(t, rec->kind, rc);
}

/* Shows all events that have arrived. */
static int read_events(void *arg)
{
	struct tracing *t = arg;
	int rc, written;

	trace_fmt_clock(&t->fmt);
	rc = trace_read(&t->trace, on_record, t);
	if (!rc)
		rc = show_expired(t, clock_mono());
	written = flush_out(t);
	return written ? written : rc;
}

static int write_metrics(struct tracing *t)
{
	struct trace_metrics m = { .trace = &t->trace, .sum = &t->sum, .events = t->events };
	struct trace_counts counts = { 0 };
	int rc = trace_counts(&t->trace, &counts);

	if (rc)
		return fail_errno(rc, "counts");
	m.lost = counts.lost;
	rc = trace_show_metrics(&m, t->sink);
	if (rc)
		return fail_errno(rc, "%s",
				  t->o->common.textfile ? t->o->common.textfile
							: "standard output");
	return flush_out(t);
}

static uint64_t next_timer(void *arg)
{
	const struct tracing *t = arg;
	uint64_t query = trace_dns_deadline(&t->dns);

	return t->next_file < query ? t->next_file : query;
}

static int on_timer(void *arg, uint64_t now)
{
	struct tracing *t = arg;
	uint64_t interval = t->o->common.interval;
	int rc = show_expired(t, now), written = flush_out(t);

	if (!rc && now >= t->next_file) {
		t->next_file += ((now - t->next_file) / interval + 1) * interval;
		rc = write_metrics(t);
	}
	return written ? written : rc;
}

static int run_loop(struct tracing *t)
{
	uint64_t now = clock_mono(), duration = t->o->common.duration;
	const struct event_loop loop = {
		.fd = t->trace.ring.fd,
		.end = duration ? now + duration : UINT64_MAX,
		.pace = PACE_MS * MS,
		.on_readable = read_events,
		.next_timer = next_timer,
		.on_timer = on_timer,
		.arg = t,
	};

	t->next_file = t->o->common.textfile ? now + t->o->common.interval : UINT64_MAX;
	return event_loop_run(&loop);
}

/* With text output, the summary goes to standard error, so that standard output has only events. */
static int show_summary(struct tracing *t)
{
	struct sink *sink = t->sink ? t->sink : sink_new(SINK_TEXT, STDERR_FILENO, false);
	int rc;

	if (!sink)
		return fail_errno(-ENOMEM, "summary");
	rc = trace_show_summary(&t->sum, t->sink ? TRACE_SUM_DESTS : DESTS_SHOWN, sink);
	if (!rc)
		rc = trace_show_drops(&t->fmt, sink);
	if (sink != t->sink)
		sink_free(sink);
	return rc ? fail_errno(rc, "summary") : flush_out(t);
}

static int note_counts(const struct tracing *t)
{
	struct trace_counts counts = { 0 };
	int rc = trace_counts(&t->trace, &counts);

	if (rc)
		return fail_errno(rc, "counts");
	if (!t->o->common.quiet || counts.lost || counts.untracked)
		fprintf(stderr, "%llu events traced\n%llu events lost\n",
			(unsigned long long)t->shown, (unsigned long long)counts.lost);
	if (t->dns.evicted)
		note("%llu DNS queries could not be paired with answers: table full",
		     (unsigned long long)t->dns.evicted);
	if (counts.untracked)
		note("%llu connections could not be tracked: raise --sockets",
		     (unsigned long long)counts.untracked);
	return 0;
}

static int finish_trace(struct tracing *t)
{
	int rc;

	trace_stop(&t->trace);
	rc = is_enough(t) ? 0 : read_events(t);
	if (rc >= 0 && is_prom(t))
		rc = write_metrics(t);
	else if (rc >= 0 && !t->o->common.quiet)
		rc = show_summary(t);
	return rc < 0 ? rc : note_counts(t);
}

static void note_start(const struct tracing *t)
{
	enum {
		CALL_RESULTS = TRACE_BIT(TRACE_CONNECT) | TRACE_BIT(TRACE_ACCEPT) |
			       TRACE_BIT(TRACE_CLOSE) | TRACE_BIT(TRACE_BIND),
	};
	const struct trace *tr = &t->trace;

	if (t->o->common.quiet)
		return;
	if (tr->ntls_files)
		note("watching TLS in %u file%s", tr->ntls_files, tr->ntls_files == 1 ? "" : "s");
	if (tr->call_method)
		note("tracing; results of system calls by %s%s", tr->call_method,
		     strcmp(tr->call_method, "sys_exit")
			     ? ""
			     : ", which slows every system call slightly (this kernel has no "
			       "kprobes)");
	else if (wanted_kinds(t) & CALL_RESULTS)
		note("tracing; results of connect(2), accept(2) and bind(2) are unavailable: "
		     "failures before a SYN are not seen, and accepted connections are attributed "
		     "to the listener");
	else
		note("tracing");
}

static int list_existing(struct tracing *t)
{
	const uint32_t others = TRACE_BIT(TRACE_DNS) | TRACE_BIT(TRACE_TLS);
	int rc, written;

	if (t->o->only_new || !(wanted_kinds(t) & ~others))
		return 0;
	rc = trace_list_existing(&t->trace, on_record, t);
	if (rc < 0 && !t->o->common.quiet)
		note("existing connections are not listed: %s", err_message(rc));
	written = flush_out(t);
	return written ? written : rc > 0 ? LOOP_END : 0;
}

/* Opens what formats and writes records, to standard output or the file. */
static int open_output(struct tracing *t)
{
	const struct cmd_common *common = &t->o->common;
	int rc;

	t->show = (struct trace_show_opts){ .verbose = common->verbose,
					    .utc_offset = clock_utc_offset(),
					    .no_time = common->no_time };
	t->never_blocks = fd_never_blocks(STDOUT_FILENO);
	rc = trace_fmt_open(&t->fmt, &t->trace);
	t->fmt.colors = color_enabled(STDOUT_FILENO);
	if (!rc)
		rc = trace_sum_open(&t->sum, is_prom(t) ? TRACE_SUM_BY_PORT : TRACE_SUM_BY_ADDRESS);
	if (!rc && t->trace.opts.kinds & TRACE_BIT(TRACE_DNS))
		rc = trace_dns_open(&t->dns);
	if (rc || common->format == SINK_TEXT)
		return rc;
	t->sink = cmd_open_sink(common, false, &t->file);
	if (!t->sink)
		return -EIO;
	if (common->textfile)
		wait_ignore_stdout();
	else
		sink_into(t->sink, &t->out);
	return 0;
}

/* Keeps the capabilities for reading maps, stacks and names, and for replacing a text file. */
static int drop_privileges(const struct tracing *t)
{
	uint64_t caps = PRIV(CAP_BPF) | PRIV(CAP_PERFMON) | PRIV(CAP_SYSLOG);

	if (t->o->common.textfile)
		caps |= PRIV(CAP_DAC_OVERRIDE);
	return confine_process(caps, true);
}

static int trace_events(struct tracing *t, const struct trace_opts *opts)
{
	int rc = trace_open(&t->trace, opts);

	if (!rc)
		rc = open_output(t);
	if (rc)
		return rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	rc = list_existing(t);
	if (!rc) {
		/* Not before: a reader of the note may rely on it for complete events and known
		 * listeners. */
		note_start(t);
		rc = drop_privileges(t);
	}
	if (!rc)
		rc = run_loop(t);
	return rc < 0 ? rc : finish_trace(t);
}

int trace_follow(const struct trace_cmd_opts *o, const struct trace_opts *opts)
{
	struct tracing t = { .o = o };
	int rc = trace_events(&t, opts);

	trace_dns_close(&t.dns);
	trace_sum_close(&t.sum);
	trace_fmt_close(&t.fmt);
	trace_close(&t.trace);
	sink_free(t.sink);
	textfile_close(&t.file);
	buf_free(&t.out);
	return rc;
}
