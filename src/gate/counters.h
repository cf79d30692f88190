/* SPDX-License-Identifier: MIT */
/* A gate's counters as rows, summed over CPUs. */
#ifndef GATE_COUNTERS_H
#define GATE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include "bpf/gate.h"

/* Values of gate_row.proto beyond the numbers of IP protocols and EtherTypes. */
enum {
	GATE_PROTO_BAD = 0x10000, /* a header that is cut short or wrong */
	GATE_PROTO_MORE,          /* protocols for which the gate's hash had no room */
	GATE_PROTO_NONE,          /* no protocol beside the family: ARP */
};

struct gate_row {
	uint8_t dir, family, verdict; /* enums of bpf/gate.h */
	uint32_t proto;               /* IP protocol, EtherType, or GATE_PROTO_* */
	uint64_t packets, bytes;
};

/* Rows in ascending order of dir, family, proto, verdict. Zeroed: empty. gate_counters_free() frees
 * it. */
struct gate_counters {
	struct gate_row *rows;
	size_t n, room;
};

void gate_counters_free(struct gate_counters *t);
void gate_counters_clear(struct gate_counters *t);
/* Returns the row with the same dir, family, proto and verdict as *row; NULL: none. */
struct gate_row *gate_counters_find(const struct gate_counters *t, const struct gate_row *row);
/* Adds *row's counters to its row, which is made if there is none. Returns 0 or -ENOMEM. */
int gate_counters_add(struct gate_counters *t, const struct gate_row *row);
/* Adds the counters in the maps of one direction (see bpf/gate.h), without rows that have none.
 * Returns 0 or -errno. Does not report errors. */
int gate_counters_read(struct gate_counters *t, int counters_fd, int other_fd, enum gate_dir dir);

/* Names of a row's fields. gate_proto_name() writes protocols without a name to buf, which has at
 * least 8 bytes. */
const char *gate_dir_name(enum gate_dir dir);
const char *gate_family_name(enum gate_family family);
const char *gate_verdict_name(enum gate_verdict verdict);
const char *gate_proto_name(const struct gate_row *row, char *buf, size_t len);

#endif
