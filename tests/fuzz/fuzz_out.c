/* SPDX-License-Identifier: MIT */
/* Any records in every format: parsing the JSON and Prometheus output gives the same values, and a
 * terminal gets no control characters. */
#define _GNU_SOURCE 1
#include "base/array.h"
#include "tests/fuzz/fuzz.h"
#include <ctype.h>
#include <math.h>
#include <sys/mman.h>
#include "base/buf.h"
#include "base/utf8.h"
#include "out/sink.h"

enum { STRINGS = 4, NUMBERS = 3, RECS = 8, SCREEN = 80, OUT_ROOM = 1 << 16 };

struct rec {
	const char *s[STRINGS];
	uint64_t n[NUMBERS];
	double d[NUMBERS];
	bool up;
};

#define R struct rec
static const struct col cols[] = {
	{ "s0", "S0", "s0", .role = COL_KEY, COL_AT_STR(R, s[0]) },
	{ "s1", "S1", "s1", .role = COL_KEY, COL_AT_STR(R, s[1]) },
	{ "s2", "S2", NULL, .role = COL_KEY, COL_AT_STR(R, s[2]) },
	{ "n0", NULL, "n0", .role = COL_KEY, .unit = COL_NS, COL_AT_U64(R, n[0]) },
	{ "n1", "N1", "n1_total", "Bytes.", .role = COL_COUNTER, .unit = COL_BYTES,
	  COL_AT_U64(R, n[1]) },
	{ "n2", "N2", "n2_seconds", .role = COL_GAUGE, .unit = COL_NS, COL_AT_U64(R, n[2]) },
	{ "d0", "D0", "d0", "A ratio.", .role = COL_GAUGE, COL_AT_F64(R, d[0]) },
	{ "d1", "D1", "d1_seconds", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, d[1]) },
	{ "d2", "D2", NULL, .role = COL_COUNTER, .unit = COL_RATE, COL_AT_F64(R, d[2]) },
	{ "up", "UP", "up", .role = COL_GAUGE, COL_AT_BOOL(R, up) },
	{ "s3", "S3", "s3", .role = COL_INFO, COL_AT_STR(R, s[3]) },
};
#undef R

enum { COLS = ARRAY_LEN(cols) };

static const struct schema schema = { "fuzz", cols, COLS, 0 };

static const void *value_at(const struct rec *r, const struct col *c)
{
	return (const char *)r + c->off;
}

static const char *string_of(const struct rec *r, const struct col *c)
{
	return *(const char *const *)value_at(r, c);
}

static bool is_unknown(const struct rec *r, const struct col *c)
{
	if (c->kind == COL_STR)
		return !string_of(r, c);
	if (c->kind == COL_U64)
		return *(const uint64_t *)value_at(r, c) == COL_UNKNOWN;
	return c->kind == COL_F64 && isnan(*(const double *)value_at(r, c));
}

/* Each reads one item at *at and advances. A missing item is an error. */
static void read_literal(const char **at, const char *s)
{
	MUST(!strncmp(*at, s, strlen(s)));
	*at += strlen(s);
}

static size_t read_digits(const char **at)
{
	size_t n = strspn(*at, "0123456789");

	MUST(n);
	*at += n;
	return n;
}

/* Numbers in JSON and Prometheus text have no leading zeros. */
static uint64_t read_u64(const char **at)
{
	const char *from = *at;

	MUST(read_digits(at) == 1 || *from != '0');
	return strtoull(from, NULL, 10);
}

/* One printable character, valid in any output. */
static void read_char(const char **at, struct buf *to)
{
	uint32_t cp;
	size_t n = utf8_decode(*at, strnlen(*at, 4), &cp);

	MUST(**at && cp != UTF8_BAD && !utf8_is_control(cp));
	buf_add(to, *at, n);
	*at += n;
}

static void put_utf8(struct buf *to, uint32_t cp)
{
	if (cp < 0x80) {
		buf_char(to, (char)cp);
	} else if (cp < 0x800) {
		buf_char(to, (char)(0xc0 | cp >> 6));
		buf_char(to, (char)(0x80 | (cp & 0x3f)));
	} else {
		buf_char(to, (char)(0xe0 | cp >> 12));
		buf_char(to, (char)(0x80 | (cp >> 6 & 0x3f)));
		buf_char(to, (char)(0x80 | (cp & 0x3f)));
	}
}

static void json_escape(const char **at, struct buf *to)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter;
	char hex[5] = "";

	read_literal(at, "\\");
	if (**at != 'u') {
		letter = **at ? strchr(letters, **at) : NULL;
		MUST(letter);
		buf_char(to, meant[letter - letters]);
		++*at;
		return;
	}
	for (int i = 0; i < 4; i++) {
		hex[i] = *++*at;
		MUST(isxdigit((unsigned char)hex[i]));
	}
	++*at;
	put_utf8(to, (uint32_t)strtoul(hex, NULL, 16));
}

/* The text that was read is the original, except for what the format cannot hold. Frees *got. */
static void check_string(struct buf *got, const char *s, bool controls)
{
	struct buf want = { 0 };
	size_t left = strlen(s);

	while (left) {
		uint32_t cp;
		size_t n = utf8_decode(s, left, &cp);

		if (cp == UTF8_BAD || (!controls && cp != '\n' && utf8_is_control(cp)))
			buf_str(&want, UTF8_REPLACEMENT);
		else
			buf_add(&want, s, n);
		s += n;
		left -= n;
	}
	MUST(got->len == want.len && (!want.len || !memcmp(got->data, want.data, want.len)));
	buf_free(got);
	buf_free(&want);
}

static void json_string(const char **at, const char *s)
{
	struct buf got = { 0 };

	read_literal(at, "\"");
	while (**at != '"')
		if (**at == '\\')
			json_escape(at, &got);
		else
			read_char(at, &got);
	read_literal(at, "\"");
	check_string(&got, s, true);
}

static void json_double(const char **at, double v)
{
	const char *from = *at;

	if (!isfinite(v)) {
		read_literal(at, "null");
		return;
	}
	*at += **at == '-';
	read_u64(at);
	if (**at == '.') {
		++*at;
		MUST(read_digits(at) <= 3 && (*at)[-1] != '0');
	}
	MUST(fabs(strtod(from, NULL) - v) <= 0.0005001);
	MUST(*from != '-' || strtod(from, NULL) < 0);
}

/* Nanoseconds as exact decimal seconds. */
static void prom_seconds(const char **at, uint64_t ns)
{
	uint64_t scale = 100000000, got = read_u64(at) * 1000000000;

	if (**at == '.') {
		for (++*at; isdigit((unsigned char)**at); ++*at, scale /= 10)
			got += scale * (uint64_t)(**at - '0');
		MUST((*at)[-1] != '0' && (*at)[-1] != '.');
	}
	MUST(got == ns);
}

/* A double of nanoseconds is printed as whole nanoseconds, or as seconds with three decimals. */
static void json_seconds(const char **at, const struct rec *r, const struct col *c)
{
	double ns = c->kind == COL_F64 ? *(const double *)value_at(r, c) : 0;

	if (c->kind == COL_U64)
		prom_seconds(at, *(const uint64_t *)value_at(r, c));
	else if (ns >= 0 && ns < 1e19)
		prom_seconds(at, (uint64_t)ns);
	else
		json_double(at, ns / 1e9);
}

/* Parses all objects completely and compares their values. */
static void check_json(const char *at, const struct rec *r, size_t n)
{
	for (; n; n--, r++) {
		const char *before = "{\"record\":\"fuzz\",\"";

		for (const struct col *c = cols; c < cols + COLS; c++) {
			read_literal(&at, before);
			read_literal(&at, c->name);
			read_literal(&at, "\":");
			before = ",\"";
			if (is_unknown(r, c))
				read_literal(&at, "null");
			else if (c->kind == COL_STR)
				json_string(&at, string_of(r, c));
			else if (c->unit == COL_NS)
				json_seconds(&at, r, c);
			else if (c->kind == COL_U64)
				MUST(read_u64(&at) == *(const uint64_t *)value_at(r, c));
			else if (c->kind == COL_F64)
				json_double(&at, *(const double *)value_at(r, c));
			else
				read_literal(&at, *(const bool *)value_at(r, c) ? "true" : "false");
		}
		read_literal(&at, "}\n");
	}
	MUST(!*at);
}

static void prom_string(const char **at, const char *s)
{
	struct buf got = { 0 };

	while (**at != '"') {
		if (**at != '\\') {
			read_char(at, &got);
			continue;
		}
		++*at;
		MUST(**at == 'n' || **at == '\\' || **at == '"');
		buf_char(&got, **at == 'n' ? '\n' : **at);
		++*at;
	}
	check_string(&got, s, false);
}

static void prom_labels(const char **at, const struct rec *r)
{
	const char *before = "{";

	for (const struct col *c = cols; c < cols + COLS; c++) {
		if (c->role != COL_KEY || !c->metric || is_unknown(r, c))
			continue;
		read_literal(at, before);
		read_literal(at, c->metric);
		read_literal(at, "=\"");
		before = ",";
		if (c->kind == COL_STR)
			prom_string(at, string_of(r, c));
		else
			MUST(read_u64(at) == *(const uint64_t *)value_at(r, c));
		read_literal(at, "\"");
	}
	read_literal(at, *before == ',' ? "} " : " ");
}

static void prom_double(const char **at, double v)
{
	char *end;

	if (isnan(v)) {
		read_literal(at, "NaN");
		return;
	}
	MUST(strtod(*at, &end) == v);
	MUST(strspn(*at, "0123456789.e+-Inf") == (size_t)(end - *at));
	*at = end;
}

static void prom_value(const char **at, const struct rec *r, const struct col *c)
{
	double d = c->kind == COL_F64 ? *(const double *)value_at(r, c) : 0;

	if (c->kind == COL_BOOL)
		read_literal(at, *(const bool *)value_at(r, c) ? "1" : "0");
	else if (c->kind == COL_F64)
		prom_double(at, c->unit == COL_NS ? d / 1e9 : d);
	else if (c->unit == COL_NS)
		prom_seconds(at, *(const uint64_t *)value_at(r, c));
	else
		MUST(read_u64(at) == *(const uint64_t *)value_at(r, c));
	read_literal(at, "\n");
}

/* A family without samples is not printed. */
static bool has_samples(const struct col *c, const struct rec *recs, size_t n)
{
	for (const struct rec *r = recs; r < recs + n; r++)
		if (!is_unknown(r, c))
			return true;
	return false;
}

static void check_prom(const char *at, const struct rec *recs, size_t n)
{
	for (const struct col *c = cols; n && c < cols + COLS; c++) {
		if (!c->metric || (c->role != COL_COUNTER && c->role != COL_GAUGE) ||
		    !has_samples(c, recs, n))
			continue;
		if (c->help) {
			read_literal(&at, "# HELP sonde_");
			read_literal(&at, c->metric);
			read_literal(&at, " ");
			read_literal(&at, c->help);
			read_literal(&at, "\n");
		}
		read_literal(&at, "# TYPE sonde_");
		read_literal(&at, c->metric);
		read_literal(&at, c->role == COL_COUNTER ? " counter\n" : " gauge\n");
		for (const struct rec *r = recs; r < recs + n; r++) {
			if (is_unknown(r, c))
				continue;
			read_literal(&at, "sonde_");
			read_literal(&at, c->metric);
			prom_labels(&at, r);
			prom_value(&at, r, c);
		}
	}
	MUST(!*at);
}

/* Checks that lines are printable and have no trailing spaces. Returns their number. */
static size_t check_lines(const char *at, bool screen)
{
	struct buf text = { 0 };
	size_t lines = 0;

	if (screen)
		read_literal(&at, "\x1b[H");
	for (; *at && strcmp(at, "\x1b[J") != 0; lines++) {
		size_t columns = 0;

		if (screen)
			read_literal(&at, "\x1b[K");
		buf_clear(&text);
		while (*at != '\n')
			read_char(&at, &text);
		for (size_t i = 0; i < text.len;) {
			uint32_t cp;

			i += utf8_decode(text.data + i, text.len - i, &cp);
			columns += utf8_width(cp);
		}
		MUST(!screen || columns <= SCREEN);
		MUST(!text.len || at[-1] != ' ');
		at++;
	}
	MUST(!*at == !screen);
	buf_free(&text);
	return lines;
}

static void check_output(enum sink_format format, const char *got, const struct rec *recs, size_t n,
			 const char *title, bool screen)
{
	if (format == SINK_JSON)
		check_json(got, recs, n);
	else if (format == SINK_PROM)
		check_prom(got, recs, n);
	else
		MUST(check_lines(got, screen) == n + 1 + (title ? 1 : 0));
}

static void write_all(enum sink_format format, const struct rec *recs, size_t n, bool screen)
{
	static char got[OUT_ROOM];
	static int file = -1;
	struct sink *sink;

	if (file < 0)
		file = memfd_create("out", MFD_CLOEXEC);
	sink = sink_new(format, file, screen);
	MUST(file >= 0 && sink);
	/* Writes two tables, the second with half of the rows. Nothing of the first is left. */
	for (size_t rows = n;; rows = n / 2) {
		const char *title = n ? recs[0].s[1] : NULL;

		MUST(!sink_begin(sink, &schema, title));
		for (size_t i = 0; i < rows; i++)
			MUST(!sink_row(sink, &recs[i]));
		MUST(!sink_end(sink));
		take_output(file, got, sizeof(got));
		check_output(format, got, recs, rows, title, screen);
		if (rows == n / 2)
			break;
	}
	if (n && recs[0].s[0]) {
		MUST(!sink_line(sink, "%s", recs[0].s[0]));
		MUST(!take_output(file, got, sizeof(got)) == (format != SINK_TEXT));
	}
	sink_free(sink);
}

static double feed_f64(struct feed *f, bool bits)
{
	uint64_t v = bits ? feed_u64(f) : 0;
	double d;

	if (!bits)
		return (int8_t)feed_u8(f) / 8.0 * (1 << feed_u8(f) % 24);
	memcpy(&d, &v, sizeof(d));
	return d;
}

static void make_rec(struct feed *f, struct rec *r)
{
	uint8_t with = feed_u8(f), len = feed_u8(f);

	for (int i = 0; i < STRINGS; i++)
		r->s[i] = with >> i & 1 ? NULL : feed_str(f, len % 64);
	for (int i = 0; i < NUMBERS; i++)
		r->n[i] = with & 0x20 ? feed_u64(f) : feed_u8(f);
	for (int i = 0; i < NUMBERS; i++)
		r->d[i] = feed_f64(f, with & 0x40);
	r->up = with & 0x80;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rec recs[RECS] = { { .up = false } };
	struct feed f = { data, size };
	size_t n = 0;

	while (f.left && n < RECS)
		make_rec(&f, &recs[n++]);
	write_all(SINK_TEXT, recs, n, false);
	write_all(SINK_TEXT, recs, n, true);
	write_all(SINK_JSON, recs, n, false);
	write_all(SINK_PROM, recs, n, false);
	for (size_t i = 0; i < n * STRINGS; i++)
		free((void *)(uintptr_t)recs[i / STRINGS].s[i % STRINGS]);
	return 0;
}
