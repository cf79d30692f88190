/* SPDX-License-Identifier: MIT */
/* Sets of addresses: the time of a lookup and of loading, beside the kernel's hash and its LPM trie
 * in the same run: sets [ROUNDS]. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/bench/sets.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "obj/obj.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "tests/bench/members.h"
#include "tests/bench/series.h"
#include "tests/bench/sets.gen.h"
#include "tests/lib/cpu.h"
#include "tests/lib/insn.h"

enum { ROUNDS = 7, RUN_MS = 50, REPEAT_FIRST = 200 };

enum way { WAY_NONE, WAY_SET, WAY_HASH, WAY_TRIE, WAYS };
static const char *const ways[] = { "nothing", "set", "hash", "trie" };

static const struct what {
	const char *name;
	struct members m;
} whats[] = {
	{ "10,000 IPv4 addresses", { 10000, SET_IPV4, true } },
	{ "10,000 IPv4 prefixes", { 10000, SET_IPV4, false } },
	{ "1,000,000 IPv4 addresses", { 1000000, SET_IPV4, true } },
	{ "1,000,000 IPv4 prefixes", { 1000000, SET_IPV4, false } },
	{ "10,000 IPv6 prefixes", { 10000, SET_IPV6, false } },
	{ "1,000,000 IPv6 prefixes", { 1000000, SET_IPV6, false } },
};
enum { WHATS = ARRAY_LEN(whats) };

/* A program with a way to look up, for hits and for misses. */
struct runner {
	struct obj obj;
	uint32_t repeat;
	struct series ns;
	double found;
};

struct bench {
	const struct what *what;
	struct buf text;
	struct filter filter;
	struct sets sets;
	int fds[WAYS];
	double parse_ms, open_ms, kernel_ms[WAYS];
	struct runner runs[2][WAYS];
};

static double ms_since(uint64_t begin)
{
	return (double)(clock_mono() - begin) / 1e6;
}

static int give(void *arg, const char *file, struct buf *text, struct diag *why)
{
	struct bench *b = arg;

	(void)file;
	(void)why;
	*text = b->text;
	b->text = (struct buf){ 0 };
	return 0;
}

static int open_set(struct bench *b)
{
	struct filter_names names = { .set = give, .arg = b };
	struct diag diag = { 0 };
	uint64_t begin;
	int rc;

	members_text(&b->what->m, "\n", &b->text);
	begin = clock_mono();
	rc = filter_parse(&b->filter, "set bench", &names, &diag);
	b->parse_ms = ms_since(begin);
	if (rc)
		return fail(rc, "%s", diag.msg);
	begin = clock_mono();
	rc = sets_open(&b->sets, (const struct filter *[]){ &b->filter }, 1, "bench");
	b->open_ms = ms_since(begin);
	b->fds[WAY_SET] = b->sets.maps[0][b->what->m.family].fd;
	return rc;
}

/* The kernel's own map with the same prefixes. */
static int open_kernel(struct bench *b, enum way way)
{
	uint32_t len = (uint32_t)set_addr_len(b->what->m.family), skip = way == WAY_TRIE ? 0 : 4;
	struct bpf_map_opts m = {
		.name = "bench_other",
		.type = way == WAY_TRIE ? BPF_MAP_TYPE_LPM_TRIE : BPF_MAP_TYPE_HASH,
		.key_size = 4 - skip + len,
		.value_size = 1,
		.max_entries = b->what->m.n,
		.flags = way == WAY_TRIE ? BPF_F_NO_PREALLOC : 0,
	};
	int fd = bpf_map_create(&m), rc = fd < 0 ? fd : 0;
	uint64_t begin = clock_mono();

	b->fds[way] = fd;
	if (!rc)
		rc = members_fill(&b->what->m, fd, way == WAY_TRIE);
	b->kernel_ms[way] = ms_since(begin);
	return rc ? fail_errno(rc, "the kernel's %s", ways[way]) : 0;
}

/* Code for the stub, r1: struct sets_key. */
static int make_code(const struct bench *b, enum way way, struct filter_code *code,
		     struct filter_reloc *reloc)
{
	bool v4 = b->what->m.family == SET_IPV4;
	const struct bpf_insn none[] = { I_MOV(0, 0), I_EXIT };
	const struct bpf_insn set[] = {
		v4 ? (struct bpf_insn)I_LOAD(BPF_W, 1, 1, 4) : (struct bpf_insn)I_ADD(1, 4),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0),
		I_EXIT,
	}, map[] = {
		I_MOV_REG(2, 1),
		I_ADD(2, way == WAY_HASH ? 4 : 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, b->fds[way]),
		INSN(0, 0, 0, 0, 0),
		I_CALL(BPF_FUNC_map_lookup_elem),
		I_JEQ(0, 0, 1),
		I_MOV(0, 1),
		I_EXIT,
	};
	const struct bpf_insn *from = way == WAY_NONE ? none : way == WAY_SET ? set : map;

	code->n = way == WAY_NONE  ? ARRAY_LEN(none)
		  : way == WAY_SET ? ARRAY_LEN(set)
				   : ARRAY_LEN(map);
	code->insns = malloc(sizeof(map));
	if (!code->insns)
		return -ENOMEM;
	memcpy(code->insns, from, code->n * sizeof(*from));
	if (way != WAY_SET)
		return 0;
	*reloc = (struct filter_reloc){ .insn = 1,
					.family = (uint8_t)b->what->m.family,
					.name = b->filter.sets->name };
	code->relocs = reloc;
	code->nrelocs = 1;
	return sets_link(&b->sets, code);
}

static int load(struct bench *b, bool miss, enum way way)
{
	struct filter_code code = { 0 };
	struct filter_reloc reloc;
	struct sets_conf conf = { .from = miss ? b->what->m.n : 0, .n = b->what->m.n };
	struct obj_code stub;
	struct obj_opts opts = { .stubs = &stub, .conf = &conf };
	int rc = make_code(b, way, &code, &reloc);

	if (miss) /* anywhere else */
		conf.n = UINT32_MAX - 2 * b->what->m.n;
	stub = (struct obj_code){ .insns = code.insns, .n = (uint32_t)code.n };
	if (!rc)
		rc = obj_open(&b->runs[miss][way].obj, &sets_spec, &opts);
	free(code.insns);
	return rc;
}

static int measure(struct runner *r, bool first)
{
	static const uint8_t packet[64];
	struct bpf_run run = { .data = packet,
			       .len = sizeof(packet),
			       .repeat = first ? REPEAT_FIRST : r->repeat };
	uint64_t begin = clock_read(CLOCK_THREAD_CPUTIME_ID);
	int rc = bpf_prog_run(r->obj.prog_fd[0], &run);
	double ns = (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - begin) / run.repeat;
	struct sets_state state = { 0 };
	uint32_t zero = 0;

	if (rc)
		return fail_errno(rc, "BPF_PROG_TEST_RUN");
	if (first) {
		r->repeat = (uint32_t)(RUN_MS * 1e6 / ns) + 1;
		rc = bpf_map_update(r->obj.map_fd[SETS_MAP_STATE], &zero, &state, BPF_ANY);
	} else {
		series_add(&r->ns, ns / SETS_LOOKUPS);
		rc = bpf_map_lookup(r->obj.map_fd[SETS_MAP_STATE], &zero, &state);
		r->found = (double)state.found / ((double)r->repeat * SETS_LOOKUPS * r->ns.n);
	}
	return rc;
}

static int measure_all(struct bench *b, unsigned int rounds)
{
	int rc = 0;

	for (unsigned int round = 0; round <= rounds && !rc; round++)
		for (int miss = 0; miss < 2 && !rc; miss++)
			for (int way = 0; way < WAYS && !rc; way++)
				if (b->runs[miss][way].obj.spec)
					rc = measure(&b->runs[miss][way], !round);
	return rc;
}

static void print(const struct bench *b)
{
	printf("%s: %zu in the end; %u KiB; parsed %.1f ms, built and filled %.1f ms",
	       b->what->name, b->filter.sets->of[b->what->m.family].n,
	       b->sets.maps[0][b->what->m.family].head.lines / 16, b->parse_ms, b->open_ms);
	for (int way = WAY_HASH; way < WAYS; way++)
		if (b->fds[way])
			printf("; %s filled %.1f ms", ways[way], b->kernel_ms[way]);
	printf("\n");
	for (int miss = 0; miss < 2; miss++) {
		printf("  %-12s", miss ? "of no number" : "of the set");
		for (int way = WAY_SET; way < WAYS; way++) {
			const struct runner *r = &b->runs[miss][way];
			double base = series_spread(&b->runs[miss][WAY_NONE].ns).median;

			if (r->obj.spec)
				printf("  %s %6.1f ns", ways[way],
				       series_spread(&r->ns).median - base);
		}
		printf("  (%.1f %% found)\n", b->runs[miss][WAY_SET].found * 100);
	}
}

static int bench(const struct what *what, unsigned int rounds)
{
	static struct bench b;
	int rc;

	memset(&b, 0, sizeof(b));
	b.what = what;
	rc = open_set(&b);
	if (!rc && what->m.addresses)
		rc = open_kernel(&b, WAY_HASH);
	if (!rc)
		rc = open_kernel(&b, WAY_TRIE);
	for (int miss = 0; miss < 2; miss++)
		for (int way = 0; way < WAYS && !rc; way++)
			if (way <= WAY_SET || b.fds[way])
				rc = load(&b, miss, (enum way)way);
	if (!rc)
		rc = measure_all(&b, rounds);
	if (!rc)
		print(&b);
	for (int i = 0; i < 2 * WAYS; i++)
		obj_close(&b.runs[i / WAYS][i % WAYS].obj);
	for (int way = WAY_HASH; way < WAYS; way++)
		if (b.fds[way] > 0)
			close(b.fds[way]);
	sets_close(&b.sets);
	filter_close(&b.filter);
	return rc;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;

	err_set_command("bench");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 || rounds < 1 || rounds > SERIES_MAX) {
		fprintf(stderr, "usage: sets [ROUNDS]\n");
		return 2;
	}
	cpu_pin_here();
	printf("Nanoseconds a lookup, more than with none: medians of %ld rounds in turn, each\n"
	       "address drawn after the answer about the last one.\n\n",
	       rounds);
	for (int i = 0; i < WHATS; i++)
		if (bench(&whats[i], (unsigned int)rounds))
			return 1;
	return 0;
}
