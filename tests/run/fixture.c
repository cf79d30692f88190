/* SPDX-License-Identifier: MIT */
/* The fixture that runs the gate's programs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/array.h"
#include "gen/gate.gen.h"
#include "obj/feature.h"
#include "sys/bpf.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

const char *const target_names[] = { "xdp", "tc in", "tc out" };
static const int progs[] = { GATE_PROG_SONDE_GATE_XDP, GATE_PROG_SONDE_GATE_IN,
			     GATE_PROG_SONDE_GATE_OUT };

#define CB(i) (short)(offsetof(struct __sk_buff, cb) + (i)*4)

enum { STAGE_LOST = 99, STAGE_PADDED = 64 };

/* The stage uses its whole stack frame. Without a JIT, the program that it tail-calls continues
 * with the stage's stack; kernels from 6.12 on allocate only what the stage itself needs, and
 * panic. */
static const struct bpf_insn stage_insns[] = {
	I_MOV_REG(6, 1),
	I_STORE(BPF_DW, 10, -512, 6),
	I_LOAD(BPF_W, 2, 6, CB(STAGE_CUT)),
	I_JEQ(2, 0, 4),
	I_MOV(3, 0),
	I_CALL(BPF_FUNC_skb_change_tail),
	I_JNE(0, 0, 11),
	I_MOV_REG(1, 6),
	I_LOAD(BPF_W, 2, 6, CB(STAGE_VLAN_PROTO)),
	I_JEQ(2, 0, 3),
	I_LOAD(BPF_W, 3, 6, CB(STAGE_VLAN_ID)),
	I_CALL(BPF_FUNC_skb_vlan_push),
	I_JNE(0, 0, 5),
	I_MOV_REG(1, 6),
	I_MAP(2),
	I_LOAD(BPF_W, 3, 6, CB(STAGE_PROG)),
	I_CALL(BPF_FUNC_tail_call),
	I_MOV(0, STAGE_LOST),
	I_EXIT,
};
static const struct spec_reloc stage_relocs[] = { { .insn = 14, .kind = SPEC_MAP_FD, .map = 0 } };
static const struct spec_map stage_maps[] = {
	{ .name = "next",
	  .type = BPF_MAP_TYPE_PROG_ARRAY,
	  .key_size = 4,
	  .value_size = 4,
	  .max_entries = TARGETS },
};
static const struct spec_prog stage_prog = {
	.name = "stage",
	.type = BPF_PROG_TYPE_SCHED_CLS,
	.ninsns = ARRAY_LEN(stage_insns),
	.relocs = stage_relocs,
	.nrelocs = ARRAY_LEN(stage_relocs),
};
static const struct spec stage_spec = { .name = "stage",
					.license = "Dual MIT/GPL",
					.maps = stage_maps,
					.nmaps = ARRAY_LEN(stage_maps),
					.progs = &stage_prog,
					.nprogs = 1,
					CODE(stage_insns),
					.conf_map = ARRAY_LEN(stage_maps) };

void stage_open(struct obj *stage)
{
	struct obj_opts opts = { 0 };

	CHECK(!obj_open(stage, &stage_spec, &opts), "cannot load the stage");
}

void stage_link(const struct obj *stage, uint32_t slot, int prog)
{
	int rc = bpf_map_update(stage->map_fd[0], &slot, &prog, 0);

	CHECK(!rc, "cannot add %s to the stage: %s", target_names[slot], strerror(-rc));
}

void fixture_open(struct fixture *r, bool ethernet)
{
	struct gate_conf conf = { .magic = GATE_MAGIC,
				  .version = GATE_VERSION,
				  .ethernet = ethernet,
				  .multibuf = (feature_try("XDP frames in several buffers") == 0) };
	struct obj_opts opts = { .conf = &conf,
				 .xdp_flags = conf.multibuf ? BPF_F_XDP_HAS_FRAGS : 0 };

	*r = (struct fixture){ .multibuf = conf.multibuf };
	CHECK(!obj_open(&r->gate, &gate_spec, &opts), "cannot load the gate");
	stage_open(&r->stage);
	for (uint32_t target = TC_IN; target < TARGETS; target++)
		stage_link(&r->stage, target, r->gate.prog_fd[progs[target]]);
}

void fixture_close(struct fixture *r)
{
	obj_close(&r->stage);
	obj_close(&r->gate);
}

void fixture_read(const struct fixture *r, enum gate_dir dir, struct gate_counters *t)
{
	int rc;

	*t = (struct gate_counters){ 0 };
	rc = gate_counters_read(t, r->gate.map_fd[GATE_MAP_COUNTERS],
				r->gate.map_fd[GATE_MAP_COUNTERS_OTHER], dir);
	CHECK(!rc, "reading the counters: %s", strerror(-rc));
}

void fixture_empty(const struct fixture *r)
{
	for (int dir = 0; dir < GATE_DIRS; dir++) {
		struct gate_counters t;

		fixture_read(r, (enum gate_dir)dir, &t);
		CHECK(!t.n, "%zu rows %s, expected none", t.n, gate_dir_name((enum gate_dir)dir));
		gate_counters_free(&t);
	}
}

/* Removes one row's counters from the maps. */
static void clear_row(const struct fixture *r, const struct gate_row *row)
{
	static struct gate_counters_val zero[1024];
	struct gate_other_key other = { .dir = row->dir,
					.family = row->family,
					.verdict = row->verdict,
					.proto = (uint16_t)row->proto };
	uint32_t counters = row->dir * GATE_VERDICTS + row->verdict;

	if (row->proto <= UINT16_MAX &&
	    !bpf_map_delete(r->gate.map_fd[GATE_MAP_COUNTERS_OTHER], &other))
		return;
	CHECK(bpf_possible_cpus() <= (int)ARRAY_LEN(zero), "more CPUs than this test supports");
	CHECK(!bpf_map_update(r->gate.map_fd[GATE_MAP_COUNTERS], &counters, zero, BPF_ANY),
	      "cannot zero the counters");
}

void fixture_clear(const struct fixture *r, enum gate_dir dir)
{
	struct gate_counters t;

	fixture_read(r, dir, &t);
	for (size_t i = 0; i < t.n; i++)
		clear_row(r, &t.rows[i]);
	gate_counters_free(&t);
}

/* Formats the packet's start in hex, for messages. */
static const char *format_packet(enum target target, const void *data, size_t len)
{
	static char text[300];
	int at = snprintf(text, sizeof(text), "%s, %zu bytes", target_names[target], len);

	for (size_t i = 0; i < len && i < 100; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%02x", i % 4 ? "" : " ",
			       ((const uint8_t *)data)[i]);
	return text;
}

/* Newer kernels (6.17) refuse an skb whose EtherType needs more bytes than the packet has. Pads the
 * packet; the stage cuts it back. */
static int run_staged(struct fixture *r, enum target target, struct bpf_run *run)
{
	static uint8_t padded[PACKET_MAX];
	struct __sk_buff ctx = { 0 };

	if (run->ctx)
		memcpy(&ctx, run->ctx, sizeof(ctx));
	ctx.cb[STAGE_PROG] = target;
	if (run->len < STAGE_PADDED && !ctx.cb[STAGE_CUT]) {
		memset(padded, 0xee, STAGE_PADDED);
		memcpy(padded, run->data, run->len);
		ctx.cb[STAGE_CUT] = run->len;
		run->data = padded;
		run->len = STAGE_PADDED;
	}
	run->ctx = &ctx;
	run->ctx_len = sizeof(ctx);
	return bpf_prog_run(r->stage.prog_fd[0], run);
}

void fixture_run(struct fixture *r, enum target target, const void *data, size_t len,
		 const struct __sk_buff *ctx, struct gate_row *row)
{
	uint32_t want = target == XDP ? XDP_PASS
				      : (uint32_t)-1; /* TC_ACT_UNSPEC: the next program decides */
	bool staged = ctx && (ctx->cb[STAGE_CUT] || ctx->cb[STAGE_VLAN_PROTO]);
	struct bpf_run run = {
		.data = data, .len = (uint32_t)len, .ctx = ctx, .ctx_len = ctx ? sizeof(*ctx) : 0
	};
	struct gate_counters t;
	int rc = staged ? -EINVAL : bpf_prog_run(r->gate.prog_fd[progs[target]], &run);

	if (rc == -EINVAL && target != XDP)
		rc = run_staged(r, target, &run);
	CHECK(!rc, "%s: cannot run: %s", format_packet(target, data, len), strerror(-rc));
	CHECK(run.ret == want, "%s: returns %d, expected %d", format_packet(target, data, len),
	      (int)run.ret, (int)want);
	fixture_read(r, target == TC_OUT ? GATE_OUT : GATE_IN, &t);
	CHECK(t.n == 1, "%s: %zu rows, expected one", format_packet(target, data, len), t.n);
	*row = t.rows[0];
	clear_row(r, row);
	gate_counters_free(&t);
}

static void print_row(char *buf, size_t len, const struct gate_row *row)
{
	char proto[8];

	snprintf(buf, len, "%s %s %s (%x) %s, %llu packets, %llu bytes", gate_dir_name(row->dir),
		 gate_family_name(row->family), gate_proto_name(row, proto, sizeof(proto)),
		 row->proto, gate_verdict_name(row->verdict), (unsigned long long)row->packets,
		 (unsigned long long)row->bytes);
}

void fixture_expect(struct fixture *r, enum target target, const void *data, size_t len,
		    const struct __sk_buff *ctx, const struct gate_row *want)
{
	struct gate_row full = *want, row;
	char got[128], expected[128];

	full.dir = target == TC_OUT ? GATE_OUT : GATE_IN;
	full.verdict = GATE_PASS;
	fixture_run(r, target, data, len, ctx, &row);
	print_row(got, sizeof(got), &row);
	print_row(expected, sizeof(expected), &full);
	CHECK(!strcmp(got, expected), "%s: counted as %s, expected %s",
	      format_packet(target, data, len), got, expected);
}

void fixture_compare(struct fixture *r, enum target target, const void *data, size_t len,
		     bool ethernet)
{
	struct packet_class o = reference_classify(data, len, ethernet);
	struct gate_row want = { .family = o.family, .proto = o.proto, .packets = 1, .bytes = len };

	fixture_expect(r, target, data, len, NULL, &want);
}
