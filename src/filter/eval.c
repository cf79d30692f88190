/* SPDX-License-Identifier: MIT */
/* A filter judged in user space: for files, and as the other opinion on what is emitted as BPF. */
#include <linux/in.h>
#include <string.h>
#include "base/cursor.h"
#include "filter/filter.h"
#include "net/tls.h"

struct judge {
	const struct filter_node *nodes;
	const struct filter *filter;
	const struct view *view;
	const struct view *views;
	const uint8_t *data;
	uint32_t caplen;
	bool reject; /* something asked for is not there: no match, whatever is said around it */
	/* Of filter_recheck(). */
	bool again;
	bool negative; /* within an odd number of nots */
	bool guessed;  /* something was taken for what the kernel may have found */
	bool maybe;    /* what was not there was asked for behind a guess */
};

static uint64_t load(const struct view *v, uint16_t field, uint8_t size)
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

static bool compare(uint64_t a, uint64_t b, uint8_t cmp)
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

static uint32_t reject(struct judge *j)
{
	j->reject = true;
	j->maybe = j->guessed;
	return 0;
}

static uint32_t byte(struct judge *j, const struct filter_node *n, uint32_t off)
{
	uint64_t at = load(j->view, n->field, 2) + (uint64_t)off;
	uint32_t value = 0;

	if (at + n->size > j->caplen)
		return reject(j);
	for (int i = 0; i < n->size; i++)
		value = value << 8 | j->data[at + (uint64_t)i];
	return value;
}

static uint32_t calculate(struct judge *j, uint8_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case FILTER_ADD:
		return a + b;
	case FILTER_SUB:
		return a - b;
	case FILTER_MUL:
		return a * b;
	case FILTER_DIV:
		return b ? a / b : reject(j);
	case FILTER_MOD:
		return b ? a % b : reject(j);
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

static uint32_t number(struct judge *j, uint32_t at)
{
	const struct filter_node *n = &j->nodes[at];
	uint32_t a;

	if (j->reject)
		return 0;
	switch (n->op) {
	case FILTER_NUM:
		return (uint32_t)n->value;
	case FILTER_LOAD:
		return (uint32_t)load(j->view, n->field, n->size);
	case FILTER_BYTE:
		return byte(j, n, number(j, n->a));
	case FILTER_NEG:
		return -number(j, n->a);
	default:
		a = number(j, n->a);
		return calculate(j, n->op, a, number(j, n->b));
	}
}

/* What a packet does not say: who owns it, where it came by, what became of it. */
static bool beside_packet(uint16_t field)
{
	return field == offsetof(struct view, ifindex) || field == offsetof(struct view, verdict) ||
	       field >= offsetof(struct view, cgroup);
}

static bool field(struct judge *j, const struct filter_node *n)
{
	if (j->again && beside_packet(n->field)) {
		j->guessed = true;
		return !j->negative;
	}
	return compare(load(j->view, n->field, n->size) & n->mask, n->value, n->cmp);
}

/* The bytes at the payload. */
static struct cursor payload(const struct judge *j)
{
	struct cursor c = cursor_of(j->data, j->caplen);

	cursor_skip(&c, j->view->payload);
	return c;
}

static bool asks(const struct judge *j, const struct dns_name *zone)
{
	struct cursor c = payload(j), message;
	uint16_t len;

	if (j->view->proto != IPPROTO_TCP) {
		struct cursor udp = cursor_of(j->data, j->caplen);

		cursor_skip(&udp, j->view->trans + 4u);
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

static bool names_server(const struct judge *j, const struct dns_name *zone)
{
	struct cursor c = payload(j), text;
	const uint8_t *h = cursor_take(&c, TLS_HEADERS_LEN);
	struct dns_name name;

	return h && h[0] == TLS_HANDSHAKE && h[1] == 3 && h[5] == TLS_CLIENT_HELLO &&
	       tls_find_server_name(c, &text) == TLS_NAMED &&
	       !dns_parse_name(&name, text.at, text.left) && dns_name_within(&name, zone);
}

static bool judge(struct judge *j, uint32_t at)
{
	const struct filter_node *n = &j->nodes[at];
	const struct view *outer = j->view;
	uint32_t a;
	bool yes;

	switch (n->op) {
	case FILTER_TRUE:
		return true;
	case FILTER_NOT:
		j->negative = !j->negative;
		yes = !judge(j, n->a);
		j->negative = !j->negative;
		return yes;
	case FILTER_AND:
		return judge(j, n->a) && !j->reject && judge(j, n->b);
	case FILTER_OR:
		return judge(j, n->a) || (!j->reject && judge(j, n->b));
	case FILTER_FIELD:
		return field(j, n);
	case FILTER_REL:
		a = number(j, n->a);
		return compare(a, number(j, n->b), n->cmp);
	case FILTER_INNER:
		if (j->view != j->views || !(j->views[1].type || j->views[1].family))
			return false;
		j->view = &j->views[1];
		yes = judge(j, n->a);
		j->view = outer;
		return yes;
	case FILTER_SET:
		return set_has(&j->filter->sets[n->value], j->view->addrs,
			       (const uint8_t *)j->view + n->field);
	case FILTER_DNS:
		return asks(j, &j->filter->names[n->value]);
	case FILTER_SNI:
		return names_server(j, &j->filter->names[n->value]);
	default:
		return false;
	}
}

static struct judge judge_of(const struct filter *f, const struct filter_packet *p)
{
	return (struct judge){ .filter = f,
			       .nodes = f->nodes,
			       .view = p->views,
			       .views = p->views,
			       .data = p->data,
			       .caplen = p->caplen };
}

bool filter_match(const struct filter *f, const struct filter_packet *p)
{
	struct judge j = judge_of(f, p);

	if (!f->nodes)
		return true;
	return judge(&j, f->root) && !j.reject;
}

bool filter_recheck(const struct filter *f, const struct filter_packet *p)
{
	struct judge j = judge_of(f, p);
	bool yes;

	if (!f->nodes)
		return true;
	j.again = true;
	yes = judge(&j, f->root);
	return j.reject ? j.maybe : yes;
}
