/* SPDX-License-Identifier: MIT */
/* Filters in the kernel give the same result as in user space. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "filter/emit.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "tests/lib/exprs.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { PACKETS = 60, EXPRESSIONS = 2000, TEXT_MAX = 2000, SEED = 20261123 };

static struct exprs_packet packets[PACKETS];

/* Loads a program that calls the filter code with the views in map and the packet. */
static int load_filter(const struct filter_code *filter, enum filter_target target, int map)
{
	const struct bpf_insn xdp[] = {
		I_LOAD(BPF_W, 7, 1, 0), I_LOAD(BPF_W, 8, 1, 4),
	}, skb[] = {
		I_MOV_REG(7, 1), I_MOV(8, 0),
	}, call[] = {
		I_FIRST_VALUE(map),
		I_JEQ(0, 0, 4),
		I_MOV_REG(1, 0),
		I_MOV_REG(2, 7),
		I_MOV_REG(3, 8),
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 1),
		I_EXIT,
	};
	struct bpf_insn *all = calloc(ARRAY_LEN(xdp) + ARRAY_LEN(call) + filter->n, sizeof(*all));
	struct bpf_prog_opts p = {
		.name = "filter",
		.type = target == FILTER_XDP ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS,
		.insns = all,
		.ninsns = (uint32_t)(ARRAY_LEN(xdp) + ARRAY_LEN(call) + filter->n),
		.license = "Dual MIT/GPL"
	};
	int fd;

	CHECK(all, "no memory");
	memcpy(all, target == FILTER_XDP ? xdp : skb, sizeof(xdp));
	memcpy(all + ARRAY_LEN(xdp), call, sizeof(call));
	memcpy(all + ARRAY_LEN(xdp) + ARRAY_LEN(call), filter->insns, filter->n * sizeof(*all));
	fd = bpf_prog_load(&p);
	free(all);
	return fd;
}

static void check_filter(const char *text, enum filter_target target, int map)
{
	struct diag diag = { 0 };
	struct filter_code code = { 0 };
	struct filter f = { 0 };
	struct sets sets = { 0 };
	uint32_t zero = 0;
	int rc, prog;

	if (filter_parse(&f, text, &exprs_names, &diag))
		return;
	rc = filter_emit(&f, target, &code, &diag);
	CHECK(!rc, "'%s': %s", text, diag.msg);
	CHECK(!sets_open(&sets, (const struct filter *[]){ &f }, 1, "set"),
	      "'%s': cannot open the sets", text);
	CHECK(!sets_link(&sets, &code), "no memory");
	prog = load_filter(&code, target, map);
	CHECK(prog > 0, "'%s': cannot load: %s", text, strerror(-prog));
	sets_close(&sets);
	for (int i = 0; i < PACKETS; i++) {
		struct exprs_packet *e = &packets[i];
		struct filter_packet p = { e->views, e->data, e->frame.caplen };
		struct bpf_run run = { .data = e->data, .len = e->frame.caplen };
		bool match = filter_match(&f, &p);

		CHECK(!bpf_map_update(map, &zero, e->views, BPF_ANY), "cannot store the views");
		rc = bpf_prog_run(prog, &run);
		CHECK(!rc, "cannot run: %s", strerror(-rc));
		CHECK(run.ret || !match, "'%s': packet %d matches, but is not passed to user space",
		      text, i);
		/* Names in packets are matched in user space only. */
		if (run.ret && !code.exact)
			run.ret = filter_recheck(&f, &p);
		CHECK(run.ret == match, "'%s': packet %d: %u, expected %d", text, i, run.ret,
		      match);
	}
	close(prog);
	filter_code_close(&code);
	filter_close(&f);
}

/* Expressions that access bytes outside of the packet, after terms that only user space decides. */
static const char *const odd[] = {
	"(dns example.com and udp[200] = 0) or udp",
	"(sni com and tcp[200] = 0) or tcp",
	"(dns com and 1 / (len - len) = 1) or ip",
	"not (not dns com or tcp[200] = 0) or ip",
	"not (dns com and not (sni com and ip[300] = 0))",
	"tcp[200] = 0 or dns com or sni com",
	"inner dns com or not inner sni com",
	"inner (inner tcp and udp) or tcp",
	"net 0.0.0.0/0 or net ::/0 and tcp",
};

static void compare_target(enum filter_target target)
{
	struct bpf_map_opts m = { .type = BPF_MAP_TYPE_ARRAY,
				  .key_size = 4,
				  .value_size = sizeof(packets->views),
				  .max_entries = 1 };
	int map = bpf_map_create(&m);

	CHECK(map > 0, "cannot create a map: %s", strerror(-map));
	exprs_seed(SEED);
	/* The kernel does not run an skb that is shorter than its headers need. */
	for (int i = 0; i < PACKETS; i++)
		do
			exprs_draw_packet(&packets[i]);
		while (packets[i].frame.caplen < 60);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		check_filter(odd[i], target, map);
	for (int i = 0; i < EXPRESSIONS / (int)test_slow(); i++) {
		char text[TEXT_MAX];

		exprs_draw_ext_text(text, sizeof(text));
		check_filter(text, target, map);
	}
	close(map);
}

TEST(filter_xdp, "filter: same result at XDP as in user space", TEST_ROOT, 120)
{
	compare_target(FILTER_XDP);
}

TEST(filter_skb, "filter: same result at tc as in user space", TEST_ROOT, 120)
{
	compare_target(FILTER_SKB);
}
