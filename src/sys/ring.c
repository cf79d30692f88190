/* SPDX-License-Identifier: MIT */
/* The layout of BPF ring buffers: Documentation/bpf/ringbuf.rst; record headers: linux/bpf.h. */
#include "sys/ring.h"
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

/* Tests whether positions have 64 bits, as a 32-bit program may run on a 64-bit kernel: writes the
 * second word of the consumer position (such machines are little endian). If the kernel reads it,
 * the position differs from the producer's, and the empty ring polls readable. */
static bool has_wide_positions(int map_fd, uint32_t *consumer)
{
	struct pollfd p = { .fd = map_fd, .events = POLLIN };
	bool wide;

	if (sizeof(long) == sizeof(uint64_t))
		return true;
	__atomic_store_n(&consumer[1], 1, __ATOMIC_SEQ_CST);
	wide = poll(&p, 1, 0) == 1;
	__atomic_store_n(&consumer[1], 0, __ATOMIC_SEQ_CST);
	return wide;
}

int ring_open(struct ring *r, int map_fd, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *producer;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	producer = mmap(NULL, page + size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	*r = (struct ring){
		.fd = map_fd,
		.mask = size - 1,
		.page = page,
		.wide = has_wide_positions(map_fd, consumer),
		.consumer = consumer,
		.producer = producer,
		.data = (const uint8_t *)producer + page,
	};
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r->consumer)
		return;
	munmap(r->consumer, r->page);
	munmap((void *)(uintptr_t)r->producer, r->page + (size_t)r->mask + 1);
	buf_free(&r->joined);
	*r = (struct ring){ 0 };
}

static uint64_t read_position(const struct ring *r, const void *at)
{
	if (r->wide)
		return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

/* Moves the consumer position past a record of len bytes at position at. */
static uint64_t advance_consumer(struct ring *r, uint64_t at, uint32_t len)
{
	at += ((uint64_t)len + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
	if (r->wide)
		__atomic_store_n((uint64_t *)r->consumer, at, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint32_t *)r->consumer, (uint32_t)at, __ATOMIC_RELEASE);
	return r->wide ? at : (uint32_t)at;
}

/* Returns len contiguous bytes at a position, copied if the ring's end splits them. NULL: out of
 * memory. */
static const uint8_t *get_record(struct ring *r, uint64_t at, uint32_t len)
{
	size_t begin = (size_t)(at & r->mask), room = (size_t)r->mask + 1 - begin;

	if (len <= room)
		return r->data + begin;
	buf_clear(&r->joined);
	buf_add(&r->joined, r->data + begin, room);
	buf_add(&r->joined, r->data, len - room);
	return r->joined.nomem ? NULL : (const uint8_t *)r->joined.data;
}

int ring_read(struct ring *r, ring_each *each, void *arg)
{
	uint64_t at = read_position(r, r->consumer), end = read_position(r, r->producer);
	int rc = 0;

	while (!rc && at != end) {
		/* Headers are aligned to their size and so never split. */
		const void *header = r->data + (at & r->mask);
		uint32_t head = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		const uint8_t *rec;

		if (head & BPF_RINGBUF_BUSY_BIT)
			break; /* reserved but not submitted: later records must wait */
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			rec = get_record(r, at + BPF_RINGBUF_HDR_SZ, len);
			if (!rec)
				return -ENOMEM;
			rc = each(rec, len, arg);
		}
		at = advance_consumer(r, at, len);
	}
	return rc;
}
