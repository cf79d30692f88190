/* SPDX-License-Identifier: MIT */
/* Measures lookups in sets of addresses and loading them, compared with the kernel's hash and LPM
 * trie in the same run: sets [ROUNDS]. */
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

enum { ROUNDS = 7, RUN_MS = 50, FIRST_REPEAT = 200 };

enum method { METHOD_NONE, METHOD_SET, METHOD_HASH, METHOD_TRIE, METHODS };
static const char *const method_names[] = { "nothing", "set", "hash", "trie" };

static const struct set_case {
	const char *name;
	struct members m;
} set_cases[] = {
	{ "10,000 IPv4 addresses", { 10000, SET_IPV4, true } },
	{ "10,000 IPv4 prefixes", { 10000, SET_IPV4, false } },
	{ "1,000,000 IPv4 addresses", { 1000000, SET_IPV4, true } },
	{ "1,000,000 IPv4 prefixes", { 1000000, SET_IPV4, false } },
	{ "10,000 IPv6 prefixes", { 10000, SET_IPV6, false } },
	{ "1,000,000 IPv6 prefixes", { 1000000, SET_IPV6, false } },
};
enum { SET_CASES = ARRAY_LEN(set_cases) };

/* A program with one lookup method, for hits or for misses. */
struct runner {
	struct obj obj;
	uint32_t repeat;
	struct series ns;
	double found;
};

struct bench {
	const struct set_case *set_case;
	struct buf text;
	struct filter filter;
	struct sets sets;
	int fds[METHODS];
	double parse_ms, open_ms, kernel_ms[METHODS];
	struct runner runs[2][METHODS];
};

static double get_ms_since(uint64_t start)
{
	return (double)(clock_mono() - start) / 1e6;
}

static int provide_set(void *arg, const char *file, struct buf *text, struct diag *diag)
{
	struct bench *b = arg;

	(void)file;
	(void)diag;
	*text = b->text;
	b->text = (struct buf){ 0 };
	return 0;
}

static int open_set(struct bench *b)
{
	struct filter_names names = { .set = provide_set, .arg = b };
	struct diag diag = { 0 };
	uint64_t start;
	int rc;

	members_put_text(&b->set_case->m, "\n", &b->text);
	start = clock_mono();
	rc = filter_parse(&b->filter, "set bench", &names, &diag);
	b->parse_ms = get_ms_since(start);
	if (rc)
		return fail(rc, "%s", diag.msg);
	start = clock_mono();
	rc = sets_open(&b->sets, (const struct filter *[]){ &b->filter }, 1, "bench");
	b->open_ms = get_ms_since(start);
	b->fds[METHOD_SET] = b->sets.maps[0][b->set_case->m.family].fd;
	return rc;
}

/* Opens a map of the kernel with the same prefixes. */
static int open_kernel_map(struct bench *b, enum method method)
{
	uint32_t len = (uint32_t)set_addr_len(b->set_case->m.family),
		 skip = method == METHOD_TRIE ? 0 : 4;
	struct bpf_map_opts m = {
		.name = "bench_other",
		.type = method == METHOD_TRIE ? BPF_MAP_TYPE_LPM_TRIE : BPF_MAP_TYPE_HASH,
		.key_size = 4 - skip + len,
		.value_size = 1,
		.max_entries = b->set_case->m.n,
		.flags = method == METHOD_TRIE ? BPF_F_NO_PREALLOC : 0,
	};
	int fd = bpf_map_create(&m), rc = fd < 0 ? fd : 0;
	uint64_t start = clock_mono();

	b->fds[method] = fd;
	if (!rc)
		rc = members_fill(&b->set_case->m, fd, method == METHOD_TRIE);
	b->kernel_ms[method] = get_ms_since(start);
	return rc ? fail_errno(rc, "cannot fill the kernel's %s", method_names[method]) : 0;
}

/* Makes the code for the stub. r1: struct sets_key. */
static int make_code(const struct bench *b, enum method method, struct filter_code *code,
		     struct filter_reloc *reloc)
{
	bool v4 = b->set_case->m.family == SET_IPV4;
	const struct bpf_insn none[] = { I_MOV(0, 0), I_EXIT };
	const struct bpf_insn set[] = {
		v4 ? (struct bpf_insn)I_LOAD(BPF_W, 1, 1, 4) : (struct bpf_insn)I_ADD(1, 4),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0),
		I_EXIT,
	}, map[] = {
		I_MOV_REG(2, 1),
		I_ADD(2, method == METHOD_HASH ? 4 : 0),
		INSN(BPF_LD | BPF_IMM | BPF_DW, 1, BPF_PSEUDO_MAP_FD, 0, b->fds[method]),
		INSN(0, 0, 0, 0, 0),
		I_CALL(BPF_FUNC_map_lookup_elem),
		I_JEQ(0, 0, 1),
		I_MOV(0, 1),
		I_EXIT,
	};
	const struct bpf_insn *from = method == METHOD_NONE  ? none
				      : method == METHOD_SET ? set
							     : map;

	code->n = method == METHOD_NONE  ? ARRAY_LEN(none)
		  : method == METHOD_SET ? ARRAY_LEN(set)
					 : ARRAY_LEN(map);
	code->insns = malloc(sizeof(map));
	if (!code->insns)
		return -ENOMEM;
	memcpy(code->insns, from, code->n * sizeof(*from));
	if (method != METHOD_SET)
		return 0;
	*reloc = (struct filter_reloc){ .insn = 1,
					.family = (uint8_t)b->set_case->m.family,
					.name = b->filter.sets->name };
	code->relocs = reloc;
	code->nrelocs = 1;
	return sets_link(&b->sets, code);
}

static int load_prog(struct bench *b, bool miss, enum method method)
{
	struct filter_code code = { 0 };
	struct filter_reloc reloc;
	struct sets_conf conf = { .from = miss ? b->set_case->m.n : 0, .n = b->set_case->m.n };
	struct obj_code stub;
	struct obj_opts opts = { .stubs = &stub, .conf = &conf };
	int rc = make_code(b, method, &code, &reloc);

	if (miss) /* all other addresses */
		conf.n = UINT32_MAX - 2 * b->set_case->m.n;
	stub = (struct obj_code){ .insns = code.insns, .n = (uint32_t)code.n };
	if (!rc)
		rc = obj_open(&b->runs[miss][method].obj, &sets_spec, &opts);
	free(code.insns);
	return rc;
}

static int measure_lookups(struct runner *r, bool first)
{
	static const uint8_t packet[64];
	struct bpf_run run = { .data = packet,
			       .len = sizeof(packet),
			       .repeat = first ? FIRST_REPEAT : r->repeat };
	uint64_t start = clock_read(CLOCK_THREAD_CPUTIME_ID);
	int rc = bpf_prog_run(r->obj.prog_fd[0], &run);
	double ns = (double)(clock_read(CLOCK_THREAD_CPUTIME_ID) - start) / run.repeat;
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
			for (int method = 0; method < METHODS && !rc; method++)
				if (b->runs[miss][method].obj.spec)
					rc = measure_lookups(&b->runs[miss][method], !round);
	return rc;
}

static void print_case(const struct bench *b)
{
	printf("%s: %zu after merging; %u KiB; parsed in %.1f ms, built and filled in %.1f ms",
	       b->set_case->name, b->filter.sets->of[b->set_case->m.family].n,
	       b->sets.maps[0][b->set_case->m.family].head.lines / 16, b->parse_ms, b->open_ms);
	for (int method = METHOD_HASH; method < METHODS; method++)
		if (b->fds[method])
			printf("; %s filled in %.1f ms", method_names[method],
			       b->kernel_ms[method]);
	printf("\n");
	for (int miss = 0; miss < 2; miss++) {
		printf("  %-12s", miss ? "misses" : "hits");
		for (int method = METHOD_SET; method < METHODS; method++) {
			const struct runner *r = &b->runs[miss][method];
			double base = series_spread(&b->runs[miss][METHOD_NONE].ns).median;

			if (r->obj.spec)
				printf("  %s %6.1f ns", method_names[method],
				       series_spread(&r->ns).median - base);
		}
		printf("  (%.1f %% found)\n", b->runs[miss][METHOD_SET].found * 100);
	}
}

static int measure_case(const struct set_case *set_case, unsigned int rounds)
{
	static struct bench b;
	int rc;

	memset(&b, 0, sizeof(b));
	b.set_case = set_case;
	rc = open_set(&b);
	if (!rc && set_case->m.addresses)
		rc = open_kernel_map(&b, METHOD_HASH);
	if (!rc)
		rc = open_kernel_map(&b, METHOD_TRIE);
	for (int miss = 0; miss < 2; miss++)
		for (int method = 0; method < METHODS && !rc; method++)
			if (method <= METHOD_SET || b.fds[method])
				rc = load_prog(&b, miss, (enum method)method);
	if (!rc)
		rc = measure_all(&b, rounds);
	if (!rc)
		print_case(&b);
	for (int i = 0; i < 2 * METHODS; i++)
		obj_close(&b.runs[i / METHODS][i % METHODS].obj);
	for (int method = METHOD_HASH; method < METHODS; method++)
		if (b.fds[method] > 0)
			close(b.fds[method]);
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
	printf("Nanoseconds per lookup, less the loop without one: medians of %ld rounds. Each\n"
	       "address is drawn after the previous result.\n\n",
	       rounds);
	for (int i = 0; i < SET_CASES; i++)
		if (measure_case(&set_cases[i], (unsigned int)rounds))
			return 1;
	return 0;
}
