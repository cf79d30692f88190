/* SPDX-License-Identifier: MIT */
/* Parses from the link layer to the transport header, and into one tunnel. */
#include "filter/view.h"
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <string.h>
#include "base/cursor.h"

enum {
	EXT_MAX = 6, /* IPv6 extension headers walked: RFC 8200 sec. 4.1 orders five */
	LABELS_MAX = 4,
	PORT_VXLAN = 4789,
	PORT_GENEVE = 6081,
	ETHERTYPE_BRIDGED = 0x6558, /* GRE's and GENEVE's EtherType of bridged Ethernet */
};

/* A cursor, and the packet's start, from which offsets count. */
struct reader {
	const uint8_t *data;
	struct cursor c;
};

static uint16_t offset_of(const struct reader *r)
{
	return (uint16_t)(r->c.at - r->data);
}

static void add_to_chain(struct view *v, uint8_t proto)
{
	v->chain[proto / 64] |= UINT64_C(1) << proto % 64;
}

/* Length of the transport header at r; 0: cut off or malformed. */
static size_t transport_len(const struct view *v, const struct reader *r)
{
	size_t len;

	if (v->proto == IPPROTO_UDP)
		return 8;
	if (v->proto == IPPROTO_SCTP)
		return 12;
	len = r->c.left > 12 ? (size_t)(r->c.at[12] >> 4) * 4 : 0;
	return len < 20 ? 0 : len;
}

static void parse_ports(struct view *v, struct reader *r)
{
	size_t len = transport_len(v, r);
	struct reader after = *r;
	uint16_t sport = cursor_be16(&r->c), dport = cursor_be16(&r->c);

	if (r->c.cut)
		return;
	v->sport = sport;
	v->dport = dport;
	v->ports = 1;
	if (len && cursor_skip(&after.c, len))
		v->payload = offset_of(&after);
}

/* A later fragment has no transport header. */
static void parse_transport(struct view *v, struct reader *r)
{
	struct reader at = *r;

	if (v->fragment == VIEW_LATER)
		return;
	v->trans = offset_of(r);
	if (v->proto == IPPROTO_TCP || v->proto == IPPROTO_UDP || v->proto == IPPROTO_SCTP)
		parse_ports(v, &at);
}

static void parse_ipv4(struct view *v, struct reader *r)
{
	const uint8_t *ip = r->c.left >= 20 ? r->c.at : NULL;
	uint16_t frag;
	size_t len;

	if (!ip || ip[0] >> 4 != 4 || (ip[0] & 15) < 5)
		return;
	len = (size_t)(ip[0] & 15) * 4;
	frag = (uint16_t)(ip[6] << 8 | ip[7]);
	v->family = 4;
	v->addrs = 4;
	memcpy(v->src, ip + 12, 4);
	memcpy(v->dst, ip + 16, 4);
	v->proto = ip[9];
	add_to_chain(v, ip[9]);
	v->fragment = frag & 0x1fff ? VIEW_LATER : frag & 0x2000 ? VIEW_FIRST : VIEW_WHOLE;
	if (cursor_skip(&r->c, len))
		parse_transport(v, r);
}

static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS;
}

static void parse_ipv6(struct view *v, struct reader *r)
{
	const uint8_t *ip = r->c.left >= 40 ? r->c.at : NULL;
	uint8_t next;

	if (!ip || ip[0] >> 4 != 6)
		return;
	v->family = 6;
	v->addrs = 6;
	memcpy(v->src, ip + 8, 16);
	memcpy(v->dst, ip + 24, 16);
	next = ip[6];
	cursor_skip(&r->c, 40);
	add_to_chain(v, next);
	for (int i = 0; i < EXT_MAX && is_extension(next) && v->fragment != VIEW_LATER; i++) {
		bool fragment = next == IPPROTO_FRAGMENT;
		const uint8_t *ext = cursor_take(&r->c, 8);

		v->proto = next;
		if (!ext)
			return;
		if (fragment && ((ext[2] << 8 | ext[3]) & 0xfff8))
			v->fragment = VIEW_LATER;
		else if (fragment && ext[3] & 1)
			v->fragment = VIEW_FIRST;
		next = ext[0];
		add_to_chain(v, next);
		if (!fragment && !cursor_skip(&r->c, (size_t)ext[1] * 8))
			return;
	}
	v->proto = next;
	parse_transport(v, r);
}

/* Only IPv4 over Ethernet (RFC 826) is in use. */
static void parse_arp(struct view *v, struct reader *r)
{
	const uint8_t *a = r->c.left >= 28 ? r->c.at : NULL;

	if (!a || a[2] != 8 || a[3] || a[4] != 6 || a[5] != 4)
		return;
	v->addrs = 4;
	memcpy(v->src, a + 14, 4);
	memcpy(v->dst, a + 24, 4);
}

/* Skips MPLS labels to the bottom of the stack; the first four bits after it distinguish IPv4 and
 * IPv6 (RFC 4928). Returns false if no IP packet follows. */
static bool parse_labels(struct view *v, struct reader *r)
{
	for (int i = 0; i < LABELS_MAX; i++) {
		uint32_t entry = cursor_be32(&r->c);

		if (r->c.cut)
			return false;
		if (!v->labels++)
			v->label = entry >> 12;
		if (!(entry & 0x100))
			continue;
		if (!r->c.left || (*r->c.at >> 4 != 4 && *r->c.at >> 4 != 6))
			return false;
		v->type = *r->c.at >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6;
		return true;
	}
	return false;
}

static bool is_vlan(uint16_t type)
{
	return type == ETH_P_8021Q || type == ETH_P_8021AD || type == ETH_P_QINQ1;
}

/* Parses from the header at r on, whose EtherType is v->type. */
static void parse_network(struct view *v, struct reader *r)
{
	while (is_vlan(v->type) && v->vlans < VIEW_VLANS_MAX) {
		uint16_t tci = cursor_be16(&r->c), type = cursor_be16(&r->c);

		if (r->c.cut)
			return;
		v->vlan[v->vlans++] = tci & 0xfff;
		v->type = type;
	}
	if ((v->type == ETH_P_MPLS_UC || v->type == ETH_P_MPLS_MC) && !parse_labels(v, r))
		return;
	v->net = offset_of(r);
	if (v->type == ETH_P_IP)
		parse_ipv4(v, r);
	else if (v->type == ETH_P_IPV6)
		parse_ipv6(v, r);
	else if (v->type == ETH_P_ARP || v->type == ETH_P_RARP)
		parse_arp(v, r);
}

static void parse_ethernet(struct view *v, struct reader *r)
{
	uint16_t at = offset_of(r);
	const uint8_t *eth = cursor_take(&r->c, ETH_HLEN);

	if (!eth)
		return;
	v->link = at;
	memcpy(v->dmac, eth, 6);
	memcpy(v->smac, eth + 6, 6);
	v->type = (uint16_t)(eth[12] << 8 | eth[13]);
	parse_network(v, r);
}

static void parse_raw_ip(struct view *v, struct reader *r)
{
	if (!r->c.left || (*r->c.at >> 4 != 4 && *r->c.at >> 4 != 6))
		return;
	v->type = *r->c.at >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6;
	parse_network(v, r);
}

/* A link-layer header of len bytes with an EtherType at offset type. */
static void parse_cooked(struct view *v, struct reader *r, size_t len, size_t type)
{
	const uint8_t *at = cursor_take(&r->c, len);

	if (!at)
		return;
	v->type = (uint16_t)(at[type] << 8 | at[type + 1]);
	parse_network(v, r);
}

static void parse_link(struct view *v, struct reader *r, uint16_t link)
{
	switch (link) {
	case FRAME_ETHERNET:
		parse_ethernet(v, r);
		break;
	case FRAME_LINUX_SLL:
		parse_cooked(v, r, 16, 14);
		break;
	case FRAME_LINUX_SLL2:
		parse_cooked(v, r, 20, 0);
		break;
	case FRAME_NULL:
	case FRAME_LOOP:
		if (cursor_skip(&r->c, 4))
			parse_raw_ip(v, r);
		break;
	case FRAME_RAW_IP:
	case FRAME_IPV4:
	case FRAME_IPV6:
		parse_raw_ip(v, r);
		break;
	}
}

static void init_view(struct view *v, uint32_t len)
{
	*v = (struct view){ .len = len,
			    .link = VIEW_NONE,
			    .net = VIEW_NONE,
			    .trans = VIEW_NONE,
			    .proto = VIEW_NONE,
			    .payload = VIEW_NONE };
}

/* RFC 2784 and 2890: checksum, key and sequence number are optional. */
static bool skip_gre(struct reader *r, uint16_t *type)
{
	uint16_t flags = cursor_be16(&r->c);

	*type = cursor_be16(&r->c);
	if (flags & 0x4007) /* routing, which is obsolete, and versions other than 0 */
		return false;
	return cursor_skip(&r->c, (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) +
					  (flags & 0x1000 ? 4 : 0)) &&
	       !r->c.cut;
}

/* RFC 8926: options of 4-byte units. */
static bool skip_geneve(struct reader *r, uint16_t *type)
{
	const uint8_t *at;

	cursor_skip(&r->c, 8);
	at = cursor_take(&r->c, 8);
	if (!at || at[0] >> 6)
		return false;
	*type = (uint16_t)(at[2] << 8 | at[3]);
	return cursor_skip(&r->c, (size_t)(at[0] & 0x3f) * 4);
}

/* Moves r to the packet that a tunnel carries. *type: its EtherType, 0 for Ethernet. Returns false
 * if it is no tunnel or is cut off. */
static bool enter_tunnel(const struct view *v, struct reader *r, uint16_t *type)
{
	if (v->trans == VIEW_NONE)
		return false;
	cursor_skip(&r->c, v->trans);
	*type = 0;
	switch (v->proto) {
	case IPPROTO_IPIP:
		*type = ETH_P_IP;
		return true;
	case IPPROTO_IPV6:
		*type = ETH_P_IPV6;
		return true;
	case IPPROTO_GRE:
		if (!skip_gre(r, type))
			return false;
		break;
	case IPPROTO_UDP:
		if (v->ports && v->dport == PORT_VXLAN) /* RFC 7348 */
			return cursor_skip(&r->c, 16);
		if (!v->ports || v->dport != PORT_GENEVE || !skip_geneve(r, type))
			return false;
		break;
	default:
		return false;
	}
	if (*type == ETHERTYPE_BRIDGED)
		*type = 0;
	return true;
}

void view_frame(struct view views[VIEW_LAYERS], const struct frame *frame)
{
	struct reader r = { frame->data, cursor_of(frame->data, frame->caplen) }, in = r;
	struct view *v = &views[0], *inner = &views[1];
	uint16_t type;

	init_view(v, frame->len);
	v->dir = frame->dir == FRAME_IN ? VIEW_IN : frame->dir == FRAME_OUT ? VIEW_OUT : 0;
	v->verdict = frame->verdict;
	v->pid = frame->pid;
	memcpy(v->comm, frame->comm, sizeof(v->comm));
	parse_link(v, &r, frame->link);
	init_view(inner, 0);
	if (!enter_tunnel(v, &in, &type))
		return;
	inner->len = frame->len - (uint32_t)(in.c.at - frame->data);
	inner->type = type;
	if (type)
		parse_network(inner, &in);
	else
		parse_ethernet(inner, &in);
}
