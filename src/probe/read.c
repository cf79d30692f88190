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

	return len < PROBE_HIT ? 0 : r->each(rec, r->arg);
}

int probe_read(struct probe *p, probe_each_hit *each, void *arg)
{
	struct reading r = { each, arg };

	return ring_read(&p->ring, on_record, &r);
}

struct vals {
	probe_each_val *each;
	void *arg;
	int cpus;
};

static int add_up(const void *key, void *value, void *arg)
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
	struct probe_val *values = calloc((size_t)p->cpus, sizeof(*values));
	int rc = values ? map_walk(p->maps[PROBE_MAP_HITS], sizeof(struct probe_key), values,
				   add_up, &v)
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

int probe_paths(const struct probe *p, map_each_count *each, void *arg)
{
	return map_walk_counts(p->maps[PROBE_MAP_PATHS], sizeof(struct probe_path), each, arg);
}

int probe_values(const struct probe *p, map_each_count *each, void *arg)
{
	return map_walk_counts(p->maps[PROBE_MAP_VALUES], sizeof(struct probe_value), each, arg);
}

uint32_t probe_stack(const struct probe *p, int32_t stack, uint64_t frames[PROBE_FRAMES])
{
	return map_read_stack(p->maps[PROBE_MAP_STACKS], stack, frames, PROBE_FRAMES);
}

int probe_lost(const struct probe *p, struct probe_lost *lost)
{
	struct trace_counts counts;
	struct probe_lost sum = { 0 };
	uint32_t zero = 0;
	int rc = map_read_sums(p->maps[PROBE_MAP_COUNTS], &zero, (uint64_t *)&counts, TRACE_COUNTS);

	for (uint32_t i = 0; i < PROBE_MISSES && !rc; i++)
		rc = map_read_sums(p->maps[PROBE_MAP_MISSED], &i, &sum.missed[i], 1);
	for (uint32_t i = 0; i < p->opts.n; i++)
		sum.passed += tracing_missed(&p->obj[i], UINT32_MAX);
	if (rc)
		return rc;
	sum.events = counts.lost;
	*lost = sum;
	return 0;
}
