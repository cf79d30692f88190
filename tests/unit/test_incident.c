/* SPDX-License-Identifier: MIT */
/* Samples of incidents: their packets, file names, limits of requests, contents of files. */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "incident/request.h"
#include "incident/sample.h"
#include "resolve/names.h"
#include "tests/lib/craft.h"
#include "tests/unit/suites.h"

START_TEST(files_are_named)
{
	const struct {
		const char *iface;
		uint64_t seconds;
		const char *name;
	} cases[] = {
		{ "eth0", 0, "eth0-19700101T000000Z.pcapng" },
		{ "eth0.5", 951782399, "eth0.5-20000228T235959Z.pcapng" },
		{ "fifteen-letters", INT32_MAX, "fifteen-letters-20380119T031407Z.pcapng" },
	};
	char name[SAMPLE_NAME];

	/* the host's time zone does not matter */
	setenv("TZ", "XYZ-5", 1);
	sample_name(name, cases[_i].iface, cases[_i].seconds * NS_PER_S + 999999999);
	ck_assert_str_eq(name, cases[_i].name);
}
END_TEST

/* A request holds a limited number of entries, in order. */
START_TEST(requests_are_limited)
{
	const struct guard_busy busy[] = {
		{ .entry = 9 }, { .entry = 5 }, { .entry = 7 }, { .entry = 6 }
	};
	struct sample_request r;

	for (size_t n = 0; n <= 4; n++) {
		r = sample_request_of(2, busy, n);
		ck_assert_uint_eq(r.view, 2);
		ck_assert_uint_eq(r.n, n < GUARD_BUSIEST ? n : GUARD_BUSIEST);
		for (uint32_t i = 0; i < r.n; i++)
			ck_assert_uint_eq(r.entry[i], busy[i].entry);
	}
}
END_TEST

/* The sampler validates everything it receives. */
START_TEST(requests_are_validated)
{
	struct guard_view at[2] = { { .table.entries = 8 }, { .table.entries = 16 } };
	const struct guard_views views = { .at = at, .n = 2 };
	const struct {
		struct sample_request r;
		bool valid;
	} cases[] = {
		{ { .view = 0 }, true },
		{ { .view = 1, .n = 3, .entry = { 0, 15, 7 } }, true },
		{ { .view = 0, .n = 3, .entry = { 0, 7, 7 } }, true },
		{ { .view = 2 }, false },
		{ { .view = UINT32_MAX }, false },
		{ { .view = 0, .n = 4 }, false },
		{ { .view = 0, .n = UINT32_MAX }, false },
		{ { .view = 0, .n = 1, .entry = { 8 } }, false },
		{ { .view = 0, .n = 3, .entry = { 0, 0, UINT32_MAX } }, false },
		{ { .view = 1, .n = 3, .entry = { 16, 0, 0 } }, false },
		{ { .view = 1, .n = 2, .entry = { 0, 0, 99 } }, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		ck_assert_msg(sample_request_is_valid(&cases[i].r, &views) == cases[i].valid,
			      "case %zu", i);
}
END_TEST

/* A guard with a table of eight entries, named below. */
static struct guard_line lines[GUARD_SIZE(0)];

static struct guard_view make_view(enum hook hook, bool enforce, bool has_observer)
{
	static struct gate_conf conf;
	struct guard_view v = { .install.current.hook = hook };

	memset(lines, 0, sizeof(lines));
	conf.guard.lines = 0;
	v.install.conf.guard.enforce = enforce;
	v.install.conf.has_observer = has_observer;
	v.table = (struct guard_table){ .conf = &conf.guard, .lines = lines, .entries = 8 };
	return v;
}

static void name_entry(struct guard_view *v, uint32_t entry, struct guard_name name)
{
	*guard_table_name(&v->table, entry) = name;
}

static uint32_t make_ipv4(uint8_t last)
{
	const uint8_t bytes[] = { 192, 0, 2, last };
	uint32_t address;

	memcpy(&address, bytes, sizeof(address));
	return address;
}

/* Compares the expression of a sample, which must parse as a filter. */
static void expect_filter(const struct guard_view *v, const uint32_t *entries, uint32_t n,
			  const char *text)
{
	struct filter filter = { 0 };
	struct diag diag = { 0 };
	struct buf expr = { 0 };

	sample_append_filter(v, entries, n, &expr);
	ck_assert_str_eq(expr.data, text);
	ck_assert_msg(!filter_parse(&filter, expr.data, &resolve_names, &diag), "%s: %s", text,
		      diag.msg);
	filter_close(&filter);
	buf_free(&expr);
}

START_TEST(packets_are_selected)
{
	struct guard_view v = make_view(HOOK_XDP_NATIVE, true, true);
	const uint32_t all[] = { 0, 1, 2 };

	name_entry(&v, 0,
		   (struct guard_name){
			   .addr = { make_ipv4(1) }, .key = GUARD_SRC, .family = 4, .bits = 32 });
	name_entry(&v, 1,
		   (struct guard_name){
			   .addr = { make_ipv4(2) }, .key = GUARD_DST, .family = 4, .bits = 32 });
	name_entry(&v, 2,
		   (struct guard_name){
			   .addr = { make_ipv4(0) }, .key = GUARD_SRC, .family = 4, .bits = 24 });
	/* the gate reports its drops */
	expect_filter(&v, all, 3, "verdict drop");
	expect_filter(&v, all, 0, "verdict drop");
	/* it drops nothing, has no slot for observers, or is at tc: the busiest sources */
	for (int i = 0; i < 3; i++) {
		v.install.conf.guard.enforce = i != 0;
		v.install.conf.has_observer = i != 1;
		v.install.current.hook = i == 2 ? HOOK_TCX : HOOK_XDP_GENERIC;
		expect_filter(&v, all, 3, "src net 192.0.2.1 or src net 192.0.2.0/24");
		expect_filter(&v, all, 1, "src net 192.0.2.1");
		/* no source can be expressed: every packet */
		expect_filter(&v, &all[1], 1, "");
		expect_filter(&v, all, 0, "");
	}
}
END_TEST

enum { CPUS = 2, CHUNKS = 2, CHUNK = 4096, PAGE = 4096 };

static void *map_memory(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(at, MAP_FAILED);
	return at;
}

/* A session whose packets are written by the test instead of kernel programs. It is closed as
 * usual. */
static void open_session(struct capture_session *session)
{
	struct packet_buf *pb = &session->packets;
	uint8_t *ring = map_memory(2 * PAGE);

	session->n = 1;
	session->ifaces = calloc(1, sizeof(*session->ifaces));
	session->ifaces[0] = calloc(1, sizeof(**session->ifaces));
	pb->mapped = true;
	pb->cpus = CPUS;
	pb->chunks = CHUNKS;
	pb->chunk_len = CHUNK;
	pb->cpu = map_memory(PAGE);
	pb->bytes = map_memory((size_t)CPUS * CHUNKS * CHUNK);
	pb->released = calloc(CPUS, sizeof(*pb->released));
	pb->ring = (struct ring){ .wide = true, .page = PAGE, .mask = PAGE - 1 };
	pb->ring.consumer = map_memory(PAGE);
	pb->ring.producer = ring;
	pb->ring.data = ring + PAGE;
}

/* Writes as the kernel does: at the CPU's head, or at the start of the next chunk. */
static void write_block(struct packet_buf *pb, unsigned int cpu, uint64_t time, bool next_chunk)
{
	const struct frame f = { .data = (const uint8_t *)"0123456789abcd",
				 .caplen = 14,
				 .len = 14,
				 .time_ns = time,
				 .link = FRAME_ETHERNET };
	struct capture_cpu *c = &pb->cpu[cpu];
	struct buf b = { 0 };
	uint64_t chunk;

	if (next_chunk) {
		c->final_len[(c->head >> 32) % CHUNKS] = (uint32_t)c->head;
		c->head = ((c->head >> 32) + 1) << 32;
	}
	chunk = cpu * CHUNKS + (c->head >> 32);
	capfile_put_packet(&b, &f);
	memcpy(pb->bytes + chunk * CHUNK + (uint32_t)c->head, b.data, b.len);
	c->head += b.len;
	buf_free(&b);
}

static int on_frame(const struct frame *f, void *arg)
{
	uint64_t *next = arg;

	ck_assert_uint_eq(f->time_ns, *next);
	(*next)++;
	return 0;
}

enum { FIRST = 100, PACKETS = 20 };

static int end_sample(struct guard_sample *s)
{
	open_session(&s->session);
	for (unsigned int i = 0; i < PACKETS; i++)
		write_block(&s->session.packets, i % 3 == 1, FIRST + i, i == PACKETS / 2);
	return guard_sample_end(s);
}

/* All packets of all CPUs and chunks, in order of time. */
START_TEST(packets_are_written_in_order)
{
	struct guard_sample s = { .fd = memfd_create("sample", 0) };
	const struct capfile_iface iface = { .link = FRAME_ETHERNET };
	struct capfile c = { 0 };
	uint64_t next = FIRST;
	struct buf b = { 0 };

	ck_assert_int_eq(end_sample(&s), 0);
	capfile_put_section(&b, NULL);
	capfile_put_iface(&b, &iface, NULL);
	ck_assert_int_eq(lseek(s.fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(buf_read(&b, s.fd, 0), 0);
	ck_assert_int_eq(capfile_feed(&c, b.data, b.len, on_frame, &next), 0);
	ck_assert_int_eq(capfile_end(&c), 0);
	ck_assert_uint_eq(next, FIRST + PACKETS);
	capfile_close(&c);
	buf_free(&b);
	close(s.fd);
}
END_TEST

/* A failed write is an error. Nothing is written after the first one. */
START_TEST(the_first_error_is_kept)
{
	struct guard_sample s = { .fd = -1 };

	ck_assert_int_eq(end_sample(&s), -EBADF);
	s = (struct guard_sample){ .fd = memfd_create("sample", 0), .rc = -ENOSPC };
	ck_assert_int_eq(end_sample(&s), -ENOSPC);
	ck_assert_int_eq(lseek(s.fd, 0, SEEK_END), 0);
	close(s.fd);
}
END_TEST

Suite *incident_suite(void)
{
	Suite *s = suite_create("incident");
	TCase *t = tcase_create("requests");

	tcase_add_loop_test(t, files_are_named, 0, 3);
	tcase_add_test(t, requests_are_limited);
	tcase_add_test(t, requests_are_validated);
	tcase_add_test(t, packets_are_selected);
	suite_add_tcase(s, t);
	t = tcase_create("samples");
	tcase_add_test(t, packets_are_written_in_order);
	tcase_add_test(t, the_first_error_is_kept);
	suite_add_tcase(s, t);
	return s;
}
