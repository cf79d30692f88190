/* SPDX-License-Identifier: MIT */
/* A gate's counters as rows, summed over CPUs. */
#ifndef GATE_COUNTERS_H
#define GATE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>
#include "bpf/gate.h"

/* gate_row.proto beyond the numbers of IP protocols and EtherTypes. */
enum {
	GATE_PROTO_BAD = 0x10000, /* a header cut short or wrong */
	GATE_PROTO_MORE,          /* protocols that the gate's hash had no room for */
	GATE_PROTO_NONE,          /* the family says it all: ARP */
};

struct gate_row {
	uint8_t dir, family, verdict; /* enums of bpf/gate.h */
	uint32_t proto;               /* IP protocol, EtherType, or GATE_PROTO_* */
	uint64_t packets, bytes;
};

/* Rows in ascending order of dir, family, proto, verdict. Zeroed: empty. On the heap. */
struct gate_counters {
	struct gate_row *rows;
	size_t n, room;
};

void gate_counters_free(struct gate_counters *t);
void gate_counters_clear(struct gate_counters *t);
/* The row with the same identity as *row, or NULL. */
struct gate_row *gate_counters_find(const struct gate_counters *t, const struct gate_row *row);
/* Add *row's counters to its row, which is made if need be. -ENOMEM. */
int gate_counters_add(struct gate_counters *t, const struct gate_row *row);
/* Add what the maps of one direction hold (see bpf/gate.h); rows of nothing are left out. */
int gate_counters_read(struct gate_counters *t, int counters_fd, int other_fd, enum gate_dir dir);

/* Words for a row's identity. buf (8 bytes or more) is used for protocols without a name. */
const char *gate_dir_name(enum gate_dir dir);
const char *gate_family_name(enum gate_family family);
const char *gate_verdict_name(enum gate_verdict verdict);
const char *gate_proto_name(const struct gate_row *row, char *buf, size_t len);

#endif
