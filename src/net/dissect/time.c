/* SPDX-License-Identifier: MIT */
/* Time stamps at the start of lines, for tcpdump's -t to -ttttt. */
#include "base/clock.h"
#include "net/dissect/internal.h"

/* Converts days since 1970-01-01 to a Gregorian date. The year is counted from March: then the leap
 * day is its last day, and five months have 153 days. */
static void put_date(struct line *l, uint64_t days)
{
	uint64_t z = days + 719468, era = z / 146097;
	uint32_t doe = (uint32_t)(z - era * 146097);
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9;

	put_dec_padded(l, (uint32_t)(yoe + era * 400 + (month <= 2)) % 10000, 4);
	put_char(l, '-');
	put_dec_padded(l, month, 2);
	put_char(l, '-');
	put_dec_padded(l, doy - (153 * mp + 2) / 5 + 1, 2);
}

static void put_hms(struct line *l, uint32_t seconds)
{
	put_dec_padded(l, seconds / 3600 % 100, 2);
	put_char(l, ':');
	put_dec_padded(l, seconds / 60 % 60, 2);
	put_char(l, ':');
	put_dec_padded(l, seconds % 60, 2);
}

static void put_fraction(struct line *l, uint32_t ns)
{
	put_char(l, '.');
	if (l->opts->nanos)
		put_dec_padded(l, ns, 9);
	else
		put_dec_padded(l, ns / 1000, 6);
	put_char(l, ' ');
}

/* Cached, since most packets are in the same second as the one before. */
static const char *format_local_time(const struct line *l, uint64_t second)
{
	struct dissect_state *s = l->state;
	struct line text = { .at = s->clock_text, .end = s->clock_text + sizeof(s->clock_text) };
	int64_t local = (int64_t)second + l->opts->utc_offset;
	uint64_t at = local > 0 ? (uint64_t)local : 0;

	if (s->clock_text[0] && s->clock_s == at)
		return s->clock_text;
	s->clock_s = at;
	put_date(&text, at / 86400);
	put_char(&text, ' ');
	put_hms(&text, (uint32_t)(at % 86400));
	return s->clock_text;
}

/* Writes the time since start; clocks may go backwards. */
static void put_delta(struct line *l, uint64_t time_ns, uint64_t start)
{
	uint64_t ns = time_ns >= start ? time_ns - start : start - time_ns;

	put_char(l, time_ns >= start ? ' ' : '-');
	put_hms(l, (uint32_t)(ns / NS_PER_S % 360000));
	put_fraction(l, (uint32_t)(ns % NS_PER_S));
}

void put_time(struct line *l, uint64_t time_ns)
{
	struct dissect_state *s = l->state;
	uint64_t second = time_ns / NS_PER_S;

	if (!s->started) {
		s->started = true;
		s->first_ns = s->last_ns = time_ns;
	}
	switch (l->opts->time) {
	case DISSECT_NONE:
		break;
	case DISSECT_EPOCH:
		if (second >= 1000000000)
			put_u32(l, (uint32_t)(second / 1000000000));
		put_dec_padded(l, (uint32_t)(second % 1000000000), 9);
		put_fraction(l, (uint32_t)(time_ns % NS_PER_S));
		break;
	case DISSECT_DELTA:
		put_delta(l, time_ns, s->last_ns);
		break;
	case DISSECT_FIRST:
		put_delta(l, time_ns, s->first_ns);
		break;
	case DISSECT_DATE:
		put_mem(l, format_local_time(l, second), 19);
		put_fraction(l, (uint32_t)(time_ns % NS_PER_S));
		break;
	default:
		put_inline(l, format_local_time(l, second) + 11, 8);
		put_fraction(l, (uint32_t)(time_ns % NS_PER_S));
	}
	s->last_ns = time_ns;
}

void dissect_put_clock(struct buf *out, uint64_t time_ns, int32_t utc_offset)
{
	static const struct dissect_opts plain;
	int64_t local = (int64_t)(time_ns / NS_PER_S) + utc_offset;
	char text[32];
	struct line l = { .at = text, .end = text + sizeof(text), .opts = &plain };

	put_hms(&l, (uint32_t)((local > 0 ? local : 0) % 86400));
	put_fraction(&l, (uint32_t)(time_ns % NS_PER_S));
	buf_add(out, text, (size_t)(l.at - text));
}
