/* SPDX-License-Identifier: MIT */
/* How the gate classifies packets: samples, whole, truncated and mutated, in all its programs. */
#include <errno.h>
#include <string.h>
#include "gen/gate.gen.h"
#include "sys/bpf.h"
#include "tests/lib/cpu.h"
#include "tests/lib/draw.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum {
	ETH_LEN = 14, /* also the minimum of BPF_PROG_TEST_RUN */
	MUTATIONS = 20000,
	OTHER_ROOM = 1024,
};

static void build_sample(struct packet *p, const struct sample *s)
{
	p->len = 0;
	s->build(p, s->arg);
}

TEST(gate_samples, "gate: every sample is counted under its protocol", TEST_ROOT, 60)
{
	struct packet p;
	struct fixture r;

	fixture_open(&r, true);
	for (size_t i = 0; i < nsamples; i++) {
		const struct sample *s = &samples[i];
		struct gate_row want = { .family = s->family, .proto = s->proto, .packets = 1 };
		struct packet_class o;

		build_sample(&p, s);
		want.bytes = p.len;
		o = reference_classify(p.at, p.len, true);
		CHECK(o.family == s->family && o.proto == s->proto,
		      "%s: the reference parser returns family %d, protocol %x", s->name, o.family,
		      o.proto);
		for (int f = 0; f < TARGETS; f++)
			fixture_expect(&r, (enum target)f, p.at, p.len, NULL, &want);
	}
	fixture_empty(&r);
	fixture_close(&r);
}

/* After the headers nothing changes: long samples are not cut at every byte there. */
static size_t next_cut(size_t cut, size_t len)
{
	return cut >= 256 && cut + 64 < len ? cut + 61 : cut + 1;
}

TEST(gate_truncated, "gate: truncated samples are counted right at every length", TEST_ROOT, 120)
{
	struct packet p;
	struct fixture r;

	fixture_open(&r, true);
	for (size_t i = 0; i < nsamples; i++) {
		build_sample(&p, &samples[i]);
		for (size_t cut = ETH_LEN; cut <= p.len; cut = next_cut(cut, p.len))
			for (int f = 0; f < TARGETS; f++)
				fixture_compare(&r, (enum target)f, p.at, cut, true);
	}
	fixture_empty(&r);
	fixture_close(&r);
}

void packet_mutate(struct packet *p, uint64_t *seed)
{
	static const uint8_t telling[] = { 0,    1,    4,    5,    6,    8,    17,   43,
					   44,   51,   58,   60,   0x40, 0x45, 0x4f, 0x60,
					   0x81, 0x86, 0x88, 0xa8, 0xdd, 0xff };
	uint32_t near = p->len < 110 ? (uint32_t)p->len : 110;

	for (uint32_t n = draw_below(seed, 5); n; n--) {
		uint32_t at = draw_below(seed, 4) ? 12 + draw_below(seed, near - 12)
						  : draw_below(seed, near);

		p->at[at] = draw_below(seed, 3) ? telling[draw_below(seed, sizeof(telling))]
						: (uint8_t)draw_below(seed, 256);
	}
	if (!draw_below(seed, 3))
		p->len = ETH_LEN + draw_below(seed, (uint32_t)p->len - ETH_LEN + 1);
}

static void compare_mutations(bool ethernet)
{
	unsigned int seen[GATE_FAMILIES][2] = { 0 }, few = MUTATIONS / 20 / test_slow();
	struct packet p;
	struct fixture r;

	fixture_open(&r, ethernet);
	for (int f = 0; f < TARGETS; f++) {
		uint64_t seed = 0x736f6e6465 + (uint64_t)f;

		for (int i = 0; i < MUTATIONS / (int)test_slow(); i++) {
			size_t skip = ethernet ? 0 : ETH_LEN;
			struct packet_class o;

			build_sample(&p, &samples[draw_below(&seed, (uint32_t)nsamples)]);
			packet_mutate(&p, &seed);
			if (p.len < skip + ETH_LEN)
				continue;
			fixture_compare(&r, (enum target)f, p.at + skip, p.len - skip, ethernet);
			o = reference_classify(p.at + skip, p.len - skip, ethernet);
			seen[o.family][o.proto == GATE_PROTO_BAD]++;
		}
	}
	/* The test needs some of each family. */
	for (int v = GATE_IPV4; v <= GATE_IPV6; v++)
		CHECK(seen[v][0] > few && seen[v][1] > few, "too few mutations of family %d", v);
	CHECK(!ethernet || (seen[GATE_ARP][0] && seen[GATE_OTHER][0] && seen[GATE_OTHER][1]),
	      "too few mutations of ARP or others");
	fixture_empty(&r);
	fixture_close(&r);
}

TEST(gate_mutated, "gate: mutated packets are counted as the standards define", TEST_ROOT, 120)
{
	compare_mutations(true);
}

TEST(gate_raw_ip_mutated, "gate: mutated packets without a link layer are counted right", TEST_ROOT,
     120)
{
	compare_mutations(false);
}

TEST(gate_raw_ip, "gate: packets without a link layer are counted right", TEST_ROOT, 120)
{
	unsigned int whole = 0;
	struct packet p;
	struct fixture r;

	fixture_open(&r, false);
	for (size_t i = 0; i < nsamples; i++) {
		struct packet_class with, without;

		build_sample(&p, &samples[i]);
		if (memcmp(p.at + 12, "\x08\0", 2) && memcmp(p.at + 12, "\x86\xdd", 2))
			continue;
		with = reference_classify(p.at, p.len, true);
		without = reference_classify(p.at + ETH_LEN, p.len - ETH_LEN, false);
		/* Only the version gives the family: it cannot be wrong here. */
		whole += with.family == without.family && with.proto == without.proto;
		for (size_t cut = 2 * ETH_LEN; cut <= p.len; cut = next_cut(cut, p.len))
			for (int f = 0; f < TARGETS; f++)
				fixture_compare(&r, (enum target)f, p.at + ETH_LEN, cut - ETH_LEN,
						false);
	}
	CHECK(whole > 40, "only %u samples are IP", whole);
	fixture_empty(&r);
	fixture_close(&r);
}

/* Runs the XDP program and leaves the counters. */
static void run_xdp(struct fixture *r, const struct packet *p)
{
	struct bpf_run run = { .data = p->at, .len = (uint32_t)p->len };

	CHECK(!bpf_prog_run(r->gate.prog_fd[GATE_PROG_SONDE_GATE_XDP], &run), "cannot run");
	CHECK(run.ret == XDP_PASS, "returns %u", run.ret);
}

static uint64_t packets_of(const struct gate_counters *t, uint8_t family, uint32_t proto)
{
	struct gate_row key = { GATE_IN, family, GATE_PASS, proto, 0, 0 };
	const struct gate_row *row = gate_counters_find(t, &key);

	return row ? row->packets : 0;
}

static void run_type(struct fixture *r, uint16_t type)
{
	struct packet p = { .len = 0 };

	packet_eth(&p, type);
	packet_fill(&p, 0, 46);
	run_xdp(r, &p);
}

static void run_ip(struct fixture *r, bool six, uint8_t proto)
{
	struct packet p = { .len = 0 };

	packet_eth(&p, six ? 0x86dd : 0x0800);
	if (six)
		packet_ipv6(&p, proto);
	else
		packet_ipv4(&p, proto, 5);
	packet_fill(&p, 0, 46);
	run_xdp(r, &p);
}

TEST(gate_other_full, "gate: packets without room for a row are still counted", TEST_ROOT, 60)
{
	enum { EXTRA = 300, FIRST = 0x1000 };
	uint64_t packets = 0, bytes = 0, more;
	struct gate_counters t;
	struct fixture r;

	fixture_open(&r, true);
	for (int i = 0; i < OTHER_ROOM + EXTRA; i++)
		run_type(&r, (uint16_t)(FIRST + i));
	run_type(&r, FIRST);    /* has a row */
	run_ip(&r, false, 253); /* no row for these */
	run_ip(&r, true, 253);
	run_ip(&r, false, 17); /* and one in a fixed row */
	fixture_read(&r, GATE_IN, &t);
	for (size_t i = 0; i < t.n; i++) {
		packets += t.rows[i].packets;
		bytes += t.rows[i].bytes;
	}
	more = packets_of(&t, GATE_OTHER, GATE_PROTO_MORE);
	CHECK(packets == OTHER_ROOM + EXTRA + 4, "%llu packets", (unsigned long long)packets);
	CHECK(bytes == (OTHER_ROOM + EXTRA + 1) * 60ull + 2 * 80 + 100, "%llu bytes",
	      (unsigned long long)bytes);
	CHECK(more == EXTRA, "%llu packets without a row, expected %d", (unsigned long long)more,
	      EXTRA);
	CHECK(t.n == OTHER_ROOM + 4, "%zu rows", t.n);
	CHECK(packets_of(&t, GATE_OTHER, FIRST) == 2, "wrong row for the first EtherType");
	CHECK(packets_of(&t, GATE_IPV4, GATE_PROTO_MORE) == 1, "wrong row for other IPv4 packets");
	CHECK(packets_of(&t, GATE_IPV6, GATE_PROTO_MORE) == 1, "wrong row for other IPv6 packets");
	CHECK(packets_of(&t, GATE_IPV4, 17) == 1, "wrong row for UDP");
	gate_counters_free(&t);
	fixture_close(&r);
}

/* A row for each length would fill the map with rows of the same name. */
TEST(gate_other_llc, "gate: 802.3 frames of all lengths share one row", TEST_ROOT, 60)
{
	struct gate_counters t;
	struct fixture r;

	fixture_open(&r, true);
	for (uint16_t len = 0; len < 0x600; len++)
		run_type(&r, len);
	fixture_read(&r, GATE_IN, &t);
	CHECK(t.n == 1 && t.rows[0].packets == 0x600 && t.rows[0].bytes == 0x600 * 60,
	      "%zu rows, the first of %llu packets", t.n,
	      t.n ? (unsigned long long)t.rows[0].packets : 0);
	gate_counters_free(&t);
	fixture_close(&r);
}

TEST(gate_cpus, "gate: counters are summed over CPUs", TEST_ROOT, 60)
{
	enum { EACH = 50 };
	struct gate_counters t;
	int cpus, used = 0;
	struct fixture r;

	fixture_open(&r, true);
	cpus = bpf_possible_cpus();
	CHECK(cpus > 0, "possible CPUs: %s", strerror(-cpus));
	for (int c = 0; c < cpus; c++) {
		if (cpu_pin(c))
			continue; /* possible, not online */
		used++;
		for (int i = 0; i < EACH; i++) {
			run_ip(&r, false, 17);
			run_type(&r, 0x88cc);
		}
	}
	fixture_read(&r, GATE_IN, &t);
	CHECK(used && t.n == 2, "%d CPUs, %zu rows", used, t.n);
	for (size_t i = 0; i < t.n; i++)
		CHECK(t.rows[i].packets == (uint64_t)used * EACH, "%llu packets from %d CPUs",
		      (unsigned long long)t.rows[i].packets, used);
	gate_counters_free(&t);
	fixture_close(&r);
	if (used < 2)
		SKIP("only one CPU is online");
}
