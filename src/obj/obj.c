/* SPDX-License-Identifier: MIT */
/* Loading: creates the maps, then patches and loads a copy of each program's instructions. */
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

/* Reports which capability is missing, or that the kernel has no BPF. Returns false if that is not
 * why the call failed. */
static bool report_missing_privilege(int rc, const char *what)
{
	char names[128];

	if (rc == -ENOSYS) {
		fail(rc, "this kernel has no bpf(2): it was built without CONFIG_BPF_SYSCALL");
		return true;
	}
	if (rc != -EPERM && rc != -EACCES && rc != -EINVAL)
		return false;
	if (*priv_missing(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON), names,
			  sizeof(names))) {
		fail(rc, "%s needs %s: run as root, or with those capabilities", what, names);
		return true;
	}
	if (rc != -EPERM || priv_memlock_counts())
		return false;
	fail(rc,
	     "%s is not permitted, although this process has the capabilities: a seccomp "
	     "profile, a security module or a user namespace forbids it",
	     what);
	return true;
}

static int fail_map(int rc, const struct spec_map *m)
{
	if (report_missing_privilege(rc, "loading BPF"))
		return rc;
	if (rc == -EPERM)
		return fail(rc,
			    "map %s (%u entries of %u bytes) exceeds the memlock limit: raise it "
			    "(ulimit -l), or add CAP_SYS_RESOURCE",
			    m->name, m->max_entries, m->key_size + m->value_size);
	if (rc == -ENOMEM)
		return fail(rc, "not enough memory for map %s (%u entries of %u bytes)", m->name,
			    m->max_entries, m->key_size + m->value_size);
	return fail_errno(rc, "creating map %s", m->name);
}

static int fill_map(const struct obj *o, uint32_t i, const struct obj_opts *opts)
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

static int share_map(struct obj *o, uint32_t i, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (copy < 0)
		return fail_errno(-errno, "sharing map %s", o->spec->maps[i].name);
	o->map_fd[i] = copy;
	return 0;
}

static int open_map(struct obj *o, uint32_t i, const struct obj_opts *opts)
{
	const struct obj_map as_is = { 0 }, *override = opts->maps ? &opts->maps[i] : &as_is;
	const struct spec_map *m = &o->spec->maps[i];
	struct spec_map sized = *m;
	struct bpf_map_opts new = {
		.name = m->name,
		.type = m->type,
		.key_size = m->key_size,
		.value_size = m->value_size,
		.max_entries = m->max_entries,
		.flags = m->flags,
	};
	int rc;

	if (override->fd)
		return share_map(o, i, override->fd);
	if (override->max_entries)
		new.max_entries = sized.max_entries = override->max_entries;
	if (override->value_size)
		new.value_size = sized.value_size = override->value_size;
	if (o->btf_fd && m->key_type && new.value_size == m->value_size) {
		new.btf_fd = o->btf_fd;
		new.btf_key = m->key_type;
		new.btf_value = m->value_type;
	}
	rc = bpf_map_create(&new);
	if (rc < 0)
		return fail_map(rc, &sized);
	o->map_fd[i] = rc;
	rc = m->global ? fill_map(o, i, opts) : 0;
	return rc ? fail_map(rc, m) : 0;
}

static void apply_map_relocs(const struct obj *o, const struct spec_prog *p, struct bpf_insn *insns)
{
	for (uint32_t i = 0; i < p->nrelocs; i++) {
		const struct spec_reloc *r = &p->relocs[i];

		insns[r->insn].src_reg = (uint8_t)r->kind & 0xf;
		insns[r->insn].imm = o->map_fd[r->map];
		insns[r->insn + 1].imm = (int32_t)r->off;
	}
}

/* Gets the name and kind of a program's attach target among the kernel's types. */
static void set_target_lookup(const struct spec_prog *p, char name[BTF_TRACEPOINT_NAME_MAX],
			      struct btf_lookup *lookups)
{
	if (p->type == BPF_PROG_TYPE_RAW_TRACEPOINT || p->attach_type == BPF_TRACE_RAW_TP) {
		*lookups = btf_lookup_tracepoint(p->target, name);
		return;
	}
	snprintf(name, BTF_TRACEPOINT_NAME_MAX, "%s%s",
		 p->attach_type == BPF_TRACE_ITER ? "bpf_iter_" : "", p->target);
	*lookups = (struct btf_lookup){ .name = name, .kinds = BTF_KIND_BIT(FUNC) };
}

static int load_prog(const struct obj *o, const struct spec_prog *p, const struct obj_opts *opts,
		     const struct bpf_insn *insns, uint32_t ninsns, uint32_t target)
{
	struct bpf_prog_opts new = {
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

	do /* -EAGAIN: a signal interrupted the verifier */
		rc = bpf_prog_load(&new);
	while (rc == -EAGAIN && tries--);
	if (rc < 0 && !report_missing_privilege(rc, "loading BPF"))
		log_explain(&new, rc, opts->verbose);
	return rc;
}

/* Replaces calls to the stub, at index stub, with 0. */
static void remove_stub_calls(struct bpf_insn *insns, uint32_t stub)
{
	for (uint32_t i = 0; i < stub; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == BPF_PSEUDO_CALL &&
		    i + 1 + (uint32_t)insns[i].imm == stub)
			insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
}

static void remove_tail_calls(struct bpf_insn *insns, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == BPF_FUNC_tail_call)
			insns[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
}

/* Kernels before 5.12 have no compare-and-swap. There it becomes a plain store, which always seems
 * to succeed. Programs that use it have to tolerate that. */
static void replace_cmpxchg(struct bpf_insn *insns, uint32_t n)
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

/* Input of all programs: the spec's code and the kernel's types. */
struct obj_input {
	struct bpf_insn *code;
	const struct btf *btf;
	/* Types to find, all in one pass: for each program its target, then its relocations'
	 * types. */
	struct btf_lookup *found;
	uint32_t first[OBJ_PROGS_MAX];
	struct spec_core *cores; /* of all programs, unpacked */
	struct spec_prog progs[OBJ_PROGS_MAX];
	char target[OBJ_PROGS_MAX][BTF_TRACEPOINT_NAME_MAX];
};

static int open_prog(struct obj *o, uint32_t i, const struct obj_opts *opts,
		     const struct obj_input *in)
{
	const struct obj_code as_is = { 0 }, *stub = opts->stubs ? &opts->stubs[i] : &as_is;
	const struct spec_prog *p = &in->progs[i];
	/* A stub is the last part of a program: nothing after it moves. */
	uint32_t body = p->stub && (stub->n || stub->remove) ? p->stub : p->ninsns,
		 n = body + (body < p->ninsns ? stub->n : 0);
	struct bpf_insn *insns = malloc((n > p->ninsns ? n : p->ninsns) * sizeof(*insns));
	uint32_t target = 0;
	int rc = 0;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, in->code + p->first, p->ninsns * sizeof(*insns));
	if (body < p->ninsns && stub->remove)
		remove_stub_calls(insns, body);
	else if (body < p->ninsns)
		memcpy(insns + body, stub->insns, stub->n * sizeof(*insns));
	apply_map_relocs(o, p, insns);
	replace_cmpxchg(insns, body);
	if (opts->no_tail_calls)
		remove_tail_calls(insns, body);
	if (p->type == BPF_PROG_TYPE_TRACING) {
		target = in->found[in->first[i]].id;
		if (!target)
			rc = fail(-ENOENT, "this kernel has no %s to trace", p->target);
	}
	if (!rc && p->ncores)
		rc = core_apply(p, insns, in->btf, in->found + in->first[i] + 1);
	if (!rc)
		rc = load_prog(o, p, opts, insns, n, target);
	if (rc > 0)
		o->prog_fd[i] = rc;
	free(insns);
	return rc < 0 ? rc : 0;
}

static bool is_selected(const struct obj_opts *opts, uint32_t i)
{
	return !opts->progs || opts->progs & (1u << i);
}

static bool needs_kernel_types(const struct spec *s, const struct obj_opts *opts)
{
	for (uint32_t i = 0; i < s->nprogs; i++)
		if (is_selected(opts, i) &&
		    (s->progs[i].ncores || s->progs[i].type == BPF_PROG_TYPE_TRACING))
			return true;
	return false;
}

/* Copies the programs' descriptions, with unpacked relocations. */
static int unpack_cores(const struct spec *s, struct obj_input *in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nprogs; i++)
		n += s->progs[i].ncores;
	in->cores = calloc(n + 1, sizeof(*in->cores));
	if (!in->cores)
		return fail_errno(-ENOMEM, "loading %s", s->name);
	n = 0;
	for (uint32_t i = 0; i < s->nprogs; i++) {
		struct spec_prog *p = &in->progs[i];

		*p = s->progs[i];
		if (p->cores || !p->ncores)
			continue;
		p->cores = in->cores + n;
		for (uint32_t k = 0; k < p->ncores; k++) {
			const struct spec_packed_core *c = &p->packed[k];

			in->cores[n++] =
				(struct spec_core){ c->insn, c->kind, c->size, s->names + c->type,
						    s->names + c->path };
		}
	}
	return 0;
}

static int find_types(const struct spec *s, const struct obj_opts *opts, struct obj_input *in)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->nprogs; i++)
		n += s->progs[i].ncores + 1;
	in->found = calloc(n, sizeof(*in->found));
	if (!in->found)
		return fail_errno(-ENOMEM, "loading %s", s->name);
	n = 0;
	for (uint32_t i = 0; i < s->nprogs; i++) {
		const struct spec_prog *p = &in->progs[i];

		if (!is_selected(opts, i))
			continue;
		in->first[i] = n;
		in->found[n].name = "";
		if (p->type == BPF_PROG_TYPE_TRACING)
			set_target_lookup(p, in->target[i], &in->found[n]);
		core_lookups(s, p, in->found + n + 1);
		n += p->ncores + 1;
	}
	btf_resolve(in->btf, in->found, n);
	return 0;
}

int obj_learn_types(struct btf *types, const struct spec *const *specs, size_t n)
{
	char(*targets)[BTF_TRACEPOINT_NAME_MAX] = calloc(n, OBJ_PROGS_MAX * sizeof(*targets));
	struct btf_lookup *lookups;
	size_t total = 0, used = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < specs[i]->nprogs; k++)
			total += specs[i]->progs[k].ncores + 1;
	lookups = calloc(total, sizeof(*lookups));
	for (size_t i = 0; lookups && targets && i < n; i++)
		for (uint32_t k = 0; k < specs[i]->nprogs; k++) {
			const struct spec_prog *p = &specs[i]->progs[k];

			if (p->target)
				set_target_lookup(p, targets[i * OBJ_PROGS_MAX + k],
						  &lookups[used++]);
			core_lookups(specs[i], p, lookups + used);
			used += p->ncores;
		}
	rc = lookups && targets ? btf_cache_names(types, lookups, used) : -ENOMEM;
	free(lookups);
	free(targets);
	return rc;
}

static bool is_map_used(const struct spec *s, uint32_t map, const struct obj_opts *opts)
{
	for (uint32_t i = 0; i < s->nprogs; i++)
		for (uint32_t r = 0; is_selected(opts, i) && r < s->progs[i].nrelocs; r++)
			if (s->progs[i].relocs[r].map == map)
				return true;
	return false;
}

static int open_all(struct obj *o, const struct obj_opts *opts, const struct obj_input *in)
{
	const struct spec *s = o->spec;
	int rc = 0;

	/* Type information of the maps is for readers only (bpftool): go on without it if the
	 * kernel refuses it. */
	if (s->btf)
		rc = bpf_btf_load(s->btf, s->btf_len);
	o->btf_fd = rc > 0 ? rc : 0;
	rc = 0;
	for (uint32_t i = 0; i < s->nmaps && !rc; i++)
		if (is_map_used(s, i, opts))
			rc = open_map(o, i, opts);
	for (uint32_t i = 0; i < s->nprogs && !rc; i++)
		if (is_selected(opts, i))
			rc = open_prog(o, i, opts, in);
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
	rc = unpack_lz4(s->code, s->code_len, streams, size);
	if (!rc)
		rc = streams_join(streams, s->streams, to, s->ninsns);
	free(streams);
	return rc;
}

int obj_unpack_code(const struct spec *s, struct bpf_insn **code)
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
		return fail_errno(rc, "loading %s", s->name);
	}
	if (rc) {
		free(got);
		return fail(rc, "%s: its programs are damaged in this binary", s->name);
	}
	*code = got;
	return 0;
}

static int open_types(const struct spec *spec, struct btf *btf)
{
	int rc = btf_open_kernel(btf);

	if (rc == -ENOENT)
		return fail(rc,
			    "%s needs the kernel's type information (BTF), which this kernel lacks",
			    spec->name);
	if (rc)
		return fail_errno(rc, "reading the kernel's type information (BTF) for %s",
				  spec->name);
	return 0;
}

int obj_open(struct obj *o, const struct spec *spec, const struct obj_opts *opts)
{
	struct obj got = { .spec = spec };
	struct obj_input in = { .btf = opts->types };
	struct btf kernel_types = { 0 };
	int rc = 0;

	if (spec->nmaps > OBJ_MAPS_MAX || spec->nprogs > OBJ_PROGS_MAX)
		return fail(-E2BIG, "%s: too many maps or programs", spec->name);
	rc = unpack_cores(spec, &in);
	if (!rc && needs_kernel_types(spec, opts)) {
		if (!in.btf)
			rc = open_types(spec, &kernel_types);
		if (!in.btf)
			in.btf = &kernel_types;
		if (!rc)
			rc = find_types(spec, opts, &in);
	}
	if (!rc)
		rc = obj_unpack_code(spec, &in.code);
	if (!rc)
		rc = open_all(&got, opts, &in);
	free(in.code);
	free(in.found);
	free(in.cores);
	btf_close(&kernel_types);
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
