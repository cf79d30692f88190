/* SPDX-License-Identifier: MIT */
/* Reads chunks where they are, mapped from an array map; or copies blocks out of a ring buffer. */
#include "base/array.h"
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
#include "sys/priv.h"

enum {
	BYTES_MAX = 64 << 20, /* default limit */
	BYTES_PART = 32,      /* default limit: this part of the host's memory */
	CHUNK_MAX = 1 << 20,  /* large enough for a disk, small enough for the kernel's allocator */
	CHUNK_MIN = 1 << 16,
	BLOCKS_MIN = 1 << 15, /* bytes of a chunk below fill */
	RING_MIN = 1 << 16,   /* the largest page size of any architecture */
	RING_MAX = 1 << 28,
	HELD_MAX = 1 << 20,
	SPINS = 1000, /* tries to see a CPU while it is not writing */
};

static uint32_t block_max(const struct packet_buf_opts *opts)
{
	return (opts->snaplen + CAPTURE_BLOCK_REST + 7) & ~7u;
}

/* Passes on the descriptor of a new map, or reports why it could not be made. */
static int check_map(int rc, const char *what, uint64_t bytes)
{
	char names[128];

	if (rc == -EPERM && *priv_missing(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON),
					  names, sizeof(names)))
		return fail(rc, "loading BPF needs %s: run as root, or with those capabilities",
			    names);
	if (rc == -EPERM && priv_memlock_counts())
		return fail(rc,
			    "%s of %llu bytes exceeds the memlock limit: raise it (ulimit -l), or "
			    "add CAP_SYS_RESOURCE",
			    what, (unsigned long long)bytes);
	return rc < 0 ? fail_errno(rc, "creating %s of %llu bytes", what, (unsigned long long)bytes)
		      : rc;
}

static size_t page_align(uint64_t bytes)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	return (size_t)((bytes + page - 1) / page * page);
}

static uint64_t chunks_bytes(const struct packet_buf *pb)
{
	return (uint64_t)pb->cpus * pb->chunks * pb->chunk_len;
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
	void *memory = mmap(NULL, page_align(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return fail_errno(-errno, "mapping the capture's memory");
	*at = memory;
	return 0;
}

static uint64_t choose_bytes(const struct packet_buf_opts *opts)
{
	struct sysinfo host = { 0 };
	uint64_t part;

	if (opts->bytes || sysinfo(&host))
		return opts->bytes ? opts->bytes : BYTES_MAX;
	part = (uint64_t)host.totalram * host.mem_unit / BYTES_PART;
	return part < BYTES_MAX ? part : BYTES_MAX;
}

/* Divides the memory among the CPUs: chunks as large as is useful, at least two for each CPU. */
static void choose_sizes(struct packet_buf *pb, const struct packet_buf_opts *opts)
{
	uint64_t each = choose_bytes(opts) / pb->cpus;
	uint32_t reserved = block_max(opts) + PACKET_BUF_ROOM;

	pb->chunk_len = CHUNK_MAX;
	while (pb->chunk_len / 2 >= CHUNK_MIN && pb->chunk_len / 2 >= reserved + BLOCKS_MIN &&
	       (uint64_t)pb->chunk_len * 4 > each)
		pb->chunk_len /= 2;
	pb->fill = (pb->chunk_len - reserved) & ~3u;
	pb->chunks = 2;
	while (pb->chunks < CAPTURE_CHUNKS_MAX && (uint64_t)pb->chunks * 2 * pb->chunk_len <= each)
		pb->chunks *= 2;
}

/* Halves the number of chunks while the kernel has not enough memory. */
static int open_chunks(struct packet_buf *pb, const struct packet_buf_opts *opts)
{
	int rc;

	choose_sizes(pb, opts);
	while ((rc = new_array("blocks", pb->chunk_len, pb->cpus * pb->chunks)) == -ENOMEM &&
	       pb->chunks > 2 && !opts->bytes)
		pb->chunks /= 2;
	if (rc < 0)
		return check_map(rc, "the capture's memory", chunks_bytes(pb));
	pb->blocks_fd = rc;
	return map_array(pb->blocks_fd, chunks_bytes(pb), (void **)&pb->bytes);
}

static int open_ring(struct packet_buf *pb, uint32_t size)
{
	struct bpf_map_opts m = { .name = "ring",
				  .type = BPF_MAP_TYPE_RINGBUF,
				  .max_entries = size };
	int rc = bpf_map_create(&m);

	if (rc < 0)
		return check_map(rc, "a ring buffer", size);
	pb->ring_fd = rc;
	rc = ring_open(&pb->ring, pb->ring_fd, size);
	return rc ? fail_errno(rc, "mapping the ring buffer") : 0;
}

/* Each CPU builds a block in its only chunk and copies it into the ring. */
static int open_copying(struct packet_buf *pb, const struct packet_buf_opts *opts)
{
	uint64_t bytes = choose_bytes(opts);
	uint32_t size = RING_MIN;
	int rc;

	pb->chunks = 1;
	pb->chunk_len = block_max(opts);
	pb->fill = sizeof(uint32_t); /* the block starts at the chunk's start */
	while (size < RING_MAX && (uint64_t)size * 2 <= bytes)
		size *= 2;
	rc = new_array("blocks", pb->chunk_len, pb->cpus);
	if (rc < 0)
		return check_map(rc, "the capture's memory", chunks_bytes(pb));
	pb->blocks_fd = rc;
	return open_ring(pb, size);
}

static int open_cpus(struct packet_buf *pb)
{
	uint64_t bytes = (uint64_t)pb->cpus * sizeof(*pb->cpu);
	int rc = new_array("cpus", sizeof(*pb->cpu), pb->cpus);

	if (rc < 0)
		return check_map(rc, "a map", bytes);
	pb->cpus_fd = rc;
	rc = map_array(pb->cpus_fd, bytes, (void **)&pb->cpu);
	if (!rc)
		packet_buf_set_clock(pb);
	return rc;
}

static int open_all(struct packet_buf *pb, const struct packet_buf_opts *opts)
{
	int rc = check_map(cpus_online(), "a map", sizeof(uint64_t));

	if (rc < 0)
		return rc;
	pb->cpus = (uint32_t)rc;
	pb->released = calloc(pb->cpus, sizeof(*pb->released));
	if (!pb->released)
		return fail_errno(-ENOMEM, "capture");
	rc = open_cpus(pb);
	if (rc)
		return rc;
	pb->mapped = !opts->ring && !feature_try("atomics that fetch");
	if (!pb->mapped)
		return open_copying(pb, opts);
	rc = open_chunks(pb, opts);
	return rc ? rc : open_ring(pb, RING_MIN);
}

int packet_buf_open(struct packet_buf *pb, const struct packet_buf_opts *opts)
{
	struct packet_buf opened = { 0 };
	int rc = open_all(&opened, opts);

	if (rc)
		packet_buf_close(&opened);
	else
		*pb = opened;
	return rc;
}

void packet_buf_close(struct packet_buf *pb)
{
	int fds[] = { pb->cpus_fd, pb->blocks_fd, pb->ring_fd };

	ring_close(&pb->ring);
	if (pb->cpu)
		munmap(pb->cpu, page_align((uint64_t)pb->cpus * sizeof(*pb->cpu)));
	if (pb->bytes)
		munmap(pb->bytes, page_align(chunks_bytes(pb)));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i])
			close(fds[i]);
	buf_free(&pb->held);
	free(pb->released);
	*pb = (struct packet_buf){ 0 };
}

int packet_buf_poll_fd(const struct packet_buf *pb)
{
	return pb->ring_fd;
}

void packet_buf_arm(struct packet_buf *pb)
{
	for (uint32_t i = 0; i < pb->cpus; i++)
		__atomic_store_n(&pb->cpu[i].wakeup, 1, __ATOMIC_SEQ_CST);
}

void packet_buf_set_clock(struct packet_buf *pb)
{
	uint64_t before = clock_mono(), real = clock_real(), after = clock_mono();
	int64_t offset = (int64_t)(real - (before + (after - before) / 2));

	for (uint32_t i = 0; i < pb->cpus; i++)
		__atomic_store_n(&pb->cpu[i].clock_offset, offset, __ATOMIC_RELAXED);
}

/* Bytes written so far in the chunk at the tail. *ended: the kernel writes no more to it. */
static uint32_t count_written(const struct packet_buf *pb, const struct capture_cpu *cpu,
			      bool *ended)
{
	uint64_t head = __atomic_load_n(&cpu->head, __ATOMIC_ACQUIRE);

	*ended = (uint32_t)(head >> 32) != cpu->tail;
	return *ended ? cpu->final_len[cpu->tail & (pb->chunks - 1)] : (uint32_t)head;
}

static void next_chunk(struct packet_buf *pb, uint32_t i)
{
	struct capture_cpu *cpu = &pb->cpu[i];

	pb->released[i] = 0;
	__atomic_store_n(&cpu->tail, cpu->tail + 1, __ATOMIC_RELEASE);
}

static bool take_batch(struct packet_buf *pb, uint32_t i, struct block_batch *batch)
{
	struct capture_cpu *cpu = &pb->cpu[i];

	for (;;) {
		uint32_t slot = cpu->tail & (pb->chunks - 1), len;
		bool ended;

		len = count_written(pb, cpu, &ended);
		if (ended && len == pb->released[i]) {
			next_chunk(pb, i);
			continue;
		}
		if (len <= pb->released[i])
			return false;
		*batch = (struct block_batch){
			.at = pb->bytes + ((size_t)i * pb->chunks + slot) * pb->chunk_len +
			      pb->released[i],
			.len = len - pb->released[i],
			.has_next = ended,
			.full = ended && !pb->released[i],
			.cpu = i,
		};
		return true;
	}
}

static int skip_record(const void *rec, size_t len, void *arg)
{
	(void)rec;
	(void)len;
	(void)arg;
	return 0;
}

/* Returns where to insert a block of this time among the held ones. */
static size_t find_insert_pos(const struct packet_buf *pb, uint64_t time)
{
	const uint8_t *held = (const uint8_t *)pb->held.data;
	size_t at = pb->held.len;
	uint32_t len;

	while (at) {
		memcpy(&len, held + at - sizeof(len), sizeof(len));
		if (order_block_time(held + at - len) <= time)
			break;
		at -= len;
	}
	return at;
}

/* CPUs read the clock and reserve room in the ring in slightly different orders: sorts by time. */
static int hold_block(const void *rec, size_t len, void *arg)
{
	struct packet_buf *pb = arg;
	size_t end = pb->held.len, at;

	if (len == sizeof(uint64_t)) /* a wakeup */
		return 0;
	at = find_insert_pos(pb, order_block_time(rec));
	buf_add(&pb->held, rec, len);
	if (at < end && !pb->held.nomem) {
		memmove(pb->held.data + at + len, pb->held.data + at, end - at);
		memcpy(pb->held.data + at, rec, len);
	}
	return pb->held.len >= HELD_MAX;
}

/* Returns true if some CPU is still writing a block, which is not visible yet. */
static bool is_any_writing(const struct packet_buf *pb)
{
	uint32_t i = 0;

	for (int spins = 0; i < pb->cpus && spins < SPINS; spins++)
		i += !__atomic_load_n(&pb->cpu[i].busy, __ATOMIC_ACQUIRE);
	return i < pb->cpus;
}

uint32_t packet_buf_take(struct packet_buf *pb, struct block_batch *batches)
{
	uint32_t n = 0;

	pb->is_writing = is_any_writing(pb);
	if (!pb->mapped) {
		if (pb->held.len < HELD_MAX)
			ring_read(&pb->ring, hold_block, pb);
		*batches = (struct block_batch){ .at = (uint8_t *)pb->held.data,
						 .len = pb->held.len,
						 .has_next = pb->held.len >= HELD_MAX };
		return pb->held.len != 0;
	}
	/* Discard wakeups: this call answers them. */
	ring_read(&pb->ring, skip_record, NULL);
	for (uint32_t i = 0; i < pb->cpus; i++)
		n += take_batch(pb, i, &batches[n]);
	return n;
}

void packet_buf_release(struct packet_buf *pb, const struct block_batch *batches, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t cpu = batches[i].cpu;

		if (!pb->mapped) {
			pb->held.len -= batches[i].consumed;
			memmove(pb->held.data, pb->held.data + batches[i].consumed, pb->held.len);
			continue;
		}
		pb->released[cpu] += (uint32_t)batches[i].consumed;
		if (batches[i].has_next && batches[i].consumed == batches[i].len)
			next_chunk(pb, cpu);
	}
}
