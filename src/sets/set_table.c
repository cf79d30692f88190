/* SPDX-License-Identifier: MIT */
/* Lines into maps and out of them: through memory where the kernel maps it, else in batches, else
 * one by one. */
#include "sets/set_table.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "sys/bpf.h"

enum { BATCH = 4096 };

static size_t mapped_size(const struct set_table *l)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (l->n * sizeof(*l->at) + page - 1) / page * page;
}

static int put_mapped(int fd, const struct set_table *l)
{
	size_t size = mapped_size(l);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(at, l->at, l->n * sizeof(*l->at));
	munmap(at, size);
	return 0;
}

static int put_some(int fd, const struct set_table *l, uint32_t from, uint32_t n, bool *batches)
{
	uint32_t keys[BATCH];
	int rc = 0;

	for (uint32_t i = 0; i < n; i++)
		keys[i] = from + i;
	*batches = *batches && !bpf_map_update_batch(fd, keys, l->at + from, n);
	/* Once more singly, if it cannot or has run into an error: to see which. */
	for (uint32_t i = 0; i < n && !*batches && !rc; i++)
		rc = bpf_map_update(fd, &keys[i], &l->at[from + i], BPF_ANY);
	return rc;
}

static int put_called(int fd, const struct set_table *l)
{
	bool batches = true;
	int rc = 0;

	for (uint32_t at = 0; at < l->n && !rc; at += BATCH)
		rc = put_some(fd, l, at, l->n - at < BATCH ? l->n - at : BATCH, &batches);
	return rc;
}

int set_table_create(const struct set_table *l, const char *name, uint32_t flags)
{
	struct bpf_map_opts m = {
		.name = name,
		.type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(*l->at),
		.max_entries = l->n,
		.flags = flags,
	};
	int fd = bpf_map_create(&m), rc;

	if (fd == -EINVAL && flags) {
		m.flags = 0;
		fd = bpf_map_create(&m);
	}
	if (fd < 0)
		return fd;
	rc = m.flags & BPF_F_MMAPABLE ? put_mapped(fd, l) : put_called(fd, l);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int get_mapped(int fd, const struct set_table *l)
{
	size_t size = mapped_size(l);
	void *at = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return -errno;
	memcpy(l->at, at, l->n * sizeof(*l->at));
	munmap(at, size);
	return 0;
}

int set_table_read(int fd, struct set_table *out)
{
	struct bpf_map_info info = { 0 };
	struct set_table l = { 0 };
	int rc = bpf_get_info(fd, &info, sizeof(info));

	if (rc)
		return rc;
	if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(*l.at))
		return -EINVAL;
	l.n = info.max_entries;
	l.at = malloc(l.n * sizeof(*l.at));
	if (!l.at)
		return -ENOMEM;
	if (info.map_flags & BPF_F_MMAPABLE)
		rc = get_mapped(fd, &l);
	else
		for (uint32_t i = 0; i < l.n && !rc; i++)
			rc = bpf_map_lookup(fd, &i, &l.at[i]);
	if (rc)
		set_table_close(&l);
	else
		*out = l;
	return rc;
}

void set_table_close(struct set_table *l)
{
	free(l->at);
	*l = (struct set_table){ 0 };
}
