/* SPDX-License-Identifier: MIT */
/* Sets of addresses: read, sorted byte by byte, and merged. */
#include "filter/set.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/grow.h"

enum { PREFIX_MIN = 5, PREFIX_MAX = 17, TEXT_MAX = 64 };

/* A line without its end and comment, and where it stands. */
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

static int wrong(const struct line *l, const char *at, struct diag *diag, const char *words)
{
	snprintf(diag->msg, sizeof(diag->msg), "%zu:%zu: %s", l->number,
		 (size_t)(at - l->begin) + 1, words);
	return -EINVAL;
}

/* Decimal, to max; what ends it is left. False: no number. */
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

static bool bits_behind(const uint8_t *bytes, size_t len, unsigned int bits)
{
	for (size_t i = bits / 8; i < len; i++)
		if (bytes[i] & (i == bits / 8 ? 0xff >> bits % 8 : 0xff))
			return true;
	return false;
}

static int add(struct set_prefixes *p, const uint8_t *prefix, size_t width)
{
	uint8_t *at = array_grow(p->at, p->n, &p->room, width);

	if (!at)
		return -ENOMEM;
	p->at = at;
	memcpy(at + p->n++ * width, prefix, width);
	return 0;
}

/* The address or prefix that l is at. */
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
			return wrong(l, word, diag, "no IPv4 or IPv6 address");
	}
	len = set_address(family);
	bits = (unsigned int)len * 8;
	if (slash < end) {
		slash++;
		if (!read_number(&slash, end, bits, &bits) || slash < end)
			return wrong(l, slash, diag,
				     family == SET_IPV4 ? "a prefix length is a number to 32"
							: "a prefix length is a number to 128");
	}
	if (bits_behind(prefix, len, bits))
		return wrong(l, word, diag, "there are bits behind the network's mask");
	prefix[len] = (uint8_t)bits;
	return add(&s->of[family], prefix, len + 1);
}

static int read_line(struct filter_set *s, struct line *l, struct diag *diag)
{
	int rc;

	skip_space(l);
	if (l->at == l->end)
		return 0;
	rc = read_prefix(s, l, diag);
	skip_space(l);
	return !rc && l->at < l->end ? wrong(l, l->at, diag, "one address or prefix a line") : rc;
}

/* Inlined with a width that is known, or each of the few bytes is a call. */
static inline __attribute__((always_inline)) void
scatter(const uint8_t *from, uint8_t *to, size_t n, size_t width, size_t byte, size_t places[256])
{
	for (size_t i = 0; i < n; i++, from += width)
		memcpy(to + places[from[byte]]++ * width, from, width);
}

/* One pass of a radix sort, by one byte of each. False: they all have the same. */
static bool sort_by(const uint8_t *from, uint8_t *to, size_t n, size_t width, size_t byte)
{
	size_t places[256] = { 0 }, place = 0;

	for (size_t i = 0; i < n; i++)
		places[from[i * width + byte]]++;
	if (places[from[byte]] == n)
		return false;
	for (int i = 0; i < 256; i++) {
		size_t here = places[i];

		places[i] = place;
		place += here;
	}
	if (width == PREFIX_MAX)
		scatter(from, to, n, PREFIX_MAX, byte, places);
	else
		scatter(from, to, n, PREFIX_MIN, byte, places);
	return true;
}

static bool sorted(const struct set_prefixes *p, size_t width)
{
	for (size_t i = 1; i < p->n; i++)
		if (memcmp(p->at + (i - 1) * width, p->at + i * width, width) > 0)
			return false;
	return true;
}

/* By address; of the same one the shortest prefix first. */
static int sort(struct set_prefixes *p, size_t width)
{
	uint8_t *other;

	if (sorted(p, width))
		return 0;
	other = malloc(p->n * width);
	if (!other)
		return -ENOMEM;
	for (size_t byte = width; byte-- > 0;) {
		uint8_t *from = p->at;

		if (!sort_by(from, other, p->n, width, byte))
			continue;
		p->at = other;
		other = from;
		p->room = p->n;
	}
	free(other);
	return 0;
}

/* Whether the first bits of both are the same. */
static bool alike(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	return !memcmp(a, b, bits / 8) &&
	       (!(bits % 8) || !((a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8)));
}

/* What is within another goes, and two halves become their whole. */
static void merge(struct set_prefixes *p, size_t width)
{
	size_t bits = width - 1, n = p->n ? 1 : 0;

	for (size_t i = 1; i < p->n; i++) {
		uint8_t *last = p->at + n * width, *before;

		if (alike(last - width, p->at + i * width, last[-1]))
			continue;
		memmove(last, p->at + i * width, width);
		for (n++; n > 1; n--) {
			last = p->at + (n - 1) * width;
			before = last - width;
			if (!last[bits] || before[bits] != last[bits] ||
			    !alike(before, last, last[bits] - 1u))
				break;
			before[bits]--;
		}
	}
	p->n = n;
}

/* s gets what is in other, if that is to be; other is closed. */
static void replace(struct filter_set *s, struct filter_set *other, bool taken)
{
	for (int i = 0; i < SET_FAMILIES && taken; i++) {
		struct set_prefixes before = s->of[i];

		s->of[i] = other->of[i];
		other->of[i] = before;
	}
	set_close(other);
}

int set_settle(struct filter_set *s)
{
	for (int i = 0; i < SET_FAMILIES; i++) {
		size_t width = set_address((enum set_family)i) + 1;

		if (sort(&s->of[i], width))
			return -ENOMEM;
		merge(&s->of[i], width);
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
	return set_settle(s);
}

int set_add(struct filter_set *s, const char *text, size_t len, struct diag *diag)
{
	struct filter_set more = { 0 };
	int rc = set_parse(&more, text, len, diag);

	for (int i = 0; i < SET_FAMILIES && !rc; i++) {
		size_t width = set_address((enum set_family)i) + 1;
		const struct set_prefixes *from = &s->of[i];

		for (size_t k = 0; k < from->n && !rc; k++)
			rc = add(&more.of[i], from->at + k * width, width);
	}
	if (!rc)
		rc = set_settle(&more);
	replace(s, &more, !rc);
	return rc;
}

static bool covers(const uint8_t *outer, const uint8_t *inner, size_t width)
{
	return outer[width - 1] <= inner[width - 1] && alike(outer, inner, outer[width - 1]);
}

/* What of a prefix is left without those in less, of which *at is the first that may concern it:
 * prefixes come in order. */
static int subtract(const uint8_t *prefix, const struct set_prefixes *less, size_t *at,
		    size_t width, struct set_prefixes *left)
{
	unsigned int bits = prefix[width - 1];
	const uint8_t *gone = NULL;
	uint8_t half[PREFIX_MAX];
	int rc;

	for (; *at < less->n; (*at)++) {
		gone = less->at + *at * width;
		if (memcmp(gone, prefix, width - 1) >= 0 || covers(gone, prefix, width))
			break;
	}
	if (*at < less->n && covers(gone, prefix, width))
		return 0;
	if (*at == less->n || !covers(prefix, gone, width))
		return add(left, prefix, width);
	memcpy(half, prefix, width);
	half[width - 1]++;
	rc = subtract(half, less, at, width, left);
	half[bits / 8] |= (uint8_t)(0x80 >> bits % 8);
	return rc ? rc : subtract(half, less, at, width, left);
}

int set_remove(struct filter_set *s, const char *text, size_t len, struct diag *diag)
{
	struct filter_set less = { 0 }, left = { 0 };
	int rc = set_parse(&less, text, len, diag);

	for (int i = 0; i < SET_FAMILIES && !rc; i++) {
		size_t width = set_address((enum set_family)i) + 1, at = 0;

		for (size_t k = 0; k < s->of[i].n && !rc; k++)
			rc = subtract(s->of[i].at + k * width, &less.of[i], &at, width,
				      &left.of[i]);
	}
	set_close(&less);
	replace(s, &left, !rc);
	return rc;
}

bool set_has(const struct filter_set *s, uint8_t addrs, const uint8_t *addr)
{
	enum set_family family = addrs == 4 ? SET_IPV4 : SET_IPV6;
	size_t len = set_address(family), low = 0, high = s->of[family].n;
	const uint8_t *prefix;

	if (addrs != 4 && addrs != 6)
		return false;
	/* The last prefix that begins at or before it is the only one that it can be in. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(set_prefix(s, family, middle), addr, len) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	prefix = set_prefix(s, family, low - 1);
	return alike(prefix, addr, prefix[len]);
}

int set_copy(struct filter_set *to, const struct filter_set *s)
{
	struct filter_set got = { 0 };

	for (int family = 0; family < SET_FAMILIES; family++) {
		size_t size = s->of[family].n * (set_address((enum set_family)family) + 1);

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
			const uint8_t *prefix = set_prefix(s, (enum set_family)family, i);
			size_t len = set_address((enum set_family)family);
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
