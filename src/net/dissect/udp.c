/* SPDX-License-Identifier: MIT */
/* UDP (RFC 768), and its payloads by port. */
#include "net/dissect/internal.h"

static void show_mdns(struct line *l, struct pdu p)
{
	show_dns(l, p, true);
}

static void show_dns_message(struct line *l, struct pdu p)
{
	show_dns(l, p, false);
}

static const struct udp_payload {
	uint16_t port;
	void (*show)(struct line *l, struct pdu p);
} payloads[] = {
	{ 53, show_dns_message }, { 67, show_dhcp },   { 68, show_dhcp },
	{ 123, show_ntp },        { 546, show_dhcp6 }, { 547, show_dhcp6 },
	{ 4789, show_vxlan },     { 5353, show_mdns }, { 6081, show_geneve },
};

static const struct udp_payload *find_payload(uint16_t port)
{
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++)
		if (payloads[i].port == port)
			return &payloads[i];
	return NULL;
}

static void put_checksum(struct line *l, const uint8_t *h, const struct pdu *p)
{
	uint16_t sum, field = be16_at(h + 6);
	uint32_t len = be16_at(h + 4) < p->len ? be16_at(h + 4) : p->len;

	/* The checksum is optional in IPv4 but not in IPv6; tcpdump shows it for IPv4 with -vv
	 * only. */
	if (l->opts->verbose < (l->addr_len == 4 ? 2 : 1) || l->fragment || p->c.left < p->len ||
	    !l->src)
		return;
	if (!field && l->addr_len == 4) {
		PUT(l, "[no cksum] ");
		return;
	}
	sum = compute_pseudo_checksum(l, 17, h, len);
	if (!sum && field) {
		PUT(l, "[udp sum ok] ");
		return;
	}
	PUT(l, "[bad udp cksum 0x");
	put_hex_padded(l, field, 4);
	PUT(l, " -> 0x");
	put_hex_padded(l, correct_checksum(sum, field), 4);
	PUT(l, "!] ");
}

static void put_payload(struct line *l, struct pdu p, uint16_t sport, uint16_t dport)
{
	const struct udp_payload *known = NULL;

	if (!l->opts->quiet) {
		known = find_payload(dport);
		if (!known)
			known = find_payload(sport);
		if (known) {
			known->show(l, p);
			return;
		}
		if ((sport == 443 || dport == 443) && show_quic(l, p))
			return;
		if (show_wireguard(l, p))
			return;
	}
	PUT_NUM_INLINE(l, "UDP, length ", p.len);
}

/* Shows a datagram whose header is complete. */
static void show_datagram(struct line *l, struct pdu p, const uint8_t *h)
{
	uint32_t udp_len = be16_at(h + 4);
	struct pdu body = p;

	if (udp_len < 8) {
		PUT_NUM(l, "truncated-udplength ", udp_len);
		return;
	}
	put_checksum(l, h, &p);
	if (udp_len > p.len) {
		PUT_NUM(l, "UDP, bad length ", udp_len - 8);
		PUT_NUM(l, " > ", p.len - 8);
		return;
	}
	body.len = udp_len;
	cursor_take(&body.c, 8);
	put_payload(l, pdu_rest(&body, 8), be16_at(h), be16_at(h + 2));
}

void show_udp(struct line *l, struct pdu p)
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
		put_truncated(l, "udp");
		return;
	}
	put_endpoints(l, 17, be16_at(p.c.at), be16_at(p.c.at + 2));
	if (p.len < 8)
		PUT_NUM(l, "truncated-udp ", p.len);
	else if (!h)
		put_truncated(l, "udp");
	else
		show_datagram(l, p, h);
}
