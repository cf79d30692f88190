/* SPDX-License-Identifier: MIT */
/* The guard's table in the kernel: read and changed while packets arrive. */
#include "guard/guard.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "base/clock.h"
#include "sys/bpf.h"
#include "sys/jiffies.h"

static uint64_t read_guard_time(const struct guard_conf *conf)
{
	uint64_t now = 0, hz;

	if (!conf->jiffy || jiffies_read(&now, &hz))
		return clock_mono() << GUARD_TIME_SHIFT;
	return now * conf->jiffy + conf->epoch;
}

uint32_t guard_ticks_from_ns(uint64_t ns)
{
	uint64_t ticks = (ns + (1u << GUARD_TICK_SHIFT) - 1) >> GUARD_TICK_SHIFT;

	return (uint32_t)(ticks < 1u << 27 ? ticks : (1u << 27) - 1);
}

void guard_table_update_clock(struct guard_table *t)
{
	t->tick = (uint32_t)(read_guard_time(t->conf) >> (GUARD_TIME_SHIFT + GUARD_TICK_SHIFT));
}

int guard_table_open(struct guard_table *t, const struct guard_conf *conf, int fd)
{
	struct guard_table got = { .conf = conf,
				   .size = (size_t)GUARD_SIZE(conf->lines) *
					   sizeof(struct guard_line),
				   .entries = GUARD_RECS(conf->lines) * GUARD_WAYS };

	got.lines = mmap(NULL, got.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (got.lines == MAP_FAILED)
		return -errno;
	guard_table_update_clock(&got);
	*t = got;
	return 0;
}

void guard_table_close(struct guard_table *t)
{
	if (t->lines)
		munmap(t->lines, t->size);
	*t = (struct guard_table){ 0 };
}

static __u64 *entry_word(const struct guard_table *t, uint32_t entry)
{
	return &t->lines[entry / GUARD_WAYS].way[entry % GUARD_WAYS];
}

bool guard_table_is_used(const struct guard_table *t, uint32_t entry)
{
	return *(volatile uint64_t *)entry_word(t, entry) != 0;
}

struct guard_rec *guard_table_rec(const struct guard_table *t, uint32_t entry)
{
	return (struct guard_rec *)&t->lines[GUARD_RECS(t->conf->lines) + entry];
}

struct guard_name *guard_table_name(const struct guard_table *t, uint32_t entry)
{
	return (struct guard_name *)&t->lines[GUARD_NAMES(t->conf->lines) + entry / 2] + entry % 2;
}

uint64_t guard_table_open_conns(const struct guard_table *t, const struct guard_rec *rec)
{
	int64_t n = t->conf->conns ? rec->open : 0;

	return n > 0 ? (uint64_t)n : 0;
}

static bool is_idle(const struct guard_table *t, uint32_t entry)
{
	uint64_t word = *(volatile uint64_t *)entry_word(t, entry);
	const struct guard_rec *rec = guard_table_rec(t, entry);

	if (!word)
		return true;
	if (guard_tick_diff(t->tick, rec->last) <= (int32_t)(t->conf->idle << 4) || rec->open > 0)
		return false;
	return !rec->ban || guard_tick_diff(t->tick, guard_ban_until(rec->ban)) > 0;
}

static void fill_buckets(struct guard_rec *rec, uint64_t now)
{
	for (int i = 0; i < GUARD_OPEN_INDEX; i++)
		rec->tat[i] = now;
}

/* Returns the entry with this hash; t->entries: none. make: if no entry has it, takes an idle one
 * of its line. */
static uint32_t find_entry(const struct guard_table *t, uint64_t hash, bool make)
{
	uint32_t first = (uint32_t)(hash & t->conf->lines) * GUARD_WAYS, entry;
	uint64_t word = (hash & GUARD_WORD_HASH) | GUARD_WORD_PIN |
			(t->tick >> (GUARD_SECOND_SHIFT - GUARD_TICK_SHIFT) & GUARD_WORD_SECOND);

	for (entry = first; entry < first + GUARD_WAYS; entry++)
		if (!((*(volatile uint64_t *)entry_word(t, entry) ^ hash) & GUARD_WORD_HASH))
			return entry;
	for (entry = first; make && entry < first + GUARD_WAYS; entry++) {
		uint64_t old = *(volatile uint64_t *)entry_word(t, entry);

		if (!is_idle(t, entry) ||
		    !__sync_bool_compare_and_swap(entry_word(t, entry), old, word))
			continue;
		*guard_table_rec(t, entry) = (struct guard_rec){ .last = t->tick };
		fill_buckets(guard_table_rec(t, entry), read_guard_time(t->conf));
		return entry;
	}
	return t->entries;
}

/* The form in which the kernel programs have IPv4 addresses: the number loaded from a packet's
 * bytes. */
static uint32_t load_ipv4(const void *addr)
{
	uint32_t n;

	memcpy(&n, addr, sizeof(n));
	return n;
}

int guard_table_set_ban(struct guard_table *t, int family, const void *addr, uint32_t ticks)
{
	const struct guard_scope *scope = &t->conf->scopes[0];
	__u64 key[2] = { 0 }, hash, old;
	uint32_t entry;
	struct guard_rec *rec;

	if (family == 4)
		key[0] = load_ipv4(addr);
	else
		memcpy(key, addr, sizeof(key));
	key[0] &= family == 4 ? scope->mask4 : scope->mask[0];
	key[1] &= scope->mask[1];
	hash = guard_hash(t->conf->seed, guard_kind(scope, (uint8_t)family), key, 0) | 1ull << 63;
	entry = find_entry(t, hash, ticks != 0);
	if (entry == t->entries)
		return ticks ? -ENOSPC : -ENOENT;
	rec = guard_table_rec(t, entry);
	old = rec->ban;
	if (!ticks && (!old || guard_tick_diff(guard_ban_until(old), t->tick) <= 0))
		return -ENOENT;
	if (ticks) {
		*guard_table_name(t, entry) =
			(struct guard_name){ .addr = { key[0], key[1] },
					     .family = (uint8_t)family,
					     .key = GUARD_SRC,
					     .bits = family == 4 ? scope->bits4 : scope->bits6,
					     .created = t->tick,
					     .ban_start = t->tick };
		__sync_fetch_and_or(entry_word(t, entry), GUARD_WORD_PIN);
	}
	__atomic_store_n(&rec->ban,
			 ticks ? guard_ban_word((t->tick + ticks) & 0xfffffff, guard_ban_level(old),
						GUARD_BAN_MANUAL)
			       : 0,
			 __ATOMIC_RELEASE);
	return 0;
}

void guard_table_fill_buckets(struct guard_table *t)
{
	uint64_t now = read_guard_time(t->conf);
	struct guard_rec *shared = (struct guard_rec *)&t->lines[GUARD_SHARED(t->conf->lines)];

	for (uint32_t i = 0; i < t->entries; i++)
		if (guard_table_is_used(t, i))
			fill_buckets(guard_table_rec(t, i), now);
	for (int i = 0; i < GUARD_SCOPES_MAX; i++)
		fill_buckets(&shared[i], now);
}

void guard_table_clear_conns(struct guard_table *t)
{
	for (uint32_t i = 0; i < t->entries; i++)
		if (guard_table_is_used(t, i))
			guard_table_rec(t, i)->open = 0;
}

void guard_print_name(const struct guard_name *name, struct buf *out)
{
	char text[INET6_ADDRSTRLEN] = "?";
	uint32_t ipv4 = (uint32_t)name->addr[0];
	bool is_host = name->bits == (name->family == 4 ? 32 : 128);

	if (name->family == 4)
		inet_ntop(AF_INET, &ipv4, text, sizeof(text));
	else
		inet_ntop(AF_INET6, name->addr, text, sizeof(text));
	buf_str(out, text);
	if (!is_host)
		buf_printf(out, "/%u", name->bits);
	if (name->key == GUARD_SRC_PORT)
		buf_printf(out, " port %u to %u", name->sport_host, name->dport_host);
}

int guard_sums_read(int fd, struct guard_sums *sums)
{
	int cpus = bpf_possible_cpus(), rc;
	struct guard_sums sum = { 0 }, *values;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	values = calloc((size_t)cpus, sizeof(*values));
	rc = values ? bpf_map_lookup(fd, &zero, values) : -ENOMEM;
	for (int i = 0; i < cpus && !rc; i++)
		for (size_t n = 0; n < sizeof(sum) / sizeof(uint64_t); n++)
			((uint64_t *)&sum)[n] += ((const uint64_t *)&values[i])[n];
	free(values);
	if (!rc)
		*sums = sum;
	return rc;
}
