/* SPDX-License-Identifier: MIT */
/* Writes capture files: appends blocks and records, whose lengths are computed first. */
#include <string.h>
#include "base/clock.h"
#include "net/capfile/internal.h"

enum { ALIGNMENT = 4 }; /* of blocks, of packet data and of options */

static size_t round_up(size_t n)
{
	return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put_u16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, sizeof(v));
}

static void put_u64(struct buf *b, uint64_t v)
{
	buf_add(b, &v, sizeof(v));
}

/* The high word first in either byte order. */
static void put_ticks(struct buf *b, uint64_t v)
{
	put_u32(b, (uint32_t)(v >> 32));
	put_u32(b, (uint32_t)v);
}

static void put_padded(struct buf *b, const void *bytes, size_t n)
{
	buf_add(b, bytes, n);
	buf_fill(b, '\0', round_up(n) - n);
}

static size_t option_len(size_t n)
{
	return 4 + round_up(n);
}

static void put_option(struct buf *b, uint16_t code, const void *value, size_t n)
{
	put_u16(b, code);
	put_u16(b, (uint16_t)n);
	put_padded(b, value, n);
}

/* Returns the length of all options and the end-of-options option, which is only written after
 * others. */
static size_t options_total(size_t options)
{
	return options ? options + option_len(0) : 0;
}

static void put_options_end(struct buf *b, size_t options)
{
	if (options)
		put_option(b, OPT_END, NULL, 0);
}

/* Truncates the text to CAPFILE_TEXT_MAX at a character boundary. */
static size_t text_len(const char *s)
{
	size_t n = s ? strnlen(s, CAPFILE_TEXT_MAX + 1) : 0;

	if (n <= CAPFILE_TEXT_MAX)
		return n;
	for (n = CAPFILE_TEXT_MAX; n && ((uint8_t)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

static void put_block_header(struct buf *b, uint32_t type, size_t len)
{
	put_u32(b, type);
	put_u32(b, (uint32_t)len);
}

static size_t section_options_len(const char *app)
{
	size_t n = text_len(app);

	return n ? option_len(n) : 0;
}

size_t capfile_section_len(const char *app)
{
	return NG_BLOCK_OVERHEAD + 16 + options_total(section_options_len(app));
}

void capfile_put_section(struct buf *b, const char *app)
{
	size_t len = capfile_section_len(app), options = section_options_len(app);

	put_block_header(b, NG_SECTION, len);
	put_u32(b, NG_BYTE_ORDER_MAGIC);
	put_u16(b, 1);
	put_u16(b, 0);
	put_u64(b, UINT64_MAX); /* the section's length: unknown */
	if (options)
		put_option(b, SHB_USERAPPL, app, text_len(app));
	put_options_end(b, options);
	put_u32(b, (uint32_t)len);
}

static size_t iface_name_len(const struct capfile_iface *i)
{
	return strnlen(i->name, sizeof(i->name));
}

/* The filter text follows a byte 0, which means a libpcap expression. */
static size_t iface_options_len(const struct capfile_iface *i, const char *filter)
{
	size_t name = iface_name_len(i), text = text_len(filter);

	return option_len(1) + (name ? option_len(name) : 0) + (text ? option_len(1 + text) : 0);
}

size_t capfile_iface_len(const struct capfile_iface *i, const char *filter)
{
	return NG_BLOCK_OVERHEAD + 8 + options_total(iface_options_len(i, filter));
}

static void put_filter(struct buf *b, const char *filter)
{
	size_t n = text_len(filter), len = 1 + n;

	if (!n)
		return;
	put_u16(b, IF_FILTER);
	put_u16(b, (uint16_t)len);
	buf_char(b, 0);
	buf_add(b, filter, n);
	buf_fill(b, '\0', round_up(len) - len);
}

void capfile_put_iface(struct buf *b, const struct capfile_iface *i, const char *filter)
{
	size_t len = capfile_iface_len(i, filter), name = iface_name_len(i);

	put_block_header(b, NG_IFACE, len);
	put_u16(b, i->link);
	put_u16(b, 0);
	put_u32(b, i->snaplen);
	if (name)
		put_option(b, IF_NAME, i->name, name);
	put_option(b, IF_TSRESOL, &(uint8_t){ TSRESOL_NS }, 1);
	put_filter(b, filter);
	put_options_end(b, iface_options_len(i, filter));
	put_u32(b, (uint32_t)len);
}

static uint32_t clamp_caplen(const struct frame *f)
{
	return f->caplen < CAPFILE_CAPLEN_MAX ? f->caplen : CAPFILE_CAPLEN_MAX;
}

/* The direction in epb_flags: 1 in, 2 out, 0 unknown. */
static uint32_t direction_flags(const struct frame *f)
{
	return f->dir == FRAME_IN ? 1 : f->dir == FRAME_OUT ? 2 : 0;
}

static size_t packet_options_len(const struct frame *f)
{
	size_t sum = (direction_flags(f) ? option_len(4) : 0) + (f->pid ? option_len(8) : 0);
	char text[COMMENT_MAX];

	for (unsigned int i = 0; i < NCOMMENTS; i++) {
		size_t n = capfile_make_comment(f, i, text);

		sum += n ? option_len(n) : 0;
	}
	return sum;
}

size_t capfile_packet_len(const struct frame *f)
{
	return NG_BLOCK_OVERHEAD + 20 + round_up(clamp_caplen(f)) +
	       options_total(packet_options_len(f));
}

static void put_comment(struct buf *b, const struct frame *f, unsigned int i)
{
	char text[COMMENT_MAX];
	size_t n = capfile_make_comment(f, i, text);

	if (n)
		put_option(b, OPT_COMMENT, text, n);
}

void capfile_put_owner(struct buf *b, const struct frame *f)
{
	uint32_t process[] = { f->pid, 0 }; /* 0: thread unknown */

	if (f->pid)
		put_option(b, EPB_PROCESS, process, sizeof(process));
	put_comment(b, f, COMMENT_PROCESS);
}

static void put_packet_options(struct buf *b, const struct frame *f)
{
	uint32_t flags = direction_flags(f);

	if (flags)
		put_option(b, EPB_FLAGS, &flags, sizeof(flags));
	capfile_put_owner(b, f);
	for (unsigned int i = 0; i < NCOMMENTS; i++)
		if (i != COMMENT_PROCESS)
			put_comment(b, f, i);
}

void capfile_put_packet(struct buf *b, const struct frame *f)
{
	size_t options = packet_options_len(f);
	uint32_t caplen = clamp_caplen(f);
	size_t len = NG_BLOCK_OVERHEAD + 20 + round_up(caplen) + options_total(options);

	put_block_header(b, NG_PACKET, len);
	put_u32(b, f->iface);
	put_ticks(b, f->time_ns);
	put_u32(b, caplen);
	put_u32(b, f->len);
	put_padded(b, f->data, caplen);
	if (options)
		put_packet_options(b, f);
	put_options_end(b, options);
	put_u32(b, (uint32_t)len);
}

static size_t stats_options_len(const struct capfile_stats *s)
{
	return (size_t)(3 + (s->start_ns != 0) + (s->end_ns != 0)) * option_len(8);
}

size_t capfile_stats_len(const struct capfile_stats *s)
{
	return NG_BLOCK_OVERHEAD + 12 + options_total(stats_options_len(s));
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

	put_block_header(b, NG_STATS, len);
	put_u32(b, iface);
	put_ticks(b, s->end_ns);
	put_time_option(b, ISB_STARTTIME, s->start_ns);
	put_time_option(b, ISB_ENDTIME, s->end_ns);
	put_option(b, ISB_IFRECV, &s->received, 8);
	put_option(b, ISB_IFDROP, &s->dropped_if, 8);
	put_option(b, ISB_OSDROP, &s->dropped_os, 8);
	put_options_end(b, stats_options_len(s));
	put_u32(b, (uint32_t)len);
}

size_t capfile_pcap_len(void)
{
	return PCAP_HEADER;
}

void capfile_put_pcap(struct buf *b, uint16_t link, uint32_t snaplen, bool nano)
{
	put_u32(b, nano ? PCAP_MAGIC_NANO : PCAP_MAGIC);
	put_u16(b, 2);
	put_u16(b, 4);
	put_u64(b, 0);
	put_u32(b, snaplen ? snaplen : PCAP_SNAPLEN);
	put_u32(b, link);
}

size_t capfile_record_len(const struct frame *f)
{
	return PCAP_RECORD + (size_t)clamp_caplen(f);
}

void capfile_put_record(struct buf *b, const struct frame *f, bool nano)
{
	uint64_t s = f->time_ns / NS_PER_S;
	uint32_t ns = (uint32_t)(f->time_ns % NS_PER_S), caplen = clamp_caplen(f);

	put_u32(b, s < UINT32_MAX ? (uint32_t)s : UINT32_MAX); /* until 2106 */
	put_u32(b, nano ? ns : ns / 1000);
	put_u32(b, caplen);
	put_u32(b, f->len);
	buf_add(b, f->data, caplen);
}
