/* SPDX-License-Identifier: MIT */
/* What names, numbers and addresses mean after their qualifiers. */
#include "filter/prim.h"
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <string.h>
#include "net/services.h"

enum { HOSTS_MAX = 32 };

/* Restricts node to a family if that is 4 or 6. Protocols of both families have another number. */
static uint32_t require_family(struct parser *p, uint8_t family, uint32_t node)
{
	if (family != 4 && family != 6)
		return node;
	return tree_and(p, tree_cmp(p, FIELD(family), FILTER_EQ, family), node);
}

uint32_t prim_proto(struct parser *p, const struct filter_proto *proto)
{
	if (proto->layer == PROTO_LINK)
		return tree_cmp(p, FIELD(link), FILTER_NE, VIEW_NONE);
	if (proto->layer == PROTO_NET)
		return tree_cmp(p, FIELD(type), FILTER_EQ, proto->number);
	return require_family(p, proto->families,
			      tree_cmp(p, FIELD(proto), FILTER_EQ, proto->number));
}

static void make_mask(uint8_t *mask, unsigned int bits, size_t len)
{
	memset(mask, 0, len);
	memset(mask, 0xff, bits / 8);
	if (bits % 8)
		mask[bits / 8] = (uint8_t)(0xff << (8 - bits % 8));
}

/* The packets that have such addresses. Without a protocol, IPv4 addresses match ARP, too. */
static uint32_t require_carrier(struct parser *p, const struct filter_proto *proto, uint8_t family)
{
	uint32_t addrs = tree_cmp(p, FIELD(addrs), FILTER_EQ, family);

	if (!proto || proto->layer == PROTO_LINK)
		return addrs;
	return tree_and(p, addrs, tree_cmp(p, FIELD(type), FILTER_EQ, proto->number));
}

static uint32_t add_address(struct parser *p, const struct qual *q, uint8_t family,
			    const uint8_t *bytes, const uint8_t *mask)
{
	size_t len = family == 4 ? 4 : 16;
	uint32_t src = 0, dst = 0;

	if (q->dir != DIR_DST)
		src = tree_bytes(p, offsetof(struct view, src), bytes, mask, len);
	if (q->dir != DIR_SRC)
		dst = tree_bytes(p, offsetof(struct view, dst), bytes, mask, len);
	return tree_and(p, require_carrier(p, q->proto, family), tree_src_dst(p, q->dir, src, dst));
}

static int check_carrier(struct parser *p, const struct qual *q, uint8_t family,
			 const struct token *t)
{
	if (!q->proto)
		return 0;
	if (q->proto->layer == PROTO_TRANS)
		return tree_fail(p, t, "'%s' has no addresses: use '%s and host ...'",
				 q->proto->name, q->proto->name);
	if (q->proto->layer == PROTO_NET && (q->proto->number == ETH_P_IPV6) != (family == 6))
		return tree_fail(p, t, "'%s' cannot match an IPv%d address", q->proto->name,
				 family);
	return 0;
}

int prim_net(struct parser *p, const struct qual *q, const struct token *t, unsigned int bits,
	     const struct token *given, uint32_t *out)
{
	uint8_t family = t->kind == TOKEN_IPV6 ? 6 : 4, mask[16];
	size_t len = family == 4 ? 4 : 16;
	int rc = check_carrier(p, q, family, t);

	if (rc)
		return rc;
	if (bits > len * 8)
		return tree_fail(p, t, "an IPv%d prefix has at most %zu bits", family, len * 8);
	make_mask(mask, bits, sizeof(mask));
	if (given)
		memcpy(mask, given->bytes, 4);
	for (size_t i = 0; i < len; i++)
		if (t->bytes[i] & ~mask[i])
			return tree_fail(p, t, "address bits set outside the network mask");
	*out = add_address(p, q, family, t->bytes, mask);
	return 0;
}

static uint32_t add_mac(struct parser *p, enum qual_dir dir, const uint8_t *bytes)
{
	uint32_t src = tree_bytes(p, offsetof(struct view, smac), bytes, NULL, 6);
	uint32_t dst = tree_bytes(p, offsetof(struct view, dmac), bytes, NULL, 6);

	return tree_and(p, tree_cmp(p, FIELD(link), FILTER_NE, VIEW_NONE),
			tree_src_dst(p, dir, src, dst));
}

/* A host name: any of its addresses. */
static int add_named_host(struct parser *p, const struct qual *q, const struct token *t,
			  uint32_t *out)
{
	struct filter_addr addrs[HOSTS_MAX];
	char name[TOKEN_TEXT_MAX];
	bool any = false;
	int n = -ENOENT;

	*p->diag->msg = '\0';
	if (t->len && t->len < sizeof(name) && p->names && p->names->host) {
		memcpy(name, t->text, t->len);
		name[t->len] = '\0';
		n = p->names->host(p->names->arg, name, addrs, HOSTS_MAX, p->diag);
	}
	if (n <= 0 && *p->diag->msg)
		return tree_fail_lookup(p, t, "host", name);
	if (n <= 0)
		return tree_fail(p, t, "unknown host '%.*s': not in the hosts file", (int)t->len,
				 t->text);
	for (int i = 0; i < n; i++) {
		uint32_t one;

		if (q->proto && check_carrier(p, q, addrs[i].family, t))
			continue;
		one = add_address(p, q, addrs[i].family, addrs[i].bytes, NULL);
		*out = any ? tree_or(p, *out, one) : one;
		any = true;
	}
	return any ? 0 : -EINVAL; /* check_carrier() wrote the message */
}

static int add_host(struct parser *p, const struct qual *q, const struct token *t, uint32_t *out)
{
	bool ether = q->proto && q->proto->layer == PROTO_LINK;
	int rc;

	if (ether && t->kind != TOKEN_MAC)
		return tree_fail_expected(p, t, "Ethernet address such as 02:00:00:00:00:01");
	switch (t->kind) {
	case TOKEN_MAC:
		if (q->proto && !ether)
			return tree_fail(p, t, "'%s' cannot match an Ethernet address",
					 q->proto->name);
		*out = add_mac(p, q->dir, t->bytes);
		return 0;
	case TOKEN_IPV4:
		return prim_net(p, q, t, t->bits, NULL, out);
	case TOKEN_IPV6:
		rc = check_carrier(p, q, 6, t);
		*out = rc ? 0 : add_address(p, q, 6, t->bytes, NULL);
		return rc;
	case TOKEN_WORD:
	case TOKEN_QUOTED:
		return add_named_host(p, q, t, out);
	default:
		return tree_fail_expected(p, t, "address or host name");
	}
}

/* A network without a mask, as in libpcap: "net 10" is 10.0.0.0/8. */
static int add_network(struct parser *p, const struct qual *q, const struct token *t, uint32_t *out)
{
	struct token net = *t;

	if (t->kind == TOKEN_IPV4)
		return prim_net(p, q, t, t->bits, NULL, out);
	if (t->kind == TOKEN_IPV6)
		return prim_net(p, q, t, 128, NULL, out);
	if (t->kind != TOKEN_NUMBER || t->value > 255)
		return tree_fail_expected(p, t, "network such as 10.0.0.0/8");
	net.bytes[0] = (uint8_t)t->value;
	return prim_net(p, q, &net, 8, NULL, out);
}

static bool read_port(const char *text, size_t len, uint32_t *port)
{
	uint32_t value = 0;

	if (service_port(text, len, port))
		return true;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || value > UINT16_MAX)
			return false;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	*port = value;
	return len && value <= UINT16_MAX;
}

static uint32_t add_range(struct parser *p, size_t field, uint32_t low, uint32_t high)
{
	if (low == high)
		return tree_cmp(p, field, 2, FILTER_EQ, low);
	return tree_and(p, tree_cmp(p, field, 2, FILTER_GE, low),
			tree_cmp(p, field, 2, FILTER_LE, high));
}

static int add_ports(struct parser *p, const struct qual *q, const struct token *t, uint32_t *out)
{
	size_t dash = q->type == TYPE_PORTRANGE ? token_dash(t) : 0;
	uint32_t low, high, node;

	if (q->proto && !q->proto->ports)
		return tree_fail(p, t, "'%s' has no ports", q->proto->name);
	if (dash) {
		if (!read_port(t->text, dash, &low) ||
		    !read_port(t->text + dash + 1, t->len - dash - 1, &high))
			return tree_fail(p, t, "invalid port range '%.*s': use FIRST-LAST",
					 (int)t->len, t->text);
		if (low > high) {
			uint32_t swap = low;

			low = high;
			high = swap;
		}
	} else {
		if (!read_port(t->text, t->len, &low))
			return tree_fail_expected(p, t, "port number or service name");
		high = low;
	}
	node = tree_and(p, tree_cmp(p, FIELD(ports), FILTER_EQ, 1),
			tree_src_dst(p, q->dir,
				     add_range(p, offsetof(struct view, sport), low, high),
				     add_range(p, offsetof(struct view, dport), low, high)));
	*out = q->proto ? tree_and(p, prim_proto(p, q->proto), node) : node;
	return 0;
}

static int add_protocol(struct parser *p, const struct qual *q, const struct token *t,
			uint32_t *out)
{
	bool ether = q->proto && q->proto->layer == PROTO_LINK;
	uint8_t family = q->proto && q->proto->layer == PROTO_NET ? q->proto->families : 0;
	uint32_t number = (uint32_t)t->value;
	bool known = t->kind == TOKEN_NUMBER && t->value <= (ether ? 0xffff : 0xff);

	if (t->kind == TOKEN_WORD || t->kind == TOKEN_QUOTED)
		known = ether ? names_find_ethertype(t, &number) : names_find_ip_proto(t, &number);
	if (!known)
		return tree_fail(p, t, "unknown %s '%.*s'", ether ? "EtherType" : "IP protocol",
				 (int)t->len, t->text);
	if (q->proto && !ether && !family)
		return tree_fail(p, t, "'%s' carries no protocols", q->proto->name);
	if (ether)
		*out = tree_cmp(p, FIELD(type), FILTER_EQ, number);
	else if (q->type == TYPE_PROTOCHAIN)
		*out = require_family(
			p, family,
			tree_cmp_masked(p, offsetof(struct view, chain) + number / 64 * 8, 8,
					UINT64_C(1) << number % 64, UINT64_C(1) << number % 64));
	else
		*out = require_family(p, family, tree_cmp(p, FIELD(proto), FILTER_EQ, number));
	return 0;
}

int prim_id(struct parser *p, const struct qual *q, const struct token *t, uint32_t *out)
{
	switch (q->type) {
	case TYPE_NET:
		return add_network(p, q, t, out);
	case TYPE_PORT:
	case TYPE_PORTRANGE:
		return add_ports(p, q, t, out);
	case TYPE_PROTO:
	case TYPE_PROTOCHAIN:
		return add_protocol(p, q, t, out);
	default:
		return add_host(p, q, t, out);
	}
}

int prim_broadcast(struct parser *p, const struct filter_proto *proto, const struct token *t,
		   bool multicast, uint32_t *out)
{
	static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	size_t dst = offsetof(struct view, dst);
	uint32_t hosts, group;

	if (!proto || proto->layer == PROTO_LINK) {
		group = multicast ? tree_cmp_masked(p, offsetof(struct view, dmac), 1, 1, 1)
				  : tree_bytes(p, offsetof(struct view, dmac), all, NULL, 6);
		*out = tree_and(p, tree_cmp(p, FIELD(link), FILTER_NE, VIEW_NONE), group);
		return 0;
	}
	if (proto->families == 6 && multicast) {
		*out = require_family(p, 6, tree_cmp(p, dst, 1, FILTER_EQ, 0xff));
		return 0;
	}
	if (proto->families != 4)
		return tree_fail(p, t, "'%s' has no %s", proto->name,
				 multicast ? "multicast" : "broadcast");
	if (multicast) {
		*out = require_family(p, 4, tree_cmp(p, dst, 1, FILTER_GE, 224));
		return 0;
	}
	if (!p->names || !p->names->netmask)
		return tree_fail(p, t, "interface netmask unknown: use 'dst host ADDRESS'");
	hosts = __builtin_bswap32(~p->names->netmask);
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		hosts = ~p->names->netmask;
	*out = require_family(p, 4,
			      tree_or(p, tree_cmp_masked(p, dst, 4, hosts, 0),
				      tree_cmp_masked(p, dst, 4, hosts, hosts)));
	return 0;
}
