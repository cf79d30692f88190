/* SPDX-License-Identifier: MIT */
/* sonde filter test: what the rules would do with a packet. */
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
	OPT_STR('f', "file", "FILE", O, file, "a file's rules instead of installed ones"),
	OPT_FLAG('r', "read", O, read, "the operand is a capture file: every packet in it"),
	{ 0 }
};
static const struct opt_spec test_spec = {
	.command = "filter test",
	.usage = "-i IFACE|-f FILE [OPTIONS] PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [FLAGS]",
	.about = "which rule decides on a packet, without sending it\n"
		 "Exit code 0: it may pass; 1: it is dropped, or something is wrong.",
	.rows = test_rows,
	.examples = "  sonde filter test -i eth0 tcp 198.51.100.7:40000 192.0.2.1:80\n"
		    "  sonde filter test -f rules.txt udp [2001:db8::7]:5000 [2001:db8::1]:53\n"
		    "  sonde filter test -i eth0 -r file.pcapng\n",
};

struct test {
	const struct rules *rules;
	enum gate_dir dir;
	uint64_t number, dropped;
};

static int judge(const struct frame *frame, void *arg)
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

	view_frame(views, frame);
	views[0].dir = dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	drops = rules_drops_packet(t->rules, dir, &p, &rule);
	if (rule)
		rule_print(rule, &words);
	t->number++;
	t->dropped += drops;
	printf("%llu %s %s: %s %.*s\n", (unsigned long long)t->number, gate_dir_name(dir),
	       drops ? "drop" : "allow", rule ? "rule" : "default", (int)words.len,
	       words.len ? words.data : "");
	buf_free(&words);
	return ferror(stdout) ? -EPIPE : 0;
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
		rc = capfile_feed(&file, piece, (size_t)n, judge, t);
	if (!rc)
		rc = n < 0 ? -errno : capfile_end(&file);
	close(fd);
	if (rc && *file.diag.msg)
		fail(rc, "%s: %s", name, file.diag.msg);
	else if (rc)
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
	return judge(&frame, t);
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

static int run_test(int argc, char **argv)
{
	struct filter_opts o = { 0 };
	struct filter_txns s = { 0 };
	struct rules rules = { 0 };
	struct test t = { .rules = &rules };
	char **rest;
	int n, rc = opt_parse(&test_spec, &o, argc, argv, &rest, &n);

	if (!rc)
		rc = filter_dir(&o, &t.dir);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = o.file ? 0 : cmd_netns(o.netns);
	if (rc)
		return rc;
	if (o.file)
		rc = read_rules(o.file, GATE_IN, &rules);
	else
		rc = filter_txns_begin(&s, &o, GATE_TXN_READ);
	if (!rc && !o.file)
		t.rules = &s.at[0].rules;
	if (!rc && o.read)
		rc = n == 1 ? test_file(&t, rest[0]) : fail_usage("-r takes one file");
	else if (!rc)
		rc = test_words(&t, rest, n);
	if (!rc && fflush(stdout))
		rc = fail_errno(-errno, "standard output");
	rules_close(&rules);
	filter_txns_close(&s);
	return rc ? rc : t.dropped ? -EPERM : 0;
}

const struct cmd_sub filter_sub_test = { &test_spec, run_test };
