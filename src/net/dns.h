/* SPDX-License-Identifier: MIT */
/* DNS names and messages (RFC 1035). */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/cursor.h"

enum {
	DNS_LABEL_MAX = 63,
	DNS_NAME_MAX = 255, /* bytes, with the length bytes and the final zero */
};

/* An iterator over the labels of a name in a message. */
struct dns_walk {
	struct cursor message; /* the whole message, which compression pointers refer to */
	struct cursor c;       /* the next label */
	struct cursor after;   /* after the name, set with DNS_END */
	size_t name_len;
	int jumps;
};
enum dns_step { DNS_BROKEN, DNS_LABEL, DNS_END };
/* Gets the next label. DNS_BROKEN: truncated or not a valid name. */
enum dns_step dns_next_label(struct dns_walk *w, const uint8_t **label, uint8_t *len);
/* Skips a name; does not follow or check its compression pointer. Returns false if it is
 * invalid. */
bool dns_skip_name(struct cursor *c);

/* A message's first question and the answers to it. */
struct dns_summary {
	uint16_t id, type;        /* type of the question; 0: no question */
	bool response, truncated; /* truncated: the TC bit */
	uint8_t rcode;
	char name[4 * DNS_NAME_MAX + 1]; /* with dots; other bytes as \DDD (RFC 4343) */
	char answers[160];               /* separated by ", "; "..." if there are more */
};
/* Parses a message. Returns false if it is not DNS. Records that are cut off at its end are left
 * out. */
bool dns_parse_message(struct dns_summary *msg, struct cursor message);
/* Names such as "AAAA" and "NXDomain"; NULL: unknown. */
const char *dns_type_name(uint16_t type);
const char *dns_rcode_name(uint8_t rcode);

/* A name in lower case: labels with a length byte before each, without the final zero. */
struct dns_name {
	uint8_t len;
	uint8_t labels[DNS_NAME_MAX];
};

/* Parses a name with dots; a final dot is allowed. Returns NULL, or the error message. */
const char *dns_parse_name(struct dns_name *name, const void *text, size_t len);
/* Returns true if name is equal to zone or below it. */
bool dns_name_within(const struct dns_name *name, const struct dns_name *zone);
/* Returns true if a message has a question for zone or a name below it. */
bool dns_message_asks(struct cursor message, const struct dns_name *zone);

#endif
