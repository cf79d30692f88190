/* SPDX-License-Identifier: MIT */
/* JSON: the same head for all kinds, and the columns that a kind has. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "cmd/trace/show.h"
#include "net/proto.h"

/* What records of one kind or another have, all in one row. */
/* clang-format off */
#define COLUMNS(STR, U64, F64, BOOL)                                                          \
	F64(time) STR(event) U64(pid) U64(tid) STR(process) U64(uid) STR(container) STR(cgroup)   \
	U64(cgroup_id) U64(netns) STR(interface) STR(direction) STR(local) U64(local_port)        \
	STR(remote) U64(remote_port) STR(protocol) STR(name) STR(type) STR(result) STR(error)     \
	STR(answers) U64(asked) F64(latency_ms) F64(seconds) U64(sent) U64(received) STR(reason)  \
	U64(segment) U64(retransmits) F64(rtt_ms) STR(how) BOOL(existed) BOOL(by_listener)        \
	BOOL(accepted) STR(from) STR(to) U64(queue) U64(room) STR(place) U64(length) U64(offset)  \
	STR(text) STR(packet) STR(stack)
/* clang-format on */

#define MEMBER_STR(name)  const char *name;
#define MEMBER_U64(name)  uint64_t name;
#define MEMBER_F64(name)  double name;
#define MEMBER_BOOL(name) bool name;
struct row {
	const char *none;
	uint64_t has; /* HAS_* */
	COLUMNS(MEMBER_STR, MEMBER_U64, MEMBER_F64, MEMBER_BOOL)
};

#define PLACE(name) PLACE_##name,
enum { COLUMNS(PLACE, PLACE, PLACE, PLACE) NPLACES };
#define BIT(name) HAS_##name = UINT64_C(1) << PLACE_##name,
enum { COLUMNS(BIT, BIT, BIT, BIT) };
_Static_assert(NPLACES <= 64, "a bit for each");

#define COL_STR_OF(name)  { #name, .role = COL_INFO, COL_AT_STR(struct row, name) },
#define COL_U64_OF(name)  { #name, .role = COL_INFO, COL_AT_U64(struct row, name) },
#define COL_F64_OF(name)  { #name, .role = COL_INFO, COL_AT_F64(struct row, name) },
#define COL_BOOL_OF(name) { #name, .role = COL_INFO, COL_AT_BOOL(struct row, name) },
static const struct col cols[] = { COLUMNS(COL_STR_OF, COL_U64_OF, COL_F64_OF, COL_BOOL_OF) };
static const struct schema schema = { "trace", cols, NPLACES, offsetof(struct row, has) };

enum {
	HEAD = (HAS_protocol - 1) & ~UINT64_C(0),
	OUTCOME = HAS_result | HAS_error,
};
static const uint64_t columns[TRACE_KINDS] = {
	[TRACE_CONNECT] = HEAD | OUTCOME | HAS_latency_ms,
	[TRACE_ACCEPT] = HEAD | OUTCOME | HAS_latency_ms | HAS_by_listener,
	[TRACE_CLOSE] = HEAD | HAS_seconds | HAS_sent | HAS_received | HAS_retransmits |
			HAS_rtt_ms | HAS_how | HAS_error | HAS_existed | HAS_accepted,
	[TRACE_STATE] = HEAD | HAS_from | HAS_to,
	[TRACE_OPEN] = HEAD | HAS_to | HAS_existed,
	[TRACE_RETRANSMIT] =
		HEAD | HAS_reason | HAS_segment | HAS_retransmits | HAS_rtt_ms | HAS_to,
	[TRACE_RESET] = HEAD | HAS_how | HAS_reason | HAS_from,
	[TRACE_LISTEN] = HEAD | HAS_queue | HAS_room,
	[TRACE_BIND] = HEAD | HAS_protocol | OUTCOME,
	[TRACE_DROP] =
		HEAD | HAS_protocol | HAS_reason | HAS_place | HAS_length | HAS_packet | HAS_stack,
	[TRACE_DNS] = HEAD | HAS_protocol | HAS_name | HAS_type | HAS_result | HAS_answers |
		      HAS_latency_ms | HAS_asked,
	[TRACE_TLS] = HEAD | HAS_how | HAS_length | HAS_offset | HAS_text,
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

static void fill_head(struct row *r, struct texts *t, const struct trace_fmt *s,
		      const struct trace_head *h)
{
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, h->who.cgroup);

	snprintf(t->iface, sizeof(t->iface), "%.16s", (const char *)h->iface);
	trace_fmt_addr(&t->local, h, h->local, false);
	trace_fmt_addr(&t->remote, h, h->remote, false);
	r->time = (double)(s->epoch + h->time) / 1e9;
	r->event = trace_kind_names[h->kind];
	r->pid = h->who.pid;
	r->tid = h->who.tid;
	r->uid = h->who.uid;
	r->process = h->who.pid ? trace_comm(&h->who, t->comm) : NULL;
	r->container = c && *c->container ? c->container : NULL;
	r->cgroup = c ? c->name : NULL;
	r->cgroup_id = h->who.cgroup;
	r->netns = h->who.netns;
	r->interface = *t->iface ? t->iface : NULL;
	r->direction = h->flags & TRACE_INCOMING ? "in" : h->flags & TRACE_OUTGOING ? "out" : NULL;
	r->local = h->family ? text_of(&t->local) : NULL;
	r->local_port = h->lport;
	r->remote = h->family ? text_of(&t->remote) : NULL;
	r->remote_port = h->rport;
}

static double span(const struct trace_event *e, double unit)
{
	return e->detail.began ? (double)(e->head.time - e->detail.began) / unit : NAN;
}

static void fill_event(struct row *r, const struct trace_fmt *s, const struct trace_event *e)
{
	r->latency_ms = span(e, 1e6);
	r->seconds = span(e, 1e9);
	r->result = e->detail.error ? "failed" : "ok";
	r->error = err_name(e->detail.error);
	if (e->detail.error && !r->error)
		r->error = trace_fmt_error(e->detail.error);
	r->sent = e->detail.sent;
	r->segment = e->detail.sent;
	r->received = e->detail.received;
	r->retransmits = e->detail.retransmits;
	r->rtt_ms = e->detail.rtt_us / 1e3;
	r->from = e->detail.before ? trace_fmt_state(e->detail.before) : NULL;
	r->to = e->detail.after ? trace_fmt_state(e->detail.after) : NULL;
	r->existed = e->head.flags & TRACE_EXISTED;
	r->by_listener = e->head.flags & TRACE_BY_LISTENER;
	r->accepted = !(e->head.flags & TRACE_NOT_TAKEN);
	r->protocol = net_proto_name(e->head.proto);
	r->queue = e->detail.queue;
	r->room = e->detail.room;
	if (e->head.kind == TRACE_CLOSE)
		r->how = trace_fmt_how(e->detail.how).name;
	else if (e->head.kind == TRACE_RESET)
		r->how = e->head.flags & TRACE_SENT ? "sent" : "received";
	if (e->head.kind == TRACE_RETRANSMIT)
		r->reason = trace_fmt_retransmit(e->detail.how).name;
	else if (e->head.kind == TRACE_DROP || e->head.flags & TRACE_SENT)
		r->reason = trace_fmt_reason(s, e);
}

static void fill_drop(struct row *r, struct texts *t, struct trace_fmt *s,
		      const struct trace_packet *p)
{

	symbols_put(&s->symbols, p->event.detail.location, &t->place);
	r->place = text_of(&t->place);
	r->length = p->len;
	r->packet = trace_fmt_packet(s, p, &t->packet) ? text_of(&t->packet) : NULL;
	if (trace_fmt_stack(s, &p->event, "", " ", &t->stack)) {
		t->stack.len -= t->stack.len > 0; /* the last one's blank */
		r->stack = text_of(&t->stack);
	}
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

static int put_row(struct row *r, struct texts *t, uint8_t kind, struct sink *sink)
{
	int rc;

	r->has = columns[kind];
	if (!r->pid)
		r->has &= ~(uint64_t)(HAS_pid | HAS_cgroup_id);
	if (!r->tid) /* of a socket's maker just the process is known */
		r->has &= ~(uint64_t)(HAS_tid | HAS_uid);
	rc = sink_record(sink, &schema, r);
	buf_free(&t->local);
	buf_free(&t->remote);
	buf_free(&t->place);
	buf_free(&t->packet);
	buf_free(&t->stack);
	return rc;
}

int trace_show_dns_row(struct trace_fmt *s, const struct trace_dns *dns, struct sink *sink)
{
	const char *rcode = dns_rcode_name(dns->says.rcode), *type = dns_type_name(dns->says.type);
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
	return put_row(&r, &t, TRACE_DNS, sink);
}

int trace_show_row(struct trace_fmt *s, const struct trace_head *rec, struct sink *sink)
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
	return put_row(&r, &t, rec->kind, sink);
}
