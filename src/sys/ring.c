/* SPDX-License-Identifier: MIT */
/* BPF ring buffer layout: Documentation/bpf/ringbuf.rst; record header in linux/bpf.h. */
#include "sys/ring.h"
#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

int ring_open(struct ring *r, int map_fd, uint32_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *consumer, *rest;

	consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	rest = mmap(NULL, page + 2 * (size_t)size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (rest == MAP_FAILED) {
		int err = -errno;

		munmap(consumer, page);
		return err;
	}
	*r = (struct ring){
		.fd = map_fd,
		.mask = size - 1,
		.page = page,
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
	munmap((void *)(uintptr_t)r->producer, r->page + 2 * (size_t)(r->mask + 1));
	*r = (struct ring){ 0 };
}

int ring_read(struct ring *r, ring_each *each, void *arg)
{
	unsigned long at = __atomic_load_n(r->consumer, __ATOMIC_RELAXED);
	int rc = 0;

	while (!rc && at < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *rec = r->data + (at & r->mask);
		uint32_t head =
			__atomic_load_n((const uint32_t *)(const void *)rec, __ATOMIC_ACQUIRE);
		uint32_t len = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

		if (head & BPF_RINGBUF_BUSY_BIT)
			break; /* reserved, not yet submitted: so is all behind it */
		if (!(head & BPF_RINGBUF_DISCARD_BIT))
			rc = each(rec + BPF_RINGBUF_HDR_SZ, len, arg);
		at += (len + BPF_RINGBUF_HDR_SZ + 7ul) & ~7ul;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	}
	return rc;
}
