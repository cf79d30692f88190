/* SPDX-License-Identifier: MIT */
/* Attaches by descriptors: the kernel detaches a program when its descriptor is closed, in whatever
 * way. */
#include "obj/tracing.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/bpf.h"
#include "sys/btf.h"
#include "sys/perf.h"

int tracing_attach(const struct obj *o, uint32_t prog)
{
	const struct spec_prog *p = &o->spec->progs[prog];
	int fd = o->prog_fd[prog];

	switch (p->type) {
	case BPF_PROG_TYPE_TRACING:
		return bpf_raw_tracepoint_open(NULL, fd);
	case BPF_PROG_TYPE_RAW_TRACEPOINT:
		return bpf_raw_tracepoint_open(p->target, fd);
	case BPF_PROG_TYPE_KPROBE:
		return perf_attach_kprobe(p->target, p->returns, fd);
	default:
		return -EINVAL;
	}
}

int tracing_try_fexit(const struct btf *types, const char *function)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct btf_lookup lookup = { .name = function, .kinds = BTF_KIND_BIT(FUNC) };
	struct bpf_prog_opts prog = { .name = "sonde_try",
				      .type = BPF_PROG_TYPE_TRACING,
				      .attach_type = BPF_TRACE_FEXIT,
				      .insns = insns,
				      .ninsns = ARRAY_LEN(insns),
				      .license = "GPL" };
	int fd;

	btf_resolve(types, &lookup, 1);
	if (!lookup.id)
		return -ENOENT;
	/* Loaded but not attached: detaching takes the kernel half a second. */
	prog.attach_btf_id = lookup.id;
	fd = bpf_prog_load(&prog);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

int tracing_iterate(const struct obj *o, uint32_t prog)
{
	int link = bpf_link_create(o->prog_fd[prog], 0, BPF_TRACE_ITER, 0), fd;

	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	close(link);
	return fd;
}

/* recursion_misses is in struct bpf_prog_info since Linux 5.12. */
uint64_t tracing_missed(const struct obj *o, uint32_t except)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < OBJ_PROGS_MAX; i++) {
		struct bpf_prog_info info = { 0 };

		if (i != except && o->prog_fd[i] &&
		    !bpf_get_info(o->prog_fd[i], &info, sizeof(info)))
			n += info.recursion_misses;
	}
	return n;
}
