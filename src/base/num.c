/* SPDX-License-Identifier: MIT */
/* Numbers and times from command lines: the whole string or nothing, exact, no locale. */
#include <errno.h>
#include <string.h>
#include "base/opt.h"

#define NS_S    1000000000ULL
#define NS_YEAR (365 * 24 * 3600 * NS_S)

static const struct {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "", NS_S }, { "s", NS_S },      { "ms", 1000000 },    { "us", 1000 },
	{ "ns", 1 },  { "m", 60 * NS_S }, { "h", 3600 * NS_S }, { "d", 24 * 3600 * NS_S },
};

static int digit(char c, unsigned int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Add the digits at *s to a number, stopping to count above max; returns whether there were any. */
static bool digits(const char **s, unsigned int base, uint64_t max, uint64_t *n)
{
	const char *from = *s;

	for (int d; (d = digit(**s, base)) >= 0; ++*s)
		if (*n <= max)
			*n = *n * base + (unsigned int)d;
	return *s > from;
}

int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *value)
{
	bool hex = s[0] == '0' && (s[1] | 0x20) == 'x';
	uint64_t n = 0;

	if (hex)
		s += 2;
	if (!digits(&s, hex ? 16 : 10, UINT32_MAX, &n) || *s)
		return -EINVAL;
	if (n < min || n > max)
		return -ERANGE;
	*value = (uint32_t)n;
	return 0;
}

/* The digits from s to end, which stand behind the point, in units of ns; false if they are finer
 * than a nanosecond. From the last to the first: a remainder at any step would stay to the end. */
static bool fraction(const char *s, const char *end, uint64_t unit, uint64_t *ns)
{
	uint64_t sum = 0;

	while (end > s) {
		sum += unit * (unsigned int)digit(*--end, 10);
		if (sum % 10)
			return false;
		sum /= 10;
	}
	*ns = sum;
	return true;
}

static uint64_t unit_of(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(name, units[i].name))
			return units[i].ns;
	return 0;
}

int parse_time(const char *s, uint64_t *ns)
{
	uint64_t whole = 0, part = 0, ignored = 0, unit;
	const char *point = NULL, *end;

	if (!digits(&s, 10, NS_YEAR, &whole))
		return -EINVAL;
	if (*s == '.') {
		point = ++s;
		if (!digits(&s, 10, 0, &ignored))
			return -EINVAL;
	}
	end = s;
	unit = unit_of(end);
	if (!unit)
		return -EINVAL;
	if (whole > NS_YEAR / unit || (point && !fraction(point, end, unit, &part)))
		return -ERANGE;
	whole = whole * unit + part;
	if (!whole || whole > NS_YEAR)
		return -ERANGE;
	*ns = whole;
	return 0;
}
