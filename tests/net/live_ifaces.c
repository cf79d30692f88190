/* SPDX-License-Identifier: MIT */
/* Scenarios of the interfaces of live capture: every kind, old and new, other namespaces, and
 * unusable ones. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "base/array.h"
#include "lab/address.h"
#include "sys/netns.h"
#include "sys/priv.h"
#include "tests/net/file.h"
#include "tests/net/net.h"

enum { LEN = 300 };

static struct sonde a, b;

#define CAPTURE(...) SONDE_START(&a, "capture", __VA_ARGS__)

/* Sends a frame unchanged on an interface of this namespace. */
static void send_frame(int ifindex, const void *frame, size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0, "cannot open a packet socket: %s", strerror(errno));
	CHECK(sendto(fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)len,
	      "cannot send: %s", strerror(errno));
	close(fd);
}

/* Makes a frame that nobody answers, of EtherType 0x88b5 (local experiments), after a tag if
 * vlan. */
static size_t make_frame(uint8_t *at, uint16_t vlan)
{
	size_t n = 0;

	memset(at, 0xff, 6);
	memcpy(at + 6, "\x02\0\0\0\0\x01", 6);
	n = 12;
	if (vlan) {
		memcpy(at + n, (uint8_t[]){ 0x81, 0, (uint8_t)(vlan >> 8), (uint8_t)vlan }, 4);
		n += 4;
	}
	at[n++] = 0x88;
	at[n++] = 0xb5;
	for (int i = 0; i < 64; i++)
		at[n++] = (uint8_t)i;
	return n;
}

struct names {
	unsigned int n[2];
	const char *name[2];
};

static void count_names(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	struct names *names = arg;

	for (int k = 0; k < 2; k++)
		names->n[k] += !strcmp(i->name, names->name[k]) && f->data[12] == 0x88;
}

/* New interfaces are captured on, removed ones reported, when capturing on all. */
SCENARIO(live_follows, 60)
{
	const char *path = file_path("follows.pcapng");
	struct names seen = { .name = { "late0", "late1" } };
	struct link late[2];
	struct lab lab = { 0 };
	struct nl *nl = &lab.end[LAB_NEAR].nl;
	uint8_t frame[100];

	lab_ready(&lab);
	CAPTURE("-w", path);
	sonde_await_err(&a, "sonde0: in: ");
	CHECK(!link_add_veth(nl, "late0", "late1", lab.end[LAB_NEAR].netns),
	      "cannot create another pair");
	for (int i = 0; i < 2; i++) {
		CHECK(!link_get(nl, seen.name[i], 0, &late[i]), "cannot find %s", seen.name[i]);
		CHECK(!link_up(nl, late[i].ifindex), "cannot bring %s up", seen.name[i]);
	}
	sonde_await_err(&a, "late0: in: ");
	sonde_await_err(&a, "late1: in: ");
	for (int i = 0; i < 3; i++)
		send_frame(late[0].ifindex, frame, make_frame(frame, 0));
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "cannot send");
	CHECK(!link_del(nl, late[0].ifindex), "cannot delete late0");
	sonde_await_err(&a, "late0: the interface is gone");
	sonde_await_err(&a, "late1: the interface is gone");
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "cannot send");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	file_read(path, count_names, &seen);
	CHECK(seen.n[0] == 3 && seen.n[1] == 3, "%u out, %u in: %s", seen.n[0], seen.n[1], a.err);
	expect_clean(&lab);
}

/* An unusable interface is skipped with a note; packets of the others keep the right names. */
SCENARIO(live_skips_interface, 60)
{
	const char *path = file_path("others.pcapng");
	struct names seen = { .name = { "late0", "late1" } };
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];
	struct link late[2];
	uint8_t frame[100];

	lab_ready(&lab);
	foreign_xdp(&lab);
	CHECK(!link_add_veth(&near->nl, "late0", "late1", near->netns),
	      "cannot create another pair");
	for (int i = 0; i < 2; i++) {
		CHECK(!link_get(&near->nl, seen.name[i], 0, &late[i]), "cannot find %s",
		      seen.name[i]);
		CHECK(!link_up(&near->nl, late[i].ifindex), "cannot bring %s up", seen.name[i]);
	}
	CAPTURE("--at", "xdp", "-w", path, "ether proto 0x88b5");
	sonde_await_err(&a, "late0: in: ");
	sonde_await_err(&a, "late1: in: ");
	sonde_await_err(&a, "sonde0: cannot capture received packets");
	send_frame(late[0].ifindex, frame, make_frame(frame, 0));
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "cannot send");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!strstr(strstr(a.err, "sonde0:") + 1, "sonde0:"), "reported twice: %s", a.err);
	CHECK(file_read(path, count_names, &seen) == 2, "%s", a.err);
	CHECK(seen.n[0] == 1 && seen.n[1] == 1, "%u out, %u in: %s", seen.n[0], seen.n[1], a.err);
	CHECK(hooks_of(near).ours == 0 && hooks_of(near).others == 1,
	      "detached the wrong programs");
}

/* No interface is up. */
SCENARIO(live_no_interface, 60)
{
	struct lab lab = { 0 };

	CHECK(!lab_open(&lab), "cannot create the lab");
	SONDE_RUN(&a, "capture");
	sonde_expect_line(&a, 1, "no interface is up");
}

struct expected {
	const uint8_t *frame;
	size_t len;
};

static void expect_frame(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	const struct expected *e = arg;

	(void)i;
	CHECK(f->len == e->len && f->caplen == e->len && !memcmp(f->data, e->frame, e->len),
	      "%u of %u bytes", f->caplen, f->len);
}

/* The kernel removes the tag from incoming packets: the capture has it in its original position. */
SCENARIO(live_vlan, 60)
{
	const char *path = file_path("vlan.pcapng");
	struct lab lab = { 0 };
	uint8_t frame[100];
	struct expected expected = { frame, make_frame(frame, 5) };

	lab_ready(&lab);
	for (int xdp = 0; xdp < 2; xdp++) {
		lab_enter(&lab, LAB_FAR);
		CAPTURE("-i", "sonde1", "-Q", "in", "--at", xdp ? "xdp" : "tc", "-w", path,
			"vlan 5");
		sonde_await_err(&a, "sonde1: in: ");
		lab_enter(&lab, LAB_NEAR);
		make_frame(frame, 6);
		send_frame(lab.end[LAB_NEAR].link.ifindex, frame, expected.len);
		make_frame(frame, 5);
		send_frame(lab.end[LAB_NEAR].link.ifindex, frame, expected.len);
		CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "cannot send after them");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(file_read(path, expect_frame, &expected) == 1, "%s", a.err);
	}
	expect_clean(&lab);
}

static void expect_ethernet(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	const struct lab *lab = arg;
	uint8_t macs[12];

	for (int side = 0; side < LAB_SIDES; side++)
		lab_mac(lab, side, macs + (side == LAB_NEAR ? 6 : 0));
	CHECK(f->len == 42 + LEN && f->caplen == f->len, "%u bytes at %s", f->len, i->name);
	CHECK(!memcmp(f->data, macs, sizeof(macs)) && f->data[12] == 8 && f->data[14] == 0x45,
	      "not an Ethernet header");
}

/* With generic XDP, after which some kernels give tc packets without their Ethernet header. */
SCENARIO(live_beside_generic_xdp, 60)
{
	const char *path = file_path("beside.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_enter(&lab, LAB_FAR);
	SONDE_START(&b, "count", "-q", "--once", "-d", "1h", "-i", "sonde1", "--at", "xdp-generic");
	CAPTURE("-i", "sonde1", "-Q", "in", "-w", path,
		"udp dst port 4242 and ip[8] > 1 and greater 300");
	sonde_await_err(&a, "sonde1: in: ");
	AWAIT(hooks_of(&lab.end[LAB_FAR]).ours >= 3,
	      "expected two programs of count and one of capture");
	lab_enter(&lab, LAB_NEAR);
	CHECK(!lab_udp(&lab, AF_INET, 10, LEN, true), "cannot send");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!sonde_stop(&b, SIGINT), "%s", b.err);
	CHECK(file_read(path, expect_ethernet, &lab) == 10, "%s", a.err);
	expect_clean(&lab);
}

static void close_stdout(void)
{
	close(STDOUT_FILENO);
}

/* Starts a process that stays on the near side. */
static pid_t stay_near(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (!pid)
		for (;;)
			pause();
	return pid;
}

/* From the far side: the namespace of another process, by its pid and by a path; a missing one. */
SCENARIO(live_netns, 60)
{
	const char *path = file_path("netns.pcapng");
	char pid[16], name[64];
	struct lab lab = { 0 };
	pid_t near;

	lab_ready(&lab);
	near = stay_near();
	snprintf(pid, sizeof(pid), "%d", near);
	snprintf(name, sizeof(name), "/proc/%d/ns/net", near);
	for (int i = 0; i < 2; i++) {
		if (i && access(name, R_OK))
			break;
		lab_enter(&lab, LAB_FAR);
		CAPTURE("-N", i ? name : pid, "-i", "sonde0", "-c", "10", "-w", path, "udp");
		lab_enter(&lab, LAB_NEAR);
		sonde_await_err(&a, "sonde0: in: ");
		CHECK(!lab_udp(&lab, AF_INET, 5, LEN, true), "cannot send");
		CHECK(!sonde_wait(&a), "%s", a.err);
		CHECK(file_read(path, NULL, NULL) == 10, "%s", a.err);
	}
	lab_enter(&lab, LAB_FAR);
	CHECK(!SONDE_RUN(&a, "capture", "-D") && strstr(a.out, "sonde1 veth [Up]\n"), "%s", a.out);
	CHECK(!SONDE_RUN(&a, "capture", "-D", "-N", pid) && strstr(a.out, "sonde0 veth [Up]\n"),
	      "%s", a.out);
	CHECK(!strstr(a.out, "sonde1") && !a.len[1], "%s%s", a.out, a.err);
	sonde_start(&a, close_stdout, (const char *const[]){ "sonde", "capture", "-D", NULL });
	CHECK(sonde_wait(&a) == 1 && lines_of(a.err) == 1, "%d %s", a.rc, a.err);
	SONDE_RUN(&a, "capture", "-N", "/nowhere/at/all");
	sonde_expect_line(&a, 1, "/nowhere/at/all");
	lab_enter(&lab, LAB_NEAR);
	kill(near, SIGKILL);
	expect_clean(&lab);
}

/* A packet on the loopback interface is captured once, as incoming. */
SCENARIO(live_loopback, 60)
{
	enum { PACKETS = 10 };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	struct nl nl = { 0 };
	char buf[LEN] = "";
	struct link lo;
	int fd;

	CHECK(!netns_unshare() && !nl_open(&nl, 0), "cannot create a namespace");
	CHECK(!link_get(&nl, "lo", 0, &lo) && !link_up(&nl, lo.ifindex),
	      "cannot bring loopback up");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0 && !bind(fd, (void *)&at, len) && !getsockname(fd, (void *)&at, &len), "%s",
	      strerror(errno));
	CAPTURE("--json", "udp");
	sonde_await_err(&a, "lo: in: ");
	for (int i = 0; i < PACKETS; i++)
		CHECK(sendto(fd, buf, LEN, 0, (void *)&at, len) == LEN &&
			      recv(fd, buf, LEN, 0) == LEN,
		      "%s", strerror(errno));
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(lines_of(a.out) == PACKETS, "%s", a.out);
	CHECK(JSON_SUM(a.out, "length_bytes", "\"lo\"", "\"in\"", "\"udp\"", "\"127.0.0.1\"") ==
		      PACKETS * (14 + 20 + 8 + LEN),
	      "%s", a.out);
}

/* Creates an interface whose packets start with their IP header. The machine may have no /dev. */
static int make_tun(struct nl *nl, struct link *link)
{
	const char *node = file_path("tun");
	struct ifreq req = { .ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct in_addr addr;
	int fd;

	CHECK(!mknod(node, S_IFCHR | 0600, makedev(10, 200)), "mknod: %s", strerror(errno));
	fd = open(node, O_RDWR | O_CLOEXEC);
	if (fd < 0 && (errno == ENODEV || errno == ENXIO))
		SKIP("this kernel has no tun driver loaded");
	CHECK(fd >= 0 && !ioctl(fd, TUNSETIFF, &req), "tun: %s", strerror(errno));
	inet_pton(AF_INET, "198.51.100.1", &addr);
	CHECK(!link_get(nl, "tun0", 0, link), "cannot find tun0");
	CHECK(!link_add_addr(nl, link->ifindex, AF_INET, &addr, 24), "cannot add the address");
	CHECK(!link_up(nl, link->ifindex), "cannot bring tun0 up");
	return fd;
}

/* Sends datagrams on it, and receives one. */
static void use_tun(int tun, unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(7) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char buf[2048] = "";
	ssize_t len;

	inet_pton(AF_INET, "198.51.100.2", &to.sin_addr);
	for (unsigned int i = 0; i < n; i++) {
		CHECK(sendto(fd, buf, LEN, 0, (void *)&to, sizeof(to)) == LEN, "%s",
		      strerror(errno));
		do
			len = read(tun, buf, sizeof(buf));
		while (len > 0 && buf[0] >> 4 != 4); /* the kernel sends IPv6 packets by itself */
		CHECK(len == 28 + LEN && write(tun, buf, (size_t)len) == len, "%zd bytes", len);
	}
	close(fd);
}

struct expected_link {
	uint16_t link;
	unsigned int n, head, dirs[3];
};

static void expect_link(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	static const uint8_t head[14] = { [12] = 8 };
	struct expected_link *k = arg;

	CHECK(f->link == k->link && f->len == f->caplen, "link type %u at %s", f->link, i->name);
	if (strcmp(i->name, "tun0"))
		return;
	k->n++;
	k->dirs[f->dir]++;
	CHECK(f->len == k->head + 28 + LEN && f->data[k->head] == 0x45, "%u bytes", f->len);
	CHECK(!k->head || !memcmp(f->data, head, sizeof(head)), "no Ethernet header of zeros");
}

/* Alone, its packets are captured unchanged; together with Ethernet they get a header, since a file
 * has one link type only. The filter works in both. */
SCENARIO(live_raw, 60)
{
	const char *path = file_path("raw.pcapng");
	struct expected_link raw = { .link = FRAME_RAW_IP },
			     ether = { .link = FRAME_ETHERNET, .head = 14 };
	struct lab lab = { 0 };
	struct link link;
	int tun;

	lab_ready(&lab);
	tun = make_tun(&lab.end[LAB_NEAR].nl, &link);
	for (int alone = 0; alone < 2; alone++) {
		struct expected_link *k = alone ? &raw : &ether;

		if (alone)
			CAPTURE("-i", "tun0", "-w", path, "udp port 7 and host 198.51.100.2");
		else
			CAPTURE("-w", path, "udp port 7 or udp port 4242");
		sonde_await_err(&a, "tun0: in: ");
		use_tun(tun, 4);
		CHECK(!lab_udp(&lab, AF_INET, 2, LEN, true), "cannot send");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(file_read(path, expect_link, k) == (alone ? 8 : 8 + 4), "%s", a.err);
		CHECK(k->n == 8 && k->dirs[FRAME_IN] == 4 && k->dirs[FRAME_OUT] == 4,
		      "%u in, %u out", k->dirs[FRAME_IN], k->dirs[FRAME_OUT]);
	}
	expect_clean(&lab);
}

TEST(live_usage, "live_usage", 0, 30)
{
	static const struct {
		const char *text, *argv[8];
	} mistakes[] = {
		{ "-w FILE", { "sonde", "capture", "-C", "1" } },
		{ "-w FILE", { "sonde", "capture", "-G", "1" } },
		{ "-W", { "sonde", "capture", "-w", "f", "-W", "2" } },
		{ "-r", { "sonde", "capture", "-r", "f", "-i", "lo" } },
		{ "-r", { "sonde", "capture", "-r", "f", "-N", "1" } },
		{ "nonsense", { "sonde", "capture", "--at", "nonsense" } },
		{ "-Q", { "sonde", "capture", "-Q", "up" } },
		{ "-s", { "sonde", "capture", "-s", "262145" } },
		{ "-B", { "sonde", "capture", "-B", "1" } },
		{ "-c", { "sonde", "capture", "-c", "0" } },
		{ "standard output", { "sonde", "capture", "-w", "-", "-C", "1" } },
		{ "-F", { "sonde", "capture", "-F", "f", "udp" } },
	};

	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		sonde_start(&a, NULL, mistakes[i].argv);
		sonde_wait(&a);
		sonde_expect_line(&a, 2, mistakes[i].text);
		CHECK(!a.len[0], "%s", a.out);
	}
}

static void drop_all(void)
{
	if (priv_keep(0))
		_exit(126);
}

/* Without privileges it reports the missing capability and does not create the file. */
SCENARIO(live_no_privilege, 60)
{
	const char *path = file_path("none.pcapng");

	sonde_start(&a, drop_all,
		    (const char *const[]){ "sonde", "capture", "-i", "lo", "-w", path, NULL });
	sonde_wait(&a);
	sonde_expect_line(&a, 1, "CAP_");
	CHECK(access(path, F_OK), "the file was created");
}

/* Drops its privileges after attaching. */
SCENARIO(live_confined, 60)
{
	struct lab lab = { 0 };

	if (getenv("SAN") && *getenv("SAN"))
		SKIP("a build with sanitizers is not confined");
	lab_ready(&lab);
	CAPTURE("-i", "sonde0", "-n", "udp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_udp(&lab, AF_INET, 1, LEN, true), "cannot send");
	sonde_await_out(&a, "4242");
	/* CAP_NET_ADMIN is bit 12, CAP_NET_RAW 13, CAP_PERFMON 38, CAP_BPF 39. */
	sonde_expect_confined(&a, 0xc000003000);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
}
