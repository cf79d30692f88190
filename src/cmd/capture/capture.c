/* SPDX-License-Identifier: MIT */
/* sonde capture: prints or writes the packets that match a filter, as text, JSON or capture
 * files. */
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "capture/output.h"
#include "capture/pump.h"
#include "cmd/capture/extcap.h"
#include "cmd/capture/filter.h"
#include "cmd/capture/read.h"
#include "cmd/common/opts.h"
#include "out/color.h"
#include "sys/wait.h"

enum { SNAPLEN = 262144, MEGABYTE = 1000000, KIBIBYTE = 1024 };

enum at { AT_TC, AT_XDP, AT_NATIVE, AT_GENERIC, AT_TCX, AT_CLSACT };
static const char *const at_names[] = { "tc",  "xdp",    "xdp-native", "xdp-generic",
					"tcx", "clsact", NULL };
/* Outgoing packets are always captured at tc. */
static const unsigned int at_hooks[][CAPTURE_DIRS] = {
	[AT_TC] = { HOOKS_TC, HOOKS_TC },
	[AT_XDP] = { HOOKS_XDP, HOOKS_TC },
	[AT_NATIVE] = { HOOK_BIT(HOOK_XDP_NATIVE), HOOKS_TC },
	[AT_GENERIC] = { HOOK_BIT(HOOK_XDP_GENERIC), HOOKS_TC },
	[AT_TCX] = { HOOK_BIT(HOOK_TCX), HOOK_BIT(HOOK_TCX) },
	[AT_CLSACT] = { HOOK_BIT(HOOK_CLSACT), HOOK_BIT(HOOK_CLSACT) },
};

enum process { PROCESS_AUTO, PROCESS_NONE, PROCESS_OUT, PROCESS_ALL };
static const char *const processes[] = { "auto", "none", "out", "all", NULL };

enum direction { DIRECTION_BOTH, DIRECTION_IN, DIRECTION_OUT };
static const char *const directions[] = { "inout", "in", "out", NULL };

struct capture_opts {
	struct cmd_common common;
	const char *read, *write, *filter_file;
	uint64_t every;
	uint32_t count, verbose, times, hex, both, snaplen, kibibytes, megabytes, files;
	int at, direction, process;
	bool numeric, link, brief, ascii, absolute, nanos, pcap, program;
	bool line_buffered, packet_buffered, not_promiscuous, ring, interfaces;
};

/* Uses the option letters of tcpdump. */
#define O struct capture_opts
static const struct opt rows[] = {
	OPT_ROW_IFACES(O, "capture on this interface (default: every interface that is up, and "
			  "those that come up later)"),
	OPT_FLAG('D', "list-interfaces", O, interfaces, "list the interfaces and end"),
	OPT_ROW_NETNS(O),
	OPT_CHOICE('Q', "direction", "WHICH", O, direction, directions,
		   "capture packets of this direction"),
	OPT_CHOICE(0, "at", "HOOK", O, at, at_names,
		   "hook for incoming packets; tc is tcx, else clsact; xdp is "
		   "native XDP, else generic XDP, before the stack and before other "
		   "tc programs"),
	OPT_CHOICE('P', "process", "WHICH", O, process, processes,
		   "packets to attribute to processes; auto is all, but with -w "
		   "only outgoing packets, which costs almost nothing"),
	OPT_U32('s', "snaplen", "BYTES", O, snaplen, 0, SNAPLEN,
		"keep at most this many bytes of a packet (default and 0: 262144)"),
	OPT_U32('B', "buffer-size", "KIB", O, kibibytes, 64, 1 << 22,
		"kernel memory for packets (default: 65536, or 1/32 of the host's memory)"),
	OPT_FLAG('p', "no-promiscuous-mode", O, not_promiscuous,
		 "do not put the interface into promiscuous mode"),
	OPT_FLAG(0, "ring", O, ring, "use a ring buffer even where a faster method works"),
	OPT_STR('r', "read", "FILE", O, read, "read a pcap or pcapng file; - is standard input"),
	OPT_STR('w', "write", "FILE", O, write,
		"write packets to a file; - is standard output. The format is pcapng, or pcap if "
		"the name ends in .pcap"),
	OPT_FLAG(0, "pcap", O, pcap, "write classic pcap whatever the name is"),
	OPT_U32('C', "file-size", "MB", O, megabytes, 1, UINT32_MAX,
		"with -w, start a new file after this many million bytes: FILE, FILE1, FILE2"),
	OPT_TIME('G', "rotate", "TIME", O, every,
		 "with -w, start a new file after this time; strftime(3) expands its name"),
	OPT_U32('W', "file-count", "N", O, files, 1, UINT32_MAX,
		"with -C, keep N files, overwriting the oldest; with -G, end after N files"),
	OPT_STR('F', "filter-file", "FILE", O, filter_file, "read the filter from a file"),
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "end after this many packets"),
	OPT_TIME(0, "duration", "TIME", O, common.duration, "end after this time"),
	OPT_ROWS_OUTPUT_NO_PROM(O),
	OPT_FLAG('n', "numeric", O, numeric, "print ports as numbers"),
	OPT_FLAG('e', "link", O, link, "print the link-layer header"),
	OPT_COUNT('v', "verbose", O, verbose,
		  "print more of each packet and check checksums; -vv prints still more"),
	OPT_FLAG('q', "brief", O, brief, "print less of each packet"),
	OPT_COUNT('X', "hex-ascii", O, both,
		  "print the bytes in hex and ASCII; -XX from the link layer"),
	OPT_COUNT('x', "hex", O, hex, "print the bytes in hex; -xx from the link layer"),
	OPT_FLAG('A', "ascii", O, ascii, "print the bytes in ASCII"),
	OPT_FLAG('S', "absolute", O, absolute, "print absolute TCP sequence numbers"),
	OPT_COUNT('t', "time", O, times,
		  "-t prints no time, -tt seconds since 1970, -ttt time since the "
		  "previous packet, -tttt date and time, -ttttt time since the first packet"),
	OPT_FLAG(0, "nano", O, nanos, "print times in nanoseconds"),
	OPT_FLAG('l', "line-buffered", O, line_buffered,
		 "accepted for compatibility with tcpdump: lines are never buffered"),
	OPT_FLAG('U', "packet-buffered", O, packet_buffered,
		 "accepted for compatibility with tcpdump: packets are never buffered"),
	OPT_FLAG(0, "quiet", O, common.quiet,
		 "print no notes and no counts unless packets are lost"),
	OPT_FLAG('d', "program", O, program, "print the filter's kernel program and end"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "capture",
	.usage = "[OPTIONS] [FILTER...]",
	.about = "capture packets as text, JSON or files, or read files\n"
		 "The filter is the rest of the line; the kernel applies it. Its "
		 "language is tcpdump's (pcap-filter) with extensions: see `sonde "
		 "help filter`. Options and output follow tcpdump. A damaged file "
		 "is read up to the damage.",
	.rows = rows,
	.examples = "  sonde capture -i eth0 -n port 53\n"
		    "  sonde capture -w all.pcapng not port 22\n"
		    "  ssh HOST sonde capture -w - | wireshark -k -i -\n"
		    "  sonde capture -r web.pcapng -n tcp port 80 or 443\n"
		    "  sonde capture -r all.pcap -w dns.pcapng udp port 53\n"
		    "  sonde capture -d 'tcp[tcpflags] & tcp-syn != 0'\n",
};
static const struct schema *const records[] = { &capture_packet_schema, NULL };

struct capture {
	struct capture_opts opts;
	struct buf dropped; /* the red mark of dropped packets */
	struct capture_filter filter;
	struct capture_out out;
};

/* Returns the red mark; NULL: use the default, without color. */
static const char *color_dropped(struct buf *mark)
{
	if (!color_enabled(STDOUT_FILENO))
		return NULL;
	color_start(mark, COLOR_BAD);
	buf_str(mark, "DROP");
	color_end(mark);
	buf_add(mark, " ", sizeof(" "));
	return mark->nomem ? NULL : mark->data;
}

static struct dissect_opts line_opts(const struct capture_opts *o)
{
	static const uint8_t times[] = { DISSECT_CLOCK, DISSECT_NONE, DISSECT_EPOCH,
					 DISSECT_DELTA, DISSECT_DATE, DISSECT_FIRST };
	return (struct dissect_opts){
		.time = times[o->times < sizeof(times) ? o->times : sizeof(times) - 1],
		.dump = o->both    ? DISSECT_HEX_ASCII
			: o->hex   ? DISSECT_HEX
			: o->ascii ? DISSECT_ASCII
				   : 0,
		.dump_link = o->both > 1 || o->hex > 1,
		.verbose = (uint8_t)(o->verbose > 2 ? 2 : o->verbose),
		.numeric = o->numeric,
		.link = o->link,
		.quiet = o->brief,
		.nanos = o->nanos,
		.absolute = o->absolute,
		.utc_offset = clock_utc_offset(),
	};
}

/* In other commands -d is the duration. */
static bool looks_like_duration(char **words, int n)
{
	uint64_t time;

	return n == 1 && !parse_time(words[0], &time);
}

static int check_options(struct capture_opts *o, char **words, int n)
{
	if (o->program && looks_like_duration(words, n))
		return fail_usage("-d prints the filter's program; to end after a time use "
				  "--duration %s",
				  words[0]);
	if (o->common.duration && o->read)
		return fail_usage("--duration ends a live capture; it cannot be used with -r");
	if (o->read && (o->common.ifaces.n || o->common.netns))
		return fail_usage("-r reads a file; it cannot be used with -i or -N");
	if ((o->megabytes || o->every) && !o->write)
		return fail_usage("-C and -G start new files; they need -w FILE");
	if (o->files && !o->megabytes && !o->every)
		return fail_usage("-W limits the files of -C or -G; it needs one of them");
	if (!o->snaplen)
		o->snaplen = SNAPLEN;
	return 0;
}

static int list_interfaces(void)
{
	struct link_list l = { 0 };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (!rc)
		rc = link_list(&nl, &l);
	for (size_t i = 0; i < l.n; i++)
		printf("%d.%s%s%s%s\n", l.at[i].ifindex, l.at[i].name, *l.at[i].kind ? " " : "",
		       l.at[i].kind, l.at[i].up ? " [Up]" : "");
	link_list_free(&l);
	nl_close(&nl);
	if (rc)
		return fail_errno(rc, "listing the interfaces");
	return fflush(stdout) ? fail_errno(-errno, "standard output") : 0;
}

static enum capture_owner owner_choice(const struct capture_opts *o)
{
	static const enum capture_owner wishes[] = {
		[PROCESS_NONE] = CAPTURE_OWNER_NONE,
		[PROCESS_OUT] = CAPTURE_OWNER_OUT,
		[PROCESS_ALL] = CAPTURE_OWNER_ALL,
	};

	if (o->process == PROCESS_AUTO)
		return o->write ? CAPTURE_OWNER_OUT : CAPTURE_OWNER_ALL;
	return wishes[o->process];
}

static int capture_packets(struct capture *c)
{
	const struct capture_opts *o = &c->opts;
	struct capture_pump_opts opts = {
		.session = { .names = &o->common.ifaces,
			     .filter = c->filter.filter.nodes ? &c->filter.filter : NULL,
			     .snaplen = o->snaplen,
			     .bytes = (uint64_t)o->kibibytes * KIBIBYTE,
			     .owner = owner_choice(o),
			     .promiscuous = !o->not_promiscuous,
			     .ring = o->ring,
			     .verbose = o->verbose > 2,
			     .quiet = o->common.quiet },
		.filter_text = c->filter.text,
		.count = o->count,
		.duration = o->common.duration,
	};

	if (o->direction != DIRECTION_OUT)
		opts.session.hooks[CAPTURE_IN] = at_hooks[o->at][CAPTURE_IN];
	if (o->direction != DIRECTION_IN)
		opts.session.hooks[CAPTURE_OUT] = at_hooks[o->at][CAPTURE_OUT];
	return capture_pump(&opts, &c->out);
}

static int run_pipeline(struct capture *c)
{
	const struct capture_opts *o = &c->opts;
	struct capture_out_opts opts = { .format = (enum capture_format)o->common.format,
					 .file = { .name = o->write,
						   .max_bytes = (uint64_t)o->megabytes * MEGABYTE,
						   .interval_ns = o->every,
						   .max_files = o->files },
					 .pcap = o->pcap,
					 .lines = line_opts(o) };
	int rc = wait_catch_signals();

	if (rc)
		return fail_errno(rc, "signals");
	opts.lines.dropped = color_dropped(&c->dropped);
	rc = capture_out_open(&c->out, &opts);
	if (!rc && !o->read)
		return capture_packets(c);
	if (!rc)
		rc = capture_read(o->read, &c->filter, o->count, &c->out);
	return capture_out_close(&c->out, rc);
}

static int check_filter(const char *text)
{
	struct capture_filter f = { 0 };
	int rc = capture_filter_parse(&f, (char *[]){ (char *)text }, 1);

	capture_filter_close(&f);
	return rc;
}

static int parse_filter(struct capture *c, char **words, int n)
{
	c->filter.of_file = c->opts.read != NULL;
	if (!c->opts.filter_file)
		return capture_filter_parse(&c->filter, words, n);
	if (n)
		return fail_usage("give the filter on the command line or with -F, not both");
	return capture_filter_read(&c->filter, c->opts.filter_file);
}

static int run_capture(int argc, char **argv)
{
	static const struct extcap_base base = { &spec, run_capture, check_filter };
	static struct capture c; /* large: out has the dissector's table of connections */
	char **rest;
	int nrest, rc;

	if (cmd_is_extcap(argv[1]))
		return extcap_run(&base, argc, argv);
	rc = cmd_parse(&spec, &c.opts, &c.opts.common, argc, argv, &rest, &nrest);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = check_options(&c.opts, rest, nrest);
	if (!rc && !c.opts.read)
		rc = cmd_enter_netns(c.opts.common.netns);
	if (!rc && c.opts.interfaces)
		return list_interfaces();
	if (!rc)
		rc = parse_filter(&c, rest, nrest);
	if (!rc && c.opts.program)
		rc = capture_filter_print(&c.filter);
	else if (!rc)
		rc = run_pipeline(&c);
	capture_filter_close(&c.filter);
	buf_free(&c.dropped);
	return rc;
}

const struct command cmd_capture = { &spec, run_capture, NULL, records };
