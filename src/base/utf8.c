/* SPDX-License-Identifier: MIT */
/* UTF-8 from untrusted input: decoding and width on a terminal. */
#include "base/utf8.h"
#include "base/array.h"

/* Lead bytes, the number of continuation bytes, and the range of the first one: the ranges exclude
 * overlong forms, surrogates and values above U+10FFFF. */
static const struct lead {
	uint8_t from, to, followers, low, high;
} leads[] = {
	{ 0xc2, 0xdf, 1, 0x80, 0xbf }, { 0xe0, 0xe0, 2, 0xa0, 0xbf }, { 0xe1, 0xec, 2, 0x80, 0xbf },
	{ 0xed, 0xed, 2, 0x80, 0x9f }, { 0xee, 0xef, 2, 0x80, 0xbf }, { 0xf0, 0xf0, 3, 0x90, 0xbf },
	{ 0xf1, 0xf3, 3, 0x80, 0xbf }, { 0xf4, 0xf4, 3, 0x80, 0x8f },
};

struct range {
	uint32_t from, to;
};

static const struct range controls[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c },
	{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
};

static const struct range zero_width[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 },   { 0x0591, 0x05bd }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x1ab0, 0x1aff },   { 0x1dc0, 0x1dff }, { 0x200b, 0x200d },
	{ 0x2060, 0x2064 }, { 0x20d0, 0x20ff },   { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
	{ 0xfeff, 0xfeff }, { 0xe0100, 0xe01ef },
};

static const struct range double_width[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },
	{ 0x4e00, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },
	{ 0xfe10, 0xfe19 },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool in_ranges(const struct range *r, size_t n, uint32_t cp)
{
	for (size_t i = 0; i < n; i++)
		if (cp >= r[i].from && cp <= r[i].to)
			return true;
	return false;
}

#define IN_RANGES(table, cp) in_ranges(table, ARRAY_LEN(table), cp)

static const struct lead *find_lead(uint8_t byte)
{
	for (size_t i = 0; i < ARRAY_LEN(leads); i++)
		if (byte >= leads[i].from && byte <= leads[i].to)
			return &leads[i];
	return NULL;
}

size_t utf8_decode(const char *s, size_t n, uint32_t *cp)
{
	const uint8_t *u = (const uint8_t *)s;
	const struct lead *lead;
	uint32_t value;
	size_t i;

	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	*cp = UTF8_BAD;
	lead = find_lead(u[0]);
	if (!lead)
		return 1;
	value = u[0] & (0x3fU >> lead->followers);
	for (i = 1; i <= lead->followers; i++) {
		uint8_t low = i == 1 ? lead->low : 0x80, high = i == 1 ? lead->high : 0xbf;

		if (i >= n || u[i] < low || u[i] > high)
			return i;
		value = value << 6 | (u[i] & 0x3f);
	}
	*cp = value;
	return i;
}

bool utf8_is_control(uint32_t cp)
{
	return IN_RANGES(controls, cp);
}

unsigned int utf8_width(uint32_t cp)
{
	if (cp < 0x300)
		return 1;
	if (IN_RANGES(zero_width, cp))
		return 0;
	return IN_RANGES(double_width, cp) ? 2 : 1;
}
