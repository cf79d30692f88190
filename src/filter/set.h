/* SPDX-License-Identifier: MIT */
/* Sets of addresses: any number of prefixes, read from a text and merged. */
#ifndef FILTER_SET_H
#define FILTER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"

enum set_family { SET_IPV4, SET_IPV6, SET_FAMILIES };

/* An array of prefixes: each is the address's bytes, then one byte with the prefix length. Sorted,
 * and none is within another. */
struct set_prefixes {
	uint8_t *at;
	size_t n, room;
};

/* Zeroed: empty; may be closed. */
struct filter_set {
	char *name; /* the file's name as the filter has it */
	struct set_prefixes of[SET_FAMILIES];
};

/* Length of an address in bytes. */
static inline size_t set_addr_len(enum set_family family)
{
	return family == SET_IPV4 ? 4 : 16;
}

/* Returns the i-th prefix of a family. */
static inline const uint8_t *set_prefix_at(const struct filter_set *s, enum set_family family,
					   size_t i)
{
	return s->of[family].at + i * (set_addr_len(family) + 1);
}

/* Adds the prefixes of a text: one address or prefix per line, comments after '#'. Returns 0,
 * -ENOMEM, or -EINVAL with diag->msg "LINE:COLUMN: MESSAGE". After a failure the caller closes the
 * set. */
int set_parse(struct filter_set *s, const char *text, size_t len, struct diag *diag);
/* Normalizes a set to which prefixes were appended: sorts them and merges them into as few as
 * possible. Returns 0 or -ENOMEM. */
int set_normalize(struct filter_set *s);
/* Add the addresses of such a text to a set, or remove them: a prefix is split if a part of it is
 * removed. Errors are those of set_parse(); the set is unchanged then. */
int set_add(struct filter_set *s, const char *text, size_t len, struct diag *diag);
int set_remove(struct filter_set *s, const char *text, size_t len, struct diag *diag);
/* Returns true if the set has an address. addrs: its family as in struct view, 4 or 6; other ones
 * are in no set. */
bool set_contains(const struct filter_set *s, uint8_t addrs, const uint8_t *addr);
/* Copies a set without its name. Returns 0 or -ENOMEM. */
int set_copy(struct filter_set *to, const struct filter_set *s);
/* Appends the set as a text that set_parse() reads, one prefix per line. */
void set_print(const struct filter_set *s, struct buf *out);
void set_close(struct filter_set *s);

#endif
