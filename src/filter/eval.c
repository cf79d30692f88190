/* SPDX-License-Identifier: MIT */
/* Evaluates a filter in user space: for files, and as the reference for the emitted code. */
#include <linux/in.h>
#include <string.h>
#include "base/cursor.h"
#include "filter/filter.h"
#include "net/tls.h"

struct eval {
	const struct filter_node *nodes;
	const struct filter *filter;
	const struct view *view;
	const struct view *views;
	const uint8_t *data;
	uint32_t caplen;
	bool rejected; /* a byte was missing or a divisor 0: the whole filter does not match */
	/* For filter_recheck(): */
	bool recheck;
	bool negated;   /* within an odd number of nots */
	bool assumed;   /* the result of a condition was assumed, as the kernel may have found it */
	bool may_match; /* rejected after an assumption, so that the kernel may have matched */
};

static uint64_t load_field(const struct view *v, uint16_t field, uint8_t size)
{
	const uint8_t *at = (const uint8_t *)v + field;
	uint16_t value2;
	uint32_t value4;
	uint64_t value8;

	switch (size) {
	case 1:
		return *at;
	case 2:
		memcpy(&value2, at, 2);
		return value2;
	case 4:
		memcpy(&value4, at, 4);
		return value4;
	default:
		memcpy(&value8, at, 8);
		return value8;
	}
}

static bool compare_numbers(uint64_t a, uint64_t b, uint8_t cmp)
{
	switch (cmp) {
	case FILTER_EQ:
		return a == b;
	case FILTER_NE:
		return a != b;
	case FILTER_GT:
		return a > b;
	case FILTER_GE:
		return a >= b;
	case FILTER_LT:
		return a < b;
	default:
		return a <= b;
	}
}

static uint32_t reject_packet(struct eval *e)
{
	e->rejected = true;
	e->may_match = e->assumed;
	return 0;
}

static uint32_t eval_packet_bytes(struct eval *e, const struct filter_node *n, uint32_t off)
{
	uint64_t at = load_field(e->view, n->field, 2) + (uint64_t)off;
	uint32_t value = 0;

	if (at + n->size > e->caplen)
		return reject_packet(e);
	for (int i = 0; i < n->size; i++)
		value = value << 8 | e->data[at + (uint64_t)i];
	return value;
}

static uint32_t eval_arith(struct eval *e, uint8_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case FILTER_ADD:
		return a + b;
	case FILTER_SUB:
		return a - b;
	case FILTER_MUL:
		return a * b;
	case FILTER_DIV:
		return b ? a / b : reject_packet(e);
	case FILTER_MOD:
		return b ? a % b : reject_packet(e);
	case FILTER_BAND:
		return a & b;
	case FILTER_BOR:
		return a | b;
	case FILTER_XOR:
		return a ^ b;
	case FILTER_LSH:
		return b < 32 ? a << b : 0;
	default:
		return b < 32 ? a >> b : 0;
	}
}

static uint32_t eval_number(struct eval *e, uint32_t at)
{
	const struct filter_node *n = &e->nodes[at];
	uint32_t a;

	if (e->rejected)
		return 0;
	switch (n->op) {
	case FILTER_NUM:
		return (uint32_t)n->value;
	case FILTER_LOAD:
		return (uint32_t)load_field(e->view, n->field, n->size);
	case FILTER_BYTE:
		return eval_packet_bytes(e, n, eval_number(e, n->a));
	case FILTER_NEG:
		return -eval_number(e, n->a);
	default:
		a = eval_number(e, n->a);
		return eval_arith(e, n->op, a, eval_number(e, n->b));
	}
}

/* Fields that do not come from the packet's bytes: interface, verdict, owner. */
static bool is_metadata(uint16_t field)
{
	return field == offsetof(struct view, ifindex) || field == offsetof(struct view, verdict) ||
	       field >= offsetof(struct view, cgroup);
}

static bool eval_field(struct eval *e, const struct filter_node *n)
{
	if (e->recheck && is_metadata(n->field)) {
		e->assumed = true;
		return !e->negated;
	}
	return compare_numbers(load_field(e->view, n->field, n->size) & n->mask, n->value, n->cmp);
}

static struct cursor payload_cursor(const struct eval *e)
{
	struct cursor c = cursor_of(e->data, e->caplen);

	cursor_skip(&c, e->view->payload);
	return c;
}

static bool matches_dns(const struct eval *e, const struct dns_name *zone)
{
	struct cursor c = payload_cursor(e), message;
	uint16_t len;

	if (e->view->proto != IPPROTO_TCP) {
		struct cursor udp = cursor_of(e->data, e->caplen);

		cursor_skip(&udp, e->view->trans + 4u);
		len = cursor_be16(&udp);
		return dns_message_asks(len > 8 ? cursor_sub(&c, len - 8u) : c, zone);
	}
	while (c.left) {
		len = cursor_be16(&c);
		message = cursor_sub(&c, len);
		if (dns_message_asks(message, zone))
			return true;
	}
	return false;
}

static bool matches_sni(const struct eval *e, const struct dns_name *zone)
{
	struct cursor c = payload_cursor(e), text;
	const uint8_t *h = cursor_take(&c, TLS_HEADERS_LEN);
	struct dns_name name;

	return h && h[0] == TLS_HANDSHAKE && h[1] == 3 && h[5] == TLS_CLIENT_HELLO &&
	       tls_find_server_name(c, &text) == TLS_NAMED &&
	       !dns_parse_name(&name, text.at, text.left) && dns_name_within(&name, zone);
}

static bool eval_bool(struct eval *e, uint32_t at)
{
	const struct filter_node *n = &e->nodes[at];
	const struct view *outer = e->view;
	uint32_t a;
	bool result;

	switch (n->op) {
	case FILTER_TRUE:
		return true;
	case FILTER_NOT:
		e->negated = !e->negated;
		result = !eval_bool(e, n->a);
		e->negated = !e->negated;
		return result;
	case FILTER_AND:
		return eval_bool(e, n->a) && !e->rejected && eval_bool(e, n->b);
	case FILTER_OR:
		return eval_bool(e, n->a) || (!e->rejected && eval_bool(e, n->b));
	case FILTER_FIELD:
		return eval_field(e, n);
	case FILTER_REL:
		a = eval_number(e, n->a);
		return compare_numbers(a, eval_number(e, n->b), n->cmp);
	case FILTER_INNER:
		if (e->view != e->views || !(e->views[1].type || e->views[1].family))
			return false;
		e->view = &e->views[1];
		result = eval_bool(e, n->a);
		e->view = outer;
		return result;
	case FILTER_SET:
		return set_contains(&e->filter->sets[n->value], e->view->addrs,
				    (const uint8_t *)e->view + n->field);
	case FILTER_DNS:
		return matches_dns(e, &e->filter->names[n->value]);
	case FILTER_SNI:
		return matches_sni(e, &e->filter->names[n->value]);
	default:
		return false;
	}
}

static struct eval start_eval(const struct filter *f, const struct filter_packet *p)
{
	return (struct eval){ .filter = f,
			      .nodes = f->nodes,
			      .view = p->views,
			      .views = p->views,
			      .data = p->data,
			      .caplen = p->caplen };
}

bool filter_match(const struct filter *f, const struct filter_packet *p)
{
	struct eval e = start_eval(f, p);

	if (!f->nodes)
		return true;
	return eval_bool(&e, f->root) && !e.rejected;
}

bool filter_recheck(const struct filter *f, const struct filter_packet *p)
{
	struct eval e = start_eval(f, p);
	bool result;

	if (!f->nodes)
		return true;
	e.recheck = true;
	result = eval_bool(&e, f->root);
	return e.rejected ? e.may_match : result;
}
