/* SPDX-License-Identifier: MIT */
/* Builds a gate from its conf, the rules' code and shared maps, and loads it with what older
 * kernels lack left out. */
#include "gate/load.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "obj/attach.h"
#include "sets/sets.h"
#include "sys/bpf.h"

/* What is being loaded, and its parts. */
struct gate_build {
	const struct gate_load_opts *opts;
	struct filter query; /* GUARD_QUERY */
	struct filter_code code;
	struct sets sets;
	struct gate_conf conf;
	struct gate_text *text;
	uint32_t text_len;
};

/* The maps' names in version 5. A gate that replaced one of version 5 keeps its maps. */
static const char *const old_map_names[GATE_NMAPS] = {
	[GATE_MAP_COUNTERS] = "hot",
	[GATE_MAP_COUNTERS_OTHER] = "rare",
	[GATE_MAP_SUCCESSOR] = "life",
	[GATE_MAP_RULES_TEXT] = "text",
};

int gate_find_map(const struct find_prog *prog, int map, struct bpf_map_info *info)
{
	int fd = find_map(prog, gate_spec.maps[map].name, info);

	return fd == -ENOENT && old_map_names[map] ? find_map(prog, old_map_names[map], info) : fd;
}

bool gate_conf_is_known(const struct gate_conf *conf)
{
	return conf->magic == GATE_MAGIC && conf->version >= GATE_VERSION_OLDEST &&
	       conf->version <= GATE_VERSION;
}

void gate_read_conf(int fd, const struct bpf_map_info *info, struct gate_conf *conf)
{
	uint8_t *value = malloc(info->value_size);
	uint32_t zero = 0;

	if (value && info->value_size >= gate_spec.conf_off + sizeof(*conf) &&
	    !bpf_map_lookup(fd, &zero, value))
		memcpy(conf, value + gate_spec.conf_off, sizeof(*conf));
	free(value);
}

int gate_find_conf(const struct find_prog *prog, struct gate_conf *conf)
{
	struct bpf_map_info info = { 0 };
	int fd = find_is_ours(prog) ? gate_find_map(prog, (int)gate_spec.conf_map, &info) : -ENOENT;

	if (fd < 0)
		return fd;
	*conf = (struct gate_conf){ 0 };
	gate_read_conf(fd, &info, conf);
	close(fd);
	return gate_conf_is_known(conf) ? 0 : -ENOENT;
}

enum { XDP_PROGS = 1u << GATE_PROG_SONDE_GATE_XDP | 1u << GATE_PROG_SONDE_GUARD_XDP };

uint32_t gate_select_prog(enum gate_dir dir, unsigned int hooks, bool guarded)
{
	if (dir == GATE_OUT)
		return GATE_PROG_SONDE_GATE_OUT;
	if (hooks & HOOKS_XDP)
		return guarded ? GATE_PROG_SONDE_GUARD_XDP : GATE_PROG_SONDE_GATE_XDP;
	return guarded ? GATE_PROG_SONDE_GUARD_IN : GATE_PROG_SONDE_GATE_IN;
}

/* Builds the value of map `rules_text`: the gate's users, then the rules' text and the guard's
 * expressions. */
static int build_text(struct gate_build *build)
{
	const struct gate_load_opts *opts = build->opts;
	struct buf b = { 0 };
	struct gate_text head = { .users = opts->users };

	buf_add(&b, &head, sizeof(head));
	if (opts->rules)
		rules_print(opts->rules, opts->dir, &b);
	head.len = (uint32_t)(b.len - sizeof(head));
	if (opts->guard)
		buf_add(&b, opts->guard->allow.data, opts->guard->allow.len);
	if (b.nomem) {
		buf_free(&b);
		return fail_errno(-ENOMEM, "building the rules");
	}
	build->text = (struct gate_text *)(void *)b.data;
	build->text->len = head.len;
	build->text->allow_len = (uint32_t)(b.len - sizeof(head) - head.len);
	build->text_len = (uint32_t)b.len;
	return 0;
}

/* Records what a filter looks at, for the program that parses packets for the rules. */
static void add_needs(struct gate_conf *conf, const struct filter *f)
{
	conf->groups |= (uint8_t)filter_groups(f);
	conf->inner |= (f->needs & FILTER_NEED_INNER) != 0;
	conf->addr_only &= filter_is_addr_only(f);
}

/* Adds what the guard lets pass. These rules match only packets marked with GUARD_QUERY. The last
 * one stops such a packet before the user's rules. */
static size_t list_allowed(struct gate_build *build, struct filter_rule *list)
{
	const struct guard_plan *plan = build->opts->guard;
	size_t n = 0;

	for (size_t i = 0; plan && i < plan->nfilters; i++)
		list[n++] = (struct filter_rule){ &plan->filters[i], GATE_ANSWER_ALLOW };
	if (n)
		list[n++] = (struct filter_rule){ &build->query, 0 };
	return n;
}

/* Lists one direction's rules for the emitter, in order. list has room for all of them and one
 * more. */
static size_t list_rules(struct gate_build *build, const struct filter *exempt,
			 struct filter_rule *list)
{
	const struct gate_load_opts *opts = build->opts;
	const struct rules *r = opts->rules;
	size_t n = list_allowed(build, list);

	for (size_t i = 0; r && i < r->n; i++) {
		const struct rule *rule = &r->at[i];

		if (rule->dir == opts->dir)
			list[n++] = (struct filter_rule){
				&rule->filter, rule->id | (rule->drops ? GATE_ANSWER_DROP : 0)
			};
	}
	if (r && r->drops[opts->dir])
		list[n++] = (struct filter_rule){ exempt, 0 };
	for (size_t i = 0; i < n; i++)
		add_needs(&build->conf, list[i].filter);
	return n;
}

/* Links each set once, however many rules name it, in the order in which a reader of the text finds
 * the names. */
static int link_sets(struct gate_build *build, const struct filter_rule *list, size_t n)
{
	const struct filter **filters = calloc(n + 1, sizeof(*filters));
	int rc;

	if (!filters)
		return fail_errno(-ENOMEM, "building the rules");
	for (size_t i = 0; i < n; i++)
		filters[i] = list[i].filter;
	rc = sets_open(&build->sets, filters, n, GATE_SET_PREFIX);
	if (!rc)
		rc = sets_link(&build->sets, &build->code);
	free(filters);
	return rc;
}

static int emit_code(struct gate_build *build, const struct filter *exempt)
{
	const struct gate_load_opts *opts = build->opts;
	bool xdp = opts->progs & XDP_PROGS;
	const struct rules *r = opts->rules;
	uint32_t default_answer = r && r->drops[opts->dir] ? GATE_ANSWER_DROP | RULE_DEFAULT_ID : 0;
	size_t room = (r ? r->n + 1 : 0) + (opts->guard ? opts->guard->nfilters + 1 : 0);
	struct filter_rule *list = calloc(room, sizeof(*list));
	struct diag diag = { 0 };
	size_t n;
	int rc;

	if (!list)
		return fail_errno(-ENOMEM, "building the rules");
	build->conf.addr_only = 1;
	n = list_rules(build, exempt, list);
	rc = filter_emit_rules(list, n, default_answer, xdp ? FILTER_XDP : FILTER_SKB, &build->code,
			       &diag);
	build->conf.has_allow = opts->guard && opts->guard->nfilters;
	build->conf.has_rules = n > (build->conf.has_allow ? opts->guard->nfilters + 1 : 0);
	if (rc)
		fail(rc, "rules: %s", *diag.msg ? diag.msg : err_message(rc));
	else
		rc = link_sets(build, list, n);
	free(list);
	return rc;
}

static int build_code(struct gate_build *build)
{
	struct filter exempt = { 0 };
	struct diag diag = { 0 };
	int rc = filter_parse(&exempt, RULES_EXEMPT, NULL, &diag);

	if (!rc)
		rc = filter_parse(&build->query, GUARD_QUERY, NULL, &diag);
	rc = rc ? fail(rc, "rules: %s", diag.msg) : emit_code(build, &exempt);
	filter_close(&exempt);
	filter_close(&build->query);
	return rc;
}

static int load_once(struct obj *obj, const struct gate_build *build)
{
	const struct gate_load_opts *opts = build->opts;
	struct obj_code stubs[GATE_NPROGS] = { 0 };
	struct obj_map maps[GATE_NMAPS] = { 0 };
	struct obj_opts obj_opts = {
		.stubs = stubs,
		.maps = maps,
		.conf = &build->conf,
		.progs = opts->progs,
		.xdp_flags = build->conf.multibuf ? BPF_F_XDP_HAS_FRAGS : 0,
		.no_tail_calls = !build->conf.has_observer,
		.verbose = opts->verbose,
	};
	uint32_t zero = 0;
	int rc;

	for (int i = 0; i < GATE_NPROGS; i++)
		stubs[i] = build->code.n ? (struct obj_code){ .insns = build->code.insns,
							      .n = (uint32_t)build->code.n }
					 : (struct obj_code){ .remove = true };
	for (int i = 0; i < GATE_NMAPS; i++)
		maps[i].fd = opts->maps ? opts->maps[i] : 0;
	maps[GATE_MAP_RULES_TEXT] = (struct obj_map){ .value_size = build->text_len };
	/* Without rules nothing reads the map of hits. */
	if (!opts->rules && !maps[GATE_MAP_HITS].fd)
		maps[GATE_MAP_HITS].max_entries = 1;
	if (opts->guard && !maps[GATE_MAP_GUARD].fd)
		maps[GATE_MAP_GUARD].max_entries = GUARD_SIZE(opts->guard->conf.lines);
	rc = obj_open(obj, &gate_spec, &obj_opts);
	if (rc)
		return rc;
	rc = bpf_map_update(obj->map_fd[GATE_MAP_RULES_TEXT], &zero, build->text, BPF_ANY);
	if (rc) {
		obj_close(obj);
		return fail_errno(rc, "%s: storing the rules' text", opts->link->name);
	}
	return 0;
}

/* Does not report errors, as another attempt follows. */
static int try_load(struct obj *obj, struct gate_build *build, bool multibuf, bool has_observer)
{
	char why[16];
	struct err_capture before = err_capture_begin(why, sizeof(why));
	int rc;

	build->conf.multibuf = multibuf;
	build->conf.has_observer = has_observer;
	rc = load_once(obj, build);
	err_capture_end(before);
	return rc;
}

/* Other ways to load the rules would take the verifier as long, and fail too. */
static int fail_too_complex(void)
{
	return fail(-E2BIG, "the rules are too complex for this kernel's verifier: use fewer or "
			    "simpler ones");
}

/* The observer is called by a tail call. Not all kernels accept that beside a subprogram, which the
 * rules are: go on without an observer there. */
static int load_with_observer(struct obj *obj, struct gate_build *build, bool multibuf)
{
	bool observer_is_optional = build->code.n != 0;
	int rc = observer_is_optional ? try_load(obj, build, multibuf, true) : -ENOENT;

	if (!rc)
		return 0;
	if (rc == -E2BIG)
		return fail_too_complex();
	build->conf.multibuf = multibuf;
	build->conf.has_observer = !observer_is_optional;
	return load_once(obj, build);
}

/* A kernel before 5.18 answers -EINVAL to the flag for multi-buffer frames. It is asked once, when
 * a gate without rules is loaded. */
static int load_best(struct obj *obj, struct gate_build *build)
{
	static bool no_multibuf;
	const struct gate_load_opts *opts = build->opts;
	int rc;

	if (opts->replaced)
		return load_with_observer(obj, build, opts->replaced->multibuf);
	if (!(opts->progs & XDP_PROGS) || no_multibuf)
		return load_with_observer(obj, build, false);
	rc = try_load(obj, build, true, true);
	if (rc == -E2BIG && build->code.n)
		return fail_too_complex();
	no_multibuf = rc == -EINVAL && !build->code.n;
	if (rc && build->code.n)
		rc = try_load(obj, build, true, false);
	return rc ? load_with_observer(obj, build, false) : 0;
}

int gate_load(struct obj *obj, const struct gate_load_opts *opts, struct gate_conf *conf)
{
	struct gate_build build = {
		.opts = opts,
		.conf = { .magic = GATE_MAGIC,
			  .version = GATE_VERSION,
			  .ethernet = link_has_ethernet(opts->link),
			  .ifindex = (uint32_t)opts->link->ifindex },
	};
	int rc = build_text(&build);

	if (opts->guard) {
		build.conf.guarded = 1;
		build.conf.guard = opts->guard->conf;
	}
	if (!rc && (opts->rules || (opts->guard && opts->guard->nfilters)))
		rc = build_code(&build);
	if (!rc)
		rc = load_best(obj, &build);
	if (!rc && conf)
		*conf = build.conf;
	filter_code_close(&build.code);
	sets_close(&build.sets);
	free(build.text);
	return rc;
}
