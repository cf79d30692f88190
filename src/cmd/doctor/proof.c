/* SPDX-License-Identifier: MIT */
/* sonde doctor --deep: proves every hook on a private veth pair by counting packets. */
#include "base/array.h"
#include "cmd/doctor/proof.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/err.h"
#include "bpf/doctor.h"
#include "gate/gate.h"
#include "gen/doctor.gen.h"
#include "lab/lab.h"
#include "sys/bpf.h"
#include "sys/ring.h"

enum {
	DATAGRAMS = 100, /* per proof */
	DATAGRAM_LEN = 333,
};

/* One proof: the packets sent through a hook, and the packets it counted. */
struct proof {
	const char *hook, *direction, *result;
	uint64_t sent, seen;
};

#define R struct proof
static const struct col proof_cols[] = {
	{ "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "direction", "dir", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "sent_packets", "sent", .role = COL_COUNTER, COL_AT_U64(R, sent) },
	{ "seen_packets", "seen", .role = COL_COUNTER, COL_AT_U64(R, seen) },
	{ "result", "result", .role = COL_INFO, COL_AT_STR(R, result) },
};
#undef R
const struct schema doctor_proof_schema = SCHEMA("doctor_proof", proof_cols);

static int send_datagrams(const struct lab *lab)
{
	return lab_udp(lab, AF_INET, DATAGRAMS, DATAGRAM_LEN, false);
}

/* Counts one direction at one hook: the near side sends, the far side receives. */
static int prove_gate(struct lab *lab, enum hook hook, enum gate_dir dir, uint64_t *seen)
{
	enum lab_side side = dir == GATE_IN ? LAB_FAR : LAB_NEAR;
	struct lab_end *end = &lab->end[side];
	struct gate_opts opts = { .quiet = true };
	struct gate_row key = {
		.dir = (uint8_t)dir, .family = GATE_IPV4, .verdict = GATE_PASS, .proto = IPPROTO_UDP
	};
	struct gate_counters table = { 0 };
	const struct gate_row *row;
	struct gate gate = { 0 };
	int rc = lab_enter(lab, side);

	opts.hooks[dir] = HOOK_BIT(hook);
	if (!rc)
		rc = gate_open(&gate, &end->nl, &end->link, &opts);
	if (!rc)
		rc = lab_enter(lab, LAB_NEAR);
	if (!rc)
		rc = send_datagrams(lab);
	if (!rc)
		rc = gate_read(&gate, &table);
	row = gate_counters_find(&table, &key);
	*seen = row ? row->packets : 0;
	lab_enter(lab, side); /* detach a link in the namespace where it was attached */
	gate_close(&gate, &end->nl);
	lab_enter(lab, LAB_NEAR);
	gate_counters_free(&table);
	return rc;
}

static int count_event(const void *rec, size_t len, void *arg)
{
	uint64_t *seen = arg;

	(void)rec;
	*seen += len == sizeof(struct doctor_event);
	return 0;
}

/* Traces the packets of exactly that length that the far side receives. */
static int prove_trace(struct lab *lab, unsigned int prog, uint64_t *seen)
{
	struct doctor_conf conf = {
		.ifindex = (uint32_t)lab->end[LAB_FAR].link.ifindex,
		.len = DATAGRAM_LEN + 20 + 8, /* IPv4 and UDP headers */
	};
	struct obj_opts opts = { .conf = &conf, .progs = 1u << prog };
	bool typed = prog == DOCTOR_PROG_SONDE_DOC_BTF;
	struct obj obj = { 0 };
	struct ring ring = { 0 };
	int link = 0, rc;

	rc = obj_open(&obj, &doctor_spec, &opts);
	if (rc)
		return rc;
	rc = ring_open(&ring, obj.map_fd[DOCTOR_MAP_EVENTS], DOCTOR_RING_SIZE);
	if (!rc)
		link = bpf_raw_tracepoint_open(typed ? NULL : doctor_spec.progs[prog].target,
					       obj.prog_fd[prog]);
	if (link < 0)
		rc = fail_errno(link, "%s", doctor_spec.progs[prog].name);
	if (!rc)
		rc = send_datagrams(lab);
	if (!rc)
		rc = ring_read(&ring, count_event, seen);
	if (link > 0)
		close(link);
	ring_close(&ring);
	obj_close(&obj);
	return rc;
}

static const struct {
	const char *name, *direction;
	enum hook hook; /* HOOK_NONE: a tracing program */
	enum gate_dir dir;
	unsigned int prog;
} proofs[] = {
	{ "xdp native", "in", HOOK_XDP_NATIVE, GATE_IN, 0 },
	{ "xdp generic", "in", HOOK_XDP_GENERIC, GATE_IN, 0 },
	{ "tcx", "in", HOOK_TCX, GATE_IN, 0 },
	{ "tcx", "out", HOOK_TCX, GATE_OUT, 0 },
	{ "clsact", "in", HOOK_CLSACT, GATE_IN, 0 },
	{ "clsact", "out", HOOK_CLSACT, GATE_OUT, 0 },
	{ "tp_btf, ring buffer", "in", HOOK_NONE, GATE_IN, DOCTOR_PROG_SONDE_DOC_BTF },
	{ "raw_tp, ring buffer", "in", HOOK_NONE, GATE_IN, DOCTOR_PROG_SONDE_DOC_RAW },
};

static int prove_all(struct lab *lab, struct sink *sink, unsigned int *wrong)
{
	int rc = sink_begin(sink, &doctor_proof_schema, NULL);

	for (size_t i = 0; i < ARRAY_LEN(proofs) && !rc; i++) {
		struct proof p = { .hook = proofs[i].name, .direction = proofs[i].direction };
		char why[160] = "";
		struct err_capture before = err_capture_begin(why, sizeof(why));
		int got;

		if (proofs[i].hook)
			got = prove_gate(lab, proofs[i].hook, proofs[i].dir, &p.seen);
		else
			got = prove_trace(lab, proofs[i].prog, &p.seen);
		err_capture_end(before);
		p.sent = got ? 0 : DATAGRAMS;
		p.result = got ? why : p.seen == p.sent ? "ok" : "WRONG";
		*wrong += !got && p.seen != p.sent;
		if (got && !*why)
			snprintf(why, sizeof(why), "%s", err_message(got));
		rc = sink_row(sink, &p);
	}
	return rc ? rc : sink_end(sink);
}

int doctor_prove(struct sink *sink)
{
	unsigned int wrong = 0;
	struct lab lab = { 0 };
	int rc = lab_open(&lab);

	if (!rc)
		rc = lab_up(&lab);
	/* The first exchange waits for the carrier and the addresses of both sides; it is not
	 * counted. */
	if (!rc) {
		rc = lab_udp(&lab, AF_INET, 1, 1, true);
		if (rc)
			fail_errno(rc, "traffic in the private network");
	}
	if (!rc) {
		rc = prove_all(&lab, sink, &wrong);
		if (rc)
			fail_errno(rc, "standard output");
	}
	lab_close(&lab);
	if (!rc && wrong)
		rc = fail(-EIO, "%u of the hooks miscount", wrong);
	return rc;
}
