/* SPDX-License-Identifier: MIT */
/* How trace processes its records: DNS queries and answers paired, sums, supported filters. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "filter/filter.h"
#include "gen/dns.gen.h"
#include "gen/sock_calls.gen.h"
#include "gen/tcp_events.gen.h"
#include "gen/tls.gen.h"
#include "gen/trace.gen.h"
#include "resolve/names.h"
#include "tests/lib/craft.h"
#include "tests/unit/suites.h"
#include "trace/dns_pairs.h"
#include "trace/load.h"
#include "trace/summary.h"
#include "trace/trace.h"

#define MS UINT64_C(1000000)

enum { PORT = 40000 };

static struct trace_dns_table table;

static void open_table(void)
{
	ck_assert_int_eq(trace_dns_open(&table), 0);
}

static void close_table(void)
{
	trace_dns_close(&table);
}

/* A message about example.org to or from a local port: a query, or an answer with an address. */
static struct trace_message make_message(uint16_t id, uint16_t port, uint64_t time, bool answer)
{
	struct trace_message m = { .head = { .kind = TRACE_DNS,
					     .time = time,
					     .family = 4,
					     .proto = 17,
					     .local = { 192, 0, 2, 1 },
					     .remote = { 192, 0, 2, 53 },
					     .lport = port,
					     .rport = 53 } };
	struct craft c = { .big = true };

	craft_16(&c, id);
	craft_16(&c, answer ? 0x8180 : 0x0100);
	craft_16(&c, 1);
	craft_16(&c, answer);
	craft_32(&c, 0);
	buf_add(&c.b, "\7example\3org", 13);
	craft_16(&c, 1);
	craft_16(&c, 1);
	if (answer) {
		craft_16(&c, 0xc00c);
		craft_16(&c, 1);
		craft_16(&c, 1);
		craft_32(&c, 60);
		craft_16(&c, 4);
		craft_32(&c, 0xc6336407); /* 198.51.100.7 */
	}
	memcpy(m.bytes, c.b.data, c.b.len);
	m.head.bytes = (uint32_t)c.b.len;
	buf_free(&c.b);
	return m;
}

static bool add_query(uint16_t id, uint16_t port, uint64_t time)
{
	struct trace_message m = make_message(id, port, time, false);
	struct trace_dns done;

	return trace_dns_add(&table, &m, &done);
}

static bool add_answer(uint16_t id, uint16_t port, uint64_t time, struct trace_dns *done)
{
	struct trace_message m = make_message(id, port, time, true);

	return trace_dns_add(&table, &m, done);
}

START_TEST(pairs_answers)
{
	struct trace_dns done;

	ck_assert(!add_query(7, PORT, 100 * MS));
	ck_assert(add_answer(7, PORT, 130 * MS, &done));
	ck_assert(done.answered);
	ck_assert_uint_eq(done.query_ns, 100 * MS);
	ck_assert_uint_eq(done.head.time, 130 * MS);
	ck_assert_uint_eq(done.queries, 1);
	ck_assert_str_eq(done.msg.name, "example.org");
	ck_assert_str_eq(done.msg.answers, "198.51.100.7");
	/* the pair is complete: the same answer again has no query */
	ck_assert(add_answer(7, PORT, 131 * MS, &done));
	ck_assert_uint_eq(done.query_ns, 0);
	ck_assert_uint_eq(table.evicted, 0);
	ck_assert_uint_eq(trace_dns_deadline(&table), UINT64_MAX);
}
END_TEST

/* The same packet on another interface is not a second query. A later one is. */
START_TEST(counts_repeated_queries)
{
	struct trace_dns done;

	ck_assert(!add_query(7, PORT, 100 * MS));
	ck_assert(!add_query(7, PORT, 110 * MS - 1));
	ck_assert(!add_query(7, PORT, 110 * MS));
	ck_assert(!add_query(7, PORT, 2000 * MS));
	ck_assert(add_answer(7, PORT, 2001 * MS, &done));
	ck_assert_uint_eq(done.queries, 3);
	ck_assert_uint_eq(done.query_ns, 100 * MS); /* latency counts from the first */
}
END_TEST

/* Each differs from the query in one field and does not answer it. */
START_TEST(foreign_answers_are_ignored)
{
	struct trace_dns done;
	struct trace_message m = make_message(7, PORT, 110 * MS, true);

	ck_assert(!add_query(7, PORT, 100 * MS));
	switch (_i) {
	case 0:
		m.bytes[1] = 8; /* another id */
		break;
	case 1:
		m.head.lport++;
		break;
	case 2:
		m.head.rport++;
		break;
	case 3:
		m.head.local[3]++;
		break;
	case 4:
		m.head.remote[3]++;
		break;
	case 5:
		m.head.proto = 6;
		break;
	default:
		m.head.family = 6;
		break;
	}
	ck_assert(trace_dns_add(&table, &m, &done));
	ck_assert(done.answered);
	ck_assert_uint_eq(done.query_ns, 0);
	ck_assert_uint_eq(done.queries, 0);
	/* the query still waits for its own answer */
	ck_assert(add_answer(7, PORT, 120 * MS, &done));
	ck_assert_uint_eq(done.query_ns, 100 * MS);
}
END_TEST

START_TEST(ignores_other_messages)
{
	struct trace_message m = make_message(7, PORT, 100 * MS, true);
	struct trace_dns done;

	m.head.bytes = 11; /* shorter than a header */
	ck_assert(!trace_dns_add(&table, &m, &done));
	m.head.bytes = 0;
	ck_assert(!trace_dns_add(&table, &m, &done));
	m.head.bytes = UINT32_MAX; /* longer than a record */
	trace_dns_add(&table, &m, &done);
	ck_assert_uint_eq(trace_dns_deadline(&table), UINT64_MAX);
}
END_TEST

START_TEST(queries_expire)
{
	const uint64_t timeout = TRACE_DNS_TIMEOUT_S * NS_PER_S;
	struct trace_dns done;

	ck_assert(!trace_dns_expire(&table, UINT64_MAX, &done));
	ck_assert(!add_query(7, PORT, 300 * MS));
	ck_assert(!add_query(8, PORT, 100 * MS));
	ck_assert_uint_eq(trace_dns_deadline(&table), 100 * MS + timeout);
	ck_assert(!trace_dns_expire(&table, 100 * MS + timeout - 1, &done));
	ck_assert(trace_dns_expire(&table, 100 * MS + timeout, &done));
	ck_assert(!done.answered);
	ck_assert_uint_eq(done.msg.id, 8);
	ck_assert_uint_eq(done.query_ns, 100 * MS);
	ck_assert_uint_eq(done.head.time, 100 * MS + timeout);
	ck_assert(!trace_dns_expire(&table, 100 * MS + timeout, &done));
	ck_assert_uint_eq(trace_dns_deadline(&table), 300 * MS + timeout);
	/* an answer after that finds no query */
	ck_assert(add_answer(8, PORT, 6000 * MS, &done));
	ck_assert_uint_eq(done.query_ns, 0);
	/* when a trace ends, every query has waited long enough */
	ck_assert(trace_dns_expire(&table, UINT64_MAX, &done));
	ck_assert_uint_eq(done.msg.id, 7);
	ck_assert(!trace_dns_expire(&table, UINT64_MAX, &done));
}
END_TEST

/* More queries than fit: the oldest are evicted and counted, and no others are lost. */
START_TEST(full_table_evicts_the_oldest)
{
	enum { QUERIES = 3 * TRACE_DNS_SLOTS };
	uint32_t found = 0, waiting = 0;
	struct trace_dns done;

	for (uint32_t i = 0; i < QUERIES; i++)
		ck_assert(!add_query((uint16_t)i, (uint16_t)(1024 + i / 16), (i + 1) * MS));
	ck_assert_uint_ge(table.evicted, QUERIES - TRACE_DNS_SLOTS);
	for (uint32_t i = 0; i < QUERIES; i++) {
		ck_assert(add_answer((uint16_t)i, (uint16_t)(1024 + i / 16), QUERIES * MS, &done));
		found += done.query_ns != 0;
		if (done.query_ns)
			ck_assert_uint_eq(done.query_ns, (i + 1) * MS);
		/* the last ones cannot have been the oldest of a bucket */
		if (i >= QUERIES - TRACE_DNS_BUCKET)
			ck_assert_uint_ne(done.query_ns, 0);
	}
	while (trace_dns_expire(&table, UINT64_MAX, &done))
		waiting++;
	ck_assert_uint_eq(found + table.evicted, QUERIES);
	ck_assert_uint_eq(waiting, 0);
}
END_TEST

/* Queries with the same hash share a bucket. The oldest is evicted at any position. */
START_TEST(full_bucket_evicts_the_oldest)
{
	static const uint8_t order[TRACE_DNS_BUCKET] = { 5, 3, 8, 1, 6, 2, 7, 4 };
	struct trace_message m;
	struct trace_dns done;

	for (int i = 0; i <= TRACE_DNS_BUCKET; i++) {
		m = make_message(7, PORT, (i < TRACE_DNS_BUCKET ? order[i] : 100u) * MS, false);
		m.head.local[3] = (uint8_t)(10 + i);
		ck_assert(!trace_dns_add(&table, &m, &done));
	}
	ck_assert_uint_eq(table.evicted, 1);
	for (int i = 0; i <= TRACE_DNS_BUCKET; i++) {
		m = make_message(7, PORT, 200 * MS, true);
		m.head.local[3] = (uint8_t)(10 + i);
		ck_assert(trace_dns_add(&table, &m, &done));
		ck_assert_uint_eq(done.query_ns == 0, i == 3);
	}
}
END_TEST

static struct trace_sum sum;

static void open_sum(void)
{
	ck_assert_int_eq(trace_sum_open(&sum, TRACE_SUM_BY_ADDRESS), 0);
}

static void close_sum(void)
{
	trace_sum_close(&sum);
}

static struct trace_event make_event(enum trace_kind kind, uint8_t flags, uint16_t rport)
{
	return (struct trace_event){ .head = { .kind = (uint8_t)kind,
					       .flags = flags,
					       .family = 4,
					       .time = NS_PER_S,
					       .local = { 192, 0, 2, 1 },
					       .remote = { 192, 0, 2, 2 },
					       .lport = 8080,
					       .rport = rport } };
}

static void add_event(enum trace_kind kind, uint8_t flags, uint16_t rport,
		      struct trace_detail detail)
{
	struct trace_event e = make_event(kind, flags, rport);

	e.detail = detail;
	trace_sum_add(&sum, &e.head);
}

/* By destination: the remote end of connects, the local end of accepts. */
START_TEST(sums_by_destination)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];

	for (int i = 0; i < 3; i++)
		add_event(TRACE_CONNECT, TRACE_OUTGOING, 443, (struct trace_detail){ 0 });
	add_event(TRACE_CONNECT, TRACE_OUTGOING, 443,
		  (struct trace_detail){ .error = ECONNREFUSED });
	add_event(TRACE_CLOSE, TRACE_OUTGOING, 443,
		  (struct trace_detail){ .sent = 10, .received = 20, .retransmits = 1 });
	add_event(TRACE_CLOSE, TRACE_OUTGOING, 443,
		  (struct trace_detail){ .sent = 1, .received = 2, .retransmits = 3 });
	/* clients' ports differ, the destination is the same */
	add_event(TRACE_ACCEPT, TRACE_INCOMING, 50001, (struct trace_detail){ 0 });
	add_event(TRACE_ACCEPT, TRACE_INCOMING, 50002, (struct trace_detail){ 0 });
	/* other kinds are not summed */
	add_event(TRACE_RETRANSMIT, TRACE_OUTGOING, 443, (struct trace_detail){ .retransmits = 9 });
	add_event(TRACE_STATE, TRACE_OUTGOING, 444, (struct trace_detail){ 0 });
	ck_assert_uint_eq(trace_sum_sort(&sum, order), 2);
	ck_assert_uint_eq(order[0]->port, 443);
	ck_assert_mem_eq(order[0]->addr, ((uint8_t[]){ 192, 0, 2, 2 }), 4);
	ck_assert(order[0]->outgoing && !order[0]->incoming);
	ck_assert_uint_eq(order[0]->opened, 3);
	ck_assert_uint_eq(order[0]->failed, 1);
	ck_assert_uint_eq(order[0]->closed, 2);
	ck_assert_uint_eq(order[0]->sent, 11);
	ck_assert_uint_eq(order[0]->received, 22);
	ck_assert_uint_eq(order[0]->retransmits, 4);
	ck_assert_uint_eq(order[1]->port, 8080);
	ck_assert_mem_eq(order[1]->addr, ((uint8_t[]){ 192, 0, 2, 1 }), 4);
	ck_assert(order[1]->incoming && !order[1]->outgoing);
	ck_assert_uint_eq(order[1]->opened, 2);
	for (int i = 0; i < TRACE_SUM_OTHERS; i++)
		ck_assert(!sum.dests[TRACE_SUM_DESTS + i].used);
}
END_TEST

/* A bin is a quarter of a power of two, so a percentile is off by at most an eighth. */
START_TEST(percentiles_are_close)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];

	for (uint64_t i = 1; i <= 1000; i++)
		add_event(TRACE_CONNECT, TRACE_OUTGOING, 443,
			  (struct trace_detail){ .start_ns = NS_PER_S - i * MS / 10 });
	ck_assert_uint_eq(trace_sum_sort(&sum, order), 1);
	for (int p = 5; p < 100; p++) {
		double got = trace_dest_percentile(order[0], p / 100.0), want = p * 1e6;

		ck_assert_msg(got > 0.85 * want && got < 1.15 * want, "%d %%: %f, not %f", p, got,
			      want);
	}
}
END_TEST

/* Events without a time do not count: unknown starts, failures, listens, accepts. */
START_TEST(missing_times_do_not_count)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];

	add_event(TRACE_CONNECT, TRACE_OUTGOING, 443, (struct trace_detail){ 0 });
	add_event(TRACE_CONNECT, TRACE_OUTGOING, 443,
		  (struct trace_detail){ .start_ns = 1, .error = ETIMEDOUT });
	add_event(TRACE_ACCEPT, TRACE_OUTGOING | TRACE_BY_LISTENER, 443,
		  (struct trace_detail){ .start_ns = 1 });
	ck_assert_uint_eq(trace_sum_sort(&sum, order), 1);
	ck_assert(isnan(trace_dest_percentile(order[0], 0.5)));
}
END_TEST

/* The longest and the shortest times have a bin, too. */
START_TEST(extreme_times_have_bins)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];
	struct trace_event e = make_event(TRACE_CONNECT, TRACE_OUTGOING, 443);

	e.head.time = UINT64_MAX;
	e.detail.start_ns = 1;
	trace_sum_add(&sum, &e.head);
	ck_assert_uint_eq(trace_sum_sort(&sum, order), 1);
	ck_assert_double_gt(trace_dest_percentile(order[0], 0.5), 3600e9 / 8);
	for (int i = 0; i < 3; i++) {
		e.head.time = e.detail.start_ns; /* 0 ns */
		trace_sum_add(&sum, &e.head);
	}
	ck_assert_double_eq(trace_dest_percentile(order[0], 0.5), 0);
}
END_TEST

/* More destinations than fit are summed together, and none is lost. */
START_TEST(sums_others)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];
	uint64_t opened = 0;
	size_t n;

	for (uint32_t i = 0; i < 3 * TRACE_SUM_DESTS; i++)
		add_event(TRACE_CONNECT, TRACE_OUTGOING, (uint16_t)(1 + i),
			  (struct trace_detail){ 0 });
	for (int i = 0; i < 5; i++)
		add_event(TRACE_CONNECT, TRACE_OUTGOING, 1, (struct trace_detail){ 0 });
	ck_assert(sum.dests[TRACE_SUM_DESTS].used && sum.dests[TRACE_SUM_DESTS].outgoing);
	ck_assert(!sum.dests[TRACE_SUM_DESTS + 1].used && !sum.dests[TRACE_SUM_DESTS + 2].used);
	n = trace_sum_sort(&sum, order);
	ck_assert_uint_le(n, TRACE_SUM_DESTS);
	ck_assert_uint_eq(order[0]->port, 1);
	ck_assert_uint_eq(order[0]->opened, 6);
	for (size_t i = 0; i < n; i++)
		opened += order[i]->opened;
	ck_assert_uint_gt(sum.dests[TRACE_SUM_DESTS].opened, 0);
	ck_assert_uint_eq(opened + sum.dests[TRACE_SUM_DESTS].opened, 3 * TRACE_SUM_DESTS + 5);
}
END_TEST

/* By port, all addresses are one destination. The two directions are separate. */
START_TEST(sums_by_port)
{
	const struct trace_dest *order[TRACE_SUM_DESTS];
	struct trace_event e = make_event(TRACE_CONNECT, TRACE_OUTGOING, 443);

	close_sum();
	ck_assert_int_eq(trace_sum_open(&sum, TRACE_SUM_BY_PORT), 0);
	for (uint8_t i = 0; i < 5; i++) {
		e.head.remote[3] = i;
		e.head.family = i % 2 ? 4 : 6;
		trace_sum_add(&sum, &e.head);
	}
	add_event(TRACE_ACCEPT, TRACE_INCOMING, 50001, (struct trace_detail){ 0 });
	ck_assert_uint_eq(trace_sum_sort(&sum, order), 2);
	ck_assert_uint_eq(order[0]->port, 443);
	ck_assert_uint_eq(order[0]->opened, 5);
	ck_assert_uint_eq(order[0]->family, 0);
	ck_assert(order[0]->outgoing && !order[0]->incoming);
	ck_assert_uint_eq(order[1]->port, 8080);
	ck_assert(order[1]->incoming);
}
END_TEST

/* Filters that apply to connections and to processes, and the messages for others. */
static const struct {
	const char *text;
	const char *connections, *processes; /* NULL: fits */
} filters[] = {
	{ "pid 1", NULL, NULL },
	{ "comm curl", NULL, NULL },
	{ "host 192.0.2.1", NULL, "processes only have" },
	{ "tcp dst port 443", NULL, "processes only have" },
	{ "inbound", NULL, "processes only have" },
	{ "iface lo", NULL, "processes only have" },
	{ "tcp[13] & 2 != 0", "connections only have", "processes only have" },
	{ "vlan 5", "connections only have", "processes only have" },
	{ "pid 1 or dns example.org", "connections only have", "processes only have" },
	{ "inner host 192.0.2.1", "connections only have", "processes only have" },
	{ "verdict drop", "connections only have", "processes only have" },
};

static void check_fit(int rc, const struct diag *why, const char *message, const char *text)
{
	ck_assert_msg(rc == (message ? -EINVAL : 0), "%s: %d %s", text, rc, why->msg);
	if (message)
		ck_assert_msg(strstr(why->msg, message), "%s: %s", text, why->msg);
}

START_TEST(unsupported_filters_are_refused)
{
	struct diag why = { 0 };
	struct filter f = { 0 };

	ck_assert_msg(!filter_parse(&f, filters[_i].text, &resolve_names, &why), "%s: %s",
		      filters[_i].text, why.msg);
	check_fit(trace_filter_check(&f, &why), &why, filters[_i].connections, filters[_i].text);
	check_fit(trace_filter_check_owners(&f, &why), &why, filters[_i].processes,
		  filters[_i].text);
	filter_close(&f);
}
END_TEST

static bool has_map(const struct spec *spec, const char *name)
{
	for (uint32_t i = 0; i < spec->nmaps; i++)
		if (!strcmp(spec->maps[i].name, name))
			return true;
	return false;
}

/* A map shared by name exists in several objects. */
START_TEST(shared_maps_exist)
{
	static const struct spec *const specs[] = { &sock_calls_spec, &trace_spec, &tcp_events_spec,
						    &dns_spec, &tls_spec };
	int users = 0;

	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		users += has_map(specs[i], trace_shared_names[_i]);
	ck_assert_msg(users > 1, "%s is in %d objects", trace_shared_names[_i], users);
}
END_TEST

Suite *trace_suite(void)
{
	Suite *s = suite_create("trace");
	TCase *t = tcase_create("dns_pairs");

	tcase_add_checked_fixture(t, open_table, close_table);
	tcase_add_test(t, pairs_answers);
	tcase_add_test(t, counts_repeated_queries);
	tcase_add_loop_test(t, foreign_answers_are_ignored, 0, 7);
	tcase_add_test(t, ignores_other_messages);
	tcase_add_test(t, queries_expire);
	tcase_add_test(t, full_table_evicts_the_oldest);
	tcase_add_test(t, full_bucket_evicts_the_oldest);
	suite_add_tcase(s, t);
	t = tcase_create("summary");
	tcase_add_checked_fixture(t, open_sum, close_sum);
	tcase_add_test(t, sums_by_destination);
	tcase_add_test(t, percentiles_are_close);
	tcase_add_test(t, missing_times_do_not_count);
	tcase_add_test(t, extreme_times_have_bins);
	tcase_add_test(t, sums_others);
	tcase_add_test(t, sums_by_port);
	suite_add_tcase(s, t);
	t = tcase_create("programs");
	tcase_add_loop_test(t, unsupported_filters_are_refused, 0, ARRAY_LEN(filters));
	tcase_add_loop_test(t, shared_maps_exist, 0, TRACE_SHARED);
	suite_add_tcase(s, t);
	return s;
}
