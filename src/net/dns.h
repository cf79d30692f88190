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

/* Labels in lower case, each behind its length, without the root's zero. */
struct dns_name {
	uint8_t len;
	uint8_t labels[DNS_NAME_MAX];
};

/* Out of text with dots; one at the end does no harm. What is wrong with it, or NULL. */
const char *dns_name_of(struct dns_name *name, const void *text, size_t len);
/* Whether name is zone, or ends in its labels. */
bool dns_within(const struct dns_name *name, const struct dns_name *zone);
/* Whether a message has a question for zone or a name below it. */
bool dns_asks(struct cursor message, const struct dns_name *zone);

#endif
