/* SPDX-License-Identifier: MIT */
/* Application protocols: the server name of TLS clients, the first line of HTTP and similar
 * protocols, NTP, QUIC, WireGuard. */
#include "net/dissect/internal.h"
#include "net/tls.h"

enum { FIRST_LINE_MAX = 200 };

void show_ntp(struct line *l, struct pdu p)
{
	static const char *const modes[] = {
		"unspecified", "symmetric active", "symmetric passive", "Client",
		"Server",      "Broadcast",        "Control Message",   "Reserved"
	};
	const uint8_t *h = cursor_take(&p.c, 1);

	if (!h) {
		PUT(l, "NTP");
		put_truncated(l, "ntp");
		return;
	}
	PUT_NUM(l, "NTPv", h[0] >> 3 & 7);
	PUT(l, ", ");
	put_str(l, modes[h[0] & 7]);
	PUT_LENGTH(l, p.len);
	if (!l->opts->verbose || (h[0] & 7) >= 6)
		return;
	h = cursor_take(&p.c, 3);
	if (!h)
		return;
	PUT_NUM(l, ", stratum ", h[0]);
	PUT_NUM(l, ", poll ", h[1]);
	PUT(l, ", precision ");
	if (h[2] & 0x80)
		put_char(l, '-');
	put_u32(l, h[2] & 0x80 ? 256u - h[2] : h[2]);
}

static void put_quic_id(struct line *l, const char *what, const uint8_t *id, uint8_t len)
{
	if (!len)
		return;
	put_str(l, what);
	put_hex_bytes(l, id, len);
}

/* Writes the name of a QUIC version in use (RFC 9000, 9369) or of a draft; false for others. */
static bool put_quic_version(struct line *l, uint32_t version)
{
	if (version == 1 || version == 0x6b3343cf)
		put_str(l, version == 1 ? "v1" : "v2");
	else if (version >> 8 == 0xff0000)
		PUT_NUM(l, "draft-", version & 0xff);
	else
		return false;
	return true;
}

/* Only long headers: short ones look like any other bytes. */
bool show_quic(struct line *l, struct pdu p)
{
	static const char *const v1[] = { "initial", "0-rtt", "handshake", "retry" };
	static const char *const v2[] = { "retry", "initial", "0-rtt", "handshake" };
	const uint8_t *h = cursor_take(&p.c, 6), *dcid, *scid;
	struct line saved = *l;
	uint32_t version = h ? be32_at(h + 1) : 0;
	uint8_t scid_len;

	if (!h || !(h[0] & 0x80) || h[5] > 20 || (version && !(h[0] & 0x40)))
		return false;
	dcid = cursor_take(&p.c, h[5]);
	scid_len = cursor_u8(&p.c);
	scid = cursor_take(&p.c, scid_len);
	if (!dcid || !scid || scid_len > 20)
		return false;
	PUT(l, "quic, ");
	if (!version) {
		PUT(l, "version negotiation");
	} else {
		put_str(l, (version == 0x6b3343cf ? v2 : v1)[h[0] >> 4 & 3]);
		PUT(l, ", ");
		if (!put_quic_version(l, version)) {
			*l = saved;
			return false;
		}
	}
	put_quic_id(l, ", dcid ", dcid, h[5]);
	put_quic_id(l, ", scid ", scid, scid_len);
	PUT_LENGTH(l, p.len);
	return true;
}

/* Each message type has a fixed length, and three zeros follow the type. */
bool show_wireguard(struct line *l, struct pdu p)
{
	static const char *const types[] = { "handshake initiation", "handshake response",
					     "cookie reply", "data" };
	static const uint16_t lens[] = { 148, 92, 64, 0 };
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 8);

	if (!h || h[0] < 1 || h[0] > 4 || h[1] | h[2] | h[3])
		return false;
	/* data: a header, whole blocks and an authentication tag */
	if (h[0] == 4 ? p.len < 32 || p.len % 16 : p.len != lens[h[0] - 1])
		return false;
	PUT(l, "WireGuard, ");
	put_str(l, types[h[0] - 1]);
	put_str(l, h[0] == 1 || h[0] == 2 ? ", sender 0x" : ", receiver 0x");
	put_hex_padded(l, (uint32_t)h[7] << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[5] << 8 | h[4],
		       8);
	PUT_LENGTH(l, p.len);
	return true;
}

static void put_client_hello(struct line *l, struct cursor c)
{
	enum tls_name_result found;
	struct cursor name;

	PUT(l, "ClientHello");
	found = tls_find_server_name(c, &name);
	if (found == TLS_NAMED || found == TLS_NAME_CUT)
		PUT(l, ", SNI ");
	if (found == TLS_NAMED)
		put_escaped(l, name.at, name.left);
	else if (found != TLS_NAMELESS)
		put_truncated(l, "tls");
}

/* Shows a TLS record; not application data, which most records are. */
static bool show_tls(struct line *l, struct pdu p)
{
	static const struct value_name handshakes[] = {
		{ 2, "ServerHello" },      { 4, "NewSessionTicket" },   { 11, "Certificate" },
		{ 14, "ServerHelloDone" }, { 16, "ClientKeyExchange" },
	};
	const uint8_t *h = cursor_take(&p.c, 6);

	if (!h || h[1] != 3 || h[2] > 4 || h[0] < 0x15 || h[0] > 0x16)
		return false;
	if (h[0] == 0x15) {
		PUT(l, ": TLS Alert");
		return true;
	}
	if (h[5] == TLS_CLIENT_HELLO) {
		PUT(l, ": TLS ");
		put_client_hello(l, p.c);
		return true;
	}
	if (!VALUE_NAME(handshakes, h[5]))
		return false;
	PUT(l, ": TLS ");
	put_str(l, VALUE_NAME(handshakes, h[5]));
	return true;
}

static void put_first_line(struct line *l, struct cursor c)
{
	size_t n = 0;

	while (n < c.left && n < FIRST_LINE_MAX && c.at[n] != '\r' && c.at[n] != '\n')
		n++;
	put_escaped(l, c.at, n);
}

static bool starts_with(const struct cursor *c, const char *s)
{
	size_t n = strlen(s);

	return c->left >= n && !memcmp(c->at, s, n);
}

static bool is_http(const struct cursor *c)
{
	static const char *const prefixes[] = { "HTTP/1.", "GET ",    "POST ",         "HEAD ",
						"PUT ",    "DELETE ", "OPTIONS ",      "CONNECT ",
						"PATCH ",  "TRACE ",  "PRI * HTTP/2.0" };

	if (!c->left || c->at[0] < 'A' || c->at[0] > 'Z')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (starts_with(c, prefixes[i]))
			return true;
	return false;
}

/* Line-based protocols by port. */
static const struct value_name line_protocols[] = {
	{ 21, "FTP" },
	{ 25, "SMTP" },
	{ 587, "SMTP" },
	{ 22, "SSH" },
};

static bool is_http_port(uint16_t port)
{
	return port == 80 || port == 8080 || port == 3128;
}

static void show_tcp_dns(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 2);

	if (!h) {
		put_truncated(l, "domain");
		return;
	}
	p = pdu_rest(&p, 2);
	put_char(l, ' ');
	if (be16_at(h) != p.len) {
		PUT_NUM(l, "[prefix length(", be16_at(h));
		PUT_NUM(l, ") != length(", p.len);
		PUT(l, ")] (invalid)");
		return;
	}
	show_dns(l, p, false);
}

void show_stream(struct line *l, struct pdu p, uint16_t sport, uint16_t dport)
{
	const char *name;

	if (sport == 53 || dport == 53) {
		show_tcp_dns(l, p);
		return;
	}
	if (is_http_port(sport) || is_http_port(dport) || is_http(&p.c)) {
		PUT(l, ": HTTP");
		if (is_http(&p.c)) {
			PUT(l, ": ");
			put_first_line(l, p.c);
		}
		return;
	}
	name = VALUE_NAME(line_protocols, sport);
	if (!name)
		name = VALUE_NAME(line_protocols, dport);
	if (name && p.c.left) {
		PUT(l, ": ");
		put_str(l, name);
		PUT(l, ": ");
		put_first_line(l, p.c);
		return;
	}
	show_tls(l, p);
}
