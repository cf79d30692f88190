/* SPDX-License-Identifier: MIT */
/* Writes, copies and reads capture files with sonde's code, for tests/peers.sh. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/lib/craft.h"

#define APP    "sonde 0.test"
#define FILTER "arp or tcp port 80"

enum { SNAPLEN = 262144 };

/* An ARP request: who has 192.0.2.2? Tell 192.0.2.1. Then the padding of a short frame. */
static const uint8_t arp[60] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,   1, 0x08, 0x06,
	0,    1,    0x08, 0,    6,    4,    0, 1, 2, 0, 0,   0, 0,    1,
	192,  0,    2,    1,    0,    0,    0, 0, 0, 0, 192, 0, 2,    2,
};

#define FRAME(...)                                                          \
	{                                                                   \
		.data = arp, .len = 60, .link = FRAME_ETHERNET, __VA_ARGS__ \
	}
static const struct frame frames[] = {
	FRAME(.caplen = 42, .time_ns = 1700000000000000001, .dir = FRAME_OUT, .pid = 1234,
	      .comm = "curl"),
	FRAME(.caplen = 60, .time_ns = 1700000000123456789, .dir = FRAME_IN, .iface = 1,
	      .verdict = FRAME_DROP),
	FRAME(.caplen = 43, .time_ns = 1700000001999999999, .dir = FRAME_IN, .verdict = FRAME_PASS,
	      .pid = 7, .comm = "\xc3\xa4 [x]\\\xff\n"),
	FRAME(.caplen = 45, .time_ns = 1699999999000000000, .iface = 1),
	FRAME(.caplen = 60,
	      .time_ns = 2145916800000000000), /* 2038: the last year that tcpdump reads */
};
enum { FRAMES = ARRAY_LEN(frames) };

static const struct capfile_iface ifaces[] = {
	{ .name = "eth0", .link = FRAME_ETHERNET, .snaplen = SNAPLEN },
	{ .name = "veth12345678901", .link = FRAME_ETHERNET, .snaplen = SNAPLEN },
};

static void write_ng(struct buf *b)
{
	struct capfile_stats st = { .start_ns = frames[3].time_ns,
				    .end_ns = frames[4].time_ns,
				    .received = 1000,
				    .dropped_if = 1,
				    .dropped_os = 995 };

	capfile_put_section(b, APP);
	capfile_put_iface(b, &ifaces[0], FILTER);
	capfile_put_iface(b, &ifaces[1], NULL);
	for (size_t i = 0; i < FRAMES; i++)
		capfile_put_packet(b, &frames[i]);
	capfile_put_stats(b, 0, &st);
	capfile_put_stats(b, 1, &(struct capfile_stats){ .received = 2 });
}

static void write_pcap(struct buf *b, bool nano)
{
	capfile_put_pcap(b, FRAME_ETHERNET, SNAPLEN, nano);
	for (size_t i = 0; i < FRAMES; i++)
		capfile_put_record(b, &frames[i], nano);
}

static void write_big_ng(struct buf *b)
{
	struct craft c = { .big = true };

	craft_section(&c);
	for (int i = 0; i < 2; i++) {
		craft_iface(&c, FRAME_ETHERNET, SNAPLEN);
		craft_text(&c, 2, ifaces[i].name);
		craft_value(&c, 9, i ? 0x94 : 9, 1); /* 2^-20 s */
		craft_value(&c, 14, i ? 0 : 100, 8);
		craft_option(&c, 0, NULL, 0);
		craft_end(&c);
	}
	for (size_t i = 0; i < FRAMES; i++) {
		const struct frame *f = &frames[i];

		craft_packet(&c, f->iface, f->iface ? f->time_ns / 954 : f->time_ns, f->data,
			     f->caplen, f->len);
		craft_value(&c, 2, f->dir, 4);
		craft_option(&c, 0, NULL, 0);
		craft_end(&c);
	}
	*b = c.b;
}

static void write_big_pcap(struct buf *b, bool nano)
{
	struct craft c = { .big = true };

	craft_pcap(&c, nano ? 0xa1b23c4d : 0xa1b2c3d4, SNAPLEN, FRAME_ETHERNET);
	for (size_t i = 0; i < FRAMES; i++) {
		const struct frame *f = &frames[i];
		uint32_t ns = (uint32_t)(f->time_ns % 1000000000);

		craft_record(&c, (uint32_t)(f->time_ns / 1000000000), nano ? ns : ns / 1000,
			     f->data, f->caplen, f->len);
	}
	*b = c.b;
}

struct job {
	struct capfile c;
	struct buf out;
	const char *format;
	uint32_t ifaces; /* interfaces written so far */
};

/* Formats the fields that tshark shows, and then those that only sonde reads. */
static int format_packet(const struct frame *f, void *arg)
{
	static const char *const verdicts[] = { "", "pass", "drop" };
	struct job *j = arg;

	buf_printf(&j->out, "%" PRIu64 ".%09" PRIu64 "|%" PRIu32 "|%" PRIu32 "|%s|%u",
		   f->time_ns / 1000000000, f->time_ns % 1000000000, f->caplen, f->len,
		   capfile_iface(&j->c, f->iface)->name, f->dir);
	buf_char(&j->out, '|');
	for (const char *at = f->comm; *at; at++)
		buf_printf(&j->out, *at >= ' ' && *at < 0x7f ? "%c" : "<%02x>", (uint8_t)*at);
	buf_printf(&j->out, "|%" PRIu32 "|%s\n", f->pid, verdicts[f->verdict]);
	return 0;
}

static int copy_packet(const struct frame *f, void *arg)
{
	struct job *j = arg;
	const struct capfile_iface *first = capfile_iface(&j->c, 0);
	bool nano = !strcmp(j->format, "nsecpcap");

	if (strcmp(j->format, "pcapng") != 0) {
		if (!j->ifaces++)
			capfile_put_pcap(&j->out, first->link, first->snaplen, nano);
		capfile_put_record(&j->out, f, nano);
		return 0;
	}
	if (!j->ifaces)
		capfile_put_section(&j->out, APP);
	for (; j->ifaces < j->c.nifaces; j->ifaces++)
		capfile_put_iface(&j->out, capfile_iface(&j->c, j->ifaces), NULL);
	capfile_put_packet(&j->out, f);
	return 0;
}

static int read_all(struct job *j, capfile_each *each)
{
	static char bytes[5000];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(0, bytes, sizeof(bytes))) > 0)
		rc = capfile_feed(&j->c, bytes, (size_t)n, each, j);
	rc = rc ? rc : capfile_end(&j->c);
	if (rc)
		fprintf(stderr, "%s\n", j->c.diag.msg);
	for (uint32_t i = 0; each == format_packet && i < j->c.nifaces; i++)
		if (j->c.ifaces[i].counted)
			buf_printf(&j->out, "%s received %" PRIu64 " dropped %" PRIu64 "\n",
				   j->c.ifaces[i].name, j->c.ifaces[i].stats.received,
				   j->c.ifaces[i].stats.dropped_os);
	capfile_close(&j->c);
	return rc;
}

static void write_as(struct buf *b, const char *format)
{
	bool nano = strstr(format, "nsec");

	if (!strcmp(format, "pcapng"))
		write_ng(b);
	else if (!strcmp(format, "big-pcapng"))
		write_big_ng(b);
	else if (!strncmp(format, "big-", 4))
		write_big_pcap(b, nano);
	else
		write_pcap(b, nano);
}

int main(int argc, char **argv)
{
	struct job j = { .format = argc > 2 ? argv[2] : "" };
	int rc = 0;

	if (argc == 3 && !strcmp(argv[1], "write"))
		write_as(&j.out, j.format);
	else if (argc == 3 && !strcmp(argv[1], "copy"))
		rc = read_all(&j, copy_packet);
	else if (argc == 2 && !strcmp(argv[1], "read"))
		rc = read_all(&j, format_packet);
	else
		rc = fprintf(stderr, "usage: capfile write FORMAT | copy FORMAT | read\n");
	if (buf_write(&j.out, 1))
		rc = 1;
	buf_free(&j.out);
	return rc ? 1 : 0;
}
