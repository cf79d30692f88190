/* SPDX-License-Identifier: MIT */
/* sonde capture: packets as text, JSON or capture files, chosen by a filter. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/err.h"
#include "cmd/cmd.h"
#include "cmd/capture_out.h"
#include "filter/emit.h"
#include "filter/filter.h"
#include "filter/view.h"
#include "host/names.h"
#include "net/capfile.h"

enum { PIECE = 1 << 16, FULL = 1 << 16 };

struct capture_opts {
	const char *read, *write;
	uint32_t count, verbose, times, hex, both;
	int format;
	bool numeric, link, quiet, ascii, absolute, nanos, pcap, program;
};

#define O struct capture_opts
static const struct opt rows[] = {
	OPT_STR('r', "read", "FILE", O, read, "a pcap or pcapng file; - is standard input"),
	OPT_STR('w', "write", "FILE", O, write,
		"write packets to a file, - is standard output; pcapng, or pcap if its name ends "
		"so"),
	OPT_FLAG(0, "pcap", O, pcap, "write classic pcap whatever the name is"),
	OPT_U32('c', "count", "N", O, count, 1, UINT32_MAX, "end after so many packets"),
	OPT_CHOICE('o', "output", "FORMAT", O, format, capture_formats, "how to print"),
	OPT_SET(0, "json", O, format, CAPTURE_JSON, "short for -o json"),
	OPT_FLAG('n', "numeric", O, numeric, "ports as numbers"),
	OPT_FLAG('e', "link", O, link, "the link-layer header, too"),
	OPT_COUNT('v', "verbose", O, verbose,
		  "more of each packet, with checksums; -vv still more"),
	OPT_FLAG('q', "quiet", O, quiet, "less of each packet"),
	OPT_COUNT('X', "hex-ascii", O, both, "the bytes in hex and ASCII; -XX from the link layer"),
	OPT_COUNT('x', "hex", O, hex, "the bytes in hex; -xx from the link layer"),
	OPT_FLAG('A', "ascii", O, ascii, "the bytes in ASCII"),
	OPT_FLAG('S', "absolute", O, absolute, "TCP sequence numbers as they are"),
	OPT_COUNT('t', "time", O, times,
		  "-t no time, -tt seconds of the epoch, -ttt since the line before, -tttt with "
		  "the date, -ttttt since the first line"),
	OPT_FLAG(0, "nano", O, nanos, "times in nanoseconds"),
	OPT_FLAG('d', "program", O, program, "print the filter's kernel program, and end"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "capture",
	.usage = "-r FILE [OPTIONS] [FILTER...]",
	.about = "packets of capture files as text, JSON or other capture files\n"
		 "The filter is the rest of the line, in tcpdump's language (pcap-filter). Text "
		 "follows tcpdump's habits. A damaged file is read up to the damage.",
	.rows = rows,
	.examples = "  sonde capture -r web.pcapng -n tcp port 80 or 443\n"
		    "  sonde capture -r all.pcap -w dns.pcapng udp port 53\n"
		    "  sonde capture -d 'tcp[tcpflags] & tcp-syn != 0'\n",
};

struct capture {
	struct capture_opts opts;
	struct filter filter;
	struct capfile in;
	struct capture_out out;
	uint64_t seen, shown;
};

/* The operands are one text, as if typed with spaces. */
static char *joined(char **words, int n)
{
	size_t len = 1;
	char *text;

	for (int i = 0; i < n; i++)
		len += strlen(words[i]) + 1;
	text = calloc(1, len);
	for (int i = 0; text && i < n; i++) {
		strcat(text, i ? " " : "");
		strcat(text, words[i]);
	}
	return text;
}

/* The text again with a mark below the place, where it fits a screen. */
static int say_mistake(const char *text, const struct diag *diag)
{
	if (strlen(text) > 100 || strpbrk(text, "\n\t"))
		return fail(-EINVAL, "filter, at byte %llu: %s", (unsigned long long)diag->pos,
			    diag->msg);
	fail(-EINVAL, "filter: %s", diag->msg);
	fprintf(stderr, "  %s\n  %*s^\n", text, (int)diag->pos, "");
	return -EINVAL;
}

static int parse_filter(struct capture *c, char **words, int n)
{
	struct diag diag = { 0 };
	char *text = joined(words, n);
	int rc = text ? filter_parse(&c->filter, text, &host_names, &diag) : -ENOMEM;

	if (rc == -EINVAL)
		rc = say_mistake(text, &diag) ? -E_USAGE : 0;
	else if (rc)
		fail_errno(rc, "filter");
	free(text);
	return rc;
}

static int on_packet(const struct frame *frame, void *arg)
{
	struct capture *c = arg;
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, frame->data, frame->caplen };
	int rc;

	c->seen++;
	if (c->filter.nodes) {
		view_frame(views, frame);
		if (!filter_match(&c->filter, &p))
			return 0;
	}
	c->shown++;
	rc = capture_out_frame(&c->out, frame, capfile_iface(&c->in, frame->iface));
	return rc ? rc : c->opts.count && c->shown == c->opts.count;
}

static int read_all(struct capture *c, int fd)
{
	static uint8_t piece[PIECE];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(-errno, "%s", c->opts.read);
		rc = capfile_feed(&c->in, piece, (size_t)n, on_packet, c);
		/* A pipe's reader wants what there is. */
		if (!rc && n < PIECE)
			rc = capture_out_flush(&c->out);
	}
	return rc ? rc : capfile_end(&c->in);
}

static int read_file(struct capture *c)
{
	bool standard = !strcmp(c->opts.read, "-");
	int fd = standard ? STDIN_FILENO : open(c->opts.read, O_RDONLY | O_CLOEXEC), rc, flushed;

	if (fd < 0)
		return fail_errno(-errno, "%s", c->opts.read);
	rc = read_all(c, fd);
	if (!standard)
		close(fd);
	flushed = capture_out_flush(&c->out);
	if (rc == -EBADMSG || (rc == -ENOMEM && *c->in.diag.msg))
		return fail(rc, "%s: %s", standard ? "standard input" : c->opts.read,
			    c->in.diag.msg);
	return rc < 0 ? rc : flushed;
}

static int print_program(const struct capture *c)
{
	struct filter_code code = { 0 };
	struct diag diag = { 0 };
	struct buf text = { 0 };
	int rc = filter_emit(&c->filter, FILTER_XDP, &code, &diag);

	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_words(rc));
	filter_print(&code, &text);
	rc = buf_write(&text, STDOUT_FILENO);
	buf_free(&text);
	filter_code_close(&code);
	return rc ? fail_errno(rc, "standard output") : 0;
}

static struct dissect_opts line_opts(const struct capture_opts *o)
{
	static const uint8_t times[] = { DISSECT_CLOCK, DISSECT_NONE, DISSECT_EPOCH,
					 DISSECT_DELTA, DISSECT_DATE, DISSECT_FIRST };
	time_t now = time(NULL);
	struct tm local = { 0 };

	localtime_r(&now, &local);
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
		.quiet = o->quiet,
		.nanos = o->nanos,
		.absolute = o->absolute,
		.utc_offset = (int32_t)local.tm_gmtoff,
	};
}

static int run_capture(int argc, char **argv)
{
	static struct capture c; /* large: the lines' memory of connections */
	char **rest;
	int nrest, rc = opt_parse(&spec, &c.opts, argc, argv, &rest, &nrest);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = parse_filter(&c, rest, nrest);
	if (!rc && c.opts.program)
		rc = print_program(&c);
	else if (!rc && !c.opts.read)
		rc = fail_usage("a file to read is needed: -r FILE");
	else if (!rc) {
		struct capture_out_wish wish = { .format = (enum capture_format)c.opts.format,
						 .file = c.opts.write,
						 .pcap = c.opts.pcap,
						 .lines = line_opts(&c.opts) };

		rc = capture_out_open(&c.out, &wish);
		rc = rc ? rc : read_file(&c);
		rc = capture_out_close(&c.out, rc);
	}
	capfile_close(&c.in);
	filter_close(&c.filter);
	return rc;
}

const struct command cmd_capture = { &spec, run_capture };
