/* SPDX-License-Identifier: MIT */
/* SCTP (RFC 9260) and its chunks. */
#include "net/dissect/internal.h"

enum { CHUNKS_MAX = 32, DATA = 0, INIT, INIT_ACK, SACK };

static const struct value_name chunk_names[] = {
	{ DATA, "DATA" },      { INIT, "INIT" },        { INIT_ACK, "INIT ACK" },
	{ SACK, "SACK" },      { 4, "HB REQ" },         { 5, "HB ACK" },
	{ 6, "ABORT" },        { 7, "SHUTDOWN" },       { 8, "SHUTDOWN ACK" },
	{ 9, "OP ERR" },       { 10, "COOKIE ECHO" },   { 11, "COOKIE ACK" },
	{ 12, "ECN ECHO" },    { 13, "ECN CWR" },       { 14, "SHUTDOWN COMPLETE" },
	{ 15, "AUTH" },        { 0x40, "I-DATA" },      { 0x80, "ASCONF-ACK" },
	{ 0x82, "RE-CONFIG" }, { 0xc0, "FOR CUM TSN" }, { 0xc1, "ASCONF" },
};
static const struct value_name payload_names[] = {
	{ 1, "IUA" },   { 2, "M2UA" },         { 3, "M3UA" },  { 4, "SUA" },
	{ 5, "M2PA" },  { 6, "V5UA" },         { 7, "H.248" }, { 18, "S1AP" },
	{ 27, "X2AP" }, { 50, "WebRTC DCEP" }, { 60, "NGAP" },
};

static bool show_data(struct line *l, uint8_t flags, struct cursor c)
{
	const uint8_t *p = cursor_take(&c, 12);
	const char *name;

	if (flags & 7) {
		put_str(l, flags & 4 ? "(U)" : "");
		put_str(l, flags & 2 ? "(B)" : "");
		put_str(l, flags & 1 ? "(E)" : "");
		put_char(l, ' ');
	}
	if (!p)
		return false;
	PUT_NUM(l, "[TSN: ", be32_at(p));
	PUT_NUM(l, "] [SID: ", be16_at(p + 4));
	PUT_NUM(l, "] [SSEQ ", be16_at(p + 6));
	PUT(l, "] [PPID ");
	name = VALUE_NAME(payload_names, be32_at(p + 8));
	if (name) {
		put_str(l, name);
	} else {
		PUT(l, "0x");
		put_hex(l, be32_at(p + 8));
	}
	PUT(l, "] ");
	return true;
}

static bool show_init(struct line *l, struct cursor c)
{
	const uint8_t *p = cursor_take(&c, 16);

	if (!p)
		return false;
	PUT_NUM(l, "[init tag: ", be32_at(p));
	PUT_NUM(l, "] [rwnd: ", be32_at(p + 4));
	PUT_NUM(l, "] [OS: ", be16_at(p + 8));
	PUT_NUM(l, "] [MIS: ", be16_at(p + 10));
	PUT_NUM(l, "] [init TSN: ", be32_at(p + 12));
	PUT(l, "] ");
	return true;
}

static bool show_sack(struct line *l, struct cursor c)
{
	const uint8_t *p = cursor_take(&c, 12);

	if (!p)
		return false;
	PUT_NUM(l, "[cum ack ", be32_at(p));
	PUT_NUM(l, "] [a_rwnd ", be32_at(p + 4));
	PUT_NUM(l, "] [#gap acks ", be16_at(p + 8));
	PUT_NUM(l, "] [#dup tsns ", be16_at(p + 10));
	PUT(l, "] ");
	return true;
}

static bool show_chunk(struct line *l, const uint8_t *h, struct cursor c)
{
	const char *name = VALUE_NAME(chunk_names, h[0]);

	put_char(l, '[');
	if (name) {
		put_str(l, name);
	} else {
		PUT(l, "Unknown chunk type: 0x");
		put_hex(l, h[0]);
	}
	PUT(l, "] ");
	switch (h[0]) {
	case DATA:
		return show_data(l, h[1], c);
	case INIT:
	case INIT_ACK:
		return show_init(l, c);
	case SACK:
		return show_sack(l, c);
	}
	return true;
}

/* Returns false if the rest is cut off. */
static bool show_chunks(struct line *l, struct pdu p)
{
	for (unsigned int i = 1; p.len; i++) {
		const uint8_t *h;
		uint32_t len;

		if (i > CHUNKS_MAX) {
			PUT(l, ", ...");
			return true;
		}
		h = cursor_take(&p.c, 4);
		if (!h)
			return false;
		put_str(l, i > 1 ? ", " : " ");
		PUT_NUM(l, "(", i);
		PUT(l, ") ");
		len = be16_at(h + 2);
		if (len < 4) {
			PUT_NUM(l, "[Bad chunk length ", len);
			PUT(l, ", < size of chunk descriptor]");
			return true;
		}
		if (len > p.len) {
			PUT_NUM(l, "[Bad chunk length ", len);
			PUT_NUM(l, ", > remaining data ", p.len);
			put_char(l, ']');
			return true;
		}
		if (!show_chunk(l, h, cursor_of(p.c.at, p.c.left < len - 4 ? p.c.left : len - 4)))
			return false;
		len = (len + 3) & ~3u;
		if (!cursor_skip(&p.c, len - 4 < p.len - 4 ? len - 4 : p.len - 4))
			return len >= p.len;
		p = pdu_rest(&p, len);
	}
	return true;
}

void show_sctp(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 12);

	if (p.len < 12) {
		PUT_NUM(l, "truncated-sctp - ", 12 - p.len);
		PUT(l, " bytes missing!");
		return;
	}
	if (!h) {
		put_truncated(l, "sctp");
		return;
	}
	put_endpoints(l, 132, be16_at(h), be16_at(h + 2));
	PUT(l, "sctp");
	if (!show_chunks(l, pdu_rest(&p, 12)))
		put_truncated(l, "sctp");
}
