/* SPDX-License-Identifier: MIT */
/* Loads programs for the selected kinds of events, by the best methods that the kernel has. */
#include "trace/trace.h"
#include <errno.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "gen/dns.gen.h"
#include "gen/sock_calls.gen.h"
#include "gen/tcp_events.gen.h"
#include "gen/tls.gen.h"
#include "gen/trace.gen.h"
#include "obj/feature.h"
#include "obj/tracing.h"
#include "sys/bpf.h"
#include "sys/btf.h"
#include "sys/mnt.h"
#include "sys/perf.h"
#include "trace/load.h"
#include "trace/names.h"
#include "trace/tls.h"

enum { WORDS = 160 };

#define CALL(name) (1u << SOCK_CALLS_PROG_SONDE_##name)
/* Programs that only some kinds need. */
enum {
	CONNECT_PROGS = CALL(CONN_FX) | CALL(CONN_RET),
	ACCEPT_PROGS = CALL(ACCEPT_FX) | CALL(ACCEPT_RT),
	BIND_PROGS = CALL(BIND_FX) | CALL(BIND6_FX) | CALL(BIND_RET),
};

/* Methods to see what connect(2), accept(2) and bind(2) return, best first. */
static const struct call_method {
	const char *name;
	uint32_t progs;
} methods[] = {
	{ "fexit", CALL(CONN_FX) | CALL(ACCEPT_FX) | CALL(BIND_FX) | CALL(BIND6_FX) },
	{ "kprobes", CALL(CONN) | CALL(CONN_RET) | CALL(ACCEPT_RT) | CALL(BIND_RET) },
	{ "sys_exit", CALL(CALL_EXIT) },
};

enum {
	/* kinds that report the process which accepted the connection */
	ACCEPT_KINDS = TRACE_BIT(TRACE_ACCEPT) | TRACE_BIT(TRACE_CLOSE) | TRACE_BIT(TRACE_STATE) |
		       TRACE_BIT(TRACE_RETRANSMIT) | TRACE_BIT(TRACE_RESET),
	CALL_KINDS = ACCEPT_KINDS | TRACE_BIT(TRACE_CONNECT) | TRACE_BIT(TRACE_BIND),
	TCP_EVENT_KINDS = TRACE_BIT(TRACE_RETRANSMIT) | TRACE_BIT(TRACE_RESET) |
			  TRACE_BIT(TRACE_DROP) | TRACE_BIT(TRACE_LISTEN),
};

/* Twice the number of existing connections, plus a minimum. */
static uint32_t socks_for(const struct trace_opts *opts)
{
	char text[1024], *at;
	uint32_t n = 0;

	if (opts->max_socks)
		return opts->max_socks;
	if (mnt_read("proc", "/proc", "self/net/sockstat", text, sizeof(text)) > 0) {
		at = strstr(text, " alloc ");
		n = at ? (uint32_t)strtoul(at + 7, NULL, 10) : 0;
	}
	return n > (1u << 22) ? 1u << 23 : 2 * n + (1u << 13);
}

static uint32_t wanted_kinds(const struct trace *t)
{
	return t->opts.kinds | t->opts.failures;
}

static struct trace_common make_common(const struct trace *t)
{
	return (struct trace_common){ .kinds = t->opts.kinds,
				      .failures = t->opts.failures,
				      .filter = t->code.n != 0,
				      .can_read_kernel = t->can_read_kernel };
}

static int open_method(struct trace *t, const struct btf *types, const struct call_method *method)
{
	struct sock_calls_conf conf = {
		.common = make_common(t),
		.connect_ret = (wanted_kinds(t) & TRACE_BIT(TRACE_CONNECT)) != 0,
		.accept_ret = (wanted_kinds(t) & ACCEPT_KINDS) != 0,
		.bind_ret = (wanted_kinds(t) & TRACE_BIT(TRACE_BIND)) != 0,
		.accept_args = (uint8_t)btf_count_function_args(types, "inet_csk_accept")
	};
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = method->progs };
	int rc;

	if (!conf.bind_ret)
		opts.progs &= ~(uint32_t)BIND_PROGS;
	if (!conf.connect_ret)
		opts.progs &= ~(uint32_t)CONNECT_PROGS;
	if (!conf.accept_ret)
		opts.progs &= ~(uint32_t)ACCEPT_PROGS;
	if (!(opts.progs & (CONNECT_PROGS | BIND_PROGS)))
		opts.progs &= ~(uint32_t)CALL(CONN);
	if (method->progs & CALL(CONN) && !perf_has_kprobes())
		return -ENODEV;
	/* before maps are created for it */
	rc = method->progs & CALL(ACCEPT_FX) ? tracing_try_fexit(types, "inet_csk_accept") : 0;
	if (rc)
		return rc;
	rc = trace_load_attach(t, TRACE_OBJ_SOCK_CALLS, &sock_calls_spec, &opts);
	if (!rc) {
		trace_share_maps(t, &t->obj[TRACE_OBJ_SOCK_CALLS]);
		t->call_method = method->name;
	}
	return rc;
}

/* Suppresses the errors of each attempt. If all fail, the caller reports what cannot be seen. */
static void open_sock_calls(struct trace *t, const struct btf *types)
{
	char why[WORDS] = "";

	for (size_t i = 0;
	     wanted_kinds(t) & CALL_KINDS && !t->call_method && i < ARRAY_LEN(methods); i++) {
		struct err_capture before = err_capture_begin(why, sizeof(why));

		open_method(t, types, &methods[i]);
		err_capture_end(before);
	}
}

static int open_socks(struct trace *t, const struct btf *types)
{
	struct trace_conf conf = {
		.common = make_common(t),
		.connect_ret = t->call_method && wanted_kinds(t) & TRACE_BIT(TRACE_CONNECT),
		.accept_ret = t->call_method && wanted_kinds(t) & ACCEPT_KINDS,
	};
	struct obj_opts opts = {
		.types = types,
		.conf = &conf,
		.progs = 1u << TRACE_PROG_SONDE_SOCK_PROC | 1u << TRACE_PROG_SONDE_SOCK_NET,
	};

	if (t->opts.existing && t->can_read_kernel) {
		char why[WORDS] = "";
		struct err_capture before = err_capture_begin(why, sizeof(why));
		int rc;

		opts.progs |= 1u << TRACE_PROG_SONDE_SOCK_ITER;
		rc = trace_load_attach(t, TRACE_OBJ_SOCKS, &trace_spec, &opts);
		err_capture_end(before);
		if (!rc)
			return 0;
		/* continue without existing connections */
		opts.progs &= ~(1u << TRACE_PROG_SONDE_SOCK_ITER);
	}
	return trace_load_attach(t, TRACE_OBJ_SOCKS, &trace_spec, &opts);
}

/* The programs of a kind of event, and its name in reports. */
static const struct tcp_event {
	uint32_t kind, progs;
	const char *what;
} tcp_events[] = {
	{ TRACE_BIT(TRACE_RETRANSMIT),
	  1u << TCP_EVENTS_PROG_SONDE_RETRANS | 1u << TCP_EVENTS_PROG_SONDE_RETRANS_S,
	  "retransmits" },
	{ TRACE_BIT(TRACE_RESET), 1u << TCP_EVENTS_PROG_SONDE_RST_RX, "received resets" },
	{ TRACE_BIT(TRACE_RESET), 1u << TCP_EVENTS_PROG_SONDE_RST_TX, "sent resets" },
	{ TRACE_BIT(TRACE_DROP), 1u << TCP_EVENTS_PROG_SONDE_DROP, "drops" },
	{ TRACE_BIT(TRACE_LISTEN),
	  1u << TCP_EVENTS_PROG_SONDE_ACCEPTQ | 1u << TCP_EVENTS_PROG_SONDE_SYNQ,
	  "full listen queues" },
};

static uint32_t find_number(const struct trace_names *names, const char *name)
{
	for (uint32_t i = 0; i < sizeof(names->at) / sizeof(*names->at); i++)
		if (trace_find_name(names, i) && !strcmp(trace_find_name(names, i), name))
			return i;
	return 0;
}

static int load_tcp_events(struct trace *t, const struct btf *types, uint32_t progs)
{
	struct tcp_events_conf conf = {
		.common = make_common(t),
		.retransmit_err = btf_count_tracepoint_args(types, "tcp_retransmit_skb") > 2,
		.reset_reason = btf_count_tracepoint_args(types, "tcp_send_reset") > 2,
		.drop_reason = btf_count_tracepoint_args(types, "kfree_skb") > 2,
		.stacks = t->opts.stacks,
		.ignored_reason = find_number(&t->drop_reasons, "QUEUE_PURGE"),
	};
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = progs };

	return trace_load_attach(t, TRACE_OBJ_TCP_EVENTS, &tcp_events_spec, &opts);
}

/* Loads all events at once, which most kernels accept; else one at a time to find those that
 * work. */
static int open_tcp_events(struct trace *t, const struct btf *types)
{
	uint32_t all = 0, loaded = 0, refused = 0, working = 0;
	char why[WORDS] = "";
	struct err_capture before = { 0 };
	int rc;

	for (size_t i = 0; i < ARRAY_LEN(tcp_events); i++)
		if (wanted_kinds(t) & tcp_events[i].kind)
			all |= tcp_events[i].progs;
	/* show errors only if asked: some events may still work */
	if (!t->opts.verbose)
		before = err_capture_begin(why, sizeof(why));
	rc = load_tcp_events(t, types, all);
	if (!t->opts.verbose)
		err_capture_end(before);
	for (size_t i = 0; rc && i < ARRAY_LEN(tcp_events); i++) {
		uint32_t links = t->nlinks;

		if (!(wanted_kinds(t) & tcp_events[i].kind))
			continue;
		before = err_capture_begin(why, sizeof(why));
		if (!load_tcp_events(t, types, tcp_events[i].progs)) {
			loaded |= tcp_events[i].progs;
			working |= tcp_events[i].kind;
			trace_detach(t, links);
			obj_close(&t->obj[TRACE_OBJ_TCP_EVENTS]);
			err_capture_end(before);
			continue;
		}
		err_capture_end(before);
		refused |= tcp_events[i].kind;
		note("%s are unavailable: %s", tcp_events[i].what, why);
	}
	t->missing |= refused & ~working;
	return rc && loaded ? load_tcp_events(t, types, loaded) : 0;
}

/* Attaches to the root cgroup, which sees every socket's packets. */
static int attach_dns(struct trace *t, const struct obj *o)
{
	int root = mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC), rc = 0;

	if (root < 0)
		return fail_errno(root, "tracing DNS needs cgroup v2");
	for (uint32_t i = 0; i < dns_spec.nprogs && !rc; i++) {
		int fd = bpf_link_create(o->prog_fd[i], root, dns_spec.progs[i].attach_type, 0);

		if (fd < 0)
			rc = fail_errno(fd, "attaching to the root cgroup");
		else
			t->links[t->nlinks++] = fd;
	}
	close(root);
	return rc;
}

/* Finds where a socket's network namespace is stored; unknown if the kernel does not describe its
 * types. The programs also run without types. */
static void find_netns_offsets(const struct btf *types, struct dns_conf *conf)
{
	struct btf_lookup structs[] = {
		{ .name = "sock", .kinds = BTF_KIND_BIT(STRUCT) },
		{ .name = "net", .kinds = BTF_KIND_BIT(STRUCT) },
	};
	struct btf_field net, inum;

	if (!types->n)
		return;
	btf_resolve(types, structs, ARRAY_LEN(structs));
	if (!structs[0].id || !structs[1].id ||
	    btf_find_field(types, structs[0].id, "__sk_common.skc_net.net", &net) ||
	    btf_find_field(types, structs[1].id, "ns.inum", &inum))
		return;
	conf->net_off = net.off;
	conf->inum_off = inum.off;
	conf->pointer_bytes = (uint8_t)types->pointer_size;
}

static bool reads_netns(const struct filter *f)
{
	for (size_t i = 0; f && i < f->n; i++)
		if (f->nodes[i].op == FILTER_FIELD &&
		    f->nodes[i].field == offsetof(struct view, netns))
			return true;
	return false;
}

static int open_dns(struct trace *t, const struct btf *types)
{
	struct dns_conf conf = { .common = make_common(t),
				 .port = t->opts.dns_port ? t->opts.dns_port : 53 };
	struct obj_opts opts = { .conf = &conf, .progs = ~0u };
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	int rc;

	find_netns_offsets(types, &conf);
	if (reads_netns(t->opts.filter) && !(conf.net_off && t->can_read_kernel))
		return fail(-EOPNOTSUPP, "on this kernel dns events have no network namespace");
	/* without it, processes are unknown */
	if (!owners_open(&t->owners))
		owners_scan(&t->owners);
	maps[DNS_MAP_OWNERS].fd = t->owners.map_fd;
	rc = trace_load(t, TRACE_OBJ_DNS, &dns_spec, &opts, maps);
	if (!rc)
		trace_share_maps(t, &t->obj[TRACE_OBJ_DNS]);
	return rc ? rc : attach_dns(t, &t->obj[TRACE_OBJ_DNS]);
}

static int open_tls(struct trace *t, const struct btf *types)
{
	struct tls_conf conf = { .common = make_common(t),
				 .max_bytes = t->opts.text_bytes ? t->opts.text_bytes
								 : TRACE_TEXT * TRACE_PIECES };
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = ~0u };
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	int rc = trace_load(t, TRACE_OBJ_TLS, &tls_spec, &opts, maps);

	if (!rc)
		trace_share_maps(t, &t->obj[TRACE_OBJ_TLS]);
	return rc ? rc : trace_tls_attach(t, &t->obj[TRACE_OBJ_TLS]);
}

/* Opens everything about TCP connections and their segments. */
static int open_tcp(struct trace *t, const struct btf *types)
{
	int rc;

	if (wanted_kinds(t) & TRACE_BIT(TRACE_DROP))
		trace_load_names(&t->drop_reasons, types, "skb_drop_reason", "SKB_DROP_REASON_");
	if (wanted_kinds(t) & TRACE_BIT(TRACE_RESET))
		trace_load_names(&t->reset_reasons, types, "sk_rst_reason", "SK_RST_REASON_");
	t->opts.max_socks = socks_for(&t->opts);
	open_sock_calls(t, types);
	rc = open_socks(t, types);
	if (!rc)
		trace_share_maps(t, &t->obj[TRACE_OBJ_SOCKS]);
	return rc || !(wanted_kinds(t) & TCP_EVENT_KINDS) ? rc : open_tcp_events(t, types);
}

enum { OTHER_KINDS = TRACE_BIT(TRACE_DNS) | TRACE_BIT(TRACE_TLS) };

/* Resolves all types in one pass over the kernel's BTF; later ones cost a pass each. */
static void learn_types(const struct trace *t, struct btf *types)
{
	const struct spec *specs[TRACE_OBJS];
	size_t n = 0;

	if (wanted_kinds(t) & ~(uint32_t)OTHER_KINDS)
		specs[n++] = &trace_spec;
	if (wanted_kinds(t) & CALL_KINDS)
		specs[n++] = &sock_calls_spec;
	if (wanted_kinds(t) & TCP_EVENT_KINDS)
		specs[n++] = &tcp_events_spec;
	if (wanted_kinds(t) & TRACE_BIT(TRACE_TLS))
		specs[n++] = &tls_spec;
	obj_learn_types(types, specs, n);
}

static int open_all(struct trace *t)
{
	struct btf types = { 0 };
	int rc = btf_open_kernel(&types);

	if (!(wanted_kinds(t) & ~TRACE_BIT(TRACE_DNS)))
		rc = 0; /* these do without */
	if (rc)
		return fail_errno(rc, "tracing needs the kernel's type information (BTF)");
	if (types.n)
		learn_types(t, &types);
	if (wanted_kinds(t) & ~(uint32_t)OTHER_KINDS)
		rc = open_tcp(t, &types);
	if (!rc && wanted_kinds(t) & TRACE_BIT(TRACE_DNS))
		rc = open_dns(t, &types);
	if (!rc && wanted_kinds(t) & TRACE_BIT(TRACE_TLS))
		rc = open_tls(t, &types);
	btf_close(&types);
	if (!rc && !(wanted_kinds(t) & ~t->missing))
		rc = fail(-ENOENT, "nothing left to trace");
	if (rc)
		return rc;
	rc = ring_open(&t->ring, t->shared_maps[TRACE_SHARED_EVENTS], t->opts.ring_bytes);
	return rc ? fail_errno(rc, "ring buffer") : 0;
}

int trace_open(struct trace *t, const struct trace_opts *opts)
{
	struct trace opened = { .opts = *opts };
	struct diag diag = { 0 };
	int rc = 0;

	opened.can_read_kernel = !feature_try("reading kernel memory in them");
	if (!opened.opts.ring_bytes)
		opened.opts.ring_bytes = TRACE_RING;
	if (opts->filter && opts->filter->nodes)
		rc = filter_emit(opts->filter, FILTER_XDP, &opened.code, &diag);
	if (rc)
		fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	else
		rc = open_all(&opened);
	if (rc)
		trace_close(&opened);
	else
		*t = opened;
	return rc;
}

void trace_stop(struct trace *t)
{
	trace_detach(t, 0);
}

void trace_close(struct trace *t)
{
	trace_detach(t, 0);
	ring_close(&t->ring);
	for (int i = 0; i < TRACE_OBJS; i++)
		obj_close(&t->obj[i]);
	owners_close(&t->owners);
	filter_code_close(&t->code);
	buf_free(&t->drop_reasons.text);
	buf_free(&t->reset_reasons.text);
	*t = (struct trace){ 0 };
}
