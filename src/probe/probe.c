/* SPDX-License-Identifier: MIT */
/* The programs are loaded once for each probe, with its number in their conf; they share their
 * maps. */
#include "base/array.h"
#include "probe/probe.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/diag.h"
#include "base/err.h"
#include "gen/probe.gen.h"
#include "obj/tracing.h"
#include "sys/bpf.h"
#include "sys/perf.h"

#define PROG(name) (1u << PROBE_PROG_SONDE_##name)

enum {
	RING = 2 << 20,       /* about ten thousand hits */
	RING_LEAST = 1 << 16, /* valid with any page size */
	ROOM = 8 << 20,       /* limit for the counts by process on all CPUs */
};

/* Bytes that a return has popped: on x86 the return address is off the stack by then. */
static uint8_t count_ret_pops(const struct target *t)
{
#if defined(__x86_64__)
	return !t->kind->user || t->file.is_64bit ? 8 : 4;
#else
	(void)t;
	return 0;
#endif
}

/* Registers saved by these architectures' kretprobes lack the stack pointer, so only the innermost
 * of nested calls is timed. */
static bool lacks_ret_sp(const struct target *t)
{
#if defined(__arm__) || defined(__riscv)
	return t->kind->returns && !t->kind->user;
#else
	(void)t;
	return false;
#endif
}

static uint32_t choose_progs(const struct target *t)
{
	if (!t->kind->tracepoint)
		return t->returns ? PROG(PROBE) | PROG(PROBE_RET) : PROG(PROBE);
	if (t->syscall < 0)
		return PROG(PROBE_RAW);
	return t->returns ? PROG(SYS_ENTER) | PROG(SYS_EXIT) : PROG(SYS_ENTER);
}

static struct probe_conf make_conf(const struct probe *p, uint32_t i)
{
	const struct target *t = &p->opts.targets[i];
	struct probe_conf conf = {
		.common = { .filter = p->code.n != 0 },
		.probe = i,
		.call = t->syscall,
		.own_pid = p->own_pid,
		.nargs = t->nargs,
		.ret_pops = count_ret_pops(t),
		.no_ret_sp = lacks_ret_sp(t),
		.has_return = t->returns,
		.events = p->opts.events,
		.stacks = p->opts.stacks,
		.values = p->opts.values && t->ret.type != BTF_VALUE_VOID,
		.kernel_stacks = !t->kind->user,
		.user_memory = t->kind->user || t->syscall >= 0,
		.value_shift = t->ret.size && t->ret.size < 8 ? (uint8_t)(64 - 8 * t->ret.size) : 0,
		.value_signed = t->ret.type == BTF_VALUE_SIGNED,
		.errors = t->ret.errors,
	};

	memcpy(conf.text_args, t->text_args, sizeof(conf.text_args));
	return conf;
}

/* Gives maps no more room than this use of them takes. */
static void size_maps(const struct probe *p, struct obj_map *maps)
{
	uint32_t each = (uint32_t)p->cpus * sizeof(struct probe_val), processes = ROOM / each;
	bool returns = false;

	for (uint32_t i = 0; i < p->opts.n; i++)
		returns |= p->opts.targets[i].returns;
	if (processes > PROBE_PROCESSES)
		processes = PROBE_PROCESSES;
	maps[PROBE_MAP_HITS].max_entries = p->opts.processes ? p->opts.processes : processes;
	maps[PROBE_MAP_TIMES].max_entries = p->opts.n;
	maps[PROBE_MAP_EVENTS].max_entries = p->opts.bytes;
	if (!returns)
		maps[PROBE_MAP_OPEN_CALLS].max_entries = 1;
	if (!p->opts.stacks)
		maps[PROBE_MAP_STACKS].max_entries = maps[PROBE_MAP_PATHS].max_entries = 1;
	if (!p->opts.values)
		maps[PROBE_MAP_VALUES].max_entries = 1;
}

static int load_probe(struct probe *p, uint32_t i)
{
	struct probe_conf conf = make_conf(p, i);
	struct obj_code stubs[OBJ_PROGS_MAX];
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	struct obj_opts opts = { .types = p->opts.types,
				 .conf = &conf,
				 .progs = choose_progs(&p->opts.targets[i]),
				 .maps = maps,
				 .stubs = stubs,
				 .verbose = p->opts.verbose };
	int rc;

	for (uint32_t k = 0; k < probe_spec.nprogs; k++)
		stubs[k] = (struct obj_code){ p->code.insns, (uint32_t)p->code.n, false };
	size_maps(p, maps);
	for (uint32_t k = 0; k < probe_spec.nmaps; k++)
		maps[k].fd = p->maps[k];
	rc = obj_open(&p->obj[i], &probe_spec, &opts);
	/* only maps that its programs use were created */
	for (uint32_t k = 0; !rc && k < probe_spec.nmaps; k++)
		if (k != probe_spec.conf_map && !p->maps[k])
			p->maps[k] = p->obj[i].map_fd[k];
	return rc;
}

static int attach_prog(const struct target *t, const struct obj *o, uint32_t prog)
{
	int fd = o->prog_fd[prog];

	switch (prog) {
	case PROBE_PROG_SONDE_PROBE:
	case PROBE_PROG_SONDE_PROBE_RET:
		return t->kind->user ? perf_attach_uprobe(t->file.path, t->file.offset,
							  prog == PROBE_PROG_SONDE_PROBE_RET, fd)
				     : perf_attach_kprobe(t->name,
							  prog == PROBE_PROG_SONDE_PROBE_RET, fd);
	case PROBE_PROG_SONDE_PROBE_RAW:
		return bpf_raw_tracepoint_open(t->name, fd);
	default:
		return tracing_attach(o, prog);
	}
}

/* Attaches the entry last, so that every counted entry has its return probed. */
static int attach_probe(struct probe *p, uint32_t i)
{
	const struct target *t = &p->opts.targets[i];
	const struct obj *o = &p->obj[i];

	for (uint32_t prog = probe_spec.nprogs; prog-- > 0;) {
		int fd;

		if (!o->prog_fd[prog])
			continue;
		fd = attach_prog(t, o, prog);
		if (fd < 0)
			return target_fail_attach(t, fd);
		p->links[p->nlinks++] = fd;
	}
	return 0;
}

/* This process's id as programs see it: in the initial namespace. */
static uint32_t read_own_pid(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_opts prog = { .name = "sonde_pid",
				      .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				      .insns = insns,
				      .ninsns = ARRAY_LEN(insns),
				      .license = "GPL" };
	struct bpf_run run = { 0 };
	int fd = bpf_prog_load(&prog), rc = fd < 0 ? fd : bpf_prog_run(fd, &run);

	if (fd >= 0)
		close(fd);
	return rc || !run.ret ? (uint32_t)getpid() : run.ret;
}

static int open_all(struct probe *p)
{
	struct diag diag = { 0 };
	int rc = 0;

	p->cpus = bpf_possible_cpus();
	p->own_pid = read_own_pid();
	if (p->cpus < 0)
		return p->cpus == -EPERM
			       ? fail(p->cpus, "probes need CAP_BPF and CAP_PERFMON: run as "
					       "root, or with those capabilities")
			       : fail_errno(p->cpus, "getting the number of CPUs");
	if (p->opts.filter && p->opts.filter->nodes)
		rc = filter_emit(p->opts.filter, FILTER_XDP, &p->code, &diag);
	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	for (uint32_t i = 0; i < p->opts.n && !rc; i++)
		rc = load_probe(p, i);
	if (rc)
		return rc;
	rc = ring_open(&p->ring, p->maps[PROBE_MAP_EVENTS], p->opts.bytes);
	if (rc)
		return fail_errno(rc, "ring buffer");
	for (uint32_t i = 0; i < p->opts.n && !rc; i++)
		rc = attach_probe(p, i);
	return rc;
}

int probe_open(struct probe *p, const struct probe_opts *opts)
{
	int rc;

	p->opts = *opts;
	if (!p->opts.bytes)
		p->opts.bytes = opts->events ? RING : RING_LEAST;
	rc = open_all(p);
	p->opts.types = NULL;
	if (rc)
		probe_close(p);
	return rc;
}

void probe_stop(struct probe *p)
{
	while (p->nlinks)
		close(p->links[--p->nlinks]);
}

void probe_close(struct probe *p)
{
	probe_stop(p);
	ring_close(&p->ring);
	for (uint32_t i = 0; i < PROBE_MAX; i++)
		obj_close(&p->obj[i]);
	filter_code_close(&p->code);
	*p = (struct probe){ 0 };
}
