/* SPDX-License-Identifier: MIT */
/* The guard's limits as text: parsing, errors and their positions, the resulting buckets. The rates
 * of the busiest entries. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "guard/guard.h"
#include "guard/rates.h"
#include "tests/lib/draw.h"
#include "tests/unit/suites.h"

/* A text, and how it is printed. */
static const struct {
	const char *text, *printed;
} texts[] = {
	{ "1000 packets/s", "src 1000 packets/s burst 1000 limit" },
	{ "src 1000 packets/s burst 2000 limit", "src 1000 packets/s burst 2000 limit" },
	{ " src  5 packets/m\tban 60s", "src 5 packets/m burst 5 ban 60s" },
	{ "src/24 5k packets/h count", "src/24 5000 packets/h burst 5000 count" },
	{ "src6 10 syns/s", "src6 10 syns/s burst 10 limit" },
	{ "src6/48 10 syns/s", "src6/48 10 syns/s burst 10 limit" },
	{ "src4 10 syns/s", "src4 10 syns/s burst 10 limit" },
	{ "dst 10 Mbit/s", "dst 10 Mbit/s burst 10 Mbit limit" },
	{ "dst 1500 kbit/s burst 3 Mbit", "dst 1500 kbit/s burst 3 Mbit limit" },
	{ "dst 10 kbit/s", "dst 10 kbit/s burst 524288 bit limit" },
	{ "src+port 7 packets/s burst 1 ban 1h", "src+port 7 packets/s burst 1 ban 3600s" },
	{ "20 connections/s burst 40", "src 20 connections/s burst 40 limit" },
	{ "src/24 50 connections ban 60s", "src/24 50 connections ban 60s" },
	{ "dst 2k connections count", "dst 2000 connections count" },
};

START_TEST(limits_are_parsed_and_printed)
{
	struct guard_plan plan;
	struct buf out = { 0 };
	struct diag diag = { 0 };
	const struct guard_scope *scope;
	const struct guard_limit *limit;

	ck_assert(!guard_plan_open(&plan));
	ck_assert_msg(!guard_plan_add_limit(&plan, texts[_i].text, strlen(texts[_i].text), &diag),
		      "%s: %s", texts[_i].text, diag.msg);
	limit = guard_find_limit(&plan.conf, 0, &scope);
	ck_assert(limit && !guard_find_limit(&plan.conf, 1, &scope));
	guard_find_limit(&plan.conf, 0, &scope);
	guard_print_limit(scope, limit, &out);
	buf_char(&out, '\0');
	ck_assert_str_eq(out.data, texts[_i].printed);
	ck_assert(limit->full / (limit->cost ? limit->cost : 1) >= 1);
	ck_assert_uint_eq(plan.conf.conns, limit->unit >= GUARD_CONNS);
	buf_free(&out);
	guard_plan_close(&plan);
}
END_TEST

/* A limit of open connections is the last of its scope, after at most three others. */
START_TEST(open_connections_come_last)
{
	static const char *const four[] = { "5 connections", "1 packets/s", "2 packets/s",
					    "3 connections/s" };
	struct guard_plan plan;
	struct diag diag = { 0 };

	ck_assert(!guard_plan_open(&plan));
	for (int i = 0; i < 4; i++)
		ck_assert(!guard_plan_add_limit(&plan, four[i], strlen(four[i]), &diag));
	ck_assert_uint_eq(plan.conf.scopes[0].limits[3].unit, GUARD_OPEN);
	ck_assert_uint_eq(plan.conf.scopes[0].limits[3].number, 0);
	ck_assert_uint_eq(plan.conf.scopes[0].limits[0].number, 1);
	ck_assert_int_eq(guard_plan_add_limit(&plan, "6 connections", 13, &diag), -EINVAL);
	ck_assert_int_eq(guard_plan_add_limit(&plan, "6 packets/s", 11, &diag), -EINVAL);
	ck_assert_ptr_nonnull(strstr(diag.msg, "at most 3 limits"));
	guard_plan_close(&plan);
}
END_TEST

/* If only connections are limited, no number of packets creates an entry. */
START_TEST(connection_limits_ignore_packets)
{
	struct guard_plan plan;
	struct diag diag = { 0 };

	ck_assert(!guard_plan_open(&plan));
	ck_assert(!guard_plan_add_limit(&plan, "5 connections", 13, &diag));
	ck_assert(!guard_plan_finish(&plan, NULL));
	ck_assert_uint_eq(plan.conf.scopes[0].sketch_min_packets, UINT16_MAX);
	ck_assert(!guard_plan_add_limit(&plan, "10 packets/s", 12, &diag));
	ck_assert(!guard_plan_finish(&plan, NULL));
	ck_assert_uint_lt(plan.conf.scopes[0].sketch_min_packets, 10);
	guard_plan_close(&plan);
}
END_TEST

/* The message, and the byte it refers to. */
static const struct {
	const char *text;
	uint64_t pos;
	const char *message;
} wrong[] = {
	{ "", 0, "a limit is [KEY] RATE" },
	{ "frob 1 packets/s", 0, "a limit is [KEY] RATE" },
	{ "src", 3, "expected a rate" },
	{ "src 0 packets/s", 4, "expected a rate" },
	{ "src 12x packets/s", 4, "expected a rate" },
	{ "src -1 packets/s", 4, "expected a rate" },
	{ "src 99999999999999999999 packets/s", 4, "expected a rate" },
	{ "src 5 apples/s", 6, "expected a unit" },
	{ "src 5 packets", 6, "a rate ends with /s, /m or /h" },
	{ "src 5 packets/day", 6, "a rate ends with /s, /m or /h" },
	{ "src/33 5 packets/s", 0, "invalid prefix" },
	{ "src/0 5 packets/s", 0, "invalid prefix" },
	{ "src6/129 5 packets/s", 0, "invalid prefix" },
	{ "src 5 packets/s burst", 21, "a burst is a number" },
	{ "src 5 packets/s burst 1 Mbit", 24, "different units" },
	{ "src 5 packets/s ban", 19, "a ban needs a duration" },
	{ "src 5 packets/s ban soon", 20, "a ban needs a duration" },
	{ "src 5 packets/s frob", 16, "expected" },
	{ "src 5 packets/s limit 7", 22, "unexpected word" },
	{ "src 1 packets/h burst 1000", 26, "13 days" },
	{ "src 0 connections", 4, "expected a rate" },
	{ "src 5 connections/day", 6, "a rate ends with /s, /m or /h" },
	{ "src 5 connections burst 7", 18, "expected" },
};

START_TEST(errors_have_positions)
{
	const char *text = wrong[_i].text;
	struct guard_plan plan;
	struct diag diag = { 0 };

	ck_assert(!guard_plan_open(&plan));
	ck_assert_int_eq(guard_plan_add_limit(&plan, text, strlen(text), &diag), -EINVAL);
	ck_assert_msg(diag.pos == wrong[_i].pos, "'%s': at %llu", text,
		      (unsigned long long)diag.pos);
	ck_assert_msg(strstr(diag.msg, wrong[_i].message), "'%s': %s", text, diag.msg);
	ck_assert_int_eq(plan.conf.nscopes, 1);
	ck_assert_int_eq(plan.conf.scopes[0].nlimits, 0);
	guard_plan_close(&plan);
}
END_TEST

START_TEST(files_are_parsed)
{
	static const char good[] = "# limits\n\n1 packets/s # one\r\nsrc/24 2 packets/s\n  \nsrc 3 "
				   "syns/s",
			  bad[] = "1 packets/s\n\n  src 1 frob/s\n";
	struct guard_plan plan;
	struct diag diag = { 0 };

	ck_assert(!guard_plan_open(&plan));
	ck_assert_msg(!guard_plan_parse_file(&plan, good, strlen(good), &diag), "%s", diag.msg);
	ck_assert_int_eq(plan.conf.nscopes, 2);
	ck_assert_int_eq(plan.conf.scopes[0].nlimits, 2);
	ck_assert_int_eq(guard_plan_parse_file(&plan, bad, strlen(bad), &diag), -EINVAL);
	ck_assert_msg(!strncmp(diag.msg, "3:9: ", 5), "%s", diag.msg);
	guard_plan_close(&plan);
}
END_TEST

/* More than fits is refused, in any order. */
START_TEST(too_many_limits_are_refused)
{
	static const char *const keys[] = { "src", "dst", "src+port", "src/24", "src/16" };
	struct guard_plan plan;
	struct diag diag = { 0 };

	ck_assert(!guard_plan_open(&plan));
	for (int i = 0; i < 3; i++)
		ck_assert(!guard_plan_add_limit(&plan, "1 packets/s", 11, &diag));
	ck_assert(guard_plan_add_limit(&plan, "1 packets/s", 11, &diag));
	ck_assert(strstr(diag.msg, "at most 3 limits"));
	for (int i = 1; i < 5; i++) {
		char text[32];

		snprintf(text, sizeof(text), "%s 1 packets/s", keys[i]);
		ck_assert_int_eq(guard_plan_add_limit(&plan, text, strlen(text), &diag),
				 i < 4 ? 0 : -EINVAL);
	}
	ck_assert(strstr(diag.msg, "at most 4 kinds"));
	guard_plan_close(&plan);
}
END_TEST

/* Random text is parsed or refused. What is parsed prints as something that can be parsed. */
START_TEST(random_text_is_safe)
{
	static const char *const tokens[] = {
		"src",    "dst",   "src6", "/24",   " ",   "10",    "1k", "packets/s",  "Mbit/s",
		"syns/m", "burst", "ban",  "limit", "60s", "count", "-1", "99999999999"
	};
	uint64_t seed = 7;

	for (int i = 0; i < 20000 / UNIT_STRIDE; i++) {
		char text[160] = "";
		struct guard_plan plan;
		struct diag diag = { 0 };

		for (uint32_t n = draw_below(&seed, 10); n; n--) {
			strcat(text, tokens[draw_below(&seed, ARRAY_LEN(tokens))]);
			strcat(text, draw_below(&seed, 4) ? " " : "");
		}
		ck_assert(!guard_plan_open(&plan));
		if (!guard_plan_add_limit(&plan, text, strlen(text), &diag)) {
			const struct guard_scope *scope;
			struct buf out = { 0 };

			guard_find_limit(&plan.conf, 0, &scope);
			guard_print_limit(scope, guard_find_limit(&plan.conf, 0, &scope), &out);
			ck_assert_msg(!guard_plan_add_limit(&plan, out.data, out.len, &diag),
				      "'%s' prints as '%.*s': %s", text, (int)out.len, out.data,
				      diag.msg);
			buf_free(&out);
		}
		guard_plan_close(&plan);
	}
}
END_TEST

/* A table in memory with entries only: no kernel program uses it. */
struct table {
	struct guard_conf conf;
	struct guard_table t;
	struct guard_rates rates;
};

enum { TABLE_LINES = 2, TABLE_ENTRIES = TABLE_LINES * GUARD_WAYS, SECONDS = 1000 };

static void table_open(struct table *table)
{
	*table = (struct table){ .conf = { .lines = TABLE_LINES - 1 } };
	table->t = (struct guard_table){
		.conf = &table->conf,
		.lines = calloc(GUARD_SHARED(table->conf.lines), sizeof(struct guard_line)),
		.entries = TABLE_ENTRIES,
	};
	ck_assert_ptr_nonnull(table->t.lines);
}

static void table_close(struct table *table)
{
	guard_rates_free(&table->rates);
	free(table->t.lines);
}

/* Sets an entry's packets. created: its tick, which distinguishes a key from the previous one. */
static void table_count(struct table *table, uint32_t entry, uint32_t created, uint64_t passed,
			uint64_t dropped, uint32_t bytes)
{
	struct guard_rec *rec = guard_table_rec(&table->t, entry);

	if (guard_table_name(&table->t, entry)->created != created)
		*rec = (struct guard_rec){ 0 };
	guard_table_name(&table->t, entry)->created = created;
	table->t.lines[entry / GUARD_WAYS].way[entry % GUARD_WAYS] = 1;
	rec->passed += passed;
	rec->dropped += dropped;
	rec->bytes_div4 += bytes / 4;
}

/* Reads the rates as if that many seconds had passed. The few milliseconds since are negligible. */
static size_t table_read(struct table *table, struct guard_busy *busy, size_t max)
{
	table->rates.time -= SECONDS * NS_PER_S;
	return guard_rates_read(&table->rates, &table->t, busy, max);
}

static void expect_rate(const struct guard_busy *b, uint32_t entry, double pps, double drops,
			double bps)
{
	ck_assert_uint_eq(b->entry, entry);
	ck_assert_double_eq_tol(b->pps, pps, pps / 50 + 0.001);
	ck_assert_double_eq_tol(b->drops, drops, drops / 50 + 0.001);
	ck_assert_double_eq_tol(b->bps, bps, bps / 50 + 0.001);
}

START_TEST(rates_by_second)
{
	struct guard_busy busy[4];
	struct table table;

	table_open(&table);
	table_count(&table, 3, 70, 1000000, 500000, 4000000);
	table_count(&table, 5, 71, 7, 0, 400);
	ck_assert(!guard_rates_begin(&table.rates, &table.t));
	table_count(&table, 3, 70, 3 * SECONDS, 1 * SECONDS, 8000 * SECONDS);
	ck_assert_uint_eq(table_read(&table, busy, 4), 1);
	expect_rate(&busy[0], 3, 4, 1, 64000);
	/* Each reading starts the next interval. */
	table_count(&table, 5, 71, 0, 2 * SECONDS, 100 * SECONDS);
	ck_assert_uint_eq(table_read(&table, busy, 4), 1);
	expect_rate(&busy[0], 5, 2, 2, 800);
	ck_assert_uint_eq(table_read(&table, busy, 4), 0);
	table_close(&table);
}
END_TEST

/* The record's bytes wrap, its packets do not. */
START_TEST(rates_when_bytes_wrap)
{
	struct guard_busy busy;
	struct table table;

	table_open(&table);
	table_count(&table, 0, 1, 1, 0, 0);
	guard_table_rec(&table.t, 0)->bytes_div4 = UINT32_MAX - 10;
	ck_assert(!guard_rates_begin(&table.rates, &table.t));
	table_count(&table, 0, 1, SECONDS, 0, 100 * SECONDS);
	ck_assert_uint_eq(table_read(&table, &busy, 1), 1);
	expect_rate(&busy, 0, 1, 0, 800);
	table_close(&table);
}
END_TEST

/* Counts of an entry's previous key are not the new key's, even if they were higher. */
START_TEST(rates_of_another_key)
{
	struct guard_busy busy[4];
	struct table table;

	table_open(&table);
	table_count(&table, 2, 10, 1000 * SECONDS, 1000 * SECONDS, 1000);
	ck_assert(!guard_rates_begin(&table.rates, &table.t));
	table_count(&table, 2, 11, 5 * SECONDS, 0, 500 * SECONDS); /* another key */
	table_count(&table, 9, 12, 2 * SECONDS, 0, 200 * SECONDS); /* in a free entry */
	ck_assert_uint_eq(table_read(&table, busy, 4), 2);
	expect_rate(&busy[0], 2, 5, 0, 4000);
	expect_rate(&busy[1], 9, 2, 0, 1600);
	/* A freed entry is not read. */
	table.t.lines[1].way[1] = 0;
	guard_table_rec(&table.t, 9)->passed += SECONDS;
	ck_assert_uint_eq(table_read(&table, busy, 4), 0);
	table_close(&table);
}
END_TEST

/* The busiest of all entries, in order, for any number and any position. */
START_TEST(busiest_first)
{
	struct guard_busy busy[TABLE_ENTRIES + 1];
	uint32_t order[TABLE_ENTRIES];
	uint64_t seed = (uint64_t)_i + 1;
	struct table table;

	table_open(&table);
	ck_assert(!guard_rates_begin(&table.rates, &table.t));
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		order[i] = i;
	for (uint32_t i = TABLE_ENTRIES - 1; i; i--) {
		uint32_t j = draw_below(&seed, i + 1), other = order[j];

		order[j] = order[i];
		order[i] = other;
	}
	for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
		table_count(&table, order[i], i + 1, (TABLE_ENTRIES - i) * SECONDS, 0, 0);
	for (size_t max = 0; max <= TABLE_ENTRIES + 1; max++) {
		size_t n;

		memset(busy, 0xff, sizeof(busy));
		n = table_read(&table, busy, max);
		ck_assert_uint_eq(n, max < TABLE_ENTRIES ? max : TABLE_ENTRIES);
		for (size_t i = 0; i < n; i++)
			expect_rate(&busy[i], order[i], (double)(TABLE_ENTRIES - i), 0, 0);
		if (n < TABLE_ENTRIES + 1) /* later elements are unchanged */
			ck_assert_uint_eq(busy[n].entry, UINT32_MAX);
		for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
			table_count(&table, order[i], i + 1, (TABLE_ENTRIES - i) * SECONDS, 0, 0);
	}
	table_close(&table);
}
END_TEST

Suite *guard_suite(void)
{
	Suite *s = suite_create("guard");
	TCase *t = tcase_create("guard");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, limits_are_parsed_and_printed, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(t, errors_have_positions, 0, ARRAY_LEN(wrong));
	tcase_add_test(t, open_connections_come_last);
	tcase_add_test(t, connection_limits_ignore_packets);
	tcase_add_test(t, files_are_parsed);
	tcase_add_test(t, too_many_limits_are_refused);
	tcase_add_test(t, random_text_is_safe);
	tcase_add_test(t, rates_by_second);
	tcase_add_test(t, rates_when_bytes_wrap);
	tcase_add_test(t, rates_of_another_key);
	tcase_add_loop_test(t, busiest_first, 0, 8);
	suite_add_tcase(s, t);
	return s;
}
