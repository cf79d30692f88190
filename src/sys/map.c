/* SPDX-License-Identifier: MIT */
/* Uses one bpf(2) call per key and per value: these maps are small and rarely read. */
#include "sys/map.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sys/bpf.h"

int map_walk(int fd, size_t key_len, void *value, map_each *each, void *arg)
{
	/* Aligned as the kernel aligns keys. */
	_Alignas(8) unsigned char key[MAP_KEY_MAX], next[MAP_KEY_MAX];
	int rc = key_len > sizeof(key) ? -E2BIG : fd ? bpf_map_next_key(fd, NULL, next) : -ENOENT;

	while (!rc) {
		memcpy(key, next, key_len);
		rc = bpf_map_lookup(fd, key, value);
		if (!rc)
			rc = each(key, value, arg);
		else if (rc == -ENOENT) /* deleted meanwhile */
			rc = 0;
		if (!rc)
			rc = bpf_map_next_key(fd, key, next);
	}
	return rc == -ENOENT ? 0 : rc;
}

struct count_walk {
	map_each_count *each;
	void *arg;
};

static int pass_count(const void *key, void *value, void *arg)
{
	const struct count_walk *c = arg;

	return c->each(key, *(const uint64_t *)value, c->arg);
}

int map_walk_counts(int fd, size_t key_len, map_each_count *each, void *arg)
{
	struct count_walk c = { each, arg };
	uint64_t n;

	return map_walk(fd, key_len, &n, pass_count, &c);
}

int map_read_sums(int fd, const void *key, uint64_t *sums, size_t n)
{
	int cpus = bpf_possible_cpus(), rc;
	uint64_t *values;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, n * sizeof(*values));
	if (!values)
		return -ENOMEM;
	rc = fd ? bpf_map_lookup(fd, key, values) : 0;
	if (!rc)
		memset(sums, 0, n * sizeof(*sums));
	for (size_t i = 0; !rc && i < (size_t)cpus * n; i++)
		sums[i % n] += values[i];
	free(values);
	return rc;
}

uint32_t map_read_stack(int fd, int32_t stack, uint64_t *frames, uint32_t max)
{
	uint32_t n = 0;

	if (!fd || stack < 0 || bpf_map_lookup(fd, &stack, frames))
		return 0;
	while (n < max && frames[n])
		n++;
	return n;
}
