/* SPDX-License-Identifier: MIT */
/* The guard's buckets, table and bans, on one CPU and several. */
#define _GNU_SOURCE
#include <errno.h>
#include <net/if_arp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "gate/load.h"
#include "gen/gate.gen.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "tests/lib/cpu.h"
#include "tests/lib/draw.h"
#include "tests/lib/exprs.h"
#include "tests/lib/guarded.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { LINES = 1024, ENTRIES = LINES * GUARD_WAYS };

/* The gate with a guard, its table mapped. */
struct guarded {
	struct obj gate;
	struct gate_conf conf;
	struct guard_line *table;
	size_t size;
};

static void set_up(struct guarded *g, uint32_t lines)
{
	*g = (struct guarded){ .conf = guarded_conf(lines) };
}

static struct guard_scope *scope_of(struct guarded *g, int i)
{
	return &g->conf.guard.scopes[i];
}

static void open_guard(struct guarded *g)
{
	CHECK(!guarded_open(&g->gate, &g->conf, 0), "cannot load the gate");
	g->size = (size_t)GUARD_SIZE(g->conf.guard.lines) * sizeof(*g->table);
	g->table = mmap(NULL, g->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			g->gate.map_fd[GATE_MAP_GUARD], 0);
	CHECK(g->table != MAP_FAILED, "cannot map the table: %s", strerror(errno));
}

static void close_guard(struct guarded *g)
{
	munmap(g->table, g->size);
	obj_close(&g->gate);
}

static void make_udp(struct packet *p, uint32_t src)
{
	p->len = 0;
	packet_eth(p, 0x0800);
	packet_ipv4(p, 17, 5);
	packet_udp(p, 18);
	packet_fill(p, 0, 18);
	memcpy(p->at + 14 + 12, &src, sizeof(src));
}

/* Runs one program repeat times. Returns the last result. */
static uint32_t run_prog(const struct guarded *g, int prog, const struct packet *p, uint32_t repeat,
			 uint32_t *ns)
{
	struct bpf_run run = { .data = p->at, .len = (uint32_t)p->len, .repeat = repeat };
	int rc = bpf_prog_run(g->gate.prog_fd[prog], &run);

	CHECK(!rc, "cannot run: %s", strerror(-rc));
	if (ns)
		*ns = run.ns;
	return run.ret;
}

static uint32_t run_xdp(const struct guarded *g, const struct packet *p)
{
	return run_prog(g, GATE_PROG_SONDE_GUARD_XDP, p, 1, NULL);
}

static struct guard_rec *rec_of(const struct guarded *g, uint32_t entry)
{
	return (struct guard_rec *)(g->table + GUARD_RECS(g->conf.guard.lines) + entry);
}

/* Sums the packets that all entries passed. */
static uint64_t sum_passed(const struct guarded *g)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < GUARD_RECS(g->conf.guard.lines) * GUARD_WAYS; i++)
		sum += rec_of(g, i)->passed;
	return sum;
}

static struct guard_sums sums_of(const struct guarded *g)
{
	static struct guard_sums cpu[256];
	struct guard_sums sum = { 0 };
	uint32_t zero = 0;

	CHECK(bpf_possible_cpus() <= (int)ARRAY_LEN(cpu), "more CPUs than this test supports");
	CHECK(!bpf_map_lookup(g->gate.map_fd[GATE_MAP_GUARD_SUMS], &zero, cpu),
	      "cannot read the sums");
	for (int c = 0; c < bpf_possible_cpus(); c++)
		for (size_t i = 0; i < sizeof(sum) / sizeof(uint64_t); i++)
			((uint64_t *)&sum)[i] += ((const uint64_t *)&cpu[c])[i];
	return sum;
}

/* Finds the only used entry. */
static struct guard_rec *only_entry(const struct guarded *g)
{
	struct guard_rec *found = NULL;

	for (uint32_t i = 0; i < GUARD_RECS(g->conf.guard.lines) * GUARD_WAYS; i++) {
		if (!((uint64_t *)g->table)[i])
			continue;
		CHECK(!found, "more than one entry");
		found = rec_of(g, i);
	}
	CHECK(found, "no entry");
	return found;
}

/* Sends as fast as one CPU can, for a while. */
struct sender {
	const struct guarded *g;
	const struct packet *p;
	int cpu;
	uint64_t until;
	/* first: the start. last: the time of the last packets, by the coarse clock, which advances
	 * by ticks (on a busy host by more than one). gap: the longest pause. */
	uint64_t first, last, gap;
	pthread_t thread;
};

static void *flood_from(void *arg)
{
	struct sender *s = arg;
	uint64_t before;

	cpu_pin(s->cpu);
	run_prog(s->g, GATE_PROG_SONDE_GUARD_XDP, s->p, 1, NULL);
	s->first = before = clock_mono();
	for (uint64_t now; (now = clock_mono()) < s->until; before = now) {
		struct timespec ts;

		clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
		s->last = (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
		s->gap = now - before > s->gap ? now - before : s->gap;
		run_prog(s->g, GATE_PROG_SONDE_GUARD_XDP, s->p, 5000, NULL);
	}
	return NULL;
}

/* each: bytes of a packet, or 0 to count packets. The packets accepted of a flood from several
 * threads are rate times time plus burst, within 1 %. On a busy host the threads may pause for
 * longer than a short burst makes up for. */
static void expect_exact(struct guarded *g, int threads, uint64_t rate, uint64_t burst,
			 uint64_t each)
{
	struct sender s[8];
	uint64_t start, first = UINT64_MAX, last = 0, gap = UINT64_MAX, least, want, got;
	/* Emulated CPUs pause at times; what they do not send is not accepted. */
	uint64_t part = test_slow() > 1 ? 10 : 100;
	struct packet p;

	make_udp(&p, 0x0100000a);
	/* Creates the bucket, full, before the threads start: one that creates it might pause. */
	run_prog(g, GATE_PROG_SONDE_GUARD_XDP, &p, 1, NULL);
	start = clock_mono();
	for (int i = 0; i < threads; i++) {
		s[i] = (struct sender){ .g = g, .p = &p, .cpu = i, .until = start + 2 * NS_PER_S };
		CHECK(!pthread_create(&s[i].thread, NULL, flood_from, &s[i]),
		      "cannot start a thread");
	}
	for (int i = 0; i < threads; i++) {
		pthread_join(s[i].thread, NULL);
		last = s[i].last > last ? s[i].last : last;
		first = s[i].first < first ? s[i].first : first;
		gap = s[i].gap < gap ? s[i].gap : gap;
	}
	want = burst + rate * (clock_mono() - start) / NS_PER_S;
	least = burst + rate * (last - first) / NS_PER_S;
	each = each ? each : p.len;
	got = sum_passed(g) * each;
	CHECK(got <= want + want / 100 &&
		      (burst < gap * rate / NS_PER_S || got + least / part + each >= least),
	      "%d threads: %llu accepted, expected %llu to %llu", threads, (unsigned long long)got,
	      (unsigned long long)least, (unsigned long long)want);
	close_guard(g);
}

static uint64_t jiffy_ns(void)
{
	struct timespec ts;

	clock_getres(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_nsec;
}

TEST(guard_exact, "guard: the accepted rate is exact across CPUs", TEST_ROOT, 120)
{
	struct guarded g;

	for (int threads = 1; threads <= 4; threads *= test_slow() > 1 ? 4 : 2) {
		set_up(&g, LINES);
		guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 10000, 10000, GUARD_LIMIT));
		g.conf.guard.jiffy = jiffy_ns() << GUARD_TIME_SHIFT;
		open_guard(&g);
		expect_exact(&g, threads, 10000, 10000, 1);
		set_up(&g, LINES);
		guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 30000, 1, GUARD_LIMIT));
		open_guard(&g);
		expect_exact(&g, threads, 30000, 1, 1);
		set_up(&g, LINES);
		guarded_add(&g.conf, 0,
			    guarded_limit(GUARD_PACKETS, 1000000, 10000000, GUARD_LIMIT));
		guarded_add(&g.conf, 0, guarded_limit(GUARD_BITS, 600000, 600000, GUARD_LIMIT));
		open_guard(&g);
		expect_exact(&g, threads, 600000, 600000, 0);
	}
}

/* Each source has its own bucket. The packets that the sketch passed before are charged to it. */
TEST(guard_sketch, "guard: packets before a source has an entry are charged to it", TEST_ROOT, 10)
{
	struct guarded g;
	struct packet p;
	uint32_t pass = 0;

	set_up(&g, LINES);
	guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 1, 100, GUARD_LIMIT));
	scope_of(&g, 0)->sketch_min_packets = 10;
	scope_of(&g, 0)->sketch_min_blocks = 0x4000;
	open_guard(&g);
	for (uint32_t src = 1; src <= 1000; src++) {
		make_udp(&p, src);
		CHECK(run_xdp(&g, &p) == XDP_PASS, "the first packet is dropped");
	}
	CHECK(!sums_of(&g).created, "sources with one packet have entries");
	make_udp(&p, 0x01020304);
	for (int i = 0; i < 200; i++)
		pass += run_xdp(&g, &p) == XDP_PASS;
	CHECK(sums_of(&g).created == 1, "%llu entries", (unsigned long long)sums_of(&g).created);
	/* 9 passed before the entry; the second before may have passed as many. */
	CHECK(pass >= 90 && pass <= 93, "%u passed of a burst of 100", pass);
	CHECK(only_entry(&g)->dropped == 200 - pass, "%llu dropped",
	      (unsigned long long)only_entry(&g)->dropped);
	close_guard(&g);
}

/* More sources than entries: sources that already have an entry are not affected, those without one
 * share a limit. */
TEST(guard_full, "guard: sources with an entry are not affected by a full table", TEST_ROOT, 10)
{
	uint32_t pass = 0;
	struct guard_sums sums;
	struct guarded g;
	struct packet p;

	set_up(&g, 16);
	guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 1, 50, GUARD_LIMIT));
	open_guard(&g);
	make_udp(&p, 0xffffffff);
	CHECK(run_xdp(&g, &p) == XDP_PASS, "the first packet is dropped");
	for (uint32_t src = 1; src <= 1000; src++) {
		make_udp(&p, src * 2654435761u);
		pass += run_xdp(&g, &p) == XDP_PASS;
	}
	sums = sums_of(&g);
	CHECK(sums.created <= 128 && sums.created > 120, "%llu entries",
	      (unsigned long long)sums.created);
	CHECK(sums.sum[GUARD_SUM_FULL].packets == 1001 - sums.created, "%llu without room",
	      (unsigned long long)sums.sum[GUARD_SUM_FULL].packets);
	CHECK(pass + 1 >= sums.created + 50 && pass + 1 <= sums.created + 53, "%u passed", pass);
	CHECK(sums.sum[GUARD_SUM_SHARED].packets == 1000 - pass, "%llu over the shared limit",
	      (unsigned long long)sums.sum[GUARD_SUM_SHARED].packets);
	make_udp(&p, 0xffffffff);
	for (int i = 0; i < 40; i++)
		CHECK(run_xdp(&g, &p) == XDP_PASS, "a source with an entry is dropped");
	close_guard(&g);
}

static uint32_t now_tick(void)
{
	return (uint32_t)(clock_mono() >> GUARD_TICK_SHIFT);
}

static uint32_t ban_left(const struct guard_rec *rec)
{
	return (uint32_t)guard_tick_diff(guard_ban_until(rec->ban), now_tick());
}

/* Makes an entry's state older by ticks. */
static void let_pass(struct guard_rec *rec, uint32_t ticks)
{
	rec->ban = guard_ban_word(guard_ban_until(rec->ban) - ticks, guard_ban_level(rec->ban),
				  guard_ban_reason(rec->ban));
	for (int i = 0; i < GUARD_SCOPE_LIMITS; i++)
		rec->tat[i] -= (uint64_t)ticks << (GUARD_TICK_SHIFT + GUARD_TIME_SHIFT);
}

TEST(guard_bans, "guard: bans expire, double, and reset after a quiet time", TEST_ROOT, 10)
{
	enum { BAN = 1000, QUIET = 100 };
	struct guard_limit limit = guarded_limit(GUARD_PACKETS, 1, 5, GUARD_BAN);
	struct guard_rec *rec;
	struct guarded g;
	struct packet p;

	limit.ban = BAN;
	set_up(&g, LINES);
	guarded_add(&g.conf, 0, limit);
	g.conf.guard.ban_max = BAN * 5;
	open_guard(&g);
	make_udp(&p, 0x01020304);
	for (uint32_t level = 1; level <= 4; level++) {
		uint32_t len = BAN << (level - 1) < BAN * 5 ? BAN << (level - 1) : BAN * 5;

		for (int i = 0; i < 5; i++)
			CHECK(run_xdp(&g, &p) == XDP_PASS, "level %u, packet %d", level, i);
		CHECK(run_xdp(&g, &p) == XDP_DROP, "a packet over the limit passes");
		rec = only_entry(&g);
		CHECK(guard_ban_level(rec->ban) == level, "ban level %u",
		      guard_ban_level(rec->ban));
		CHECK(ban_left(rec) >= len - 2 && ban_left(rec) <= len,
		      "banned for %u ticks, expected %u", ban_left(rec), len);
		/* Packets during a ban extend it. */
		let_pass(rec, len - 10);
		CHECK(run_xdp(&g, &p) == XDP_DROP, "a banned source passes");
		CHECK(ban_left(rec) >= QUIET - 2 && ban_left(rec) <= QUIET,
		      "ban not extended: %u left", ban_left(rec));
		let_pass(rec, QUIET + 1);
	}
	/* After a quiet time it starts at level 1 again. */
	let_pass(rec, QUIET + 1);
	for (int i = 0; i < 5; i++)
		CHECK(run_xdp(&g, &p) == XDP_PASS, "after a quiet time, packet %d", i);
	CHECK(run_xdp(&g, &p) == XDP_DROP, "a packet over the limit passes");
	CHECK(guard_ban_level(rec->ban) == 1, "ban level %u", guard_ban_level(rec->ban));
	CHECK(sums_of(&g).bans[0] == 5, "%llu bans", (unsigned long long)sums_of(&g).bans[0]);
	close_guard(&g);
}

/* A dry run counts the same decisions and drops nothing. */
TEST(guard_dry, "guard: a dry run counts and drops nothing", TEST_ROOT, 10)
{
	struct guarded g;
	struct packet p;

	set_up(&g, LINES);
	g.conf.guard.enforce = 0;
	guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 1, 10, GUARD_LIMIT));
	open_guard(&g);
	make_udp(&p, 0x01020304);
	for (int i = 0; i < 100; i++)
		CHECK(run_xdp(&g, &p) == XDP_PASS, "dropped in a dry run");
	CHECK(only_entry(&g)->passed >= 10 && only_entry(&g)->passed <= 12, "%llu would pass",
	      (unsigned long long)only_entry(&g)->passed);
	CHECK(sums_of(&g).sum[0].packets == 100 - only_entry(&g)->passed, "%llu would be dropped",
	      (unsigned long long)sums_of(&g).sum[0].packets);
	close_guard(&g);
}

/* Sends 20 packets from one source and counts those over a limit of SYNs. */
static void expect_syns(uint16_t frag, uint8_t flags, bool syn)
{
	struct guarded g;
	struct packet p = { .len = 0 };
	uint32_t src = 0x01020304;
	uint64_t over;

	set_up(&g, LINES);
	guarded_add(&g.conf, 0, guarded_limit(GUARD_SYNS, 1, 5, GUARD_LIMIT));
	open_guard(&g);
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 6, 5);
	packet_ipv4_frag(&p, frag);
	packet_tcp(&p, 5);
	memcpy(p.at + 14 + 12, &src, sizeof(src));
	p.at[14 + 20 + 13] = flags;
	for (int i = 0; i < 20; i++)
		run_xdp(&g, &p);
	over = sums_of(&g).sum[0].packets;
	CHECK(syn ? over >= 13 && over <= 15 : !over,
	      "fragment %#x, flags %#x: %llu over the limit", frag, flags,
	      (unsigned long long)over);
	close_guard(&g);
}

/* Truncated headers, or headers that a fragment might overlap, cannot hide flags (RFC 1858, RFC
 * 3128). */
TEST(guard_fragments, "guard: fragments do not evade SYN limits", TEST_ROOT, 10)
{
	enum { SYN = 2, ACK = 16, MORE = 0x2000, DONT = 0x4000 };

	expect_syns(0, SYN, true);
	expect_syns(DONT, SYN, true);
	expect_syns(0, ACK, false);
	expect_syns(DONT, ACK, false);
	expect_syns(MORE, ACK, true);
	expect_syns(1, ACK, true);
	expect_syns(MORE | 1, 0, true);
	expect_syns(2, SYN, false);
	expect_syns(MORE | 100, SYN, false);
}

/* Sources are keyed by a prefix, separately from destinations; IPv6 as well. */
TEST(guard_keys, "guard: limits apply to prefixes, destinations and IPv6", TEST_ROOT, 10)
{
	struct guarded g;
	struct packet p = { .len = 0 };
	uint32_t pass = 0;

	set_up(&g, LINES);
	g.conf.guard.nscopes = 2;
	g.conf.guard.scopes[1] = (struct guard_scope){ .key = GUARD_DST,
						       .mask4 = ~0u,
						       .mask = { ~0ull, ~0ull },
						       .sketch_min_packets = 1,
						       .sketch_min_syns = 1,
						       .sketch_min_blocks = 1 };
	guarded_add(&g.conf, 0, guarded_limit(GUARD_PACKETS, 1, 10, GUARD_LIMIT));
	guarded_add(&g.conf, 1, guarded_limit(GUARD_PACKETS, 1, 25, GUARD_LIMIT));
	open_guard(&g);
	packet_eth(&p, 0x86dd);
	packet_ipv6(&p, 17);
	packet_udp(&p, 0);
	for (int net = 0; net < 10; net++) {
		for (int i = 0; i < 20; i++) {
			p.at[14 + 8 + 7] = (uint8_t)net;      /* within /64 */
			p.at[14 + 8 + 15] = (uint8_t)(i * 7); /* outside /64 */
			pass += run_xdp(&g, &p) == XDP_PASS;
		}
		CHECK(net || (pass >= 10 && pass <= 11), "%u of one /64", pass);
	}
	CHECK(pass >= 25 && pass <= 26, "%u to one destination", pass);
	CHECK(sums_of(&g).created == 11, "%llu entries", (unsigned long long)sums_of(&g).created);
	close_guard(&g);
}

/* The whole guard on packets of any kind, in every program: each returns a verdict. */
TEST(guard_mutated, "guard: mutated packets all get a verdict", TEST_ROOT, 120)
{
	struct guarded g;
	uint64_t seed = 0x6775617264;
	struct packet p;

	set_up(&g, 16);
	g.conf.guard.nscopes = GUARD_SCOPES_MAX;
	g.conf.guard.conns = g.conf.guard.ports = g.conf.guard.cookies = 1;
	for (int s = 0; s < GUARD_SCOPES_MAX; s++) {
		*scope_of(&g, s) = (struct guard_scope){ .key = (uint8_t)(s % 3),
							 .mask4 = ~0u,
							 .mask = { ~0ull, ~0ull },
							 .sketch_min_packets = 2,
							 .sketch_min_syns = 1,
							 .sketch_min_blocks = 100 };
		guarded_add(&g.conf, s, guarded_limit(GUARD_PACKETS, 1000, 100, GUARD_BAN));
		guarded_add(&g.conf, s, guarded_limit(GUARD_BITS, 1000000, 1000000, GUARD_LIMIT));
		guarded_add(&g.conf, s, guarded_limit(GUARD_SYNS, 1, 1, GUARD_LIMIT));
		guarded_add(&g.conf, s, (struct guard_limit){ .full = 1, .unit = GUARD_OPEN });
	}
	open_guard(&g);
	for (int i = 0; i < 40000 / (int)test_slow(); i++) {
		const struct sample *s = &samples[draw_below(&seed, (uint32_t)nsamples)];

		p.len = 0;
		s->build(&p, s->arg);
		packet_mutate(&p, &seed);
		for (int f = 0; f < 2; f++) {
			static const int progs[] = { GATE_PROG_SONDE_GUARD_XDP,
						     GATE_PROG_SONDE_GUARD_IN };
			struct bpf_run run = { .data = p.at, .len = (uint32_t)p.len };
			int rc = bpf_prog_run(g.gate.prog_fd[progs[f]], &run);

			CHECK(!rc || rc == -EINVAL, "cannot run: %s", strerror(-rc));
		}
	}
	CHECK(sums_of(&g).created > 50, "%llu entries", (unsigned long long)sums_of(&g).created);
	close_guard(&g);
}

static int load_guarded(uint32_t prog, const char *allow, const char *text)
{
	const struct link link = { .ifindex = 1, .name = "bench", .type = ARPHRD_ETHER };
	struct guard_plan plan = { 0 };
	struct rules rules = { 0 };
	struct diag diag = { 0 };
	struct obj gate = { 0 };
	struct gate_load_opts opts = { .link = &link,
				       .progs = 1u << prog,
				       .users = GATE_USER_FILTER | GATE_USER_GUARD,
				       .rules = *text ? &rules : NULL,
				       .guard = &plan };
	int rc;

	CHECK(!guard_plan_open(&plan), "cannot open the plan");
	CHECK(!guard_plan_add_limit(&plan, "src 10 syns/s ban 60s", 21, &diag), "%s", diag.msg);
	CHECK(!guard_plan_add_limit(&plan, "src 10 connections", 18, &diag), "%s", diag.msg);
	if (*allow)
		CHECK(!guard_plan_add_allow(&plan, allow, &exprs_names, &diag), "%s", diag.msg);
	plan.conf.cookies = true;
	CHECK(!guard_plan_finish(&plan, NULL), "cannot finish the plan");
	CHECK(!rules_parse(&rules, text, strlen(text), GATE_IN, &exprs_names, &diag), "%s",
	      diag.msg);
	CHECK(!rules_assign_ids(&rules, 0), "cannot number the rules");
	rc = gate_load(&gate, &opts, NULL);
	obj_close(&gate);
	rules_close(&rules);
	guard_plan_close(&plan);
	return rc;
}

/* Rules and allowed packets use 64 bytes of stack, a lookup in a set another 64: the guard's own
 * frame must leave room for both. Linux 5.10 verifies either with sets, but not both: they exceed a
 * million instructions. */
TEST(guard_stack, "guard: loads with rules and sets within the stack limit", TEST_ROOT, 120)
{
	static const char deep[] =
		"len - (len - (len - (len - (len - (len - (len - 1)))))) > 3 and "
		"src set ipv6";
	static const char rule[] = "drop src set ipv4 or src set ipv6\n";
	static const uint32_t progs[] = { GATE_PROG_SONDE_GUARD_XDP, GATE_PROG_SONDE_GUARD_IN };

	for (size_t i = 0; i < ARRAY_LEN(progs); i++) {
		const char *name = gate_spec.progs[progs[i]].name;
		int rc = load_guarded(progs[i], deep, "");

		CHECK(!rc, "%s: allow: %s", name, strerror(-rc));
		rc = load_guarded(progs[i], "", rule);
		CHECK(!rc, "%s: rules: %s", name, strerror(-rc));
		rc = load_guarded(progs[i], deep, rule);
		CHECK(!rc || rc == -E2BIG, "%s: both: %s", name, strerror(-rc));
	}
}
