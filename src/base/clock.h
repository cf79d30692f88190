/* SPDX-License-Identifier: MIT */
/* Clocks in nanoseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static inline uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Reads the clock for durations, which is never set back. */
static inline uint64_t clock_mono(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/* Reads the time since 1970-01-01 UTC. */
static inline uint64_t clock_real(void)
{
	return clock_read(CLOCK_REALTIME);
}

/* Returns the seconds to add to UTC to get local time now. */
static inline int32_t clock_utc_offset(void)
{
	time_t now = time(NULL);
	struct tm local = { 0 };

	localtime_r(&now, &local);
	return (int32_t)local.tm_gmtoff;
}

/* Formats a time in nanoseconds since 1970-01-01 as RFC 3339 in UTC, NUL-terminated:
 * "2026-11-30T02:11:05.123456789Z". */
enum { CLOCK_RFC3339_LEN = 32 };
void clock_rfc3339(uint64_t ns, char text[CLOCK_RFC3339_LEN]);

#endif
