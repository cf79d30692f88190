/* SPDX-License-Identifier: MIT */
/* Reads the gate's per-CPU maps into one sorted table. */
#include "gate/counters.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "net/proto.h"
#include "sys/bpf.h"
#include "sys/map.h"

void gate_counters_free(struct gate_counters *t)
{
	free(t->rows);
	*t = (struct gate_counters){ 0 };
}

void gate_counters_clear(struct gate_counters *t)
{
	t->n = 0;
}

static uint64_t row_order(const struct gate_row *r)
{
	return (uint64_t)r->dir << 48 | (uint64_t)r->family << 40 | (uint64_t)r->proto << 8 |
	       r->verdict;
}

/* Returns the position of row, or where to insert it. */
static size_t find_position(const struct gate_counters *t, const struct gate_row *row)
{
	uint64_t order = row_order(row);
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (row_order(&t->rows[mid]) < order)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct gate_row *gate_counters_find(const struct gate_counters *t, const struct gate_row *row)
{
	size_t at = find_position(t, row);

	return at < t->n && row_order(&t->rows[at]) == row_order(row) ? &t->rows[at] : NULL;
}

int gate_counters_add(struct gate_counters *t, const struct gate_row *row)
{
	struct gate_row *found = gate_counters_find(t, row);
	void *more;
	size_t at;

	if (found) {
		found->packets += row->packets;
		found->bytes += row->bytes;
		return 0;
	}
	more = array_grow(t->rows, t->n, &t->room, sizeof(*t->rows));
	if (!more)
		return -ENOMEM;
	t->rows = more;
	at = find_position(t, row);
	memmove(&t->rows[at + 1], &t->rows[at], (t->n - at) * sizeof(*t->rows));
	t->rows[at] = *row;
	t->n++;
	return 0;
}

#define SLOT4(name, number) [GATE_SLOT_##name] = { GATE_IPV4, number },
#define SLOT6(name, number) [GATE_SLOT_GROUP6 + GATE_SLOT_##name] = { GATE_IPV6, number },
static const struct {
	uint8_t family;
	uint32_t proto;
} slots[GATE_SLOTS] = {
	GATE_PROTOS(SLOT4) GATE_PROTOS(SLOT6)[GATE_SLOT_BAD] = { GATE_IPV4, GATE_PROTO_BAD },
	[GATE_SLOT_OTHER_PROTO] = { GATE_IPV4, GATE_PROTO_MORE },
	[GATE_SLOT_GROUP6 + GATE_SLOT_BAD] = { GATE_IPV6, GATE_PROTO_BAD },
	[GATE_SLOT_GROUP6 + GATE_SLOT_OTHER_PROTO] = { GATE_IPV6, GATE_PROTO_MORE },
	[GATE_SLOT_OTHER + GATE_SLOT_BAD] = { GATE_OTHER, GATE_PROTO_BAD },
	[GATE_SLOT_OTHER + GATE_SLOT_OTHER_PROTO] = { GATE_OTHER, GATE_PROTO_MORE },
	[GATE_SLOT_ARP] = { GATE_ARP, GATE_PROTO_NONE },
};

static int read_slots(struct gate_counters *t, int fd, enum gate_dir dir,
		      struct gate_counters_val *cpu, int cpus)
{
	for (uint32_t v = 0; v < GATE_VERDICTS; v++) {
		uint32_t key = dir * GATE_VERDICTS + v;
		int rc = bpf_map_lookup(fd, &key, cpu);

		for (int s = 0; s < GATE_SLOTS && !rc; s++) {
			struct gate_row row = { .dir = (uint8_t)dir,
						.verdict = (uint8_t)v,
						.family = slots[s].family,
						.proto = slots[s].proto };

			for (int c = 0; c < cpus; c++) {
				row.packets += cpu[c].slot[s].packets;
				row.bytes += cpu[c].slot[s].bytes;
			}
			if (row.packets)
				rc = gate_counters_add(t, &row);
		}
		if (rc)
			return rc;
	}
	return 0;
}

struct other_reader {
	struct gate_counters *table;
	enum gate_dir dir;
	int cpus;
};

static int add_other(const void *of, void *value, void *arg)
{
	const struct gate_other_key *key = of;
	const struct gate_sum *cpu = value;
	const struct other_reader *r = arg;
	struct gate_row row = {
		.dir = key->dir, .family = key->family, .verdict = key->verdict, .proto = key->proto
	};

	if (key->dir != r->dir)
		return 0;
	for (int c = 0; c < r->cpus; c++) {
		row.packets += cpu[c].packets;
		row.bytes += cpu[c].bytes;
	}
	return row.packets ? gate_counters_add(r->table, &row) : 0;
}

int gate_counters_read(struct gate_counters *t, int counters_fd, int other_fd, enum gate_dir dir)
{
	int cpus = bpf_possible_cpus(), rc;
	struct other_reader reader = { t, dir, cpus };
	void *values;

	if (cpus < 0)
		return cpus;
	values = malloc((size_t)cpus * sizeof(struct gate_counters_val));
	if (!values)
		return -ENOMEM;
	rc = read_slots(t, counters_fd, dir, values, cpus);
	if (!rc)
		rc = map_walk(other_fd, sizeof(struct gate_other_key), values, add_other, &reader);
	free(values);
	return rc;
}

const char *gate_dir_name(enum gate_dir dir)
{
	return dir == GATE_IN ? "in" : "out";
}

const char *gate_family_name(enum gate_family family)
{
	static const char *const names[] = { "ipv4", "ipv6", "arp", "other" };

	return family < GATE_FAMILIES ? names[family] : "?";
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
	static const char *const names[] = { "aborted", "drop", "pass", "tx", "redirect" };

	return verdict < GATE_VERDICTS ? names[verdict] : "?";
}

const char *gate_proto_name(const struct gate_row *row, char *buf, size_t len)
{
	const char *name;

	if (row->proto == GATE_PROTO_BAD)
		return "malformed";
	if (row->proto == GATE_PROTO_MORE)
		return "rest";
	if (row->proto == GATE_PROTO_NONE)
		return gate_family_name(row->family);
	name = row->family == GATE_OTHER ? net_ethertype_name((uint16_t)row->proto)
					 : net_proto_name((uint8_t)row->proto);
	if (name)
		return name;
	snprintf(buf, len, row->family == GATE_OTHER ? "0x%04x" : "%u", row->proto);
	return buf;
}
