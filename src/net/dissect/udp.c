/* SPDX-License-Identifier: MIT */
/* UDP (RFC 768), and which protocol a port means. */
#include "net/dissect/internal.h"

static void show_mdns(struct line *l, struct part p)
{
	show_dns(l, p, true);
}

static void show_unicast_dns(struct line *l, struct part p)
{
	show_dns(l, p, false);
}

static const struct payload {
	uint16_t port;
	void (*show)(struct line *l, struct part p);
} payloads[] = {
	{ 53, show_unicast_dns }, { 67, show_dhcp },   { 68, show_dhcp },
	{ 123, show_ntp },        { 546, show_dhcp6 }, { 547, show_dhcp6 },
	{ 4789, show_vxlan },     { 5353, show_mdns }, { 6081, show_geneve },
};

static const struct payload *payload_of(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++)
		if (payloads[i].port == port)
			return &payloads[i];
	return NULL;
}

static void put_sum(struct line *l, const uint8_t *h, const struct part *p)
{
	uint16_t sum, has = be16_at(h + 6);
	uint32_t len = be16_at(h + 4) < p->len ? be16_at(h + 4) : p->len;

	/* IPv4's may be absent, which IPv6's must not: so tcpdump asks for a second -v */
	if (l->o->verbose < (l->addr_len == 4 ? 2 : 1) || l->fragment || p->c.left < p->len ||
	    !l->src)
		return;
	if (!has && l->addr_len == 4) {
		PUT(l, "[no cksum] ");
		return;
	}
	sum = sum_pseudo(l, 17, h, len);
	if (!sum && has) {
		PUT(l, "[udp sum ok] ");
		return;
	}
	PUT(l, "[bad udp cksum 0x");
	put_hexn(l, has, 4);
	PUT(l, " -> 0x");
	put_hexn(l, sum_of(NULL, 0, (uint32_t)(uint16_t)~sum + (uint16_t)~has), 4);
	PUT(l, "!] ");
}

static void put_payload(struct line *l, struct part p, uint16_t sport, uint16_t dport)
{
	const struct payload *known = NULL;

	if (!l->o->quiet) {
		known = payload_of(dport);
		if (!known)
			known = payload_of(sport);
		if (known) {
			known->show(l, p);
			return;
		}
		if ((sport == 443 || dport == 443) && show_quic(l, p))
			return;
		if (show_wireguard(l, p))
			return;
	}
	HOT_NUM(l, "UDP, length ", p.len);
}

/* What can be said of a header that is whole. */
static void show_datagram(struct line *l, struct part p, const uint8_t *h)
{
	uint32_t claimed = be16_at(h + 4);
	struct part body = p;

	if (claimed < 8) {
		PUT_NUM(l, "truncated-udplength ", claimed);
		return;
	}
	put_sum(l, h, &p);
	if (claimed > p.len) {
		PUT_NUM(l, "UDP, bad length ", claimed - 8);
		PUT_NUM(l, " > ", p.len - 8);
		return;
	}
	body.len = claimed;
	cursor_take(&body.c, 8);
	put_payload(l, part_rest(&body, 8), be16_at(h), be16_at(h + 2));
}

void show_udp(struct line *l, struct part p)
{
	struct cursor c = p.c;
	const uint8_t *h = cursor_take(&c, 8);

	if (p.c.left < 4) {
		if (l->src && l->proto == 17) {
			put_ip(l, l->src, l->addr_len);
			PUT(l, " > ");
			put_ip(l, l->dst, l->addr_len);
			PUT(l, ": ");
		}
		put_cut(l, "udp");
		return;
	}
	put_ends(l, 17, be16_at(p.c.at), be16_at(p.c.at + 2));
	if (p.len < 8)
		PUT_NUM(l, "truncated-udp ", p.len);
	else if (!h)
		put_cut(l, "udp");
	else
		show_datagram(l, p, h);
}
