/* SPDX-License-Identifier: MIT */
/* Runs a BPF program that returns the counter. A program returns 32 bits, so each half takes a
 * run. */
#include "sys/jiffies.h"
#include <errno.h>
#include <time.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "sys/bpf.h"

static int read_jiffies(int shift, uint32_t *value)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = shift },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	const struct bpf_prog_opts p = { .name = "sonde_jiffies",
					 .type = BPF_PROG_TYPE_SOCKET_FILTER,
					 .insns = insns,
					 .ninsns = ARRAY_LEN(insns),
					 .license = "Dual MIT/GPL" };
	uint8_t data[64] = { 0 };
	struct bpf_run run = { .data = data, .len = sizeof(data), .repeat = 1 };
	int fd = bpf_prog_load(&p), rc;

	if (fd < 0)
		return fd;
	rc = bpf_prog_run(fd, &run);
	close(fd);
	if (!rc)
		*value = run.ret;
	return rc;
}

int jiffies_read(uint64_t *now, uint64_t *hz)
{
	struct timespec tick;
	uint32_t low, high;
	int rc = read_jiffies(0, &low);

	if (!rc)
		rc = read_jiffies(32, &high);
	if (rc)
		return rc;
	/* Coarse clocks advance once per tick, so their resolution is the length of a tick. */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick) || !tick.tv_nsec)
		return -ENOSYS;
	*now = (uint64_t)high << 32 | low;
	*hz = (NS_PER_S + (uint64_t)tick.tv_nsec / 2) / (uint64_t)tick.tv_nsec;
	return 0;
}
