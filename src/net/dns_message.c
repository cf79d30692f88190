/* SPDX-License-Identifier: MIT */
/* Summary of a DNS message (RFC 1035, 4.1). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include "net/dns.h"

enum {
	HEADER_LEN = 12,
	RECORDS_MAX = 32,
	TYPE_A = 1,
	TYPE_CNAME = 5,
	TYPE_PTR = 12,
	TYPE_AAAA = 28,
};

/* Reads a name as text with dots. Returns false if it is invalid. */
static bool read_name(struct cursor message, struct cursor *c, char *text, size_t len)
{
	struct dns_walk w = { .message = message, .c = *c };
	const uint8_t *label;
	enum dns_step step;
	uint8_t n;
	size_t at = 0;

	while ((step = dns_next_label(&w, &label, &n)) == DNS_LABEL) {
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
	*c = w.after;
	return step == DNS_END;
}

static void append_answer(struct dns_summary *msg, const char *word)
{
	size_t len = strlen(msg->answers), room = sizeof(msg->answers) - sizeof(", ...");

	if (len > room)
		return;
	if (len + strlen(word) + 2 > room)
		word = "...";
	snprintf(msg->answers + len, sizeof(msg->answers) - len, "%s%s", len ? ", " : "", word);
}

static bool read_answer(struct dns_summary *msg, struct cursor message, struct cursor *c)
{
	char text[4 * DNS_NAME_MAX + 1];
	struct cursor data;
	uint16_t type;

	if (!dns_skip_name(c))
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
	append_answer(msg, text);
	return true;
}

bool dns_parse_message(struct dns_summary *msg, struct cursor message)
{
	struct cursor c = message;
	const uint8_t *header = cursor_take(&c, HEADER_LEN);
	unsigned int questions, answers;

	*msg = (struct dns_summary){ 0 };
	if (!header)
		return false;
	msg->id = be16_at(header);
	msg->response = header[2] & 0x80;
	msg->truncated = header[2] & 2;
	msg->rcode = header[3] & 15;
	questions = be16_at(header + 4);
	/* A message without a question is DNS only if it is an error response. */
	if (!questions && !(msg->response && msg->rcode))
		return false;
	answers = be16_at(header + 6);
	for (unsigned int i = 0; i < questions && i < RECORDS_MAX; i++) {
		char other[2];

		if (!read_name(message, &c, i ? other : msg->name,
			       i ? sizeof(other) : sizeof(msg->name)))
			return false;
		if (!i)
			msg->type = cursor_be16(&c);
		cursor_skip(&c, i ? 4 : 2);
	}
	for (unsigned int i = 0; i < answers && i < RECORDS_MAX; i++)
		if (!read_answer(msg, message, &c))
			break;
	return true;
}
