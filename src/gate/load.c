/* SPDX-License-Identifier: MIT */
/* Conf, rules' code and shared maps put together, and the steps down for older kernels. */
#include "gate/load.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "obj/attach.h"
#include "sets/sets.h"
#include "sys/bpf.h"

/* What is loaded, and what it is made of. */
struct job {
	const struct gate_load *what;
	struct filter asked; /* GUARD_QUERY */
	struct filter_code code;
	struct sets sets;
	struct gate_conf conf;
	struct gate_text *text;
	uint32_t text_len;
};

/* What version 5 called its maps. A gate that replaced one of version 5 still has them. */
static const char *const former_names[GATE_NMAPS] = {
	[GATE_MAP_COUNTERS] = "hot",
	[GATE_MAP_COUNTERS_OTHER] = "rare",
	[GATE_MAP_SUCCESSOR] = "life",
	[GATE_MAP_RULES_TEXT] = "text",
};

int gate_find_map(const struct find_prog *prog, int map, struct bpf_map_info *info)
{
	int fd = find_map(prog, gate_spec.maps[map].name, info);

	return fd == -ENOENT && former_names[map] ? find_map(prog, former_names[map], info) : fd;
}

bool gate_conf_is_known(const struct gate_conf *conf)
{
	return conf->magic == GATE_MAGIC && conf->version >= GATE_VERSION_OLDEST &&
	       conf->version <= GATE_VERSION;
}

void gate_load_conf(int fd, const struct bpf_map_info *info, struct gate_conf *conf)
{
	uint8_t *value = malloc(info->value_size);
	uint32_t zero = 0;

	if (value && info->value_size >= gate_spec.conf_off + sizeof(*conf) &&
	    !bpf_map_lookup(fd, &zero, value))
		memcpy(conf, value + gate_spec.conf_off, sizeof(*conf));
	free(value);
}

int gate_load_find(const struct find_prog *prog, struct gate_conf *conf)
{
	struct bpf_map_info info = { 0 };
	int fd = find_is_ours(prog) ? gate_find_map(prog, (int)gate_spec.conf_map, &info) : -ENOENT;

	if (fd < 0)
		return fd;
	*conf = (struct gate_conf){ 0 };
	gate_load_conf(fd, &info, conf);
	close(fd);
	return gate_conf_is_known(conf) ? 0 : -ENOENT;
}

enum { XDP_PROGS = 1u << GATE_PROG_SONDE_GATE_XDP | 1u << GATE_PROG_SONDE_GUARD_XDP };

uint32_t gate_load_prog(enum gate_dir dir, unsigned int hooks, bool guarded)
{
	if (dir == GATE_OUT)
		return GATE_PROG_SONDE_GATE_OUT;
	if (hooks & HOOKS_XDP)
		return guarded ? GATE_PROG_SONDE_GUARD_XDP : GATE_PROG_SONDE_GATE_XDP;
	return guarded ? GATE_PROG_SONDE_GUARD_IN : GATE_PROG_SONDE_GATE_IN;
}

/* The rules' text behind whose gate it is. */
static int make_text(struct job *job)
{
	const struct gate_load *what = job->what;
	struct buf b = { 0 };
	struct gate_text head = { .uses = what->uses };

	buf_add(&b, &head, sizeof(head));
	if (what->rules)
		rules_print(what->rules, what->dir, &b);
	head.len = (uint32_t)(b.len - sizeof(head));
	if (what->guard)
		buf_add(&b, what->guard->allow.data, what->guard->allow.len);
	if (b.nomem) {
		buf_free(&b);
		return fail_errno(-ENOMEM, "rules");
	}
	job->text = (struct gate_text *)(void *)b.data;
	job->text->len = head.len;
	job->text->allow_len = (uint32_t)(b.len - sizeof(head) - head.len);
	job->text_len = (uint32_t)b.len;
	return 0;
}

/* What the rules look at, for the program that parses packets for them. */
static void look_at(struct gate_conf *conf, const struct filter *f)
{
	conf->groups |= (uint8_t)filter_groups(f);
	conf->inner |= (f->needs & FILTER_NEED_INNER) != 0;
	conf->addr_only &= filter_is_light(f);
}

/* Whom the guard trusts: asked for that, the packet has the verdict that it would have without. */
static size_t list_trusted(struct job *job, struct filter_rule *list)
{
	const struct guard_plan *plan = job->what->guard;
	size_t n = 0;

	for (size_t i = 0; plan && i < plan->nfilters; i++)
		list[n++] = (struct filter_rule){ &plan->filters[i], GATE_ANSWER_TRUST };
	if (n)
		list[n++] = (struct filter_rule){ &job->asked, 0 };
	return n;
}

/* One direction's rules for the emitter, in order; list has room for all and one more. */
static size_t list_rules(struct job *job, const struct filter *spared, struct filter_rule *list)
{
	const struct gate_load *what = job->what;
	const struct rules *r = what->rules;
	size_t n = list_trusted(job, list);

	for (size_t i = 0; r && i < r->n; i++) {
		const struct rule *rule = &r->at[i];

		if (rule->dir == what->dir)
			list[n++] = (struct filter_rule){
				&rule->filter, rule->id | (rule->drops ? GATE_ANSWER_DROP : 0)
			};
	}
	if (r && r->drops[what->dir])
		list[n++] = (struct filter_rule){ spared, 0 };
	for (size_t i = 0; i < n; i++)
		look_at(&job->conf, list[i].filter);
	return n;
}

/* Each set once, however many rules name it; in the order that whoever reads the text again finds.
 */
static int link_sets(struct job *job, const struct filter_rule *list, size_t n)
{
	const struct filter **filters = calloc(n + 1, sizeof(*filters));
	int rc;

	if (!filters)
		return fail_errno(-ENOMEM, "rules");
	for (size_t i = 0; i < n; i++)
		filters[i] = list[i].filter;
	rc = sets_open(&job->sets, filters, n, GATE_LOAD_SET);
	if (!rc)
		rc = sets_link(&job->sets, &job->code);
	free(filters);
	return rc;
}

static int emit(struct job *job, const struct filter *spared)
{
	const struct gate_load *what = job->what;
	bool xdp = what->progs & XDP_PROGS;
	const struct rules *r = what->rules;
	uint32_t otherwise = r && r->drops[what->dir] ? GATE_ANSWER_DROP | RULE_DEFAULT_ID : 0;
	size_t room = (r ? r->n + 1 : 0) + (what->guard ? what->guard->nfilters + 1 : 0);
	struct filter_rule *list = calloc(room, sizeof(*list));
	struct diag diag = { 0 };
	size_t n;
	int rc;

	if (!list)
		return fail_errno(-ENOMEM, "rules");
	job->conf.addr_only = 1;
	n = list_rules(job, spared, list);
	rc = filter_emit_rules(list, n, otherwise, xdp ? FILTER_XDP : FILTER_SKB, &job->code,
			       &diag);
	job->conf.has_allow = what->guard && what->guard->nfilters;
	job->conf.has_rules = n > (job->conf.has_allow ? what->guard->nfilters + 1 : 0);
	if (rc)
		fail(rc, "rules: %s", *diag.msg ? diag.msg : err_words(rc));
	else
		rc = link_sets(job, list, n);
	free(list);
	return rc;
}

static int make_code(struct job *job)
{
	struct filter spared = { 0 };
	struct diag diag = { 0 };
	int rc = filter_parse(&spared, RULES_SPARED, NULL, &diag);

	if (!rc)
		rc = filter_parse(&job->asked, GUARD_QUERY, NULL, &diag);
	rc = rc ? fail(rc, "rules: %s", diag.msg) : emit(job, &spared);
	filter_close(&spared);
	filter_close(&job->asked);
	return rc;
}

static int load_once(struct obj *obj, const struct job *job)
{
	const struct gate_load *what = job->what;
	struct obj_code stubs[GATE_NPROGS] = { 0 };
	struct obj_map maps[GATE_NMAPS] = { 0 };
	struct obj_opts opts = {
		.stubs = stubs,
		.maps = maps,
		.conf = &job->conf,
		.progs = what->progs,
		.xdp_flags = job->conf.multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
		.no_tail_calls = !job->conf.has_observer,
		.verbose = what->verbose,
	};
	uint32_t zero = 0;
	int rc;

	for (int i = 0; i < GATE_NPROGS; i++)
		stubs[i] = job->code.n ? (struct obj_code){ .insns = job->code.insns,
							    .n = (uint32_t)job->code.n }
				       : (struct obj_code){ .remove = true };
	for (int i = 0; i < GATE_NMAPS; i++)
		maps[i].fd = what->maps ? what->maps[i] : 0;
	maps[GATE_MAP_RULES_TEXT] = (struct obj_map){ .value_size = job->text_len };
	/* Nothing looks at the map of hits without rules. */
	if (!what->rules && !maps[GATE_MAP_HITS].fd)
		maps[GATE_MAP_HITS].max_entries = 1;
	if (what->guard && !maps[GATE_MAP_GUARD].fd)
		maps[GATE_MAP_GUARD].max_entries = GUARD_SIZE(what->guard->conf.lines);
	rc = obj_open(obj, &gate_spec, &opts);
	if (rc)
		return rc;
	rc = bpf_map_update(obj->map_fd[GATE_MAP_RULES_TEXT], &zero, job->text, BPF_ANY);
	if (rc) {
		obj_close(obj);
		return fail_errno(rc, "%s: the rules' text", what->link->name);
	}
	return 0;
}

/* Not said if it fails: another try follows. */
static int try_load(struct obj *obj, struct job *job, bool multibuf, bool has_observer)
{
	char why[16];
	struct err_held before = err_capture_begin(why, sizeof(why));
	int rc;

	job->conf.multibuf = multibuf;
	job->conf.has_observer = has_observer;
	rc = load_once(obj, job);
	err_capture_end(before);
	return rc;
}

/* Another way to load them would take as long to find the same. */
static int fail_too_complex(void)
{
	return fail(-E2BIG, "the rules are more than this kernel's verifier follows: fewer or "
			    "simpler ones");
}

/* The place for an observer is a tail call, which not all kernels have beside the subprogram that
 * the rules are. */
static int load_with(struct obj *obj, struct job *job, bool multibuf)
{
	bool may_have_none = job->code.n != 0;
	int rc = may_have_none ? try_load(obj, job, multibuf, true) : -ENOENT;

	if (!rc)
		return 0;
	if (rc == -E2BIG)
		return fail_too_complex();
	job->conf.multibuf = multibuf;
	job->conf.has_observer = !may_have_none;
	return load_once(obj, job);
}

/* -EINVAL is the kernel's answer to a flag that it does not know (before 5.18): it is asked by
 * loading just that, once. */
static int load_any_way(struct obj *obj, struct job *job)
{
	static bool no_multibuf;
	const struct gate_load *what = job->what;
	int rc;

	if (what->before)
		return load_with(obj, job, what->before->multibuf);
	if (!(what->progs & XDP_PROGS) || no_multibuf)
		return load_with(obj, job, false);
	rc = try_load(obj, job, true, true);
	if (rc == -E2BIG && job->code.n)
		return fail_too_complex();
	no_multibuf = rc == -EINVAL && !job->code.n;
	if (rc && job->code.n)
		rc = try_load(obj, job, true, false);
	return rc ? load_with(obj, job, false) : 0;
}

int gate_load(struct obj *obj, const struct gate_load *what, struct gate_conf *conf)
{
	struct job job = {
		.what = what,
		.conf = { .magic = GATE_MAGIC,
			  .version = GATE_VERSION,
			  .ethernet = link_has_ethernet(what->link),
			  .ifindex = (uint32_t)what->link->ifindex },
	};
	int rc = make_text(&job);

	if (what->guard) {
		job.conf.guarded = 1;
		job.conf.guard = what->guard->conf;
	}
	if (!rc && (what->rules || (what->guard && what->guard->nfilters)))
		rc = make_code(&job);
	if (!rc)
		rc = load_any_way(obj, &job);
	if (!rc && conf)
		*conf = job.conf;
	filter_code_close(&job.code);
	sets_close(&job.sets);
	free(job.text);
	return rc;
}
