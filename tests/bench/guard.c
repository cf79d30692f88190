/* SPDX-License-Identifier: MIT */
/* Compares the guard's time per packet with bare drops, hashes and common token buckets, in rounds
 * that have all of them. Then floods it from ten million sources. */
#include <stdio.h>
#include "base/array.h"
#include "gen/gate.gen.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "tests/bench/peers.gen.h"
#include "tests/lib/guarded.h"
#include "tests/lib/packet.h"

enum { REPEAT = 2000000, ROUNDS = 7, RANDOM_SOURCES = 10000000, LINES = 8192 };

struct row {
	const char *name;
	int fd;
	uint32_t best_ns;
};

static struct packet packet;

static uint32_t measure_prog(int fd, uint32_t repeat)
{
	struct bpf_run run = { .data = packet.at, .len = (uint32_t)packet.len, .repeat = repeat };

	return bpf_prog_run(fd, &run) ? UINT32_MAX : run.ns;
}

/* Opens the gate with a number of limits that every packet exceeds, or that no packet exceeds
 * (within_limit). lines: size of the table; 0: without the guard. */
static int open_guard(struct obj *gate, uint32_t lines, int limits, bool fine, bool within_limit)
{
	struct gate_conf conf = guarded_conf(lines);
	struct guard_scope *s = &conf.guard.scopes[0];

	conf.guard.jiffy = fine ? 0 : 4000000ull << GUARD_TIME_SHIFT;
	s->sketch_min_packets = 8;
	s->sketch_min_syns = s->sketch_min_blocks = 0x7fff;
	for (int i = 0; i < limits; i++) {
		struct guard_limit limit =
			guarded_limit((enum guard_unit)i, 1000, 2000, GUARD_LIMIT);

		limit.cost = within_limit ? 1 : limit.cost;
		guarded_add(&conf, 0, limit);
	}
	return guarded_open(gate, &conf,
			    1u << (lines ? GATE_PROG_SONDE_GUARD_XDP : GATE_PROG_SONDE_GATE_XDP));
}

static void measure_rows(struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rows[i].best_ns = UINT32_MAX;
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < n; i++) {
			uint32_t ns = measure_prog(rows[i].fd, REPEAT);

			rows[i].best_ns = ns < rows[i].best_ns ? ns : rows[i].best_ns;
		}
	printf("%-44s %6s %10s\n", "one source, 60 bytes, best of 7", "ns", "diff");
	for (size_t i = 0; i < n; i++)
		printf("%-44s %6u %+10d\n", rows[i].name, rows[i].best_ns,
		       (int)(rows[i].best_ns - rows[0].best_ns));
}

static void measure_random_sources(const struct obj *peers, const struct obj *gate)
{
	uint32_t zero = 0;
	int fd = gate->prog_fd[GATE_PROG_SONDE_GUARD_XDP];
	struct guard_sums sums[256];
	uint64_t full = 0, created = 0;

	bpf_map_update(peers->map_fd[PEERS_MAP_NEXT], &zero, &fd, 0);
	printf("%d packets, each from another source: %u ns each", RANDOM_SOURCES,
	       measure_prog(peers->prog_fd[PEERS_PROG_PEER_RANDOM], RANDOM_SOURCES));
	if (bpf_possible_cpus() <= 256 &&
	    !bpf_map_lookup(gate->map_fd[GATE_MAP_GUARD_SUMS], &zero, sums))
		for (int c = 0; c < bpf_possible_cpus(); c++) {
			full += sums[c].sum[GUARD_SUM_FULL].packets;
			created += sums[c].created;
		}
	printf(", table of %u: %llu entries created, %llu packets found it full\n",
	       LINES * GUARD_WAYS, (unsigned long long)created, (unsigned long long)full);
}

int main(void)
{
	struct obj peers = { 0 }, gates[5] = { { 0 } };
	struct obj_opts opts = { 0 };
	int rc = obj_open(&peers, &peers_spec, &opts);

	packet_eth(&packet, 0x0800);
	packet_ipv4(&packet, 17, 5);
	packet_fill(&packet, 0, 26);
	rc = rc ? rc : open_guard(&gates[0], 0, 0, false, false);
	rc = rc ? rc : open_guard(&gates[1], LINES, 1, false, false);
	rc = rc ? rc : open_guard(&gates[2], LINES, 1, true, false);
	rc = rc ? rc : open_guard(&gates[3], LINES, 2, false, false);
	rc = rc ? rc : open_guard(&gates[4], LINES, 1, false, true);
	if (rc)
		return 1;
	struct row rows[] = {
		{ "XDP_DROP", peers.prog_fd[PEERS_PROG_PEER_DROP], 0 },
		{ "a hash of sources", peers.prog_fd[PEERS_PROG_PEER_HASH], 0 },
		{ "a token bucket in an LRU hash", peers.prog_fd[PEERS_PROG_PEER_BUCKET], 0 },
		{ "the gate alone, counting", gates[0].prog_fd[GATE_PROG_SONDE_GATE_XDP], 0 },
		{ "guard: a source over its limit", gates[1].prog_fd[GATE_PROG_SONDE_GUARD_XDP],
		  0 },
		{ "guard: the same with the precise clock",
		  gates[2].prog_fd[GATE_PROG_SONDE_GUARD_XDP], 0 },
		{ "guard: over the first of two limits",
		  gates[3].prog_fd[GATE_PROG_SONDE_GUARD_XDP], 0 },
		{ "guard: a source within its limit", gates[4].prog_fd[GATE_PROG_SONDE_GUARD_XDP],
		  0 },
	};

	measure_rows(rows, ARRAY_LEN(rows));
	measure_random_sources(&peers, &gates[1]);
	return 0;
}
