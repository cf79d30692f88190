/* SPDX-License-Identifier: MIT */
/* The gate on packets that are not one piece of memory: segments to be, tags in the metadata, bytes
 * in pages. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/array.h"
#include "gen/gate.gen.h"
#include "obj/attach.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "sys/link.h"
#include "sys/netns.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

/* A GSO packet: bytes of headers, then bytes of payload. */
struct gso {
	const char *name;
	bool six, exts, vlan, udp;
	unsigned int words; /* of the TCP header */
	unsigned int payload, size, segs;
	unsigned int headers, packets; /* expected */
};

/* clang-format off */
static const struct gso gsos[] = {
	{ "TCP", false, false, false, false, 5, 1000, 100, 10, 54, 10 },
	{ "TCP with a short last segment", false, false, false, false, 5, 1001, 100, 11, 54, 11 },
	{ "TCP with options", false, false, false, false, 8, 1000, 100, 10, 66, 10 },
	{ "TCP with all options", false, false, false, false, 15, 1000, 100, 10, 94, 10 },
	{ "TCP with a VLAN tag", false, false, true, false, 8, 1000, 100, 10, 70, 10 },
	{ "TCP over IPv6", true, false, false, false, 8, 1000, 100, 10, 86, 10 },
	{ "TCP after extension headers", true, true, false, false, 5, 999, 100, 10, 98, 10 },
	{ "UDP", false, false, false, true, 0, 3000, 1000, 3, 42, 3 },
	{ "UDP over IPv6 with a VLAN tag", true, false, true, true, 0, 3000, 1000, 3, 66, 3 },
	{ "TCP, uncounted", false, false, false, false, 8, 1000, 100, 0, 66, 10 },
	{ "TCP, uncounted, a short last one", false, false, false, false, 8, 901, 100, 0, 66, 10 },
	{ "TCP, uncounted, one segment", false, false, false, false, 8, 100, 100, 0, 66, 1 },
	{ "TCP, uncounted, two segments", false, false, false, false, 8, 101, 100, 0, 66, 2 },
	{ "TCP, uncounted, no payload", false, false, false, false, 8, 0, 100, 0, 66, 1 },
	{ "UDP, uncounted, over IPv6", true, false, false, true, 0, 2001, 1000, 0, 62, 3 },
	{ "TCP of one segment", false, false, false, false, 5, 100, 1448, 1, 54, 1 },
	{ "TCP, not offloaded", false, false, false, false, 5, 100, 0, 0, 54, 1 },
	{ "TCP, joined and of no size", false, false, false, false, 5, 100, 0, 5, 54, 1 },
};
/* clang-format on */

static void build_gso(struct packet *p, const struct gso *g)
{
	uint16_t type = g->six ? 0x86dd : 0x0800;
	uint8_t proto = g->udp ? 17 : 6;

	p->len = 0;
	packet_eth(p, g->vlan ? 0x8100 : type);
	if (g->vlan)
		packet_vlan(p, 9, type);
	if (!g->six)
		packet_ipv4(p, proto, 5);
	else
		packet_ipv6(p, g->exts ? 60 : proto);
	if (g->exts) {
		packet_ext(p, 44, 1);
		packet_frag(p, proto, 0, 0);
	}
	if (g->udp)
		packet_udp(p, 0);
	else
		packet_tcp(p, g->words);
	CHECK(p->len == g->headers, "%s: %zu bytes of headers", g->name, p->len);
	packet_fill(p, 0x77, g->payload);
}

static void check_segments(struct fixture *r, const struct gso *g, uint32_t vlan_proto)
{
	struct __sk_buff ctx = { .gso_size = g->size, .gso_segs = g->segs };
	struct gate_row want = { .family = g->six ? GATE_IPV6 : GATE_IPV4,
				 .proto = g->udp ? 17 : 6,
				 .packets = g->packets,
				 .bytes = g->packets * g->headers + g->payload };
	struct packet p;

	build_gso(&p, g);
	if (vlan_proto) {
		ctx.cb[STAGE_VLAN_PROTO] = htons((uint16_t)vlan_proto);
		ctx.cb[STAGE_VLAN_ID] = 77;
		want.bytes += 4ull * g->packets;
	}
	for (int f = TC_IN; f < TARGETS; f++)
		fixture_expect(r, (enum target)f, p.at, p.len, &ctx, &want);
}

TEST(skb_segments, "gate: offloaded packets are counted by segment", TEST_ROOT, 10)
{
	struct fixture r;

	fixture_open(&r, true);
	for (size_t i = 0; i < ARRAY_LEN(gsos); i++)
		check_segments(&r, &gsos[i], 0);
	fixture_empty(&r);
	fixture_close(&r);
}

/* The tag is on the wire, so its bytes count, once a segment. The family is that of the inner
 * packet. */
TEST(skb_vlan_beside, "gate: VLAN tags in the skb's metadata are counted", TEST_ROOT, 10)
{
	struct fixture r;

	fixture_open(&r, true);
	for (size_t i = 0; i < ARRAY_LEN(gsos); i++) {
		check_segments(&r, &gsos[i], 0x8100);
		check_segments(&r, &gsos[i], 0x88a8);
	}
	for (size_t i = 0; i < nsamples; i++) {
		struct __sk_buff ctx = {
			.cb = { [STAGE_VLAN_PROTO] = htons(0x8100), [STAGE_VLAN_ID] = 5 }
		};
		const struct sample *s = &samples[i];
		struct packet p = { .len = 0 };
		struct gate_row want = { .family = s->family, .proto = s->proto, .packets = 1 };

		s->build(&p, s->arg);
		want.bytes = p.len + 4;
		for (int f = TC_IN; f < TARGETS; f++)
			fixture_expect(&r, (enum target)f, p.at, p.len, &ctx, &want);
	}
	fixture_empty(&r);
	fixture_close(&r);
}

/* Sends so that the kernel keeps only the first bytes in the linear part: packet(7) with a virtio
 * header puts the bytes after its hdr_len into pages, if the packet is longer than one. */
static void send_in_pages(int ifindex, const struct packet *p, size_t linear, size_t more)
{
	static uint8_t zeros[6000];
	struct virtio_net_hdr vnet = { .hdr_len = (uint16_t)linear };
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	struct iovec iov[] = { { &vnet, sizeof(vnet) },
			       { (void *)(uintptr_t)p->at, p->len },
			       { zeros, more } };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = iov, .msg_iovlen = 3
	};
	int on = 1, fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		SKIP("this kernel has no packet sockets");
	CHECK(fd >= 0, "packet socket: %s", strerror(errno));
	CHECK(!setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), "PACKET_VNET_HDR: %s",
	      strerror(errno));
	CHECK(sendmsg(fd, &msg, 0) > 0, "cannot send: %s", strerror(errno));
	close(fd);
}

/* clang-format off */
static const struct packet_header ipv4_options[] = {
	{ PACKET_ETH, 0x0800, 0 },
	{ PACKET_IPV4, 17, 15 },
	{ PACKET_UDP, 0, 0 },
	{ 0 },
};
static const struct packet_header ipv6_exts[] = {
	{ PACKET_ETH, 0x86dd, 0 },
	{ PACKET_IPV6, 0, 0 },
	{ PACKET_EXT, 43, 3 },
	{ PACKET_EXT, 60, 9 },
	{ PACKET_EXT, 17, 0 },
	{ PACKET_UDP, 0, 0 },
	{ 0 },
};
/* Most of the second header and all of the third are in the zeros after the packet, which form a
 * header of hop-by-hop options followed by another. */
static const struct packet_header ipv6_far[] = {
	{ PACKET_ETH, 0x86dd, 0 },
	{ PACKET_IPV6, 60, 0 },
	{ PACKET_EXT, 60, 255 },
	{ PACKET_FILL, 60, 1 },
	{ PACKET_FILL, 255, 1 },
	{ PACKET_FILL, 0, 6 },
	{ 0 },
};
static const struct packet_header tagged[] = {
	{ PACKET_ETH, 0x8100, 0 },
	{ PACKET_VLAN, 3, 0x0800 },
	{ PACKET_IPV4, 132, 5 },
	{ 0 },
};
static const struct packet_header tagged_ipv6[] = {
	{ PACKET_ETH, 0x88a8, 0 },
	{ PACKET_VLAN, 3, 0x8100 },
	{ PACKET_VLAN, 4, 0x86dd },
	{ PACKET_IPV6, 6, 0 },
	{ PACKET_TCP, 5, 0 },
	{ 0 },
};
/* clang-format on */

static const struct in_pages {
	const char *name;
	const struct packet_header *headers;
	uint8_t family, proto;
} in_pages[] = {
	{ "IPv4 with options", ipv4_options, GATE_IPV4, 17 },
	{ "IPv6 with extension headers", ipv6_exts, GATE_IPV6, 17 },
	{ "IPv6 with headers of two pages", ipv6_far, GATE_IPV6, 0 },
	{ "VLAN", tagged, GATE_IPV4, 132 },
	{ "QinQ with IPv6", tagged_ipv6, GATE_IPV6, 6 },
};

/* The direction's counters must contain that packet the given number of times, and nothing else. */
static void check_counted(const struct fixture *r, enum gate_dir dir, const struct in_pages *in,
			  size_t linear, uint64_t times, uint64_t bytes)
{
	struct gate_row key = {
		.dir = (uint8_t)dir, .family = in->family, .proto = in->proto, .verdict = GATE_PASS
	};
	const struct gate_row *row = NULL;
	struct gate_counters t = { 0 };

	for (int ms = 0; ms < 2000 && (!t.n || (row && row->packets < times)); ms++) {
		gate_counters_free(&t);
		if (ms)
			usleep(1000);
		fixture_read(r, dir, &t);
		row = gate_counters_find(&t, &key);
	}
	CHECK(row && t.n == 1 && row->packets == times, "%s %s, %zu linear bytes: wrong counters",
	      in->name, gate_dir_name(dir), linear);
	CHECK(row->bytes == times * bytes, "%s %s: %llu bytes", in->name, gate_dir_name(dir),
	      (unsigned long long)row->bytes);
	gate_counters_free(&t);
}

/* Loopback returns every frame: out and in count the same bytes. The result is the same wherever
 * the linear part ends. */
static void check_in_pages(struct fixture *r, int ifindex, const struct in_pages *in)
{
	enum { MORE = 5000, LEAST = 14, MOST = 200 };
	struct packet p = { .len = 0 };

	packet_headers(&p, in->headers);
	for (size_t linear = LEAST; linear <= p.len && linear <= MOST; linear++) {
		send_in_pages(ifindex, &p, linear, MORE);
		for (int dir = 0; dir < GATE_DIRS; dir++)
			check_counted(r, (enum gate_dir)dir, in, linear, linear - LEAST + 1,
				      p.len + MORE);
	}
	for (int dir = 0; dir < GATE_DIRS; dir++)
		fixture_clear(r, (enum gate_dir)dir);
}

TEST(skb_headers_in_pages, "gate: headers outside the linear part are parsed", TEST_ROOT, 120)
{
	static const int progs[] = { GATE_PROG_SONDE_GATE_IN, GATE_PROG_SONDE_GATE_OUT };
	struct attach at[GATE_DIRS] = { 0 };
	struct attach_report report;
	struct nl nl = { 0 };
	struct link lo;
	struct fixture r;
	int rc;

	fixture_open(&r, true);
	CHECK(!netns_unshare(), "cannot create a namespace: %s", strerror(errno));
	CHECK(!nl_open(&nl, 0), "cannot open netlink");
	CHECK(!link_get(&nl, "lo", 0, &lo), "cannot find the loopback interface");
	CHECK(!link_up(&nl, lo.ifindex), "cannot bring loopback up");
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		rc = attach_open(&at[dir], &nl, lo.ifindex, dir == GATE_IN,
				 r.gate.prog_fd[progs[dir]], HOOKS_TC, false, &report);
		if (rc == -EOPNOTSUPP || rc == -ENOENT)
			SKIP("this kernel has no tc hook");
		CHECK(!rc, "cannot attach: %s", strerror(-rc));
	}
	for (size_t i = 0; i < ARRAY_LEN(in_pages); i++)
		check_in_pages(&r, lo.ifindex, &in_pages[i]);
	for (int dir = 0; dir < GATE_DIRS; dir++)
		attach_close(&at[dir], &nl);
	nl_close(&nl);
	fixture_close(&r);
}

/* A jumbo frame: the program sees only its start, but counts its whole length. */
TEST(xdp_in_pages, "gate: XDP frames in several buffers are counted whole", TEST_ROOT, 10)
{
	static uint8_t frame[9000];
	struct gate_row want = { .family = GATE_IPV4, .proto = 6, .packets = 1 };
	struct packet p = { .len = 0 };
	struct fixture r;

	if (feature_try("XDP frames in several buffers"))
		SKIP("this kernel has no XDP for frames in several buffers");
	fixture_open(&r, true);
	packet_eth(&p, 0x0800);
	packet_ipv4(&p, 6, 5);
	packet_tcp(&p, 5);
	memcpy(frame, p.at, p.len);
	for (want.bytes = 3000; want.bytes <= sizeof(frame); want.bytes += 500)
		fixture_expect(&r, XDP, frame, want.bytes, NULL, &want);
	fixture_empty(&r);
	fixture_close(&r);
}
