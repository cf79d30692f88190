/* SPDX-License-Identifier: MIT */
/* Any word as a number, a time and a misspelled name, compared with a second implementation. */
#include "base/array.h"
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "base/near.h"
#include "base/opt.h"

#define YEAR_NS (UINT64_C(365) * 24 * 3600 * 1000000000)

/* A sequence of digits; len does not count leading zeros, all does. */
struct run {
	const char *at;
	size_t len, all;
};

static struct run run_of(const char *s, const char *digits)
{
	size_t all = strspn(s, digits), zeros = strspn(s, "0");

	return (struct run){ s + zeros, all - zeros, all };
}

static int want_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value)
{
	bool hex = !strncmp(s, "0x", 2) || !strncmp(s, "0X", 2);
	struct run r = run_of(s + 2 * hex, hex ? "0123456789abcdefABCDEF" : "0123456789");
	unsigned long long n;

	if (!r.all || s[2 * hex + r.all])
		return -EINVAL;
	if (r.len > 15)
		return -ERANGE;
	n = strtoull(s + 2 * hex, NULL, hex ? 16 : 10);
	if (n < min || n > max)
		return -ERANGE;
	*value = (uint32_t)n;
	return 0;
}

static void check_u32(const char *s, uint32_t min, uint32_t max)
{
	uint32_t got = 42, want = 42, again;
	char text[16];

	MUST(parse_u32(s, min, max, &got) == want_u32(s, min, max, &want) && got == want);
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof(text), i ? i == 1 ? "0x%x" : "0X%08X" : "%u", got);
		MUST(!parse_u32(text, got, got, &again) && again == got);
	}
}

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },        { "us", 1000 },       { "ms", 1000000 },      { "s", 1000000000 },
	{ "", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 }, { "d", 86400000000000 },
};

/* Converts the digits after the point to nanoseconds. False: not a whole number of them. */
static bool want_part(struct run part, uint64_t unit, uint64_t *ns)
{
	unsigned __int128 sum = 0, scale = 1;
	const char *digits = part.at - (part.all - part.len);

	while (part.all && digits[part.all - 1] == '0')
		part.all--;
	/* Units have at most 16 factors of two, so more digits are never exact. */
	if (part.all > 16)
		return false;
	for (size_t i = 0; i < part.all; i++, scale *= 10)
		sum = sum * 10 + (unsigned int)(digits[i] - '0');
	*ns = (uint64_t)(sum * unit / scale);
	return sum * unit % scale == 0;
}

static int want_time(const char *s, uint64_t *ns)
{
	static const char digits[] = "0123456789";
	struct run whole = run_of(s, digits), part = { s, 0, 0 };
	const struct unit *u = units, *end = units + ARRAY_LEN(units);
	uint64_t fraction = 0;
	unsigned __int128 sum;

	s += whole.all;
	if (*s == '.') {
		part = run_of(++s, digits);
		s += part.all;
		if (!part.all)
			return -EINVAL;
	}
	while (u < end && strcmp(u->name, s))
		u++;
	if (!whole.all || u == end)
		return -EINVAL;
	if (whole.len > 18 || !want_part(part, u->ns, &fraction))
		return -ERANGE;
	sum = (unsigned __int128)strtoull(whole.len ? whole.at : "0", NULL, 10) * u->ns + fraction;
	if (!sum || sum > YEAR_NS)
		return -ERANGE;
	*ns = (uint64_t)sum;
	return 0;
}

static void check_time(const char *s)
{
	uint64_t got = 42, want = 42, again;
	char text[40];

	MUST(parse_time(s, &got) == want_time(s, &want) && got == want);
	snprintf(text, sizeof(text), "%lluns", (unsigned long long)got);
	MUST(!parse_time(text, &again) && again == got);
	snprintf(text, sizeof(text), "%llu.%09llu", (unsigned long long)(got / 1000000000),
		 (unsigned long long)(got % 1000000000));
	MUST(!parse_time(text, &again) && again == got);
}

/* The names are dissimilar, so that one typo is near to one name only. */
static const char *const names[] = { "count",  "capture",           "filter", "policy",
				     "export", "print-these-texts", NULL };

static bool is_name(const char *s)
{
	for (size_t i = 0; names[i]; i++)
		if (names[i] == s)
			return true;
	return false;
}

/* One typo at an offset of a name: a wrong, an added, a missing or two swapped letters. */
static void check_slip(const char *name, size_t at, unsigned int kind, char letter)
{
	size_t len = strlen(name);
	char s[40];

	memcpy(s, name, len + 1);
	at %= len;
	if (kind == 0) {
		s[at] = letter;
	} else if (kind == 1) {
		memmove(s + at + 1, s + at, len - at + 1);
		s[at] = letter;
	} else if (kind == 2) {
		memmove(s + at, s + at + 1, len - at);
	} else if (at + 1 < len) {
		s[at] = name[at + 1];
		s[at + 1] = name[at];
	}
	MUST(opt_nearest(s, names) == name);
}

static void check_names(const char *s, const char *name)
{
	const char *const own[] = { s, NULL };
	const char *near = opt_nearest(s, names);

	MUST(!near || is_name(near));
	near = opt_nearest(s, own);
	MUST(near == (*s && strlen(s) <= NEAR_MAX ? s : NULL));
	MUST(opt_nearest(name, names) == name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	uint8_t pick = feed_u8(&f), at = feed_u8(&f), letter = feed_u8(&f);
	uint32_t min = pick & 0x80 ? letter : 0;
	char *s = feed_str(&f, f.left);

	check_u32(s, 0, UINT32_MAX);
	check_u32(s, min, min + (UINT32_C(1) << pick % 32) - 1);
	check_time(s);
	check_names(s, names[pick % 6]);
	check_slip(names[pick % 6], at, pick / 6 % 4, letter ? (char)letter : 'z');
	free(s);
	return 0;
}
