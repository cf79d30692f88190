/* SPDX-License-Identifier: MIT */
/* Names of states, errors and causes, and the cgroups reported so far. */
#include "cmd/trace/format.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/trace/kinds.h"
#include "sys/cgroup.h"

#define NAME(kind, line, row, name, about, columns) [TRACE_##kind] = name,
const char *const trace_kind_names[TRACE_KINDS] = { TRACE_KIND_LIST(NAME) };
#undef NAME

int trace_fmt_open(struct trace_fmt *s, const struct trace *t)
{
	s->trace = t;
	s->cgroups = calloc(TRACE_FMT_CGROUPS, sizeof(*s->cgroups));
	if (!s->cgroups)
		return fail_errno(-ENOMEM, "table of cgroup names");
	symbols_open(&s->symbols);
	trace_fmt_clock(s);
	return 0;
}

void trace_fmt_close(struct trace_fmt *s)
{
	symbols_close(&s->symbols);
	for (size_t i = 0; i < TRACE_FMT_TEXTS; i++)
		buf_free(&s->texts[i]);
	free(s->lines);
	free(s->cgroups);
	*s = (struct trace_fmt){ 0 };
}

void trace_fmt_clock(struct trace_fmt *s)
{
	s->epoch = clock_real() - clock_mono();
}

/* Returns the slot of an id, or a free one; NULL: all slots are in use. */
static struct trace_fmt_cgroup *find_slot(const struct trace_fmt *s, uint64_t id)
{
	uint64_t at = id * UINT64_C(0x9e3779b97f4a7c15) >> 52;

	for (int i = 0; i < TRACE_FMT_CGROUPS; i++, at++) {
		struct trace_fmt_cgroup *c = &s->cgroups[at % TRACE_FMT_CGROUPS];

		if (c->id == id || !c->id)
			return c;
	}
	return NULL;
}

/* Finds the container in a directory name of the path: a container may create cgroups below its
 * own. */
static void find_container(struct trace_fmt_cgroup *to, const char *name)
{
	const char *id;

	if (!*to->container && cgroup_is_container(name, "", &id))
		snprintf(to->container, sizeof(to->container), "%s", id);
}

void trace_fmt_learn(struct trace_fmt *s, const struct trace_cgroup *c)
{
	struct trace_fmt_cgroup *to = find_slot(s, c->head.proc.cgroup);
	char parent[TRACE_CGROUP_NAME + 1];

	if (!to || to->id)
		return;
	to->id = c->head.proc.cgroup;
	snprintf(to->name, sizeof(to->name), "%.*s", TRACE_CGROUP_NAME, (const char *)c->name);
	snprintf(parent, sizeof(parent), "%.*s", TRACE_CGROUP_NAME, (const char *)c->parent);
	find_container(to, to->name);
	find_container(to, parent);
}

const struct trace_fmt_cgroup *trace_fmt_cgroup(const struct trace_fmt *s, uint64_t id)
{
	const struct trace_fmt_cgroup *c = id ? find_slot(s, id) : NULL;

	return c && c->id ? c : NULL;
}

const char *trace_fmt_state(uint8_t state)
{
	static const char *const names[] = { "?",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					     "FIN_WAIT1",   "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
					     "CLOSE_WAIT",  "LAST_ACK",    "LISTEN",    "CLOSING",
					     "NEW_SYN_RECV" };

	return names[state < ARRAY_LEN(names) ? state : 0];
}

static const struct {
	int number;
	const char *words;
} errors[] = {
	{ ECONNREFUSED, "connection refused" },
	{ ETIMEDOUT, "timed out" },
	{ ECONNRESET, "connection reset" },
	{ EHOSTUNREACH, "host unreachable" },
	{ ENETUNREACH, "network unreachable" },
	{ EADDRNOTAVAIL, "no address or port left" },
	{ EADDRINUSE, "address in use" },
	{ EPIPE, "broken pipe" },
	{ ECONNABORTED, "aborted" },
	{ ENETDOWN, "network down" },
	{ EHOSTDOWN, "host down" },
	{ EACCES, "permission denied" },
	{ EPERM, "not permitted" },
	{ EINVAL, "invalid argument" },
	{ EAFNOSUPPORT, "address family not supported" },
	{ ENOPROTOOPT, "protocol not available" },
	{ EPROTO, "protocol error" },
	{ EMSGSIZE, "message too long" },
	{ ENOBUFS, "no buffer space" },
	{ ENOMEM, "out of memory" },
	{ EAGAIN, "no port left" },
	{ ECANCELED, "abandoned" },
	{ ENODEV, "no such device" },
	{ EOPNOTSUPP, "not supported" },
};

const char *trace_fmt_error(int error)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].number == error)
			return errors[i].words;
	return err_message(error);
}

struct trace_words trace_fmt_end(uint8_t how)
{
	static const struct trace_words names[] = {
		[TRACE_END_UNKNOWN] = { NULL, "closed" },
		[TRACE_END_LOCAL] = { "local", "closed here" },
		[TRACE_END_REMOTE] = { "remote", "closed by peer" },
		[TRACE_END_ABORTED] = { "aborted", "reset here" },
		[TRACE_END_ERROR] = { "error", "BROKEN" },
	};

	return names[how < ARRAY_LEN(names) ? how : 0];
}

struct trace_words trace_fmt_retransmit(uint8_t how)
{
	static const struct trace_words names[] = {
		[TRACE_RESEND_UNKNOWN] = { NULL, "retransmitted" },
		[TRACE_RESEND_TIMEOUT] = { "timeout", "timeout" },
		[TRACE_RESEND_FAST] = { "fast", "fast" },
		[TRACE_RESEND_PROBE] = { "loss probe", "tail loss probe" },
		[TRACE_RESEND_SYN] = { "syn", "SYN" },
		[TRACE_RESEND_SYNACK] = { "synack", "SYN-ACK" },
	};

	return names[how < ARRAY_LEN(names) ? how : 0];
}

const char *trace_fmt_reason(const struct trace_fmt *s, const struct trace_event *e)
{
	return trace_find_name(e->head.kind == TRACE_DROP ? &s->trace->drop_reasons
							  : &s->trace->reset_reasons,
			       e->detail.reason);
}

uint32_t trace_fmt_stack(struct trace_fmt *s, const struct trace_event *e, const char *prefix,
			 const char *suffix, struct buf *out)
{
	uint64_t frames[TRACE_FRAMES];
	uint32_t n = trace_read_stack(s->trace, e->detail.stack, frames);

	return symbols_append_stack(&s->symbols, frames, n, prefix, suffix, out);
}

bool trace_fmt_packet(struct trace_fmt *s, const struct trace_packet *p, struct buf *out)
{
	const struct dissect_opts o = { .time = DISSECT_NONE, .numeric = true };
	const uint32_t n = p->event.head.bytes;
	const struct frame f = {
		.data = p->bytes, .caplen = n, .len = p->len > n ? p->len : n, .link = FRAME_RAW_IP
	};

	if (!s->lines)
		s->lines = calloc(1, sizeof(*s->lines));
	if (!s->lines || !n || n > TRACE_PACKET || !p->event.head.family)
		return false;
	dissect_line(out, &f, &o, s->lines);
	if (out->len && !out->nomem)
		out->len--; /* remove the newline */
	return true;
}

void trace_fmt_addr(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		    bool brackets)
{
	bool six = h->family == 6;

	if (six && brackets)
		buf_char(out, '[');
	dissect_put_address(out, addr, six ? 16 : 4);
	if (six && brackets)
		buf_char(out, ']');
}
