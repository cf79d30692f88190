/* SPDX-License-Identifier: MIT */
/* JSON: columns that all kinds have, and those of each kind. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "cmd/trace/kinds.h"
#include "cmd/trace/show.h"
#include "net/proto.h"

/* One row with the columns of all kinds. */
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

#define INDEX(name) INDEX_##name,
enum { COLUMNS(INDEX, INDEX, INDEX, INDEX) NCOLUMNS };
#define BIT(name) HAS_##name = UINT64_C(1) << INDEX_##name,
enum { COLUMNS(BIT, BIT, BIT, BIT) };
_Static_assert(NCOLUMNS <= 64, "a bit for each");

#define COL_STR_OF(name)  { #name, .role = COL_INFO, COL_AT_STR(struct row, name) },
#define COL_U64_OF(name)  { #name, .role = COL_INFO, COL_AT_U64(struct row, name) },
#define COL_F64_OF(name)  { #name, .role = COL_INFO, COL_AT_F64(struct row, name) },
#define COL_BOOL_OF(name) { #name, .role = COL_INFO, COL_AT_BOOL(struct row, name) },
static const struct col cols[] = { COLUMNS(COL_STR_OF, COL_U64_OF, COL_F64_OF, COL_BOOL_OF) };
static const struct schema schema = { "trace", cols, NCOLUMNS, offsetof(struct row, has) };

enum {
	HEAD = (HAS_protocol - 1) & ~UINT64_C(0),
	OUTCOME = HAS_result | HAS_error,
};
#define COLUMNS_OF(kind, line, row, name, about, columns) [TRACE_##kind] = HEAD | (columns),
static const uint64_t columns[TRACE_KINDS] = { TRACE_KIND_LIST(COLUMNS_OF) };
#undef COLUMNS_OF

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
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, h->proc.cgroup);

	snprintf(t->iface, sizeof(t->iface), "%.16s", (const char *)h->iface);
	trace_fmt_addr(&t->local, h, h->local, false);
	trace_fmt_addr(&t->remote, h, h->remote, false);
	r->time = (double)(s->epoch + h->time) / 1e9;
	r->event = trace_kind_names[h->kind];
	r->pid = h->proc.pid;
	r->tid = h->proc.tid;
	r->uid = h->proc.uid;
	r->process = h->proc.pid ? trace_comm(&h->proc, t->comm) : NULL;
	r->container = c && *c->container ? c->container : NULL;
	r->cgroup = c ? c->name : NULL;
	r->cgroup_id = h->proc.cgroup;
	r->netns = h->proc.netns;
	r->interface = *t->iface ? t->iface : NULL;
	r->direction = h->flags & TRACE_INCOMING ? "in" : h->flags & TRACE_OUTGOING ? "out" : NULL;
	r->local = h->family ? text_of(&t->local) : NULL;
	r->local_port = h->lport;
	r->remote = h->family ? text_of(&t->remote) : NULL;
	r->remote_port = h->rport;
}

static double duration_of(const struct trace_event *e, double unit)
{
	return e->detail.start_ns ? (double)(e->head.time - e->detail.start_ns) / unit : NAN;
}

static const struct trace_event *event_of(const struct trace_head *rec)
{
	return (const struct trace_event *)(const void *)rec;
}

static void fill_event(struct row *r, struct texts *t, struct trace_fmt *s,
		       const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	(void)t;
	(void)s;
	r->latency_ms = duration_of(e, 1e6);
	r->seconds = duration_of(e, 1e9);
	r->result = e->detail.error ? "failed" : "ok";
	r->error = err_name(e->detail.error);
	if (e->detail.error && !r->error)
		r->error = trace_fmt_error(e->detail.error);
	r->sent = e->detail.sent;
	r->segment = e->detail.sent;
	r->received = e->detail.received;
	r->retransmits = e->detail.retransmits;
	r->rtt_ms = e->detail.rtt_us / 1e3;
	r->from = e->detail.old_state ? trace_fmt_state(e->detail.old_state) : NULL;
	r->to = e->detail.new_state ? trace_fmt_state(e->detail.new_state) : NULL;
	r->existed = rec->flags & TRACE_EXISTED;
	r->by_listener = rec->flags & TRACE_BY_LISTENER;
	r->accepted = !(rec->flags & TRACE_NOT_ACCEPTED);
	r->protocol = net_proto_name(rec->proto);
	r->queue = e->detail.queue_len;
	r->room = e->detail.queue_max;
}

static void fill_close(struct row *r, struct texts *t, struct trace_fmt *s,
		       const struct trace_head *rec)
{
	fill_event(r, t, s, rec);
	r->how = trace_fmt_end(event_of(rec)->detail.cause).name;
}

static void fill_retransmit(struct row *r, struct texts *t, struct trace_fmt *s,
			    const struct trace_head *rec)
{
	fill_event(r, t, s, rec);
	r->reason = trace_fmt_retransmit(event_of(rec)->detail.cause).name;
}

static void fill_reset(struct row *r, struct texts *t, struct trace_fmt *s,
		       const struct trace_head *rec)
{
	fill_event(r, t, s, rec);
	r->how = rec->flags & TRACE_SENT ? "sent" : "received";
	if (rec->flags & TRACE_SENT)
		r->reason = trace_fmt_reason(s, event_of(rec));
}

static void fill_drop(struct row *r, struct texts *t, struct trace_fmt *s,
		      const struct trace_head *rec)
{
	const struct trace_packet *p = (const struct trace_packet *)(const void *)rec;

	fill_event(r, t, s, rec);
	r->reason = trace_fmt_reason(s, &p->event);
	symbols_append(&s->symbols, p->event.detail.location, &t->place);
	r->place = text_of(&t->place);
	r->length = p->len;
	r->packet = trace_fmt_packet(s, p, &t->packet) ? text_of(&t->packet) : NULL;
	if (trace_fmt_stack(s, &p->event, "", " ", &t->stack)) {
		t->stack.len -= t->stack.len > 0; /* the last separator */
		r->stack = text_of(&t->stack);
	}
}

/* Replaces NUL, which sinks take for the end of a string. */
static void fill_text(struct row *r, struct texts *t, struct trace_fmt *s,
		      const struct trace_head *rec)
{
	const struct trace_text *text = (const struct trace_text *)(const void *)rec;
	uint32_t n = rec->bytes < TRACE_TEXT ? rec->bytes : TRACE_TEXT;

	(void)s;
	for (uint32_t i = 0; i < n; i++)
		buf_char(&t->packet, text->bytes[i] ? (char)text->bytes[i] : '.');
	r->text = text_of(&t->packet);
	r->length = text->total;
	r->offset = text->offset;
	r->how = rec->flags & TRACE_SENT ? "sent" : "received";
}

static int write_row(struct row *r, struct texts *t, uint8_t kind, struct sink *sink)
{
	int rc;

	r->has = columns[kind];
	if (!r->pid)
		r->has &= ~(uint64_t)(HAS_pid | HAS_cgroup_id);
	if (!r->tid) /* of a socket's creator only the process is known */
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
	const char *rcode = dns_rcode_name(dns->msg.rcode), *type = dns_type_name(dns->msg.type);
	char rcode_number[16], type_number[16];
	struct texts t = { 0 };
	struct row r = { 0 };

	snprintf(rcode_number, sizeof(rcode_number), "rcode %u", dns->msg.rcode);
	snprintf(type_number, sizeof(type_number), "type %u", dns->msg.type);
	fill_head(&r, &t, s, &dns->head);
	r.protocol = net_proto_name(dns->head.proto);
	r.name = dns->msg.name;
	r.type = type ? type : type_number;
	r.result = !dns->answered ? "no answer" : rcode ? rcode : rcode_number;
	r.answers = *dns->msg.answers ? dns->msg.answers : NULL;
	r.latency_ms = dns->query_ns ? (double)(dns->head.time - dns->query_ns) / 1e6 : NAN;
	r.asked = dns->queries;
	return write_row(&r, &t, TRACE_DNS, sink);
}

/* clang-format off */
#define fill_none(r, t, s, rec)
#define FILL(kind, line, row, name, about, columns) \
	case TRACE_##kind: fill_##row(&r, &t, s, rec); break;
/* clang-format on */

int trace_show_row(struct trace_fmt *s, const struct trace_head *rec, struct sink *sink)
{
	struct texts t = { 0 };
	struct row r = { 0 };

	fill_head(&r, &t, s, rec);
	switch (rec->kind) {
		TRACE_KIND_LIST(FILL)
	}
	return write_row(&r, &t, rec->kind, sink);
}
