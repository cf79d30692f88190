/* SPDX-License-Identifier: MIT */
/* Probes put where targets are, and what they have counted. */
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
	const struct target *targets; /* found; the caller's for as long as it is open */
	uint32_t n;
	const struct btf *types;     /* the kernel's, if the caller has them open */
	const struct filter *filter; /* NULL: all processes */
	bool events, stacks, values;
	bool verbose;       /* the verifier's whole log, should it refuse */
	uint32_t processes; /* that are told apart; 0: as is useful */
	uint32_t bytes;     /* of the ring; 0: as is useful */
};

/* Zeroed: closed. */
struct probe {
	struct probe_opts opts;
	struct filter_code code;
	struct obj obj[PROBE_MAX];
	int maps[OBJ_MAPS_MAX]; /* of the first that made them; 0: nobody uses that */
	int links[2 * PROBE_MAX];
	uint32_t nlinks;
	struct ring ring; /* of events */
	int cpus;
	uint32_t self; /* this process, in the initial namespace */
};

/* Load and attach. Said on failure, and nothing stays behind. */
int probe_open(struct probe *p, const struct probe_opts *opts);
/* Nothing is counted any more. */
void probe_stop(struct probe *p);
void probe_close(struct probe *p);

/* Called with each record; a value other than 0 ends it and is returned. */
typedef int probe_each_hit(const struct probe_hit *hit, void *arg);
int probe_read(struct probe *p, probe_each_hit *each, void *arg);

typedef int probe_each_val(const struct probe_key *key, const struct probe_val *val, void *arg);
int probe_vals(const struct probe *p, probe_each_val *each, void *arg);
int probe_times(const struct probe *p, uint32_t probe, struct probe_times *times);
/* Called with each struct probe_path, and with each struct probe_value. */
int probe_paths(const struct probe *p, map_each_count *each, void *arg);
int probe_values(const struct probe *p, map_each_count *each, void *arg);
/* Addresses of a stack, innermost first; their number. */
uint32_t probe_stack(const struct probe *p, int32_t stack, uint64_t frames[PROBE_FRAMES]);

/* What had no room, or was passed over by the kernel. */
struct probe_lost {
	uint64_t events; /* in the ring */
	uint64_t passed; /* hits while a program was at work already on that CPU */
	uint64_t missed[PROBE_MISSES];
};
int probe_lost(const struct probe *p, struct probe_lost *lost);

#endif
