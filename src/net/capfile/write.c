/* SPDX-License-Identifier: MIT */
/* Writing capture files: blocks and records appended to a buffer, their lengths known before. */
#include <string.h>
#include "base/clock.h"
#include "net/capfile/internal.h"

enum { PAD = 4 }; /* blocks, packets in them and options begin at multiples of it */

static size_t padded(size_t n)
{
	return (n + PAD - 1) / PAD * PAD;
}

static void put16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put64(struct buf *b, uint64_t v)
{
	buf_add(b, &v, sizeof(v));
}

/* The high word first, whatever the byte order. */
static void put_ticks(struct buf *b, uint64_t v)
{
	put32(b, (uint32_t)(v >> 32));
	put32(b, (uint32_t)v);
}

static void put_bytes(struct buf *b, const void *bytes, size_t n)
{
	buf_add(b, bytes, n);
	buf_fill(b, '\0', padded(n) - n);
}

static size_t option_len(size_t n)
{
	return 4 + padded(n);
}

static void put_option(struct buf *b, uint16_t code, const void *value, size_t n)
{
	put16(b, code);
	put16(b, (uint16_t)n);
	put_bytes(b, value, n);
}

/* Behind the last option: only where there was one. */
static size_t end_len(size_t options)
{
	return options ? options + option_len(0) : 0;
}

static void put_end(struct buf *b, size_t options)
{
	if (options)
		put_option(b, OPT_END, NULL, 0);
}

/* As many bytes of a text as are written; a character at the edge stays outside. */
static size_t text_len(const char *s)
{
	size_t n = s ? strnlen(s, CAPFILE_TEXT_MAX + 1) : 0;

	if (n <= CAPFILE_TEXT_MAX)
		return n;
	for (n = CAPFILE_TEXT_MAX; n && ((uint8_t)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

static void put_head(struct buf *b, uint32_t type, size_t len)
{
	put32(b, type);
	put32(b, (uint32_t)len);
}

static size_t section_options(const char *app)
{
	size_t n = text_len(app);

	return n ? option_len(n) : 0;
}

size_t capfile_section_len(const char *app)
{
	return NG_FRAME + 16 + end_len(section_options(app));
}

void capfile_put_section(struct buf *b, const char *app)
{
	size_t len = capfile_section_len(app), options = section_options(app);

	put_head(b, NG_SECTION, len);
	put32(b, NG_ORDER);
	put16(b, 1);
	put16(b, 0);
	put64(b, UINT64_MAX); /* the section's length: it is still being written */
	if (options)
		put_option(b, SHB_USERAPPL, app, text_len(app));
	put_end(b, options);
	put32(b, (uint32_t)len);
}

static size_t name_len(const struct capfile_iface *i)
{
	return strnlen(i->name, sizeof(i->name));
}

/* A filter's text has a byte in front that says it is one for libpcap. */
static size_t iface_options(const struct capfile_iface *i, const char *filter)
{
	size_t name = name_len(i), text = text_len(filter);

	return option_len(1) + (name ? option_len(name) : 0) + (text ? option_len(1 + text) : 0);
}

size_t capfile_iface_len(const struct capfile_iface *i, const char *filter)
{
	return NG_FRAME + 8 + end_len(iface_options(i, filter));
}

static void put_filter(struct buf *b, const char *filter)
{
	size_t n = text_len(filter), len = 1 + n;

	if (!n)
		return;
	put16(b, IF_FILTER);
	put16(b, (uint16_t)len);
	buf_char(b, 0);
	buf_add(b, filter, n);
	buf_fill(b, '\0', padded(len) - len);
}

void capfile_put_iface(struct buf *b, const struct capfile_iface *i, const char *filter)
{
	size_t len = capfile_iface_len(i, filter), name = name_len(i);

	put_head(b, NG_IFACE, len);
	put16(b, i->link);
	put16(b, 0);
	put32(b, i->snaplen);
	if (name)
		put_option(b, IF_NAME, i->name, name);
	put_option(b, IF_TSRESOL, &(uint8_t){ TSRESOL_NS }, 1);
	put_filter(b, filter);
	put_end(b, iface_options(i, filter));
	put32(b, (uint32_t)len);
}

static uint32_t caplen_of(const struct frame *f)
{
	return f->caplen < CAPFILE_CAPLEN_MAX ? f->caplen : CAPFILE_CAPLEN_MAX;
}

/* As the option has it: 1 in, 2 out, 0 unknown. */
static uint32_t flags_of(const struct frame *f)
{
	return f->dir == FRAME_IN ? 1 : f->dir == FRAME_OUT ? 2 : 0;
}

static size_t packet_options(const struct frame *f)
{
	size_t sum = (flags_of(f) ? option_len(4) : 0) + (f->pid ? option_len(8) : 0);
	char note[NOTE_MAX];

	for (unsigned int i = 0; i < NOTES; i++) {
		size_t n = capfile_note(f, i, note);

		sum += n ? option_len(n) : 0;
	}
	return sum;
}

size_t capfile_packet_len(const struct frame *f)
{
	return NG_FRAME + 20 + padded(caplen_of(f)) + end_len(packet_options(f));
}

static void put_note(struct buf *b, const struct frame *f, unsigned int i)
{
	char note[NOTE_MAX];
	size_t n = capfile_note(f, i, note);

	if (n)
		put_option(b, OPT_COMMENT, note, n);
}

void capfile_put_owner(struct buf *b, const struct frame *f)
{
	uint32_t process[] = { f->pid, 0 }; /* 0: the thread is not known */

	if (f->pid)
		put_option(b, EPB_PROCESS, process, sizeof(process));
	put_note(b, f, NOTE_PROCESS);
}

static void put_packet_options(struct buf *b, const struct frame *f)
{
	uint32_t flags = flags_of(f);

	if (flags)
		put_option(b, EPB_FLAGS, &flags, sizeof(flags));
	capfile_put_owner(b, f);
	for (unsigned int i = 0; i < NOTES; i++)
		if (i != NOTE_PROCESS)
			put_note(b, f, i);
}

void capfile_put_packet(struct buf *b, const struct frame *f)
{
	size_t options = packet_options(f);
	uint32_t caplen = caplen_of(f);
	size_t len = NG_FRAME + 20 + padded(caplen) + end_len(options);

	put_head(b, NG_PACKET, len);
	put32(b, f->iface);
	put_ticks(b, f->time_ns);
	put32(b, caplen);
	put32(b, f->len);
	put_bytes(b, f->data, caplen);
	if (options)
		put_packet_options(b, f);
	put_end(b, options);
	put32(b, (uint32_t)len);
}

static size_t stats_options(const struct capfile_stats *s)
{
	return (size_t)(3 + (s->start_ns != 0) + (s->end_ns != 0)) * option_len(8);
}

size_t capfile_stats_len(const struct capfile_stats *s)
{
	return NG_FRAME + 12 + end_len(stats_options(s));
}

static void put_time_option(struct buf *b, uint16_t code, uint64_t ns)
{
	uint32_t words[] = { (uint32_t)(ns >> 32), (uint32_t)ns };

	if (ns)
		put_option(b, code, words, sizeof(words));
}

void capfile_put_stats(struct buf *b, uint32_t iface, const struct capfile_stats *s)
{
	size_t len = capfile_stats_len(s);

	put_head(b, NG_STATS, len);
	put32(b, iface);
	put_ticks(b, s->end_ns);
	put_time_option(b, ISB_STARTTIME, s->start_ns);
	put_time_option(b, ISB_ENDTIME, s->end_ns);
	put_option(b, ISB_IFRECV, &s->received, 8);
	put_option(b, ISB_IFDROP, &s->dropped_if, 8);
	put_option(b, ISB_OSDROP, &s->dropped_os, 8);
	put_end(b, stats_options(s));
	put32(b, (uint32_t)len);
}

size_t capfile_pcap_len(void)
{
	return PCAP_HEADER;
}

void capfile_put_pcap(struct buf *b, uint16_t link, uint32_t snaplen, bool nano)
{
	put32(b, nano ? PCAP_MAGIC_NANO : PCAP_MAGIC);
	put16(b, 2);
	put16(b, 4);
	put64(b, 0);
	put32(b, snaplen ? snaplen : PCAP_SNAPLEN);
	put32(b, link);
}

size_t capfile_record_len(const struct frame *f)
{
	return PCAP_RECORD + (size_t)caplen_of(f);
}

void capfile_put_record(struct buf *b, const struct frame *f, bool nano)
{
	uint64_t s = f->time_ns / NS_PER_S;
	uint32_t ns = (uint32_t)(f->time_ns % NS_PER_S), caplen = caplen_of(f);

	put32(b, s < UINT32_MAX ? (uint32_t)s : UINT32_MAX); /* until 2106 */
	put32(b, nano ? ns : ns / 1000);
	put32(b, caplen);
	put32(b, f->len);
	buf_add(b, f->data, caplen);
}
