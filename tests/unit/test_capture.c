/* SPDX-License-Identifier: MIT */
/* Batches of blocks are merged by time: order, limits, batches that continue, damage. The chunks
 * they come from are in memory written by the test instead of the kernel. */
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

static void put_block(unsigned int batch, uint64_t time)
{
	struct block *b = &blocks[batch][batches[batch].len / BLOCK];

	*b = (struct block){ 6, BLOCK, batch, (uint32_t)(time >> 32), (uint32_t)time, { 0 } };
	batches[batch].at = (uint8_t *)blocks[batch];
	batches[batch].len += BLOCK;
}

/* The emitted times, and the number of calls. */
static struct got {
	uint64_t times[RUNS * MANY];
	unsigned int n, calls, end_after; /* 0: never */
} got;

static int on_blocks(const uint8_t *at, size_t len, void *arg)
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

static void reset_batches(void)
{
	memset(batches, 0, sizeof(batches));
	memset(&got, 0, sizeof(got));
}

static void expect_times(const uint64_t *times, unsigned int n)
{
	ck_assert_uint_eq(got.n, n);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_uint_eq(got.times[i], times[i]);
}

START_TEST(merges_by_time)
{
	/* The base crosses a boundary of the lower 32 bits. */
	const uint64_t base = (UINT64_C(5) << 32) - 3;

	reset_batches();
	for (unsigned int i = 0; i < 8; i++)
		put_block(i % 3 == 2, base + i);
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, on_blocks, &got), 0);
	expect_times((const uint64_t[]){ base, base + 1, base + 2, base + 3, base + 4, base + 5,
					 base + 6, base + 7 },
		     8);
	/* Adjacent blocks of one batch are emitted in one call. */
	ck_assert_uint_eq(got.calls, 5);
	ck_assert_uint_eq(batches[0].consumed, batches[0].len);
	ck_assert_uint_eq(batches[1].consumed, batches[1].len);
}
END_TEST

START_TEST(merges_random_batches)
{
	uint64_t time[RUNS] = { 0 };

	reset_batches();
	srand(_i);
	for (unsigned int i = 0; i < RUNS * MANY; i++) {
		unsigned int batch = (unsigned int)rand() % RUNS;

		if (batches[batch].len / BLOCK == MANY)
			continue;
		time[batch] += (unsigned int)rand() % 5;
		put_block(batch, time[batch]);
	}
	ck_assert_int_eq(order_batches(batches, RUNS, UINT64_MAX, on_blocks, &got), 0);
	for (unsigned int i = 1; i < got.n; i++)
		ck_assert_uint_le(got.times[i - 1], got.times[i]);
	for (unsigned int i = 0, sum = 0; i < RUNS; i++) {
		sum += batches[i].len / BLOCK;
		ck_assert_uint_eq(batches[i].consumed, batches[i].len);
		ck_assert(i + 1 < RUNS || got.n == sum);
	}
}
END_TEST

/* The limit is inclusive. Later blocks stay and are emitted later. */
START_TEST(stops_at_limit)
{
	reset_batches();
	for (unsigned int i = 1; i <= 6; i++)
		put_block(i & 1, i * 10);
	ck_assert_int_eq(order_batches(batches, 2, 9, on_blocks, &got), 0);
	ck_assert_uint_eq(got.n, 0);
	ck_assert_int_eq(order_batches(batches, 2, 40, on_blocks, &got), 0);
	expect_times((const uint64_t[]){ 10, 20, 30, 40 }, 4);
	ck_assert_uint_eq(batches[0].consumed, 2 * BLOCK);
	ck_assert_uint_eq(batches[1].consumed, 2 * BLOCK);
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, on_blocks, &got), 0);
	expect_times((const uint64_t[]){ 10, 20, 30, 40, 50, 60 }, 6);
}
END_TEST

/* After the end of a batch that continues, the next time is unknown. */
START_TEST(stops_where_a_batch_continues)
{
	reset_batches();
	put_block(0, 10);
	put_block(0, 20);
	put_block(1, 15);
	put_block(1, 25);
	put_block(1, 35);
	batches[0].has_next = true;
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, on_blocks, &got), 0);
	expect_times((const uint64_t[]){ 10, 15, 20 }, 3);
	ck_assert_uint_eq(batches[0].consumed, batches[0].len);
	ck_assert_uint_eq(batches[1].consumed, BLOCK);
}
END_TEST

START_TEST(returns_the_callbacks_result)
{
	reset_batches();
	put_block(0, 1);
	put_block(1, 2);
	put_block(0, 3);
	got.end_after = 2;
	ck_assert_int_eq(order_batches(batches, 2, UINT64_MAX, on_blocks, &got), 7);
	expect_times((const uint64_t[]){ 1, 2 }, 2);
	ck_assert_uint_eq(batches[0].consumed, BLOCK);
	ck_assert_uint_eq(batches[1].consumed, BLOCK);
}
END_TEST

/* Lengths too short for a block or too long for the batch; a batch that ends within a header. */
START_TEST(refuses_damage)
{
	static const uint32_t lengths[] = { 0, 1, BLOCK - 1, 2 * BLOCK + 1, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		reset_batches();
		put_block(0, 1);
		put_block(0, 2);
		blocks[0][0].len = lengths[i];
		ck_assert_int_eq(order_batches(batches, 1, UINT64_MAX, on_blocks, &got), -EBADMSG);
		ck_assert_uint_eq(got.n, 0);
	}
	reset_batches();
	put_block(0, 1);
	batches[0].len = BLOCK - 1;
	ck_assert_int_eq(order_batches(batches, 1, UINT64_MAX, on_blocks, &got), 0);
	ck_assert_uint_eq(got.n, 0);
	ck_assert_int_eq(order_batches(batches, 0, UINT64_MAX, on_blocks, &got), 0);
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

/* Writes as the kernel does: busy is set while a block is written, then head advances. */
static void begin_block(unsigned int cpu)
{
	cpus[cpu].busy = 1;
}

static void finish_block(unsigned int cpu, uint32_t len)
{
	cpus[cpu].head += len;
	cpus[cpu].busy = 0;
}

static void begin_chunk(unsigned int cpu, uint32_t chunk, uint32_t len)
{
	cpus[cpu].final_len[(chunk - 1) % CHUNKS] = (uint32_t)cpus[cpu].head;
	cpus[cpu].head = (uint64_t)chunk << 32 | len;
}

START_TEST(takes_finished_blocks)
{
	reset_packet_buf();
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert(!packets.is_writing);
	begin_block(1);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert(packets.is_writing);
	finish_block(1, 100);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert(!packets.is_writing);
	ck_assert_ptr_eq(batches[0].at, memory + CHUNKS * CHUNK);
	ck_assert_uint_eq(batches[0].len, 100);
	ck_assert(batches[0].cpu == 1 && !batches[0].has_next && !batches[0].full);
	/* Half of it is released. The rest is returned again, with the new blocks. */
	batches[0].consumed = 60;
	packet_buf_release(&packets, batches, 1);
	begin_block(1);
	finish_block(1, 50);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert_ptr_eq(batches[0].at, memory + CHUNKS * CHUNK + 60);
	ck_assert_uint_eq(batches[0].len, 90);
	batches[0].consumed = 90;
	packet_buf_release(&packets, batches, 1);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 0);
	ck_assert_uint_eq(cpus[1].tail, 0);
}
END_TEST

/* A block that is being written is not returned, but reported: it may be the oldest. */
START_TEST(reports_unfinished_blocks)
{
	reset_packet_buf();
	begin_block(0);
	begin_block(1);
	finish_block(1, 300);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 1);
	ck_assert(packets.is_writing && batches[0].cpu == 1);
	finish_block(0, 100);
	ck_assert_uint_eq(packet_buf_take(&packets, batches), 2);
	ck_assert(!packets.is_writing && batches[0].len == 100);
}
END_TEST

/* A finished chunk is released as soon as all of it was consumed. The next one follows, also when
 * chunk numbers wrap. */
START_TEST(chunk_numbers_wrap)
{
	reset_packet_buf();
	cpus[0].tail = UINT32_MAX - 2;
	cpus[0].head = (uint64_t)cpus[0].tail << 32;
	for (uint32_t i = 0, chunk = cpus[0].tail; i < 6; i++, chunk++) {
		uint32_t slot = chunk % CHUNKS;

		if (!i)
			finish_block(0, 1000);
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

/* A chunk that was consumed before it was finished is released without another batch. */
START_TEST(releases_consumed_chunks)
{
	reset_packet_buf();
	begin_block(0);
	finish_block(0, 1000);
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

	tcase_add_test(t, merges_by_time);
	tcase_add_loop_test(t, merges_random_batches, 0, 20);
	tcase_add_test(t, stops_at_limit);
	tcase_add_test(t, stops_where_a_batch_continues);
	tcase_add_test(t, returns_the_callbacks_result);
	tcase_add_test(t, refuses_damage);
	suite_add_tcase(s, t);
	t = tcase_create("packet_buf");
	tcase_add_test(t, takes_finished_blocks);
	tcase_add_test(t, reports_unfinished_blocks);
	tcase_add_test(t, chunk_numbers_wrap);
	tcase_add_test(t, releases_consumed_chunks);
	suite_add_tcase(s, t);
	return s;
}
