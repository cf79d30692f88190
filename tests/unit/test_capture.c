/* SPDX-License-Identifier: MIT */
/* The merge of runs of blocks by time: order, limits, runs that go on elsewhere, damage; and the
 * chunks that they come from, on memory that plays the kernel. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "capture/order.h"
#include "tests/unit/suites.h"

enum { BLOCK = 44, RUNS = 4, MANY = 64 };

struct block {
	uint32_t type, len, iface, high, low, rest[6];
};
_Static_assert(sizeof(struct block) == BLOCK, "the shortest block");

static struct block blocks[RUNS][MANY];
static struct block_batch batches[RUNS];

static void put(unsigned int batch, uint64_t time)
{
	struct block *b = &blocks[batch][batches[batch].len / BLOCK];

	*b = (struct block){ 6, BLOCK, batch, (uint32_t)(time >> 32), (uint32_t)time, { 0 } };
	batches[batch].at = (uint8_t *)blocks[batch];
	batches[batch].len += BLOCK;
}

/* What was handed on: times, and in how many calls. */
static struct got {
	uint64_t times[RUNS * MANY];
	unsigned int n, calls, end_after; /* 0: never */
} got;

static int each(const uint8_t *at, size_t len, void *arg)
{
	struct got *g = arg;

	ck_assert_uint_gt(len, 0);
	ck_assert_uint_eq(len % BLOCK, 0);
	for (size_t off = 0; off < len; off += BLOCK) {
		struct block b;

		memcpy(&b, at + off, sizeof(b));
		g->times[g->n++] = (uint64_t)b.high << 32 | b.low;
	}
	return ++g->calls == g->end_after ? 7 : 0;
}

static void reset(void)
{
	memset(batches, 0, sizeof(batches));
	memset(&got, 0, sizeof(got));
}

static void expect(const uint64_t *times, unsigned int n)
{
	ck_assert_uint_eq(got.n, n);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(got.times[i], times[i]);
}

START_TEST(merges)
{
	/* Over the middle of the number's two halves. */
	const uint64_t base = (UINT64_C(5) << 32) - 3;

	reset();
	for (unsigned int i = 0; i < 8; i++)
		put(i % 3 == 2, base + i);
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, each, &got), 0);
	expect((const uint64_t[]){ base, base + 1, base + 2, base + 3, base + 4, base + 5, base + 6,
				   base + 7 },
	       8);
	/* Neighbours of one run go in one call. */
	ck_assert_uint_eq(got.calls, 5);
	ck_assert_uint_eq(batches[0].consumed, batches[0].len);
	ck_assert_uint_eq(batches[1].consumed, batches[1].len);
}
END_TEST

START_TEST(merges_at_random)
{
	uint64_t time[RUNS] = { 0 };

	reset();
	srand(_i);
	for (unsigned int i = 0; i < RUNS * MANY; i++) {
		unsigned int batch = (unsigned int)rand() % RUNS;

		if (batches[batch].len / BLOCK == MANY)
			continue;
		time[batch] += (unsigned int)rand() % 5;
		put(batch, time[batch]);
	}
	ck_assert_int_eq(order_batches(batches, RUNS, UINT64_MAX, each, &got), 0);
	for (unsigned int i = 1; i < got.n; i++)
		ck_assert_uint_le(got.times[i - 1], got.times[i]);
	for (unsigned int i = 0, sum = 0; i < RUNS; i++) {
		sum += batches[i].len / BLOCK;
		ck_assert_uint_eq(batches[i].consumed, batches[i].len);
		ck_assert(i + 1 < RUNS || got.n == sum);
	}
}
END_TEST

/* The limit itself is within; what is beyond stays, and is had later. */
START_TEST(stops_at_limit)
{
	reset();
	for (unsigned int i = 1; i <= 6; i++)
		put(i & 1, i * 10);
	ck_assert_int_eq(order_batches(batches, 2, 9, each, &got), 0);
	ck_assert_uint_eq(got.n, 0);
	ck_assert_int_eq(order_batches(batches, 2, 40, each, &got), 0);
	expect((const uint64_t[]){ 10, 20, 30, 40 }, 4);
	ck_assert_uint_eq(batches[0].consumed, 2 * BLOCK);
	ck_assert_uint_eq(batches[1].consumed, 2 * BLOCK);
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, each, &got), 0);
	expect((const uint64_t[]){ 10, 20, 30, 40, 50, 60 }, 6);
}
END_TEST

/* Behind a run that goes on elsewhere nobody knows what comes next. */
START_TEST(stops_where_a_run_goes_on)
{
	reset();
	put(0, 10);
	put(0, 20);
	put(1, 15);
	put(1, 25);
	put(1, 35);
	batches[0].has_next = true;
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, each, &got), 0);
	expect((const uint64_t[]){ 10, 15, 20 }, 3);
	ck_assert_uint_eq(batches[0].consumed, batches[0].len);
	ck_assert_uint_eq(batches[1].consumed, BLOCK);
}
END_TEST

START_TEST(passes_an_end_on)
{
	reset();
	put(0, 1);
	put(1, 2);
	put(0, 3);
	got.end_after = 2;
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, each, &got), 7);
	expect((const uint64_t[]){ 1, 2 }, 2);
	ck_assert_uint_eq(batches[0].consumed, BLOCK);
	ck_assert_uint_eq(batches[1].consumed, BLOCK);
}
END_TEST

/* Lengths too short for a block and too long for the run; a row that ends within a head. */
START_TEST(refuses_damage)
{
	static const uint32_t lengths[] = { 0, 1, BLOCK - 1, 2 * BLOCK + 1, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		reset();
		put(0, 1);
		put(0, 2);
		blocks[0][0].len = lengths[i];
		ck_assert_int_eq(order_batches(batches, 1, UINT64_MAX, each, &got), -EBADMSG);
		ck_assert_uint_eq(got.n, 0);
	}
	reset();
	put(0, 1);
	batches[0].len = BLOCK - 1;
	ck_assert_int_eq(order_batches(batches, 1, UINT64_MAX, each, &got), 0);
	ck_assert_uint_eq(got.n, 0);
	ck_assert_int_eq(order_batches(batches, 0, UINT64_MAX, each, &got), 0);
}
END_TEST

enum { CPUS = 2, CHUNKS = 2, CHUNK = 4096 };

static struct capture_cpu cpus[CPUS];
static uint8_t memory[CPUS * CHUNKS * CHUNK];
static uint32_t reads[CPUS];
static uint64_t positions[2];
static struct packet_buf packets;

static void reset_packet_buf(void)
{
	memset(cpus, 0, sizeof(cpus));
	memset(reads, 0, sizeof(reads));
	packets = (struct packet_buf){
		.mapped = true,
		.cpus = CPUS,
		.chunks = CHUNKS,
		.chunk_len = CHUNK,
		.cpu = cpus,
		.bytes = memory,
		.released = reads,
		.ring = { .wide = true, .consumer = &positions[0], .producer = &positions[1] }
	};
}

/* As the kernel does: busy while a block is written, then head is behind it. */
static void reserve(unsigned int cpu)
{
	cpus[cpu].busy = 1;
}

static void finish(unsigned int cpu, uint32_t len)
{
	cpus[cpu].head += len;
	cpus[cpu].busy = 0;
}

static void begin_chunk(unsigned int cpu, uint32_t chunk, uint32_t len)
{
	cpus[cpu].final_len[(chunk - 1) % CHUNKS] = (uint32_t)cpus[cpu].head;
	cpus[cpu].head = (uint64_t)chunk << 32 | len;
}

START_TEST(takes_what_is_done)
{
	reset_packet_buf();
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert(!packets.is_writing);
	reserve(1);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert(packets.is_writing);
	finish(1, 100);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert(!packets.is_writing);
	ck_assert_ptr_eq(batches[0].at, memory + CHUNKS * CHUNK);
	ck_assert_uint_eq(batches[0].len, 100);
	ck_assert(batches[0].cpu == 1 && !batches[0].has_next && !batches[0].full);
	/* Half of it is given back; the rest comes again, with what has come since. */
	batches[0].consumed = 60;
	packet_buf_release(&packets, batches, 1);
	reserve(1);
	finish(1, 50);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert_ptr_eq(batches[0].at, memory + CHUNKS * CHUNK + 60);
	ck_assert_uint_eq(batches[0].len, 90);
	batches[0].consumed = 90;
	packet_buf_release(&packets, batches, 1);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert_uint_eq(cpus[1].tail, 0);
}
END_TEST

/* A block that is being written is not there, and that is said: it may be the oldest. */
START_TEST(says_who_writes)
{
	reset_packet_buf();
	reserve(0);
	reserve(1);
	finish(1, 300);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert(packets.is_writing && batches[0].cpu == 1);
	finish(0, 100);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 2);
	ck_assert(!packets.is_writing && batches[0].len == 100);
}
END_TEST

/* A chunk that is over goes back as soon as all of it was used, and the next one follows; round and
 * round, over the end of their numbers. */
START_TEST(goes_round)
{
	reset_packet_buf();
	cpus[0].tail = UINT32_MAX - 2;
	cpus[0].head = (uint64_t)cpus[0].tail << 32;
	for (uint32_t i = 0, chunk = cpus[0].tail; i < 6; i++, chunk++) {
		uint32_t slot = chunk % CHUNKS;

		if (!i)
			finish(0, 1000);
		begin_chunk(0, chunk + 1, 1000);
		ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
		ck_assert_ptr_eq(batches[0].at, memory + (size_t)slot * CHUNK);
		ck_assert(batches[0].len == 1000 && batches[0].has_next && batches[0].full);
		batches[0].consumed = 400;
		packet_buf_release(&packets, batches, 1);
		ck_assert_uint_eq(cpus[0].tail, chunk);
		ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
		ck_assert(batches[0].len == 600 && batches[0].has_next && !batches[0].full);
		batches[0].consumed = 600;
		packet_buf_release(&packets, batches, 1);
		ck_assert_uint_eq(cpus[0].tail, chunk + 1);
	}
}
END_TEST

/* A chunk was read to its end before it was over: nothing is left of it, and it goes back. */
START_TEST(gives_empty_back)
{
	reset_packet_buf();
	reserve(0);
	finish(0, 1000);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	batches[0].consumed = 1000;
	packet_buf_release(&packets, batches, 1);
	begin_chunk(0, 1, 500);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert_uint_eq(cpus[0].tail, 1);
	ck_assert(batches[0].at == memory + CHUNK && batches[0].len == 500 && !batches[0].has_next);
}
END_TEST

Suite *capture_suite(void)
{
	Suite *s = suite_create("capture");
	TCase *t = tcase_create("order");

	tcase_add_test(t, merges);
	tcase_add_loop_test(t, merges_at_random, 0, 20);
	tcase_add_test(t, stops_at_limit);
	tcase_add_test(t, stops_where_a_run_goes_on);
	tcase_add_test(t, passes_an_end_on);
	tcase_add_test(t, refuses_damage);
	suite_add_tcase(s, t);
	t = tcase_create("packet_buf");
	tcase_add_test(t, takes_what_is_done);
	tcase_add_test(t, says_who_writes);
	tcase_add_test(t, goes_round);
	tcase_add_test(t, gives_empty_back);
	suite_add_tcase(s, t);
	return s;
}
