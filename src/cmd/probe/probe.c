/* SPDX-License-Identifier: MIT */
/* sonde probe: shows which processes call a function, how often, with which arguments, and how long
 * it takes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/expr.h"
#include "cmd/common/opts.h"
#include "cmd/probe/options.h"
#include "cmd/probe/show.h"
#include "trace/trace.h"

enum { KIBIBYTE = 1024 };

#define O struct probe_cmd_opts
static const struct opt rows[] = {
	OPT_FLAG('e', "events", O, events, "print each hit with its arguments and return value"),
	OPT_FLAG('k', "stack", O, stacks,
		 "count hits by kernel and user stack; with -e, print the stacks"),
	OPT_FLAG(0, "returned", O, values, "count return values"),
	OPT_ROW_PID(O, "probe this process only, and end when it ends"),
	OPT_LIST(0, "string", "N", O, strings,
		 "with -e: print argument N (1 is the first) as a string if its "
		 "type is unknown"),
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "with -e: end after this many hits"),
	OPT_ROW_DURATION(O, "end after this time"),
	OPT_ROW_INTERVAL(O, "time between two tables or files (default: 1s on a terminal and with "
			    "--textfile, else one table at the end)"),
	OPT_ROWS_OUTPUT(O),
	OPT_ROW_TEXTFILE(O),
	OPT_ROW_NO_TIME(O, "with -e: do not print the time of each hit"),
	OPT_ROW_QUIET(O, "print no notes; with -e, no tables at the end"),
	OPT_U32(0, "processes", "N", O, processes, 16, 1 << 20,
		"count at most this many processes separately (default: 2048, "
		"fewer with many CPUs)"),
	OPT_U32('B', "buffer-size", "KIB", O, kibibytes, 64, 1 << 20,
		"with -e: kernel memory for hits, a power of two (default: 2048)"),
	OPT_ROW_VERBOSE(O),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "probe",
	.usage = "[OPTIONS] PROBE... [FILTER...]",
	.about = "show which processes call a function or tracepoint, and how often\n"
		 "PROBE is kprobe:FUNC or kretprobe:FUNC of the kernel, "
		 "uprobe:PATH:SYMBOL[+OFFSET] or uretprobe:PATH:SYMBOL of a "
		 "program or library, tracepoint:CATEGORY:NAME (including "
		 "syscalls:sys_enter_NAME and sys_exit_NAME), or raw:NAME. "
		 "Returns (kretprobe, uretprobe, sys_exit) are timed. A PATH "
		 "without a slash is searched for in $PATH and the library "
		 "directories. SYMBOL may be an address, 0x...; an address or "
		 "OFFSET must be at the start of an instruction, or the probed "
		 "program crashes. The filter is about processes: pid, comm, "
		 "cgroup, container. -o prom prints one document at the end; "
		 "--textfile writes one at each interval.",
	.rows = rows,
	.examples = "  sonde probe list 'tcp_*'\n"
		    "  sonde probe kretprobe:tcp_sendmsg\n"
		    "  sonde probe -e kprobe:tcp_retransmit_skb comm nginx\n"
		    "  sonde probe -e --string 1 uprobe:libc.so.6:getaddrinfo\n"
		    "  sonde probe -k -d 5s tracepoint:skb:kfree_skb\n"
		    "  sonde probe -e tracepoint:syscalls:sys_exit_connect -p 812\n",
};

static int parse_strings(struct probe_request *r)
{
	const struct opt_list *list = &r->o.strings;
	uint32_t n;

	if (list->n > PROBE_TEXTS)
		return fail_usage("--string: at most %d strings", PROBE_TEXTS);
	for (uint32_t i = 0; i < list->n; i++) {
		if (parse_u32(list->at[i], 1, PROBE_ARGS, &n))
			return fail_usage("--string %s: not an argument's number (1 to %d)",
					  list->at[i], PROBE_ARGS);
		r->strings[i] = (uint8_t)n;
	}
	return 0;
}

/* Reports a word where a probe is expected, or one that looks like a misspelt probe. */
static int fail_no_probe(const char *word)
{
	char kind[TARGET_NAME];
	const char *near;

	snprintf(kind, sizeof(kind), "%.*s", (int)strcspn(word, ":"), word);
	near = strchr(word, ':') ? target_suggest_kind(kind) : NULL;
	if (near)
		return fail_usage("unknown kind of probe %s; did you mean %s?", kind, near);
	return fail_usage("%s is not a probe: expected KIND:NAME, such as kprobe:tcp_connect",
			  word);
}

static int parse_targets(struct probe_request *r, char ***rest, int *n)
{
	int rc = 0;

	r->opts.targets = r->targets;
	for (; *n && target_find_kind(**rest) && !rc; ++*rest, --*n) {
		if (r->opts.n == PROBE_MAX)
			return fail_usage("at most %d probes", PROBE_MAX);
		rc = target_parse(&r->targets[r->opts.n++], **rest);
	}
	if (!rc && !r->opts.n)
		rc = *n ? fail_no_probe(**rest)
			: fail_usage("missing probe: KIND:NAME, such as kprobe:tcp_connect");
	if (!rc && *n && strchr(**rest, ':') && target_suggest_kind(**rest))
		rc = fail_no_probe(**rest);
	return rc;
}

static int check_options(struct probe_cmd_opts *o)
{
	if (o->common.textfile)
		o->common.format = SINK_PROM;
	if (!o->events && (o->count || o->common.no_time || o->strings.n || o->kibibytes))
		return fail_usage("-c, -t, --string and -B need -e");
	if (o->events && o->common.interval)
		return fail_usage("-I prints tables; it cannot be used with -e");
	if (o->common.format == SINK_PROM && (o->events || o->stacks || o->values))
		return fail_usage("-o prom counts hits and time; it cannot be used with -e, "
				  "-k or --returned");
	if (o->common.format == SINK_PROM && o->common.interval && !o->common.textfile)
		return fail_usage("-o prom prints one document at the end; -I needs --textfile");
	if (o->kibibytes & (o->kibibytes - 1))
		return fail_usage("-B %u: not a power of two", o->kibibytes);
	return 0;
}

static int parse_command_line(struct probe_request *r, int argc, char **argv, char ***rest, int *n)
{
	struct probe_cmd_opts *o = &r->o;
	int rc = cmd_parse(&spec, o, &o->common, argc, argv, rest, n);

	if (!rc)
		rc = parse_targets(r, rest, n);
	if (!rc)
		rc = check_options(o);
	if (rc)
		return rc;
	r->opts.events = o->events;
	r->opts.stacks = o->stacks;
	r->opts.values = o->values;
	r->opts.verbose = o->common.verbose;
	r->opts.bytes = o->kibibytes * KIBIBYTE;
	r->opts.processes = o->processes;
	return parse_strings(r);
}

static int run_probes(struct probe_request *r, char **words, int n)
{
	const struct cmd_expr_opts opts = { .fits = trace_filter_check_owners,
					    .common = &r->o.common };
	struct filter filter = { 0 };
	char *text = cmd_join(words, n);
	int rc = cmd_expr_parse(&filter, text, &opts);

	r->opts.filter = &filter;
	if (!rc)
		rc = probe_follow(r);
	filter_close(&filter);
	free(text);
	return rc;
}

static int run_probe(int argc, char **argv)
{
	struct probe_request *r = calloc(1, sizeof(*r)); /* large */
	char **rest;
	int n, rc;

	if (!r)
		return fail_errno(-ENOMEM, "probe");
	rc = parse_command_line(r, argc, argv, &rest, &n);
	if (!rc)
		rc = run_probes(r, rest, n);
	free(r);
	return rc > 0 ? 0 : rc;
}

static const struct command *const subs[] = { &probe_list_command, NULL };
const struct command cmd_probe = { &spec, run_probe, subs, probe_records };
