/* SPDX-License-Identifier: MIT */
/* sonde probe: any function or tracepoint, who comes to it, with what, how long it takes. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/cmd.h"
#include "cmd/common/expr.h"
#include "cmd/probe/list.h"
#include "cmd/probe/show.h"
#include "probe/file.h"
#include "sys/confine.h"
#include "sys/priv.h"
#include "sys/stdout.h"
#include "sys/wait.h"
#include "trace/trace.h"

#define MS UINT64_C(1000000)

enum { AS_TEXT, AS_JSON, FULL = 1 << 16, PAUSE_MS = 5, LEARN_MS = 200 };
static const char *const formats[] = { "text", "json", NULL };

struct probe_cmd_opts {
	uint64_t duration, interval;
	struct opt_list texts;
	uint32_t count, pid, kibibytes, processes;
	int format;
	bool events, stacks, values, quiet, no_time, verbose;
};

#define O struct probe_cmd_opts
static const struct opt rows[] = {
	OPT_FLAG('e', "events", O, events,
		 "each hit as it comes, with its arguments and what is returned"),
	OPT_FLAG('k', "stack", O, stacks, "where from: stacks of the kernel and of the program"),
	OPT_FLAG('r', "returned", O, values, "what is returned, and how often"),
	OPT_U32('p', "pid", "PID", O, pid, 1, UINT32_MAX,
		"of this process only; ends when that one does"),
	OPT_LIST('s', "string", "N", O, texts,
		 "argument N is a string (1: the first), where nobody else says"),
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "with -e: end after so many hits"),
	OPT_TIME('d', "duration", "TIME", O, duration, "end after this time"),
	OPT_TIME('I', "interval", "TIME", O, interval,
		 "time between two tables (default: 1s on a terminal, else one at the end)"),
	OPT_CHOICE('o', "output", "FORMAT", O, format, formats, "how to print"),
	OPT_SET(0, "json", O, format, AS_JSON, "short for -o json"),
	OPT_FLAG('t', "no-time", O, no_time, "with -e: leave out the time"),
	OPT_FLAG('q', "quiet", O, quiet, "with -e: no tables at the end; no notes"),
	OPT_U32(0, "processes", "N", O, processes, 16, 1 << 20,
		"processes that are told apart (default: 2048, fewer where there are many CPUs)"),
	OPT_U32('B', "buffer-size", "KIB", O, kibibytes, 64, 1 << 20,
		"with -e: memory for hits in the kernel, a power of two (default: 2048)"),
	OPT_FLAG('v', "verbose", O, verbose, "the verifier's whole log, should it refuse"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "probe",
	.usage = "[OPTIONS] PROBE... [FILTER...] | list PATTERN",
	.about =
		"who comes to a function or tracepoint, how often, with what, how long it takes\n"
		"PROBEs: kprobe:FUNC and kretprobe:FUNC of the kernel, uprobe:PATH:SYMBOL[+OFFSET] "
		"and uretprobe:PATH:SYMBOL of programs and libraries (SYMBOL may be an address, "
		"0x...; it and OFFSET have to be where an instruction begins, or the program "
		"breaks; a PATH without a slash is looked for), tracepoint:CATEGORY:NAME "
		"(syscalls:sys_enter_NAME and sys_exit_NAME, too), raw:NAME. What returns "
		"(kretprobe, uretprobe, sys_exit) is timed. The filter is about processes: pid, "
		"comm, cgroup, container.",
	.rows = rows,
	.examples = "  sonde probe list 'tcp_*'\n"
		    "  sonde probe kretprobe:tcp_sendmsg\n"
		    "  sonde probe -e kprobe:tcp_retransmit_skb comm nginx\n"
		    "  sonde probe -e -s 1 uprobe:libc.so.6:getaddrinfo\n"
		    "  sonde probe -k -d 5s tracepoint:skb:kfree_skb\n"
		    "  sonde probe -e tracepoint:syscalls:sys_exit_connect pid 812\n",
};

struct probing {
	struct probe_cmd_opts o;
	struct target *targets;
	struct probe_opts opts;
	struct filter filter;
	char *filter_text;
	struct probe probe;
	struct probe_show show;
	struct sink *sink, *screen;
	struct buf out;
	enum file_change said[PROBE_MAX];
	uint64_t shown, started;
	uint8_t strings[PROBE_TEXTS]; /* arguments, as wished for */
	int pidfd;                    /* 0: no process is waited for */
	bool patient;
};

static int parse_texts(struct probing *p)
{
	uint32_t n;

	if (p->o.texts.n > PROBE_TEXTS)
		return fail_usage("-s: %d strings at most", PROBE_TEXTS);
	for (uint32_t i = 0; i < p->o.texts.n; i++) {
		if (parse_u32(p->o.texts.at[i], 1, PROBE_ARGS, &n))
			return fail_usage("-s %s: it is the number of an argument, 1 to %d",
					  p->o.texts.at[i], PROBE_ARGS);
		p->strings[i] = (uint8_t)n;
	}
	return 0;
}

/* What a word is that is neither a probe nor, in front of all others, a filter. */
static int no_probe(const char *word)
{
	char kind[TARGET_NAME];
	const char *near;

	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(word, ":"), word);
	near = strchr(word, ':') ? opt_nearest(kind, target_kinds) : NULL;
	if (near)
		return fail_usage("%s is no kind of probe; did you mean %s?", kind, near);
	return fail_usage("%s is no probe: it is KIND:NAME, such as kprobe:tcp_connect", word);
}

static int parse_filter(struct probing *p, char **words, int n)
{
	const struct cmd_expr_opts opts = { .fits = trace_filter_owners };
	char *rest = n ? cmd_join(words, n) : NULL;
	struct buf text = { 0 };

	if (!n && !p->o.pid)
		return 0;
	if (p->o.pid)
		buf_printf(&text, "pid %u%s", p->o.pid, n ? " and (" : "");
	buf_str(&text, rest ? rest : "");
	buf_str(&text, p->o.pid && n ? ")" : "");
	buf_char(&text, '\0');
	text.nomem |= n && !rest;
	free(rest);
	if (text.nomem)
		buf_free(&text);
	p->filter_text = text.data;
	p->opts.filter = &p->filter;
	return cmd_expr_parse(&p->filter, p->filter_text, &opts);
}

static int parse_targets(struct probing *p, char ***rest, int *n)
{
	int rc = 0;

	p->targets = calloc(PROBE_MAX, sizeof(*p->targets));
	if (!p->targets)
		return fail_errno(-ENOMEM, "probes");
	p->opts.targets = p->targets;
	for (; *n && target_kind_of(**rest) >= 0 && !rc; ++*rest, --*n) {
		if (p->opts.n == PROBE_MAX)
			return fail_usage("%d probes at most", PROBE_MAX);
		rc = target_parse(&p->targets[p->opts.n++], **rest);
	}
	if (!rc && !p->opts.n)
		rc = *n ? no_probe(**rest) : fail_usage("a probe is missing");
	/* A probe that is mistyped is no filter. */
	if (!rc && *n && strchr(**rest, ':') && opt_nearest(**rest, target_kinds))
		rc = no_probe(**rest);
	return rc;
}

static int parse(struct probing *p, char **rest, int n)
{
	int rc = parse_targets(p, &rest, &n);

	if (rc)
		return rc;
	if (!p->o.events && (p->o.count || p->o.no_time || p->o.texts.n || p->o.kibibytes))
		return fail_usage("-c, -t, -s and -B are about hits one by one: -e");
	if (p->o.events && p->o.interval)
		return fail_usage("-I is about tables: not with -e");
	if (p->o.kibibytes & (p->o.kibibytes - 1))
		return fail_usage("-B %u is no power of two", p->o.kibibytes);
	p->opts.events = p->o.events;
	p->opts.stacks = p->o.stacks;
	p->opts.values = p->o.values;
	p->opts.verbose = p->o.verbose;
	p->opts.bytes = p->o.kibibytes * 1024;
	p->opts.processes = p->o.processes;
	rc = parse_texts(p);
	return rc ? rc : parse_filter(p, rest, n);
}

/* The kernel's types are megabytes to be looked through: only for what shows values. */
static bool wants_types(const struct probing *p)
{
	bool wants = p->o.events;

	for (uint32_t i = 0; i < p->opts.n; i++)
		wants |= p->targets[i].returns;
	return wants;
}

static int open_probes(struct probing *p)
{
	struct btf types = { 0 };
	int rc = 0;

	if (wants_types(p) && !btf_open_kernel(&types))
		p->opts.types = &types;
	for (uint32_t i = 0; i < p->opts.n && !rc; i++) {
		rc = target_find(&p->targets[i], p->opts.types);
		if (!rc)
			rc = target_texts(&p->targets[i], p->strings);
	}
	if (!rc)
		rc = probe_open(&p->probe, &p->opts);
	p->opts.types = NULL;
	btf_close(&types);
	return rc;
}

/* pidfd_open(2); where it is not there nobody tells of the end. */
static int watch_process(struct probing *p)
{
#ifdef SYS_pidfd_open
	int fd = p->o.pid ? (int)syscall(SYS_pidfd_open, p->o.pid, 0) : 0;

	if (fd < 0 && errno == ESRCH)
		return fail(-ESRCH, "there is no process %u", p->o.pid);
	if (fd < 0 && (errno == EINVAL || errno == ENOENT))
		return fail(-EINVAL, "%u is a thread, not a process", p->o.pid);
	p->pidfd = fd > 0 ? fd : 0;
#endif
	return 0;
}

static bool has_ended(const struct probing *p)
{
	struct pollfd fd = { .fd = p->pidfd, .events = POLLIN };

	return p->pidfd && poll(&fd, 1, 0) > 0;
}

/* Files may be replaced under a probe: who starts from then on is not seen. Once each. */
static void look_at_files(struct probing *p)
{
	static const char *const words[] = {
		[FILE_GONE] = "is gone: who starts it from another file is not seen",
		[FILE_REPLACED] = "was replaced: who starts the new one is not seen, begin again",
		[FILE_CHANGED] = "was changed: what is at this place in it may be something else",
	};

	for (uint32_t i = 0; i < p->opts.n; i++) {
		enum file_change change = file_changed(&p->targets[i]);

		if (change != FILE_SAME && change != p->said[i])
			note("%s: %s %s", p->targets[i].text, p->targets[i].path, words[change]);
		if (change != FILE_SAME)
			p->said[i] = change;
	}
}

/* Processes that have stacks may end before these are shown. */
static int learn(const void *what, uint64_t n, void *arg)
{
	const struct probe_path *path = what;

	(void)n;
	if (path->user >= 0)
		users_learn(arg, path->pid);
	return 0;
}

static double seconds_since(uint64_t start)
{
	return (double)(clock_mono() - start) / 1e9;
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
	if (!rc && p->out.len >= FULL)
		rc = stdout_write(&p->out, p->patient);
	return rc ? rc : p->o.count && p->shown == p->o.count;
}

static int read_hits(struct probing *p)
{
	int rc = probe_read(&p->probe, on_hit, p), out = stdout_write(&p->out, p->patient);

	return out ? out : rc;
}

static int show_counts(struct probing *p)
{
	int rc = probe_show_counts(&p->show, seconds_since(p->started),
				   p->screen ? p->screen : p->sink, p->screen);
	return rc ? fail_errno(rc, "standard output") : stdout_write(&p->out, p->patient);
}

/* What is done again and again, each in its own time. */
struct chore {
	uint64_t every, next;
};

static bool is_due(struct chore *c, uint64_t now)
{
	if (!c->every || now < c->next)
		return false;
	c->next = now + c->every;
	return true;
}

static uint64_t first_of(const struct chore *chores, size_t n, uint64_t end)
{
	for (size_t i = 0; i < n; i++)
		if (chores[i].every && chores[i].next < end)
			end = chores[i].next;
	return end;
}

enum { FILES, NAMES, TABLES, CHORES };

static int do_chores(struct probing *p, struct chore chores[CHORES], uint64_t now)
{
	int rc = 0;

	if (is_due(&chores[FILES], now))
		look_at_files(p);
	if (is_due(&chores[NAMES], now))
		rc = probe_paths(&p->probe, learn, &p->show.users);
	if (rc)
		return fail_errno(rc, "stacks");
	return is_due(&chores[TABLES], now) ? show_counts(p) : 0;
}

static int follow(struct probing *p)
{
	uint64_t end = p->o.duration ? p->started + p->o.duration : UINT64_MAX, now, last = 0;
	uint64_t table = p->o.interval ? p->o.interval : NS_PER_S;
	struct chore chores[CHORES] = {
		[FILES] = { NS_PER_S, p->started + NS_PER_S },
		[NAMES] = { p->o.stacks && !p->o.events ? LEARN_MS * MS : 0, 0 },
		[TABLES] = { !p->o.events && (p->screen || p->o.interval) ? table : 0,
			     p->started + table },
	};
	int fd = p->o.events ? p->probe.ring.fd : p->pidfd, rc = 0;

	while (!rc) {
		enum wait_event what = wait_for(fd, first_of(chores, CHORES, end));

		if (what == WAIT_STDOUT_CLOSED)
			return fail(-EPIPE, "standard output: the reader is gone");
		now = clock_mono();
		if (what == WAIT_STOP || now >= end || has_ended(p))
			return 0;
		if (what == WAIT_READABLE) {
			rc = read_hits(p);
			if (!rc && wait_interval(&last, PAUSE_MS * MS) == WAIT_STOP)
				return 0;
		}
		if (!rc)
			rc = do_chores(p, chores, now);
	}
	return rc;
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
	if (!rc && p->o.values)
		rc = probe_show_values(&p->show, sink, !p->sink);
	if (!rc && p->o.stacks)
		rc = probe_show_paths(&p->show, sink, !p->sink);
	if (sink != p->sink)
		sink_free(sink);
	return rc ? fail_errno(rc, "tables") : stdout_write(&p->out, p->patient);
}

/* All calls whose begin and return were seen. */
static int count_timed(const struct probing *p, uint64_t *timed)
{
	struct probe_times t;
	int rc = 0;

	*timed = 0;
	for (uint32_t i = 0; i < p->opts.n && !rc; i++) {
		if (!p->targets[i].returns)
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
		[PROBE_MISSED_HITS] = "hits of processes there was no room for: --processes",
		[PROBE_MISSED_PATHS] = "hits by ways there was no room for",
		[PROBE_MISSED_VALUES] = "returns of values there was no room for",
		[PROBE_MISSED_STACKS] = "stacks there was no room for",
		[PROBE_BEGUN] = "calls have not returned, or were too many at a time",
	};
	struct probe_lost lost;
	uint64_t timed = 0;
	int rc = probe_lost(&p->probe, &lost);

	if (!rc)
		rc = count_timed(p, &timed);
	if (rc)
		return fail_errno(rc, "counts");
	if (p->o.events && (!p->o.quiet || lost.events))
		fprintf(stderr, "%llu hits shown\n%llu hits lost\n", (unsigned long long)p->shown,
			(unsigned long long)lost.events);
	if (lost.passed)
		note("%llu hits came while the probe was at work on that CPU, and are not counted",
		     (unsigned long long)lost.passed);
	lost.missed[PROBE_BEGUN] -=
		timed < lost.missed[PROBE_BEGUN] ? timed : lost.missed[PROBE_BEGUN];
	for (int i = 0; i < PROBE_MISSES; i++)
		if (lost.missed[i])
			note("%llu %s", (unsigned long long)lost.missed[i], missed[i]);
	return 0;
}

static int finish(struct probing *p)
{
	int rc = 0;

	probe_stop(&p->probe);
	if (p->o.events && !(p->o.count && p->shown == p->o.count))
		rc = read_hits(p);
	if (rc < 0)
		return rc;
	if (!p->o.events || !p->o.quiet)
		rc = show_tables(p);
	return rc ? rc : note_lost(p);
}

static int open_sinks(struct probing *p)
{
	bool screen = isatty(STDOUT_FILENO) && !p->o.events;

	p->patient = fd_never_blocks(STDOUT_FILENO);
	if (p->o.format == AS_JSON) {
		p->sink = sink_new(SINK_JSON, STDOUT_FILENO, false);
		if (p->sink)
			sink_into(p->sink, &p->out);
		return p->sink ? 0 : fail_errno(-ENOMEM, "standard output");
	}
	if (!screen && !p->o.interval)
		return 0;
	p->screen = sink_new(SINK_TEXT, STDOUT_FILENO, screen);
	return p->screen ? 0 : fail_errno(-ENOMEM, "standard output");
}

static void note_start(const struct probing *p)
{
	if (p->o.quiet)
		return;
	for (uint32_t i = 0; i < p->opts.n; i++)
		if (p->targets[i].searched)
			note("%s is in %s", p->targets[i].text, p->targets[i].path);
	note("%u probe%s in place", p->opts.n, p->opts.n == 1 ? "" : "s");
}

static int probe(struct probing *p)
{
	int rc = watch_process(p);

	if (!rc)
		rc = open_probes(p);
	if (!rc && p->o.pid && p->probe.self != (uint32_t)getpid())
		rc = fail(-EINVAL, "-p: probes know processes by their numbers outside of this pid "
				   "namespace; use a filter (comm, cgroup, container)");
	if (rc)
		return rc;
	p->started = clock_mono();
	p->show.utc_offset = clock_utc_offset();
	p->show.no_time = p->o.no_time;
	rc = probe_show_open(&p->show, &p->probe);
	if (rc)
		return fail_errno(rc, "names of functions");
	rc = open_sinks(p);
	if (rc)
		return rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	note_start(p);
	rc = confine_process(PRIV(CAP_BPF) | PRIV(CAP_PERFMON) | PRIV(CAP_SYSLOG) |
				     PRIV(CAP_SYS_PTRACE) | PRIV(CAP_DAC_READ_SEARCH),
			     true);
	if (!rc)
		rc = follow(p);
	if (rc < 0)
		return rc;
	if (has_ended(p) && !p->o.quiet)
		note("process %u has ended", p->o.pid);
	return finish(p);
}

static void close_all(struct probing *p)
{
	probe_show_close(&p->show);
	probe_close(&p->probe);
	sink_free(p->sink);
	sink_free(p->screen);
	buf_free(&p->out);
	filter_close(&p->filter);
	free(p->filter_text);
	free(p->targets);
	if (p->pidfd)
		close(p->pidfd);
}

static int run(int argc, char **argv)
{
	struct probing *p = calloc(1, sizeof(*p));
	char **rest;
	int n, rc;

	if (!p)
		return fail_errno(-ENOMEM, "probe");
	rc = opt_parse(&spec, &p->o, argc, argv, &rest, &n);
	if (!rc && n && !strcmp(*rest, "list"))
		rc = n == 2 ? probe_list(rest[1])
			    : fail_usage("list takes one PATTERN, such as 'tcp_*'");
	else if (!rc)
		rc = parse(p, rest, n);
	if (!rc && p->opts.n)
		rc = probe(p);
	close_all(p);
	free(p);
	return rc > 0 ? 0 : rc;
}

const struct command cmd_probe = { .opt = &spec, .run = run };
