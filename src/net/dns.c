/* SPDX-License-Identifier: MIT */
/* DNS names, label by label. */
#include "net/dns.h"
#include <string.h>

/* Pointers must lead backwards, so a chain of them ends. */
enum { JUMPS_MAX = 64, QUESTIONS_MAX = 64 };

static bool is_pointer(uint8_t len)
{
	return (len & 0xc0) == 0xc0;
}

/* Follows the pointer at w->c. It must lead to an earlier offset. */
static bool follow_pointer(struct dns_walk *w)
{
	size_t from = (size_t)(w->c.at - w->message.at);
	const uint8_t *p = cursor_take(&w->c, 2);
	size_t to = p ? be16_at(p) & 0x3fff : from;

	if (to >= from)
		return false;
	w->c = w->message;
	return cursor_skip(&w->c, to);
}

enum dns_step dns_next_label(struct dns_walk *w, const uint8_t **label, uint8_t *len)
{
	while (w->name_len <= DNS_NAME_MAX && w->c.left) {
		*len = *w->c.at;
		if (is_pointer(*len)) {
			if (!w->jumps) {
				w->after = w->c;
				cursor_skip(&w->after, 2);
			}
			if (++w->jumps > JUMPS_MAX || !follow_pointer(w))
				break;
			continue;
		}
		cursor_take(&w->c, 1);
		*label = *len > DNS_LABEL_MAX ? NULL : cursor_take(&w->c, *len);
		if (!*label)
			break;
		w->name_len += *len + 1u;
		if (*len)
			return DNS_LABEL;
		if (!w->jumps)
			w->after = w->c;
		return DNS_END;
	}
	return DNS_BROKEN;
}

bool dns_skip_name(struct cursor *c)
{
	for (size_t name_len = 0; name_len <= DNS_NAME_MAX && c->left;) {
		uint8_t len = *c->at;

		if (is_pointer(len))
			return cursor_skip(c, 2);
		cursor_take(c, 1);
		if (len > DNS_LABEL_MAX || !cursor_skip(c, len))
			return false;
		if (!len)
			return true;
		name_len += len + 1u;
	}
	return false;
}

/* Returns false if the name gets too long. */
static bool append_label(struct dns_name *name, const uint8_t *label, size_t len)
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
			return "empty label in the name";
		if (to - at > DNS_LABEL_MAX)
			return "label longer than 63 bytes";
		if (!append_label(name, at, (size_t)(to - at)))
			return "name longer than 253 bytes";
		at = dot ? dot + 1 : end;
	}
	return name->len ? NULL : "missing name";
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
	size_t at = 0;

	while (name->len - at > zone->len)
		at += name->labels[at] + 1u;
	return name->len - at == zone->len && !memcmp(name->labels + at, zone->labels, zone->len);
}

static bool read_name(struct cursor message, struct cursor *c, struct dns_name *name)
{
	struct dns_walk w = { .message = message, .c = *c };
	const uint8_t *label;
	enum dns_step step;
	uint8_t len;

	name->len = 0;
	while ((step = dns_next_label(&w, &label, &len)) == DNS_LABEL)
		if (!append_label(name, label, len))
			return false;
	*c = w.after;
	return step == DNS_END;
}

bool dns_message_asks(struct cursor message, const struct dns_name *zone)
{
	struct cursor c = message;
	const uint8_t *header = cursor_take(&c, 12); /* RFC 1035, 4.1.1 */
	unsigned int n = header ? be16_at(header + 4) : 0;
	struct dns_name name;

	for (unsigned int i = 0; i < n && i < QUESTIONS_MAX; i++) {
		if (!read_name(message, &c, &name))
			return false;
		if (dns_name_within(&name, zone))
			return true;
		cursor_skip(&c, 4); /* type and class */
	}
	return false;
}
