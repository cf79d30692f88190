/* SPDX-License-Identifier: MIT */
/* Capture files are read whole, in pieces, truncated and damaged at every byte, in both byte
 * orders. */
#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include "tests/unit/capfile_cases.h"
#include "tests/unit/suites.h"

static const uint8_t bytes[64] = { 0x45, 1, 2, 3, 4, 5, 6, 7, 8, 9, [63] = 0xff };

/* A sample file, the ends of its units, and the number of packets up to each end. */
struct sample {
	struct craft c;
	size_t ends[32], packets[32], n, sum;
};

static void add_unit(struct sample *s, size_t packets)
{
	s->sum += packets;
	s->ends[s->n] = s->c.b.len;
	s->packets[s->n++] = s->sum;
}

static void end_block(struct sample *s, size_t packets)
{
	craft_end(&s->c);
	add_unit(s, packets);
}

static void make_packets(struct sample *s)
{
	craft_packet(&s->c, 0, 1700000000123456, bytes, 61, 1500);
	craft_value(&s->c, 2, 1, 4);
	craft_text(&s->c, 1, "process: curl[1234]");
	craft_text(&s->c, 1, "verdict: drop");
	craft_text(&s->c, 1, "seen by hand");
	craft_text(&s->c, 1, "seen twice");
	craft_value(&s->c, 4, 3, 8);
	craft_option(&s->c, 0, NULL, 0);
	end_block(s, 1);
	craft_begin(&s->c, 3); /* a simple packet block: cut at the first interface's snaplen */
	craft_32(&s->c, 100);
	craft_bytes(&s->c, bytes, 64);
	end_block(s, 1);
	craft_packet(&s->c, 1, 0x1234567890, bytes, 0, 0);
	craft_option(&s->c, 8, "\0\0\4\xd2\0\0\0\0", 8);
	craft_option(&s->c, 7, s->c.big ? "\2\0\0\0\0\0\0\0\2" : "\2\2\0\0\0\0\0\0\0", 9);
	end_block(s, 1);
	craft_begin(&s->c, 2); /* an obsolete packet block */
	craft_16(&s->c, 1);
	craft_16(&s->c, 7);
	craft_32(&s->c, 2);
	craft_32(&s->c, 1);
	craft_32(&s->c, 5);
	craft_32(&s->c, 4); /* less than the captured length */
	craft_bytes(&s->c, bytes, 5);
	craft_value(&s->c, 2, 2, 4);
	end_block(s, 1);
}

static void make_section(struct sample *s, bool big)
{
	s->c.big = big;
	craft_section(&s->c);
	add_unit(s, 0);
	craft_iface(&s->c, 1, 64);
	craft_text(&s->c, 2, "eth0");
	end_block(s, 0);
	craft_iface(&s->c, 101, 0);
	craft_text(&s->c, 2,
		   "a-name-that-is-far-too-long-for-the-room-that-there-is-for-it-\xc3\xa4");
	craft_value(&s->c, 9, 9, 1);
	craft_value(&s->c, 14, (uint64_t)-3, 8);
	craft_text(&s->c, 999, "from the future");
	end_block(s, 0);
	make_packets(s);
	craft_begin(&s->c, 0x12345678); /* an unknown block type */
	craft_bytes(&s->c, bytes, 12);
	end_block(s, 0);
	craft_begin(&s->c, 5);
	craft_32(&s->c, 1);
	craft_64(&s->c, 0);
	craft_value(&s->c, 4, UINT64_C(0x100000002), 8);
	craft_value(&s->c, 5, 4, 8);
	craft_value(&s->c, 7, 5, 8);
	craft_16(&s->c, 3);
	craft_16(&s->c, 8);
	craft_32(&s->c, 1);
	craft_32(&s->c, 0);
	end_block(s, 0);
}

static void make_ng(struct sample *s, bool big)
{
	*s = (struct sample){ 0 };
	make_section(s, big);
	make_section(s, !big);
}

static void make_pcap(struct sample *s, bool big, uint32_t magic)
{
	*s = (struct sample){ .c.big = big };
	craft_pcap(&s->c, magic, 64, 1);
	add_unit(s, 0);
	for (uint32_t i = 0; i < 4; i++) {
		craft_record(&s->c, UINT32_MAX - i, 999999, bytes, i * 20, 20 * i + i % 2);
		add_unit(s, 1);
	}
}

/* The samples that are truncated and damaged at every byte. */
static void make_sample(struct sample *s, int i)
{
	if (i < 2)
		make_ng(s, i);
	else
		make_pcap(s, i & 1, i & 2 ? 0xa1b2c3d4 : 0xa1b23c4d);
}

enum { SAMPLES = 6 };

static const char *const section_text =
	"%u 1700000000123456000 61/1500 ec7641b1 1 in drop curl[1234]\n"
	"# seen by hand\n"
	"%u 0 64/100 a699b192 1 - - [0]\n"
	"%u 75187493520 0/0 811c9dc5 101 - pass [%u]\n"
	"%u 5589934593 5/5 6b51e80c 101 out - [0]\n";

START_TEST(pcapng_is_read_in_both_byte_orders)
{
	const struct capfile_iface *i;
	struct buf want = { 0 };
	struct reading r;
	struct sample s;

	make_ng(&s, _i);
	/* The process id was written as a big-endian number. */
	buf_printf(&want, section_text, 0, 0, 1, _i ? 1234 : 0xd2040000, 1);
	buf_printf(&want, section_text, 2, 2, 3, _i ? 0xd2040000 : 1234, 3);
	buf_char(&want, '\0');
	read_pieces(&r, s.c.b.data, s.c.b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_str_eq(r.log.data, want.data);
	ck_assert_uint_eq(r.c.nifaces, 4);
	ck_assert_int_eq(r.c.format, CAPFILE_PCAPNG);
	i = capfile_iface(&r.c, 2);
	ck_assert_str_eq(i->name, "eth0");
	ck_assert_uint_eq(i->link, 1);
	ck_assert_uint_eq(i->snaplen, 64);
	ck_assert_uint_eq(i->lost, 3);
	ck_assert(!i->counted);
	i = capfile_iface(&r.c, 3);
	ck_assert_str_eq(i->name, "a-name-that-is-far-too-long-for-the-room-that-there-is-for-it-");
	ck_assert_uint_eq(i->snaplen, 0);
	ck_assert_uint_eq(i->lost, 7);
	ck_assert(i->counted);
	ck_assert_uint_eq(i->stats.received, UINT64_C(0x100000002));
	ck_assert_uint_eq(i->stats.dropped_if, 4);
	ck_assert_uint_eq(i->stats.dropped_os, 5);
	ck_assert_uint_eq(i->stats.start_ns, 0);
	ck_assert_uint_eq(i->stats.end_ns, (UINT64_C(1) << 32) - UINT64_C(3000000000));
	ck_assert_ptr_null(capfile_iface(&r.c, 4));
	read_close(&r);
	buf_free(&s.c.b);
	buf_free(&want);
}
END_TEST

START_TEST(pcap_is_read_in_four_formats)
{
	static const char *const fraction[] = { "999999000", "000999999" };
	struct buf want = { 0 };
	struct reading r;
	struct sample s;

	make_pcap(&s, _i & 1, _i & 2 ? 0xa1b23c4d : 0xa1b2c3d4);
	for (uint32_t i = 0; i < 4; i++) {
		static const char *const hashes[] = { "811c9dc5", "056efa4b", "adfe88bb",
						      "41e8ca2b" };

		buf_printf(&want, "0 %u%s %u/%u %s 1 - - [0]\n", UINT32_MAX - i, fraction[_i / 2],
			   i * 20, i * 20 + i % 2, hashes[i]);
	}
	buf_char(&want, '\0');
	read_pieces(&r, s.c.b.data, s.c.b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_str_eq(r.log.data, want.data);
	ck_assert_uint_eq(r.c.nifaces, 1);
	ck_assert_int_eq(r.c.format, CAPFILE_PCAP);
	ck_assert_str_eq(capfile_iface(&r.c, 0)->name, "");
	ck_assert_uint_eq(capfile_iface(&r.c, 0)->snaplen, 64);
	read_close(&r);
	buf_free(&s.c.b);
	buf_free(&want);
}
END_TEST

START_TEST(pieces_of_any_length_read_the_same)
{
	struct reading whole, r;
	struct sample s;

	make_sample(&s, _i);
	read_pieces(&whole, s.c.b.data, s.c.b.len, SIZE_MAX);
	ck_assert_uint_eq(whole.n, s.sum);
	for (size_t piece = 1; piece <= s.c.b.len; piece += piece < 100 ? 1 : 37) {
		read_pieces(&r, s.c.b.data, s.c.b.len, piece);
		ck_assert_int_eq(r.rc, 0);
		ck_assert_str_eq(r.log.data, whole.log.data);
		ck_assert_uint_eq(r.c.nifaces, whole.c.nifaces);
		read_close(&r);
	}
	read_close(&whole);
	buf_free(&s.c.b);
}
END_TEST

/* The first unit that is not complete within len bytes. */
static size_t unit_at(const struct sample *s, size_t len)
{
	size_t i = 0;

	while (i < s->n && s->ends[i] <= len)
		i++;
	return i;
}

START_TEST(truncation_is_reported)
{
	struct reading whole, r;
	struct sample s;

	make_sample(&s, _i);
	read_pieces(&whole, s.c.b.data, s.c.b.len, SIZE_MAX);
	for (size_t len = 0; len <= s.c.b.len; len++) {
		size_t u = unit_at(&s, len);
		bool edge = u && s.ends[u - 1] == len;

		read_pieces(&r, s.c.b.data, len, len % 3 ? SIZE_MAX : 5);
		if (r.n != (u ? s.packets[u - 1] : 0) ||
		    memcmp(r.log.data, whole.log.data, r.log.len - 1) ||
		    r.rc != (edge ? 0 : -EBADMSG))
			ck_abort_msg("%zu bytes: %d after %zu packets", len, r.rc, r.n);
		if (!edge &&
		    (r.c.diag.pos != len || !strstr(r.c.diag.msg, len ? "cut short" : "empty")))
			ck_abort_msg("%zu bytes: %s", len, r.c.diag.msg);
		read_close(&r);
	}
	read_close(&whole);
	buf_free(&s.c.b);
}
END_TEST

START_TEST(damage_keeps_earlier_packets)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x10, 0x80, 0xff };
	struct reading whole, r;
	struct sample s;

	make_sample(&s, _i);
	read_pieces(&whole, s.c.b.data, s.c.b.len, SIZE_MAX);
	for (size_t at = 0; at < s.c.b.len; at += UNIT_STRIDE)
		for (size_t f = 0; f < sizeof(flips); f++) {
			size_t u = unit_at(&s, at), before = u ? s.packets[u - 1] : 0, len = 0;

			s.c.b.data[at] = (char)((uint8_t)s.c.b.data[at] ^ flips[f]);
			read_pieces(&r, s.c.b.data, s.c.b.len, at % 2 ? SIZE_MAX : 33);
			s.c.b.data[at] = (char)((uint8_t)s.c.b.data[at] ^ flips[f]);
			/* The log of the packets before the damage. */
			for (size_t n = 0; n < before || whole.log.data[len] == '#'; len++)
				n += whole.log.data[len] == '\n' && whole.log.data[len + 1] != '#';
			if ((r.rc && r.rc != -EBADMSG) || r.n < before || r.log.len < len ||
			    memcmp(r.log.data, whole.log.data, len) ||
			    (r.rc && r.c.diag.pos < (u ? s.ends[u - 1] : 0)))
				ck_abort_msg("byte %zu ^ %d: %d, %zu packets, at %" PRIu64 ": %s",
					     at, flips[f], r.rc, r.n, (uint64_t)r.c.diag.pos,
					     r.c.diag.msg);
			read_close(&r);
		}
	read_close(&whole);
	buf_free(&s.c.b);
}
END_TEST

/* A number of `len` bytes written at an offset of the little-endian sample, and the message. */
static const struct {
	size_t unit, at;
	unsigned int len;
	uint64_t value;
	const char *message;
} wrongs[] = {
	{ 1, 4, 4, 13, "damaged at byte 28: block length 13 is not a multiple of 4" },
	{ 1, 4, 4, 8, "damaged at byte 28: block length 8 is too short" },
	{ 1, 4, 4, 16, "damaged at byte 28: block length 16 is too short" },
	{ 1, 4, 4, 0, "damaged at byte 28: block length 0 is too short" },
	{ 1, 4, 4, 0x1000004, "damaged at byte 28: block length 16777220 exceeds 16777216" },
	{ 1, 4, 4, 0xfffffffc, "damaged at byte 28: block length 4294967292 exceeds 16777216" },
	{ 1, 24, 4, 36, "damaged at byte 28: block length is 28, but 36 at its end" },
	{ 1, 18, 2, 0xfffc, "damaged at byte 28: option 2 is longer than its block" },
	{ 1, 18, 2, 0xffff, "damaged at byte 28: option 2 is longer than its block" },
	{ 0, 8, 4, 0x11223344, "damaged at byte 0: invalid byte-order magic 0x44332211" },
	{ 0, 12, 2, 2, "damaged at byte 0: unsupported pcapng version 2.0 (only 1)" },
	{ 0, 4, 4, 24, "damaged at byte 0: block length 24 is too short" },
	{ 3, 8, 4, 2, "damaged at byte 184: no interface 2 (only 2)" },
	{ 3, 20, 4, 0xffffffff,
	  "damaged at byte 184: packet of 4294967295 bytes is longer than "
	  "its block" },
	{ 3, 94, 2, 3, "damaged at byte 184: option 2 has 3 bytes instead of 4" },
	{ 3, 0, 4, 5, NULL },
};

START_TEST(damage_is_described)
{
	struct reading r;
	struct sample s;
	size_t at;

	make_ng(&s, false);
	at = (wrongs[_i].unit ? s.ends[wrongs[_i].unit - 1] : 0) + wrongs[_i].at;
	for (unsigned int i = 0; i < wrongs[_i].len; i++)
		s.c.b.data[at + i] = (char)(wrongs[_i].value >> 8 * i);
	read_pieces(&r, s.c.b.data, s.c.b.len, SIZE_MAX);
	if (wrongs[_i].message) {
		ck_assert_int_eq(r.rc, -EBADMSG);
		ck_assert_str_eq(r.c.diag.msg, wrongs[_i].message);
		/* The error is kept. */
		ck_assert_int_eq(capfile_feed(&r.c, "", 1, read_frame, &r), -EBADMSG);
		ck_assert_int_eq(capfile_end(&r.c), -EBADMSG);
	}
	read_close(&r);
	buf_free(&s.c.b);
}
END_TEST

static const struct {
	const char *file;
	size_t len;
	const char *message;
} others[] = {
	{ "", 0, "empty: not a capture file" },
	{ "\xa1\xb2\xc3", 3, "cut short in the middle of the file header at byte 3" },
	{ "hello", 5, "not a capture file: neither pcap nor pcapng" },
	{ "\x1f\x8b\x08\x00", 4, "compressed, unpack it first: gzip -d" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed, unpack it first: zstd -d" },
	{ "\x34\xcd\xb2\xa1", 4, "a 'modified' pcap file, convert it: editcap" },
	{ "\xa1\xb2\xc3\xd4\0\2\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 24,
	  "unsupported pcap version 2.3 (only 2.4)" },
	{ "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1", 24,
	  "damaged at byte 0: invalid link type 65537" },
	{ "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	  "\0\0\0\0\0\0\0\0\0\4\0\1\0\4\0\1",
	  40, "damaged at byte 24: packet of 262145 bytes is too long" },
	{ "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\1\0\0\1\0\0\0\1"
	  "\0\0\0\0\0\0\0\0\1\0\0\1\0\0\0\1",
	  40, "damaged at byte 24: packet of 16777217 bytes is too long" },
	{ "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	  "\0\0\0\0\0\0\0\0\0\4\0\0\0\4\0\0",
	  40, "cut short in the middle of a packet at byte 40" },
	/* The upper bits of the link type hold the length of the frame check sequence. */
	{ "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\x44\0\0\1", 24, "" },
};

START_TEST(other_files_are_refused)
{
	struct reading r;

	read_pieces(&r, others[_i].file, others[_i].len, SIZE_MAX);
	ck_assert_str_eq(r.c.diag.msg, others[_i].message);
	ck_assert_int_eq(r.rc, others[_i].message[0] ? -EBADMSG : 0);
	read_close(&r);
}
END_TEST

static const struct {
	uint8_t tsresol;
	int64_t offset;
	uint64_t ticks, ns;
} times[] = {
	{ 9, 0, 1, 1 },
	{ 9, 0, UINT64_MAX, UINT64_MAX },
	{ 6, 0, 1700000000123456, 1700000000123456000 },
	{ 6, 0, UINT64_MAX / 1000, UINT64_MAX / 1000 * 1000 },
	{ 6, 0, UINT64_MAX / 1000 + 1, UINT64_MAX },
	{ 0, 0, 18446744073, 18446744073000000000U },
	{ 0, 0, 18446744074, UINT64_MAX },
	{ 0, 0, UINT64_MAX, UINT64_MAX },
	{ 12, 0, 1999, 1 },
	{ 28, 0, UINT64_MAX, 1 },
	{ 29, 0, UINT64_MAX, 0 },
	{ 127, 0, UINT64_MAX, 0 },
	{ 0x80, 0, 5, 5000000000 },
	{ 0x80, 0, UINT64_MAX, UINT64_MAX },
	{ 0x81, 0, 3, 1500000000 },
	{ 0x80 + 20, 0, (1700000000ULL << 20) + (1 << 19), 1700000000500000000 },
	{ 0x80 + 31, 0, (1ULL << 31) - 1, 999999999 },
	{ 0x80 + 32, 0, (7ULL << 32) + UINT32_MAX, 7999999999 },
	{ 0x80 + 33, 0, (7ULL << 33) + 1, 7000000000 },
	{ 0x80 + 63, 0, 1ULL << 63, 1000000000 },
	{ 0x80 + 63, 0, UINT64_MAX, 1999999999 },
	{ 0x80 + 64, 0, UINT64_MAX, 999999999 },
	{ 0x80 + 64, 0, 1ULL << 63, 500000000 },
	{ 0x80 + 93, 0, UINT64_MAX, 1 },
	{ 0x80 + 96, 0, UINT64_MAX, 0 },
	{ 0xff, 0, UINT64_MAX, 0 },
	{ 9, 1, 1, 1000000001 },
	{ 9, -1, 1000000001, 1 },
	{ 9, -1, 999999999, 0 },
	{ 9, INT64_MIN, UINT64_MAX, 0 },
	{ 9, INT64_MAX, 0, UINT64_MAX },
	{ 9, 18446744073, 709551616, UINT64_MAX },
	{ 9, 18446744073, 709551614, UINT64_MAX - 1 },
};

START_TEST(times_of_any_unit_are_read)
{
	ck_assert_uint_eq(capfile_time_ns(times[_i].tsresol, times[_i].offset, times[_i].ticks),
			  times[_i].ns);
}
END_TEST

/* Cases missing in the samples: a simple packet without a limit, unknown losses. */
START_TEST(simple_packets_are_read)
{
	struct craft c = { 0 };
	struct reading r;

	craft_section(&c);
	craft_iface(&c, 1, 0);
	craft_end(&c);
	craft_begin(&c, 3);
	craft_32(&c, 20);
	craft_bytes(&c, bytes, 20);
	craft_end(&c);
	craft_begin(&c, 2);
	craft_16(&c, 0);
	craft_16(&c, UINT16_MAX);
	craft_64(&c, 0);
	craft_64(&c, 0);
	craft_end(&c);
	read_pieces(&r, c.b.data, c.b.len, SIZE_MAX);
	ck_assert_int_eq(r.rc, 0);
	ck_assert_str_eq(r.log.data, "0 0 20/20 056efa4b 1 - - [0]\n0 0 0/0 811c9dc5 1 - - [0]\n");
	ck_assert_uint_eq(capfile_iface(&r.c, 0)->lost, 0);
	read_close(&r);
	buf_free(&c.b);
}
END_TEST

/* Reads a crafted file that must be refused with this message. The caller closes *r. */
static void expect_refusal(struct craft *c, struct reading *r, size_t piece, const char *message)
{
	read_pieces(r, c->b.data, c->b.len, piece);
	ck_assert_int_eq(r->rc, -EBADMSG);
	ck_assert_str_eq(r->c.diag.msg, message);
	buf_free(&c->b);
}

/* The number of interfaces is limited. */
START_TEST(too_many_interfaces_are_refused)
{
	struct craft c = { 0 };
	struct reading r;

	craft_section(&c);
	for (int i = 0; i <= CAPFILE_IFACES_MAX; i++) {
		craft_iface(&c, 1, 0);
		craft_end(&c);
	}
	expect_refusal(&c, &r, 4096, "damaged at byte 1310748: more than 65536 interfaces");
	ck_assert_uint_eq(r.c.nifaces, CAPFILE_IFACES_MAX);
	read_close(&r);
}
END_TEST

/* Memory is allocated for received bytes, not for a length in the file. */
START_TEST(memory_grows_with_received_bytes)
{
	struct craft c = { 0 };
	struct reading r;

	craft_section(&c);
	craft_32(&c, 6);
	craft_32(&c, CAPFILE_BLOCK_MAX);
	craft_64(&c, 0);
	expect_refusal(&c, &r, 1, "cut short in the middle of a packet at byte 44");
	ck_assert_uint_le(r.c.partial.cap, 256);
	read_close(&r);
}
END_TEST

static int stop_at_two(const struct frame *f, void *arg)
{
	(void)f;
	return ++*(int *)arg == 2 ? 42 : 0;
}

START_TEST(the_callback_stops_reading)
{
	struct capfile c = { 0 };
	struct sample s;
	int n = 0;

	make_sample(&s, _i);
	ck_assert_int_eq(capfile_feed(&c, s.c.b.data, s.c.b.len, stop_at_two, &n), 42);
	ck_assert_int_eq(capfile_feed(&c, s.c.b.data, s.c.b.len, stop_at_two, &n), 42);
	ck_assert_int_eq(capfile_end(&c), 42);
	ck_assert_int_eq(n, 2);
	ck_assert_str_eq(c.diag.msg, "");
	capfile_close(&c);
	capfile_close(&c);
	buf_free(&s.c.b);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(*(table))))

Suite *capfile_suite(void)
{
	Suite *s = suite_create("capfile");
	TCase *t = tcase_create("read");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, pcapng_is_read_in_both_byte_orders, 0, 2);
	tcase_add_loop_test(t, pcap_is_read_in_four_formats, 0, 4);
	tcase_add_loop_test(t, pieces_of_any_length_read_the_same, 0, SAMPLES);
	tcase_add_loop_test(t, truncation_is_reported, 0, SAMPLES);
	tcase_add_loop_test(t, damage_keeps_earlier_packets, 0, SAMPLES);
	tcase_add_loop_test(t, damage_is_described, 0, COUNT(wrongs));
	tcase_add_loop_test(t, other_files_are_refused, 0, COUNT(others));
	tcase_add_loop_test(t, times_of_any_unit_are_read, 0, COUNT(times));
	tcase_add_test(t, simple_packets_are_read);
	tcase_add_test(t, too_many_interfaces_are_refused);
	tcase_add_test(t, memory_grows_with_received_bytes);
	tcase_add_loop_test(t, the_callback_stops_reading, 0, SAMPLES);
	suite_add_tcase(s, t);
	suite_add_tcase(s, capfile_write_cases());
	return s;
}
