/* SPDX-License-Identifier: MIT */
/* JSON: the same head for all kinds, and the columns that a kind has. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "cmd/trace_show.h"
#include "net/proto.h"

struct row {
	double time, seconds, latency_ms, rtt_ms;
	uint64_t pid, tid, uid, cgroup_id, netns, local_port, remote_port;
	uint64_t sent, received, retransmits, segment, queue, room, length, asked, offset;
	const char *event, *process, *container, *cgroup, *interface, *direction, *local, *remote;
	const char *result, *error, *how, *from, *to, *reason, *place, *packet, *stack, *protocol;
	const char *name, *type, *answers, *text;
	bool existed;
};

#define R struct row
#define STR(name) { #name, .role = COL_INFO, COL_AT_STR(R, name) }
#define U64(name) { #name, .role = COL_INFO, COL_AT_U64(R, name) }
#define F64(name) { #name, .role = COL_INFO, COL_AT_F64(R, name) }
#define HEAD                                                                                  \
	F64(time), STR(event), U64(pid), U64(tid), STR(process), U64(uid), STR(container),        \
		STR(cgroup), U64(cgroup_id), U64(netns), STR(interface), STR(direction), STR(local),  \
		U64(local_port), STR(remote), U64(remote_port)

static const struct col connect_cols[] = { HEAD, STR(result), STR(error), F64(latency_ms) };
static const struct col accept_cols[] = { HEAD, STR(result), STR(error), F64(latency_ms) };
static const struct col close_cols[] = {
	HEAD,	     F64(seconds), U64(sent), U64(received), U64(retransmits),
	F64(rtt_ms), STR(how),	   STR(error),
	{ "existed", .role = COL_INFO, COL_AT_BOOL(R, existed) },
};
static const struct col state_cols[] = { HEAD, STR(from), STR(to) };
static const struct col open_cols[] = {
	HEAD, STR(to), { "existed", .role = COL_INFO, COL_AT_BOOL(R, existed) }
};
static const struct col retransmit_cols[] = { HEAD,		STR(reason), U64(segment),
					      U64(retransmits), F64(rtt_ms), STR(to) };
static const struct col reset_cols[] = { HEAD, STR(how), STR(reason), STR(from) };
static const struct col bind_cols[] = { HEAD, STR(protocol), STR(result), STR(error) };
static const struct col dns_cols[] = { HEAD,	    STR(protocol), STR(name),  STR(type), STR(result),
				       STR(answers), F64(latency_ms), U64(asked) };
static const struct col tls_cols[] = { HEAD, STR(how), U64(length), U64(offset), STR(text) };
static const struct col listen_cols[] = { HEAD, U64(queue), U64(room) };
static const struct col drop_cols[] = { HEAD, STR(reason), STR(place), U64(length), STR(packet),
					STR(stack) };

#define SCHEMA(cols) { "trace", cols, sizeof(cols) / sizeof(*(cols)) }
static const struct schema schemas[TRACE_KINDS] = {
	[TRACE_CONNECT] = SCHEMA(connect_cols),
	[TRACE_ACCEPT] = SCHEMA(accept_cols),
	[TRACE_CLOSE] = SCHEMA(close_cols),
	[TRACE_STATE] = SCHEMA(state_cols),
	[TRACE_OPEN] = SCHEMA(open_cols),
	[TRACE_RETRANSMIT] = SCHEMA(retransmit_cols),
	[TRACE_RESET] = SCHEMA(reset_cols),
	[TRACE_BIND] = SCHEMA(bind_cols),
	[TRACE_DNS] = SCHEMA(dns_cols),
	[TRACE_TLS] = SCHEMA(tls_cols),
	[TRACE_LISTEN] = SCHEMA(listen_cols),
	[TRACE_DROP] = SCHEMA(drop_cols),
};

/* Texts that a row points to. */
struct texts {
	char comm[TRACE_COMM + 1], iface[17];
	struct buf local, remote, place, packet, stack;
};

static const char *text_of(struct buf *b)
{
	buf_char(b, '\0');
	return b->nomem ? "" : b->data;
}

static void fill_head(struct row *r, struct texts *t, const struct trace_say *s,
		      const struct trace_head *h)
{
	const struct trace_say_cgroup *c = trace_say_cgroup(s, h->who.cgroup);

	snprintf(t->comm, sizeof(t->comm), "%.*s", TRACE_COMM, (const char *)h->who.comm);
	snprintf(t->iface, sizeof(t->iface), "%.16s", (const char *)h->iface);
	trace_say_addr(&t->local, h, h->local, false);
	trace_say_addr(&t->remote, h, h->remote, false);
	r->time = (double)(s->epoch + h->time) / 1e9;
	r->event = trace_say_kinds[h->kind];
	r->pid = h->who.pid;
	r->tid = h->who.tid;
	r->uid = h->who.uid;
	r->process = h->who.pid ? t->comm : NULL;
	r->container = c && *c->container ? c->container : NULL;
	r->cgroup = c ? c->name : NULL;
	r->cgroup_id = h->who.cgroup;
	r->netns = h->who.netns;
	r->interface = *t->iface ? t->iface : NULL;
	r->direction = h->flags & TRACE_INCOMING   ? "in"
		       : h->flags & TRACE_OUTGOING ? "out"
						   : NULL;
	r->local = h->family ? text_of(&t->local) : NULL;
	r->local_port = h->lport;
	r->remote = h->family ? text_of(&t->remote) : NULL;
	r->remote_port = h->rport;
}

static double span(const struct trace_event *e, double unit)
{
	return e->is.began ? (double)(e->head.time - e->is.began) / unit : 0;
}

static void fill_event(struct row *r, const struct trace_say *s, const struct trace_event *e)
{
	bool failed = e->is.error || (e->head.kind == TRACE_CONNECT && e->is.after != 1);

	r->latency_ms = span(e, 1e6);
	r->seconds = span(e, 1e9);
	r->result = failed ? "failed" : "ok";
	r->error = trace_say_errno(e->is.error);
	if (e->is.error && !r->error)
		r->error = trace_say_error(e->is.error);
	r->sent = e->is.sent;
	r->segment = e->is.sent;
	r->received = e->is.received;
	r->retransmits = e->is.retransmits;
	r->rtt_ms = e->is.rtt_us / 1e3;
	r->from = e->is.before ? trace_say_state(e->is.before) : NULL;
	r->to = e->is.after ? trace_say_state(e->is.after) : NULL;
	r->existed = e->head.flags & TRACE_EXISTED;
	r->protocol = net_proto_name(e->head.proto);
	r->queue = e->is.queue;
	r->room = e->is.room;
	if (e->head.kind == TRACE_CLOSE)
		r->how = trace_say_how(e);
	else if (e->head.kind == TRACE_RESET)
		r->how = e->head.flags & TRACE_SENT ? "sent" : "received";
	r->reason = e->head.kind == TRACE_RETRANSMIT ? trace_say_again(e->is.how)
						     : trace_say_reason(s, e);
}

static void fill_drop(struct row *r, struct texts *t, struct trace_say *s,
		      const struct trace_packet *p)
{
	uint64_t frames[TRACE_FRAMES];
	uint32_t n = trace_stack(s->trace, p->event.is.stack, frames);

	trace_say_place(s, p->event.is.location, &t->place);
	r->place = text_of(&t->place);
	r->length = p->len;
	r->packet = trace_say_packet(s, p, &t->packet) ? text_of(&t->packet) : NULL;
	symbols_find(&s->symbols, frames, n);
	for (uint32_t i = 0; i < n; i++) {
		buf_str(&t->stack, i ? " " : "");
		trace_say_place(s, frames[i], &t->stack);
	}
	r->stack = n ? text_of(&t->stack) : NULL;
}

/* JSON has no zeros in strings. */
static void fill_text(struct row *r, struct texts *t, const struct trace_text *text)
{
	uint32_t n = text->head.bytes < TRACE_TEXT ? text->head.bytes : TRACE_TEXT;

	for (uint32_t i = 0; i < n; i++)
		buf_char(&t->packet, text->bytes[i] ? (char)text->bytes[i] : '.');
	r->text = text_of(&t->packet);
	r->length = text->total;
	r->offset = text->from;
	r->how = text->head.flags & TRACE_SENT ? "sent" : "received";
}

static int put_row(struct row *r, struct texts *t, const struct schema *schema, struct sink *sink)
{
	int rc = sink_begin(sink, schema, NULL);

	if (!rc)
		rc = sink_row(sink, r);
	if (!rc)
		rc = sink_end(sink);
	buf_free(&t->local);
	buf_free(&t->remote);
	buf_free(&t->place);
	buf_free(&t->packet);
	buf_free(&t->stack);
	return rc;
}

int trace_show_dns_row(struct trace_say *s, const struct trace_dns *dns, struct sink *sink)
{
	const char *rcode = dns_rcode_word(dns->says.rcode), *type = dns_type_word(dns->says.type);
	char rcode_number[16], type_number[16];
	struct texts t = { 0 };
	struct row r = { 0 };

	snprintf(rcode_number, sizeof(rcode_number), "rcode %u", dns->says.rcode);
	snprintf(type_number, sizeof(type_number), "type %u", dns->says.type);
	fill_head(&r, &t, s, &dns->head);
	r.protocol = net_proto_name(dns->head.proto);
	r.name = dns->says.name;
	r.type = type ? type : type_number;
	r.result = !dns->answered ? "no answer" : rcode ? rcode : rcode_number;
	r.answers = *dns->says.answers ? dns->says.answers : NULL;
	r.latency_ms = dns->asked ? (double)(dns->head.time - dns->asked) / 1e6 : NAN;
	r.asked = dns->times;
	return put_row(&r, &t, &schemas[TRACE_DNS], sink);
}

int trace_show_row(struct trace_say *s, const struct trace_head *rec, struct sink *sink)
{
	struct texts t = { 0 };
	struct row r = { 0 };

	fill_head(&r, &t, s, rec);
	if (rec->kind == TRACE_TLS)
		fill_text(&r, &t, (const struct trace_text *)(const void *)rec);
	else
		fill_event(&r, s, (const struct trace_event *)(const void *)rec);
	if (rec->kind == TRACE_DROP)
		fill_drop(&r, &t, s, (const struct trace_packet *)(const void *)rec);
	return put_row(&r, &t, &schemas[rec->kind], sink);
}
