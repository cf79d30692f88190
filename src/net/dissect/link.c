/* SPDX-License-Identifier: MIT */
/* Link layers: Ethernet with VLAN tags, Linux cooked, loopback, raw IP. */
#include "net/dissect/internal.h"

enum { TAGS_MAX = 8, LENGTH_MAX = 1500 };

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* "IPv4 (0x0800)" */
static void put_ethertype(struct line *l, uint16_t type)
{
	const char *name = ethertype_name(type);

	PUT(l, "ethertype ");
	put_str(l, name ? name : "Unknown");
	PUT(l, " (0x");
	put_hex_padded(l, type, 4);
	put_char(l, ')');
}

/* "SRC > DST, ethertype IPv4 (0x0800), length 74: ", or an 802.3 length instead of a type. */
static void put_ether(struct line *l, const uint8_t *h, uint16_t type, uint32_t len)
{
	put_mac(l, h + 6);
	PUT(l, " > ");
	put_mac(l, h);
	PUT(l, ", ");
	if (type > LENGTH_MAX) {
		put_ethertype(l, type);
		PUT_LENGTH(l, len);
	} else {
		PUT_NUM(l, "802.3, length ", type);
	}
	PUT(l, ": ");
}

/* Skips VLAN tags and gets the type after them. Returns false if they are cut off. */
static bool skip_tags(struct line *l, struct cursor *c, uint16_t *type)
{
	for (int i = 0; is_tag(*type) && i < TAGS_MAX; i++) {
		const uint8_t *tag = cursor_take(c, 4);

		if (!tag) {
			put_truncated(l, "vlan");
			return false;
		}
		*type = be16_at(tag + 2);
		if (!l->opts->link)
			continue;
		PUT_NUM(l, "vlan ", be16_at(tag) & 0xfff);
		PUT_NUM(l, ", p ", tag[0] >> 5);
		if (tag[0] & 0x10)
			PUT(l, ", DEI");
		PUT(l, ", ");
		if (*type > LENGTH_MAX) {
			put_ethertype(l, *type);
			PUT(l, ", ");
		}
	}
	return true;
}

void show_ethernet(struct line *l, struct pdu p)
{
	size_t total = p.c.left;
	const uint8_t *h = cursor_take(&p.c, 14);
	uint32_t len = p.len;
	uint16_t type;

	if (!h) {
		put_truncated(l, "ether");
		return;
	}
	type = be16_at(h + 12);
	if (l->opts->link)
		put_ether(l, h, type, len);
	if (!skip_tags(l, &p.c, &type))
		return;
	if (!l->depth)
		l->link_len = (uint32_t)(total - p.c.left);
	p = pdu_rest(&p, (uint32_t)(total - p.c.left));
	if (type <= LENGTH_MAX) {
		if (p.len > type) {
			p.len = type;
			p = pdu_rest(&p, 0);
		}
		show_llc(l, p);
		return;
	}
	if (show_ethertype(l, type, p))
		return;
	if (!l->opts->link)
		put_ether(l, h, type, len);
}

/* Like put_ether(), with one address. */
static void put_cooked(struct line *l, const uint8_t *addr, uint16_t type, uint32_t len)
{
	put_mac(l, addr);
	put_char(l, ' ');
	put_ethertype(l, type);
	PUT_LENGTH(l, len);
	PUT(l, ": ");
}

static const struct value_name packet_types[] = {
	{ 0, "In" }, { 1, "B" }, { 2, "M" }, { 3, "P" }, { 4, "Out" },
};

/* Writes the type in three columns, aligned left or right, and a space. */
static void put_packet_type(struct line *l, uint32_t type, bool right)
{
	const char *name = VALUE_NAME(packet_types, type);
	size_t n;

	name = name ? name : "?";
	for (n = strlen(name); right && n < 3; n++)
		put_char(l, ' ');
	put_str(l, name);
	for (; n < 4; n++)
		put_char(l, ' ');
}

static void show_cooked(struct line *l, struct pdu p, uint16_t type)
{
	if (type <= 4) /* ETH_P_802_3, ETH_P_802_2 */
		show_llc(l, p);
	else if (!show_ethertype(l, type, p) && !l->opts->link) {
		put_ethertype(l, type);
		PUT_LENGTH(l, p.len);
	}
}

static void show_sll(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 16);
	uint32_t len = p.len;
	uint16_t type;

	if (!h) {
		put_truncated(l, "sll");
		return;
	}
	type = be16_at(h + 14);
	if (l->opts->link) {
		put_packet_type(l, be16_at(h), true);
		put_cooked(l, h + 6, type, len);
	}
	if (!skip_tags(l, &p.c, &type))
		return;
	l->link_len = 16;
	show_cooked(l, pdu_rest(&p, 16), type);
}

/* The caller shows the interface's name: the number in a file may be from another host. */
static void show_sll2(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 20);
	uint32_t len = p.len;
	uint16_t type;

	if (!h) {
		put_truncated(l, "sll2");
		return;
	}
	type = be16_at(h);
	if (!l->opts->ifaces) {
		PUT_NUM(l, "if", be32_at(h + 4));
		put_char(l, ' ');
		put_packet_type(l, h[10], false);
	}
	if (l->opts->link) {
		PUT_NUM(l, "ifindex ", be32_at(h + 4));
		put_char(l, ' ');
		put_cooked(l, h + 12, type, len);
	}
	if (!skip_tags(l, &p.c, &type))
		return;
	l->link_len = 20;
	show_cooked(l, pdu_rest(&p, 20), type);
}

static void show_raw(struct line *l, struct pdu p)
{
	if (l->opts->link)
		PUT(l, "ip: ");
	show_ip(l, p);
}

/* The address family has different numbers on different systems. LINKTYPE_NULL has the writer's
 * byte order, which shows in the position of the small number. */
static void show_loopback(struct line *l, struct pdu p)
{
	const uint8_t *h = cursor_take(&p.c, 4);
	uint32_t family;
	bool v6;

	if (!h) {
		put_truncated(l, "null");
		return;
	}
	family = be32_at(h);
	if (family & 0xffff0000)
		family = (uint32_t)h[3] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[1] << 8 | h[0];
	l->link_len = 4;
	v6 = family == 10 || family == 24 || family == 28 || family == 30;
	if (l->opts->link || (family != 2 && !v6)) {
		put_str(l, family == 2 ? "AF IPv4" : v6 ? "AF IPv6" : "AF Unknown");
		PUT_NUM(l, " (", family);
		put_char(l, ')');
		PUT_LENGTH(l, p.len);
		PUT(l, ": ");
	}
	p = pdu_rest(&p, 4);
	if (family == 2)
		show_ip4(l, p);
	else if (v6)
		show_ip6(l, p);
}

static const struct {
	uint16_t link;
	void (*show)(struct line *l, struct pdu p);
} link_handlers[] = {
	{ FRAME_ETHERNET, show_ethernet }, { FRAME_RAW_IP, show_raw },
	{ FRAME_LINUX_SLL, show_sll },     { FRAME_LINUX_SLL2, show_sll2 },
	{ FRAME_IPV4, show_ip4 },          { FRAME_IPV6, show_ip6 },
	{ FRAME_NULL, show_loopback },     { FRAME_LOOP, show_loopback },
};

void show_link_layer(struct line *l, uint16_t link, struct pdu p)
{
	for (size_t i = 0; i < ARRAY_LEN(link_handlers); i++)
		if (link_handlers[i].link == link) {
			link_handlers[i].show(l, p);
			return;
		}
	PUT_NUM(l, "link-type ", link);
	PUT_LENGTH(l, p.len);
}
