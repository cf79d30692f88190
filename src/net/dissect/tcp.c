/* SPDX-License-Identifier: MIT */
/* TCP (RFC 9293): flags, relative sequence numbers, options. */
#include "net/dissect/internal.h"

/* Fills key with the endpoints in ascending order. Returns which of them sent the segment. */
static unsigned int order_endpoints(struct dissect_conn *key, const struct line *l, uint16_t sport,
				    uint16_t dport)
{
	int c = memcmp(l->src, l->dst, l->addr_len);
	unsigned int side = c > 0 || (c == 0 && sport > dport);

	memcpy(key->addr[side], l->src, l->addr_len);
	memcpy(key->addr[!side], l->dst, l->addr_len);
	key->port[side] = sport;
	key->port[!side] = dport;
	return side;
}

enum { KEY_BYTES = offsetof(struct dissect_conn, base) };

static uint32_t hash_key(const struct dissect_conn *key)
{
	uint64_t words[(KEY_BYTES + 7) / 8] = { 0 }, hash = 0;

	memcpy(words, key, KEY_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
	return (uint32_t)(hash >> 32);
}

/* Finds a connection, or replaces the least recently used of its set by a new one with used 0. */
static struct dissect_conn *find_conn(struct dissect_state *s, const struct dissect_conn *key)
{
	struct dissect_conn *set = s->conn[hash_key(key) % DISSECT_CONN_SETS], *oldest = set;

	for (unsigned int i = 0; i < DISSECT_CONN_WAYS; i++) {
		if (set[i].used && !memcmp(&set[i], key, KEY_BYTES))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = *key;
	return oldest;
}

/* Makes the numbers of a segment with ACK relative to those of a SYN, or of the first segment seen.
 * Returns what to subtract from SACK numbers. */
static uint32_t make_relative(struct line *l, const uint8_t *h, uint32_t *seq, uint32_t *ack)
{
	struct dissect_conn key = { 0 }, *conn;
	unsigned int side = order_endpoints(&key, l, be16_at(h), be16_at(h + 2));

	conn = find_conn(l->state, &key);
	if (!conn->used || h[13] & 2) {
		conn->base[side] = *seq;
		conn->base[!side] = *ack - 1;
	} else {
		*seq -= conn->base[side];
		*ack -= conn->base[!side];
	}
	if (!++l->state->uses) /* after 2^32 segments, all connections are equally old once */
		l->state->uses = 1;
	conn->used = l->state->uses;
	return conn->base[!side];
}

static void put_flags(struct line *l, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";
	char text[8];
	size_t n = 0;

	for (int i = 0; i < 8; i++)
		if (flags & 1 << i)
			text[n++] = letters[i];
	PUT_INLINE(l, "Flags [");
	if (n)
		put_mem(l, text, n);
	else
		PUT(l, "none");
	put_char(l, ']');
}

enum { EOL, NOP, MSS, WSCALE, SACK_OK, SACK, ECHO, ECHO_REPLY, TS };
enum { CC = 11, CC_NEW, CC_ECHO, MD5 = 19, UTO = 28, AO, MPTCP, TFO = 34, EXP = 254 };

static const struct value_name option_names[] = {
	{ EOL, "eol" },        { NOP, "nop" },   { MSS, "mss" },      { WSCALE, "wscale" },
	{ SACK_OK, "sackOK" }, { SACK, "sack" }, { ECHO, "echo" },    { ECHO_REPLY, "echoreply" },
	{ TS, "TS" },          { CC, "cc" },     { CC_NEW, "ccnew" }, { CC_ECHO, "ccecho" },
	{ MD5, "md5" },        { UTO, "uto" },   { AO, "tcp-ao" },    { MPTCP, "mptcp" },
	{ TFO, "tfo" },        { EXP, "exp" },
};

static void put_sack(struct line *l, const uint8_t *p, unsigned int n, uint32_t base)
{
	if (n % 8) {
		PUT(l, " invalid sack");
		return;
	}
	PUT_NUM(l, " ", n / 8);
	put_char(l, ' ');
	for (; n; n -= 8, p += 8) {
		PUT_NUM(l, "{", be32_at(p) - base);
		PUT_NUM(l, ":", be32_at(p + 4) - base);
		put_char(l, '}');
	}
}

static void put_mptcp(struct line *l, const uint8_t *p, unsigned int n)
{
	static const struct value_name subtypes[] = {
		{ 0, "capable" },  { 1, "join" }, { 2, "dss" },  { 3, "add-addr" },
		{ 4, "rem-addr" }, { 5, "prio" }, { 6, "fail" }, { 7, "fast-close" },
	};

	PUT_NUM(l, " ", n + 2);
	put_char(l, ' ');
	put_value_name(l, n ? VALUE_NAME(subtypes, p[0] >> 4) : NULL, "unknown ",
		       n ? p[0] >> 4 : 0);
}

static void put_cookie(struct line *l, const uint8_t *p, unsigned int n)
{
	if (!n) {
		PUT(l, "  cookiereq");
		return;
	}
	PUT(l, "  cookie ");
	put_hex_bytes(l, p, n);
}

static void put_ao(struct line *l, const uint8_t *p, unsigned int n)
{
	if (n < 2) {
		PUT(l, " invalid");
		return;
	}
	PUT_NUM(l, " keyid ", p[0]);
	PUT_NUM(l, " rnextkeyid ", p[1]);
	PUT(l, " mac 0x");
	put_hex_bytes(l, p + 2, n - 2);
}

static void put_uto(struct line *l, const uint8_t *p)
{
	uint32_t v = be16_at(p) & 0x7fffu;

	PUT(l, " 0x");
	put_hex(l, be16_at(p));
	PUT_NUM(l, " ", p[0] & 0x80 ? v * 60 : v);
}

/* The fixed length of an option's data, or -1. Longer options are shown with their length. */
static int option_fixed_len(uint8_t kind)
{
	static const uint8_t lens[] = {
		[MSS] = 2, [WSCALE] = 1, [ECHO] = 4,    [ECHO_REPLY] = 4, [TS] = 8,
		[CC] = 4,  [CC_NEW] = 4, [CC_ECHO] = 4, [UTO] = 2,        [MD5] = 16
	};

	return kind == SACK_OK ? 0 : kind < sizeof(lens) && lens[kind] ? lens[kind] : -1;
}

static void put_option_data(struct line *l, uint8_t kind, const uint8_t *p, unsigned int n,
			    uint32_t base)
{
	switch (kind) {
	case MSS:
		PUT_NUM(l, " ", be16_at(p));
		break;
	case WSCALE:
		PUT_NUM(l, " ", p[0]);
		break;
	case TS:
		PUT_NUM_INLINE(l, " val ", be32_at(p));
		PUT_NUM_INLINE(l, " ecr ", be32_at(p + 4));
		break;
	case SACK:
		put_sack(l, p, n, base);
		break;
	case SACK_OK:
		break;
	case MPTCP:
		put_mptcp(l, p, n);
		break;
	case TFO:
		put_cookie(l, p, n);
		break;
	case AO:
		put_ao(l, p, n);
		break;
	case UTO:
		put_uto(l, p);
		break;
	case ECHO:
	case ECHO_REPLY:
	case CC:
	case CC_NEW:
	case CC_ECHO:
		PUT_NUM(l, " ", be32_at(p));
		break;
	default:
		if (n) {
			put_str(l, kind == MD5 ? " " : " 0x");
			put_hex_bytes(l, p, n);
		}
	}
}

enum option_result { OPTION_OK, OPTION_LAST, OPTION_BAD, OPTION_CUT };

/* Writes one option. options_left: bytes of options on the wire. */
static enum option_result put_option(struct line *l, struct cursor *c, size_t *options_left,
				     uint32_t base)
{
	uint8_t kind = cursor_u8(c), len;
	const char *name = VALUE_NAME(option_names, kind);
	const uint8_t *data;
	int fixed = option_fixed_len(kind);

	--*options_left;
	if (kind <= NOP) {
		put_str(l, name);
		return kind == EOL ? OPTION_LAST : OPTION_OK;
	}
	if (!*options_left || !c->left)
		return OPTION_CUT;
	len = cursor_u8(c);
	--*options_left;
	if (len < 2 || len - 2u > *options_left)
		return OPTION_BAD;
	*options_left -= len - 2u;
	put_value_name(l, name, "unknown-", kind);
	if (fixed > len - 2)
		return OPTION_BAD;
	data = cursor_take(c, len - 2u);
	if (!data && len > 2)
		return OPTION_CUT;
	put_option_data(l, kind, data, len - 2u, base);
	if (fixed >= 0 && fixed != len - 2) {
		PUT_NUM(l, "[len ", len);
		put_char(l, ']');
	}
	return OPTION_OK;
}

/* Returns false if the options are invalid: the line ends there. */
static bool put_options(struct line *l, struct cursor c, size_t options_left, uint32_t base)
{
	enum option_result result = OPTION_OK;

	PUT_INLINE(l, ", options [");
	for (bool first = true; options_left && result == OPTION_OK; first = false) {
		if (!first)
			put_char(l, ',');
		result = c.left ? put_option(l, &c, &options_left, base) : OPTION_CUT;
	}
	if (result == OPTION_CUT) {
		put_truncated(l, "tcp");
	} else if (result == OPTION_BAD) {
		PUT(l, "[bad opt]");
	} else {
		put_char(l, ']');
		return true;
	}
	return false;
}

static void put_checksum(struct line *l, const uint8_t *h, const struct pdu *p)
{
	uint16_t sum;

	if (!l->opts->verbose || l->fragment || p->c.left < p->len || !l->src)
		return;
	sum = compute_pseudo_checksum(l, 6, h, p->len);
	PUT(l, ", cksum 0x");
	put_hex_padded(l, be16_at(h + 16), 4);
	if (!sum) {
		PUT(l, " (correct)");
		return;
	}
	PUT(l, " (incorrect -> 0x");
	put_hex_padded(l, correct_checksum(sum, be16_at(h + 16)), 4);
	put_char(l, ')');
}

/* Returns what to subtract from SACK numbers. */
static uint32_t put_numbers(struct line *l, const uint8_t *h, uint32_t len)
{
	uint32_t seq = be32_at(h + 4), ack = be32_at(h + 8), base = 0;

	if (!l->opts->absolute && l->src && h[13] & 0x10)
		base = make_relative(l, h, &seq, &ack);
	if (len || h[13] & 7 || l->opts->verbose > 1) {
		PUT_NUM_INLINE(l, ", seq ", seq);
		if (len) {
			put_char(l, ':');
			put_u32(l, seq + len);
		}
	}
	if (h[13] & 0x10)
		PUT_NUM_INLINE(l, ", ack ", ack);
	PUT_NUM_INLINE(l, ", win ", be16_at(h + 14));
	if (h[13] & 0x20)
		PUT_NUM_INLINE(l, ", urg ", be16_at(h + 18));
	return base;
}

static void show_segment(struct line *l, struct pdu p, const uint8_t *h, uint32_t hlen)
{
	uint32_t len = p.len - hlen, base;
	struct cursor c = p.c;

	put_flags(l, h[13]);
	put_checksum(l, h, &p);
	base = put_numbers(l, h, len);
	cursor_take(&c, 20);
	if (hlen > 20 && !put_options(l, cursor_of(c.at, c.left < hlen - 20 ? c.left : hlen - 20),
				      hlen - 20, base))
		return;
	PUT_NUM_INLINE(l, ", length ", len);
	if (!len)
		return;
	cursor_take(&p.c, hlen);
	p = pdu_rest(&p, hlen);
	if (h[13] & 4) {
		if (l->opts->verbose) {
			PUT(l, " [RST ");
			put_escaped(l, p.c.at, p.c.left);
			put_char(l, ']');
		}
		return;
	}
	show_stream(l, p, be16_at(h), be16_at(h + 2));
}

void show_tcp(struct line *l, struct pdu p)
{
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 20);
	uint32_t hlen;

	if (p.c.left < 4) {
		if (l->src && l->proto == 6) {
			put_ip(l, l->src, l->addr_len);
			PUT(l, " > ");
			put_ip(l, l->dst, l->addr_len);
			PUT(l, ":");
		}
		put_truncated(l, "tcp");
		return;
	}
	put_endpoints(l, 6, be16_at(p.c.at), be16_at(p.c.at + 2));
	if (!h) {
		put_truncated(l, "tcp");
		return;
	}
	hlen = (uint32_t)(h[12] >> 4) * 4;
	if (hlen < 20) {
		PUT_NUM(l, " tcp ", p.len - hlen);
		PUT_NUM(l, " [bad hdr length ", hlen);
		PUT(l, " - too short, < 20]");
	} else if (l->opts->quiet) {
		PUT_NUM(l, "tcp ", p.len > hlen ? p.len - hlen : 0);
	} else if (hlen > p.len) {
		put_flags(l, h[13]);
		PUT_NUM(l, " [bad hdr length ", hlen);
		PUT_NUM(l, " - too long, > ", p.len);
		put_char(l, ']');
	} else {
		show_segment(l, p, h, hlen);
	}
}
