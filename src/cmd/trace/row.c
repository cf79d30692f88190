/* SPDX-License-Identifier: MIT */
/* JSON objects of events: one table of columns, of which each kind uses some. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/split.h"
#include "cmd/trace/kinds.h"
#include "cmd/trace/show.h"
#include "net/proto.h"

/* The columns of all kinds. */
/* clang-format off */
#define COLUMNS(COL) \
	COL(TIME, time) COL(U64, pid) COL(U64, tid) COL(STR, process) COL(U64, uid) \
	COL(STR, container) COL(STR, cgroup) COL(U64, cgroup_id) COL(U64, netns) \
	COL(STR, interface) COL(STR, direction) COL(STR, local) COL(U64, local_port) \
	COL(STR, remote) COL(U64, remote_port) COL(STR, protocol) \
	COL(U64, protocol_number) COL(STR, name) COL(STR, type) COL(U64, type_number) \
	COL(STR, result) COL(U64, rcode) COL(STR, error) COL(STRS, answers) \
	COL(BOOL, truncated) COL(U64, queries) COL(NS, latency_seconds) \
	COL(NS, duration_seconds) COL(BYTES, sent_bytes) COL(BYTES, received_bytes) \
	COL(STR, state) COL(STR, old_state) COL(STR, new_state) COL(STR, how) \
	COL(STR, reason) COL(BYTES, segment_bytes) COL(U64, retransmits) \
	COL(NS, rtt_seconds) COL(BOOL, existed) COL(BOOL, by_listener) \
	COL(BOOL, accepted) COL(U64, queue_length) COL(U64, queue_limit) \
	COL(STR, location) COL(BYTES, length_bytes) COL(BYTES, offset_bytes) \
	COL(STR, text) COL(STR, packet) COL(STRS, stack)
/* clang-format on */

#define MEMBER_STR         const char *
#define MEMBER_TIME        uint64_t
#define MEMBER_U64         uint64_t
#define MEMBER_NS          uint64_t
#define MEMBER_BYTES       uint64_t
#define MEMBER_BOOL        bool
#define MEMBER_STRS        struct col_list
#define MEMBER(kind, name) MEMBER_##kind name;
struct row {
	COLUMNS(MEMBER)
};

#define INDEX(kind, name) INDEX_##name,
enum { COLUMNS(INDEX) NCOLUMNS };
#define BIT(kind, name) HAS_##name = UINT64_C(1) << INDEX_##name,
enum { COLUMNS(BIT) };
_Static_assert(NCOLUMNS <= 64, "a bit for each");

#define VALUE_STR(name)    COL_AT_STR(struct row, name)
#define VALUE_TIME(name)   COL_AT_TIME(struct row, name)
#define VALUE_U64(name)    COL_AT_U64(struct row, name)
#define VALUE_NS(name)     .unit = COL_NS, COL_AT_U64(struct row, name)
#define VALUE_BYTES(name)  .unit = COL_BYTES, COL_AT_U64(struct row, name)
#define VALUE_BOOL(name)   COL_AT_BOOL(struct row, name)
#define VALUE_STRS(name)   COL_AT_STRS(struct row, name)
#define COLUMN(kind, name) { #name, .role = COL_INFO, VALUE_##kind(name) },
static const struct col cols[] = { COLUMNS(COLUMN) };

/* Columns of several kinds. */
enum {
	CALLER = HAS_tid | HAS_uid,
	OWNER = HAS_time | HAS_pid | CALLER | HAS_process | HAS_container | HAS_cgroup |
		HAS_cgroup_id | HAS_netns,
	LOCAL = HAS_local | HAS_local_port,
	HEAD = OWNER | HAS_interface | HAS_direction | LOCAL | HAS_remote | HAS_remote_port,
	PROTOCOL = HAS_protocol | HAS_protocol_number,
	OUTCOME = HAS_result | HAS_error,
};

#define SCHEMA_OF(kind, line, row, name, about, columns) \
	[TRACE_##kind] = { name, cols, NCOLUMNS, columns },
static const struct schema schemas[TRACE_KINDS] = { TRACE_KIND_LIST(SCHEMA_OF) };
#define RECORD_OF(kind, line, row, name, about, columns) &schemas[TRACE_##kind],
const struct schema *const trace_records[] = {
	TRACE_KIND_LIST(RECORD_OF) & trace_summary_schema,
	&trace_drops_schema,
	NULL,
};

/* Members that are not filled in are unknown. */
#define UNKNOWN_STR   NULL
#define UNKNOWN_TIME  0
#define UNKNOWN_U64   COL_UNKNOWN
#define UNKNOWN_NS    COL_UNKNOWN
#define UNKNOWN_BYTES COL_UNKNOWN
#define UNKNOWN_BOOL  false
#define UNKNOWN_STRS \
	{            \
		0    \
	}
#define UNKNOWN(kind, name) .name = UNKNOWN_##kind,
static const struct row unknown_row = { COLUMNS(UNKNOWN) };

/* Further texts that a row points to, besides the buffers. */
struct texts {
	char comm[TRACE_COMM + 1], iface[17];
	const char *frames[TRACE_FRAMES], *answers[TRACE_FRAMES];
};

static const char *end_text(struct buf *b)
{
	buf_char(b, '\0');
	return b->nomem ? NULL : b->data;
}

/* Returns NULL if neither address nor port is known. */
static const char *fill_address(struct buf *b, const struct trace_head *h, const uint8_t addr[16],
				uint16_t port)
{
	static const uint8_t none[16];

	if (!h->family || (!port && !memcmp(addr, none, sizeof(none))))
		return NULL;
	trace_fmt_addr(b, h, addr, false);
	return end_text(b);
}

static void fill_owner(struct row *r, struct texts *t, const struct trace_fmt *s,
		       const struct trace_head *h)
{
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, h->proc.cgroup);

	r->time = s->epoch + h->time;
	r->pid = col_known(h->proc.pid);
	r->process = h->proc.pid ? trace_comm(&h->proc, t->comm) : NULL;
	r->container = c && *c->container ? c->container : NULL;
	r->cgroup = !c ? NULL : *c->name ? c->name : "/";
	r->cgroup_id = col_known(h->proc.cgroup);
	r->netns = col_known(h->proc.netns);
	/* only the creating process of a socket is known, not the thread */
	if (!h->proc.tid)
		return;
	r->tid = h->proc.tid;
	r->uid = h->proc.uid;
}

static void fill_head(struct row *r, struct texts *t, struct trace_fmt *s,
		      const struct trace_head *h)
{
	for (size_t i = 0; i < TRACE_FMT_TEXTS; i++)
		buf_clear(&s->texts[i]);
	fill_owner(r, t, s, h);
	snprintf(t->iface, sizeof(t->iface), "%.16s", (const char *)h->iface);
	r->interface = *t->iface ? t->iface : NULL;
	r->direction = h->flags & TRACE_INCOMING ? "in" : h->flags & TRACE_OUTGOING ? "out" : NULL;
	r->local = fill_address(&s->texts[0], h, h->local, h->lport);
	r->local_port = col_known(h->lport);
	r->remote = fill_address(&s->texts[1], h, h->remote, h->rport);
	r->remote_port = col_known(h->rport);
	if (h->proto)
		r->protocol_number = h->proto;
	r->protocol = h->proto ? net_proto_name(h->proto) : NULL;
}

static const struct trace_event *event_of(const struct trace_head *rec)
{
	return (const struct trace_event *)(const void *)rec;
}

static void fill_event(struct row *r, struct texts *t, struct trace_fmt *s,
		       const struct trace_head *rec)
{
	const struct trace_detail *d = &event_of(rec)->detail;

	(void)t;
	(void)s;
	r->latency_seconds = d->start_ns ? rec->time - d->start_ns : COL_UNKNOWN;
	r->duration_seconds = r->latency_seconds;
	if (rec->flags & TRACE_BY_LISTENER)
		r->latency_seconds = COL_UNKNOWN; /* no process accepted it yet */
	r->result = d->error ? "failed" : "ok";
	r->error = err_name(d->error);
	if (d->error && !r->error)
		r->error = trace_fmt_error(d->error);
	r->sent_bytes = d->sent;
	r->received_bytes = d->received;
	r->segment_bytes = col_known(d->sent);
	r->retransmits = d->retransmits;
	r->rtt_seconds = d->rtt_us ? UINT64_C(1000) * d->rtt_us : COL_UNKNOWN;
	r->old_state = d->old_state ? trace_fmt_state(d->old_state) : NULL;
	r->new_state = d->new_state ? trace_fmt_state(d->new_state) : NULL;
	r->state = r->new_state ? r->new_state : r->old_state;
	r->existed = rec->flags & TRACE_EXISTED;
	r->by_listener = rec->flags & TRACE_BY_LISTENER;
	r->accepted = !(rec->flags & TRACE_NOT_ACCEPTED);
	r->queue_length = d->queue_len;
	r->queue_limit = d->queue_max;
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
	char *stack;

	fill_event(r, t, s, rec);
	r->reason = trace_fmt_reason(s, &p->event);
	symbols_append(&s->symbols, p->event.detail.location, &s->texts[2]);
	r->location = end_text(&s->texts[2]);
	r->length_bytes = p->len;
	r->packet = trace_fmt_packet(s, p, &s->texts[3]) ? end_text(&s->texts[3]) : NULL;
	if (!trace_fmt_stack(s, &p->event, "", "\n", &s->texts[4]))
		return;
	stack = (char *)(uintptr_t)end_text(&s->texts[4]);
	if (stack)
		r->stack.n = split_text(stack, "\n", t->frames, TRACE_FRAMES);
	r->stack.at = stack ? t->frames : NULL;
}

/* Replaces NUL, at which sinks end a string. */
static void fill_text(struct row *r, struct texts *t, struct trace_fmt *s,
		      const struct trace_head *rec)
{
	const struct trace_text *text = (const struct trace_text *)(const void *)rec;
	uint32_t n = rec->bytes < TRACE_TEXT ? rec->bytes : TRACE_TEXT;

	(void)t;
	for (uint32_t i = 0; i < n; i++)
		buf_char(&s->texts[2], text->bytes[i] ? (char)text->bytes[i] : '.');
	r->text = end_text(&s->texts[2]);
	r->length_bytes = text->total;
	r->offset_bytes = text->offset;
	r->how = rec->flags & TRACE_SENT ? "sent" : "received";
}

static int write_row(struct row *r, struct trace_fmt *s, uint8_t kind, struct sink *sink)
{
	for (size_t i = 0; i < TRACE_FMT_TEXTS; i++)
		if (s->texts[i].nomem)
			return -ENOMEM;
	return sink_record(sink, &schemas[kind], r);
}

/* The summary's text ends with "..." if it was truncated. */
static void fill_answers(struct row *r, struct texts *t, struct buf *text, const char *answers)
{
	char *all;

	buf_str(text, answers);
	all = (char *)(uintptr_t)end_text(text);
	if (!all)
		return;
	r->answers =
		(struct col_list){ t->answers, split_text(all, ", ", t->answers, TRACE_FRAMES), 0 };
	if (r->answers.n && !strcmp(t->answers[r->answers.n - 1], "...")) {
		r->answers.n--;
		r->truncated = true;
	}
}

int trace_show_dns_row(struct trace_fmt *s, const struct trace_dns *dns, struct sink *sink)
{
	struct row r = unknown_row;
	struct texts t;

	fill_head(&r, &t, s, &dns->head);
	r.name = *dns->msg.name ? dns->msg.name : NULL;
	r.type = dns_type_name(dns->msg.type);
	r.type_number = col_known(dns->msg.type);
	r.result = "no answer";
	r.truncated = dns->msg.truncated;
	if (dns->answered) {
		r.result = dns_rcode_name(dns->msg.rcode);
		r.rcode = dns->msg.rcode;
		fill_answers(&r, &t, &s->texts[2], dns->msg.answers);
	}
	if (dns->query_ns)
		r.latency_seconds = dns->head.time - dns->query_ns;
	r.queries = col_known(dns->queries);
	return write_row(&r, s, TRACE_DNS, sink);
}

/* clang-format off */
#define fill_none(r, t, s, rec)
#define FILL(kind, line, row, name, about, columns) \
	case TRACE_##kind: fill_##row(&r, &t, s, rec); break;
/* clang-format on */

int trace_show_row(struct trace_fmt *s, const struct trace_head *rec, struct sink *sink)
{
	struct row r = unknown_row;
	struct texts t;

	fill_head(&r, &t, s, rec);
	switch (rec->kind) {
		TRACE_KIND_LIST(FILL)
	}
	return write_row(&r, s, rec->kind, sink);
}
