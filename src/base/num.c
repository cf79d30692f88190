/* SPDX-License-Identifier: MIT */
/* Numbers and times from command lines: the whole string must match; exact, independent of
 * locale. */
#include <errno.h>
#include <string.h>
#include "base/array.h"
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

static int digit_value(char c, unsigned int base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return base == 16 && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads digits at *s into *n and moves *s past them. Stops adding once *n exceeds max. Returns
 * false if there is no digit. */
static bool read_digits(const char **s, unsigned int base, uint64_t max, uint64_t *n)
{
	const char *from = *s;

	for (int d; (d = digit_value(**s, base)) >= 0; ++*s)
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
	if (!read_digits(&s, hex ? 16 : 10, UINT32_MAX, &n) || *s)
		return -EINVAL;
	if (n < min || n > max)
		return -ERANGE;
	*value = (uint32_t)n;
	return 0;
}

/* Converts the decimal digits from s to end (those after the decimal point) of a unit to ns.
 * Returns false if the value is finer than one nanosecond. Works from the last digit to the first:
 * a remainder at any step could not disappear later. */
static bool read_fraction(const char *s, const char *end, uint64_t unit, uint64_t *ns)
{
	uint64_t sum = 0;

	while (end > s) {
		sum += unit * (unsigned int)digit_value(*--end, 10);
		if (sum % 10)
			return false;
		sum /= 10;
	}
	*ns = sum;
	return true;
}

static uint64_t find_unit(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (!strcmp(name, units[i].name))
			return units[i].ns;
	return 0;
}

int parse_time(const char *s, uint64_t *ns)
{
	uint64_t value = 0, fraction = 0, ignored = 0, unit;
	const char *point = NULL, *end;

	if (!read_digits(&s, 10, NS_YEAR, &value))
		return -EINVAL;
	if (*s == '.') {
		point = ++s;
		if (!read_digits(&s, 10, 0, &ignored))
			return -EINVAL;
	}
	end = s;
	unit = find_unit(end);
	if (!unit)
		return -EINVAL;
	if (value > NS_YEAR / unit || (point && !read_fraction(point, end, unit, &fraction)))
		return -ERANGE;
	value = value * unit + fraction;
	if (!value || value > NS_YEAR)
		return -ERANGE;
	*ns = value;
	return 0;
}
