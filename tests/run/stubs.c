/* SPDX-License-Identifier: MIT */
/* Stubs that return any 32 bits: those of the packet's source address. A compiler that presumes the
 * empty stub's result would drop the code for the other results. */
#include <string.h>
#include "base/array.h"
#include "bpf/capture.h"
#include "bpf/view.h"
#include "gen/capture.gen.h"
#include "gen/gate.gen.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "tests/lib/guarded.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { CPUS_MAX = 1024, LINES = 1024 };

static const struct bpf_insn answer_insns[] = {
	I_LOAD(BPF_W, 0, 1, offsetof(struct view, src)),
	I_EXIT,
};
static const struct obj_code answer = { .insns = answer_insns, .n = ARRAY_LEN(answer_insns) };

/* Makes a UDP packet for which the stub returns these bits. */
static void make_packet(struct packet *p, uint32_t bits)
{
	p->len = 0;
	packet_eth(p, 0x0800);
	packet_ipv4(p, 17, 5);
	packet_udp(p, 18);
	packet_fill(p, 0, 18);
	memcpy(p->at + 14 + 12, &bits, sizeof(bits));
}

static uint32_t run_stub(int prog, uint32_t bits)
{
	struct packet p;
	struct bpf_run run = { .data = p.at };
	int rc;

	make_packet(&p, bits);
	run.len = (uint32_t)p.len;
	rc = bpf_prog_run(prog, &run);
	CHECK(!rc, "cannot run: %s", strerror(-rc));
	return run.ret;
}

/* Sums the hits of the rule that this result names. */
static uint64_t sum_hits(const struct obj *gate, uint32_t bits)
{
	static struct gate_hit each[CPUS_MAX];
	uint32_t slot = (bits & GATE_ANSWER_SLOT) - 1;
	uint64_t sum = 0;

	if (slot >= GATE_RULES_MAX)
		return 0;
	CHECK(bpf_possible_cpus() <= CPUS_MAX, "more CPUs than this test supports");
	CHECK(!bpf_map_lookup(gate->map_fd[GATE_MAP_HITS], &slot, each), "cannot read the hits");
	for (int i = 0; i < bpf_possible_cpus(); i++)
		sum += each[i].packets;
	return sum;
}

static void check_gate(const struct obj *gate, int prog, uint32_t bits)
{
	bool xdp = gate_spec.progs[prog].type == BPF_PROG_TYPE_XDP, drops = bits & GATE_ANSWER_DROP;
	uint32_t want = xdp ? (drops ? XDP_DROP : XDP_PASS) : (drops ? 2 : (uint32_t)-1), got;
	uint32_t slot = bits & GATE_ANSWER_SLOT;
	uint64_t before = sum_hits(gate, bits), after;

	got = run_stub(gate->prog_fd[prog], bits);
	CHECK(got == want, "%s: the rules return %#x, the gate %d, expected %d",
	      gate_spec.progs[prog].name, bits, (int)got, (int)want);
	after = sum_hits(gate, bits);
	CHECK(after - before == (slot && slot <= GATE_RULES_MAX),
	      "%s: the rules return %#x, %llu hits counted", gate_spec.progs[prog].name, bits,
	      (unsigned long long)(after - before));
}

TEST(stubs_gate, "gate: every bit of the rules' result is used", TEST_ROOT, 60)
{
	static const int progs[] = { GATE_PROG_SONDE_GATE_XDP, GATE_PROG_SONDE_GATE_IN,
				     GATE_PROG_SONDE_GATE_OUT, GATE_PROG_SONDE_GUARD_XDP,
				     GATE_PROG_SONDE_GUARD_IN };
	const struct gate_conf conf = { .magic = GATE_MAGIC,
					.version = GATE_VERSION,
					.ethernet = 1,
					.has_rules = 1,
					.addr_only = 1,
					.groups = VIEW_ADDRS };

	for (size_t i = 0; i < ARRAY_LEN(progs); i++) {
		struct obj_code stubs[GATE_NPROGS] = { [0] = { 0 } };
		struct obj_opts opts = { .conf = &conf,
					 .stubs = stubs,
					 .progs = 1u << progs[i],
					 .no_tail_calls = true };
		struct obj gate = { 0 };

		stubs[progs[i]] = answer;
		CHECK(!obj_open(&gate, &gate_spec, &opts), "cannot load the gate");
		for (int bit = 0; bit < 32; bit++)
			check_gate(&gate, progs[i], 1u << bit);
		check_gate(&gate, progs[i], 0);
		check_gate(&gate, progs[i], GATE_ANSWER_DROP | 1);
		check_gate(&gate, progs[i], GATE_ANSWER_DROP | GATE_RULES_MAX);
		obj_close(&gate);
	}
}

/* The first packet passes. The second passes only if the rules allow its source. */
static void check_guard(int prog, uint32_t bits)
{
	struct obj_code stubs[GATE_NPROGS] = { [0] = { 0 } };
	struct gate_conf conf = guarded_conf(LINES);
	const struct obj_map maps[GATE_NMAPS] = {
		[GATE_MAP_GUARD] = { .max_entries = GUARD_SIZE(conf.guard.lines) }
	};
	struct obj_opts opts = { .conf = &conf,
				 .stubs = stubs,
				 .maps = maps,
				 .progs = 1u << prog,
				 .no_tail_calls = true };
	bool xdp = gate_spec.progs[prog].type == BPF_PROG_TYPE_XDP;
	uint32_t pass = xdp ? XDP_PASS : (uint32_t)-1, drop = xdp ? XDP_DROP : 2, got;
	struct obj gate = { 0 };

	conf.has_allow = conf.addr_only = 1;
	conf.groups = VIEW_ADDRS;
	guarded_add(&conf, 0, guarded_limit(GUARD_PACKETS, 1, 1, GUARD_LIMIT));
	stubs[prog] = answer;
	CHECK(!obj_open(&gate, &gate_spec, &opts), "cannot load the guard");
	got = run_stub(gate.prog_fd[prog], bits);
	CHECK(got == pass, "%#x: the first packet: %d", bits, (int)got);
	got = run_stub(gate.prog_fd[prog], bits);
	CHECK(got == (bits & GATE_ANSWER_ALLOW ? pass : drop), "%#x: the second packet: %d", bits,
	      (int)got);
	obj_close(&gate);
}

TEST(stubs_guard, "guard: every bit of the rules' result is used", TEST_ROOT, 60)
{
	static const int progs[] = { GATE_PROG_SONDE_GUARD_XDP, GATE_PROG_SONDE_GUARD_IN };

	for (size_t i = 0; i < ARRAY_LEN(progs); i++) {
		check_guard(progs[i], GATE_ANSWER_ALLOW);
		check_guard(progs[i], ~(uint32_t)GATE_ANSWER_ALLOW);
		check_guard(progs[i], 1);
	}
}

static uint64_t sum_matched(const struct obj *capture)
{
	static struct capture_counts each[CPUS_MAX];
	uint32_t zero = 0;
	uint64_t sum = 0;

	CHECK(bpf_possible_cpus() <= CPUS_MAX, "more CPUs than this test supports");
	CHECK(!bpf_map_lookup(capture->map_fd[CAPTURE_MAP_COUNTS], &zero, each),
	      "cannot read the counts");
	for (int i = 0; i < bpf_possible_cpus(); i++)
		sum += each[i].matched;
	return sum;
}

TEST(stubs_capture, "capture: every bit of a filter's result is used", TEST_ROOT, 60)
{
	static const int progs[] = { CAPTURE_PROG_SONDE_RING_XDP, CAPTURE_PROG_SONDE_RING_IN,
				     CAPTURE_PROG_SONDE_RING_OUT };
	const struct capture_conf conf = {
		.snaplen = 60,
		.ethernet = 1,
		.filter = 1,
		.groups = VIEW_ADDRS,
		.multibuf = !feature_try("XDP frames in several buffers"),
	};

	for (size_t i = 0; i < ARRAY_LEN(progs); i++) {
		struct obj_code stubs[CAPTURE_NPROGS] = { [0] = { 0 } };
		struct obj_opts opts = { .conf = &conf,
					 .stubs = stubs,
					 .progs = 1u << progs[i],
					 .no_tail_calls = true };
		struct obj capture = { 0 };

		stubs[progs[i]] = answer;
		CHECK(!obj_open(&capture, &capture_spec, &opts), "cannot load capture");
		for (int bit = -1; bit < 32; bit++) {
			uint32_t bits = bit < 0 ? 0 : 1u << bit;
			uint64_t before = sum_matched(&capture);

			run_stub(capture.prog_fd[progs[i]], bits);
			CHECK(sum_matched(&capture) - before == (bits != 0),
			      "%s: the filter returns %#x, %llu packets match",
			      capture_spec.progs[progs[i]].name, bits,
			      (unsigned long long)(sum_matched(&capture) - before));
		}
		obj_close(&capture);
	}
}
