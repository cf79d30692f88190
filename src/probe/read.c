/* SPDX-License-Identifier: MIT */
/* Counts are kept per CPU, and are added up here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "gen/probe.gen.h"
#include "obj/tracing.h"
#include "probe/probe.h"
#include "sys/bpf.h"

struct reading {
	probe_each_hit *each;
	void *arg;
};

static int on_record(const void *rec, size_t len, void *arg)
{
	const struct reading *r = arg;

	return len < sizeof(struct probe_hit) ? 0 : r->each(rec, r->arg);
}

int probe_read(struct probe *p, probe_each_hit *each, void *arg)
{
	struct reading r = { each, arg };

	return ring_read(&p->ring, on_record, &r);
}

/* Called with each key of a hash and what the kernel has for it. */
typedef int each_entry(const void *key, const void *value, void *arg);

/* key, next: room for one; values: for one of each CPU. Hashes give their keys in no order, and a
 * key that has gone since leads back to the first: nothing is taken out of these. */
static int walk(int fd, void *key, void *next, void *values, size_t key_len, each_entry *each,
		void *arg)
{
	int rc = fd ? bpf_map_next_key(fd, NULL, next) : -ENOENT;

	while (!rc) {
		memcpy(key, next, key_len);
		if (!bpf_map_lookup(fd, key, values))
			rc = each(key, values, arg);
		if (!rc)
			rc = bpf_map_next_key(fd, key, next);
	}
	return rc == -ENOENT ? 0 : rc;
}

struct vals {
	probe_each_val *each;
	void *arg;
	int cpus;
};

static int add_up(const void *key, const void *value, void *arg)
{
	const struct probe_val *of = value;
	const struct vals *v = arg;
	struct probe_val sum = { 0 };

	for (int i = 0; i < v->cpus; i++) {
		sum.hits += of[i].hits;
		sum.failed += of[i].failed;
		if (*of[i].comm)
			memcpy(sum.comm, of[i].comm, sizeof(sum.comm));
	}
	return v->each(key, &sum, v->arg);
}

int probe_vals(const struct probe *p, probe_each_val *each, void *arg)
{
	struct vals v = { each, arg, p->cpus };
	struct probe_key key, next;
	struct probe_val *values = calloc((size_t)p->cpus, sizeof(*values));
	int rc =
		values ? walk(p->maps[PROBE_MAP_HITS], &key, &next, values, sizeof(key), add_up, &v)
		       : -ENOMEM;

	free(values);
	return rc;
}

int probe_times(const struct probe *p, uint32_t probe, struct probe_times *times)
{
	struct probe_times *values = calloc((size_t)p->cpus, sizeof(*values)), sum = { 0 };
	int rc = values ? 0 : -ENOMEM;

	if (!rc && p->maps[PROBE_MAP_TIMES])
		rc = bpf_map_lookup(p->maps[PROBE_MAP_TIMES], &probe, values);

	for (int i = 0; i < p->cpus && !rc; i++) {
		for (int b = 0; b < PROBE_BUCKETS; b++)
			sum.calls[b] += values[i].calls[b];
		sum.ns += values[i].ns;
		if (values[i].most > sum.most)
			sum.most = values[i].most;
	}
	free(values);
	if (!rc)
		*times = sum;
	return rc;
}

struct paths {
	probe_each_path *each;
	void *arg;
};

static int give_path(const void *key, const void *value, void *arg)
{
	const struct paths *p = arg;

	return p->each(key, *(const uint64_t *)value, p->arg);
}

int probe_paths(const struct probe *p, probe_each_path *each, void *arg)
{
	struct paths paths = { each, arg };
	struct probe_path key, next;
	uint64_t n;

	return walk(p->maps[PROBE_MAP_PATHS], &key, &next, &n, sizeof(key), give_path, &paths);
}

struct values {
	probe_each_value *each;
	void *arg;
};

static int give_value(const void *key, const void *value, void *arg)
{
	const struct values *v = arg;

	return v->each(key, *(const uint64_t *)value, v->arg);
}

int probe_values(const struct probe *p, probe_each_value *each, void *arg)
{
	struct values values = { each, arg };
	struct probe_value key, next;
	uint64_t n;

	return walk(p->maps[PROBE_MAP_VALUES], &key, &next, &n, sizeof(key), give_value, &values);
}

uint32_t probe_stack(const struct probe *p, int32_t stack, uint64_t frames[PROBE_FRAMES])
{
	uint32_t n = 0;

	if (stack < 0 || !p->maps[PROBE_MAP_STACKS] ||
	    bpf_map_lookup(p->maps[PROBE_MAP_STACKS], &stack, frames))
		return 0;
	while (n < PROBE_FRAMES && frames[n])
		n++;
	return n;
}

int probe_lost(const struct probe *p, struct probe_lost *lost)
{
	struct trace_counts *counts = calloc((size_t)p->cpus, sizeof(*counts));
	struct probe_missed *missed = calloc((size_t)p->cpus, sizeof(*missed));
	struct probe_lost sum = { 0 };
	uint32_t zero = 0;
	int rc = counts && missed ? 0 : -ENOMEM;

	if (!rc && p->maps[PROBE_MAP_COUNTS])
		rc = bpf_map_lookup(p->maps[PROBE_MAP_COUNTS], &zero, counts);
	if (!rc && p->maps[PROBE_MAP_MISSED])
		rc = bpf_map_lookup(p->maps[PROBE_MAP_MISSED], &zero, missed);
	for (int i = 0; i < p->cpus && !rc; i++) {
		sum.events += counts[i].lost;
		sum.missed.hits += missed[i].hits;
		sum.missed.paths += missed[i].paths;
		sum.missed.values += missed[i].values;
		sum.missed.stacks += missed[i].stacks;
		sum.missed.begun += missed[i].begun;
	}
	for (uint32_t i = 0; i < p->wish.n; i++)
		for (uint32_t k = 0; k < probe_spec.nprogs; k++)
			if (p->obj[i].prog_fd[k])
				sum.passed += tracing_missed(p->obj[i].prog_fd[k]);
	free(counts);
	free(missed);
	if (!rc)
		*lost = sum;
	return rc;
}
