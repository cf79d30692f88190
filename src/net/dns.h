/* SPDX-License-Identifier: MIT */
/* Names of DNS (RFC 1035): as messages have them, as text has them, and which is below which. */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/cursor.h"

enum {
	DNS_LABEL_MAX = 63,
	DNS_NAME_MAX = 255, /* bytes, with a length before each label and a zero at the end */
};

/* A way along a name's labels. */
struct dns_walk {
	struct cursor whole;  /* the message: pointers count from its begin */
	struct cursor c;      /* at the next label */
	struct cursor behind; /* where the name ends in the message, once DNS_END is reached */
	size_t bytes;
	int jumps;
};
enum dns_step { DNS_BROKEN, DNS_LABEL, DNS_END };
/* The next label. DNS_BROKEN: cut off, or no name. */
enum dns_step dns_next(struct dns_walk *w, const uint8_t **label, uint8_t *len);
/* Pass a name, without a look behind its pointer. */
bool dns_pass(struct cursor *c);

/* What a message is about: its first question, and how that was answered. */
struct dns_summary {
	uint16_t id, type;  /* of record; 0: there is no question */
	bool response, cut; /* cut: to be asked again over TCP */
	uint8_t rcode;
	char name[4 * DNS_NAME_MAX + 1]; /* with dots; what is not plain is \DDD (RFC 4343) */
	char answers[160]; /* addresses and names, with commas between them; more: "..." */
};
/* False: it is no message of DNS. What is missing at its end is left out. */
bool dns_parse_message(struct dns_summary *says, struct cursor message);
/* "AAAA", "NXDomain"; NULL: it has no name. */
const char *dns_type_name(uint16_t type);
const char *dns_rcode_name(uint8_t rcode);

/* Labels in lower case, each behind its length, without the root's zero. */
struct dns_name {
	uint8_t len;
	uint8_t labels[DNS_NAME_MAX];
};

/* Out of text with dots; one at the end does no harm. What is wrong with it, or NULL. */
const char *dns_parse_name(struct dns_name *name, const void *text, size_t len);
/* Whether name is zone, or ends in its labels. */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);
/* Whether a message has a question for zone or a name below it. */
bool dns_message_asks(struct cursor message, const struct dns_name *zone);

#endif
