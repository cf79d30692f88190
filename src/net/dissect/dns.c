/* SPDX-License-Identifier: MIT */
/* DNS (RFC 1035) and mDNS (RFC 6762). */
#include "net/dissect/internal.h"
#include "net/dns.h"

/* Limits of records and strings that are shown. */
enum { RECORDS_MAX = 64, TEXTS_MAX = 64 };

struct message {
	struct cursor message; /* the whole message, for compression pointers */
	struct cursor c;
	bool mdns;
};

static const struct value_name types[] = {
	{ 1, "A" },      { 28, "AAAA" },  { 65, "HTTPS" },  { 64, "SVCB" },  { 5, "CNAME" },
	{ 12, "PTR" },   { 33, "SRV" },   { 16, "TXT" },    { 15, "MX" },    { 2, "NS" },
	{ 6, "SOA" },    { 41, "OPT" },   { 3, "MD" },      { 4, "MF" },     { 7, "MB" },
	{ 8, "MG" },     { 9, "MR" },     { 10, "NULL" },   { 11, "WKS" },   { 13, "HINFO" },
	{ 14, "MINFO" }, { 17, "RP" },    { 18, "AFSDB" },  { 24, "SIG" },   { 25, "KEY" },
	{ 29, "LOC" },   { 35, "NAPTR" }, { 39, "DNAME" },  { 43, "DS" },    { 44, "SSHFP" },
	{ 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 50, "NSEC3" }, { 51, "NSEC3PARAM" },
	{ 52, "TLSA" },  { 99, "SPF" },   { 249, "TKEY" },  { 250, "TSIG" }, { 251, "IXFR" },
	{ 252, "AXFR" }, { 255, "ANY" },  { 256, "URI" },   { 257, "CAA" },
};
static const struct value_name classes[] = {
	{ 1, "IN" }, { 2, "CSNET" }, { 3, "CHAOS" }, { 4, "HESIOD" }, { 255, "ANY" },
};
static const struct value_name opcodes[] = {
	{ 1, " inv_q" }, { 2, " stat" }, { 4, " notify" }, { 5, " update" }, { 6, " dso" },
};
static const struct value_name rcodes[] = {
	{ 1, " FormErr" },   { 2, " ServFail" }, { 3, " NXDomain" }, { 4, " NotImp" },
	{ 5, " Refused" },   { 6, " YXDomain" }, { 7, " YXRRSet" },  { 8, " NXRRSet" },
	{ 15, " NoChange" }, { 9, " NotAuth" },  { 10, " NotZone" },
};

const char *dns_type_name(uint16_t type)
{
	return VALUE_NAME(types, type);
}

const char *dns_rcode_name(uint8_t rcode)
{
	const char *name = rcode ? VALUE_NAME(rcodes, rcode) : " NoError";

	return name ? name + 1 : NULL;
}

static void put_type(struct line *l, uint16_t type)
{
	put_value_name(l, VALUE_NAME(types, type), "Type", type);
}

static void put_class(struct line *l, uint16_t class)
{
	const char *name = VALUE_NAME(classes, class);

	if (name) {
		put_str(l, name);
		return;
	}
	PUT_NUM(l, "(Class ", class);
	put_char(l, ')');
}

/* Skips a name, and writes it if l is not NULL. Returns false if it is invalid or cut off. */
static bool put_name(struct line *l, const struct message *m, struct cursor *at)
{
	struct dns_walk w = { .message = m->message, .c = *at };
	const uint8_t *label;
	enum dns_step step;
	uint8_t len;

	if (!l)
		return dns_skip_name(at);
	while ((step = dns_next_label(&w, &label, &len)) == DNS_LABEL) {
		put_escaped(l, label, len);
		put_char(l, '.');
	}
	if (step == DNS_END && w.name_len == 1) /* the root */
		put_char(l, '.');
	*at = w.after;
	return step == DNS_END;
}

static bool put_question(struct line *l, struct message *m)
{
	struct cursor name = m->c;
	const uint8_t *h;
	uint16_t class;

	if (!put_name(NULL, m, &m->c))
		return false;
	h = cursor_take(&m->c, 4);
	if (!h)
		return false;
	class = be16_at(h + 2);
	put_char(l, ' ');
	put_type(l, be16_at(h));
	if (m->mdns)
		put_str(l, class & 0x8000 ? " (QU)" : " (QM)");
	if ((m->mdns ? class & 0x7fff : class) != 1) {
		put_char(l, ' ');
		put_class(l, m->mdns ? class & 0x7fff : class);
	}
	PUT(l, "? ");
	return put_name(l, m, &name);
}

static bool put_texts(struct line *l, struct cursor c)
{
	for (int i = 0; c.left && i < TEXTS_MAX; i++) {
		uint8_t len = cursor_u8(&c);
		const uint8_t *text = cursor_take(&c, len);

		if (!text)
			return false;
		PUT(l, " \"");
		put_escaped(l, text, len);
		put_char(l, '"');
	}
	return true;
}

static bool put_soa(struct line *l, const struct message *m, struct cursor c)
{
	const uint8_t *p;

	put_char(l, ' ');
	if (!put_name(l, m, &c))
		return false;
	put_char(l, ' ');
	if (!put_name(l, m, &c))
		return false;
	p = cursor_take(&c, 20);
	for (int i = 0; p && i < 20; i += 4)
		PUT_NUM(l, " ", be32_at(p + i));
	return p;
}

static bool put_srv(struct line *l, const struct message *m, struct cursor c)
{
	const uint8_t *p = cursor_take(&c, 6);

	put_char(l, ' ');
	if (!p || !put_name(l, m, &c))
		return false;
	PUT_NUM(l, ":", be16_at(p + 4));
	PUT_NUM(l, " ", be16_at(p));
	PUT_NUM(l, " ", be16_at(p + 2));
	return true;
}

static bool put_mx(struct line *l, const struct message *m, struct cursor c)
{
	const uint8_t *p = cursor_take(&c, 2);

	put_char(l, ' ');
	if (!p || !put_name(l, m, &c))
		return false;
	PUT_NUM(l, " ", be16_at(p));
	return true;
}

static bool put_address(struct line *l, struct cursor c, uint8_t len)
{
	const uint8_t *p = cursor_take(&c, len);

	if (!p)
		return false;
	put_char(l, ' ');
	put_ip(l, p, len);
	return true;
}

/* Writes the data of a record. Returns false if it is too short. */
static bool put_rdata(struct line *l, const struct message *m, uint16_t type, struct cursor c)
{
	switch (type) {
	case 1:
		return put_address(l, c, 4);
	case 28:
		return put_address(l, c, 16);
	case 2:
	case 5:
	case 12:
	case 39:
		put_char(l, ' ');
		return put_name(l, m, &c);
	case 6: /* as tcpdump: with -v only */
		return !l->opts->verbose || put_soa(l, m, c);
	case 15:
		return put_mx(l, m, c);
	case 16:
	case 99:
		return put_texts(l, c);
	case 33:
		return put_srv(l, m, c);
	}
	return true;
}

static bool put_record(struct line *l, struct message *m)
{
	struct cursor data;
	const uint8_t *h;
	uint16_t type, class;

	if (l->opts->verbose) {
		put_char(l, ' ');
		if (!put_name(l, m, &m->c))
			return false;
	} else if (!put_name(NULL, m, &m->c)) {
		return false;
	}
	h = cursor_take(&m->c, 10);
	if (!h)
		return false;
	type = be16_at(h);
	class = be16_at(h + 2);
	if (m->mdns && class & 0x8000 && type != 41)
		PUT(l, " (Cache flush)");
	if (m->mdns)
		class &= 0x7fff;
	if (class != 1 && type != 41) {
		put_char(l, ' ');
		put_class(l, class);
	}
	if (l->opts->verbose > 2 && type != 41) {
		PUT_NUM(l, " [", be32_at(h + 4));
		PUT(l, "s]");
	}
	put_char(l, ' ');
	put_type(l, type);
	if (type == 41) {
		PUT_NUM(l, " UDPsize=", class);
		if (h[6] & 0x80)
			PUT(l, " DO");
	}
	data = cursor_sub(&m->c, be16_at(h + 8));
	return put_rdata(l, m, type, data);
}

static bool put_records(struct line *l, struct message *m, unsigned int n, const char *what)
{
	if (n)
		put_str(l, what);
	for (unsigned int i = 0; i < n; i++) {
		if (i)
			put_char(l, ',');
		if (i == RECORDS_MAX) {
			PUT(l, " ...");
			return true;
		}
		if (!put_record(l, m))
			return false;
	}
	return true;
}

static bool put_questions(struct line *l, struct message *m, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (i == RECORDS_MAX) {
			PUT(l, " ...");
			return false;
		}
		if (!put_question(l, m))
			return false;
	}
	return true;
}

static bool skip_questions(struct message *m, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (i == RECORDS_MAX || !put_name(NULL, m, &m->c) || !cursor_take(&m->c, 4))
			return false;
	return true;
}

static void put_count(struct line *l, unsigned int n, const char *what)
{
	PUT_NUM(l, " [", n);
	put_str(l, what);
}

static bool put_query(struct line *l, struct message *m, const uint8_t *h)
{
	unsigned int qd = be16_at(h + 4), an = be16_at(h + 6), ns = be16_at(h + 8),
		     ar = be16_at(h + 10);
	bool inverse = (h[2] >> 3 & 15) == 1;

	if (h[2] & 1)
		put_char(l, '+');
	if (h[3] & 0x10)
		put_char(l, '%');
	if (inverse ? qd : qd != 1)
		put_count(l, qd, "q]");
	if (inverse ? an != 1 : an)
		put_count(l, an, "a]");
	if (ns)
		put_count(l, ns, "n]");
	if (ar)
		put_count(l, ar, "au]");
	if (!put_questions(l, m, qd))
		return false;
	if (l->opts->verbose < 2)
		return true;
	return put_records(l, m, an, "") && put_records(l, m, ns, " ns:") &&
	       put_records(l, m, ar, " ar:");
}

static bool put_response(struct line *l, struct message *m, const uint8_t *h)
{
	unsigned int qd = be16_at(h + 4), an = be16_at(h + 6), ns = be16_at(h + 8),
		     ar = be16_at(h + 10);
	uint8_t rcode = h[3] & 15;

	if (rcode)
		put_value_name(l, VALUE_NAME(rcodes, rcode), " Resp", rcode);
	put_str(l, h[2] & 4 ? "*" : "");
	put_str(l, h[3] & 0x80 ? "" : "-");
	put_str(l, h[2] & 2 ? "|" : "");
	put_str(l, h[3] & 0x20 ? "$" : "");
	if (qd != 1)
		put_count(l, qd, "q]");
	if (l->opts->verbose > 1 && qd) {
		PUT(l, " q:");
		if (!put_questions(l, m, qd))
			return false;
	} else if (!skip_questions(m, qd)) {
		return false;
	}
	PUT_NUM(l, " ", an);
	PUT_NUM(l, "/", ns);
	PUT_NUM(l, "/", ar);
	if (!put_records(l, m, an, ""))
		return false;
	if (l->opts->verbose < 2)
		return true;
	return put_records(l, m, ns, " ns:") && put_records(l, m, ar, " ar:");
}

void show_dns(struct line *l, struct pdu p, bool mdns)
{
	struct message m = { p.c, p.c, mdns };
	const uint8_t *h = cursor_take(&m.c, 12);
	uint8_t opcode;

	if (p.len < 12) {
		PUT_NUM(l, "domain [length ", p.len);
		PUT(l, " < 12] (invalid)");
		return;
	}
	if (!h) {
		put_truncated(l, "domain");
		return;
	}
	put_u32(l, be16_at(h));
	opcode = h[2] >> 3 & 15;
	if (opcode)
		put_value_name(l, VALUE_NAME(opcodes, opcode), " op", opcode);
	if (h[2] & 0x80 ? !put_response(l, &m, h) : !put_query(l, &m, h)) {
		put_truncated(l, "domain");
		return;
	}
	PUT_NUM(l, " (", p.len);
	put_char(l, ')');
}
