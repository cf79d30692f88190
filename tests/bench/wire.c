/* SPDX-License-Identifier: MIT */
/* The wire and its packet generator: a kernel program that runs on live frames, in a process of its
 * own. */
#define _GNU_SOURCE
#include "base/array.h"
#include "tests/bench/wire.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "sys/bpf.h"
#include "tests/bench/flood.gen.h"
#include "tests/bench/flood.h"
#include "tests/bench/series.h"
#include "tests/lib/cpu.h"

enum {
	FRAME_MAX = 2048,
	BATCH = 64,
	/* Repeats of one system call. Starting and ending one takes tens of milliseconds. */
	REPEAT = INT32_MAX,
	START_TIMEOUT_MS = 2000,
};
#define WARM_UP_S 0.05

void wire_sleep(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* Prevents neighbour discovery, so that only the generator sends packets. */
static void disable_ipv6(void)
{
	static const char *const paths[] = { "/proc/sys/net/ipv6/conf/all/disable_ipv6",
					     "/proc/sys/net/ipv6/conf/default/disable_ipv6" };

	for (unsigned int i = 0; i < ARRAY_LEN(paths); i++) {
		int fd = open(paths[i], O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (write(fd, "1", 1) != 1)
			note("cannot set %s: results are noisier", paths[i]);
		close(fd);
	}
}

/* With GRO the receiving end uses NAPI, which it needs to receive redirected frames. */
static int enable_gro(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = 0;
	struct ethtool_value value = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq ifr = { .ifr_name = WIRE_IFACE };

	ifr.ifr_data = (void *)&value;
	if (sock < 0 || ioctl(sock, SIOCETHTOOL, &ifr))
		rc = -errno;
	if (sock >= 0)
		close(sock);
	return rc ? fail_errno(rc, "cannot enable GRO on %s", WIRE_IFACE) : 0;
}

static int configure_ends(struct wire *w)
{
	int rc = 0;

	for (int side = 0; side < LAB_SIDES && !rc; side++) {
		rc = lab_enter(&w->lab, (enum lab_side)side);
		if (!rc)
			disable_ipv6();
		if (!rc && side == LAB_FAR)
			rc = enable_gro();
	}
	if (!rc)
		rc = lab_enter(&w->lab, LAB_NEAR);
	return rc ? rc : lab_up(&w->lab);
}

int wire_open(struct wire *w)
{
	struct wire got = { 0 };
	int rc;

	if (sysconf(_SC_NPROCESSORS_ONLN) < WIRE_CPUS)
		return fail(
			-ENODEV,
			"the sender and the receiver need one CPU each: this host has only one");
	cpu_pin(WIRE_CPU_RECEIVE); /* this process sleeps most of the time, and must not disturb the
				      sender */
	rc = lab_open(&got.lab);
	if (!rc)
		rc = configure_ends(&got);
	if (rc)
		wire_close(&got);
	else
		*w = got;
	return rc;
}

static void kill_sender(struct wire *w)
{
	if (w->sender > 0) {
		kill(w->sender, SIGKILL);
		while (waitpid(w->sender, NULL, 0) < 0 && errno == EINTR)
			;
	}
	w->sender = 0;
}

void wire_close(struct wire *w)
{
	kill_sender(w);
	obj_close(&w->flood);
	lab_close(&w->lab);
	*w = (struct wire){ 0 };
}

static uint16_t ip_checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(*ip));
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* Addressed to another host: the stack drops it after the receivers. */
void wire_make_frame(uint8_t *frame, unsigned int size)
{
	struct ethhdr eth = { .h_dest = { 2, [5] = 0x99 }, .h_source = { 2, [5] = 1 } };
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(size - sizeof(eth))),
		.id = 0xffff,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = htonl(0xc6120000), /* 198.18.0.0: the range for benchmarks, RFC 2544 */
		.daddr = htonl(0xc6130001),
	};
	struct udphdr udp = {
		.source = htons(0x4000),
		.dest = htons(FLOOD_PORT),
		.len = htons((uint16_t)(size - sizeof(eth) - sizeof(ip))),
	};

	eth.h_proto = htons(ETH_P_IP);
	ip.check = ip_checksum(&ip);
	memset(frame, 0, size);
	memcpy(frame, &eth, sizeof(eth));
	memcpy(frame + sizeof(eth), &ip, sizeof(ip));
	memcpy(frame + sizeof(eth) + sizeof(ip), &udp, sizeof(udp));
}

/* Other processes on this CPU would also replace its caches. (musl's sched_setscheduler() always
 * fails with ENOSYS.) */
static void raise_priority(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param))
		note("the generator shares its CPU: results are noisier");
}

static void send_forever(int prog, const struct wire_flood *flood)
{
	uint8_t frame[FRAME_MAX];
	unsigned int size = flood->size;
	int rc = 0;

	wire_make_frame(frame, size);
	if (flood->broadcast)
		memset(frame, 0xff, ETH_ALEN);
	while (!rc) {
		struct bpf_run run = { .data = frame,
				       .len = size,
				       .repeat = REPEAT,
				       .flags = BPF_F_TEST_XDP_LIVE_FRAMES,
				       .batch = BATCH };

		rc = bpf_prog_run(prog, &run);
	}
	fail_errno(rc, "BPF_PROG_TEST_RUN on live frames");
}

/* A stride near the golden section of the number, without a common divisor, so that each source is
 * used. */
static uint32_t find_stride(uint32_t sources)
{
	for (uint32_t stride = (uint32_t)(sources * 0.618);; stride++) {
		uint32_t a = sources, b = stride;

		while (b) {
			uint32_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a <= 1)
			return stride;
	}
}

static int read_sent(const struct wire *w, uint64_t *sent)
{
	struct flood_counts counts;
	uint32_t zero = 0;
	int rc = bpf_map_lookup(w->flood.map_fd[FLOOD_MAP_COUNTS], &zero, &counts);

	if (!rc)
		*sent = counts.sent;
	return rc;
}

/* How long the generator waited for its CPU; 0 if unknown. (Its CPU time is not suitable: in some
 * kernels it excludes interrupts.) */
static uint64_t read_wait_ns(const struct wire *w)
{
	unsigned long long wait_ns = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)w->sender);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*u %llu", &wait_ns) != 1)
		wait_ns = 0;
	fclose(f);
	return wait_ns;
}

/* Waits until packets are sent and caches are warm, then starts measuring. */
static int wait_for_packets(struct wire *w)
{
	uint64_t deadline = clock_mono() + START_TIMEOUT_MS * UINT64_C(1000000), sent = 0;
	int rc = 0;

	while (!rc && !sent) {
		wire_sleep(0.001);
		rc = read_sent(w, &sent);
		if (!rc && clock_mono() > deadline)
			rc = -ETIMEDOUT;
	}
	wire_sleep(WARM_UP_S);
	w->start_ns = clock_mono();
	w->start_wait_ns = read_wait_ns(w);
	return rc ? rc : read_sent(w, &w->start_sent);
}

int wire_start(struct wire *w, const struct wire_flood *flood)
{
	const struct flood_conf conf = {
		.ifindex = (uint32_t)w->lab.end[LAB_NEAR].link.ifindex,
		.match_every = flood->match_every,
		.ns_per_burst = flood->rate ? FLOOD_BURST * NS_PER_S / flood->rate : 0,
		.sources = flood->sources,
		.stride = find_stride(flood->sources),
		.slices = flood->slices,
	};
	const struct obj_opts opts = { .conf = &conf };
	int rc = obj_open(&w->flood, &flood_spec, &opts);

	if (rc)
		return rc;
	w->sender = fork();
	if (w->sender < 0) {
		obj_close(&w->flood);
		return fail_errno(-errno, "cannot start a process for the generator");
	}
	if (!w->sender) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		cpu_pin(WIRE_CPU_SEND);
		raise_priority();
		send_forever(w->flood.prog_fd[FLOOD_PROG_BENCH_FLOOD], flood);
		_exit(1);
	}
	rc = wait_for_packets(w);
	if (rc) {
		kill_sender(w);
		obj_close(&w->flood);
		return fail_errno(rc, "the generator does not send");
	}
	return 0;
}

static double read_slices(const struct wire *w)
{
	static struct series each;
	struct flood_slices slices;
	uint32_t zero = 0;

	each.n = 0;
	if (bpf_map_lookup(w->flood.map_fd[FLOOD_MAP_SLICES], &zero, &slices))
		return 0;
	for (uint64_t i = 0; i < slices.n && i < FLOOD_SLICES; i++)
		series_add(&each, (double)slices.ns[i] / FLOOD_SLICE);
	return series_spread(&each).p10;
}

int wire_stop(struct wire *w, struct wire_sent *sent)
{
	double ns = (double)(clock_mono() - w->start_ns), packets;
	uint64_t wait_ns = read_wait_ns(w) - w->start_wait_ns, end = 0;
	int rc = read_sent(w, &end);

	kill_sender(w);
	if (!rc)
		rc = read_sent(w, &sent->sent);
	packets = (double)(end - w->start_sent);
	sent->rate = packets / (ns / 1e9);
	sent->packet_ns = packets > 0 ? (ns - (double)wait_ns) / packets : 0;
	sent->slice_ns = read_slices(w);
	obj_close(&w->flood);
	return rc ? fail_errno(rc, "cannot read the generator's counter") : 0;
}

uint64_t wire_count_sent(const struct wire *w)
{
	uint64_t sent = 0;

	return w->sender > 0 && !read_sent(w, &sent) ? sent : 0;
}

int wire_read_received(struct wire *w, uint64_t *packets)
{
	struct link link;
	int rc = link_get(&w->lab.end[LAB_FAR].nl, WIRE_IFACE, 0, &link);

	if (rc)
		return fail_errno(rc, "%s", WIRE_IFACE);
	*packets = link.stats.rx_packets;
	return 0;
}
