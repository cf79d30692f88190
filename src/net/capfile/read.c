/* SPDX-License-Identifier: MIT */
/* Reading capture files in pieces: what kind it is, a unit at a time, and classic pcap's units. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/grow.h"
#include "net/capfile/internal.h"

static int say(struct capfile *c, int rc, const char *prefix, const char *fmt, va_list ap)
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
	rc = say(c, -EBADMSG, "damaged", fmt, ap);
	va_end(ap);
	return rc;
}

int capfile_refuse(struct capfile *c, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = say(c, -EBADMSG, NULL, fmt, ap);
	va_end(ap);
	return rc;
}

struct capfile_iface *capfile_add(struct capfile *c, int *rc)
{
	struct capfile_iface *more;

	if (c->nifaces == CAPFILE_IFACES_MAX) {
		*rc = capfile_damaged(c, "more than %d interfaces", CAPFILE_IFACES_MAX);
		return NULL;
	}
	more = array_grow(c->ifaces, c->nifaces, &c->room, sizeof(*more));
	if (!more) {
		capfile_refuse(c, "no memory for interface %" PRIu32, c->nifaces);
		*rc = -ENOMEM;
		return NULL;
	}
	c->ifaces = more;
	more += c->nifaces++;
	*more = (struct capfile_iface){ .tsresol = TSRESOL_US };
	return more;
}

const struct capfile_iface *capfile_iface(const struct capfile *c, uint32_t i)
{
	return i < c->nifaces ? &c->ifaces[i] : NULL;
}

/* How a file may begin. Without a format: what it is, and what may be done about it. */
static const struct magic {
	uint32_t be;
	enum capfile_format format;
	bool big, nano;
	const char *words;
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

static int find_magic(struct capfile *c, const uint8_t *at, const struct magic **m)
{
	struct cursor in = cursor_of(at, 4);
	uint32_t word = cursor_be32(&in);

	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if (magics[i].be != word)
			continue;
		*m = &magics[i];
		return magics[i].words ? capfile_refuse(c, "%s", magics[i].words) : 0;
	}
	if (word >> 16 == 0x1f8b)
		return capfile_refuse(c, "compressed, unpack it first: gzip -d");
	return capfile_refuse(c, "not a capture file: neither pcap nor pcapng");
}

static int take_header(struct capfile *c, const uint8_t *at)
{
	struct cursor in = cursor_of(at, PCAP_HEADER);
	struct capfile_iface *iface;
	uint16_t major, minor;
	uint32_t snaplen, link;
	int rc = 0;

	cursor_skip(&in, 4);
	major = take16(c, &in);
	minor = take16(c, &in);
	cursor_skip(&in, 8); /* a time zone and a precision that nobody ever set */
	snaplen = take32(c, &in);
	link = take32(c, &in);
	if (major != 2 || minor != 4)
		return capfile_refuse(c, "pcap version %u.%u is not known, only 2.4", major, minor);
	if (link & 0x03ff0000) /* above them: the length of a frame check sequence */
		return capfile_damaged(c, "link type %" PRIu32, link);
	iface = capfile_add(c, &rc);
	if (!iface)
		return rc;
	iface->link = (uint16_t)link;
	iface->snaplen = snaplen;
	/* Writers exceed their snaplen at times, damage does by more. */
	c->link_len = snaplen < PCAP_SNAPLEN ? PCAP_SNAPLEN : snaplen;
	if (c->link_len > CAPFILE_BLOCK_MAX)
		c->link_len = CAPFILE_BLOCK_MAX;
	return 0;
}

/* A file's first unit tells what the next ones are. */
static int start(struct capfile *c, const uint8_t *at, size_t len)
{
	const struct magic *m = NULL;
	int rc = find_magic(c, at, &m);

	if (rc)
		return rc;
	c->big = m->big;
	c->nano = m->nano;
	rc = m->format == CAPFILE_PCAP ? take_header(c, at) : capfile_ng_take(c, at, len);
	if (!rc)
		c->format = m->format;
	return rc;
}

static int take_record(struct capfile *c, const uint8_t *at)
{
	struct cursor in = cursor_of(at, PCAP_RECORD);
	struct frame f = { .link = c->ifaces[0].link };

	f.time_ns = take32(c, &in) * NS_PER_S;
	f.time_ns += take32(c, &in) * UINT64_C(1) * (c->nano ? 1 : 1000);
	f.caplen = take32(c, &in);
	f.len = take32(c, &in);
	if (f.len < f.caplen)
		f.len = f.caplen;
	f.data = at + PCAP_RECORD;
	return c->each(&f, c->arg);
}

/* How long the next unit is, of which n bytes are here; more than n if it takes more to tell. */
static int measure(struct capfile *c, const uint8_t *at, size_t n, size_t *need)
{
	const struct magic *m = NULL;
	struct cursor in;
	uint32_t caplen;
	int rc;

	if (c->format == CAPFILE_PCAPNG)
		return capfile_ng_measure(c, at, n, need);
	if (c->format == CAPFILE_UNKNOWN) {
		*need = 4;
		if (n < *need)
			return 0;
		rc = find_magic(c, at, &m);
		if (!rc && m->format == CAPFILE_PCAPNG)
			return capfile_ng_measure(c, at, n, need);
		*need = PCAP_HEADER;
		return rc;
	}
	*need = PCAP_RECORD;
	if (n < *need)
		return 0;
	in = cursor_of(at + 8, 4);
	caplen = take32(c, &in);
	if (caplen > c->link_len)
		return capfile_damaged(c, "a packet of %" PRIu32 " bytes", caplen);
	*need += caplen;
	return 0;
}

static int take(struct capfile *c, const uint8_t *at, size_t len)
{
	if (c->format == CAPFILE_UNKNOWN)
		return start(c, at, len);
	return c->format == CAPFILE_PCAP ? take_record(c, at) : capfile_ng_take(c, at, len);
}

/* Take the next unit, or hold what is here of it. Returns whether there may be more to do. */
static bool step(struct capfile *c, struct cursor *in)
{
	bool held = c->held.len;
	const uint8_t *at = held ? (const uint8_t *)c->held.data : in->at;
	size_t n = held ? c->held.len : in->left, need = 0;

	c->rc = measure(c, at, n, &need);
	if (c->rc)
		return false;
	if (n >= need) {
		c->rc = take(c, at, need);
		c->pos += need;
		if (held)
			buf_clear(&c->held);
		else
			cursor_skip(in, need);
		return !c->rc;
	}
	n = held && need - n < in->left ? need - n : in->left;
	buf_add(&c->held, in->at, n);
	if (c->held.nomem) {
		capfile_refuse(c, "no memory for %zu bytes at byte %" PRIu64, need, c->pos);
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
	while (step(c, &in))
		;
	return c->rc;
}

int capfile_end(struct capfile *c)
{
	const char *what = "the file header";

	if (c->rc || (c->format && !c->held.len))
		return c->rc;
	if (!c->held.len)
		return c->rc = capfile_refuse(c, "empty: not a capture file");
	if (c->format == CAPFILE_PCAP)
		what = "a packet";
	else if (c->format == CAPFILE_PCAPNG)
		what = capfile_ng_kind(c, (const uint8_t *)c->held.data, c->held.len);
	c->pos += c->held.len;
	return c->rc = capfile_refuse(c, "cut short in the middle of %s at byte %" PRIu64, what,
				      c->pos);
}

void capfile_close(struct capfile *c)
{
	buf_free(&c->held);
	free(c->ifaces);
	*c = (struct capfile){ 0 };
}
