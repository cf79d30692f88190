/* SPDX-License-Identifier: MIT */
/* Copies tables to and from maps: through a memory mapping if the kernel allows it, else in
 * batches, else one line at a time. */
#include "sets/set_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "sys/bpf.h"

enum { BATCH = 4096 };

static size_t mapped_size(const struct set_table *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (t->n * sizeof(*t->at) + page - 1) / page * page;
}

static int write_mapped(int fd, const struct set_table *t)
{
	size_t size = mapped_size(t);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, t->at, t->n * sizeof(*t->at));
	munmap(at, size);
	return 0;
}

static int write_batch(int fd, const struct set_table *t, uint32_t from, uint32_t n, bool *batches)
{
	uint32_t keys[BATCH];
	int rc = 0;

	for (uint32_t i = 0; i < n; i++)
		keys[i] = from + i;
	*batches = *batches && !bpf_map_update_batch(fd, keys, t->at + from, n);
	/* Without batches, or after a failed one, single updates complete the copy or return the
	 * error. */
	for (uint32_t i = 0; i < n && !*batches && !rc; i++)
		rc = bpf_map_update(fd, &keys[i], &t->at[from + i], BPF_ANY);
	return rc;
}

static int write_by_calls(int fd, const struct set_table *t)
{
	bool batches = true;
	int rc = 0;

	for (uint32_t at = 0; at < t->n && !rc; at += BATCH)
		rc = write_batch(fd, t, at, t->n - at < BATCH ? t->n - at : BATCH, &batches);
	return rc;
}

int set_table_create(const struct set_table *t, const char *name, uint32_t flags)
{
	struct bpf_map_opts m = {
		.name = name,
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(*t->at),
		.max_entries = t->n,
		.flags = flags,
	};
	int fd = bpf_map_create(&m), rc;

	if (fd == -EINVAL && flags) {
		m.flags = 0;
		fd = bpf_map_create(&m);
	}
	if (fd < 0)
		return fd;
	rc = m.flags & BPF_F_MMAPABLE ? write_mapped(fd, t) : write_by_calls(fd, t);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int read_mapped(int fd, const struct set_table *t)
{
	size_t size = mapped_size(t);
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(t->at, at, t->n * sizeof(*t->at));
	munmap(at, size);
	return 0;
}

int set_table_read(int fd, struct set_table *out)
{
	struct bpf_map_info info = { 0 };
	struct set_table t = { 0 };
	int rc = bpf_get_info(fd, &info, sizeof(info));

	if (rc)
		return rc;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(*t.at))
		return -EINVAL;
	t.n = info.max_entries;
	t.at = malloc(t.n * sizeof(*t.at));
	if (!t.at)
		return -ENOMEM;
	if (info.map_flags & BPF_F_MMAPABLE)
		rc = read_mapped(fd, &t);
	else
		for (uint32_t i = 0; i < t.n && !rc; i++)
			rc = bpf_map_lookup(fd, &i, &t.at[i]);
	if (rc)
		set_table_close(&t);
	else
		*out = t;
	return rc;
}

void set_table_close(struct set_table *t)
{
	free(t->at);
	*t = (struct set_table){ 0 };
}
