/* SPDX-License-Identifier: MIT */
/* Formats times. */
#include "base/clock.h"
#include <string.h>

/* Writes two digits to s. */
static void put_two(char *s, unsigned int v)
{
	s[0] = (char)('0' + v / 10 % 10);
	s[1] = (char)('0' + v % 10);
}

/* Formats by hand after gmtime_r(3), since JSON prints a time for every packet. The year has four
 * digits: 64 bits of nanoseconds end in 2554. */
void clock_rfc3339(uint64_t ns, char text[CLOCK_RFC3339_LEN])
{
	time_t seconds = (time_t)(ns / NS_PER_S);
	uint32_t part = (uint32_t)(ns % NS_PER_S);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	memcpy(text, "0000-00-00T00:00:00.000000000Z", 31);
	put_two(text, (unsigned int)(tm.tm_year + 1900) / 100);
	put_two(text + 2, (unsigned int)(tm.tm_year + 1900));
	put_two(text + 5, (unsigned int)tm.tm_mon + 1);
	put_two(text + 8, (unsigned int)tm.tm_mday);
	put_two(text + 11, (unsigned int)tm.tm_hour);
	put_two(text + 14, (unsigned int)tm.tm_min);
	put_two(text + 17, (unsigned int)tm.tm_sec);
	for (int i = 28; i >= 20; i--, part /= 10)
		text[i] = (char)('0' + part % 10);
}
