/* SPDX-License-Identifier: MIT */
/* Attaches probes to targets and reads what they counted. */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include "bpf/probe.h"
#include "filter/emit.h"
#include "obj/obj.h"
#include "probe/target.h"
#include "sys/map.h"
#include "sys/ring.h"

struct probe_opts {
	const struct target *targets; /* found by target_find(); the caller's, while this is open */
	uint32_t n;
	const struct btf *types;     /* the kernel's types, if the caller has them open */
	const struct filter *filter; /* NULL: all processes */
	bool events, stacks, values;
	bool verbose;       /* on failure print the verifier's whole log */
	uint32_t processes; /* processes counted separately; 0: by the number of CPUs */
	uint32_t bytes;     /* of the ring; 0: default */
};

/* Zeroed: closed. */
struct probe {
	struct probe_opts opts;
	struct filter_code code;
	struct obj obj[PROBE_MAX];
	int maps[OBJ_MAPS_MAX]; /* created by the first program that uses them; 0: unused */
	int links[2 * PROBE_MAX];
	uint32_t nlinks;
	struct ring ring; /* of hits */
	int cpus;
	uint32_t own_pid; /* this process's id in the initial namespace */
};

/* Loads and attaches. Returns 0 or -errno, leaving nothing attached. Reports errors. */
int probe_open(struct probe *p, const struct probe_opts *opts);
/* Detaches: counting ends. */
void probe_stop(struct probe *p);
void probe_close(struct probe *p);

/* Called with each hit. Returning anything but 0 stops reading. */
typedef int probe_each_hit(const struct probe_hit *hit, void *arg);
int probe_read(struct probe *p, probe_each_hit *each, void *arg);

typedef int probe_each_val(const struct probe_key *key, const struct probe_val *val, void *arg);
int probe_walk_vals(const struct probe *p, probe_each_val *each, void *arg);
int probe_times(const struct probe *p, uint32_t probe, struct probe_times *times);
/* Called with each struct probe_path, and with each struct probe_value. */
int probe_walk_paths(const struct probe *p, map_each_count *each, void *arg);
int probe_walk_values(const struct probe *p, map_each_count *each, void *arg);
/* Fills frames with the addresses of a stack, innermost first. Returns their number. */
uint32_t probe_read_stack(const struct probe *p, int32_t stack, uint64_t frames[PROBE_FRAMES]);

/* What could not be stored, or was skipped by the kernel. */
struct probe_lost {
	uint64_t events;  /* hits without room in the ring */
	uint64_t skipped; /* hits while a program was already running on that CPU */
	uint64_t missed[PROBE_MISSES];
};
int probe_lost(const struct probe *p, struct probe_lost *lost);

#endif
