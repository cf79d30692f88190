/* SPDX-License-Identifier: MIT */
/* Feature probes: each loads the smallest program or map that needs the feature, and closes it. */
#include "obj/feature.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/bpf.h"

#define INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_IMM(d, i)   INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s)   INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define STORE_IMM(d, o) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, o, 0)
#define CALL(f)         INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define EXIT            INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int try_prog(uint32_t type, uint32_t attach_type, uint32_t flags,
		    const struct bpf_insn *insns, uint32_t n)
{
	struct bpf_prog_opts p = { .name = "sonde_try",
				   .type = type,
				   .attach_type = attach_type,
				   .flags = flags,
				   .insns = insns,
				   .ninsns = n,
				   .license = "Dual MIT/GPL" };
	int fd = bpf_prog_load(&p);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int try_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, uint32_t flags)
{
	struct bpf_map_opts m = { .name = "sonde_try",
				  .type = type,
				  .key_size = key,
				  .value_size = value,
				  .max_entries = entries,
				  .flags = flags };
	int fd = bpf_map_create(&m);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

#define TRY_PROG(type, attach, flags, ...)                                      \
	try_prog(type, attach, flags, (const struct bpf_insn[]){ __VA_ARGS__ }, \
		 sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn))

static int try_xdp(void)
{
	return TRY_PROG(BPF_PROG_TYPE_XDP, BPF_XDP, 0, MOV_IMM(0, XDP_PASS), EXIT);
}

static int try_tc(void)
{
	return TRY_PROG(BPF_PROG_TYPE_SCHED_CLS, 0, 0, MOV_IMM(0, -1), EXIT);
}

static int try_multibuf(void)
{
	return TRY_PROG(BPF_PROG_TYPE_XDP, BPF_XDP, BPF_F_XDP_HAS_FRAGS,
			CALL(BPF_FUNC_xdp_get_buff_len), MOV_IMM(0, XDP_PASS), EXIT);
}

static int try_atomics(void)
{
	return TRY_PROG(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0, STORE_IMM(BPF_REG_10, -8), MOV_IMM(1, 1),
			INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, 1, -8, BPF_ADD | BPF_FETCH),
			MOV_IMM(0, 0), EXIT);
}

static int try_raw_tp(void)
{
	return TRY_PROG(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, MOV_IMM(0, 0), EXIT);
}

/* Lockdown in confidentiality mode takes this away from tracing programs. */
static int try_probe_read(void)
{
	return TRY_PROG(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0,
			INSN(BPF_LDX | BPF_MEM | BPF_DW, 3, 1, 0, 0), STORE_IMM(BPF_REG_10, -8),
			MOV_REG(1, BPF_REG_10), INSN(BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, -8),
			MOV_IMM(2, 8), CALL(BPF_FUNC_probe_read_kernel), MOV_IMM(0, 0), EXIT);
}

static int try_kprobe(void)
{
	return TRY_PROG(BPF_PROG_TYPE_KPROBE, 0, 0, MOV_IMM(0, 0), EXIT);
}

static int try_ringbuf(void)
{
	return try_map(BPF_MAP_TYPE_RINGBUF, 0, 0, (uint32_t)sysconf(_SC_PAGESIZE), 0);
}

static int try_mmap(void)
{
	return try_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, BPF_F_MMAPABLE);
}

/* There is no interface 0: a kernel with tcx answers -ENODEV, one without -EINVAL. */
static int try_tcx(void)
{
	int rc = bpf_prog_query(0, SYS_BPF_TCX_INGRESS, NULL, NULL, 0);

	return rc == -ENODEV ? 0 : rc;
}

/* Address sets are arrays of cache lines. */
static int try_line_arrays(void)
{
	return try_map(BPF_MAP_TYPE_ARRAY, 4, 64, 1, 0);
}

static const struct {
	const char *name;
	int (*try)(void);
} features[] = {
	{ "XDP programs", try_xdp },
	{ "XDP frames in several buffers", try_multibuf },
	{ "tc programs", try_tc },
	{ "tcx", try_tcx },
	{ "raw tracepoint programs", try_raw_tp },
	{ "reading kernel memory in them", try_probe_read },
	{ "kprobe programs", try_kprobe },
	{ "ring buffers", try_ringbuf },
	{ "atomics that fetch", try_atomics },
	{ "maps mapped into memory", try_mmap },
	{ "arrays of lines", try_line_arrays },
};

int feature_try(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(features); i++)
		if (!strcmp(features[i].name, name))
			return features[i].try();
	return -ENOENT;
}
