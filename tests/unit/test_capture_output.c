/* SPDX-License-Identifier: MIT */
/* Packets as lines, as JSON and in files; and when a live capture writes, pauses and ends. */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"
#include "tests/unit/temp_dir.h"
#undef fail /* check.h defines it, too */
#include "base/clock.h"
#include "capture/limits.h"
#include "capture/output.h"
#include "capture/packet_buf.h"

/* Ethernet, IPv4, UDP: 192.0.2.1 port 1000 to 192.0.2.2 port 7, 4 bytes. */
static const uint8_t udp4[] = {
	2,  0, 0, 0,   0, 2, 2, 0,   0, 0, 0, 1, 8,    0, 0x45, 0, 0,  32, 0, 1, 0, 0, 64,
	17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 3, 0xe8, 0, 7,    0, 12, 0,  0, 1, 2, 3, 4,
};
/* Raw IP: IPv6, ICMPv6 echo request from 2001:db8::1 to 2001:db8::2. */
static const uint8_t echo6[] = {
	0x60, 0, 0, 0, 0, 8, 58, 64, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0,
	0,    0, 0, 0, 0, 0, 0,  1,  0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0,
	0,    0, 0, 0, 0, 0, 0,  2,  128,  0, 0,    0,    0, 1, 0, 2,
};

static struct frame make_udp4(void)
{
	return (struct frame){ .data = udp4,
			       .caplen = sizeof(udp4),
			       .len = sizeof(udp4),
			       .time_ns = 1500 * NS_PER_S + 250000000,
			       .link = FRAME_ETHERNET };
}

static struct frame make_echo6(void)
{
	return (struct frame){
		.data = echo6, .caplen = sizeof(echo6), .len = sizeof(echo6), .link = FRAME_RAW_IP
	};
}

/* Checks how a packet is printed. The text is read from the buffer, which is not flushed yet. */
static void expect_printed(const struct capture_out_opts *opts, const struct frame *f,
			   const struct capfile_iface *iface, const char *text)
{
	struct capture_out out = { 0 };

	ck_assert_int_eq(capture_out_open(&out, opts), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert_int_eq(capture_out_write_frame(&out, f, iface), 0);
	buf_char(&out.buf, '\0');
	ck_assert_str_eq(out.buf.data, text);
	buf_clear(&out.buf);
	ck_assert_int_eq(capture_out_close(&out, 0), 0);
}

START_TEST(prints_lines)
{
	const struct capture_out_opts opts = { .lines = { .time = DISSECT_NONE, .numeric = true } };
	const struct capture_out_opts timed = { .lines = { .numeric = true } };
	const struct capfile_iface iface = { .name = "eth0", .link = FRAME_ETHERNET };
	struct frame udp = make_udp4(), echo = make_echo6();

	expect_printed(&opts, &udp, NULL, "IP 192.0.2.1.1000 > 192.0.2.2.7: UDP, length 4\n");
	expect_printed(&opts, &echo, NULL,
		       "IP6 2001:db8::1 > 2001:db8::2: ICMP6, echo request, id 1, seq 2, "
		       "length 8\n");
	udp.iface = 3; /* the name comes from the caller, not from the number */
	udp.dir = FRAME_IN;
	expect_printed(&opts, &udp, &iface,
		       "eth0  In  IP 192.0.2.1.1000 > 192.0.2.2.7: UDP, length 4\n");
	expect_printed(&timed, &udp, NULL,
		       "00:25:00.250000 IP 192.0.2.1.1000 > 192.0.2.2.7: UDP, length 4\n");
}
END_TEST

START_TEST(prints_json)
{
	const struct capture_out_opts opts = { .format = CAPTURE_JSON };
	const struct capfile_iface iface = { .name = "eth0", .link = FRAME_ETHERNET };
	struct frame udp = make_udp4(), echo = make_echo6();
	uint8_t other[sizeof(udp4)];

	expect_printed(&opts, &echo, NULL,
		       "{\"record\":\"packet\",\"time\":null,\"interface\":null,\"direction\":null,"
		       "\"length_bytes\":48,\"captured_bytes\":48,\"ethertype\":\"ipv6\","
		       "\"ethertype_number\":34525,\"protocol\":\"icmpv6\",\"protocol_number\":58,"
		       "\"source\":\"2001:db8::1\",\"source_port\":null,"
		       "\"destination\":\"2001:db8::2\",\"destination_port\":null,\"vlan\":null,"
		       "\"pid\":null,\"process\":null,\"verdict\":null}\n");
	udp.dir = FRAME_OUT;
	udp.verdict = FRAME_DROP;
	udp.pid = 42;
	strcpy(udp.comm, "a\"b");
	udp.caplen -= 4;
	expect_printed(&opts, &udp, &iface,
		       "{\"record\":\"packet\",\"time\":\"1970-01-01T00:25:00.250000000Z\","
		       "\"interface\":\"eth0\",\"direction\":\"out\",\"length_bytes\":46,"
		       "\"captured_bytes\":42,\"ethertype\":\"ipv4\",\"ethertype_number\":2048,"
		       "\"protocol\":\"udp\",\"protocol_number\":17,\"source\":\"192.0.2.1\","
		       "\"source_port\":1000,\"destination\":\"192.0.2.2\",\"destination_port\":7,"
		       "\"vlan\":null,\"pid\":42,\"process\":\"a\\\"b\",\"verdict\":\"drop\"}\n");
	/* types without names are printed as numbers */
	memcpy(other, udp4, sizeof(other));
	other[12] = 0x88;
	other[13] = 0xb5;
	udp = (struct frame){
		.data = other, .caplen = sizeof(other), .len = sizeof(other), .link = FRAME_ETHERNET
	};
	expect_printed(&opts, &udp, NULL,
		       "{\"record\":\"packet\",\"time\":null,\"interface\":null,\"direction\":null,"
		       "\"length_bytes\":46,\"captured_bytes\":46,\"ethertype\":null,"
		       "\"ethertype_number\":34997,\"protocol\":null,\"protocol_number\":null,"
		       "\"source\":null,\"source_port\":null,\"destination\":null,"
		       "\"destination_port\":null,\"vlan\":null,\"pid\":null,\"process\":null,"
		       "\"verdict\":null}\n");
}
END_TEST

/* What a file contains: the number of packets and their interfaces. */
struct contents {
	struct capfile c;
	uint32_t packets;
	uint16_t links[4];
	uint32_t ifaces[4];
};

static int on_frame(const struct frame *f, void *arg)
{
	struct contents *contents = arg;

	ck_assert_uint_lt(contents->packets, 4);
	contents->links[contents->packets] = f->link;
	contents->ifaces[contents->packets++] = f->iface;
	return 0;
}

static struct contents read_file(const char *name)
{
	struct contents contents = { .packets = 0 };
	struct buf b = temp_dir_read(name);

	ck_assert_int_eq(capfile_feed(&contents.c, b.data, b.len, on_frame, &contents), 0);
	ck_assert_int_eq(capfile_end(&contents.c), 0);
	buf_free(&b);
	return contents;
}

/* Every interface is described before its packets, also one without packets before it. */
START_TEST(writes_interfaces)
{
	const struct capture_out_opts opts = { .file.name = "x" };
	const struct capfile_iface eth = { .name = "eth0", .link = FRAME_ETHERNET },
				   tun = { .name = "tun0", .link = FRAME_RAW_IP };
	struct frame udp = make_udp4(), echo = make_echo6();
	struct capture_out out = { 0 };
	struct contents contents;

	echo.iface = 2;
	ck_assert_int_eq(capture_out_open(&out, &opts), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert_int_eq(capture_out_write_frame(&out, &udp, &eth), 0);
	ck_assert_int_eq(capture_out_write_frame(&out, &echo, &tun), 0);
	ck_assert_int_eq(capture_out_write_frame(&out, &udp, &eth), 0);
	ck_assert_int_eq(capture_out_close(&out, 0), 0);
	contents = read_file("x");
	ck_assert_int_eq(contents.c.format, CAPFILE_PCAPNG);
	ck_assert_uint_eq(contents.packets, 3);
	ck_assert_uint_eq(contents.c.nifaces, 3);
	ck_assert_str_eq(contents.c.ifaces[0].name, "eth0");
	ck_assert_str_eq(contents.c.ifaces[1].name, "");
	ck_assert_str_eq(contents.c.ifaces[2].name, "tun0");
	ck_assert_uint_eq(contents.ifaces[1], 2);
	ck_assert_uint_eq(contents.links[1], FRAME_RAW_IP);
	capfile_close(&contents.c);
}
END_TEST

/* pcap by file name or by option: a second link type is an error. */
START_TEST(writes_pcap)
{
	const struct capture_out_opts all[] = { { .file.name = "x.pcap" },
						{ .file.name = "x.pcapng", .pcap = true } };
	const struct capture_out_opts *opts = &all[_i];
	struct frame udp = make_udp4(), echo = make_echo6();
	struct capture_out out = { 0 };
	struct contents contents;

	ck_assert_int_eq(capture_out_open(&out, opts), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert(!capture_out_is_ng(&out));
	ck_assert_int_eq(capture_out_write_frame(&out, &udp, NULL), 0);
	capture_stderr_begin(STDERR_FILENO);
	ck_assert_int_eq(capture_out_write_frame(&out, &echo, NULL), -EINVAL);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_msg(strstr(captured, "single link type"), "%s", captured);
	ck_assert_int_eq(capture_out_close(&out, 0), 0);
	contents = read_file(opts->file.name);
	ck_assert_int_eq(contents.c.format, CAPFILE_PCAP);
	ck_assert_uint_eq(contents.packets, 1);
	capfile_close(&contents.c);
}
END_TEST

/* A file without packets is valid. */
START_TEST(writes_empty_files)
{
	const struct capture_out_opts all[] = { { .file.name = "x.pcap" }, { .file.name = "x" } };
	const struct capfile_iface tun = { .name = "tun0", .link = FRAME_RAW_IP };
	struct capture_out out = { 0 };
	struct contents contents;

	ck_assert_int_eq(capture_out_open(&out, &all[_i]), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert_int_eq(capture_out_ensure_header(&out, _i ? &tun : NULL), 0);
	ck_assert_int_eq(capture_out_close(&out, 0), 0);
	contents = read_file(all[_i].file.name);
	ck_assert_int_eq(contents.c.format, _i ? CAPFILE_PCAPNG : CAPFILE_PCAP);
	ck_assert_uint_eq(contents.packets, 0);
	ck_assert_uint_eq(contents.c.ifaces[0].link, _i ? FRAME_RAW_IP : FRAME_ETHERNET);
	capfile_close(&contents.c);
}
END_TEST

/* Blocks and frames of any size keep their order. */
START_TEST(writes_in_order)
{
	const struct capture_out_opts opts = { .file.name = "x" };
	const struct capfile_iface iface = { .link = FRAME_ETHERNET };
	enum { LARGE = 1 << 16 };
	struct buf header = { 0 }, small = { 0 }, large = { 0 }, b;
	struct frame udp = make_udp4();
	struct capture_out out = { 0 };

	capfile_put_section(&header, NULL);
	capfile_put_iface(&header, &iface, NULL);
	capfile_put_packet(&small, &udp);
	udp.time_ns++;
	while (large.len < LARGE)
		capfile_put_packet(&large, &udp);
	ck_assert_int_eq(capture_out_open(&out, &opts), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert_int_eq(capture_out_add_header(&out, &header), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(capture_out_write_blocks(&out, (uint8_t *)small.data, small.len),
				 0);
		ck_assert_int_eq(capture_out_write_blocks(&out, (uint8_t *)large.data, large.len),
				 0);
	}
	ck_assert_int_eq(capture_out_close(&out, 0), 0);
	b = temp_dir_read("x");
	ck_assert_uint_eq(b.len, header.len + 2 * (small.len + large.len));
	ck_assert_mem_eq(b.data + header.len, small.data, small.len);
	ck_assert_mem_eq(b.data + header.len + small.len, large.data, large.len);
	ck_assert_mem_eq(b.data + b.len - large.len - small.len, small.data, small.len);
	buf_free(&b);
	buf_free(&large);
	buf_free(&small);
	buf_free(&header);
}
END_TEST

/* Packets are only counted once the disk is full: those of the failed write that are in no file,
 * and all later ones. */
START_TEST(counts_unsaved_packets)
{
	enum { PACKETS = 2000, FOLLOWING = 3 };
	const struct capture_out_opts opts = { .file.name = "x" };
	const struct capfile_iface iface = { .link = FRAME_ETHERNET };
	struct rlimit limit = { 40000, RLIM_INFINITY };
	struct frame udp = make_udp4();
	struct capture_out out = { 0 };
	struct buf blocks = { 0 };
	struct capfile c = { 0 };
	uint32_t saved = 0;
	struct buf b;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(capture_out_open(&out, &opts), 0);
	ck_assert_int_eq(capture_out_begin(&out), 0);
	ck_assert_int_eq(capture_out_ensure_header(&out, &iface), 0);
	/* saved packets are longer than the others */
	for (uint32_t i = 0; i < PACKETS; i++) {
		udp.caplen = udp.len = i < PACKETS / 2 ? sizeof(udp4) : 20;
		capfile_put_packet(&blocks, &udp);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	capture_stderr_begin(STDERR_FILENO);
	ck_assert_int_eq(capture_out_write_blocks(&out, (uint8_t *)blocks.data, blocks.len),
			 -EFBIG);
	capture_stderr_end(STDERR_FILENO);
	ck_assert(out.failed);
	for (uint32_t i = 0; i < FOLLOWING; i++)
		ck_assert_int_eq(capture_out_write_frame(&out, &udp, &iface), 0);
	ck_assert_int_eq(capture_out_write_blocks(&out, (uint8_t *)blocks.data, blocks.len), 0);
	b = temp_dir_read("x");
	for (size_t at = 0; at < b.len;) {
		uint32_t head[2];

		memcpy(head, b.data + at, sizeof(head));
		saved += head[0] == 6;
		at += head[1];
		ck_assert_uint_le(at, b.len);
	}
	ck_assert_uint_gt(saved, 0);
	ck_assert_uint_eq(out.unsaved, 2 * PACKETS + FOLLOWING - saved);
	ck_assert_int_eq(capture_out_close(&out, -EFBIG), -EFBIG);
	capfile_close(&c);
	buf_free(&b);
	buf_free(&blocks);
}
END_TEST

/* The count limits packets. Other block types do not count. */
START_TEST(cuts_to_count)
{
	const struct capture_file f = { .opts.pcapng = true };
	const struct capfile_stats stats = { .received = 1 };
	struct frame udp = make_udp4();
	struct buf b = { 0 };
	size_t block;

	capfile_put_packet(&b, &udp);
	block = b.len;
	capfile_put_stats(&b, 0, &stats);
	for (int i = 0; i < 4; i++)
		capfile_put_packet(&b, &udp);
	for (uint64_t count = 1; count <= 6; count++) {
		struct capture_limits l = { .count = count };
		size_t len = limits_cut(&l, &f, (const uint8_t *)b.data, b.len);

		ck_assert_uint_eq(l.delivered, count < 5 ? count : 5);
		ck_assert_uint_eq(limits_reached(&l), count <= 5);
		ck_assert_uint_eq(len, count == 1  ? block
				       : count < 5 ? b.len - (5 - count) * block
						   : b.len);
		/* once the count is reached, everything is cut */
		if (count <= 5)
			ck_assert_uint_eq(limits_cut(&l, &f, (const uint8_t *)b.data, b.len), 0);
	}
	ck_assert(!limits_reached(&(struct capture_limits){ .delivered = 5 }));
	buf_free(&b);
}
END_TEST

enum { MS = 1000000 };

/* Partly filled chunks are delayed while full ones arrive, but only briefly. */
START_TEST(delays_partial_chunks)
{
	const uint64_t start = UINT64_C(1000) * MS;
	struct capture_limits l = { .full_ns = start, .partial_ns = start };

	ck_assert(!limits_partial_due(&l, start));
	ck_assert(!limits_partial_due(&l, start + 50 * MS));
	ck_assert(limits_partial_due(&l, start + 50 * MS + 1));
	/* full chunks arrive continuously */
	l.full_ns = start + 190 * MS;
	ck_assert(!limits_partial_due(&l, start + 200 * MS));
	ck_assert(limits_partial_due(&l, start + 200 * MS + 1));
}
END_TEST

/* Older packets are awaited while a CPU writes, but not for a CPU that never stops. */
START_TEST(awaits_older_packets)
{
	const uint64_t start = UINT64_C(1000) * MS;
	struct capture_limits l = { 0 };

	ck_assert(!limits_older_may_come(&l, false, start));
	ck_assert(limits_older_may_come(&l, true, start + 1));
	ck_assert(limits_older_may_come(&l, true, start + 200 * MS - 1));
	ck_assert(!limits_older_may_come(&l, true, start + 200 * MS));
	ck_assert(!limits_older_may_come(&l, false, start + 201 * MS));
	ck_assert(limits_older_may_come(&l, true, start + 202 * MS));
}
END_TEST

START_TEST(computes_end_of_wait)
{
	const uint64_t now = 5000, real = UINT64_C(1) << 60;

	ck_assert_uint_eq(limits_wait_until(0, UINT64_MAX, now, real), UINT64_MAX);
	ck_assert_uint_eq(limits_wait_until(30, UINT64_MAX, now, real), now + 30);
	ck_assert_uint_eq(limits_wait_until(30, real, now, real), now + 30);
	/* a file that is due: not before its time by either clock */
	ck_assert_uint_eq(limits_wait_until(0, real + 700, now, real), now + 700 + MS);
	ck_assert_uint_eq(limits_wait_until(0, real - 700, now, real), now + MS);
}
END_TEST

Suite *capture_output_suite(void)
{
	Suite *s = suite_create("capture_output");
	TCase *t = tcase_create("printed");

	tcase_add_test(t, prints_lines);
	tcase_add_test(t, prints_json);
	suite_add_tcase(s, t);
	t = tcase_create("files");
	tcase_add_checked_fixture(t, temp_dir_enter, temp_dir_leave);
	tcase_add_test(t, writes_interfaces);
	tcase_add_loop_test(t, writes_pcap, 0, 2);
	tcase_add_loop_test(t, writes_empty_files, 0, 2);
	tcase_add_test(t, writes_in_order);
	tcase_add_test(t, counts_unsaved_packets);
	suite_add_tcase(s, t);
	t = tcase_create("limits");
	tcase_add_test(t, cuts_to_count);
	tcase_add_test(t, delays_partial_chunks);
	tcase_add_test(t, awaits_older_packets);
	tcase_add_test(t, computes_end_of_wait);
	suite_add_tcase(s, t);
	return s;
}
