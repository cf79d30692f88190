/* SPDX-License-Identifier: MIT */
/* Builds capture files in either byte order, and prints frames as lines to compare. */
#ifndef TESTS_LIB_CRAFT_H
#define TESTS_LIB_CRAFT_H

#include <inttypes.h>
#include <string.h>
#include "base/buf.h"
#include "net/capfile/capfile.h"

struct craft {
	struct buf b;
	bool big;
	size_t block; /* start of the current block */
};

static inline void craft_num(struct craft *c, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		buf_char(&c->b, (char)(v >> 8 * (c->big ? bytes - 1 - i : i)));
}

static inline void craft_16(struct craft *c, uint16_t v)
{
	craft_num(c, v, 2);
}

static inline void craft_32(struct craft *c, uint32_t v)
{
	craft_num(c, v, 4);
}

static inline void craft_64(struct craft *c, uint64_t v)
{
	craft_num(c, v, 8);
}

static inline void craft_bytes(struct craft *c, const void *bytes, size_t n)
{
	buf_add(&c->b, bytes, n);
	buf_fill(&c->b, '\0', -n % 4);
}

static inline void craft_option(struct craft *c, uint16_t code, const void *bytes, uint16_t n)
{
	craft_16(c, code);
	craft_16(c, n);
	craft_bytes(c, bytes, n);
}

static inline void craft_text(struct craft *c, uint16_t code, const char *s)
{
	craft_option(c, code, s, (uint16_t)strlen(s));
}

/* An option that is a number. */
static inline void craft_value(struct craft *c, uint16_t code, uint64_t v, uint16_t bytes)
{
	craft_16(c, code);
	craft_16(c, bytes);
	craft_num(c, v, bytes);
	buf_fill(&c->b, '\0', -(size_t)bytes % 4);
}

static inline void craft_begin(struct craft *c, uint32_t type)
{
	c->block = c->b.len;
	craft_32(c, type);
	craft_32(c, 0);
}

static inline void craft_end(struct craft *c)
{
	uint32_t len = (uint32_t)(c->b.len - c->block + 4);
	size_t end = c->b.len;

	craft_32(c, len);
	memcpy(c->b.data + c->block + 4, c->b.data + end, 4);
}

static inline void craft_section(struct craft *c)
{
	craft_begin(c, 0x0a0d0d0a);
	craft_32(c, 0x1a2b3c4d);
	craft_16(c, 1);
	craft_16(c, 0);
	craft_64(c, UINT64_MAX);
	craft_end(c);
}

/* Options may follow before craft_end(). */
static inline void craft_iface(struct craft *c, uint16_t link, uint32_t snaplen)
{
	craft_begin(c, 1);
	craft_16(c, link);
	craft_16(c, 0);
	craft_32(c, snaplen);
}

static inline void craft_packet(struct craft *c, uint32_t iface, uint64_t ticks, const void *data,
				uint32_t caplen, uint32_t len)
{
	craft_begin(c, 6);
	craft_32(c, iface);
	craft_32(c, (uint32_t)(ticks >> 32));
	craft_32(c, (uint32_t)ticks);
	craft_32(c, caplen);
	craft_32(c, len);
	craft_bytes(c, data, caplen);
}

static inline void craft_pcap(struct craft *c, uint32_t magic, uint32_t snaplen, uint32_t link)
{
	craft_32(c, magic);
	craft_16(c, 2);
	craft_16(c, 4);
	craft_64(c, 0);
	craft_32(c, snaplen);
	craft_32(c, link);
}

static inline void craft_record(struct craft *c, uint32_t s, uint32_t fraction, const void *data,
				uint32_t caplen, uint32_t len)
{
	craft_32(c, s);
	craft_32(c, fraction);
	craft_32(c, caplen);
	craft_32(c, len);
	buf_add(&c->b, data, caplen);
}

/* Appends all fields of a frame as a line. */
static inline void craft_log(struct buf *b, const struct frame *f)
{
	static const char *const dirs[] = { "-", "in", "out" };
	static const char *const verdicts[] = { "-", "pass", "drop" };
	uint32_t hash = 2166136261U;

	for (uint32_t i = 0; i < f->caplen; i++)
		hash = (hash ^ f->data[i]) * 16777619U;
	buf_printf(b, "%" PRIu32 " %" PRIu64 " %" PRIu32 "/%" PRIu32 " %08" PRIx32 " %u %s %s",
		   f->iface, f->time_ns, f->caplen, f->len, hash, f->link, dirs[f->dir],
		   verdicts[f->verdict]);
	buf_printf(b, " %s[%" PRIu32 "]\n", f->comm, f->pid);
}

#endif
