/* SPDX-License-Identifier: MIT */
/* Chunks mapped from an array map and read where they are; or a ring buffer, copied out of it. */
#include "capture/packet_buf.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "capture/order.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "sys/cpus.h"

enum {
	BYTES_MAX = 64 << 20, /* if not more was wished for */
	BYTES_PART = 32,      /* nor more than such a part of the memory */
	CHUNK_MAX = 1 << 20,  /* large enough for a disk, small enough for an allocator */
	CHUNK_MIN = 1 << 16,
	BLOCKS_MIN = 1 << 15, /* bytes below fill */
	RING_MIN = 1 << 16,   /* the largest page that there is */
	RING_MAX = 1 << 28,
	HELD_MAX = 1 << 20,
	SPINS = 1000, /* looks for a moment when a CPU is not writing */
};

static uint32_t block_max(const struct packet_buf_opts *opts)
{
	return (opts->snaplen + CAPTURE_BLOCK_REST + 7) & ~7u;
}

/* A new map, or why not. */
static int say_map(int rc, const char *what, uint64_t bytes)
{
	if (rc == -EPERM)
		return fail(rc,
			    "loading BPF needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and %s %llu "
			    "bytes of locked memory: run as root",
			    what, (unsigned long long)bytes);
	return rc < 0 ? fail_errno(rc, "%s of %llu bytes", what, (unsigned long long)bytes) : rc;
}

static size_t map_len(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (size_t)((bytes + page - 1) / page * page);
}

static uint64_t area_bytes(const struct packet_buf *a)
{
	return (uint64_t)a->cpus * a->chunks * a->chunk_len;
}

static int new_array(const char *name, uint32_t value, uint32_t entries)
{
	struct bpf_map_opts m = { .name = name,
				  .type = BPF_MAP_TYPE_ARRAY,
				  .key_size = 4,
				  .value_size = value,
				  .max_entries = entries,
				  .flags = BPF_F_MMAPABLE };

	return bpf_map_create(&m);
}

static int map_array(int fd, uint64_t bytes, void **at)
{
	void *got = mmap(NULL, map_len(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (got == MAP_FAILED)
		return fail_errno(-errno, "mapping the capture's memory");
	*at = got;
	return 0;
}

static uint64_t bytes_for(const struct packet_buf_opts *opts)
{
	struct sysinfo host = { 0 };
	uint64_t part;

	if (opts->bytes || sysinfo(&host))
		return opts->bytes ? opts->bytes : BYTES_MAX;
	part = (uint64_t)host.totalram * host.mem_unit / BYTES_PART;
	return part < BYTES_MAX ? part : BYTES_MAX;
}

/* Chunks of each CPU within the bytes wished for: as large as is useful, and at least two. */
static void shape(struct packet_buf *a, const struct packet_buf_opts *opts)
{
	uint64_t each = bytes_for(opts) / a->cpus;
	uint32_t rest = block_max(opts) + PACKET_BUF_ROOM;

	a->chunk_len = CHUNK_MAX;
	while (a->chunk_len / 2 >= CHUNK_MIN && a->chunk_len / 2 >= rest + BLOCKS_MIN &&
	       (uint64_t)a->chunk_len * 4 > each)
		a->chunk_len /= 2;
	a->fill = (a->chunk_len - rest) & ~3u;
	a->chunks = 2;
	while (a->chunks < CAPTURE_CHUNKS_MAX && (uint64_t)a->chunks * 2 * a->chunk_len <= each)
		a->chunks *= 2;
}

/* A kernel short of memory may give less of it. */
static int open_chunks(struct packet_buf *a, const struct packet_buf_opts *opts)
{
	int rc;

	shape(a, opts);
	while ((rc = new_array("blocks", a->chunk_len, a->cpus * a->chunks)) == -ENOMEM &&
	       a->chunks > 2 && !opts->bytes)
		a->chunks /= 2;
	if (rc < 0)
		return say_map(rc, "the capture's memory", area_bytes(a));
	a->packet_buf_fd = rc;
	return map_array(a->packet_buf_fd, area_bytes(a), (void **)&a->bytes);
}

static int open_ring(struct packet_buf *a, uint32_t size)
{
	struct bpf_map_opts m = { .name = "ring",
				  .type = BPF_MAP_TYPE_RINGBUF,
				  .max_entries = size };
	int rc = bpf_map_create(&m);

	if (rc < 0)
		return say_map(rc, "a ring buffer", size);
	a->ring_fd = rc;
	rc = ring_open(&a->ring, a->ring_fd, size);
	return rc ? fail_errno(rc, "mapping the ring buffer") : 0;
}

/* Each CPU makes a block in a chunk of its own, from where it is copied into the ring. */
static int open_copied(struct packet_buf *a, const struct packet_buf_opts *opts)
{
	uint64_t bytes = bytes_for(opts);
	uint32_t size = RING_MIN;
	int rc;

	a->chunks = 1;
	a->chunk_len = block_max(opts);
	a->fill = sizeof(uint32_t); /* at the chunk's begin */
	while (size < RING_MAX && (uint64_t)size * 2 <= bytes)
		size *= 2;
	rc = new_array("blocks", a->chunk_len, a->cpus);
	if (rc < 0)
		return say_map(rc, "the capture's memory", area_bytes(a));
	a->packet_buf_fd = rc;
	return open_ring(a, size);
}

static int open_cpus(struct packet_buf *a)
{
	uint64_t bytes = (uint64_t)a->cpus * sizeof(*a->cpu);
	int rc = new_array("cpus", sizeof(*a->cpu), a->cpus);

	if (rc < 0)
		return say_map(rc, "a map", bytes);
	a->cpus_fd = rc;
	rc = map_array(a->cpus_fd, bytes, (void **)&a->cpu);
	if (!rc)
		packet_buf_set_clock(a);
	return rc;
}

static int open_all(struct packet_buf *a, const struct packet_buf_opts *opts)
{
	int rc = say_map(cpus_online(), "a map", sizeof(uint64_t));

	if (rc < 0)
		return rc;
	a->cpus = (uint32_t)rc;
	a->read = calloc(a->cpus, sizeof(*a->read));
	if (!a->read)
		return fail_errno(-ENOMEM, "capture");
	rc = open_cpus(a);
	if (rc)
		return rc;
	a->mapped = !opts->ring && !feature_try("atomics that fetch");
	if (!a->mapped)
		return open_copied(a, opts);
	rc = open_chunks(a, opts);
	return rc ? rc : open_ring(a, RING_MIN);
}

int packet_buf_open(struct packet_buf *a, const struct packet_buf_opts *opts)
{
	struct packet_buf got = { 0 };
	int rc = open_all(&got, opts);

	if (rc)
		packet_buf_close(&got);
	else
		*a = got;
	return rc;
}

void packet_buf_close(struct packet_buf *a)
{
	int fds[] = { a->cpus_fd, a->packet_buf_fd, a->ring_fd };

	ring_close(&a->ring);
	if (a->cpu)
		munmap(a->cpu, map_len((uint64_t)a->cpus * sizeof(*a->cpu)));
	if (a->bytes)
		munmap(a->bytes, map_len(area_bytes(a)));
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i])
			close(fds[i]);
	buf_free(&a->held);
	free(a->read);
	*a = (struct packet_buf){ 0 };
}

int packet_buf_fd(const struct packet_buf *a)
{
	return a->ring_fd;
}

void packet_buf_arm(struct packet_buf *a)
{
	for (uint32_t i = 0; i < a->cpus; i++)
		__atomic_store_n(&a->cpu[i].wanted, 1, __ATOMIC_SEQ_CST);
}

void packet_buf_set_clock(struct packet_buf *a)
{
	uint64_t before = clock_mono(), real = clock_real(), after = clock_mono();
	int64_t offset = (int64_t)(real - (before + (after - before) / 2));

	for (uint32_t i = 0; i < a->cpus; i++)
		__atomic_store_n(&a->cpu[i].clock, offset, __ATOMIC_RELAXED);
}

/* Bytes from the begin of the chunk at the tail that are written; ended: there will be no more of
 * them. */
static uint32_t ready(const struct packet_buf *a, const struct capture_cpu *cpu, bool *ended)
{
	uint64_t head = __atomic_load_n(&cpu->head, __ATOMIC_ACQUIRE);

	*ended = (uint32_t)(head >> 32) != cpu->tail;
	return *ended ? cpu->ended[cpu->tail & (a->chunks - 1)] : (uint32_t)head;
}

static void next_chunk(struct packet_buf *a, uint32_t i)
{
	struct capture_cpu *cpu = &a->cpu[i];

	a->read[i] = 0;
	__atomic_store_n(&cpu->tail, cpu->tail + 1, __ATOMIC_RELEASE);
}

static bool take_cpu(struct packet_buf *a, uint32_t i, struct block_batch *batch)
{
	struct capture_cpu *cpu = &a->cpu[i];

	for (;;) {
		uint32_t slot = cpu->tail & (a->chunks - 1), len;
		bool ended;

		len = ready(a, cpu, &ended);
		if (ended && len == a->read[i]) {
			next_chunk(a, i);
			continue;
		}
		if (len <= a->read[i])
			return false;
		*batch = (struct block_batch){
			.at = a->bytes + ((size_t)i * a->chunks + slot) * a->chunk_len + a->read[i],
			.len = len - a->read[i],
			.has_next = ended,
			.full = ended && !a->read[i],
			.cpu = i,
		};
		return true;
	}
}

static int ignore(const void *rec, size_t len, void *arg)
{
	(void)rec;
	(void)len;
	(void)arg;
	return 0;
}

/* Where a block of this time belongs among those that are held. */
static size_t place_of(const struct packet_buf *a, uint64_t time)
{
	const uint8_t *held = (const uint8_t *)a->held.data;
	size_t at = a->held.len;
	uint32_t len;

	while (at) {
		memcpy(&len, held + at - sizeof(len), sizeof(len));
		if (order_block_time(held + at - len) <= time)
			break;
		at -= len;
	}
	return at;
}

/* CPUs come to the ring in another order, by a little, than they look at the clock. */
static int hold(const void *rec, size_t len, void *arg)
{
	struct packet_buf *a = arg;
	size_t end = a->held.len, at;

	if (len == sizeof(uint64_t)) /* a call to wake */
		return 0;
	at = place_of(a, order_block_time(rec));
	buf_add(&a->held, rec, len);
	if (at < end && !a->held.nomem) {
		memmove(a->held.data + at + len, a->held.data + at, end - at);
		memcpy(a->held.data + at, rec, len);
	}
	return a->held.len >= HELD_MAX;
}

/* A block that is being made is not yet to be seen. */
static bool any_making(const struct packet_buf *a)
{
	uint32_t i = 0;

	for (int spins = 0; i < a->cpus && spins < SPINS; spins++)
		i += !__atomic_load_n(&a->cpu[i].busy, __ATOMIC_ACQUIRE);
	return i < a->cpus;
}

uint32_t packet_buf_take(struct packet_buf *a, struct block_batch *batches)
{
	uint32_t n = 0;

	a->busy = any_making(a);
	if (!a->mapped) {
		if (a->held.len < HELD_MAX)
			ring_read(&a->ring, hold, a);
		*batches = (struct block_batch){ .at = (uint8_t *)a->held.data,
						 .len = a->held.len,
						 .has_next = a->held.len >= HELD_MAX };
		return a->held.len != 0;
	}
	/* The calls to wake: this is what answers them. */
	ring_read(&a->ring, ignore, NULL);
	for (uint32_t i = 0; i < a->cpus; i++)
		n += take_cpu(a, i, &batches[n]);
	return n;
}

void packet_buf_release(struct packet_buf *a, const struct block_batch *batches, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t cpu = batches[i].cpu;

		if (!a->mapped) {
			a->held.len -= batches[i].consumed;
			memmove(a->held.data, a->held.data + batches[i].consumed, a->held.len);
			continue;
		}
		a->read[cpu] += (uint32_t)batches[i].consumed;
		if (batches[i].has_next && batches[i].consumed == batches[i].len)
			next_chunk(a, cpu);
	}
}
