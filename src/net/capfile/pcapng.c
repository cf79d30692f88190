/* SPDX-License-Identifier: MIT */
/* Reading pcapng: blocks of one section after another, and the options in them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "base/clock.h"
#include "net/capfile/internal.h"

/* Verdicts as the kernel's programs give them, in front of them one byte that says which kind. */
enum { VERDICT_TC = 1, VERDICT_XDP = 2, VERDICT_LEN = 9 };

static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t mul_sat(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* ticks / 2^shift seconds in ns. The product with a second has 94 bits: in two halves, exact. */
static uint64_t binary_ns(unsigned int shift, uint64_t ticks)
{
	uint64_t whole = shift < 64 ? ticks >> shift : 0;
	uint64_t part = shift < 64 ? ticks & ((UINT64_C(1) << shift) - 1) : ticks;
	uint64_t low = (part & UINT32_MAX) * NS_PER_S;
	uint64_t high = (part >> 32) * NS_PER_S + (low >> 32);

	if (shift < 32)
		part = low >> shift;
	else
		part = shift - 32 < 64 ? high >> (shift - 32) : 0;
	return add_sat(mul_sat(whole, NS_PER_S), part);
}

static uint64_t decimal_ns(unsigned int digits, uint64_t ticks)
{
	for (; digits < TSRESOL_NS; digits++)
		ticks = mul_sat(ticks, 10);
	for (; digits > TSRESOL_NS && ticks; digits--)
		ticks /= 10;
	return ticks;
}

uint64_t capfile_time_ns(uint8_t tsresol, int64_t tsoffset, uint64_t ticks)
{
	uint64_t ns = tsresol & TSRESOL_BINARY ? binary_ns(tsresol & ~TSRESOL_BINARY, ticks)
					       : decimal_ns(tsresol, ticks);
	uint64_t off;

	if (tsoffset >= 0)
		return add_sat(ns, mul_sat((uint64_t)tsoffset, NS_PER_S));
	off = mul_sat(-(uint64_t)tsoffset, NS_PER_S);
	return ns > off ? ns - off : 0;
}

/* Two 32-bit words, the high one first, whatever the byte order. */
static uint64_t take_ticks(const struct capfile *c, struct cursor *in)
{
	uint64_t high = take32(c, in);

	return high << 32 | take32(c, in);
}

static uint64_t take_time(const struct capfile *c, const struct capfile_iface *i, struct cursor *in)
{
	return capfile_time_ns(i->tsresol, i->tsoffset, take_ticks(c, in));
}

/* What an option tells of. */
struct subject {
	struct capfile *c;
	struct capfile_iface *iface;
	struct frame *frame;
	struct capfile_stats *stats;
};

struct option {
	uint16_t code;
	uint16_t len; /* 0: any */
	void (*take)(struct subject *s, struct cursor value);
};

static const struct option *find(const struct option *known, size_t n, uint16_t code)
{
	for (size_t i = 0; i < n; i++)
		if (known[i].code == code)
			return &known[i];
	return NULL;
}

static int take_options(struct subject *s, struct cursor in, const struct option *known, size_t n)
{
	struct capfile *c = s->c;

	while (in.left) {
		uint16_t code = take16(c, &in), len = take16(c, &in);
		struct cursor value = cursor_sub(&in, len);
		const struct option *o = find(known, n, code);

		if (value.cut || !cursor_skip(&in, -(size_t)len % 4))
			return capfile_damaged(c, "option %u is longer than its block", code);
		if (code == OPT_END)
			break;
		if (!o)
			continue;
		if (o->len && o->len != len)
			return capfile_damaged(c, "option %u of %u bytes, not %u", code, len,
					       o->len);
		o->take(s, value);
	}
	return 0;
}

#define OPTIONS(s, in, table) take_options(s, in, table, ARRAY_LEN(table))

static int take_section(struct capfile *c, struct cursor in)
{
	uint16_t major, minor;

	c->big = cursor_be32(&in) == NG_ORDER;
	major = take16(c, &in);
	minor = take16(c, &in);
	if (major != 1)
		return capfile_damaged(c, "pcapng version %u.%u is not known, only 1", major,
				       minor);
	c->first = c->nifaces;
	return 0;
}

/* At most as many bytes as there is room for, not ending within a character. */
static void iface_name(struct subject *s, struct cursor value)
{
	char *name = s->iface->name;
	size_t len = strnlen((const char *)value.at, value.left);

	if (len >= CAPFILE_NAME_MAX) {
		len = CAPFILE_NAME_MAX - 1;
		while (len && (value.at[len] & 0xc0) == 0x80)
			len--;
	}
	memset(name, 0, CAPFILE_NAME_MAX);
	memcpy(name, value.at, len);
}

static void iface_tsresol(struct subject *s, struct cursor value)
{
	s->iface->tsresol = cursor_u8(&value);
}

static void iface_tsoffset(struct subject *s, struct cursor value)
{
	s->iface->tsoffset = (int64_t)take64(s->c, &value);
}

static int take_iface(struct capfile *c, struct cursor in)
{
	static const struct option known[] = {
		{ IF_NAME, 0, iface_name },
		{ IF_TSRESOL, 1, iface_tsresol },
		{ IF_TSOFFSET, 8, iface_tsoffset },
	};
	struct capfile_iface got = { .tsresol = TSRESOL_US }, *iface;
	struct subject s = { .c = c, .iface = &got };
	int rc;

	got.link = take16(c, &in);
	cursor_skip(&in, 2);
	got.snaplen = take32(c, &in);
	rc = OPTIONS(&s, in, known);
	if (rc)
		return rc;
	iface = capfile_add(c, &rc);
	if (iface)
		*iface = got;
	return rc;
}

static struct capfile_iface *iface_of(struct capfile *c, uint32_t i)
{
	if (i < c->nifaces - c->first)
		return &c->ifaces[c->first + i];
	capfile_damaged(c, "interface %" PRIu32 " of %" PRIu32, i, c->nifaces - c->first);
	return NULL;
}

static void packet_comment(struct subject *s, struct cursor value)
{
	const char *text = (const char *)value.at;

	if (capfile_note_read(s->frame, text, value.left) || s->c->comment)
		return;
	s->c->comment = text;
	s->c->comment_len = value.left;
}

static void packet_flags(struct subject *s, struct cursor value)
{
	static const uint8_t dirs[] = { FRAME_DIR_UNKNOWN, FRAME_IN, FRAME_OUT, FRAME_DIR_UNKNOWN };

	s->frame->dir = dirs[take32(s->c, &value) % 4];
}

static void packet_dropcount(struct subject *s, struct cursor value)
{
	s->iface->lost = add_sat(s->iface->lost, take64(s->c, &value));
}

/* The actions of linux/bpf.h and linux/pkt_cls.h that drop and those that let pass. */
static void packet_verdict(struct subject *s, struct cursor value)
{
	static const struct {
		uint8_t kind;
		int32_t action;
		uint8_t verdict;
	} known[] = {
		{ VERDICT_XDP, 0, FRAME_DROP }, { VERDICT_XDP, 1, FRAME_DROP },
		{ VERDICT_XDP, 2, FRAME_PASS }, { VERDICT_XDP, 3, FRAME_PASS },
		{ VERDICT_XDP, 4, FRAME_PASS }, { VERDICT_TC, -1, FRAME_PASS },
		{ VERDICT_TC, 0, FRAME_PASS },  { VERDICT_TC, 1, FRAME_PASS },
		{ VERDICT_TC, 2, FRAME_DROP },  { VERDICT_TC, 3, FRAME_PASS },
		{ VERDICT_TC, 7, FRAME_PASS },
	};
	uint8_t kind = cursor_u8(&value);
	uint64_t action;

	if (value.left != VERDICT_LEN - 1)
		return;
	action = take64(s->c, &value);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].kind == kind && (uint64_t)known[i].action == action)
			s->frame->verdict = known[i].verdict;
}

static void packet_process(struct subject *s, struct cursor value)
{
	s->frame->pid = take32(s->c, &value);
}

/* What stands behind the header of every kind of packet block. */
static int take_data(struct subject *s, struct cursor in, const struct option *known, size_t n)
{
	struct capfile *c = s->c;
	struct frame *f = s->frame;
	int rc;

	f->data = cursor_take(&in, f->caplen);
	if (in.cut || !cursor_skip(&in, -(size_t)f->caplen % 4))
		return capfile_damaged(c, "a packet of %" PRIu32 " bytes is longer than its block",
				       f->caplen);
	if (f->len < f->caplen)
		f->len = f->caplen;
	f->iface = (uint32_t)(s->iface - c->ifaces);
	f->link = s->iface->link;
	c->comment = NULL;
	c->comment_len = 0;
	rc = n ? take_options(s, in, known, n) : 0; /* a simple packet has none */
	if (!rc)
		rc = c->each(f, c->arg);
	c->comment = NULL;
	c->comment_len = 0;
	return rc;
}

static int take_packet(struct capfile *c, struct cursor in)
{
	static const struct option known[] = {
		{ OPT_COMMENT, 0, packet_comment },     { EPB_FLAGS, 4, packet_flags },
		{ EPB_DROPCOUNT, 8, packet_dropcount }, { EPB_VERDICT, 0, packet_verdict },
		{ EPB_PROCESS, 8, packet_process },
	};
	struct frame f = { 0 };
	struct subject s = { .c = c, .iface = iface_of(c, take32(c, &in)), .frame = &f };

	if (!s.iface)
		return -EBADMSG;
	f.time_ns = take_time(c, s.iface, &in);
	f.caplen = take32(c, &in);
	f.len = take32(c, &in);
	return take_data(&s, in, known, ARRAY_LEN(known));
}

/* The enhanced packet's predecessor: a short number of the interface, losses in the header. */
static int take_old_packet(struct capfile *c, struct cursor in)
{
	static const struct option known[] = {
		{ OPT_COMMENT, 0, packet_comment },
		{ EPB_FLAGS, 4, packet_flags },
	};
	struct frame f = { 0 };
	struct subject s = { .c = c, .iface = iface_of(c, take16(c, &in)), .frame = &f };
	uint16_t lost;

	if (!s.iface)
		return -EBADMSG;
	lost = take16(c, &in);
	f.time_ns = take_time(c, s.iface, &in);
	f.caplen = take32(c, &in);
	f.len = take32(c, &in);
	if (lost != UINT16_MAX) /* unknown */
		s.iface->lost = add_sat(s.iface->lost, lost);
	return take_data(&s, in, known, ARRAY_LEN(known));
}

/* Of the first interface, without a time; as long as that one's snaplen lets it be. */
static int take_simple_packet(struct capfile *c, struct cursor in)
{
	struct frame f = { 0 };
	struct subject s = { .c = c, .iface = iface_of(c, 0), .frame = &f };

	if (!s.iface)
		return -EBADMSG;
	f.len = f.caplen = take32(c, &in);
	if (s.iface->snaplen && f.caplen > s.iface->snaplen)
		f.caplen = s.iface->snaplen;
	return take_data(&s, in, NULL, 0);
}

static void stats_start(struct subject *s, struct cursor value)
{
	s->stats->start_ns = take_time(s->c, s->iface, &value);
}

static void stats_end(struct subject *s, struct cursor value)
{
	s->stats->end_ns = take_time(s->c, s->iface, &value);
}

static void stats_received(struct subject *s, struct cursor value)
{
	s->stats->received = take64(s->c, &value);
}

static void stats_dropped_if(struct subject *s, struct cursor value)
{
	s->stats->dropped_if = take64(s->c, &value);
}

static void stats_dropped_os(struct subject *s, struct cursor value)
{
	s->stats->dropped_os = take64(s->c, &value);
}

static int take_stats(struct capfile *c, struct cursor in)
{
	static const struct option known[] = {
		{ ISB_STARTTIME, 8, stats_start },   { ISB_ENDTIME, 8, stats_end },
		{ ISB_IFRECV, 8, stats_received },   { ISB_IFDROP, 8, stats_dropped_if },
		{ ISB_OSDROP, 8, stats_dropped_os },
	};
	struct capfile_stats got = { 0 };
	struct subject s = { .c = c, .iface = iface_of(c, take32(c, &in)), .stats = &got };
	int rc;

	if (!s.iface)
		return -EBADMSG;
	cursor_skip(&in, 8); /* when this was written; isb_endtime is when it was counted */
	rc = OPTIONS(&s, in, known);
	if (rc)
		return rc;
	s.iface->stats = got;
	s.iface->counted = true;
	return 0;
}

static const struct block {
	uint32_t type;
	uint32_t least; /* bytes without options and data */
	const char *kind;
	int (*take)(struct capfile *c, struct cursor body);
} blocks[] = {
	{ NG_PACKET, NG_FRAME + 20, "a packet", take_packet },
	{ NG_IFACE, NG_FRAME + 8, "an interface", take_iface },
	{ NG_STATS, NG_FRAME + 12, "statistics", take_stats },
	{ NG_SECTION, NG_FRAME + 16, "a section header", take_section },
	{ NG_SIMPLE_PACKET, NG_FRAME + 4, "a packet", take_simple_packet },
	{ NG_OLD_PACKET, NG_FRAME + 20, "a packet", take_old_packet },
};

static const struct block *block_of(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (blocks[i].type == type)
			return &blocks[i];
	return NULL;
}

const char *capfile_ng_kind(const struct capfile *c, const uint8_t *at, size_t n)
{
	struct cursor in = cursor_of(at, n);
	const struct block *b = block_of(take32(c, &in));

	return b && !in.cut ? b->kind : "a block";
}

/* A section header tells its byte order behind its length. */
static int find_order(struct capfile *c, const uint8_t *at, bool *big)
{
	struct cursor in = cursor_of(at + 8, 4);
	uint32_t order = cursor_be32(&in);

	*big = order == NG_ORDER;
	if (!*big && __builtin_bswap32(order) != NG_ORDER)
		return capfile_damaged(c, "no byte order is 0x%08" PRIx32, order);
	return 0;
}

int capfile_ng_measure(struct capfile *c, const uint8_t *at, size_t n, size_t *need)
{
	struct cursor in = cursor_of(at, n);
	uint32_t type = take32(c, &in), len;
	const struct block *b = block_of(type);
	bool big = c->big;
	int rc = 0;

	*need = n >= 4 && type == NG_SECTION ? 12 : 8;
	if (n < *need)
		return 0;
	if (type == NG_SECTION)
		rc = find_order(c, at, &big);
	if (rc)
		return rc;
	len = order32(big, cursor_be32(&in));
	if (len % 4)
		return capfile_damaged(c, "block length %" PRIu32 " is not a multiple of 4", len);
	if (len < (b ? b->least : NG_FRAME))
		return capfile_damaged(c, "block length %" PRIu32 " is too short", len);
	if (len > CAPFILE_BLOCK_MAX)
		return capfile_damaged(c, "block length %" PRIu32 " is over %d", len,
				       CAPFILE_BLOCK_MAX);
	*need = len;
	return 0;
}

int capfile_ng_take(struct capfile *c, const uint8_t *at, size_t len)
{
	struct cursor in = cursor_of(at, len - 4), end = cursor_of(at + len - 4, 4);
	const struct block *b = block_of(take32(c, &in));
	uint32_t again = cursor_be32(&end);

	/* In the section's byte order, which its header does not tell yet. */
	if (again != cursor_be32(&in)) {
		again = order32(c->big, again);
		return capfile_damaged(c, "block length %zu, at its end %" PRIu32, len, again);
	}
	return b ? b->take(c, in) : 0;
}
