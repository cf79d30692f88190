/* SPDX-License-Identifier: MIT */
/* Reads capture files in pieces: detects the format, splits the input into units, parses classic
 * pcap. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "net/capfile/internal.h"

static int set_error(struct capfile *c, int rc, const char *prefix, const char *fmt, va_list ap)
{
	struct diag *d = &c->diag;
	int n = 0;

	d->pos = c->pos;
	if (prefix)
		n = snprintf(d->msg, sizeof(d->msg), "%s at byte %" PRIu64 ": ", prefix, c->pos);
	vsnprintf(d->msg + n, sizeof(d->msg) - (size_t)n, fmt, ap);
	return rc;
}

int capfile_damaged(struct capfile *c, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = set_error(c, -EBADMSG, "damaged", fmt, ap);
	va_end(ap);
	return rc;
}

int capfile_fail(struct capfile *c, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = set_error(c, -EBADMSG, NULL, fmt, ap);
	va_end(ap);
	return rc;
}

struct capfile_iface *capfile_add_iface(struct capfile *c, int *rc)
{
	struct capfile_iface *iface;

	if (c->nifaces == CAPFILE_IFACES_MAX) {
		*rc = capfile_damaged(c, "more than %d interfaces", CAPFILE_IFACES_MAX);
		return NULL;
	}
	iface = array_grow(c->ifaces, c->nifaces, &c->ifaces_cap, sizeof(*iface));
	if (!iface) {
		capfile_fail(c, "out of memory for interface %" PRIu32, c->nifaces);
		*rc = -ENOMEM;
		return NULL;
	}
	c->ifaces = iface;
	iface += c->nifaces++;
	*iface = (struct capfile_iface){ .tsresol = TSRESOL_US };
	return iface;
}

const struct capfile_iface *capfile_iface(const struct capfile *c, uint32_t i)
{
	return i < c->nifaces ? &c->ifaces[i] : NULL;
}

/* The first 4 bytes of files. With a message: not supported, and what to do about it. */
static const struct magic {
	uint32_t be;
	enum capfile_format format;
	bool big, nano;
	const char *message;
} magics[] = {
	{ NG_SECTION, CAPFILE_PCAPNG, false, false, NULL },
	{ PCAP_MAGIC, CAPFILE_PCAP, true, false, NULL },
	{ PCAP_MAGIC_NANO, CAPFILE_PCAP, true, true, NULL },
	{ 0xd4c3b2a1, CAPFILE_PCAP, false, false, NULL },
	{ 0x4d3cb2a1, CAPFILE_PCAP, false, true, NULL },
	{ 0xa1b2cd34, CAPFILE_UNKNOWN, true, false, "a 'modified' pcap file, convert it: editcap" },
	{ 0x34cdb2a1, CAPFILE_UNKNOWN, false, false,
	  "a 'modified' pcap file, convert it: editcap" },
	{ 0x736e6f6f, CAPFILE_UNKNOWN, true, false, "a snoop file, convert it: editcap" },
	{ 0x28b52ffd, CAPFILE_UNKNOWN, true, false, "compressed, unpack it first: zstd -d" },
	{ 0x04224d18, CAPFILE_UNKNOWN, true, false, "compressed, unpack it first: lz4 -d" },
	{ 0xfd377a58, CAPFILE_UNKNOWN, true, false, "compressed, unpack it first: xz -d" },
};

static int find_magic(struct capfile *c, const uint8_t *at, const struct magic **magic)
{
	struct cursor in = cursor_of(at, 4);
	uint32_t word = cursor_be32(&in);

	for (size_t i = 0; i < ARRAY_LEN(magics); i++) {
		if (magics[i].be != word)
			continue;
		*magic = &magics[i];
		return magics[i].message ? capfile_fail(c, "%s", magics[i].message) : 0;
	}
	if (word >> 16 == 0x1f8b)
		return capfile_fail(c, "compressed, unpack it first: gzip -d");
	return capfile_fail(c, "not a capture file: neither pcap nor pcapng");
}

static int parse_file_header(struct capfile *c, const uint8_t *at)
{
	struct cursor in = cursor_of(at, PCAP_HEADER);
	struct capfile_iface *iface;
	uint16_t major, minor;
	uint32_t snaplen, link;
	int rc = 0;

	cursor_skip(&in, 4);
	major = read_u16(c, &in);
	minor = read_u16(c, &in);
	cursor_skip(&in, 8); /* time zone and precision: unused */
	snaplen = read_u32(c, &in);
	link = read_u32(c, &in);
	if (major != 2 || minor != 4)
		return capfile_fail(c, "unsupported pcap version %u.%u (only 2.4)", major, minor);
	if (link & 0x03ff0000) /* bits 26-31 are about the frame check sequence */
		return capfile_damaged(c, "invalid link type %" PRIu32, link);
	iface = capfile_add_iface(c, &rc);
	if (!iface)
		return rc;
	iface->link = (uint16_t)link;
	iface->snaplen = snaplen;
	/* Some writers exceed their snaplen; larger lengths are damage. */
	c->record_max = snaplen < PCAP_SNAPLEN ? PCAP_SNAPLEN : snaplen;
	if (c->record_max > CAPFILE_BLOCK_MAX)
		c->record_max = CAPFILE_BLOCK_MAX;
	return 0;
}

/* The first unit determines the format of the rest. */
static int parse_first_unit(struct capfile *c, const uint8_t *at, size_t len)
{
	const struct magic *magic = NULL;
	int rc = find_magic(c, at, &magic);

	if (rc)
		return rc;
	c->big = magic->big;
	c->nano = magic->nano;
	rc = magic->format == CAPFILE_PCAP ? parse_file_header(c, at)
					   : capfile_ng_parse_block(c, at, len);
	if (!rc)
		c->format = magic->format;
	return rc;
}

static int parse_record(struct capfile *c, const uint8_t *at)
{
	struct cursor in = cursor_of(at, PCAP_RECORD);
	struct frame f = { .link = c->ifaces[0].link };

	f.time_ns = read_u32(c, &in) * NS_PER_S;
	f.time_ns += read_u32(c, &in) * UINT64_C(1) * (c->nano ? 1 : 1000);
	f.caplen = read_u32(c, &in);
	f.len = read_u32(c, &in);
	if (f.len < f.caplen)
		f.len = f.caplen;
	f.data = at + PCAP_RECORD;
	return c->each(&f, c->arg);
}

/* Gets the length of the next unit, of which n bytes are available; *need above n: more bytes are
 * needed to tell. */
static int measure_unit(struct capfile *c, const uint8_t *at, size_t n, size_t *need)
{
	const struct magic *magic = NULL;
	struct cursor in;
	uint32_t caplen;
	int rc;

	if (c->format == CAPFILE_PCAPNG)
		return capfile_ng_measure_block(c, at, n, need);
	if (c->format == CAPFILE_UNKNOWN) {
		*need = 4;
		if (n < *need)
			return 0;
		rc = find_magic(c, at, &magic);
		if (!rc && magic->format == CAPFILE_PCAPNG)
			return capfile_ng_measure_block(c, at, n, need);
		*need = PCAP_HEADER;
		return rc;
	}
	*need = PCAP_RECORD;
	if (n < *need)
		return 0;
	in = cursor_of(at + 8, 4);
	caplen = read_u32(c, &in);
	if (caplen > c->record_max)
		return capfile_damaged(c, "packet of %" PRIu32 " bytes is too long", caplen);
	*need += caplen;
	return 0;
}

static int parse_unit(struct capfile *c, const uint8_t *at, size_t len)
{
	if (c->format == CAPFILE_UNKNOWN)
		return parse_first_unit(c, at, len);
	return c->format == CAPFILE_PCAP ? parse_record(c, at) : capfile_ng_parse_block(c, at, len);
}

/* Parses the next unit, or keeps what is available of it. Returns false if more input is needed or
 * after an error. */
static bool feed_unit(struct capfile *c, struct cursor *in)
{
	bool resumed = c->partial.len;
	const uint8_t *at = resumed ? (const uint8_t *)c->partial.data : in->at;
	size_t n = resumed ? c->partial.len : in->left, need = 0;

	c->rc = measure_unit(c, at, n, &need);
	if (c->rc)
		return false;
	if (n >= need) {
		c->rc = parse_unit(c, at, need);
		c->pos += need;
		if (resumed)
			buf_clear(&c->partial);
		else
			cursor_skip(in, need);
		return !c->rc;
	}
	n = resumed && need - n < in->left ? need - n : in->left;
	buf_add(&c->partial, in->at, n);
	if (c->partial.nomem) {
		capfile_fail(c, "out of memory for %zu bytes at byte %" PRIu64, need, c->pos);
		c->rc = -ENOMEM;
	}
	cursor_skip(in, n);
	return n && !c->rc;
}

int capfile_feed(struct capfile *c, const void *bytes, size_t len, capfile_each *each, void *arg)
{
	struct cursor in = cursor_of(bytes, len);

	c->each = each;
	c->arg = arg;
	if (c->rc || !len)
		return c->rc;
	while (feed_unit(c, &in))
		;
	return c->rc;
}

int capfile_end(struct capfile *c)
{
	const char *unit = "the file header";

	if (c->rc || (c->format && !c->partial.len))
		return c->rc;
	if (!c->partial.len)
		return c->rc = capfile_fail(c, "empty: not a capture file");
	if (c->format == CAPFILE_PCAP)
		unit = "a packet";
	else if (c->format == CAPFILE_PCAPNG)
		unit = capfile_ng_block_name(c, (const uint8_t *)c->partial.data, c->partial.len);
	c->pos += c->partial.len;
	return c->rc = capfile_fail(c, "cut short in the middle of %s at byte %" PRIu64, unit,
				    c->pos);
}

void capfile_close(struct capfile *c)
{
	buf_free(&c->partial);
	free(c->ifaces);
	*c = (struct capfile){ 0 };
}
