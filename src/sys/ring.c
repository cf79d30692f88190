/* SPDX-License-Identifier: MIT */
/* BPF ring buffer layout: Documentation/bpf/ringbuf.rst; record header in linux/bpf.h. */
#include "sys/ring.h"
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

/* A 32-bit program may run on a 64-bit kernel, and has to say its position in the kernel's width.
 * So it asks: in 64 bits a position changed in its second word (all that have both are little
 * endian) is another one than the producer's, and an empty ring turns readable. */
static bool is_wide(int map_fd, uint32_t *consumer)
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
	void *consumer, *rest;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	rest = mmap(NULL, page + size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (rest == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	*r = (struct ring){
		.fd = map_fd,
		.mask = size - 1,
		.page = page,
		.wide = is_wide(map_fd, consumer),
		.consumer = consumer,
		.producer = rest,
		.data = (const uint8_t *)rest + page,
	};
	return 0;
}

void ring_close(struct ring *r)
{
	if (!r->consumer)
		return;
	munmap(r->consumer, r->page);
	munmap((void *)(uintptr_t)r->producer, r->page + (size_t)r->mask + 1);
	buf_free(&r->whole);
	*r = (struct ring){ 0 };
}

static uint64_t position(const struct ring *r, const void *at)
{
	if (r->wide)
		return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
	return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
}

/* Behind len bytes of a record. */
static uint64_t advance(struct ring *r, uint64_t at, uint32_t len)
{
	at += ((uint64_t)len + BPF_RINGBUF_HDR_SZ + 7) & ~UINT64_C(7);
	if (r->wide)
		__atomic_store_n((uint64_t *)r->consumer, at, __ATOMIC_RELEASE);
	else
		__atomic_store_n((uint32_t *)r->consumer, (uint32_t)at, __ATOMIC_RELEASE);
	return r->wide ? at : (uint32_t)at;
}

/* len bytes from a position on, in one piece. NULL: no memory. */
static const uint8_t *piece(struct ring *r, uint64_t at, uint32_t len)
{
	size_t begin = (size_t)(at & r->mask), room = (size_t)r->mask + 1 - begin;

	if (len <= room)
		return r->data + begin;
	buf_clear(&r->whole);
	buf_add(&r->whole, r->data + begin, room);
	buf_add(&r->whole, r->data, len - room);
	return r->whole.nomem ? NULL : (const uint8_t *)r->whole.data;
}

int ring_read(struct ring *r, ring_each *each, void *arg)
{
	uint64_t at = position(r, r->consumer), end = position(r, r->producer);
	int rc = 0;

	while (!rc && at != end) {
		/* A header is in one piece: it stands at a multiple of its own size. */
		const void *header = r->data + (at & r->mask);
		uint32_t head = __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		const uint8_t *rec;

		if (head & BPF_RINGBUF_BUSY_BIT)
			break; /* reserved, not yet submitted: so is all behind it */
		if (!(head & BPF_RINGBUF_DISCARD_BIT)) {
			rec = piece(r, at + BPF_RINGBUF_HDR_SZ, len);
			if (!rec)
				return -ENOMEM;
			rc = each(rec, len, arg);
		}
		at = advance(r, at, len);
	}
	return rc;
}
