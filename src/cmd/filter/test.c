/* SPDX-License-Identifier: MIT */
/* sonde filter test: shows what the rules would do with a packet. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "base/err.h"
#include "cmd/filter/filter.h"
#include "filter/view.h"
#include "gate/counters.h"
#include "net/capfile/capfile.h"
#include "resolve/names.h"

#define O struct filter_opts
static const struct opt test_rows[] = {
	GATE_ROWS_WHERE(O),
	FILTER_ROWS_DIR(O),
	OPT_STR('f', "file", "FILE", O, file,
		"use the rules in a file instead of the installed ones"),
	OPT_FLAG('r', "read", O, read, "the operand is a capture file: test every packet in it"),
	OPT_FLAG(0, "exit-code", O, exit_code, "exit with 1 if a packet is dropped"),
	OPT_ROWS_OUTPUT_NO_PROM(O),
	{ 0 }
};
static const struct opt_spec test_spec = {
	.command = "filter test",
	.usage = "-i IFACE|-f FILE [OPTIONS] PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]",
	.about = "show which rule a packet would match, without sending it\n"
		 "PROTOCOL is tcp, udp, sctp, icmp or a number. FLAGS of TCP are "
		 "S, F, R, P and . (ACK); without them the packet is the first of "
		 "a connection.",
	.rows = test_rows,
	.examples = "  sonde filter test -i eth0 tcp 198.51.100.7:40000 192.0.2.1:80\n"
		    "  sonde filter test -f rules.txt udp [2001:db8::7]:5000 [2001:db8::1]:53\n"
		    "  sonde filter test -i eth0 -r file.pcapng --json\n",
};

struct verdict_rec {
	uint64_t packet, id;
	const char *direction, *verdict, *rule;
};

#define R struct verdict_rec
static const struct col cols[] = {
	{ "packet", .role = COL_KEY, COL_AT_U64(R, packet) },
	{ "direction", .role = COL_INFO, COL_AT_STR(R, direction) },
	{ "verdict", .role = COL_INFO, COL_AT_STR(R, verdict) },
	{ "id", .role = COL_INFO, COL_AT_U64(R, id) },
	{ "rule", .role = COL_INFO, COL_AT_STR(R, rule) },
};
#undef R
static const struct schema schema = SCHEMA("filter_verdict", cols);
static const struct schema *const records[] = { &schema, NULL };

struct test {
	const struct rules *rules;
	struct sink *sink;
	bool json;
	enum gate_dir dir;
	uint64_t number, dropped;
};

static int print_verdict(const struct test *t, enum gate_dir dir, const struct rule *rule,
			 bool drops, const char *words)
{
	const struct verdict_rec rec = {
		.packet = t->number,
		.direction = gate_dir_name(dir),
		.verdict = drops ? "drop" : "allow",
		.id = rule ? rule->id : COL_UNKNOWN,
		.rule = rule ? words : NULL,
	};

	if (t->json)
		return sink_record(t->sink, &schema, &rec);
	return sink_line(t->sink, "%llu %s %s: %s%s", (unsigned long long)t->number, rec.direction,
			 rec.verdict, rule ? "rule " : "default", words);
}

static int test_frame(const struct frame *frame, void *arg)
{
	struct test *t = arg;
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, frame->data, frame->caplen };
	enum gate_dir dir = frame->dir == FRAME_IN    ? GATE_IN
			    : frame->dir == FRAME_OUT ? GATE_OUT
						      : t->dir;
	const struct rule *rule;
	struct buf words = { 0 };
	bool drops;
	int rc;

	view_frame(views, frame);
	views[0].dir = dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	drops = rules_drops_packet(t->rules, dir, &p, &rule);
	if (rule)
		rule_print(rule, &words);
	buf_char(&words, '\0');
	t->number++;
	t->dropped += drops;
	rc = words.nomem ? -ENOMEM : print_verdict(t, dir, rule, drops, words.data);
	buf_free(&words);
	return rc;
}

static int test_file(struct test *t, const char *name)
{
	uint8_t piece[1 << 14];
	struct capfile file = { 0 };
	int fd = open(name, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n = 1;

	if (fd < 0)
		return fail_errno(-errno, "%s", name);
	while (!rc && (n = read(fd, piece, sizeof(piece))) > 0)
		rc = capfile_feed(&file, piece, (size_t)n, test_frame, t);
	if (!rc)
		rc = n < 0 ? -errno : capfile_end(&file);
	close(fd);
	if (rc && *file.diag.msg)
		fail(rc, "%s: %s", name, file.diag.msg);
	else if (rc && rc != -EPIPE) /* -EPIPE: from standard output */
		fail_errno(rc, "%s", name);
	capfile_close(&file);
	return rc;
}

static int test_words(struct test *t, char **words, int n)
{
	uint8_t data[128];
	int len = filter_packet_make(words, n, data);
	struct frame frame = { .data = data, .link = FRAME_ETHERNET };

	if (len < 0)
		return len;
	frame.caplen = frame.len = (uint32_t)len;
	return test_frame(&frame, t);
}

static int read_rules(const char *file, enum gate_dir dir, struct rules *r)
{
	struct buf text = { 0 };
	int rc = cmd_read_file(file, &text);

	if (!rc)
		rc = filter_parse_rules(r, file, text.len ? text.data : "", text.len, dir,
					&resolve_names);
	buf_free(&text);
	return rc;
}

static int test_packets(struct test *t, const struct filter_opts *o, char **words, int n)
{
	int rc;

	if (o->read && n != 1)
		return fail_usage("-r takes one file");
	rc = o->read ? test_file(t, words[0]) : test_words(t, words, n);
	return rc == -EPIPE ? fail_errno(rc, "standard output") : rc;
}

static int run_test(int argc, char **argv)
{
	struct filter_opts o = { 0 };
	struct filter_txns s = { 0 };
	struct rules rules = { 0 };
	struct test t = { .rules = &rules };
	char **rest;
	int n, rc = cmd_parse(&test_spec, &o, &o.common, argc, argv, &rest, &n);

	if (!rc)
		rc = filter_dir(&o, &t.dir);
	if (rc)
		return rc > 0 ? 0 : rc;
	if (o.file) {
		rc = read_rules(o.file, GATE_IN, &rules);
	} else {
		rc = o.common.ifaces.n
			     ? cmd_enter_netns(o.common.netns)
			     : fail_usage("give rules: -i IFACE (installed ones) or -f FILE");
		if (!rc)
			rc = filter_txns_begin(&s, &o, GATE_TXN_READ);
	}
	if (!rc && !o.file)
		t.rules = &s.at[0].rules;
	t.json = o.common.format == SINK_JSON;
	t.sink = rc ? NULL : cmd_open_sink(&o.common, false, NULL);
	if (!rc)
		rc = t.sink ? test_packets(&t, &o, rest, n) : -EIO;
	sink_free(t.sink);
	rules_close(&rules);
	filter_txns_close(&s);
	return rc ? rc : o.exit_code && t.dropped ? -EPERM : 0;
}

const struct command filter_test_command = { &test_spec, run_test, NULL, records };
