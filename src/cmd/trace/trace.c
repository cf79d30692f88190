/* SPDX-License-Identifier: MIT */
/* sonde trace: shows connections, failures and their causes, with the process of each. */
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/expr.h"
#include "cmd/common/opts.h"
#include "cmd/trace/kinds.h"
#include "cmd/trace/options.h"
#include "cmd/trace/show.h"

enum { KIBIBYTE = 1024 };

#define O struct trace_cmd_opts
static const struct opt rows[] = {
	OPT_ROW_IFACES(O, "trace events of this interface (bind, listen and tls events have none)"),
	OPT_STR('N', "netns", "NETNS", O, common.netns,
		"trace events of this network namespace: a name in /run/netns, a path, or a "
		"process's number"),
	OPT_ROW_PID(O, "trace events of this process"),
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "end after this many events"),
	OPT_ROW_DURATION(O, "end after this time"),
	OPT_ROW_INTERVAL(O, "with --textfile, time between two writes (default: 1s)"),
	OPT_ROWS_OUTPUT(O),
	OPT_ROW_TEXTFILE(O),
	OPT_ROW_NO_TIME(O, "do not print the time of each event"),
	OPT_COUNT('v', "verbose", O, common.verbose,
		  "print owner, cgroup, interface and network namespace of each event, and the "
		  "verifier's whole log if the kernel refuses a program"),
	OPT_ROW_QUIET(O, "print no summary and no notes"),
	OPT_FLAG('k', "stack", O, stacks, "print the kernel stack of each drop"),
	OPT_FLAG(0, "only-new", O, only_new, "do not list existing connections"),
	OPT_U32('s', "snaplen", "BYTES", O, text_bytes, 1, TRACE_TEXT *TRACE_PIECES,
		"of tls: keep at most this much of each read and write (default: 16384)"),
	OPT_LIST(0, "tls-file", "FILE", O, tls_files,
		 "of tls: a program or library that contains OpenSSL, besides those found"),
	OPT_U32(0, "dns-port", "PORT", O, dns_port, 1, 65535, "of dns: the port (default: 53)"),
	OPT_U32('B', "buffer-size", "KIB", O, kibibytes, 4, 1 << 20,
		"kernel memory for events, a power of two (default: 2048)"),
	OPT_U32(0, "sockets", "N", O, socks, 64, 1 << 24,
		"connections tracked at a time (default: 8192 plus twice the existing ones)"),
	{ 0 },
};
#undef O

#define HELP(kind, line, row, name, about, columns) name about ", "
#define KINDS                                       TRACE_KIND_LIST(HELP)
static const struct opt_spec spec = {
	.command = "trace",
	.usage = "[OPTIONS] [KIND...] [FILTER...]",
	.about = "trace connections, failures and drops, with the process of each\n"
		 "KIND is a kind of event: " KINDS
		 "failures (of connect, accept, close and bind). Default: connect "
		 "accept close open. The filter is the rest of the line; the "
		 "kernel applies it. Of the filter language (`sonde help filter`) "
		 "it takes host, net, port, pid, comm, cgroup, container, netns, "
		 "iface, inbound, outbound and protocols. -o prom counts, and "
		 "prints one document at the end; --textfile writes one at each interval.",
	.rows = rows,
	.examples = "  sonde trace\n"
		    "  sonde trace failures\n"
		    "  sonde trace -i eth0 connect close comm curl or dst port 443\n"
		    "  sonde trace retransmit reset drop\n"
		    "  sonde trace drop --stack port 53\n"
		    "  sonde trace dns tls -p 4711\n"
		    "  sonde trace --json -d 10s container 3f4e9a8b7c6d\n"
		    "  sonde trace --textfile /var/lib/node_exporter/trace.prom -I 15s\n",
};
#undef KINDS
#undef HELP

/* A parsed command line. Zeroed: closed. */
struct request {
	struct trace_cmd_opts o;
	struct trace_opts opts;
	struct filter filter;
	char *filter_text;
};

static uint32_t find_kind(const char *word, size_t len)
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
	WITHOUT_IFACE = TRACE_BIT(TRACE_BIND) | TRACE_BIT(TRACE_LISTEN) | TRACE_BIT(TRACE_TLS),
};

/* Parses an operand: kinds separated by commas. Returns false if it is not one: the filter starts
 * there. */
static bool take_kinds(struct trace_opts *opts, const char *word)
{
	struct trace_opts got = *opts;

	for (;;) {
		size_t len = strcspn(word, ",");
		uint32_t kind = find_kind(word, len);

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

static int parse_filter(struct request *r, char **words, int n)
{
	const char *kinds[TRACE_KINDS + 2] = { "failures" };
	const struct cmd_expr_opts opts = { .fits = trace_filter_check,
					    .before = kinds,
					    .are = "kind of event",
					    .common = &r->o.common };
	size_t nkinds = 1;

	for (int i = 0; i < TRACE_KINDS; i++)
		if (trace_kind_names[i])
			kinds[nkinds++] = trace_kind_names[i];
	r->filter_text = cmd_join(words, n);
	r->opts.filter = &r->filter;
	return cmd_expr_parse(&r->filter, r->filter_text, &opts);
}

static int check_options(struct trace_cmd_opts *o, const struct trace_opts *opts)
{
	if ((o->text_bytes || o->tls_files.n) && !(opts->kinds & TRACE_BIT(TRACE_TLS)))
		return fail_usage("-s and --tls-file need kind tls");
	if (o->dns_port && !(opts->kinds & TRACE_BIT(TRACE_DNS)))
		return fail_usage("--dns-port needs kind dns");
	if (o->stacks && !(opts->kinds & TRACE_BIT(TRACE_DROP)))
		return fail_usage("--stack needs kind drop");
	if (o->common.ifaces.n && opts->kinds & WITHOUT_IFACE)
		return fail_usage("-i: bind, listen and tls events have no interface");
	if (o->common.interval && !o->common.textfile)
		return fail_usage("-I needs --textfile");
	if (o->kibibytes & (o->kibibytes - 1))
		return fail_usage("-B %u: not a power of two", o->kibibytes);
	if (o->common.textfile)
		o->common.format = SINK_PROM;
	if (!o->common.interval)
		o->common.interval = NS_PER_S;
	return 0;
}

static int parse_command_line(struct request *r, int argc, char **argv)
{
	struct trace_cmd_opts *o = &r->o;
	char **rest;
	int n, rc = cmd_parse(&spec, o, &o->common, argc, argv, &rest, &n);

	if (rc)
		return rc;
	for (; n && take_kinds(&r->opts, *rest); n--)
		rest++;
	if (!r->opts.kinds && !r->opts.failures)
		r->opts.kinds = USUAL | TRACE_BIT(TRACE_OPEN);
	rc = check_options(o, &r->opts);
	if (rc)
		return rc;
	r->opts.ring_bytes = o->kibibytes * KIBIBYTE;
	r->opts.max_socks = o->socks;
	r->opts.text_bytes = o->text_bytes;
	r->opts.dns_port = (uint16_t)o->dns_port;
	r->opts.tls_files = &o->tls_files;
	r->opts.stacks = o->stacks;
	r->opts.verbose = o->common.verbose;
	r->opts.existing = !o->only_new;
	return parse_filter(r, rest, n);
}

static int run_trace(int argc, char **argv)
{
	struct request r = { 0 };
	int rc = parse_command_line(&r, argc, argv);

	if (!rc)
		rc = trace_follow(&r.o, &r.opts);
	filter_close(&r.filter);
	free(r.filter_text);
	return rc > 0 ? 0 : rc;
}

const struct command cmd_trace = { &spec, run_trace, NULL, trace_records };
