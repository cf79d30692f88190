/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde capture, live: each packet once, as it was, in order, and chosen rightly. */
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

/* What each packet of a file is to be like. */
struct like {
	const char *iface;
	uint8_t dir;
	uint32_t caplen, len;
};

static void expect_like(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	const struct like *l = arg;

	CHECK(f->caplen == l->caplen && f->len == l->len, "%u of %u bytes instead of %u of %u",
	      f->caplen, f->len, l->caplen, l->len);
	CHECK(f->dir == l->dir && !strcmp(i->name, l->iface), "%d at %s", f->dir, i->name);
	CHECK(f->link == FRAME_ETHERNET && f->data[12] == 8 && f->data[23] == IPPROTO_UDP,
	      "other bytes than were sent");
}

/* What was printed and what is in the file add up to what came by. */
static void expect_sums(const struct sonde *s, const char *path, const struct like *like,
			uint64_t came)
{
	uint64_t captured = sonde_said(s, "packets captured");
	uint64_t lost = sonde_said(s, "packets dropped by kernel");
	uint64_t there = file_read(path, expect_like, (void *)(uintptr_t)like);

	CHECK(captured + lost == came, "%llu + %llu lost of %llu: %s", (unsigned long long)captured,
	      (unsigned long long)lost, (unsigned long long)came, s->err);
	CHECK(there == captured, "%llu packets in the file: %s", (unsigned long long)there, s->err);
}

/* Filler where an option is left out: harmless. */
#define RING(ring) ((ring) ? "--ring" : "-n")

/* Floods into the far side, with a count beside. hook: as the note is to say it. */
static void exact(const char *at, const char *hook, bool ring)
{
	const struct like like = { "sonde1", FRAME_IN, FRAME, FRAME };
	const char *path = file_path("exact.pcapng");
	unsigned int packets = PACKETS / test_slow();
	uint64_t came, counted;
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CAPTURE(&a, "-i", "sonde1", "-Q", "in", "--at", at, "-w", path, RING(ring), "udp");
	sonde_await_err(&a, "sonde1: in: ");
	SONDE_START(&b, "count", "--json", "--once", "-d", "1h", "-i", "sonde1", "--at", "tc",
		    "--in");
	sonde_await_err(&b, "in: ");
	lab_enter(&lab, LAB_NEAR);
	came = flood_across(&lab, packets, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(strstr(a.err, hook), "%s", a.err);
	CHECK(came > packets / 2, "the pair dropped %llu packets: too fast a flood",
	      (unsigned long long)(packets - came));
	expect_sums(&a, path, &like, came);
	/* With generic XDP, too, behind which some kernels hand tc packets without their header. */
	counted = JSON_SUM(b.out, "packets", "\"direction\":\"in\"", "\"family\":\"ipv4\"",
			   "\"protocol\":\"udp\"");
	CHECK(counted == came, "count says %llu of %llu: %s %s", (unsigned long long)counted,
	      (unsigned long long)came, b.out, b.err);
	expect_clean(&lab);
}

SCENARIO(live_exact_tc, 60)
{
	exact("tc", "in: ", false);
}

SCENARIO(live_exact_tcx, 60)
{
	if (feature_try("tcx"))
		SKIP("this kernel has no tcx");
	exact("tcx", "in: tcx\n", false);
}

SCENARIO(live_exact_clsact, 60)
{
	exact("clsact", "in: clsact\n", false);
}

SCENARIO(live_exact_xdp_native, 60)
{
	exact("xdp-native", "in: xdp native\n", false);
}

SCENARIO(live_exact_xdp_generic, 60)
{
	exact("xdp-generic", "in: xdp generic\n", false);
}

SCENARIO(live_exact_ring, 60)
{
	exact("tc", "in: ", true);
}

SCENARIO(live_exact_ring_xdp, 60)
{
	exact("xdp", "in: xdp ", true);
}

/* What goes out, of which the kernel has not dropped any yet. */
SCENARIO(live_exact_out, 60)
{
	const struct like like = { "sonde0", FRAME_OUT, FRAME, FRAME };
	const char *path = file_path("out.pcapng");
	unsigned int packets = PACKETS / test_slow();
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	CAPTURE(&a, "-i", "sonde0", "-w", path, "udp");
	sonde_await_err(&a, "out: ");
	flood(&lab, packets, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_sums(&a, path, &like, packets);
	expect_clean(&lab);
}

/* Stopped for a while: nobody empties its memory. */
static void pause_sonde(struct sonde *s)
{
	int status;

	kill(s->pid, SIGSTOP);
	CHECK(waitpid(s->pid, &status, WUNTRACED) == s->pid && WIFSTOPPED(status), "%s", s->err);
}

/* More comes than there is room for: what was kept and what was lost add up, and the file is
 * whole. */
static void loses(const char *snaplen, bool ring, bool surely)
{
	enum { LONG = 1400, MANY = 4000 };
	const struct like like = { "sonde1", FRAME_IN, HEADS + LONG, HEADS + LONG };
	const char *path = file_path("loss.pcapng");
	struct lab lab = { 0 };
	uint64_t before, came, lost;

	lab_ready(&lab);
	silence(&lab);
	lab_enter(&lab, LAB_FAR);
	CAPTURE(&a, "-i", "sonde1", "-Q", "in", "-B", "64", "-s", snaplen, "-w", path, RING(ring));
	sonde_await_err(&a, "sonde1: in: ");
	lab_enter(&lab, LAB_NEAR);
	before = arrived(&lab, 0);
	lost = dropped(&lab);
	pause_sonde(&a);
	flood(&lab, MANY, LONG);
	kill(a.pid, SIGCONT);
	flood(&lab, MANY, LONG);
	came = all_arrived(&lab, before, 2 * MANY, lost);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	expect_sums(&a, path, &like, came);
	CHECK(!surely || sonde_said(&a, "packets dropped by kernel"), "nothing was lost: %s",
	      a.err);
	expect_clean(&lab);
}

SCENARIO(live_loses_area, 60)
{
	loses("2000", false, true);
	loses("262144", false, false);
}

SCENARIO(live_loses_ring, 60)
{
	loses("2000", true, true);
	loses("262144", true, true);
}

/* Ended at once behind the last packet, as text, JSON and file, a few times: it is there. */
SCENARIO(live_drains, 60)
{
	enum { TIMES = 5, EACH = 7 };
	const struct like like = { "sonde0", FRAME_OUT, FRAME, FRAME };
	const char *path = file_path("drain.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	silence(&lab);
	for (int i = 0; i < TIMES; i++) {
		CAPTURE(&a, "-i", "sonde0", "-Q", "out", "-w", path, RING(i & 1), "udp");
		CAPTURE(&b, "-i", "sonde0", "-Q", "out", i & 2 ? "--json" : "-n", RING(i & 1),
			"udp");
		sonde_await_err(&a, "out: ");
		sonde_await_err(&b, "out: ");
		CHECK(!lab_udp(&lab, AF_INET, EACH, LEN, true), "traffic");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(!sonde_stop(&b, SIGTERM), "%s", b.err);
		expect_sums(&a, path, &like, EACH);
		CHECK(lines_of(b.out) == EACH, "%u lines: %s", lines_of(b.out), b.err);
		CHECK(sonde_said(&b, "packets captured") == EACH, "%s", b.err);
	}
	expect_clean(&lab);
}

static void ping4(const struct lab *lab)
{
	if (lab_ping(lab, AF_INET, 100, LEN))
		_exit(1);
}

static void udp4(const struct lab *lab)
{
	if (lab_udp(lab, AF_INET, 100, LEN, true))
		_exit(1);
}

static void tcp4(const struct lab *lab)
{
	if (lab_tcp(lab, AF_INET, 100000))
		_exit(1);
}

/* All begin at once, each on a CPU of its own if there are so many. */
static void mixed_traffic(const struct lab *lab)
{
	static void (*const kinds[])(const struct lab *) = { ping4, udp4, tcp4 };
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
		CHECK(!read(start[0], &byte, 1), "the signal to start");
		kinds[i](lab);
		_exit(0);
	}
	close(start[0]);
	close(start[1]);
	for (int i = 0; i < KINDS; i++)
		CHECK(waitpid(pids[i], &status, 0) == pids[i] && !status, "traffic");
}

static void expect_later(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	uint64_t *last = arg;

	(void)i;
	CHECK(f->time_ns >= *last, "%llu ns back", (unsigned long long)(*last - f->time_ns));
	*last = f->time_ns;
}

/* Times of the epoch have the same width: they compare as texts. */
static void expect_sorted(const char *out)
{
	enum { WIDTH = 10 + 1 + 9 };

	for (const char *next; (next = strchr(out, '\n')) != NULL && next[1]; out = next + 1)
		CHECK(strncmp(out, next + 1, WIDTH) <= 0, "%.*s\nbefore\n%.60s", (int)(next - out),
		      out, next + 1);
}

/* From several CPUs, in both directions, of two interfaces: times never go back. */
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

/* -c: so many, not one more, and a good end. */
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
		CHECK(!lab_udp(&lab, AF_INET, 20, LEN, true), "traffic");
		CHECK(!sonde_wait(&a), "%s", a.err);
		CHECK(!sonde_wait(&b), "%s", b.err);
		CHECK(file_read(path, NULL, NULL) == 5, "%s", a.err);
		CHECK(sonde_said(&a, "packets captured") == 5, "%s", a.err);
		CHECK(lines_of(b.out) == 5 && sonde_said(&b, "packets captured") == 5, "%s%s",
		      b.out, b.err);
	}
	expect_clean(&lab);
}

/* -s: the first bytes only, and how many there were. */
SCENARIO(live_snaplen, 60)
{
	const struct like like = { "sonde0", FRAME_OUT, 60, FRAME };
	const char *path = file_path("snaplen.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int ring = 0; ring < 2; ring++) {
		CAPTURE(&a, "-i", "sonde0", "-Q", "out", "-s", "60", "-w", path, RING(ring), "udp");
		sonde_await_err(&a, "out: ");
		CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "traffic");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		expect_sums(&a, path, &like, 10);
	}
}

/* The sum of all lines whatever their order: each by FNV-1a. */
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

/* The first line of some text that another has not; "": there is none. */
static const char *line_missing(const char *some, const char *other)
{
	static char line[512];

	for (const char *end; (end = strchr(some, '\n')); some = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - some + 1), some);
		if (!strstr(other, line))
			return line;
	}
	return "";
}

/* Traffic that nobody but the test makes: no neighbour or multicast messages. */
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

/* With the name of a file in place of %s; either end is in it of one family. */
static const char *expand(const char *filter)
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
	CHECK(fd >= 0 && write(fd, set, sizeof(set) - 1) == sizeof(set) - 1, "writing %s", path);
	close(fd);
	snprintf(text, sizeof(*texts), "%.*s%s%s", (int)strcspn(filter, "%"), filter, path,
		 strstr(filter, "%s") + 2);
	return text;
}

static void all_traffic(const struct lab *lab)
{
	for (int v6 = 0; v6 <= lab->ipv6; v6++) {
		int family = v6 ? AF_INET6 : AF_INET;

		CHECK(!lab_udp(lab, family, 5, LEN, true), "UDP");
		CHECK(!lab_tcp(lab, family, 5000), "TCP");
		CHECK(!lab_ping(lab, family, 5, LEN), "echo");
	}
}

/* What -r chooses from the file is what was chosen in the kernel. */
static void expect_choice(const struct sonde *live, const char *path, const char *text, bool ipv6)
{
	const char *filter = expand(text);

	CHECK(!SONDE_RUN(&b, "capture", "-r", path, "-t", "-n", filter), "%s", b.err);
	CHECK(lines_of(b.out) > 1 || !ipv6, "'%s' tells nothing", filter);
	CHECK(lines_of(b.out) == lines_of(live->out) && sum_lines(b.out) == sum_lines(live->out),
	      "'%s' chose %u, of the file %u; %s%s", filter, lines_of(live->out), lines_of(b.out),
	      line_missing(live->out, b.out), line_missing(b.out, live->out));
	CHECK(sonde_said(live, "packets captured") == lines_of(b.out), "%s", live->err);
}

/* Many at once, beside one that takes all. */
SCENARIO(live_chooses, 60)
{
	enum { FILTERS = ARRAY_LEN(filters) };
	static struct sonde live[FILTERS];
	const char *path = file_path("all.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	/* Without processes: a socket that is closed in between would make a difference. */
	CAPTURE(&a, "-i", "sonde0", "-P", "none", "-w", path);
	sonde_await_err(&a, "out: ");
	for (size_t i = 0; i < FILTERS; i++) {
		CAPTURE(&live[i], "-i", "sonde0", "-P", "none", "-B", "512", "-t", "-n",
			expand(filters[i]));
		sonde_await_err(&live[i], "out: ");
	}
	all_traffic(&lab);
	for (size_t i = 0; i < FILTERS; i++)
		CHECK(!sonde_stop(&live[i], SIGINT), "%s", live[i].err);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	for (size_t i = 0; i < FILTERS; i++)
		expect_choice(&live[i], path, filters[i], lab.ipv6);
	expect_clean(&lab);
}

/* At XDP, where an interface has room for one. Not TCP, of which tc may see larger packets. */
SCENARIO(live_chooses_xdp, 60)
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
			expand(few[i]));
		sonde_await_err(&a, "in: ");
		sonde_await_err(&live, "in: ");
		all_traffic(&lab);
		CHECK(!sonde_stop(&live, SIGINT), "%s", live.err);
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		expect_choice(&live, path, few[i], lab.ipv6);
	}
	expect_clean(&lab);
}
