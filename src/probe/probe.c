/* SPDX-License-Identifier: MIT */
/* The programs are loaded once for each probe, whose number is in their conf; they share their
 * maps. */
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
	RING = 2 << 20,       /* ten thousand hits, or nearly */
	RING_LEAST = 1 << 16, /* of any size of pages */
	ROOM = 8 << 20,       /* bytes for counts of processes on all CPUs, or nearly */
};

/* A return of x86 has taken the way back off the stack. */
static uint8_t pops_of(const struct target *t)
{
#if defined(__x86_64__)
	return t->kind != TARGET_URETPROBE || t->wide ? 8 : 4;
#else
	(void)t;
	return 0;
#endif
}

/* What the kretprobes of these save has no stack pointer: of calls inside of a call only the
 * innermost is timed there. */
static bool is_flat(const struct target *t)
{
#if defined(__arm__) || defined(__riscv)
	return t->kind == TARGET_KRETPROBE;
#else
	(void)t;
	return false;
#endif
}

static uint32_t progs_of(const struct target *t)
{
	switch (t->kind) {
	case TARGET_KRETPROBE:
	case TARGET_URETPROBE:
		return PROG(PROBE) | PROG(PROBE_RET);
	case TARGET_KPROBE:
	case TARGET_UPROBE:
		return PROG(PROBE);
	default:
		return t->call < 0  ? PROG(PROBE_RAW)
		       : t->returns ? PROG(SYS_ENTER) | PROG(SYS_EXIT)
				    : PROG(SYS_ENTER);
	}
}

static struct probe_conf conf_of(const struct probe *p, uint32_t i)
{
	const struct target *t = &p->opts.targets[i];
	struct probe_conf conf = {
		.all = { .filter = p->code.n != 0 },
		.probe = i,
		.call = t->call,
		.self = p->self,
		.nargs = t->ntakes,
		.pops = pops_of(t),
		.flat = is_flat(t),
		.starts = t->returns,
		.events = p->opts.events,
		.stacks = p->opts.stacks,
		.values = p->opts.values && t->value.kind != BTF_VALUE_VOID,
		.kernel = !target_is_user(t),
		.user = target_is_user(t) || t->call >= 0,
		.shift = t->value.size && t->value.size < 8 ? (uint8_t)(64 - 8 * t->value.size) : 0,
		.is_signed = t->value.kind == BTF_VALUE_SIGNED,
		.errors = t->value.errors,
	};

	memcpy(conf.text, t->strings, sizeof(conf.text));
	return conf;
}

/* Maps have the room that this use of them takes. */
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
		maps[PROBE_MAP_BEGUN].max_entries = 1;
	if (!p->opts.stacks)
		maps[PROBE_MAP_STACKS].max_entries = maps[PROBE_MAP_PATHS].max_entries = 1;
	if (!p->opts.values)
		maps[PROBE_MAP_VALUES].max_entries = 1;
}

static int load(struct probe *p, uint32_t i)
{
	struct probe_conf conf = conf_of(p, i);
	struct obj_code stubs[OBJ_PROGS_MAX];
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	struct obj_opts opts = { .types = p->opts.types,
				 .conf = &conf,
				 .progs = progs_of(&p->opts.targets[i]),
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
	/* Only those that its programs use were made. */
	for (uint32_t k = 0; !rc && k < probe_spec.nmaps; k++)
		if (k != probe_spec.conf_map && !p->maps[k])
			p->maps[k] = p->obj[i].map_fd[k];
	return rc;
}

static int put(const struct target *t, const struct obj *o, uint32_t prog)
{
	int fd = o->prog_fd[prog];

	switch (prog) {
	case PROBE_PROG_SONDE_PROBE:
	case PROBE_PROG_SONDE_PROBE_RET:
		return target_is_user(t)
			       ? perf_attach_uprobe(t->path, t->offset,
						    prog == PROBE_PROG_SONDE_PROBE_RET, fd)
			       : perf_attach_kprobe(t->name, prog == PROBE_PROG_SONDE_PROBE_RET,
						    fd);
	case PROBE_PROG_SONDE_PROBE_RAW:
		return bpf_raw_tracepoint_open(t->name, fd);
	default:
		return tracing_attach(o, prog);
	}
}

/* Where it begins last: what is counted has begun behind that. */
static int attach(struct probe *p, uint32_t i)
{
	const struct target *t = &p->opts.targets[i];
	const struct obj *o = &p->obj[i];

	for (uint32_t prog = probe_spec.nprogs; prog-- > 0;) {
		int fd;

		if (!o->prog_fd[prog])
			continue;
		fd = put(t, o, prog);
		if (fd < 0)
			return target_refused(t, fd);
		p->links[p->nlinks++] = fd;
	}
	return 0;
}

/* This process's number as programs see it: in the initial namespace. */
static uint32_t own_pid(void)
{
	static const struct bpf_insn insns[] = {
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_get_current_pid_tgid },
		{ .code = BPF_ALU64 | BPF_RSH | BPF_K, .imm = 32 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_opts prog = { .name = "sonde_pid",
				      .type = BPF_PROG_TYPE_RAW_TRACEPOINT,
				      .insns = insns,
				      .ninsns = sizeof(insns) / sizeof(*insns),
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
	p->self = own_pid();
	if (p->cpus < 0)
		return fail_errno(p->cpus, "probes need CAP_BPF and CAP_PERFMON (root)");
	if (p->opts.filter && p->opts.filter->nodes)
		rc = filter_emit(p->opts.filter, FILTER_XDP, &p->code, &diag);
	if (rc)
		return fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	for (uint32_t i = 0; i < p->opts.n && !rc; i++)
		rc = load(p, i);
	if (rc)
		return rc;
	rc = ring_open(&p->ring, p->maps[PROBE_MAP_EVENTS], p->opts.bytes);
	if (rc)
		return fail_errno(rc, "ring buffer");
	for (uint32_t i = 0; i < p->opts.n && !rc; i++)
		rc = attach(p, i);
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
