/* SPDX-License-Identifier: MIT */
/* The ring buffer's reader. A hand-written program writes one record a run. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "sys/ring.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { REC_MAX = 64, HEAD = 6, SENT = 0, LOST = 7 };

/* The packet's first byte is the record's length (up to 63); the second is 1 to reserve and discard
 * a record before it. The record's bytes start at HEAD: with the two bytes before a packet
 * (NET_IP_ALIGN) every processor can read eight at once there. Returns LOST if the ring is full. */
/* clang-format off */
static const struct bpf_insn feed_insns[] = {
	I_LOAD(BPF_W, 6, 1, 0), /* data */
	I_LOAD(BPF_W, 2, 1, 4), /* data_end */
	I_MOV_REG(3, 6),
	I_ADD(3, HEAD + REC_MAX),
	I_JGT_REG(3, 2, 38),
	I_LOAD(BPF_B, 7, 6, 0),
	I_LOAD(BPF_B, 8, 6, 1),
	I_AND(7, 127),
	/* A copy on the stack: helpers do not accept packets. */
	I_LOAD(BPF_DW, 1, 6, HEAD), I_STORE(BPF_DW, 10, -64, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 8), I_STORE(BPF_DW, 10, -56, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 16), I_STORE(BPF_DW, 10, -48, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 24), I_STORE(BPF_DW, 10, -40, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 32), I_STORE(BPF_DW, 10, -32, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 40), I_STORE(BPF_DW, 10, -24, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 48), I_STORE(BPF_DW, 10, -16, 1),
	I_LOAD(BPF_DW, 1, 6, HEAD + 56), I_STORE(BPF_DW, 10, -8, 1),
	I_JNE(8, 1, 9),
	I_MAP(1), I_MOV(2, 24), I_MOV(3, 0), I_CALL(BPF_FUNC_ringbuf_reserve),
	I_JEQ(0, 0, 3),
	I_MOV_REG(1, 0), I_MOV(2, 0), I_CALL(BPF_FUNC_ringbuf_discard),
	I_MAP(1), I_MOV_REG(2, 10), I_ADD(2, -REC_MAX), I_MOV_REG(3, 7), I_AND(3, REC_MAX - 1),
	I_MOV(4, 0), I_CALL(BPF_FUNC_ringbuf_output),
	I_JEQ(0, 0, 2),
	I_MOV(0, LOST), I_EXIT,
	I_MOV(0, SENT), I_EXIT,
};
/* clang-format on */
static const struct spec_reloc feed_relocs[] = {
	{ .insn = 25, .kind = SPEC_MAP_FD },
	{ .insn = 34, .kind = SPEC_MAP_FD },
};
static const struct spec_prog feed_prog = { .name = "feed",
					    .type = BPF_PROG_TYPE_XDP,
					    .attach_type = BPF_XDP,
					    .ninsns = ARRAY_LEN(feed_insns),
					    .relocs = feed_relocs,
					    .nrelocs = ARRAY_LEN(feed_relocs) };

/* A ring of one page, and the record that its reader must see next. */
struct bench {
	struct obj obj;
	struct ring ring;
	uint32_t size;
	unsigned int seen, stop_after;
};

static void bench_open(struct bench *b)
{
	struct spec_map map = { .name = "ring", .type = BPF_MAP_TYPE_RINGBUF };
	struct spec spec = { .name = "ring",
			     .license = "Dual MIT/GPL",
			     .maps = &map,
			     .nmaps = 1,
			     .progs = &feed_prog,
			     .nprogs = 1,
			     CODE(feed_insns),
			     .conf_map = 1 };

	*b = (struct bench){ .size = (uint32_t)sysconf(_SC_PAGESIZE) };
	map.max_entries = b->size;
	CHECK(!obj_open(&b->obj, &spec, &(struct obj_opts){ 0 }), "cannot load the program");
	CHECK(!ring_open(&b->ring, b->obj.map_fd[0], b->size), "cannot open the ring");
}

static void bench_close(struct bench *b)
{
	ring_close(&b->ring);
	ring_close(&b->ring); /* may be closed twice */
	obj_close(&b->obj);
}

/* The nth record's length; its bytes are n, n + 1, and so on. */
static size_t length_of(unsigned int n)
{
	return n * 7 % REC_MAX;
}

static uint32_t run_feeder(struct bench *b, unsigned int n, bool discard)
{
	uint8_t packet[HEAD + REC_MAX] = { (uint8_t)length_of(n), discard };
	struct bpf_run run = { .data = packet, .len = sizeof(packet) };

	for (int i = 0; i < REC_MAX; i++)
		packet[HEAD + i] = (uint8_t)(n + (unsigned int)i);
	CHECK(!bpf_prog_run(b->obj.prog_fd[0], &run), "cannot run");
	return run.ret;
}

static int next_record(const void *rec, size_t len, void *arg)
{
	const uint8_t *at = rec;
	struct bench *b = arg;

	CHECK(len == length_of(b->seen), "record %u has %zu bytes, expected %zu", b->seen, len,
	      length_of(b->seen));
	for (size_t i = 0; i < len; i++)
		CHECK(at[i] == (uint8_t)(b->seen + i), "record %u has wrong bytes", b->seen);
	b->seen++;
	return b->stop_after && b->seen % b->stop_after == 0 ? -ECANCELED : 0;
}

/* Enough records to wrap around many times, and to start at each possible offset. */
TEST(ring_in_order, "ring: records arrive in order across wraparounds", TEST_ROOT, 60)
{
	struct bench b;
	unsigned int n = 0;

	bench_open(&b);
	CHECK(!ring_read(&b.ring, next_record, &b) && !b.seen, "a new ring is not empty");
	for (unsigned int round = 0; round < 2000; round++) {
		for (unsigned int i = 0; i <= round % 20; i++, n++)
			CHECK(run_feeder(&b, n, n % 3 == 0) == SENT, "no room for record %u", n);
		CHECK(!ring_read(&b.ring, next_record, &b), "reading ended early");
		CHECK(b.seen == n, "saw %u records of %u", b.seen, n);
	}
	CHECK(!ring_read(&b.ring, next_record, &b) && b.seen == n, "saw records twice");
	bench_close(&b);
}

/* A full ring overwrites nothing; reading makes room. */
TEST(ring_full, "ring: a full ring drops new records and keeps old ones", TEST_ROOT, 10)
{
	struct pollfd p = { .events = POLLIN };
	struct bench b;
	unsigned int n = 0, bytes;

	bench_open(&b);
	p.fd = b.ring.fd;
	CHECK(!poll(&p, 1, 0), "an empty ring is readable");
	for (int round = 0; round < 50; round++) {
		unsigned int first = n;

		for (bytes = 0; run_feeder(&b, n, false) == SENT; n++)
			bytes += (unsigned int)(8 + length_of(n) + 7) & ~7u;
		CHECK(bytes <= b.size && bytes + 8 + REC_MAX > b.size - 8,
		      "full with %u bytes in records %u to %u", bytes, first, n);
		CHECK(poll(&p, 1, 0) == 1, "a full ring is not readable");
		CHECK(!ring_read(&b.ring, next_record, &b) && b.seen == n, "saw %u records of %u",
		      b.seen, n);
	}
	bench_close(&b);
}

TEST(ring_stops, "ring: a reader that stops loses nothing", TEST_ROOT, 10)
{
	struct bench b;
	unsigned int n;

	bench_open(&b);
	b.stop_after = 3;
	for (n = 0; n < 10; n++)
		CHECK(run_feeder(&b, n, true) == SENT, "no room for record %u", n);
	for (unsigned int want = 3; want <= 9; want += 3)
		CHECK(ring_read(&b.ring, next_record, &b) == -ECANCELED && b.seen == want,
		      "stopped after %u, expected %u", b.seen, want);
	CHECK(!ring_read(&b.ring, next_record, &b) && b.seen == 10, "%u of 10", b.seen);
	bench_close(&b);
}
