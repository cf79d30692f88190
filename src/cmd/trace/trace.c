/* SPDX-License-Identifier: MIT */
/* sonde trace: connections, what fails and why, with the processes that they are for. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "cmd/common/expr.h"
#include "cmd/trace/show.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/stdout.h"
#include "sys/wait.h"
#include "trace/summary.h"

#define MS UINT64_C(1000000)

enum {
	PAUSE_MS = 5, /* records that come by the thousand are read so often */
	FULL = 1 << 16,
	KIBIBYTE = 1024,
};

enum { AS_TEXT, AS_JSON };
static const char *const formats[] = { "text", "json", NULL };

struct trace_cmd_opts {
	uint64_t duration;
	struct opt_list tls_files;
	uint32_t text, dns_port, count, verbose, kibibytes, socks;
	int format;
	bool quiet, stacks, no_time, only_new;
};

#define O struct trace_cmd_opts
static const struct opt rows[] = {
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "end after so many events"),
	OPT_TIME('d', "duration", "TIME", O, duration, "end after this time"),
	OPT_CHOICE('o', "output", "FORMAT", O, format, formats, "how to print"),
	OPT_SET(0, "json", O, format, AS_JSON, "short for -o json"),
	OPT_FLAG('t', "no-time", O, no_time, "leave out the time"),
	OPT_COUNT(
		'v', "verbose", O, verbose,
		"owners, cgroups, interfaces and namespaces; on failure the verifier's whole log"),
	OPT_FLAG('q', "quiet", O, quiet, "no summary, no notes: events and errors only"),
	OPT_FLAG(0, "stack", O, stacks, "of drops the kernel's stack, too"),
	OPT_FLAG(0, "only-new", O, only_new,
		 "do not look for the connections that there are, which are marked otherwise"),
	OPT_U32('s', "snaplen", "BYTES", O, text, 1, TRACE_TEXT *TRACE_PIECES,
		"of tls: so much of each read and write (default: 16384)"),
	OPT_LIST(0, "tls-file", "FILE", O, tls_files,
		 "of tls: a program or library with OpenSSL in it, besides those that are found"),
	OPT_U32(0, "dns-port", "PORT", O, dns_port, 1, 65535, "of dns: not port 53"),
	OPT_U32('B', "buffer-size", "KIB", O, kibibytes, 4, 1 << 20,
		"memory for events in the kernel, a power of two (default: 2048)"),
	OPT_U32(0, "sockets", "N", O, socks, 64, 1 << 24,
		"connections that are known at a time (default: 8192 and twice those there are)"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "trace",
	.usage = "[OPTIONS] [KIND...] [FILTER...]",
	.about =
		"connections, what fails and why, with the process of each\n"
		"KINDs of events: connect, accept, close, state, retransmit, reset, drop, listen "
		"(a full queue), bind, dns (questions and answers), tls (what OpenSSL hides on the "
		"wire), open (those that are there at the start), failures; default: connect "
		"accept close open. The filter is the rest of the line, in capture's language: "
		"host, net, port, pid, comm, cgroup, container, netns, iface, inbound, outbound.",
	.rows = rows,
	.examples = "  sonde trace\n"
		    "  sonde trace failures\n"
		    "  sonde trace connect close comm curl or dst port 443\n"
		    "  sonde trace retransmit reset drop\n"
		    "  sonde trace drop --stack port 53\n"
		    "  sonde trace dns tls comm curl\n"
		    "  sonde trace --json -d 10s container 3f4e9a8b7c6d\n",
};

struct tracing {
	struct trace_cmd_opts o;
	struct trace_opts opts;
	struct filter filter;
	char *filter_text;
	struct trace trace;
	struct trace_fmt say;
	struct trace_show_opts show;
	struct trace_sum sum;
	struct sink *sink;
	struct buf out;
	uint64_t shown;
	struct trace_dns_open dns;
	bool patient;
};

static uint32_t kind_of(const char *word, size_t len)
{
	for (uint32_t i = 0; i < TRACE_KINDS; i++)
		if (trace_kind_names[i] && strlen(trace_kind_names[i]) == len &&
		    !strncmp(trace_kind_names[i], word, len))
			return TRACE_BIT(i);
	return 0;
}

enum {
	USUAL = TRACE_BIT(TRACE_CONNECT) | TRACE_BIT(TRACE_ACCEPT) | TRACE_BIT(TRACE_CLOSE),
	FAILURES = USUAL | TRACE_BIT(TRACE_BIND),
};

/* One operand: kinds with commas between them. False: it is none, and the filter begins. */
static bool take_kinds(struct trace_opts *opts, const char *word)
{
	struct trace_opts got = *opts;

	for (;;) {
		size_t len = strcspn(word, ",");
		uint32_t kind = kind_of(word, len);

		if (len == strlen("failures") && !strncmp(word, "failures", len))
			got.failures |= FAILURES;
		else if (!kind)
			return false;
		got.kinds |= kind;
		if (!word[len])
			break;
		word += len + 1;
	}
	*opts = got;
	return true;
}

static int parse_filter(struct tracing *t, char **words, int n)
{
	const char *kinds[TRACE_KINDS + 2] = { "failures" };
	const struct cmd_expr_opts opts = { .fits = trace_filter_fits,
					    .before = kinds,
					    .are = "kind of event" };
	size_t nkinds = 1;

	if (!n)
		return 0;
	for (int i = 0; i < TRACE_KINDS; i++)
		if (trace_kind_names[i])
			kinds[nkinds++] = trace_kind_names[i];
	t->filter_text = cmd_join(words, n);
	t->opts.filter = &t->filter;
	return cmd_expr_parse(&t->filter, t->filter_text, &opts);
}

static int parse(struct tracing *t, int argc, char **argv)
{
	char **rest;
	int n, rc = opt_parse(&spec, &t->o, argc, argv, &rest, &n);

	if (rc)
		return rc;
	for (; n && take_kinds(&t->opts, *rest); n--)
		rest++;
	if (!t->opts.kinds && !t->opts.failures)
		t->opts.kinds = USUAL | TRACE_BIT(TRACE_OPEN);
	if ((t->o.text || t->o.tls_files.n) && !(t->opts.kinds & TRACE_BIT(TRACE_TLS)))
		return fail_usage("-s and --tls-file are about tls: name that kind");
	if (t->o.dns_port && !(t->opts.kinds & TRACE_BIT(TRACE_DNS)))
		return fail_usage("--dns-port is about dns: name that kind");
	if (t->o.stacks && !(t->opts.kinds & TRACE_BIT(TRACE_DROP)))
		return fail_usage("--stack is about drop: name that kind");
	if (t->o.kibibytes & (t->o.kibibytes - 1))
		return fail_usage("-B %u is no power of two", t->o.kibibytes);
	t->opts.bytes = t->o.kibibytes * KIBIBYTE;
	t->opts.socks = t->o.socks;
	t->opts.text = t->o.text;
	t->opts.dns_port = (uint16_t)t->o.dns_port;
	t->opts.libs = &t->o.tls_files;
	t->opts.stacks = t->o.stacks;
	t->opts.verbose = t->o.verbose;
	t->opts.there = !t->o.only_new;
	return parse_filter(t, rest, n);
}

static int flush(struct tracing *t)
{
	return stdout_write(&t->out, t->patient);
}

/* After each event that was shown: 1: it is enough. */
static int shown(struct tracing *t, int rc)
{
	t->shown++;
	if (!rc && t->out.len >= FULL)
		rc = flush(t);
	return rc ? rc : t->o.count && t->shown == t->o.count;
}

static int show_dns(struct tracing *t, const struct trace_dns *dns)
{
	int rc = 0;

	if (t->sink)
		rc = trace_show_dns_row(&t->say, dns, t->sink);
	else
		trace_show_dns_line(&t->say, &t->show, dns, &t->out);
	return shown(t, rc);
}

/* Questions that nobody has answered for too long. */
static int show_late(struct tracing *t, uint64_t now)
{
	struct trace_dns dns;
	int rc = 0;

	while (!rc && t->dns.at && trace_dns_late(&t->dns, now, &dns))
		rc = show_dns(t, &dns);
	return rc;
}

static int on_record(const struct trace_head *rec, size_t len, void *arg)
{
	struct tracing *t = arg;
	int rc = 0;

	(void)len;
	if (rec->kind == TRACE_CGROUP) {
		trace_fmt_learn(&t->say, (const struct trace_cgroup *)(const void *)rec);
		return 0;
	}
	if (rec->kind == TRACE_DNS) {
		struct trace_dns dns;

		return trace_dns_add(&t->dns, (const struct trace_message *)(const void *)rec, &dns)
			       ? show_dns(t, &dns)
			       : 0;
	}
	trace_sum_add(&t->sum, rec);
	if (t->sink)
		rc = trace_show_row(&t->say, rec, t->sink);
	else
		trace_show_line(&t->say, &t->show, rec, &t->out);
	return shown(t, rc);
}

/* All that has come, written. 1: it is enough. */
static int read_all(struct tracing *t)
{
	int rc, out;

	trace_fmt_clock(&t->say);
	rc = trace_read(&t->trace, on_record, t);
	if (!rc)
		rc = show_late(t, clock_mono());
	out = flush(t);
	return out ? out : rc;
}

static int follow(struct tracing *t)
{
	uint64_t end = t->o.duration ? clock_mono() + t->o.duration : UINT64_MAX, last = 0;
	int rc = 0;

	while (!rc) {
		uint64_t late = trace_dns_next(&t->dns);
		enum wait_event what = wait_for(t->trace.ring.fd, late < end ? late : end);

		if (what == WAIT_STDOUT_CLOSED)
			return fail(-EPIPE, "standard output: the reader is gone");
		if (what == WAIT_STOP || clock_mono() >= end)
			return 0;
		rc = read_all(t);
		if (!rc && wait_interval(&last, PAUSE_MS * MS) == WAIT_STOP)
			return 0;
	}
	return rc;
}

static int summarize(struct tracing *t)
{
	struct sink *sink = t->sink ? t->sink : sink_new(SINK_TEXT, STDERR_FILENO, false);
	int rc;

	if (!sink)
		return -ENOMEM;
	rc = trace_show_summary(&t->sum, sink);
	if (!rc)
		rc = trace_show_drops(&t->say, sink);
	if (sink != t->sink)
		sink_free(sink);
	if (!rc)
		rc = flush(t);
	return rc;
}

static int finish(struct tracing *t)
{
	struct trace_counts counts = { 0 };
	int rc;

	trace_stop(&t->trace);
	rc = t->o.count && t->shown == t->o.count ? 0 : read_all(t);
	if (rc < 0)
		return rc;
	if (!t->o.quiet) {
		rc = summarize(t);
		if (rc)
			return fail_errno(rc, "summary");
	}
	rc = trace_counts(&t->trace, &counts);
	if (rc)
		return fail_errno(rc, "counts");
	if (!t->o.quiet || counts.lost || counts.untracked)
		fprintf(stderr, "%llu events traced\n%llu events lost\n",
			(unsigned long long)t->shown, (unsigned long long)counts.lost);
	if (t->dns.given_up)
		note("%llu questions of DNS were given up, for want of room",
		     (unsigned long long)t->dns.given_up);
	if (counts.untracked)
		note("%llu connections were not known, for want of room: --sockets",
		     (unsigned long long)counts.untracked);
	return 0;
}

static void note_start(const struct tracing *t)
{
	const struct trace *tr = &t->trace;

	if (t->o.quiet)
		return;
	if (tr->libs)
		note("TLS is watched in %u file%s", tr->libs, tr->libs == 1 ? "" : "s");
	if (tr->returns)
		note("tracing, system calls by %s%s", tr->returns,
		     strcmp(tr->returns, "sys_exit")
			     ? ""
			     : ", which costs each of them a little: no kprobes here");
	else if ((t->opts.kinds | t->opts.failures) & FAILURES)
		note("tracing; what connect(2), accept(2) and bind(2) return is not heard of here: "
		     "failures before a SYN are not seen, and who accepts is taken to be who "
		     "listens");
	else
		note("tracing");
}

static int look_there(struct tracing *t)
{
	int rc;

	if (t->o.only_new)
		return 0;
	rc = trace_list_existing(&t->trace, on_record, t);
	if (rc < 0 && !t->o.quiet)
		note("connections that there are: %s", err_message(rc));
	return flush(t) ? -EIO : rc > 0;
}

/* What records go through on their way to standard output. */
static int open_show(struct tracing *t)
{
	int rc;

	t->show = (struct trace_show_opts){ .verbose = t->o.verbose,
					    .utc_offset = clock_utc_offset(),
					    .no_time = t->o.no_time };
	t->patient = fd_never_blocks(STDOUT_FILENO);
	rc = trace_fmt_open(&t->say, &t->trace);
	if (!rc)
		rc = trace_sum_open(&t->sum);
	if (!rc && t->opts.kinds & TRACE_BIT(TRACE_DNS))
		rc = trace_dns_begin(&t->dns);
	if (rc || t->o.format != AS_JSON)
		return rc;
	t->sink = sink_new(SINK_JSON, STDOUT_FILENO, false);
	if (t->sink)
		sink_into(t->sink, &t->out);
	return t->sink ? 0 : fail_errno(-ENOMEM, "standard output");
}

static int trace(struct tracing *t)
{
	int rc = trace_open(&t->trace, &t->opts);

	if (!rc)
		rc = open_show(t);
	if (rc)
		return rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	rc = look_there(t);
	if (!rc) {
		/* Not before: who waits for these words counts on whole events, and who listens
		 * is known only now. */
		note_start(t);
		rc = confine_process(PRIV(CAP_BPF) | PRIV(CAP_PERFMON) | PRIV(CAP_SYSLOG), true);
	}
	if (!rc)
		rc = follow(t);
	return rc < 0 ? rc : finish(t);
}

static int run(int argc, char **argv)
{
	struct tracing t = { 0 };
	int rc = parse(&t, argc, argv);

	if (!rc)
		rc = trace(&t);
	trace_dns_end(&t.dns);
	trace_sum_close(&t.sum);
	trace_fmt_close(&t.say);
	trace_close(&t.trace);
	sink_free(t.sink);
	buf_free(&t.out);
	filter_close(&t.filter);
	free(t.filter_text);
	return rc > 0 ? 0 : rc;
}

const struct command cmd_trace = { .opt = &spec, .run = run };
