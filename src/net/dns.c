/* SPDX-License-Identifier: MIT */
/* Names of DNS, label by label. */
#include "net/dns.h"
#include <string.h>

/* Pointers only go back, and so end. */
enum { JUMPS_MAX = 64, QUESTIONS_MAX = 64 };

static bool is_pointer(uint8_t len)
{
	return (len & 0xc0) == 0xc0;
}

/* Where the two bytes at the walk's place lead: only to before them. */
static bool follow(struct dns_walk *w)
{
	size_t from = (size_t)(w->c.at - w->whole.at);
	const uint8_t *p = cursor_take(&w->c, 2);
	size_t to = p ? be16_at(p) & 0x3fff : from;

	if (to >= from)
		return false;
	w->c = w->whole;
	return cursor_skip(&w->c, to);
}

enum dns_step dns_next(struct dns_walk *w, const uint8_t **label, uint8_t *len)
{
	while (w->bytes <= DNS_NAME_MAX && w->c.left) {
		*len = *w->c.at;
		if (is_pointer(*len)) {
			if (!w->jumps) {
				w->behind = w->c;
				cursor_skip(&w->behind, 2);
			}
			if (++w->jumps > JUMPS_MAX || !follow(w))
				break;
			continue;
		}
		cursor_take(&w->c, 1);
		*label = *len > DNS_LABEL_MAX ? NULL : cursor_take(&w->c, *len);
		if (!*label)
			break;
		w->bytes += *len + 1u;
		if (*len)
			return DNS_LABEL;
		if (!w->jumps)
			w->behind = w->c;
		return DNS_END;
	}
	return DNS_BROKEN;
}

bool dns_pass(struct cursor *c)
{
	for (size_t bytes = 0; bytes <= DNS_NAME_MAX && c->left;) {
		uint8_t len = *c->at;

		if (is_pointer(len))
			return cursor_skip(c, 2);
		cursor_take(c, 1);
		if (len > DNS_LABEL_MAX || !cursor_skip(c, len))
			return false;
		if (!len)
			return true;
		bytes += len + 1u;
	}
	return false;
}

/* False: it is too long. */
static bool add(struct dns_name *name, const uint8_t *label, size_t len)
{
	if (name->len + 1 + len + 1 > DNS_NAME_MAX)
		return false;
	name->labels[name->len++] = (uint8_t)len;
	for (size_t i = 0; i < len; i++) {
		bool upper = label[i] >= 'A' && label[i] <= 'Z';

		name->labels[name->len++] = upper ? label[i] | 0x20 : label[i];
	}
	return true;
}

const char *dns_parse_name(struct dns_name *name, const void *text, size_t len)
{
	const uint8_t *at = text, *end = at + len;

	name->len = 0;
	while (at < end) {
		const uint8_t *dot = memchr(at, '.', (size_t)(end - at)), *to = dot ? dot : end;

		if (to == at)
			return "there is an empty label in the name";
		if (to - at > DNS_LABEL_MAX)
			return "a label has 63 bytes at most";
		if (!add(name, at, (size_t)(to - at)))
			return "a name has 253 bytes at most";
		at = dot ? dot + 1 : end;
	}
	return name->len ? NULL : "a name has to be here";
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
	size_t at = 0;

	while (name->len - at > zone->len)
		at += name->labels[at] + 1u;
	return name->len - at == zone->len && !memcmp(name->labels + at, zone->labels, zone->len);
}

static bool take_name(struct cursor message, struct cursor *c, struct dns_name *name)
{
	struct dns_walk w = { .whole = message, .c = *c };
	const uint8_t *label;
	enum dns_step step;
	uint8_t len;

	name->len = 0;
	while ((step = dns_next(&w, &label, &len)) == DNS_LABEL)
		if (!add(name, label, len))
			return false;
	*c = w.behind;
	return step == DNS_END;
}

bool dns_message_asks(struct cursor message, const struct dns_name *zone)
{
	struct cursor c = message;
	const uint8_t *header = cursor_take(&c, 12);
	unsigned int n = header ? be16_at(header + 4) : 0;
	struct dns_name name;

	for (unsigned int i = 0; i < n && i < QUESTIONS_MAX; i++) {
		if (!take_name(message, &c, &name))
			return false;
		if (dns_name_within(&name, zone))
			return true;
		cursor_skip(&c, 4); /* type and class */
	}
	return false;
}
