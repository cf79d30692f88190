/* SPDX-License-Identifier: MIT */
/* Payloads of Ethernet other than IP: ARP, LLC with STP, MPLS, PPPoE, and others by name only. */
#include "net/dissect/internal.h"

static const struct value_name ethertypes[] = {
	{ 0x0800, "IPv4" },         { 0x86dd, "IPv6" },
	{ 0x0806, "ARP" },          { 0x8035, "Reverse ARP" },
	{ 0x8100, "802.1Q" },       { 0x88a8, "802.1Q-QinQ" },
	{ 0x9100, "802.1Q-9100" },  { 0x9200, "802.1Q-9200" },
	{ 0x8847, "MPLS unicast" }, { 0x8848, "MPLS multicast" },
	{ 0x8863, "PPPoE D" },      { 0x8864, "PPPoE S" },
	{ 0x6558, "TEB" },          { 0x880b, "PPP" },
};

/* Protocols shown by name only. As the name of an EtherType, the table above has precedence. */
static const struct value_name named_types[] = {
	{ 0x8863, "PPPoE discovery" },
	{ 0x8808, "MPCP" },
	{ 0x8809, "Slow Protocols" },
	{ 0x888e, "EAPOL" },
	{ 0x88cc, "LLDP" },
	{ 0x88e5, "802.1AE MACsec" },
	{ 0x88f7, "PTP" },
	{ 0x8902, "CFM" },
	{ 0x9000, "Loopback" },
};

const char *ethertype_name(uint16_t type)
{
	const char *name = VALUE_NAME(ethertypes, type);

	return name ? name : VALUE_NAME(named_types, type);
}

/* Labels of a stack that are shown. */
enum { LABELS_MAX = 8 };

void show_mpls(struct line *l, struct pdu p)
{
	static const char *const reserved[] = { " (IPv4 explicit NULL)", " (router alert)",
						" (IPv6 explicit NULL)", " (implicit NULL)" };
	uint32_t len = p.len;
	size_t total = p.c.left;

	PUT(l, "MPLS");
	for (int i = 0; i < LABELS_MAX; i++) {
		const uint8_t *e = cursor_take(&p.c, 4);

		if (!e) {
			put_truncated(l, "mpls");
			return;
		}
		PUT_NUM(l, " (label ", be32_at(e) >> 12);
		if (l->opts->verbose && be32_at(e) >> 12 < 4)
			put_str(l, reserved[be32_at(e) >> 12]);
		PUT_NUM(l, ", tc ", e[2] >> 1 & 7);
		if (e[2] & 1)
			PUT(l, ", [S]");
		PUT_NUM(l, ", ttl ", e[3]);
		put_char(l, ')');
		if (e[2] & 1)
			break;
	}
	p.len = len;
	p = pdu_rest(&p, (uint32_t)(total - p.c.left));
	if (!p.c.left || (*p.c.at >> 4 != 4 && *p.c.at >> 4 != 6)) {
		PUT_LENGTH(l, p.len);
		return;
	}
	put_char(l, ' ');
	if (enter_tunnel(l))
		show_ip(l, p);
}

static const struct value_name arp_ops[] = {
	{ 1, "Request" },       { 2, "Reply" },           { 3, "Reverse Request" },
	{ 4, "Reverse Reply" }, { 8, "Inverse Request" }, { 9, "Inverse Reply" },
	{ 10, "NACK Reply" },
};

static bool is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* ARP with Ethernet and IPv4 addresses. */
static void put_arp(struct line *l, uint16_t op, const uint8_t *h)
{
	const uint8_t *sha = h + 8, *spa = h + 14, *tha = h + 18, *tpa = h + 24;

	switch (op) {
	case 1:
		PUT(l, " who-has ");
		put_ip4(l, tpa);
		if (!is_zero(tha, 6) && memcmp(tha, "\xff\xff\xff\xff\xff\xff", 6)) {
			PUT(l, " (");
			put_mac(l, tha);
			put_char(l, ')');
		}
		PUT(l, " tell ");
		put_ip4(l, spa);
		break;
	case 2:
		put_char(l, ' ');
		put_ip4(l, spa);
		PUT(l, " is-at ");
		put_mac(l, sha);
		break;
	case 3:
	case 8:
		PUT(l, " who-is ");
		put_mac(l, tha);
		PUT(l, " tell ");
		put_mac(l, sha);
		break;
	case 4:
	case 9:
		put_char(l, ' ');
		put_mac(l, op == 4 ? tha : sha);
		PUT(l, " at ");
		put_ip4(l, op == 4 ? tpa : spa);
		break;
	}
}

void show_arp(struct line *l, struct pdu p)
{
	uint32_t len = p.len;
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 8);
	bool is_ether_ip4 = h && be16_at(h + 2) == 0x0800 && h[4] == 6 && h[5] == 4;

	if (!h || (size_t)h[4] * 2 + h[5] * 2u > c.left) {
		put_truncated(l, "arp");
		return;
	}
	if (!l->opts->link)
		PUT(l, "ARP, ");
	if (l->opts->verbose || !is_ether_ip4) {
		const char *kind = ethertype_name(be16_at(h + 2));

		PUT_NUM(l, "Ethernet (len ", h[4]);
		PUT(l, "), ");
		put_value_name(l, kind, "protocol ", be16_at(h + 2));
		PUT_NUM(l, " (len ", h[5]);
		put_char(l, ')');
	}
	if (is_ether_ip4) {
		uint16_t op = be16_at(h + 6);
		const char *name = VALUE_NAME(arp_ops, op);

		if (l->opts->verbose)
			PUT(l, ", ");
		put_value_name(l, name, "Unknown (", op);
		if (!name)
			put_char(l, ')');
		put_arp(l, op, h);
	}
	PUT_LENGTH(l, len);
}

static const struct value_name config_flags[] = { { 0x01, "Topology change" },
						  { 0x80, "Topology change ACK" } };
static const struct value_name rapid_flags[] = {
	{ 0x01, "Topology change" }, { 0x02, "Proposal" },  { 0x10, "Learn" },
	{ 0x20, "Forward" },         { 0x40, "Agreement" },
};

/* "8001.02:00:00:00:00:02" */
static void put_bridge(struct line *l, const uint8_t *p)
{
	put_hex_padded(l, be16_at(p), 4);
	put_char(l, '.');
	put_mac(l, p + 2);
}

/* A time in 1/256 s. */
static void put_bridge_time(struct line *l, const char *what, const uint8_t *p)
{
	put_str(l, what);
	put_u32(l, p[0]);
	put_char(l, '.');
	put_dec_padded(l, p[1] * 100u / 256, 2);
	put_char(l, 's');
}

static void put_bpdu(struct line *l, const uint8_t *h, uint32_t len, bool rapid)
{
	if (rapid)
		put_bits(l, rapid_flags, ARRAY_LEN(rapid_flags), h[4], ", ");
	else
		put_bits(l, config_flags, ARRAY_LEN(config_flags), h[4], ", ");
	PUT(l, "], bridge-id ");
	put_bridge(l, h + 17);
	put_char(l, '.');
	put_hex_padded(l, be16_at(h + 25), 4);
	PUT_LENGTH(l, len);
	if (!l->opts->verbose)
		return;
	put_bridge_time(l, " message-age ", h + 27);
	put_bridge_time(l, ", max-age ", h + 29);
	put_bridge_time(l, ", hello-time ", h + 31);
	put_bridge_time(l, ", forwarding-delay ", h + 33);
	PUT(l, " root-id ");
	put_bridge(l, h + 5);
	PUT_NUM(l, ", root-pathcost ", be32_at(h + 13));
}

/* IEEE 802.1D: protocol identifier, version, type, and a body, which topology changes lack. */
static void show_stp(struct line *l, struct pdu p)
{
	static const struct value_name versions[] = { { 0, "802.1d" },
						      { 2, "802.1w" },
						      { 3, "802.1s" } };
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 4);
	const char *version = h ? VALUE_NAME(versions, h[2]) : NULL;

	PUT(l, "STP");
	if (!h) {
		put_truncated(l, "stp");
		return;
	}
	put_char(l, ' ');
	put_value_name(l, version, "version ", h[2]);
	if (h[3] == 0x80) {
		PUT(l, ", Topology Change");
		return;
	}
	if (h[3] != 0 && h[3] != 2) {
		PUT_NUM(l, ", type ", h[3]);
		PUT_LENGTH(l, p.len);
		return;
	}
	put_str(l, h[3] == 2 ? ", Rapid STP" : ", Config");
	if (!cursor_take(&c, 31)) {
		put_truncated(l, "stp");
		return;
	}
	PUT(l, ", Flags [");
	put_bpdu(l, h, p.len, h[3] == 2);
}

static const struct value_name saps[] = {
	{ 0x00, "Null" },    { 0x42, "STP" }, { 0xaa, "SNAP" },   { 0xe0, "IPX" },
	{ 0xf0, "NetBeui" }, { 0xfe, "OSI" }, { 0xff, "Global" },
};

static void put_sap(struct line *l, const char *what, uint8_t sap, const char *bit)
{
	const char *name = VALUE_NAME(saps, sap & 0xfe);

	put_str(l, what);
	put_str(l, name ? name : "Unknown");
	PUT(l, " (0x");
	put_hex_padded(l, sap & 0xfe, 2);
	PUT(l, ") ");
	put_str(l, bit);
}

static void put_llc(struct line *l, const uint8_t *h)
{
	put_sap(l, "LLC, dsap ", h[0], h[0] & 1 ? "Group" : "Individual");
	put_sap(l, ", ssap ", h[1], h[1] & 1 ? "Response" : "Command");
	PUT(l, ", ctrl 0x");
	put_hex_padded(l, h[2], 2);
}

/* SNAP: the protocol is an EtherType if the organization code is 0. */
static void show_snap(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 5);
	uint32_t oui;
	uint16_t type;

	if (!h) {
		put_truncated(l, "snap");
		return;
	}
	oui = be32_at(h) >> 8;
	type = be16_at(h + 3);
	p = pdu_rest(&p, 5);
	if (l->opts->link) {
		const char *name = ethertype_name(type);

		PUT(l, "oui ");
		put_str(l, !oui ? "Ethernet" : oui == 0xc ? "Cisco" : "Unknown");
		PUT(l, " (0x");
		put_hex_padded(l, oui, 6);
		put_str(l, oui ? "), pid " : "), ethertype ");
		put_str(l, name && !oui ? name : "Unknown");
		PUT(l, " (0x");
		put_hex_padded(l, type, 4);
		put_char(l, ')');
		PUT_LENGTH(l, p.len);
		PUT(l, ": ");
	}
	if (!oui && show_ethertype(l, type, p))
		return;
	if (!l->opts->link) {
		PUT(l, "SNAP, oui 0x");
		put_hex_padded(l, oui, 6);
		PUT(l, ", pid 0x");
		put_hex_padded(l, type, 4);
		PUT_LENGTH(l, p.len);
	}
}

void show_llc(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 3);

	if (!h) {
		put_truncated(l, "llc");
		return;
	}
	p = pdu_rest(&p, 3);
	if (l->opts->link) {
		put_llc(l, h);
		PUT(l, ": ");
	}
	if (h[0] == 0x42 && h[1] == 0x42 && h[2] == 3)
		show_stp(l, p);
	else if (h[0] == 0xaa && h[1] == 0xaa && h[2] == 3)
		show_snap(l, p);
	else {
		if (!l->opts->link) {
			put_llc(l, h);
			PUT(l, ", ");
		}
		PUT_NUM(l, "length ", p.len);
	}
}

static void show_pppoe(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 8);
	uint16_t proto;

	if (!h) {
		put_truncated(l, "pppoe");
		return;
	}
	PUT(l, "PPPoE  [ses 0x");
	put_hex(l, be16_at(h + 2));
	PUT(l, "] ");
	proto = be16_at(h + 6);
	p = pdu_rest(&p, 8);
	if (be16_at(h + 4) >= 2 && p.len > be16_at(h + 4) - 2u) {
		p.len = be16_at(h + 4) - 2u;
		p = pdu_rest(&p, 0);
	}
	if (proto == 0x21 || proto == 0x57) {
		if (enter_tunnel(l))
			show_ip(l, p);
		return;
	}
	PUT(l, "PPP protocol 0x");
	put_hex_padded(l, proto, 4);
	PUT_LENGTH(l, p.len);
}

static const struct {
	uint16_t type;
	void (*show)(struct line *l, struct pdu p);
} ethertype_handlers[] = {
	{ 0x0800, show_ip4 },  { 0x86dd, show_ip6 },  { 0x0806, show_arp },   { 0x8035, show_arp },
	{ 0x8847, show_mpls }, { 0x8848, show_mpls }, { 0x8864, show_pppoe },
};

bool show_ethertype(struct line *l, uint16_t type, struct pdu p)
{
	const char *name;

	for (size_t i = 0; i < ARRAY_LEN(ethertype_handlers); i++)
		if (ethertype_handlers[i].type == type) {
			ethertype_handlers[i].show(l, p);
			return true;
		}
	name = VALUE_NAME(named_types, type);
	if (!name)
		return false;
	put_str(l, name);
	PUT_LENGTH(l, p.len);
	return true;
}
