/* SPDX-License-Identifier: MIT */
/* Tables of words, and of the cgroups met so far. */
#include "cmd/trace/format.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "sys/cgroup.h"

const char *const trace_kind_names[TRACE_KINDS] = {
	[TRACE_CONNECT] = "connect",
	[TRACE_ACCEPT] = "accept",
	[TRACE_CLOSE] = "close",
	[TRACE_STATE] = "state",
	[TRACE_RETRANSMIT] = "retransmit",
	[TRACE_RESET] = "reset",
	[TRACE_LISTEN] = "listen",
	[TRACE_BIND] = "bind",
	[TRACE_OPEN] = "open",
	[TRACE_DROP] = "drop",
	[TRACE_DNS] = "dns",
	[TRACE_TLS] = "tls",
};

int trace_fmt_open(struct trace_fmt *s, const struct trace *t)
{
	s->trace = t;
	s->cgroups = calloc(TRACE_SAY_CGROUPS, sizeof(*s->cgroups));
	if (!s->cgroups)
		return fail_errno(-ENOMEM, "names of cgroups");
	symbols_open(&s->symbols);
	trace_fmt_clock(s);
	return 0;
}

void trace_fmt_close(struct trace_fmt *s)
{
	symbols_close(&s->symbols);
	free(s->lines);
	free(s->cgroups);
	*s = (struct trace_fmt){ 0 };
}

void trace_fmt_clock(struct trace_fmt *s)
{
	s->epoch = clock_real() - clock_mono();
}

/* The place of an id: its own, or a free one. */
static struct trace_fmt_cgroup *place(const struct trace_fmt *s, uint64_t id)
{
	uint64_t at = id * UINT64_C(0x9e3779b97f4a7c15) >> 52;

	for (int i = 0; i < TRACE_SAY_CGROUPS; i++, at++) {
		struct trace_fmt_cgroup *c = &s->cgroups[at % TRACE_SAY_CGROUPS];

		if (c->id == id || !c->id)
			return c;
	}
	return NULL;
}

/* Processes of a container may be in a cgroup of its own making, below the container's. */
static void find_container(struct trace_fmt_cgroup *to, const char *name)
{
	const char *whole;

	if (!*to->container && cgroup_is_container(name, "", &whole))
		snprintf(to->container, sizeof(to->container), "%s", whole);
}

void trace_fmt_learn(struct trace_fmt *s, const struct trace_cgroup *c)
{
	struct trace_fmt_cgroup *to = place(s, c->head.who.cgroup);
	char above[TRACE_CGROUP_NAME + 1];

	if (!to || to->id)
		return;
	to->id = c->head.who.cgroup;
	snprintf(to->name, sizeof(to->name), "%.*s", TRACE_CGROUP_NAME, (const char *)c->name);
	snprintf(above, sizeof(above), "%.*s", TRACE_CGROUP_NAME, (const char *)c->above);
	find_container(to, to->name);
	find_container(to, above);
}

const struct trace_fmt_cgroup *trace_fmt_cgroup(const struct trace_fmt *s, uint64_t id)
{
	const struct trace_fmt_cgroup *c = id ? place(s, id) : NULL;

	return c && c->id ? c : NULL;
}

const char *trace_fmt_state(uint8_t state)
{
	static const char *const names[] = { "?",           "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					     "FIN_WAIT1",   "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
					     "CLOSE_WAIT",  "LAST_ACK",    "LISTEN",    "CLOSING",
					     "NEW_SYN_RECV" };

	return names[state < sizeof(names) / sizeof(*names) ? state : 0];
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
	{ ECANCELED, "given up" },
	{ ENODEV, "no such device" },
	{ EOPNOTSUPP, "not supported" },
};

const char *trace_fmt_error(int error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].number == error)
			return errors[i].words;
	return err_message(error);
}

struct trace_words trace_fmt_how(uint8_t how)
{
	static const struct trace_words all[] = {
		[TRACE_HOW_UNKNOWN] = { "unknown", "closed" },
		[TRACE_LOCAL] = { "local", "closed here" },
		[TRACE_REMOTE] = { "remote", "closed by peer" },
		[TRACE_ABORTED] = { "aborted", "reset here" },
		[TRACE_BROKEN] = { "error", "BROKEN" },
	};

	return all[how < sizeof(all) / sizeof(*all) ? how : 0];
}

struct trace_words trace_fmt_retransmit(uint8_t how)
{
	static const struct trace_words all[] = {
		[TRACE_AGAIN_UNKNOWN] = { "unknown", "again" },
		[TRACE_TIMEOUT] = { "timeout", "timeout" },
		[TRACE_FAST] = { "fast", "fast" },
		[TRACE_PROBE] = { "loss probe", "tail loss probe" },
		[TRACE_SYN] = { "syn", "SYN" },
		[TRACE_SYNACK] = { "synack", "SYN-ACK" },
	};

	return all[how < sizeof(all) / sizeof(*all) ? how : 0];
}

const char *trace_fmt_reason(const struct trace_fmt *s, const struct trace_event *e)
{
	return trace_name(e->head.kind == TRACE_DROP ? &s->trace->drops : &s->trace->resets,
			  e->detail.reason);
}

uint32_t trace_fmt_stack(struct trace_fmt *s, const struct trace_event *e, const char *before,
			 const char *behind, struct buf *out)
{
	uint64_t frames[TRACE_FRAMES];
	uint32_t n = trace_stack(s->trace, e->detail.stack, frames);

	return symbols_put_stack(&s->symbols, frames, n, before, behind, out);
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
		out->len--; /* its newline */
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
