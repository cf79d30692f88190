/* SPDX-License-Identifier: MIT */
/* What is asked for, in the best way that this kernel has: programs are loaded once. */
#include "trace/trace.h"
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
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
/* What only some kinds take. */
enum {
	CONNECTS = CALL(CONN_FX) | CALL(CONN_RET),
	ACCEPTS = CALL(ACCEPT_FX) | CALL(ACCEPT_RT),
	BINDS = CALL(BIND_FX) | CALL(BIND6_FX) | CALL(BIND_RET),
};

/* The ways to hear what connect(2), accept(2) and bind(2) return, the best first. */
static const struct way {
	const char *name;
	uint32_t progs;
} ways[] = {
	{ "fexit", CALL(CONN_FX) | CALL(ACCEPT_FX) | CALL(BIND_FX) | CALL(BIND6_FX) },
	{ "kprobes", CALL(CONN) | CALL(CONN_RET) | CALL(ACCEPT_RT) | CALL(BIND_RET) },
	{ "sys_exit", CALL(CALL_EXIT) },
};

enum {
	/* Who accepts is the process of all that comes later. */
	TAKEN = TRACE_BIT(TRACE_ACCEPT) | TRACE_BIT(TRACE_CLOSE) | TRACE_BIT(TRACE_STATE) |
		TRACE_BIT(TRACE_RETRANSMIT) | TRACE_BIT(TRACE_RESET),
	RETURNS = TAKEN | TRACE_BIT(TRACE_CONNECT) | TRACE_BIT(TRACE_BIND),
	SEGMENTS = TRACE_BIT(TRACE_RETRANSMIT) | TRACE_BIT(TRACE_RESET) | TRACE_BIT(TRACE_DROP) |
		   TRACE_BIT(TRACE_LISTEN),
};

/* Twice the connections that there are, and some. */
static uint32_t socks_for(const struct trace_opts *opts)
{
	char text[1024], *at;
	uint32_t n = 0;

	if (opts->socks)
		return opts->socks;
	if (mnt_read("proc", "/proc", "self/net/sockstat", text, sizeof(text)) > 0) {
		at = strstr(text, " alloc ");
		n = at ? (uint32_t)strtoul(at + 7, NULL, 10) : 0;
	}
	return n > (1u << 22) ? 1u << 23 : 2 * n + (1u << 13);
}

static uint32_t asked(const struct trace *t)
{
	return t->opts.kinds | t->opts.failures;
}

static struct trace_all all_of(const struct trace *t)
{
	return (struct trace_all){ .kinds = t->opts.kinds,
				   .failures = t->opts.failures,
				   .filter = t->code.n != 0,
				   .can_read_kernel = t->can_read_kernel };
}

static int open_way(struct trace *t, const struct btf *types, const struct way *way)
{
	struct sock_calls_conf conf = { .all = all_of(t),
					.connects = (asked(t) & TRACE_BIT(TRACE_CONNECT)) != 0,
					.accepts = (asked(t) & TAKEN) != 0,
					.binds = (asked(t) & TRACE_BIT(TRACE_BIND)) != 0,
					.accept_args = (uint8_t)btf_count_function_args(
						types, "inet_csk_accept") };
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = way->progs };
	int rc;

	if (!conf.binds)
		opts.progs &= ~(uint32_t)BINDS;
	if (!conf.connects)
		opts.progs &= ~(uint32_t)CONNECTS;
	if (!conf.accepts)
		opts.progs &= ~(uint32_t)ACCEPTS;
	if (!(opts.progs & (CONNECTS | BINDS)))
		opts.progs &= ~(uint32_t)CALL(CONN);
	if (way->progs & CALL(CONN) && !perf_has_kprobes())
		return -ENODEV;
	/* Before maps are made for it. */
	rc = way->progs & CALL(ACCEPT_FX) ? tracing_try_fexit(types, "inet_csk_accept") : 0;
	if (rc)
		return rc;
	rc = trace_put(t, TRACE_OBJ_SOCK_CALLS, &sock_calls_spec, &opts);
	if (!rc) {
		trace_share(t, &t->obj[TRACE_OBJ_SOCK_CALLS]);
		t->returns = way->name;
	}
	return rc;
}

/* What is said on the way is not wanted: without any, there is less, which is said. */
static void open_calls(struct trace *t, const struct btf *types)
{
	char why[WORDS] = "";

	for (size_t i = 0; asked(t) & RETURNS && !t->returns && i < sizeof(ways) / sizeof(*ways);
	     i++) {
		struct err_capture before = err_capture_begin(why, sizeof(why));

		open_way(t, types, &ways[i]);
		err_capture_end(before);
	}
}

static int open_socks(struct trace *t, const struct btf *types)
{
	struct trace_conf conf = {
		.all = all_of(t),
		.connects = t->returns && asked(t) & TRACE_BIT(TRACE_CONNECT),
		.accepts = t->returns && asked(t) & TAKEN,
	};
	struct obj_opts opts = {
		.types = types,
		.conf = &conf,
		.progs = 1u << TRACE_PROG_SONDE_SOCK_PROC | 1u << TRACE_PROG_SONDE_SOCK_NET,
	};

	if (t->opts.there && t->can_read_kernel) {
		char why[WORDS] = "";
		struct err_capture before = err_capture_begin(why, sizeof(why));
		int rc;

		opts.progs |= 1u << TRACE_PROG_SONDE_SOCK_ITER;
		rc = trace_put(t, TRACE_OBJ_SOCKS, &trace_spec, &opts);
		err_capture_end(before);
		if (!rc)
			return 0;
		/* Connections that there are may not be found, others are. */
		opts.progs &= ~(1u << TRACE_PROG_SONDE_SOCK_ITER);
	}
	return trace_put(t, TRACE_OBJ_SOCKS, &trace_spec, &opts);
}

/* What a kind takes, and what is said if this kernel does not have that. */
static const struct part {
	uint32_t kind, progs;
	const char *what;
} parts[] = {
	{ TRACE_BIT(TRACE_RETRANSMIT),
	  1u << TCP_EVENTS_PROG_SONDE_RETRANS | 1u << TCP_EVENTS_PROG_SONDE_RETRANS_S,
	  "retransmits" },
	{ TRACE_BIT(TRACE_RESET), 1u << TCP_EVENTS_PROG_SONDE_RST_RX, "resets that are received" },
	{ TRACE_BIT(TRACE_RESET), 1u << TCP_EVENTS_PROG_SONDE_RST_TX, "resets that are sent" },
	{ TRACE_BIT(TRACE_DROP), 1u << TCP_EVENTS_PROG_SONDE_DROP, "drops" },
	{ TRACE_BIT(TRACE_LISTEN),
	  1u << TCP_EVENTS_PROG_SONDE_ACCEPTQ | 1u << TCP_EVENTS_PROG_SONDE_SYNQ,
	  "full queues of listeners" },
};

static uint32_t number_of(const struct trace_names *names, const char *name)
{
	for (uint32_t i = 0; i < sizeof(names->at) / sizeof(*names->at); i++)
		if (trace_name(names, i) && !strcmp(trace_name(names, i), name))
			return i;
	return 0;
}

static int open_segments(struct trace *t, const struct btf *types, uint32_t progs)
{
	struct tcp_events_conf conf = {
		.all = all_of(t),
		.retransmit_err = btf_count_tracepoint_args(types, "tcp_retransmit_skb") > 2,
		.reset_reason = btf_count_tracepoint_args(types, "tcp_send_reset") > 2,
		.drop_reason = btf_count_tracepoint_args(types, "kfree_skb") > 2,
		.stacks = t->opts.stacks,
		.unread = number_of(&t->drops, "QUEUE_PURGE"),
	};
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = progs };

	return trace_put(t, TRACE_OBJ_TCP_EVENTS, &tcp_events_spec, &opts);
}

/* All parts at once, which is what most kernels have; else one by one, to know which there are. */
static int open_parts(struct trace *t, const struct btf *types)
{
	uint32_t all = 0, good = 0, bad = 0, there = 0;
	char why[WORDS] = "";
	struct err_capture before = { 0 };
	int rc;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (asked(t) & parts[i].kind)
			all |= parts[i].progs;
	/* With its reasons only if they are asked for: it may go on with some of them. */
	if (!t->opts.verbose)
		before = err_capture_begin(why, sizeof(why));
	rc = open_segments(t, types, all);
	if (!t->opts.verbose)
		err_capture_end(before);
	for (size_t i = 0; rc && i < sizeof(parts) / sizeof(*parts); i++) {
		uint32_t links = t->nlinks;

		if (!(asked(t) & parts[i].kind))
			continue;
		before = err_capture_begin(why, sizeof(why));
		if (!open_segments(t, types, parts[i].progs)) {
			good |= parts[i].progs;
			there |= parts[i].kind;
			trace_detach(t, links);
			obj_close(&t->obj[TRACE_OBJ_TCP_EVENTS]);
			err_capture_end(before);
			continue;
		}
		err_capture_end(before);
		bad |= parts[i].kind;
		note("this kernel does not tell of %s: %s", parts[i].what, why);
	}
	t->missing |= bad & ~there;
	return rc && good ? open_segments(t, types, good) : 0;
}

/* At the root of the cgroups: what any socket sends and receives. */
static int attach_dns(struct trace *t, const struct obj *o)
{
	int root = mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC), rc = 0;

	if (root < 0)
		return fail_errno(root, "DNS is watched at the root of the cgroups (version 2)");
	for (uint32_t i = 0; i < dns_spec.nprogs && !rc; i++) {
		int fd = bpf_link_create(o->prog_fd[i], root, dns_spec.progs[i].attach_type, 0);

		if (fd < 0)
			rc = fail_errno(fd, "DNS is watched at the root of the cgroups");
		else
			t->links[t->nlinks++] = fd;
	}
	close(root);
	return rc;
}

static int open_dns(struct trace *t)
{
	struct dns_conf conf = { .all = all_of(t),
				 .port = t->opts.dns_port ? t->opts.dns_port : 53 };
	struct obj_opts opts = { .conf = &conf, .progs = ~0u };
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	int rc;

	/* Without it, there are no owners. */
	if (!owners_open(&t->owners))
		owners_scan(&t->owners);
	maps[DNS_MAP_OWNERS].fd = t->owners.map_fd;
	rc = trace_load(t, TRACE_OBJ_DNS, &dns_spec, &opts, maps);
	if (!rc)
		trace_share(t, &t->obj[TRACE_OBJ_DNS]);
	return rc ? rc : attach_dns(t, &t->obj[TRACE_OBJ_DNS]);
}

static int open_tls(struct trace *t, const struct btf *types)
{
	struct tls_conf conf = { .all = all_of(t),
				 .most = t->opts.text ? t->opts.text : TRACE_TEXT * TRACE_PIECES };
	struct obj_opts opts = { .types = types, .conf = &conf, .progs = ~0u };
	struct obj_map maps[OBJ_MAPS_MAX] = { 0 };
	int rc = trace_load(t, TRACE_OBJ_TLS, &tls_spec, &opts, maps);

	if (!rc)
		trace_share(t, &t->obj[TRACE_OBJ_TLS]);
	return rc ? rc : trace_tls_attach(t, &t->obj[TRACE_OBJ_TLS]);
}

/* What is about connections, and their segments. */
static int open_tcp(struct trace *t, const struct btf *types)
{
	int rc;

	if (asked(t) & TRACE_BIT(TRACE_DROP))
		trace_names_open(&t->drops, types, "skb_drop_reason", "SKB_DROP_REASON_");
	if (asked(t) & TRACE_BIT(TRACE_RESET))
		trace_names_open(&t->resets, types, "sk_rst_reason", "SK_RST_REASON_");
	t->opts.socks = socks_for(&t->opts);
	open_calls(t, types);
	rc = open_socks(t, types);
	if (!rc)
		trace_share(t, &t->obj[TRACE_OBJ_SOCKS]);
	return rc || !(asked(t) & SEGMENTS) ? rc : open_parts(t, types);
}

enum { NOT_TCP = TRACE_BIT(TRACE_DNS) | TRACE_BIT(TRACE_TLS) };

/* All in one pass over the kernel's types; what is not learnt is looked up later. */
static void learn(const struct trace *t, struct btf *types)
{
	const struct spec *specs[TRACE_OBJS];
	size_t n = 0;

	if (asked(t) & ~(uint32_t)NOT_TCP)
		specs[n++] = &trace_spec;
	if (asked(t) & RETURNS)
		specs[n++] = &sock_calls_spec;
	if (asked(t) & SEGMENTS)
		specs[n++] = &tcp_events_spec;
	if (asked(t) & TRACE_BIT(TRACE_TLS))
		specs[n++] = &tls_spec;
	obj_learn_types(types, specs, n);
}

static int open_all(struct trace *t)
{
	struct btf types = { 0 };
	int rc = asked(t) & ~TRACE_BIT(TRACE_DNS) ? btf_open_kernel(&types) : 0;

	if (rc)
		return fail_errno(rc, "tracing needs the kernel's type information (BTF)");
	if (types.n)
		learn(t, &types);
	if (asked(t) & ~(uint32_t)NOT_TCP)
		rc = open_tcp(t, &types);
	if (!rc && asked(t) & TRACE_BIT(TRACE_DNS))
		rc = open_dns(t);
	if (!rc && asked(t) & TRACE_BIT(TRACE_TLS))
		rc = open_tls(t, &types);
	btf_close(&types);
	if (!rc && !(asked(t) & ~t->missing))
		rc = fail(-ENOENT, "there is nothing else to trace");
	if (rc)
		return rc;
	rc = ring_open(&t->ring, t->shared[TRACE_SHARED_EVENTS], t->opts.bytes);
	return rc ? fail_errno(rc, "ring buffer") : 0;
}

int trace_open(struct trace *t, const struct trace_opts *opts)
{
	struct trace got = { .opts = *opts };
	struct diag diag = { 0 };
	int rc = 0;

	got.can_read_kernel = !feature_try("reading kernel memory in them");
	if (!got.opts.bytes)
		got.opts.bytes = TRACE_RING;
	if (opts->filter && opts->filter->nodes)
		rc = filter_emit(opts->filter, FILTER_XDP, &got.code, &diag);
	if (rc)
		fail(rc, "filter: %s", *diag.msg ? diag.msg : err_message(rc));
	else
		rc = open_all(&got);
	if (rc)
		trace_close(&got);
	else
		*t = got;
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
	buf_free(&t->drops.text);
	buf_free(&t->resets.text);
	*t = (struct trace){ 0 };
}
