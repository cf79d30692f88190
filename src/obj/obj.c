/* SPDX-License-Identifier: MIT */
/* Loading: maps first, then each program's own copy of its instructions, patched and handed over.
 */
#include "obj/obj.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "base/unpack.h"
#include "obj/core.h"
#include "obj/feature.h"
#include "obj/log.h"
#include "sys/bpf.h"
#include "sys/btf.h"
#include "sys/priv.h"

/* What to say when the kernel refuses for want of privilege; true if that is why. */
static bool blame_privilege(int rc, const char *what)
{
	char names[128];

	if (rc == -ENOSYS) {
		fail(rc, "this kernel has no bpf(2): it was built without CONFIG_BPF_SYSCALL");
		return true;
	}
	if (rc != -EPERM && rc != -EACCES)
		return false;
	if (*priv_missing(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON), names,
			  sizeof(names))) {
		fail(rc, "%s needs %s: run as root, or with those capabilities", what, names);
		return true;
	}
	if (rc == -EACCES || priv_memlock_counts())
		return false;
	fail(rc,
	     "%s is forbidden although the capabilities are there: by a seccomp profile, a "
	     "security module, or because this is a user namespace",
	     what);
	return true;
}

static int map_fail(int rc, const struct spec_map *m)
{
	if (blame_privilege(rc, "loading BPF"))
		return rc;
	if (rc == -EPERM)
		return fail(
			rc,
			"map %s (%u entries of %u bytes) does not fit the memlock limit: raise it "
			"(ulimit -l), or give CAP_SYS_RESOURCE",
			m->name, m->max_entries, m->key_size + m->value_size);
	if (rc == -ENOMEM)
		return fail(rc, "map %s (%u entries of %u bytes) does not fit into memory", m->name,
			    m->max_entries, m->key_size + m->value_size);
	return fail_errno(rc, "map %s", m->name);
}

static int map_fill(const struct obj *o, uint32_t i, const struct obj_opts *opts)
{
	const struct spec *s = o->spec;
	const struct spec_map *m = &s->maps[i];
	uint8_t *value;
	uint32_t zero = 0;
	int rc = 0;

	value = calloc(1, m->value_size);
	if (!value)
		return -ENOMEM;
	if (m->image)
		memcpy(value, m->image, m->value_size);
	if (opts->conf && i == s->conf_map)
		memcpy(value + s->conf_off, opts->conf, s->conf_len);
	if (m->image)
		rc = bpf_map_update(o->map_fd[i], &zero, value, BPF_ANY);
	if (!rc && m->frozen)
		rc = bpf_map_freeze(o->map_fd[i]);
	free(value);
	return rc;
}

static int map_share(struct obj *o, uint32_t i, int fd)
{
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (own < 0)
		return fail_errno(-errno, "map %s", o->spec->maps[i].name);
	o->map_fd[i] = own;
	return 0;
}

static int map_open(struct obj *o, uint32_t i, const struct obj_opts *opts)
{
	const struct obj_map as_is = { 0 }, *wish = opts->maps ? &opts->maps[i] : &as_is;
	const struct spec_map *m = &o->spec->maps[i];
	struct spec_map sized = *m;
	struct bpf_map_new new = {
		.name = m->name,
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
	};
	int rc;

	if (wish->fd)
		return map_share(o, i, wish->fd);
	if (wish->max_entries)
		new.max_entries = sized.max_entries = wish->max_entries;
	if (wish->value_size)
		new.value_size = sized.value_size = wish->value_size;
	if (o->btf_fd && m->key_type && new.value_size == m->value_size) {
		new.btf_fd = o->btf_fd;
		new.btf_key = m->key_type;
		new.btf_value = m->value_type;
	}
	rc = bpf_map_create(&new);
	if (rc < 0)
		return map_fail(rc, &sized);
	o->map_fd[i] = rc;
	rc = m->global ? map_fill(o, i, opts) : 0;
	return rc ? map_fail(rc, m) : 0;
}

static void relocate(const struct obj *o, const struct spec_prog *p, struct bpf_insn *insns)
{
	for (uint32_t i = 0; i < p->nrelocs; i++) {
		const struct spec_reloc *r = &p->relocs[i];

		insns[r->insn].src_reg = (uint8_t)r->kind & 0xf;
		insns[r->insn].imm = o->map_fd[r->map];
		insns[r->insn + 1].imm = (int32_t)r->off;
	}
}

/* By what name a program's target is to be found among the kernel's types. */
static void target_want(const struct spec_prog *p, char name[BTF_TRACEPOINT], struct btf_want *want)
{
	if (p->type == BPF_PROG_TYPE_RAW_TRACEPOINT || p->attach_type == BPF_TRACE_RAW_TP) {
		*want = btf_want_tracepoint(p->target, name);
		return;
	}
	snprintf(name, BTF_TRACEPOINT, "%s%s", p->attach_type == BPF_TRACE_ITER ? "bpf_iter_" : "",
		 p->target);
	*want = (struct btf_want){ .name = name, .kinds = BTF_IS(FUNC) };
}

static int load(const struct obj *o, const struct spec_prog *p, const struct obj_opts *opts,
		const struct bpf_insn *insns, uint32_t ninsns, uint32_t target)
{
	struct bpf_prog_new new = {
		.name = p->name,
		.type = p->type,
		.attach_type = p->attach_type,
		.insns = insns,
		.ninsns = ninsns,
		.license = o->spec->license,
		.attach_btf_id = target,
		.flags = opts->flags | (p->type == BPF_PROG_TYPE_XDP ? opts->xdp_flags : 0),
	};
	int tries = 5, rc;

	do /* -EAGAIN: the verifier was interrupted by a signal */
		rc = bpf_prog_load(&new);
	while (rc == -EAGAIN && tries--);
	if (rc < 0 && !blame_privilege(rc, "loading BPF"))
		log_explain(&new, rc, opts->verbose);
	return rc;
}

/* Calls to the stub at `own` give 0 instead. */
static void take_out(struct bpf_insn *insns, uint32_t own)
{
	for (uint32_t i = 0; i < own; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == BPF_PSEUDO_CALL &&
		    i + 1 + (uint32_t)insns[i].imm == own)
			insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
}

static void take_tail_calls(struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == BPF_FUNC_tail_call)
			insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
}

/* Kernels before 5.12 know no compare-and-swap: there it becomes a store, which always says that it
 * was done. Programs that use one have to bear that. */
static void swap_by_store(struct bpf_insn *insns, uint32_t n)
{
	const uint8_t swap = BPF_STX | BPF_ATOMIC | BPF_DW;
	int missing = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (insns[i].code != swap || insns[i].imm != BPF_CMPXCHG)
			continue;
		if (!missing)
			missing = feature_try("atomics that fetch") ? 1 : -1;
		if (missing < 0)
			return;
		insns[i].code = BPF_STX | BPF_MEM | BPF_DW;
		insns[i].imm = 0;
	}
}

/* What programs are made of: the spec's code and the kernel's types. */
struct stuff {
	struct bpf_insn *code;
	const struct btf *btf;
	/* What is to be found among those, in one pass: of each program its target, then what its
	 * relocations want. */
	struct btf_want *found;
	uint32_t first[OBJ_PROGS_MAX];
	struct spec_core *cores; /* of all programs, unpacked */
	struct spec_prog progs[OBJ_PROGS_MAX];
	char target[OBJ_PROGS_MAX][BTF_TRACEPOINT];
};

static int prog_open(struct obj *o, uint32_t i, const struct obj_opts *opts,
		     const struct stuff *from)
{
	const struct obj_code as_is = { 0 }, *stub = opts->stubs ? &opts->stubs[i] : &as_is;
	const struct spec_prog *p = &from->progs[i];
	/* A stub is the last thing in a program, so nothing moves. */
	uint32_t own = p->stub && (stub->n || stub->none) ? p->stub : p->ninsns,
		 n = own + (own < p->ninsns ? stub->n : 0);
	struct bpf_insn *insns = malloc((n > p->ninsns ? n : p->ninsns) * sizeof(*insns));
	uint32_t target = 0;
	int rc = 0;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, from->code + p->first, p->ninsns * sizeof(*insns));
	if (own < p->ninsns && stub->none)
		take_out(insns, own);
	else if (own < p->ninsns)
		memcpy(insns + own, stub->insns, stub->n * sizeof(*insns));
	relocate(o, p, insns);
	swap_by_store(insns, own);
	if (opts->no_tail_calls)
		take_tail_calls(insns, own);
	if (p->type == BPF_PROG_TYPE_TRACING) {
		target = from->found[from->first[i]].id;
		if (!target)
			rc = fail(-ENOENT, "this kernel has no %s to trace", p->target);
	}
	if (!rc && p->ncores)
		rc = core_apply(p, insns, from->btf, from->found + from->first[i] + 1);
	if (!rc)
		rc = load(o, p, opts, insns, n, target);
	if (rc > 0)
		o->prog_fd[i] = rc;
	free(insns);
	return rc < 0 ? rc : 0;
}

static bool wanted(const struct obj_opts *opts, uint32_t i)
{
	return !opts->progs || opts->progs & (1u << i);
}

static bool needs_kernel_types(const struct spec *s, const struct obj_opts *opts)
{
	for (uint32_t i = 0; i < s->nprogs; i++)
		if (wanted(opts, i) &&
		    (s->progs[i].ncores || s->progs[i].type == BPF_PROG_TYPE_TRACING))
			return true;
	return false;
}

/* Programs as they are, with their relocations unpacked. */
static int cores_unpack(const struct spec *s, struct stuff *from)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nprogs; i++)
		n += s->progs[i].ncores;
	from->cores = calloc(n + 1, sizeof(*from->cores));
	if (!from->cores)
		return fail_errno(-ENOMEM, "%s", s->name);
	n = 0;
	for (uint32_t i = 0; i < s->nprogs; i++) {
		struct spec_prog *p = &from->progs[i];

		*p = s->progs[i];
		if (p->cores || !p->ncores)
			continue;
		p->cores = from->cores + n;
		for (uint32_t k = 0; k < p->ncores; k++) {
			const struct spec_packed_core *c = &p->packed[k];

			from->cores[n++] =
				(struct spec_core){ c->insn, c->kind, c->size, s->names + c->type,
						    s->names + c->path };
		}
	}
	return 0;
}

static int types_find(const struct spec *s, const struct obj_opts *opts, struct stuff *from)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nprogs; i++)
		n += s->progs[i].ncores + 1;
	from->found = calloc(n, sizeof(*from->found));
	if (!from->found)
		return fail_errno(-ENOMEM, "%s", s->name);
	n = 0;
	for (uint32_t i = 0; i < s->nprogs; i++) {
		const struct spec_prog *p = &from->progs[i];

		if (!wanted(opts, i))
			continue;
		from->first[i] = n;
		from->found[n].name = "";
		if (p->type == BPF_PROG_TYPE_TRACING)
			target_want(p, from->target[i], &from->found[n]);
		core_want(s, p, from->found + n + 1);
		n += p->ncores + 1;
	}
	btf_resolve(from->btf, from->found, n);
	return 0;
}

int obj_learn(struct btf *types, const struct spec *const *specs, size_t n)
{
	char(*targets)[BTF_TRACEPOINT] = calloc(n, OBJ_PROGS_MAX * sizeof(*targets));
	struct btf_want *want;
	size_t most = 0, wants = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < specs[i]->nprogs; k++)
			most += specs[i]->progs[k].ncores + 1;
	want = calloc(most, sizeof(*want));
	for (size_t i = 0; want && targets && i < n; i++)
		for (uint32_t k = 0; k < specs[i]->nprogs; k++) {
			const struct spec_prog *p = &specs[i]->progs[k];

			if (p->target)
				target_want(p, targets[i * OBJ_PROGS_MAX + k], &want[wants++]);
			core_want(specs[i], p, want + wants);
			wants += p->ncores;
		}
	rc = want && targets ? btf_learn(types, want, wants) : -ENOMEM;
	free(want);
	free(targets);
	return rc;
}

static bool map_used(const struct spec *s, uint32_t map, const struct obj_opts *opts)
{
	for (uint32_t i = 0; i < s->nprogs; i++)
		for (uint32_t r = 0; wanted(opts, i) && r < s->progs[i].nrelocs; r++)
			if (s->progs[i].relocs[r].map == map)
				return true;
	return false;
}

static int open_all(struct obj *o, const struct obj_opts *opts, const struct stuff *from)
{
	const struct spec *s = o->spec;
	int rc = 0;

	/* Only a reader's comfort: a kernel that does not like it goes without. */
	if (s->btf)
		rc = bpf_btf_load(s->btf, s->btf_len);
	o->btf_fd = rc > 0 ? rc : 0;
	rc = 0;
	for (uint32_t i = 0; i < s->nmaps && !rc; i++)
		if (map_used(s, i, opts))
			rc = map_open(o, i, opts);
	for (uint32_t i = 0; i < s->nprogs && !rc; i++)
		if (wanted(opts, i))
			rc = prog_open(o, i, opts, from);
	return rc;
}

static int unpack_code(const struct spec *s, struct bpf_insn *to)
{
	uint8_t *streams;
	size_t size = 0;
	int rc;

	for (int i = 0; i < STREAMS; i++)
		size += s->streams[i];
	streams = malloc(size);
	if (!streams)
		return -ENOMEM;
	rc = unpack(s->code, s->code_len, streams, size);
	if (!rc)
		rc = streams_join(streams, s->streams, to, s->ninsns);
	free(streams);
	return rc;
}

int obj_code(const struct spec *s, struct bpf_insn **code)
{
	size_t size = s->ninsns * sizeof(**code);
	struct bpf_insn *got = malloc(size);
	int rc = got ? 0 : -ENOMEM;

	if (got && s->code_len == size)
		memcpy(got, s->code, size);
	else if (got)
		rc = unpack_code(s, got);
	if (rc == -ENOMEM) {
		free(got);
		return fail_errno(rc, "%s", s->name);
	}
	if (rc) {
		free(got);
		return fail(rc, "%s: its programs are damaged in this binary", s->name);
	}
	*code = got;
	return 0;
}

static int types_open(const struct spec *spec, struct btf *btf)
{
	int rc = btf_open_kernel(btf);

	if (rc == -ENOENT)
		return fail(rc,
			    "%s needs the kernel's type information (BTF), and there is none here",
			    spec->name);
	if (rc)
		return fail_errno(rc, "the kernel's type information (BTF) for %s", spec->name);
	return 0;
}

int obj_open(struct obj *o, const struct spec *spec, const struct obj_opts *opts)
{
	struct obj got = { .spec = spec };
	struct stuff from = { .btf = opts->types };
	struct btf own = { 0 };
	int rc = 0;

	if (spec->nmaps > OBJ_MAPS_MAX || spec->nprogs > OBJ_PROGS_MAX)
		return fail(-E2BIG, "%s: too many maps or programs", spec->name);
	rc = cores_unpack(spec, &from);
	if (!rc && needs_kernel_types(spec, opts)) {
		if (!from.btf)
			rc = types_open(spec, &own);
		if (!from.btf)
			from.btf = &own;
		if (!rc)
			rc = types_find(spec, opts, &from);
	}
	if (!rc)
		rc = obj_code(spec, &from.code);
	if (!rc)
		rc = open_all(&got, opts, &from);
	free(from.code);
	free(from.found);
	free(from.cores);
	btf_close(&own);
	if (rc)
		obj_close(&got);
	else
		*o = got;
	return rc;
}

void obj_close(struct obj *o)
{
	for (int i = 0; i < OBJ_MAPS_MAX; i++)
		if (o->map_fd[i])
			close(o->map_fd[i]);
	for (int i = 0; i < OBJ_PROGS_MAX; i++)
		if (o->prog_fd[i])
			close(o->prog_fd[i]);
	if (o->btf_fd)
		close(o->btf_fd);
	*o = (struct obj){ 0 };
}
