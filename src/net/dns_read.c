/* SPDX-License-Identifier: MIT */
/* A message of DNS (RFC 1035, 4.1) in a few words. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "net/dns.h"

enum { HEADER = 12, RECORDS_MAX = 32, TYPE_A = 1, TYPE_CNAME = 5, TYPE_PTR = 12, TYPE_AAAA = 28 };

/* A name with dots. False: it is broken. */
static bool read_name(struct cursor message, struct cursor *c, char *text, size_t len)
{
	struct dns_walk w = { .whole = message, .c = *c };
	const uint8_t *label;
	enum dns_step step;
	uint8_t n;
	size_t at = 0;

	while ((step = dns_next(&w, &label, &n)) == DNS_LABEL) {
		if (at && at + 1 < len)
			text[at++] = '.';
		for (int i = 0; i < n && at + 5 < len; i++) {
			if (label[i] > ' ' && label[i] < 0x7f && label[i] != '\\' &&
			    label[i] != '.')
				text[at++] = (char)label[i];
			else
				at += (size_t)snprintf(text + at, 5, "\\%03u", label[i]);
		}
	}
	if (!at && len > 1)
		text[at++] = '.';
	text[at] = '\0';
	*c = w.behind;
	return step == DNS_END;
}

static void add(struct dns_summary *says, const char *word)
{
	size_t have = strlen(says->answers), room = sizeof(says->answers) - sizeof(", ...");

	if (have > room)
		return;
	if (have + strlen(word) + 2 > room)
		word = "...";
	snprintf(says->answers + have, sizeof(says->answers) - have, "%s%s", have ? ", " : "",
		 word);
}

static bool read_answer(struct dns_summary *says, struct cursor message, struct cursor *c)
{
	char text[4 * DNS_NAME_MAX + 1];
	struct cursor data;
	uint16_t type;

	if (!dns_pass(c))
		return false;
	type = cursor_be16(c);
	cursor_skip(c, 6); /* class, time to live */
	data = cursor_sub(c, cursor_be16(c));
	if (data.cut || c->cut)
		return false;
	if (type == TYPE_A && data.left == 4)
		inet_ntop(AF_INET, data.at, text, sizeof(text));
	else if (type == TYPE_AAAA && data.left == 16)
		inet_ntop(AF_INET6, data.at, text, sizeof(text));
	else if ((type != TYPE_CNAME && type != TYPE_PTR) ||
		 !read_name(message, &data, text, sizeof(text)))
		return true;
	add(says, text);
	return true;
}

bool dns_parse_message(struct dns_summary *says, struct cursor message)
{
	struct cursor c = message;
	const uint8_t *h = cursor_take(&c, HEADER);
	unsigned int questions, answers;

	*says = (struct dns_summary){ 0 };
	if (!h)
		return false;
	says->id = be16_at(h);
	says->response = h[2] & 0x80;
	says->cut = h[2] & 2;
	says->rcode = h[3] & 15;
	questions = be16_at(h + 4);
	/* What asks nothing, and answers nothing, is something else. */
	if (!questions && !(says->response && says->rcode))
		return false;
	answers = be16_at(h + 6);
	for (unsigned int i = 0; i < questions && i < RECORDS_MAX; i++) {
		char other[2];

		if (!read_name(message, &c, i ? other : says->name,
			       i ? sizeof(other) : sizeof(says->name)))
			return false;
		if (!i)
			says->type = cursor_be16(&c);
		cursor_skip(&c, i ? 4 : 2);
	}
	for (unsigned int i = 0; i < answers && i < RECORDS_MAX; i++)
		if (!read_answer(says, message, &c))
			break;
	return true;
}
