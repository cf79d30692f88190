/* SPDX-License-Identifier: MIT */
/* Reads sets of addresses, sorts them byte by byte, and merges neighbours. */
#include "filter/set.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"

enum { PREFIX_MIN = 5, PREFIX_MAX = 17, TEXT_MAX = 64 };

/* What is left of a line, without its comment; begin is the line's start. */
struct line {
	const char *at, *end;
	const char *begin;
	size_t number;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_space(struct line *l)
{
	while (l->at < l->end && is_space(*l->at))
		l->at++;
}

static int fail_at(const struct line *l, const char *at, struct diag *diag, const char *words)
{
	snprintf(diag->msg, sizeof(diag->msg), "%zu:%zu: %s", l->number,
		 (size_t)(at - l->begin) + 1, words);
	return -EINVAL;
}

/* Reads a decimal number up to max, of at most 3 digits. *at: after it. Returns false if there is
 * no such number. */
static bool read_number(const char **at, const char *end, unsigned int max, unsigned int *value)
{
	const char *s = *at;

	*value = 0;
	while (s < end && *s >= '0' && *s <= '9' && s - *at < 3)
		*value = *value * 10 + (unsigned int)(*s++ - '0');
	if (s == *at || *value > max)
		return false;
	*at = s;
	return true;
}

static bool read_ipv4(const char *s, const char *end, uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		unsigned int value;

		if ((i && (s == end || *s++ != '.')) || !read_number(&s, end, 255, &value))
			return false;
		bytes[i] = (uint8_t)value;
	}
	return s == end;
}

static bool read_ipv6(const char *s, const char *end, uint8_t *bytes)
{
	size_t len = (size_t)(end - s);
	char copy[TEXT_MAX];

	if (len >= sizeof(copy) || memchr(s, '\0', len))
		return false;
	memcpy(copy, s, len);
	copy[len] = '\0';
	return inet_pton(AF_INET6, copy, bytes) == 1;
}

static bool has_host_bits(const uint8_t *bytes, size_t len, unsigned int bits)
{
	for (size_t i = bits / 8; i < len; i++)
		if (bytes[i] & (i == bits / 8 ? 0xff >> bits % 8 : 0xff))
			return true;
	return false;
}

static int add_prefix(struct set_prefixes *p, const uint8_t *prefix, size_t width)
{
	uint8_t *at = array_grow(p->at, p->n, &p->room, width);

	if (!at)
		return -ENOMEM;
	p->at = at;
	memcpy(at + p->n++ * width, prefix, width);
	return 0;
}

/* Reads the address or prefix at l->at. */
static int read_prefix(struct filter_set *s, struct line *l, struct diag *diag)
{
	const char *word = l->at, *end = word, *slash;
	enum set_family family = SET_IPV4;
	uint8_t prefix[PREFIX_MAX];
	unsigned int bits;
	size_t len;

	while (end < l->end && !is_space(*end))
		end++;
	l->at = end;
	slash = memchr(word, '/', (size_t)(end - word));
	if (!slash)
		slash = end;
	if (!read_ipv4(word, slash, prefix)) {
		family = SET_IPV6;
		if (!read_ipv6(word, slash, prefix))
			return fail_at(l, word, diag, "expected an IPv4 or IPv6 address");
	}
	len = set_addr_len(family);
	bits = (unsigned int)len * 8;
	if (slash < end) {
		slash++;
		if (!read_number(&slash, end, bits, &bits) || slash < end)
			return fail_at(l, slash, diag,
				       family == SET_IPV4
					       ? "expected a prefix length from 0 to 32"
					       : "expected a prefix length from 0 to 128");
	}
	if (has_host_bits(prefix, len, bits))
		return fail_at(l, word, diag, "address bits set outside the network mask");
	prefix[len] = (uint8_t)bits;
	return add_prefix(&s->of[family], prefix, len + 1);
}

static int read_line(struct filter_set *s, struct line *l, struct diag *diag)
{
	int rc;

	skip_space(l);
	if (l->at == l->end)
		return 0;
	rc = read_prefix(s, l, diag);
	skip_space(l);
	return !rc && l->at < l->end
		       ? fail_at(l, l->at, diag, "expected one address or prefix per line")
		       : rc;
}

/* Inlined with a constant width: otherwise each copy of a few bytes is a call of memcpy(). */
static inline __attribute__((always_inline)) void scatter_prefixes(const uint8_t *from, uint8_t *to,
								   size_t n, size_t width,
								   size_t byte,
								   size_t positions[256])
{
	for (size_t i = 0; i < n; i++, from += width)
		memcpy(to + positions[from[byte]]++ * width, from, width);
}

/* Makes one pass of a radix sort, by one byte. Returns false if all have the same byte; then
 * nothing was copied. */
static bool sort_by_byte(const uint8_t *from, uint8_t *to, size_t n, size_t width, size_t byte)
{
	size_t positions[256] = { 0 }, position = 0;

	for (size_t i = 0; i < n; i++)
		positions[from[i * width + byte]]++;
	if (positions[from[byte]] == n)
		return false;
	for (int i = 0; i < 256; i++) {
		size_t here = positions[i];

		positions[i] = position;
		position += here;
	}
	if (width == PREFIX_MAX)
		scatter_prefixes(from, to, n, PREFIX_MAX, byte, positions);
	else
		scatter_prefixes(from, to, n, PREFIX_MIN, byte, positions);
	return true;
}

static bool is_sorted(const struct set_prefixes *p, size_t width)
{
	for (size_t i = 1; i < p->n; i++)
		if (memcmp(p->at + (i - 1) * width, p->at + i * width, width) > 0)
			return false;
	return true;
}

/* Sorts by address, and prefixes of the same address by length. */
static int sort_prefixes(struct set_prefixes *p, size_t width)
{
	uint8_t *other;

	if (is_sorted(p, width))
		return 0;
	other = malloc(p->n * width);
	if (!other)
		return -ENOMEM;
	for (size_t byte = width; byte-- > 0;) {
		uint8_t *from = p->at;

		if (!sort_by_byte(from, other, p->n, width, byte))
			continue;
		p->at = other;
		other = from;
		p->room = p->n;
	}
	free(other);
	return 0;
}

/* Returns true if both start with the same `bits` bits. */
static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	return !memcmp(a, b, bits / 8) &&
	       (!(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)));
}

/* Drops prefixes that are within others, and merges two halves of a prefix into it. */
static void merge_prefixes(struct set_prefixes *p, size_t width)
{
	size_t bits = width - 1, n = p->n ? 1 : 0;

	for (size_t i = 1; i < p->n; i++) {
		uint8_t *last = p->at + n * width, *before;

		if (same_bits(last - width, p->at + i * width, last[-1]))
			continue;
		memmove(last, p->at + i * width, width);
		for (n++; n > 1; n--) {
			last = p->at + (n - 1) * width;
			before = last - width;
			if (!last[bits] || before[bits] != last[bits] ||
			    !same_bits(before, last, last[bits] - 1u))
				break;
			before[bits]--;
		}
	}
	p->n = n;
}

/* Gives s the prefixes of other if do_replace. Closes other. */
static void replace_prefixes(struct filter_set *s, struct filter_set *other, bool do_replace)
{
	for (int i = 0; i < SET_FAMILIES && do_replace; i++) {
		struct set_prefixes before = s->of[i];

		s->of[i] = other->of[i];
		other->of[i] = before;
	}
	set_close(other);
}

int set_normalize(struct filter_set *s)
{
	for (int i = 0; i < SET_FAMILIES; i++) {
		size_t width = set_addr_len((enum set_family)i) + 1;

		if (sort_prefixes(&s->of[i], width))
			return -ENOMEM;
		merge_prefixes(&s->of[i], width);
	}
	return 0;
}

int set_parse(struct filter_set *s, const char *text, size_t len, struct diag *diag)
{
	const char *end = len ? text + len : text;
	size_t number = 0;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text)), *comment;
		struct line l = { .at = text, .begin = text, .number = ++number };
		int rc;

		l.end = next ? next : end;
		comment = memchr(text, '#', (size_t)(l.end - text));
		if (comment)
			l.end = comment;
		rc = read_line(s, &l, diag);
		if (rc)
			return rc;
		text = next ? next + 1 : end;
	}
	return set_normalize(s);
}

int set_add(struct filter_set *s, const char *text, size_t len, struct diag *diag)
{
	struct filter_set more = { 0 };
	int rc = set_parse(&more, text, len, diag);

	for (int i = 0; i < SET_FAMILIES && !rc; i++) {
		size_t width = set_addr_len((enum set_family)i) + 1;
		const struct set_prefixes *from = &s->of[i];

		for (size_t k = 0; k < from->n && !rc; k++)
			rc = add_prefix(&more.of[i], from->at + k * width, width);
	}
	if (!rc)
		rc = set_normalize(&more);
	replace_prefixes(s, &more, !rc);
	return rc;
}

static bool contains_prefix(const uint8_t *outer, const uint8_t *inner, size_t width)
{
	return outer[width - 1] <= inner[width - 1] && same_bits(outer, inner, outer[width - 1]);
}

/* Adds to left the parts of a prefix that are not in less. *at: the first prefix in less that may
 * overlap; callers go through prefixes in order. */
static int subtract_prefixes(const uint8_t *prefix, const struct set_prefixes *less, size_t *at,
			     size_t width, struct set_prefixes *left)
{
	unsigned int bits = prefix[width - 1];
	const uint8_t *removed = NULL;
	uint8_t half[PREFIX_MAX];
	int rc;

	for (; *at < less->n; (*at)++) {
		removed = less->at + *at * width;
		if (memcmp(removed, prefix, width - 1) >= 0 ||
		    contains_prefix(removed, prefix, width))
			break;
	}
	if (*at < less->n && contains_prefix(removed, prefix, width))
		return 0;
	if (*at == less->n || !contains_prefix(prefix, removed, width))
		return add_prefix(left, prefix, width);
	memcpy(half, prefix, width);
	half[width - 1]++;
	rc = subtract_prefixes(half, less, at, width, left);
	half[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
	return rc ? rc : subtract_prefixes(half, less, at, width, left);
}

int set_remove(struct filter_set *s, const char *text, size_t len, struct diag *diag)
{
	struct filter_set less = { 0 }, left = { 0 };
	int rc = set_parse(&less, text, len, diag);

	for (int i = 0; i < SET_FAMILIES && !rc; i++) {
		size_t width = set_addr_len((enum set_family)i) + 1, at = 0;

		for (size_t k = 0; k < s->of[i].n && !rc; k++)
			rc = subtract_prefixes(s->of[i].at + k * width, &less.of[i], &at, width,
					       &left.of[i]);
	}
	set_close(&less);
	replace_prefixes(s, &left, !rc);
	return rc;
}

bool set_contains(const struct filter_set *s, uint8_t addrs, const uint8_t *addr)
{
	enum set_family family = addrs == 4 ? SET_IPV4 : SET_IPV6;
	size_t len = set_addr_len(family), low = 0, high = s->of[family].n;
	const uint8_t *prefix;

	if (addrs != 4 && addrs != 6)
		return false;
	/* Only the last prefix that starts at or before the address can contain it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(set_prefix_at(s, family, middle), addr, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	prefix = set_prefix_at(s, family, low - 1);
	return same_bits(prefix, addr, prefix[len]);
}

int set_copy(struct filter_set *to, const struct filter_set *s)
{
	struct filter_set got = { 0 };

	for (int family = 0; family < SET_FAMILIES; family++) {
		size_t size = s->of[family].n * (set_addr_len((enum set_family)family) + 1);

		if (!size)
			continue;
		got.of[family].at = malloc(size);
		if (!got.of[family].at) {
			set_close(&got);
			return -ENOMEM;
		}
		memcpy(got.of[family].at, s->of[family].at, size);
		got.of[family].n = got.of[family].room = s->of[family].n;
	}
	*to = got;
	return 0;
}

void set_print(const struct filter_set *s, struct buf *out)
{
	for (int family = 0; family < SET_FAMILIES; family++)
		for (size_t i = 0; i < s->of[family].n; i++) {
			const uint8_t *prefix = set_prefix_at(s, (enum set_family)family, i);
			size_t len = set_addr_len((enum set_family)family);
			char text[INET6_ADDRSTRLEN];

			inet_ntop(family == SET_IPV4 ? AF_INET : AF_INET6, prefix, text,
				  sizeof(text));
			buf_str(out, text);
			if (prefix[len] < len * 8)
				buf_printf(out, "/%u", prefix[len]);
			buf_char(out, '\n');
		}
}

void set_close(struct filter_set *s)
{
	free(s->name);
	for (int i = 0; i < SET_FAMILIES; i++)
		free(s->of[i].at);
	*s = (struct filter_set){ 0 };
}
