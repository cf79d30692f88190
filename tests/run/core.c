/* SPDX-License-Identifier: MIT */
/* CO-RE on the running kernel: hand-written programs give the right result only with the right
 * offsets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/array.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "sys/link.h"
#include "sys/netns.h"
#include "sys/ring.h"
#include "tests/lib/insn.h"
#include "tests/lib/require.h"
#include "tests/run/run.h"

enum {
	RING_SIZE = 65536,
	PAYLOAD = 1187,
	SKB_LEN = 20 + 8 + PAYLOAD, /* after the link layer: IPv4, UDP */
};

static const struct spec_map ring_map[] = {
	{ .name = "ring", .type = BPF_MAP_TYPE_RINGBUF, .max_entries = RING_SIZE },
};

/* clang-format off */
/* The end of a program: sends the upper 8 bytes of the stack to the ring of I_MAP. */
#define I_TELL                                                                               \
	I_MAP(1), I_MOV_REG(2, 10), I_ADD(2, -8), I_MOV(3, 8), I_MOV(4, 0),                  \
	I_CALL(BPF_FUNC_ringbuf_output), I_MOV(0, 0), I_EXIT
/* clang-format on */

static int open_prog(struct obj *o, const struct spec_prog *prog, const struct bpf_insn *insns)
{
	struct spec spec = { .name = "core",
			     .license = "Dual MIT/GPL",
			     .maps = ring_map,
			     .nmaps = ARRAY_LEN(ring_map),
			     .progs = prog,
			     .nprogs = 1,
			     .code = insns,
			     .code_len = prog->ninsns * (uint32_t)sizeof(*insns),
			     .ninsns = prog->ninsns,
			     .conf_map = ARRAY_LEN(ring_map) };
	int rc = obj_open(o, &spec, &(struct obj_opts){ 0 });

	o->spec = NULL; /* it is on this function's stack */
	return rc;
}

/* Sends a datagram on this namespace's loopback. */
static void send_datagram(void)
{
	static const char payload[PAYLOAD];
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(9),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(sendto(fd, payload, sizeof(payload), 0, (void *)&to, sizeof(to)) == PAYLOAD,
	      "sending: %s", strerror(errno));
	close(fd);
}

static int count_len(const void *rec, size_t len, void *arg)
{
	uint32_t value;

	CHECK(len == sizeof(uint64_t), "a record of %zu bytes", len);
	memcpy(&value, rec, sizeof(value));
	*(int *)arg += value == SKB_LEN;
	return 0;
}

/* prog sends sk_buff.len of each received packet to the ring; one must be the test's packet. */
static void check_seen(const struct spec_prog *prog, const struct bpf_insn *insns)
{
	struct nl nl = { 0 };
	struct ring ring = { 0 };
	struct obj o = { 0 };
	struct link lo;
	int link, seen = 0;

	CHECK(!open_prog(&o, prog, insns), "cannot load");
	CHECK(!netns_unshare() && !nl_open(&nl, 0) && !link_get(&nl, "lo", 0, &lo) &&
		      !link_up(&nl, lo.ifindex),
	      "cannot set up loopback");
	CHECK(!ring_open(&ring, o.map_fd[0], RING_SIZE), "cannot open the ring");
	link = bpf_raw_tracepoint_open(
		prog->type == BPF_PROG_TYPE_TRACING ? NULL : "netif_receive_skb", o.prog_fd[0]);
	CHECK(link > 0, "cannot attach: %s", strerror(-link));
	send_datagram();
	for (int ms = 0; ms < 2000 && !seen; ms++) {
		usleep(1000);
		ring_read(&ring, count_len, &seen);
	}
	CHECK(seen, "sk_buff.len of %d was not seen", SKB_LEN);
	close(link);
	ring_close(&ring);
	nl_close(&nl);
	obj_close(&o);
}

/* The member is read like any memory: the offset is an operand. */
TEST(core_offset_read, "core: a member is read at its offset", TEST_ROOT, 10)
{
	static const struct bpf_insn insns[] = {
		I_LOAD(BPF_DW, 3, 1, 0), /* the skb */
		I_MOV(1, 0),             /* a constant of CO-RE */
		I_ADD_REG(3, 1),
		I_MOV(1, 0),
		I_STORE(BPF_DW, 10, -8, 1),
		I_MOV_REG(1, 10),
		I_ADD(1, -8),
		I_MOV(2, 4),
		I_CALL(BPF_FUNC_probe_read_kernel),
		I_TELL,
	};
	static const struct spec_reloc relocs[] = { { .insn = 9, .kind = SPEC_MAP_FD } };
	static const struct spec_core cores[] = {
		{ .insn = 1, .kind = SPEC_FIELD_OFFSET, .type = "sk_buff", .path = "len" },
	};
	static const struct spec_prog prog = { .name = "read",
					       .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
					       .ninsns = ARRAY_LEN(insns),
					       .relocs = relocs,
					       .nrelocs = ARRAY_LEN(relocs),
					       .cores = cores,
					       .ncores = ARRAY_LEN(cores) };

	require_types();
	require_memory();
	check_seen(&prog, insns);
}

/* The verifier knows the types: the offset is in the load, which must have the right width. */
TEST(core_offset_typed, "core: a typed member is read at its offset and width", TEST_ROOT, 10)
{
	static const struct bpf_insn insns[] = {
		I_LOAD(BPF_DW, 1, 1, 0), /* the skb */
		I_LOAD(BPF_DW, 6, 1, 0), /* as if len had been 8 bytes when compiled */
		I_STORE(BPF_W, 10, -8, 6), I_STORE(BPF_W, 10, -4, 6), I_TELL,
	};
	static const struct spec_reloc relocs[] = { { .insn = 4, .kind = SPEC_MAP_FD } };
	static const struct spec_core cores[] = {
		{ .insn = 1,
		  .kind = SPEC_FIELD_OFFSET,
		  .size = 8,
		  .type = "sk_buff",
		  .path = "len" },
	};
	static const struct spec_prog prog = { .name = "typed",
					       .type = BPF_PROG_TYPE_TRACING,
					       .attach_type = BPF_TRACE_RAW_TP,
					       .target = "netif_receive_skb",
					       .ninsns = ARRAY_LEN(insns),
					       .relocs = relocs,
					       .nrelocs = ARRAY_LEN(relocs),
					       .cores = cores,
					       .ncores = ARRAY_LEN(cores) };

	require_types();
	check_seen(&prog, insns);
}

/* Loads a raw tracepoint program and runs it once. Returns the loader's error; the program's result
 * in *ret. */
static int run_raw(const struct bpf_insn *insns, uint32_t n, const struct spec_core *cores,
		   uint32_t ncores, uint32_t *ret)
{
	struct spec_prog prog = { .name = "raw",
				  .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				  .ninsns = n,
				  .cores = cores,
				  .ncores = ncores };
	struct bpf_run run = { 0 };
	struct obj o = { 0 };
	int rc = open_prog(&o, &prog, insns);

	if (rc)
		return rc;
	rc = bpf_prog_run(o.prog_fd[0], &run);
	CHECK(!rc, "cannot run: %s", strerror(-rc));
	obj_close(&o);
	*ret = run.ret;
	return 0;
}

static const struct spec_core missing[] = {
	{ .insn = 0, .kind = SPEC_FIELD_EXISTS, .type = "sk_buff", .path = "no_such_member" },
	{ .insn = 2, .kind = SPEC_FIELD_OFFSET, .type = "sk_buff", .path = "no_such_member" },
};

TEST(core_missing_guarded, "core: a missing member after an existence check is accepted", TEST_ROOT,
     10)
{
	static const struct bpf_insn insns[] = {
		I_MOV(1, 99), I_JEQ(1, 0, 2), I_MOV(0, 0), I_EXIT, I_MOV(0, 42), I_EXIT,
	};
	uint32_t ret = 0;

	require_types();
	CHECK(!run_raw(insns, ARRAY_LEN(insns), missing, ARRAY_LEN(missing), &ret), "cannot load");
	CHECK(ret == 42, "returns %u", ret);
}

TEST(core_missing_reached, "core: a missing member without a check is refused", TEST_ROOT, 10)
{
	static const struct bpf_insn insns[] = {
		I_MOV(1, 99), I_JEQ(1, 1, 1), I_MOV(0, 0), I_MOV(0, 42), I_EXIT,
	};
	static const struct bpf_insn wide[] = { I_MOV(1, 99), I_MOV(0, 0), I_MAP(1), I_EXIT };
	uint32_t ret = 0;
	const char *output;
	int rc;

	require_types();
	test_capture();
	rc = run_raw(insns, ARRAY_LEN(insns), missing, ARRAY_LEN(missing), &ret);
	output = test_captured();
	CHECK(rc == -EINVAL, "returns %d: %s", rc, output);
	/* 20702 is 0x50de, the number in place of a missing member. */
	CHECK(strstr(output, "program raw") && strstr(output, "20702"), "prints: %s", output);
	test_capture();
	rc = run_raw(wide, ARRAY_LEN(wide), missing, ARRAY_LEN(missing), &ret);
	output = test_captured();
	CHECK(rc == -EINVAL && strstr(output, "20702"), "a wide one returns %d: %s", rc, output);
}

/* The result of each relocation is the operand of a move that the program returns. The expected
 * values cannot change between kernels, or the kernel also reports them in another way. */
static const struct reloc_case {
	uint16_t kind;
	const char *type, *path;
	uint32_t answer;
} questions[] = {
	{ SPEC_FIELD_OFFSET, "iphdr", "daddr", 16 },
	{ SPEC_FIELD_OFFSET, "iphdr", "ttl", 8 },
	{ SPEC_FIELD_OFFSET, "ipv6hdr", "daddr.in6_u.u6_addr8[3]", 27 },
	{ SPEC_FIELD_OFFSET, "ipv6hdr", "daddr.in6_u.u6_addr8[16]", UINT32_MAX },
	{ SPEC_FIELD_OFFSET, "sk_buff", "next", 0 },
	{ SPEC_FIELD_SIZE, "ipv6hdr", "saddr", 16 },
	{ SPEC_FIELD_SIZE, "sk_buff", "len", 4 },
	{ SPEC_FIELD_SIZE, "sk_buff", "cb", 48 },
	{ SPEC_FIELD_EXISTS, "sk_buff", "len", 1 },
	{ SPEC_FIELD_EXISTS, "sk_buff", "no_such_member", 0 },
	{ SPEC_FIELD_EXISTS, "sk_buff", "len.x", 0 },
	{ SPEC_FIELD_EXISTS, "no_such_struct", "len", 0 },
	{ SPEC_TYPE_EXISTS, "sk_buff", "", 1 },
	{ SPEC_TYPE_EXISTS, "no_such_struct", "", 0 },
	{ SPEC_TYPE_SIZE, "iphdr", "", 20 },
	{ SPEC_TYPE_SIZE, "ethhdr", "", 14 },
	{ SPEC_ENUM_EXISTS, "bpf_prog_type", "BPF_PROG_TYPE_XDP", 1 },
	{ SPEC_ENUM_EXISTS, "bpf_prog_type", "BPF_PROG_TYPE_NONE", 0 },
	{ SPEC_ENUM_VALUE, "bpf_prog_type", "BPF_PROG_TYPE_XDP", BPF_PROG_TYPE_XDP },
	{ SPEC_ENUM_VALUE, "bpf_prog_type", "BPF_PROG_TYPE_NONE", UINT32_MAX },
};

/* UINT32_MAX: does not exist; the loader must refuse it. */
TEST(core_answers, "core: every kind of relocation has the right result", TEST_ROOT, 60)
{
	static const struct bpf_insn insns[] = { I_MOV(0, -7), I_EXIT };
	static const struct bpf_insn wide[] = { I_MAP(0), I_EXIT };
	static const struct bpf_insn high[] = {
		INSN(BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 7),
		INSN(0, 0, 0, 0, 7),
		I_RSH(0, 32),
		I_EXIT,
	};

	require_types();
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const struct reloc_case *q = &questions[i];
		struct spec_core core = { .kind = q->kind, .type = q->type, .path = q->path };
		uint32_t ret = UINT32_MAX, wide_ret = UINT32_MAX, high_ret = UINT32_MAX;
		const char *output;

		test_capture();
		run_raw(insns, ARRAY_LEN(insns), &core, 1, &ret);
		run_raw(wide, ARRAY_LEN(wide), &core, 1, &wide_ret);
		run_raw(high, ARRAY_LEN(high), &core, 1, &high_ret);
		output = test_captured();
		CHECK(ret == q->answer, "%u of %s.%s is %u, expected %u: %s", q->kind, q->type,
		      q->path, ret, q->answer, output);
		CHECK(high_ret == (q->answer == UINT32_MAX ? UINT32_MAX : 0),
		      "%u of %s.%s has %u above 32 bits", q->kind, q->type, q->path, high_ret);
		CHECK(wide_ret == q->answer, "%u of %s.%s is %u as 64 bits, expected %u: %s",
		      q->kind, q->type, q->path, wide_ret, q->answer, output);
	}
}

TEST(core_no_tracepoint, "core: a missing tracepoint is reported by name", TEST_ROOT, 10)
{
	static const struct bpf_insn insns[] = { I_MOV(0, 0), I_EXIT };
	static const struct spec_prog prog = { .name = "typed",
					       .type = BPF_PROG_TYPE_TRACING,
					       .attach_type = BPF_TRACE_RAW_TP,
					       .target = "no_such_tracepoint",
					       .ninsns = ARRAY_LEN(insns) };
	struct obj o = { 0 };
	const char *output;
	int rc;

	require_types();
	test_capture();
	rc = open_prog(&o, &prog, insns);
	output = test_captured();
	CHECK(rc == -ENOENT, "returns %d", rc);
	CHECK(!strcmp(output, "sonde: this kernel has no no_such_tracepoint to trace\n"),
	      "prints: %s", output);
}
