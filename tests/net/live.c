/* SPDX-License-Identifier: MIT */
/* Scenarios of live capture: each packet once, unchanged, in order, and filtered exactly. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "obj/feature.h"
#include "tests/lib/cpu.h"
#include "tests/net/file.h"
#include "tests/net/net.h"

enum { PACKETS = 60000, LEN = 100, HEADS = 14 + 20 + 8, FRAME = HEADS + LEN };

static struct sonde a, b;

#define CAPTURE(s, ...) SONDE_START(s, "capture", __VA_ARGS__)

/* The expected properties of each packet of a file. */
struct expected {
	const char *iface;
	uint8_t dir;
	uint32_t caplen, len;
};

static void expect_frame(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	const struct expected *e = arg;

	CHECK(f->caplen == e->caplen && f->len == e->len, "%u of %u bytes, expected %u of %u",
	      f->caplen, f->len, e->caplen, e->len);
	CHECK(f->dir == e->dir && !strcmp(i->name, e->iface), "direction %d at %s", f->dir,
	      i->name);
	CHECK(f->link == FRAME_ETHERNET && f->data[12] == 8 && f->data[23] == IPPROTO_UDP,
	      "the bytes differ from those sent");
}

/* Captured and lost packets add up to those that came; the file has those captured. */
static void expect_sums(const struct sonde *s, const char *path, const struct expected *expected,
			uint64_t arrived)
{
	uint64_t captured = sonde_number(s, "packets captured");
	uint64_t lost = sonde_number(s, "packets dropped by kernel");
	uint64_t in_file = file_read(path, expect_frame, (void *)(uintptr_t)expected);

	CHECK(captured + lost == arrived, "%llu + %llu lost of %llu: %s",
	      (unsigned long long)captured, (unsigned long long)lost, (unsigned long long)arrived,
	      s->err);
	CHECK(in_file == captured, "%llu packets in the file: %s", (unsigned long long)in_file,
	      s->err);
}

/* An option without effect, in place of --ring. */
#define RING(ring) ((ring) ? "--ring" : "-n")

/* Captures a flood to the far side, with a count next to it. hook: as in the note. */
static void capture_flood(const char *at, const char *hook, bool ring)
{
	const struct expected expected = { "sonde1", FRAME_IN, FRAME, FRAME };
	const char *path = file_path("exact.pcapng");
	unsigned int packets = PACKETS / test_slow();
	uint64_t arrived, counted;
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CAPTURE(&a, "-i", "sonde1", "-Q", "in", "--at", at, "-w", path, RING(ring), "udp");
	sonde_await_err(&a, "sonde1: in: ");
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde1", "--at", "tc",
		    "--in");
	sonde_await_err(&b, "in: ");
	lab_enter(&lab, LAB_NEAR);
	arrived = flood_across(&lab, packets, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(strstr(a.err, hook), "%s", a.err);
	CHECK(arrived > packets / 2, "the pair dropped %llu packets: the flood is too fast",
	      (unsigned long long)(packets - arrived));
	expect_sums(&a, path, &expected, arrived);
	/* Also with generic XDP, after which some kernels give tc packets without their Ethernet
	 * header. */
	counted = JSON_SUM(b.out, "packets", "\"direction\":\"in\"", "\"family\":\"ipv4\"",
			   "\"protocol\":\"udp\"");
	CHECK(counted == arrived, "count has %llu of %llu: %s %s", (unsigned long long)counted,
	      (unsigned long long)arrived, b.out, b.err);
	expect_clean(&lab);
}

SCENARIO(live_exact_tc, 60)
{
	capture_flood("tc", "in: ", false);
}

SCENARIO(live_exact_tcx, 60)
{
	if (feature_try("tcx"))
		SKIP("this kernel has no tcx");
	capture_flood("tcx", "in: tcx\n", false);
}

SCENARIO(live_exact_clsact, 60)
{
	capture_flood("clsact", "in: clsact\n", false);
}

SCENARIO(live_exact_xdp_native, 60)
{
	capture_flood("xdp-native", "in: xdp native\n", false);
}

SCENARIO(live_exact_xdp_generic, 60)
{
	capture_flood("xdp-generic", "in: xdp generic\n", false);
}

SCENARIO(live_exact_ring, 60)
{
	capture_flood("tc", "in: ", true);
}

SCENARIO(live_exact_ring_xdp, 60)
{
	capture_flood("xdp", "in: xdp ", true);
}

/* Outgoing packets, before the kernel can drop any. */
SCENARIO(live_exact_out, 60)
{
	const struct expected expected = { "sonde0", FRAME_OUT, FRAME, FRAME };
	const char *path = file_path("out.pcapng");
	unsigned int packets = PACKETS / test_slow();
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	CAPTURE(&a, "-i", "sonde0", "-w", path, "udp");
	sonde_await_err(&a, "out: ");
	lab_flood(&lab, packets, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_sums(&a, path, &expected, packets);
	expect_clean(&lab);
}

/* Stops the process, so that nothing empties its buffer. */
static void pause_sonde(struct sonde *s)
{
	int status;

	kill(s->pid, SIGSTOP);
	CHECK(waitpid(s->pid, &status, WUNTRACED) == s->pid && WIFSTOPPED(status), "%s", s->err);
}

/* The buffer overflows: captured and lost packets add up, and the file is valid. */
static void overflow_buffer(const char *snaplen, bool ring, bool must_lose)
{
	enum { LONG = 1400, MANY = 4000 };
	const struct expected expected = { "sonde1", FRAME_IN, HEADS + LONG, HEADS + LONG };
	const char *path = file_path("loss.pcapng");
	struct lab lab = { 0 };
	uint64_t before, arrived, lost;

	lab_ready(&lab);
	lab_silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CAPTURE(&a, "-i", "sonde1", "-Q", "in", "-B", "64", "-s", snaplen, "-w", path, RING(ring));
	sonde_await_err(&a, "sonde1: in: ");
	lab_enter(&lab, LAB_NEAR);
	before = count_arrived(&lab, 0);
	lost = count_dropped(&lab);
	pause_sonde(&a);
	lab_flood(&lab, MANY, LONG);
	kill(a.pid, SIGCONT);
	lab_flood(&lab, MANY, LONG);
	arrived = all_arrived(&lab, before, 2 * MANY, lost);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_sums(&a, path, &expected, arrived);
	CHECK(!must_lose || sonde_number(&a, "packets dropped by kernel"), "no packet was lost: %s",
	      a.err);
	expect_clean(&lab);
}

SCENARIO(live_loses_mapped, 60)
{
	overflow_buffer("2000", false, true);
	overflow_buffer("262144", false, false);
}

SCENARIO(live_loses_ring, 60)
{
	overflow_buffer("2000", true, true);
	overflow_buffer("262144", true, true);
}

/* Stopped right after the last packet, as text, JSON and file: that packet is captured. */
SCENARIO(live_drains, 60)
{
	enum { TIMES = 5, EACH = 7 };
	const struct expected expected = { "sonde0", FRAME_OUT, FRAME, FRAME };
	const char *path = file_path("drain.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	for (int i = 0; i < TIMES; i++) {
		CAPTURE(&a, "-i", "sonde0", "-Q", "out", "-w", path, RING(i & 1), "udp");
		CAPTURE(&b, "-i", "sonde0", "-Q", "out", i & 2 ? "--json" : "-n", RING(i & 1),
			"udp");
		sonde_await_err(&a, "out: ");
		sonde_await_err(&b, "out: ");
		CHECK(!lab_udp(&lab, AF_INET, EACH, LEN, true), "cannot send");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(!sonde_stop(&b, SIGTERM), "%s", b.err);
		expect_sums(&a, path, &expected, EACH);
		CHECK(lines_of(b.out) == EACH, "%u lines: %s", lines_of(b.out), b.err);
		CHECK(sonde_number(&b, "packets captured") == EACH, "%s", b.err);
	}
	expect_clean(&lab);
}

static void send_pings(const struct lab *lab)
{
	if (lab_ping(lab, AF_INET, 100, LEN))
		_exit(1);
}

static void send_udp(const struct lab *lab)
{
	if (lab_udp(lab, AF_INET, 100, LEN, true))
		_exit(1);
}

static void send_tcp(const struct lab *lab)
{
	if (lab_tcp(lab, AF_INET, 100000))
		_exit(1);
}

/* All start at the same time, each on its own CPU if there are enough. */
static void mixed_traffic(const struct lab *lab)
{
	static void (*const kinds[])(const struct lab *) = { send_pings, send_udp, send_tcp };
	enum { KINDS = ARRAY_LEN(kinds) };
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), status;
	pid_t pids[KINDS];
	int start[2];
	char byte;

	CHECK(!pipe(start), "pipe: %s", strerror(errno));
	for (int i = 0; i < KINDS; i++) {
		pids[i] = fork();
		CHECK(pids[i] >= 0, "fork");
		if (pids[i])
			continue;
		cpu_pin(i % cpus);
		close(start[1]);
		CHECK(!read(start[0], &byte, 1), "cannot read the start signal");
		kinds[i](lab);
		_exit(0);
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < KINDS; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && !status, "cannot send");
}

static void expect_later(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	uint64_t *last = arg;

	(void)i;
	CHECK(f->time_ns >= *last, "time goes back %llu ns",
	      (unsigned long long)(*last - f->time_ns));
	*last = f->time_ns;
}

/* Times since the epoch have a fixed width: they compare as text. */
static void expect_sorted(const char *out)
{
	enum { WIDTH = 10 + 1 + 9 };

	for (const char *next; (next = strchr(out, '\n')) != NULL && next[1]; out = next + 1)
		CHECK(strncmp(out, next + 1, WIDTH) <= 0, "%.*s\nbefore\n%.60s", (int)(next - out),
		      out, next + 1);
}

/* From several CPUs, in both directions, on two interfaces: times never go back. */
static void in_order(bool ring)
{
	const char *path = file_path("order.pcapng");
	struct lab lab = { 0 };
	uint64_t last = 0;

	lab_ready(&lab);
	CAPTURE(&a, "-w", path, RING(ring), "ip");
	CAPTURE(&b, "-n", "-tt", "--nano", "-i", "sonde0", RING(ring), "udp or icmp");
	sonde_await_err(&a, "out: ");
	sonde_await_err(&b, "out: ");
	mixed_traffic(&lab);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(file_read(path, expect_later, &last) >= 400, "%s", a.err);
	CHECK(lines_of(b.out) >= 400, "%s", b.err);
	expect_sorted(b.out);
}

SCENARIO(live_in_order, 60)
{
	in_order(false);
}

SCENARIO(live_in_order_ring, 60)
{
	in_order(true);
}

/* -c N: exactly N packets, and exit code 0. */
SCENARIO(live_count, 60)
{
	const char *path = file_path("count.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int ring = 0; ring < 2; ring++) {
		CAPTURE(&a, "-i", "sonde0", "-c", "5", "-w", path, RING(ring), "udp");
		CAPTURE(&b, "-i", "sonde0", "-c", "5", "-n", RING(ring), "udp");
		sonde_await_err(&a, "out: ");
		sonde_await_err(&b, "out: ");
		CHECK(!lab_udp(&lab, AF_INET, 20, LEN, true), "cannot send");
		CHECK(!sonde_wait(&a), "%s", a.err);
		CHECK(!sonde_wait(&b), "%s", b.err);
		CHECK(file_read(path, NULL, NULL) == 5, "%s", a.err);
		CHECK(sonde_number(&a, "packets captured") == 5, "%s", a.err);
		CHECK(lines_of(b.out) == 5 && sonde_number(&b, "packets captured") == 5, "%s%s",
		      b.out, b.err);
	}
	expect_clean(&lab);
}

/* -s: only the first bytes, and the original length. */
SCENARIO(live_snaplen, 60)
{
	const struct expected expected = { "sonde0", FRAME_OUT, 60, FRAME };
	const char *path = file_path("snaplen.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int ring = 0; ring < 2; ring++) {
		CAPTURE(&a, "-i", "sonde0", "-Q", "out", "-s", "60", "-w", path, RING(ring), "udp");
		sonde_await_err(&a, "out: ");
		CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "cannot send");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		expect_sums(&a, path, &expected, 10);
	}
}

/* Sums the FNV-1a hashes of all lines, in any order. */
static uint64_t sum_lines(const char *out)
{
	uint64_t sum = 0, hash = 14695981039346656037ull;

	for (; *out; out++) {
		hash = (hash ^ (uint8_t)*out) * 1099511628211ull;
		if (*out != '\n')
			continue;
		sum += hash;
		hash = 14695981039346656037ull;
	}
	return sum;
}

/* Returns the first line of some that is not in other; "" if none. */
static const char *line_missing(const char *text, const char *other)
{
	static char line[512];

	for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - text + 1), text);
		if (!strstr(other, line))
			return line;
	}
	return "";
}

/* Traffic that only the test makes: no neighbour or multicast messages. */
static const char *const filters[] = {
	"udp port 4242",
	"src port 4242 and tcp",
	"host 192.0.2.2 and icmp",
	"src net 192.0.2.0/30 and not tcp and ip",
	"tcp[13] & 3 != 0",
	"tcp[tcpflags] & tcp-push != 0 and ip",
	"ip[8] > 60 and ip[2:2] < 200",
	"inbound and ip",
	"outbound and (udp or tcp)",
	"less 100 and ip",
	"greater 1000 and (tcp or udp)",
	"ip6 and (tcp or udp)",
	"ip6 host 2001:db8::2 and udp",
	"dst net 2001:db8::/64 and tcp port 4242",
	"src set %s and not icmp6 and not arp",
};

/* Replaces %s by the name of a set's file, which contains one end of each family. */
static const char *expand_set(const char *filter)
{
	static char texts[ARRAY_LEN(filters)][256];
	static unsigned int next;
	static const char set[] = "192.0.2.2\n10.0.0.0/8\n203.0.113.0/24\n2001:db8::1\n";
	char *text = texts[next++ % (ARRAY_LEN(filters))];
	const char *path;
	int fd;

	if (!strstr(filter, "%s"))
		return filter;
	path = file_path("set.txt");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && write(fd, set, sizeof(set) - 1) == sizeof(set) - 1, "cannot write %s",
	      path);
	close(fd);
	snprintf(text, sizeof(*texts), "%.*s%s%s", (int)strcspn(filter, "%"), filter, path,
		 strstr(filter, "%s") + 2);
	return text;
}

static void all_traffic(const struct lab *lab)
{
	for (int v6 = 0; v6 <= lab->ipv6; v6++) {
		int family = v6 ? AF_INET6 : AF_INET;

		CHECK(!lab_udp(lab, family, 5, LEN, true), "cannot send UDP");
		CHECK(!lab_tcp(lab, family, 5000), "cannot send TCP");
		CHECK(!lab_ping(lab, family, 5, LEN), "cannot ping");
	}
}

/* -r with the same filter selects the same packets from the file. */
static void expect_same_selection(const struct sonde *live, const char *path, const char *text,
				  bool ipv6)
{
	const char *filter = expand_set(text);

	CHECK(!SONDE_RUN(&b, "capture", "-r", path, "-t", "-n", filter), "%s", b.err);
	CHECK(lines_of(b.out) > 1 || !ipv6, "'%s' matches too few packets", filter);
	CHECK(lines_of(b.out) == lines_of(live->out) && sum_lines(b.out) == sum_lines(live->out),
	      "'%s' matched %u live, %u in the file; %s%s", filter, lines_of(live->out),
	      lines_of(b.out), line_missing(live->out, b.out), line_missing(b.out, live->out));
	CHECK(sonde_number(live, "packets captured") == lines_of(b.out), "%s", live->err);
}

/* Many filtered captures at the same time, next to one of all packets. */
SCENARIO(live_filters, 60)
{
	enum { FILTERS = ARRAY_LEN(filters) };
	static struct sonde live[FILTERS];
	const char *path = file_path("all.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	/* Without processes: a socket that closes in between would make a difference. */
	CAPTURE(&a, "-i", "sonde0", "-P", "none", "-w", path);
	sonde_await_err(&a, "out: ");
	for (size_t i = 0; i < FILTERS; i++) {
		CAPTURE(&live[i], "-i", "sonde0", "-P", "none", "-B", "512", "-t", "-n",
			expand_set(filters[i]));
		sonde_await_err(&live[i], "out: ");
	}
	all_traffic(&lab);
	for (size_t i = 0; i < FILTERS; i++)
		CHECK(!sonde_stop(&live[i], SIGINT), "%s", live[i].err);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	for (size_t i = 0; i < FILTERS; i++)
		expect_same_selection(&live[i], path, filters[i], lab.ipv6);
	expect_clean(&lab);
}

/* At XDP, one capture an interface. Without TCP, of which tc may see merged packets. */
SCENARIO(live_filters_xdp, 60)
{
	static const char *const few[] = { "src port 4242 and udp", "ip[8] > 60 and not tcp and ip",
					   "ip6 and udp and greater 100", "set %s and udp" };
	const char *path = file_path("all.pcapng");
	static struct sonde live;
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (size_t i = 0; i < ARRAY_LEN(few); i++) {
		CAPTURE(&a, "-i", "sonde0", "-Q", "in", "-w", path);
		CAPTURE(&live, "-i", "sonde0", "-Q", "in", "--at", "xdp-native", "-t", "-n",
			expand_set(few[i]));
		sonde_await_err(&a, "in: ");
		sonde_await_err(&live, "in: ");
		all_traffic(&lab);
		CHECK(!sonde_stop(&live, SIGINT), "%s", live.err);
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		expect_same_selection(&live, path, few[i], lab.ipv6);
	}
	expect_clean(&lab);
}
