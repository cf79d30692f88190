/* SPDX-License-Identifier: MIT */
/* Rules in the kernel's gate give the same result as in user space: verdicts, the deciding rule,
 * and the counters. */
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "filter/view.h"
#include "gate/load.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "tests/lib/draw.h"
#include "tests/lib/exprs.h"
#include "tests/lib/insn.h"
#include "tests/run/random_packets.h"
#include "tests/run/run.h"

enum {
	SEED = 20261124,
	SETS = 40,
	PACKETS = 250,
	RULES_MAX = 7,
	TEXT_MAX = 2000,
	CPUS_MAX = 1024,
	IFINDEX = 7,
	TAG_AT = 12,
	TAG_ID = 7,
	OBSERVED = 100,
};

/* Packets for one set of rules. */
static int packets_per_set(void)
{
	return PACKETS / (int)test_slow() + 20;
}

static const int progs[] = { GATE_PROG_SONDE_GATE_XDP, GATE_PROG_SONDE_GATE_IN,
			     GATE_PROG_SONDE_GATE_OUT };

/* A gate with rules, and its expected counters. */
struct bench {
	enum target target;
	bool ethernet;
	enum gate_dir dir;
	struct rules rules;
	struct obj gate, stage;
	struct gate_conf conf;
	struct gate_hit hits[GATE_RULES_MAX + 1];
	uint64_t packets[2], bytes[2]; /* passed, dropped */
	unsigned int run;
	uint32_t observed; /* bits that an observer adds to return values */
};

static uint64_t state = SEED;
static uint32_t draw_next(uint32_t below)
{
	return draw_below(&state, below);
}

/* Loads it. Returns 0 or -errno. */
static int bench_try(struct bench *b, enum target target, bool ethernet, const char *text)
{
	const struct link link = { .ifindex = IFINDEX,
				   .name = "bench",
				   .type = ethernet ? ARPHRD_ETHER : ARPHRD_NONE };
	struct gate_load_opts what = { .link = &link,
				       .progs = 1u << progs[target],
				       .users = GATE_USER_FILTER,
				       .rules = &b->rules,
				       .dir = target == TC_OUT ? GATE_OUT : GATE_IN };
	struct diag diag = { 0 };
	int rc;

	*b = (struct bench){ .target = target, .ethernet = ethernet, .dir = what.dir };
	rc = rules_parse(&b->rules, text, strlen(text), what.dir, &exprs_names, &diag);
	CHECK(!rc, "%s: %s", diag.msg, text);
	CHECK(!rules_assign_ids(&b->rules, 0), "cannot assign ids");
	return gate_load(&b->gate, &what, &b->conf);
}

static void bench_open(struct bench *b, enum target target, bool ethernet, const char *text)
{
	CHECK(!bench_try(b, target, ethernet, text), "cannot load: %s", text);
	CHECK(b->conf.has_rules && b->conf.ethernet == ethernet, "the conf differs");
	if (target == XDP)
		return;
	stage_open(&b->stage);
	stage_link(&b->stage, target, b->gate.prog_fd[progs[target]]);
}

static void bench_close(struct bench *b)
{
	obj_close(&b->stage);
	obj_close(&b->gate);
	rules_close(&b->rules);
}

/* Compares the rule's hits with the expected ones. */
static void check_hits(const struct bench *b, uint32_t id, const char *text)
{
	static struct gate_hit each[CPUS_MAX];
	struct gate_hit sum = { 0 };
	uint32_t slot = id - 1;

	CHECK(bpf_possible_cpus() <= CPUS_MAX, "more CPUs than this test supports");
	CHECK(!bpf_map_lookup(b->gate.map_fd[GATE_MAP_HITS], &slot, each), "cannot read the hits");
	for (int i = 0; i < bpf_possible_cpus(); i++) {
		sum.packets += each[i].packets;
		sum.bytes += each[i].bytes;
	}
	CHECK(sum.packets == b->hits[id].packets && sum.bytes == b->hits[id].bytes,
	      "%s%s: rule %u has %llu hits (%llu bytes), expected %llu (%llu): %s",
	      target_names[b->target], b->conf.addr_only ? " (addresses only)" : "", id,
	      (unsigned long long)sum.packets, (unsigned long long)sum.bytes,
	      (unsigned long long)b->hits[id].packets, (unsigned long long)b->hits[id].bytes, text);
}

/* Compares all counters and hits with the expected ones. */
static void bench_check(const struct bench *b, const char *text)
{
	uint64_t packets[2] = { 0 }, bytes[2] = { 0 };
	struct gate_counters t = { 0 };

	for (uint32_t id = 1; id <= GATE_RULES_MAX; id++)
		check_hits(b, id, text);
	CHECK(!gate_counters_read(&t, b->gate.map_fd[GATE_MAP_COUNTERS],
				  b->gate.map_fd[GATE_MAP_COUNTERS_OTHER], b->dir),
	      "cannot read the counters");
	for (size_t i = 0; i < t.n; i++) {
		CHECK(t.rows[i].verdict == GATE_PASS || t.rows[i].verdict == GATE_DROP, "%s",
		      gate_verdict_name(t.rows[i].verdict));
		packets[t.rows[i].verdict == GATE_DROP] += t.rows[i].packets;
		bytes[t.rows[i].verdict == GATE_DROP] += t.rows[i].bytes;
	}
	gate_counters_free(&t);
	CHECK(!memcmp(packets, b->packets, sizeof(packets)) &&
		      !memcmp(bytes, b->bytes, sizeof(bytes)),
	      "%s: wrong sums of the counters\n%s", target_names[b->target], text);
}

/* Runs the program; its verdict in *drops. Returns false if the kernel refuses the packet (an skb
 * that is shorter than its headers need). */
static bool run_packet(const struct bench *b, const struct packet *p, bool tag, bool *drops)
{
	static const uint32_t answers[][2] = { { XDP_PASS, XDP_DROP }, { (uint32_t)-1, 2 } };
	struct __sk_buff ctx = { .cb[STAGE_PROG] = b->target };
	struct bpf_run run = { .data = p->at, .len = (uint32_t)p->len };
	int prog = b->gate.prog_fd[progs[b->target]], rc;

	if (tag) {
		ctx.cb[STAGE_VLAN_PROTO] = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 0x8100 : 0x0081;
		ctx.cb[STAGE_VLAN_ID] = TAG_ID;
		run.ctx = &ctx;
		run.ctx_len = sizeof(ctx);
		prog = b->stage.prog_fd[0];
	}
	rc = bpf_prog_run(prog, &run);
	CHECK(!rc || (rc == -EINVAL && b->target != XDP), "cannot run: %s", strerror(-rc));
	if (rc || run.ret == 99) /* the stage could not push a tag */
		return false;
	for (int i = 0; i < 2; i++)
		if (run.ret - b->observed == answers[b->target != XDP][i]) {
			*drops = i;
			return true;
		}
	test_fail(__FILE__, __LINE__, "returns %d", (int)run.ret);
}

static const char *format_hex(const struct packet *p)
{
	static char text[2 * PACKET_MAX + 1];

	for (size_t i = 0; i < p->len; i++)
		snprintf(text + 2 * i, 3, "%02x", p->at[i]);
	return text;
}

/* A tag in the skb's metadata is inside the packet in user space. */
static void expect_verdict(struct bench *b, const struct packet *p, bool tag, const char *text)
{
	const struct packet *seen = p;
	struct packet tagged = { .len = 0 };
	struct view views[VIEW_LAYERS];
	struct frame frame = { .link = b->ethernet ? FRAME_ETHERNET : FRAME_RAW_IP };
	const struct rule *rule;
	bool drops, want;
	uint32_t id;

	if (!run_packet(b, p, tag, &drops))
		return;
	if (tag) {
		packet_bytes(&tagged, p->at, TAG_AT);
		packet_vlan(&tagged, 0x8100, TAG_ID);
		packet_bytes(&tagged, p->at + TAG_AT, p->len - TAG_AT);
		seen = &tagged;
	}
	frame.data = seen->at;
	frame.caplen = frame.len = (uint32_t)seen->len;
	view_frame(views, &frame);
	views->dir = b->dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	views->ifindex = IFINDEX;
	want = rules_drops_packet(&b->rules, b->dir,
				  &(struct filter_packet){ views, seen->at, (uint32_t)seen->len },
				  &rule);
	CHECK(drops == want, "%s%s%s%s: %s, expected %s by rule %u: %s\n%s",
	      target_names[b->target], b->ethernet ? "" : " (raw)", tag ? " (tagged)" : "",
	      b->conf.addr_only ? " (addresses only)" : "", drops ? "drop" : "pass",
	      want ? "drop" : "pass", rule ? rule->id : 0, format_hex(seen), text);
	id = rule ? rule->id : want ? RULE_DEFAULT_ID : 0;
	if (id) {
		b->hits[id].packets++;
		b->hits[id].bytes += seen->len;
		check_hits(b, id, format_hex(seen));
	}
	b->packets[want]++;
	b->bytes[want] += seen->len;
	b->run++;
}

/* Makes a mutated sample or a random packet. */
static void make_packet(struct packet *p)
{
	static const uint8_t telling[] = { 0,    1,    4,    5,    6,    8,    17,   43,
					   44,   51,   58,   60,   0x40, 0x45, 0x60, 0x81,
					   0x86, 0x88, 0xa8, 0xdd, 133,  136,  0xff };
	struct exprs_packet e;

	p->len = 0;
	if (!draw_next(3)) {
		random_packets_next(p);
		return;
	}
	if (draw_next(2)) {
		exprs_draw_packet(&e);
		packet_bytes(p, e.data, e.frame.caplen);
	} else {
		const struct sample *s = &samples[draw_next((uint32_t)nsamples)];

		s->build(p, s->arg);
	}
	for (uint32_t n = draw_next(3) ? 0 : draw_next(5); n; n--)
		p->at[TAG_AT + draw_next((uint32_t)(p->len < 90 ? p->len : 90) - TAG_AT)] =
			draw_next(2) ? telling[draw_next(sizeof(telling))]
				     : (uint8_t)draw_next(256);
	if (!draw_next(6))
		p->len = 14 + draw_next((uint32_t)p->len - 13);
}

/* Moves the IP header to the start. */
static bool cut_ethernet(struct packet *p)
{
	if (p->len < 28)
		return false;
	p->len -= 14;
	memmove(p->at, p->at + 14, p->len);
	return true;
}

/* A random expression that needs only addresses, protocols and lengths. */
static void write_addr_expr(char *text, size_t room, int depth)
{
	static const char *const prims[] = {
		"ip",
		"ip6",
		"arp",
		"net 10.0.0.0/23",
		"src net 192.0.2.0/24",
		"host 10.0.0.1",
		"dst host 192.0.2.2",
		"ip6 net 2001:db8::/33",
		"src host 2001:db8::1",
		"dst net 2001:db8:0:1::/64",
		"net 224.0.0.0/4",
		"ip proto 17",
		"ip6 proto 58",
		"proto 6",
		"udp",
		"tcp",
		"icmp",
		"icmp6",
		"sctp",
		"esp",
		"less 60",
		"greater 90",
		"ether proto 0x88cc",
		"ether proto 0x8100",
		"arp host 10.0.0.1",
		"src set few",
		"dst set ipv4",
		"set ipv6",
		"inbound",
		"outbound",
		"len & 3 = 1",
		"set all",
	};
	char a[TEXT_MAX / 3], b[TEXT_MAX / 3];

	if (depth > 2 || !draw_next(3)) {
		snprintf(text, room, "%s", prims[draw_next(ARRAY_LEN(prims))]);
		return;
	}
	write_addr_expr(a, sizeof(a), depth + 1);
	write_addr_expr(b, sizeof(b), depth + 1);
	if (draw_next(4))
		snprintf(text, room, "(%s) %s (%s)", a, draw_next(2) ? "and" : "or", b);
	else
		snprintf(text, room, "not (%s)", a);
}

/* Writes random valid rules, one a line. */
static void write_rules(char *text, size_t room, bool addr_only, bool may_default)
{
	uint32_t n = 1 + draw_next(RULES_MAX), sets = 0;
	size_t len = 0;

	*text = '\0';
	while (n) {
		char expr[TEXT_MAX], line[TEXT_MAX + 40];
		struct rules alone = { 0 };
		struct diag diag = { 0 };
		int rc;

		if (addr_only)
			write_addr_expr(expr, sizeof(expr), 0);
		else
			exprs_draw_ext_text(expr, sizeof(expr));
		snprintf(line, sizeof(line), "%s %s\n", draw_next(2) ? "drop" : "allow", expr);
		rc = rules_parse(&alone, line, strlen(line), GATE_IN, &exprs_names, &diag);
		rules_close(&alone);
		for (const char *at = line; (at = strstr(at, "set ")); at++)
			sets += 2;
		if (rc || len + strlen(line) > room - 40 || sets > 50)
			n -= rc == 0;
		else {
			len += (size_t)sprintf(text + len, "%s", line);
			n--;
		}
	}
	if (may_default && draw_next(2))
		sprintf(text + len, "default drop\n");
}

static void compare_verdicts(enum target target, bool ethernet)
{
	unsigned int sets = SETS / test_slow() + 1, ran = 0, dropped = 0;
	struct packet p;

	exprs_seed(SEED);
	random_packets_seed(SEED);
	for (unsigned int i = 0; i < sets; i++) {
		char text[8 * TEXT_MAX];
		struct bench b;

		write_rules(text, sizeof(text), false, true);
		if (!*text)
			continue;
		bench_open(&b, target, ethernet, text);
		for (int k = 0; k < packets_per_set(); k++) {
			make_packet(&p);
			if (ethernet || cut_ethernet(&p))
				expect_verdict(&b, &p, target != XDP && ethernet && !draw_next(4),
					       text);
		}
		bench_check(&b, text);
		ran += b.run;
		dropped += b.packets[1] != 0;
		bench_close(&b);
	}
	CHECK(ran > sets * (unsigned int)packets_per_set() / 3 && dropped >= sets / 4,
	      "too few: %u packets, %u sets with drops", ran, dropped);
}

TEST(rules_xdp, "rules: same verdict at XDP as in user space", TEST_ROOT, 120)
{
	compare_verdicts(XDP, true);
}

TEST(rules_tc_in, "rules: same verdict at tc, incoming, as in user space", TEST_ROOT, 120)
{
	compare_verdicts(TC_IN, true);
}

TEST(rules_tc_out, "rules: same verdict at tc, outgoing, as in user space", TEST_ROOT, 120)
{
	compare_verdicts(TC_OUT, true);
}

TEST(rules_raw_ip, "rules: same verdict without a link layer", TEST_ROOT, 180)
{
	for (int f = 0; f < TARGETS; f++)
		compare_verdicts((enum target)f, false);
}

/* Compares the programs for addresses only with the full ones, on the same rules. */
static void compare_programs(enum target target, bool ethernet)
{
	/* Never matches, and needs the full program. */
	static const char full_rule[] = "drop tcp and udp and port 1\n";
	unsigned int sets = SETS / 2 / test_slow() + 1, addr_only = 0;
	struct packet p;

	exprs_seed(SEED + 1);
	random_packets_seed(SEED + 1);
	for (unsigned int i = 0; i < sets; i++) {
		char text[8 * TEXT_MAX], longer[sizeof(text) + sizeof(full_rule)];
		struct bench b, c;

		write_rules(text, sizeof(text), true, false);
		snprintf(longer, sizeof(longer), "%s%s", text, full_rule);
		bench_open(&b, target, ethernet, text);
		bench_open(&c, target, ethernet, longer);
		CHECK(!c.conf.addr_only, "addresses only: %s", longer);
		addr_only += b.conf.addr_only;
		for (int k = 0; k < packets_per_set(); k++) {
			bool tag = target != XDP && ethernet && !draw_next(4);

			make_packet(&p);
			if (!ethernet && !cut_ethernet(&p))
				continue;
			expect_verdict(&b, &p, tag, text);
			expect_verdict(&c, &p, tag, longer);
		}
		bench_check(&b, text);
		bench_check(&c, longer);
		bench_close(&b);
		bench_close(&c);
	}
	CHECK(addr_only > sets / 2, "only %u of %u sets need addresses only", addr_only, sets);
}

TEST(rules_addr_only, "rules: addresses-only programs give the same verdict", TEST_ROOT, 240)
{
	for (int f = 0; f < TARGETS; f++)
		compare_programs((enum target)f, true);
}

TEST(rules_addr_only_raw_ip,
     "rules: addresses-only programs give the same verdict without a link layer", TEST_ROOT, 240)
{
	for (int f = 0; f < TARGETS; f++)
		compare_programs((enum target)f, false);
}

static char *repeat_rule(unsigned int n, const char *fmt)
{
	struct buf text = { 0 };

	for (unsigned int i = 0; i < n; i++)
		buf_printf(&text, fmt, i / 250, 1 + i % 250, 1 + i);
	buf_str(&text, "default drop");
	buf_char(&text, '\0');
	CHECK(!text.nomem, "no memory");
	return text.data;
}

/* The maximum number of rules: they load and the last one decides, or the error is reported. */
TEST(rules_many, "rules: many rules load up to the maximum", TEST_ROOT, 240)
{
	static const char *const fmts[] = {
		"allow src host 10.0.%u.%u # %u\n",
		"allow tcp and dst host 10.0.%u.%u and dst port %u\n",
		"drop udp[0:2] = %u and ip6[%u] = 7 and tcp[8:4] > %u\n",
	};
	unsigned int loaded = 0, tried = 0;

	/* Machines whose verifier takes minutes skip most of them. */
	for (size_t k = 0; k < ARRAY_LEN(fmts); k++)
		for (int f = 0; f < TARGETS; f++)
			for (unsigned int n = test_slow() > 1 ? 40 : 1023; n; n = n > 1000   ? 300
										  : n == 300 ? 40
											     : 0) {
				char *text = repeat_rule(n, fmts[k]);
				struct bench b;
				int rc;

				test_capture();
				rc = bench_try(&b, (enum target)f, true, text);
				if (rc)
					CHECK(strchr(test_captured(), '\n'),
					      "error %d without a message", rc);
				else
					CHECK(!*test_captured(), "output on success");
				loaded += !rc;
				tried++;
				CHECK(!rc || n > 40, "%s: cannot load %u rules: %s",
				      target_names[f], n, fmts[k]);
				bench_close(&b);
				free(text);
			}
	CHECK(loaded > tried / 2, "only %u of %u loaded", loaded, tried);
}

/* Rules that name the same set share it. */
TEST(rules_sets, "rules: rules that name the same set share it", TEST_ROOT, 60)
{
	struct buf text = { 0 };
	struct bench b;
	struct packet p;

	/* The verifier of 5.10 needs longer for each, and a minute for all when emulated. */
	for (int i = 0; i < (test_slow() > 1 ? 5 : 20); i++)
		buf_str(&text, "drop src set ipv6 or dst set ipv4\n");
	buf_char(&text, '\0');
	exprs_seed(SEED);
	for (int f = 0; f < TARGETS; f++) {
		bench_open(&b, (enum target)f, true, text.data);
		for (int i = 0; i < packets_per_set(); i++) {
			make_packet(&p);
			expect_verdict(&b, &p, false, text.data);
		}
		bench_check(&b, text.data);
		bench_close(&b);
	}
	buf_free(&text);
}

/* The number of different sets is limited. */
TEST(rules_many_sets, "rules: too many sets are refused with a message", TEST_ROOT, 60)
{
	static char names[FILTER_SETS_MAX + 1][8];
	struct filter_set of[FILTER_SETS_MAX + 1] = { 0 };
	struct filter filters[FILTER_SETS_MAX + 1] = { 0 };
	const struct filter *list[FILTER_SETS_MAX + 1];
	struct sets sets;

	for (int i = 0; i <= FILTER_SETS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%d", i);
		of[i].name = names[i];
		filters[i] = (struct filter){ .sets = &of[i], .nsets = 1 };
		list[i] = &filters[i];
	}
	CHECK(!sets_open(&sets, list, FILTER_SETS_MAX, "test"), "the maximum does not open");
	sets_close(&sets);
	test_capture();
	CHECK(sets_open(&sets, list, FILTER_SETS_MAX + 1, "test") == -E2BIG,
	      "more than the maximum opens");
	CHECK(strstr(test_captured(), "more than"), "another message");
}

/* An observer returns the gate's decision with extra bits. */
TEST(rules_observed, "rules: an observer sees dropped packets", TEST_ROOT, 60)
{
	struct bench b;
	uint32_t zero = 0;
	struct packet p;
	int fd, rc;

	bench_open(&b, XDP, true, "drop udp or host 10.0.0.1\ndefault drop\nallow tcp");
	if (!b.conf.has_observer)
		SKIP("this kernel does not support tail calls with subprograms");
	const struct bpf_insn insns[] = {
		I_FIRST_VALUE(b.gate.map_fd[GATE_MAP_DECISION]),
		I_JNE(0, 0, 2),
		I_MOV(0, 99),
		I_EXIT,
		I_LOAD(BPF_W, 0, 0, 0),
		I_ADD(0, OBSERVED),
		I_EXIT,
	};
	struct bpf_prog_opts new = { .name = "observer",
				     .type = BPF_PROG_TYPE_XDP,
				     .attach_type = BPF_XDP,
				     .flags = b.conf.multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
				     .insns = insns,
				     .ninsns = ARRAY_LEN(insns),
				     .license = "Dual MIT/GPL" };
	fd = bpf_prog_load(&new);
	CHECK(fd > 0, "cannot load the observer: %s", strerror(-fd));
	exprs_seed(SEED);
	rc = bpf_map_update(b.gate.map_fd[GATE_MAP_OBSERVER], &zero, &fd, BPF_ANY);
	CHECK(!rc, "cannot install the observer: %s", strerror(-rc));
	b.observed = OBSERVED;
	for (int i = 0; i < packets_per_set(); i++) {
		make_packet(&p);
		expect_verdict(&b, &p, false, "observed");
	}
	bench_check(&b, "observed");
	CHECK(b.packets[0] && b.packets[1], "all verdicts are equal");
	close(fd);
	bench_close(&b);
}

/* A gate that replaces another keeps its hits and counters. */
TEST(rules_go_on, "rules: hits are kept when a gate replaces another", TEST_ROOT, 60)
{
	struct gate_load_opts what = { .progs = 1u << GATE_PROG_SONDE_GATE_XDP, .users = 1 };
	const struct link link = { .ifindex = IFINDEX, .name = "bench", .type = ARPHRD_ETHER };
	int maps[GATE_NMAPS] = { 0 };
	struct gate_conf conf;
	struct packet p;
	struct obj next = { 0 };
	struct bench b;

	bench_open(&b, XDP, true, "7 drop udp\n3 allow");
	exprs_seed(SEED);
	memcpy(maps, b.gate.map_fd, sizeof(maps));
	maps[GATE_MAP_RULES_TEXT] = maps[gate_spec.conf_map] = 0;
	what.link = &link;
	what.rules = &b.rules;
	what.replaced = &b.conf;
	what.maps = maps;
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < packets_per_set(); k++) {
			make_packet(&p);
			expect_verdict(&b, &p, false, "going on");
		}
		CHECK(!gate_load(&next, &what, &conf), "cannot load the next gate");
		CHECK(conf.multibuf == b.conf.multibuf, "the conf differs");
		close(b.gate.prog_fd[progs[XDP]]);
		b.gate.prog_fd[progs[XDP]] = dup(next.prog_fd[progs[XDP]]);
		obj_close(&next);
	}
	bench_check(&b, "going on");
	bench_close(&b);
}
