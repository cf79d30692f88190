/* SPDX-License-Identifier: MIT */
/* Sets of addresses: any number of prefixes out of a text, as few as say the same. */
#ifndef FILTER_SET_H
#define FILTER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"

enum set_family { SET_IPV4, SET_IPV6, SET_FAMILIES };

/* Prefixes one behind the other: the address's bytes, then a byte of how many bits of it count. In
 * order, and none within another. */
struct set_prefixes {
	uint8_t *at;
	size_t n, room;
};

/* Zeroed: empty. */
struct filter_set {
	char *name; /* of the file, as the filter says it */
	struct set_prefixes of[SET_FAMILIES];
};

/* Bytes of an address. */
static inline size_t set_addr_len(enum set_family family)
{
	return family == SET_IPV4 ? 4 : 16;
}

/* The i-th prefix of a family. */
static inline const uint8_t *set_prefix_at(const struct filter_set *s, enum set_family family,
					   size_t i)
{
	return s->of[family].at + i * (set_addr_len(family) + 1);
}

/* Add what a text says: an address or prefix a line, comments behind '#'. 0, -ENOMEM, or -EINVAL
 * with diag->msg "LINE:COLUMN: WORDS". After a failure the set is to be closed. */
int set_parse(struct filter_set *s, const char *text, size_t len, struct diag *diag);
/* Put what was added into order, and into as few prefixes as say the same. 0 or -ENOMEM. */
int set_normalize(struct filter_set *s);
/* The addresses of such a text into a set, or out of it: prefixes are split where a part of them
 * goes. After a failure, which is one of set_parse(), the set is as before. */
int set_add(struct filter_set *s, const char *text, size_t len, struct diag *diag);
int set_remove(struct filter_set *s, const char *text, size_t len, struct diag *diag);
/* addrs: 4 or 6, as in struct view; anything else is in no set. */
bool set_contains(const struct filter_set *s, uint8_t addrs, const uint8_t *addr);
/* *to is a copy, with no name. 0 or -ENOMEM. */
int set_copy(struct filter_set *to, const struct filter_set *s);
/* Append it as a text that set_parse() reads, a prefix a line. */
void set_print(const struct filter_set *s, struct buf *out);
void set_close(struct filter_set *s);

#endif
