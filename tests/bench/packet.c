/* SPDX-License-Identifier: MIT */
/* Measures the time per packet: the gate's programs and empty ones, run by the kernel on the same
 * packets. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "gate/counters.h"
#include "gen/gate.gen.h"
#include "obj/feature.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "tests/bench/bench.h"
#include "tests/lib/cpu.h"

enum {
	FRAME_MAX = 1500,
	TC_NEXT = -1,
	RUN_MS = 60, /* duration of one measurement: millions of packets */
	FIRST_REPEAT = 100000,
};

double packet_common_ns, packet_other_ns;

struct packet {
	const char *name;
	int family, proto;
	uint32_t len;
	bool vlan, counters_other;
};
static const struct packet packets[] = {
	{ "UDP/IPv4, 64 bytes", AF_INET, IPPROTO_UDP, 64, false, false },
	{ "TCP/IPv6, 1400 bytes", AF_INET6, IPPROTO_TCP, 1400, false, false },
	{ "VLAN, UDP/IPv4, 68 bytes", AF_INET, IPPROTO_UDP, 68, true, false },
	{ "protocol 253/IPv4, 64 bytes", AF_INET, 253, 64, false, true },
};
enum { PACKETS = ARRAY_LEN(packets) };

/* The gate's programs. Each is compared with an empty one of its type. */
static const struct hook_row {
	const char *name;
	unsigned int prog;
	bool xdp;
	enum gate_dir dir;
} hooks[] = {
	{ "XDP, in", GATE_PROG_SONDE_GATE_XDP, true, GATE_IN },
	{ "tc, in", GATE_PROG_SONDE_GATE_IN, false, GATE_IN },
	{ "tc, out", GATE_PROG_SONDE_GATE_OUT, false, GATE_OUT },
};
enum { HOOKS = ARRAY_LEN(hooks) };

/* Measurements of one program on one packet. diff_ns: from the empty program in the same round. */
struct measurement {
	uint32_t repeat[2];
	struct series ns[2], diff_ns;
};
static struct measurement measurements[HOOKS][PACKETS];
static uint64_t packets_run[GATE_DIRS];

static void put_ip4(uint8_t *at, const struct packet *p, size_t len)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)len),
		.ttl = 64,
		.protocol = (uint8_t)p->proto,
		.saddr = htonl(0x0a000001),
		.daddr = htonl(0x0a000002),
	};

	memcpy(at, &ip, sizeof(ip));
}

static void put_ip6(uint8_t *at, const struct packet *p, size_t len)
{
	struct ipv6hdr ip = {
		.version = 6,
		.payload_len = htons((uint16_t)(len - sizeof(ip))),
		.nexthdr = (uint8_t)p->proto,
		.hop_limit = 64,
	};
	struct tcphdr tcp = { .doff = 5, .ack = 1 };

	ip.saddr.s6_addr[15] = 1;
	ip.daddr.s6_addr[15] = 2;
	memcpy(at, &ip, sizeof(ip));
	memcpy(at + sizeof(ip), &tcp, sizeof(tcp));
}

static void make_frame(uint8_t frame[FRAME_MAX], const struct packet *p)
{
	uint16_t type = htons(p->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);
	uint16_t tag[2] = { htons(ETH_P_8021Q), htons(42) };
	size_t at = 2 * ETH_ALEN;

	memset(frame, 0, FRAME_MAX);
	frame[5] = 2;
	frame[11] = 1;
	if (p->vlan) {
		memcpy(frame + at, tag, sizeof(tag));
		at += sizeof(tag);
	}
	memcpy(frame + at, &type, sizeof(type));
	at += sizeof(type);
	if (p->family == AF_INET)
		put_ip4(frame + at, p, p->len - at);
	else
		put_ip6(frame + at, p, p->len - at);
}

static int load_empty(bool xdp)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = xdp ? XDP_PASS : TC_NEXT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct bpf_prog_opts prog = {
		.name = "bench_empty",
		.type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS,
		.attach_type = xdp ? BPF_XDP : 0,
		.insns = insns,
		.ninsns = ARRAY_LEN(insns),
		.license = "Dual MIT/GPL",
	};
	int fd = bpf_prog_load(&prog);

	return fd < 0 ? fail_errno(fd, "cannot load an empty program") : fd;
}

int bench_load_gate(struct obj *gate, uint32_t progs)
{
	const struct gate_conf conf = {
		.magic = GATE_MAGIC,
		.version = GATE_VERSION,
		.ethernet = 1,
		.multibuf = !feature_try("XDP frames in several buffers"),
		.ifindex = 1,
	};
	const struct obj_opts opts = {
		.conf = &conf,
		.progs = progs,
		.xdp_flags = conf.multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
	};

	return obj_open(gate, &gate_spec, &opts);
}

/* Measures this thread's CPU time, which excludes other processes and has fractions of a nanosecond
 * per packet. The kernel's own result is elapsed time in whole nanoseconds. */
static int measure_prog(int fd, const uint8_t *frame, uint32_t len, uint32_t repeat, double *ns)
{
	struct bpf_run run = { .data = frame, .len = len, .repeat = repeat };
	uint64_t start = clock_read(CLOCK_THREAD_CPUTIME_ID);
	int rc = bpf_prog_run(fd, &run);

	*ns = (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - start) / repeat;
	return rc ? fail_errno(rc, "BPF_PROG_TEST_RUN") : 0;
}

static int measure_pair(struct measurement *measurement, const struct packet *p,
			const struct hook_row *hook, const int fds[2], bool first)
{
	uint8_t frame[FRAME_MAX];
	double ns[2] = { 0 };
	int rc = 0;

	make_frame(frame, p);
	for (int i = 0; i < 2 && !rc; i++) {
		uint32_t repeat = first ? FIRST_REPEAT : measurement->repeat[i];

		rc = measure_prog(fds[i], frame, p->len, repeat, &ns[i]);
		packets_run[hook->dir] += i ? repeat : 0;
		if (first && !rc)
			measurement->repeat[i] = (uint32_t)(RUN_MS * 1e6 / (ns[i] + 1)) + 1;
		else if (!rc)
			series_add(&measurement->ns[i], ns[i]);
	}
	if (!first && !rc)
		series_add(&measurement->diff_ns, ns[1] - ns[0]);
	return rc;
}

/* Checks that the intended code was measured: every packet was counted, none as malformed. */
static int check_counters(const struct obj *gate)
{
	struct gate_counters t = { 0 };
	uint64_t counted[GATE_DIRS] = { 0 };
	bool bad = false;
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS && !rc; dir++)
		rc = gate_counters_read(&t, gate->map_fd[GATE_MAP_COUNTERS],
					gate->map_fd[GATE_MAP_COUNTERS_OTHER], (enum gate_dir)dir);
	for (size_t i = 0; i < t.n && !rc; i++) {
		counted[t.rows[i].dir] += t.rows[i].packets;
		bad = bad || t.rows[i].proto >= GATE_PROTO_BAD;
	}
	gate_counters_free(&t);
	if (rc)
		return fail_errno(rc, "cannot read the counters");
	if (bad || counted[GATE_IN] != packets_run[GATE_IN] ||
	    counted[GATE_OUT] != packets_run[GATE_OUT])
		return fail(-EIO, "the gate's counters differ from the packets that were run");
	return 0;
}

static void print_measurement(const struct hook_row *hook, const struct packet *p,
			      const struct measurement *c)
{
	struct spread empty = series_spread(&c->ns[0]), gate = series_spread(&c->ns[1]);
	struct spread diff_ns = series_spread(&c->diff_ns);
	double *worst = p->counters_other ? &packet_other_ns : &packet_common_ns;

	printf("  %-8s %-28s %7.1f %7.1f %7.2fx %8.1f %7.1f %7.1f\n", hook->name, p->name,
	       empty.median, gate.median, gate.median / empty.median, diff_ns.median, diff_ns.min,
	       diff_ns.p90);
	if (hook->xdp && diff_ns.median > *worst)
		*worst = diff_ns.median;
}

/* Measures everything in each round, so that a disturbance affects all. Round 0 finds the repeat
 * counts. */
static int measure_all(const struct obj *gate, const int empty[2], unsigned int rounds)
{
	for (unsigned int round = 0; round <= rounds; round++)
		for (int h = 0; h < HOOKS; h++)
			for (int p = 0; p < PACKETS; p++) {
				int fds[2] = { empty[hooks[h].xdp], gate->prog_fd[hooks[h].prog] };
				int rc = measure_pair(&measurements[h][p], &packets[p], &hooks[h],
						      fds, !round);

				if (rc)
					return rc;
			}
	return 0;
}

int bench_packets(unsigned int rounds)
{
	struct obj gate = { 0 };
	int empty[2] = { 0 }, rc;

	cpu_pin_here();
	rc = bench_load_gate(&gate, 0);
	for (int xdp = 0; xdp < 2 && !rc; xdp++) {
		empty[xdp] = load_empty(xdp);
		if (empty[xdp] < 0)
			rc = empty[xdp];
	}
	if (!rc)
		rc = measure_all(&gate, empty, rounds);
	if (!rc)
		rc = check_counters(&gate);
	for (int xdp = 0; xdp < 2; xdp++)
		if (empty[xdp] > 0)
			close(empty[xdp]);
	obj_close(&gate);
	if (rc)
		return rc;
	printf("Nanoseconds per packet with BPF_PROG_TEST_RUN: medians of %u rounds of %d ms.\n"
	       "diff: gate less empty in the same round: median, minimum, 90th percentile.\n\n"
	       "  %-8s %-28s %7s %7s %8s %8s %7s %7s\n",
	       rounds, RUN_MS, "hook", "packet", "empty", "gate", "ratio", "diff", "min", "p90");
	for (int h = 0; h < HOOKS; h++)
		for (int p = 0; p < PACKETS; p++)
			print_measurement(&hooks[h], &packets[p], &measurements[h][p]);
	printf("\n");
	return 0;
}
