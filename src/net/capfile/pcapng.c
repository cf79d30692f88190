/* SPDX-License-Identifier: MIT */
/* Reads pcapng: blocks of one or more sections, and the options in them. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include "base/clock.h"
#include "net/capfile/internal.h"

/* epb_verdict: a byte for the kind of program, then its return value in 8 bytes. */
enum { VERDICT_TC = 1, VERDICT_XDP = 2, VERDICT_LEN = 9 };

static uint64_t add_sat(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t mul_sat(uint64_t a, uint64_t b)
{
	return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

/* Converts ticks of 2^-shift s to ns, exactly: the product with NS_PER_S has up to 94 bits, so it
 * is computed in two halves. */
static uint64_t binary_to_ns(unsigned int shift, uint64_t ticks)
{
	uint64_t seconds = shift < 64 ? ticks >> shift : 0;
	uint64_t fraction = shift < 64 ? ticks & ((UINT64_C(1) << shift) - 1) : ticks;
	uint64_t low = (fraction & UINT32_MAX) * NS_PER_S;
	uint64_t high = (fraction >> 32) * NS_PER_S + (low >> 32);

	if (shift < 32)
		fraction = low >> shift;
	else
		fraction = shift - 32 < 64 ? high >> (shift - 32) : 0;
	return add_sat(mul_sat(seconds, NS_PER_S), fraction);
}

static uint64_t decimal_to_ns(unsigned int digits, uint64_t ticks)
{
	for (; digits < TSRESOL_NS; digits++)
		ticks = mul_sat(ticks, 10);
	for (; digits > TSRESOL_NS && ticks; digits--)
		ticks /= 10;
	return ticks;
}

uint64_t capfile_time_ns(uint8_t tsresol, int64_t tsoffset, uint64_t ticks)
{
	uint64_t ns = tsresol & TSRESOL_BINARY ? binary_to_ns(tsresol & ~TSRESOL_BINARY, ticks)
					       : decimal_to_ns(tsresol, ticks);
	uint64_t off;

	if (tsoffset >= 0)
		return add_sat(ns, mul_sat((uint64_t)tsoffset, NS_PER_S));
	off = mul_sat(-(uint64_t)tsoffset, NS_PER_S);
	return ns > off ? ns - off : 0;
}

/* Two 32-bit words, the high one first in either byte order. */
static uint64_t read_ticks(const struct capfile *c, struct cursor *in)
{
	uint64_t high = read_u32(c, in);

	return high << 32 | read_u32(c, in);
}

static uint64_t read_time(const struct capfile *c, const struct capfile_iface *i, struct cursor *in)
{
	return capfile_time_ns(i->tsresol, i->tsoffset, read_ticks(c, in));
}

/* What the options of a block describe. */
struct option_target {
	struct capfile *c;
	struct capfile_iface *iface;
	struct frame *frame;
	struct capfile_stats *stats;
};

struct option_handler {
	uint16_t code;
	uint16_t len; /* required length; 0: any */
	void (*parse)(struct option_target *s, struct cursor value);
};

static const struct option_handler *find_option(const struct option_handler *handlers, size_t n,
						uint16_t code)
{
	for (size_t i = 0; i < n; i++)
		if (handlers[i].code == code)
			return &handlers[i];
	return NULL;
}

static int parse_options(struct option_target *s, struct cursor in,
			 const struct option_handler *handlers, size_t n)
{
	struct capfile *c = s->c;

	while (in.left) {
		uint16_t code = read_u16(c, &in), len = read_u16(c, &in);
		struct cursor value = cursor_sub(&in, len);
		const struct option_handler *o = find_option(handlers, n, code);

		if (value.cut || !cursor_skip(&in, -(size_t)len % 4))
			return capfile_damaged(c, "option %u is longer than its block", code);
		if (code == OPT_END)
			break;
		if (!o)
			continue;
		if (o->len && o->len != len)
			return capfile_damaged(c, "option %u has %u bytes instead of %u", code, len,
					       o->len);
		o->parse(s, value);
	}
	return 0;
}

#define PARSE_OPTIONS(s, in, table) parse_options(s, in, table, ARRAY_LEN(table))

static int parse_section(struct capfile *c, struct cursor in)
{
	uint16_t major, minor;

	c->big = cursor_be32(&in) == NG_BYTE_ORDER_MAGIC;
	major = read_u16(c, &in);
	minor = read_u16(c, &in);
	if (major != 1)
		return capfile_damaged(c, "unsupported pcapng version %u.%u (only 1)", major,
				       minor);
	c->first_iface = c->nifaces;
	return 0;
}

/* Truncates at a character boundary if the name is too long. */
static void parse_iface_name(struct option_target *s, struct cursor value)
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

static void parse_iface_tsresol(struct option_target *s, struct cursor value)
{
	s->iface->tsresol = cursor_u8(&value);
}

static void parse_iface_tsoffset(struct option_target *s, struct cursor value)
{
	s->iface->tsoffset = (int64_t)read_u64(s->c, &value);
}

static int parse_iface(struct capfile *c, struct cursor in)
{
	static const struct option_handler handlers[] = {
		{ IF_NAME, 0, parse_iface_name },
		{ IF_TSRESOL, 1, parse_iface_tsresol },
		{ IF_TSOFFSET, 8, parse_iface_tsoffset },
	};
	struct capfile_iface parsed = { .tsresol = TSRESOL_US }, *iface;
	struct option_target s = { .c = c, .iface = &parsed };
	int rc;

	parsed.link = read_u16(c, &in);
	cursor_skip(&in, 2);
	parsed.snaplen = read_u32(c, &in);
	rc = PARSE_OPTIONS(&s, in, handlers);
	if (rc)
		return rc;
	iface = capfile_add_iface(c, &rc);
	if (iface)
		*iface = parsed;
	return rc;
}

static struct capfile_iface *find_iface(struct capfile *c, uint32_t i)
{
	if (i < c->nifaces - c->first_iface)
		return &c->ifaces[c->first_iface + i];
	capfile_damaged(c, "no interface %" PRIu32 " (only %" PRIu32 ")", i,
			c->nifaces - c->first_iface);
	return NULL;
}

static void parse_packet_comment(struct option_target *s, struct cursor value)
{
	const char *text = (const char *)value.at;

	if (capfile_parse_comment(s->frame, text, value.left) || s->c->comment)
		return;
	s->c->comment = text;
	s->c->comment_len = value.left;
}

static void parse_packet_flags(struct option_target *s, struct cursor value)
{
	static const uint8_t dirs[] = { FRAME_DIR_UNKNOWN, FRAME_IN, FRAME_OUT, FRAME_DIR_UNKNOWN };

	s->frame->dir = dirs[read_u32(s->c, &value) % 4];
}

static void parse_packet_dropcount(struct option_target *s, struct cursor value)
{
	s->iface->lost = add_sat(s->iface->lost, read_u64(s->c, &value));
}

/* Actions of XDP (linux/bpf.h) and tc (linux/pkt_cls.h) as verdicts. */
static void parse_packet_verdict(struct option_target *s, struct cursor value)
{
	static const struct {
		uint8_t kind;
		int32_t action;
		uint8_t verdict;
	} verdicts[] = {
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
	action = read_u64(s->c, &value);
	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++)
		if (verdicts[i].kind == kind && (uint64_t)verdicts[i].action == action)
			s->frame->verdict = verdicts[i].verdict;
}

static void parse_packet_process(struct option_target *s, struct cursor value)
{
	s->frame->pid = read_u32(s->c, &value);
}

/* Parses what follows the header of each kind of packet block, and delivers the packet. */
static int deliver_packet(struct option_target *s, struct cursor in,
			  const struct option_handler *handlers, size_t n)
{
	struct capfile *c = s->c;
	struct frame *f = s->frame;
	int rc;

	f->data = cursor_take(&in, f->caplen);
	if (in.cut || !cursor_skip(&in, -(size_t)f->caplen % 4))
		return capfile_damaged(c, "packet of %" PRIu32 " bytes is longer than its block",
				       f->caplen);
	if (f->len < f->caplen)
		f->len = f->caplen;
	f->iface = (uint32_t)(s->iface - c->ifaces);
	f->link = s->iface->link;
	c->comment = NULL;
	c->comment_len = 0;
	rc = n ? parse_options(s, in, handlers, n) : 0; /* simple packets have none */
	if (!rc)
		rc = c->each(f, c->arg);
	c->comment = NULL;
	c->comment_len = 0;
	return rc;
}

static int parse_packet(struct capfile *c, struct cursor in)
{
	static const struct option_handler handlers[] = {
		{ OPT_COMMENT, 0, parse_packet_comment },
		{ EPB_FLAGS, 4, parse_packet_flags },
		{ EPB_DROPCOUNT, 8, parse_packet_dropcount },
		{ EPB_VERDICT, 0, parse_packet_verdict },
		{ EPB_PROCESS, 8, parse_packet_process },
	};
	struct frame f = { 0 };
	struct option_target s = { .c = c, .iface = find_iface(c, read_u32(c, &in)), .frame = &f };

	if (!s.iface)
		return -EBADMSG;
	f.time_ns = read_time(c, s.iface, &in);
	f.caplen = read_u32(c, &in);
	f.len = read_u32(c, &in);
	return deliver_packet(&s, in, handlers, ARRAY_LEN(handlers));
}

/* The obsolete Packet Block: a 16-bit interface number, and the drop count in its header. */
static int parse_old_packet(struct capfile *c, struct cursor in)
{
	static const struct option_handler handlers[] = {
		{ OPT_COMMENT, 0, parse_packet_comment },
		{ EPB_FLAGS, 4, parse_packet_flags },
	};
	struct frame f = { 0 };
	struct option_target s = { .c = c, .iface = find_iface(c, read_u16(c, &in)), .frame = &f };
	uint16_t lost;

	if (!s.iface)
		return -EBADMSG;
	lost = read_u16(c, &in);
	f.time_ns = read_time(c, s.iface, &in);
	f.caplen = read_u32(c, &in);
	f.len = read_u32(c, &in);
	if (lost != UINT16_MAX) /* UINT16_MAX: unknown */
		s.iface->lost = add_sat(s.iface->lost, lost);
	return deliver_packet(&s, in, handlers, ARRAY_LEN(handlers));
}

/* A Simple Packet: no time; belongs to interface 0, whose snaplen limits its captured length. */
static int parse_simple_packet(struct capfile *c, struct cursor in)
{
	struct frame f = { 0 };
	struct option_target s = { .c = c, .iface = find_iface(c, 0), .frame = &f };

	if (!s.iface)
		return -EBADMSG;
	f.len = f.caplen = read_u32(c, &in);
	if (s.iface->snaplen && f.caplen > s.iface->snaplen)
		f.caplen = s.iface->snaplen;
	return deliver_packet(&s, in, NULL, 0);
}

static void parse_stats_start(struct option_target *s, struct cursor value)
{
	s->stats->start_ns = read_time(s->c, s->iface, &value);
}

static void parse_stats_end(struct option_target *s, struct cursor value)
{
	s->stats->end_ns = read_time(s->c, s->iface, &value);
}

static void parse_stats_received(struct option_target *s, struct cursor value)
{
	s->stats->received = read_u64(s->c, &value);
}

static void parse_stats_dropped_if(struct option_target *s, struct cursor value)
{
	s->stats->dropped_if = read_u64(s->c, &value);
}

static void parse_stats_dropped_os(struct option_target *s, struct cursor value)
{
	s->stats->dropped_os = read_u64(s->c, &value);
}

static int parse_stats(struct capfile *c, struct cursor in)
{
	static const struct option_handler handlers[] = {
		{ ISB_STARTTIME, 8, parse_stats_start },
		{ ISB_ENDTIME, 8, parse_stats_end },
		{ ISB_IFRECV, 8, parse_stats_received },
		{ ISB_IFDROP, 8, parse_stats_dropped_if },
		{ ISB_OSDROP, 8, parse_stats_dropped_os },
	};
	struct capfile_stats parsed = { 0 };
	struct option_target s = { .c = c,
				   .iface = find_iface(c, read_u32(c, &in)),
				   .stats = &parsed };
	int rc;

	if (!s.iface)
		return -EBADMSG;
	cursor_skip(&in,
		    8); /* when the block was written; isb_endtime is when packets were counted */
	rc = PARSE_OPTIONS(&s, in, handlers);
	if (rc)
		return rc;
	s.iface->stats = parsed;
	s.iface->counted = true;
	return 0;
}

static const struct block {
	uint32_t type;
	uint32_t min_len; /* length without options and data */
	const char *kind;
	int (*parse)(struct capfile *c, struct cursor body);
} blocks[] = {
	{ NG_PACKET, NG_BLOCK_OVERHEAD + 20, "a packet", parse_packet },
	{ NG_IFACE, NG_BLOCK_OVERHEAD + 8, "an interface", parse_iface },
	{ NG_STATS, NG_BLOCK_OVERHEAD + 12, "statistics", parse_stats },
	{ NG_SECTION, NG_BLOCK_OVERHEAD + 16, "a section header", parse_section },
	{ NG_SIMPLE_PACKET, NG_BLOCK_OVERHEAD + 4, "a packet", parse_simple_packet },
	{ NG_OLD_PACKET, NG_BLOCK_OVERHEAD + 20, "a packet", parse_old_packet },
};

static const struct block *find_block(uint32_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (blocks[i].type == type)
			return &blocks[i];
	return NULL;
}

const char *capfile_ng_block_name(const struct capfile *c, const uint8_t *at, size_t n)
{
	struct cursor in = cursor_of(at, n);
	const struct block *b = find_block(read_u32(c, &in));

	return b && !in.cut ? b->kind : "a block";
}

/* A section header has its byte order after its length. */
static int detect_byte_order(struct capfile *c, const uint8_t *at, bool *big)
{
	struct cursor in = cursor_of(at + 8, 4);
	uint32_t order = cursor_be32(&in);

	*big = order == NG_BYTE_ORDER_MAGIC;
	if (!*big && __builtin_bswap32(order) != NG_BYTE_ORDER_MAGIC)
		return capfile_damaged(c, "invalid byte-order magic 0x%08" PRIx32, order);
	return 0;
}

int capfile_ng_measure_block(struct capfile *c, const uint8_t *at, size_t n, size_t *need)
{
	struct cursor in = cursor_of(at, n);
	uint32_t type = read_u32(c, &in), len;
	const struct block *b = find_block(type);
	bool big = c->big;
	int rc = 0;

	*need = n >= 4 && type == NG_SECTION ? 12 : 8;
	if (n < *need)
		return 0;
	if (type == NG_SECTION)
		rc = detect_byte_order(c, at, &big);
	if (rc)
		return rc;
	len = decode_u32(big, cursor_be32(&in));
	if (len % 4)
		return capfile_damaged(c, "block length %" PRIu32 " is not a multiple of 4", len);
	if (len < (b ? b->min_len : NG_BLOCK_OVERHEAD))
		return capfile_damaged(c, "block length %" PRIu32 " is too short", len);
	if (len > CAPFILE_BLOCK_MAX)
		return capfile_damaged(c, "block length %" PRIu32 " exceeds %d", len,
				       CAPFILE_BLOCK_MAX);
	*need = len;
	return 0;
}

int capfile_ng_parse_block(struct capfile *c, const uint8_t *at, size_t len)
{
	struct cursor in = cursor_of(at, len - 4), end = cursor_of(at + len - 4, 4);
	const struct block *b = find_block(read_u32(c, &in));
	uint32_t trailing_len = cursor_be32(&end);

	/* Not decoded before comparing: a section header's byte order is not known yet. */
	if (trailing_len != cursor_be32(&in)) {
		trailing_len = decode_u32(c->big, trailing_len);
		return capfile_damaged(c, "block length is %zu, but %" PRIu32 " at its end", len,
				       trailing_len);
	}
	return b ? b->parse(c, in) : 0;
}
