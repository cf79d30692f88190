/* SPDX-License-Identifier: MIT */
/* The ring buffer reader on memory written by the test instead of the kernel: positions of 32 and
 * 64 bits, also when they wrap. */
#include <check.h>
#include <linux/bpf.h>
#include <string.h>
#include "base/array.h"
#include "sys/ring.h"
#include "tests/unit/sys_cases.h"

enum { SIZE = 4096, STEP = 16 };

/* Positions as in the kernel, with other data after the producer's. */
static uint64_t consumer[2], producer[2];
static _Alignas(8) uint8_t data[2 * SIZE];

static void write_position(void *at, bool wide, uint64_t value)
{
	uint32_t narrow = (uint32_t)value;

	if (wide)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static uint64_t read_position(const void *at, bool wide)
{
	uint64_t value;
	uint32_t narrow;

	memcpy(&value, at, sizeof(value));
	memcpy(&narrow, at, sizeof(narrow));
	return wide ? value : narrow;
}

/* Writes a record that holds its own position. */
static void put_record(uint64_t at, uint32_t flags)
{
	struct {
		uint32_t head, page;
		uint32_t value, pad;
	} rec = { 4 | flags, 0, (uint32_t)at, 0 };

	memcpy(data + at % SIZE, &rec, sizeof(rec));
}

struct seen {
	uint32_t next;
	unsigned int n;
};

static int on_record(const void *rec, size_t len, void *arg)
{
	struct seen *seen = arg;
	uint32_t value;

	ck_assert_uint_eq(len, sizeof(value));
	memcpy(&value, rec, sizeof(value));
	ck_assert_uint_eq(value, seen->next);
	seen->next += STEP;
	seen->n++;
	return 0;
}

static const uint64_t starts[] = { 0, UINT32_MAX - 4 * STEP + 1, UINT64_C(7) << 32,
				   (UINT64_C(8) << 32) - 4 * STEP };

static void read_from(uint64_t start, bool wide)
{
	struct ring r = { .mask = SIZE - 1,
			  .wide = wide,
			  .consumer = consumer,
			  .producer = producer,
			  .data = data };
	struct seen seen = { .next = (uint32_t)start };

	memset(producer, 0xee, sizeof(producer));
	memset(consumer, 0xee, sizeof(consumer));
	write_position(consumer, wide, start);
	write_position(producer, wide, start);
	ck_assert_int_eq(ring_read(&r, on_record, &seen), 0);
	ck_assert_uint_eq(seen.n, 0);
	for (unsigned int i = 0; i < 10; i++)
		put_record(start + i * STEP, i == 9 ? BPF_RINGBUF_BUSY_BIT : 0);
	write_position(producer, wide, start + 10 * STEP);
	ck_assert_int_eq(ring_read(&r, on_record, &seen), 0);
	ck_assert_uint_eq(seen.n, 9);
	ck_assert_uint_eq(read_position(consumer, wide),
			  wide ? start + 9 * STEP : (uint32_t)(start + 9 * STEP));
	put_record(start + 9 * STEP, BPF_RINGBUF_DISCARD_BIT);
	ck_assert_int_eq(ring_read(&r, on_record, &seen), 0);
	ck_assert_uint_eq(seen.n, 9);
	ck_assert_uint_eq(read_position(consumer, wide), read_position(producer, wide));
}

START_TEST(positions_may_wrap)
{
	read_from(starts[_i], true);
	read_from(starts[_i], false);
}
END_TEST

TCase *ring_cases(void)
{
	TCase *t = tcase_create("ring");

	tcase_add_loop_test(t, positions_may_wrap, 0, ARRAY_LEN(starts));
	return t;
}
