/* SPDX-License-Identifier: MIT */
/* Formats by hand, not by printf(3): a command may print these for every packet. */
#include "out/scale.h"
#include <stdio.h>
#include "base/clock.h"

static const struct scale {
	double step;
	const char *const *names;
} scales[] = {
	[COL_RATE] = { 1000, (const char *const[]){ "", "k", "M", "G", "T", "P", "E", NULL } },
	[COL_BYTES] = { 1024, (const char *const[]){ "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB",
						     NULL } },
	[COL_NS] = { 1000, (const char *const[]){ "ns", "us", "ms", "s", NULL } },
};

/* Compares with the rounded value, so that 999960 is 1.0M and not 1000.0k. */
void scale_put(struct buf *out, enum col_unit unit, double v)
{
	const struct scale *scale = &scales[unit];
	uint64_t tenths;
	size_t i = 0;

	while (scale->names[i + 1] && v >= scale->step - (i ? 0.05 : 0.5)) {
		v /= scale->step;
		i++;
	}
	if (v >= 1e15) {
		buf_printf(out, "%.0f%s", v, scale->names[i]);
		return;
	}
	tenths = (uint64_t)(v * 10 + 0.5);
	/* Show a decimal below ten, unless it is 0: 0.5 per second is not 0. */
	if (i || (v < 9.95 && v != (double)(uint64_t)v)) {
		buf_u64(out, tenths / 10);
		buf_char(out, '.');
		buf_char(out, (char)('0' + tenths % 10));
	} else {
		buf_u64(out, (uint64_t)(v + 0.5));
	}
	buf_str(out, scale->names[i]);
}

void format_put_seconds(struct buf *b, uint64_t ns)
{
	unsigned long long whole = ns / NS_PER_S, part = ns % NS_PER_S;
	char digits[32];
	int n = snprintf(digits, sizeof(digits), "%llu.%09llu", whole, part);

	while (digits[n - 1] == '0')
		n--;
	if (digits[n - 1] == '.')
		n--;
	buf_add(b, digits, (size_t)n);
}
