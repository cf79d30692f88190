/* SPDX-License-Identifier: MIT */
/* Formats one line per event: time, kind, process, endpoints and outcome. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/trace/kinds.h"
#include "cmd/trace/show.h"
#include "net/dissect/dissect.h"
#include "net/proto.h"
#include "out/color.h"
#include "out/page.h"
#include "out/scale.h"

enum { KIND_WIDTH = 10, WHO_WIDTH = 20 };

static void append_duration(struct buf *out, uint64_t ns)
{
	scale_put(out, COL_NS, (double)ns);
}

static void append_bytes(struct buf *out, uint64_t n)
{
	scale_put(out, COL_BYTES, (double)n);
}

static void pad_to(struct buf *out, size_t from, size_t width)
{
	size_t n = out->len - from;

	buf_fill(out, ' ', n < width ? width - n : 1);
}

static void append_who(struct buf *out, const struct trace_fmt *s, const struct trace_proc *w)
{
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, w->cgroup);
	char comm[TRACE_COMM + 1];
	size_t from = out->len;

	if (w->pid) {
		page_clean(out, trace_comm(w, comm));
		buf_char(out, '/');
		buf_u64(out, w->pid);
		if (c && *c->container) {
			buf_char(out, '@');
			buf_str(out, c->container);
		}
	} else {
		buf_char(out, '-');
	}
	pad_to(out, from, WHO_WIDTH);
}

static void append_end(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		       uint16_t iface)
{
	trace_fmt_addr(out, h, addr, true);
	buf_char(out, ':');
	if (iface)
		buf_u64(out, iface);
	else
		buf_char(out, '*');
}

/* The arrow points away from the side that initiated the connection. A failed one may have no local
 * address. */
static void append_ends(struct buf *out, const struct trace_head *h)
{
	static const uint8_t none[16];

	if (!memcmp(h->local, none, sizeof(none)) && !h->lport)
		buf_char(out, '*');
	else
		append_end(out, h, h->local, h->lport);
	buf_str(out, h->flags & TRACE_INCOMING ? " < " : h->flags & TRACE_OUTGOING ? " > " : " - ");
	append_end(out, h, h->remote, h->rport);
	buf_str(out, "  ");
}

/* Cleans the name, which users choose. */
static void append_iface(struct buf *out, const struct trace_head *h)
{
	char name[sizeof(h->iface) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(h->iface), (const char *)h->iface);
	page_clean(out, name);
}

static void append_error(struct buf *out, int error)
{
	const char *name = err_name(error);

	buf_str(out, trace_fmt_error(error));
	if (name)
		buf_printf(out, " (%s)", name);
}

/* Starts the color of failures on a terminal. */
static void start_bad(struct buf *out, const struct trace_fmt *s)
{
	if (s->colors)
		color_start(out, COLOR_BAD);
}

static void end_bad(struct buf *out, const struct trace_fmt *s)
{
	if (s->colors)
		color_end(out);
}

static void append_failure(struct buf *out, const struct trace_fmt *s, int error)
{
	start_bad(out, s);
	buf_str(out, "FAILED: ");
	append_error(out, error);
	end_bad(out, s);
}

static const struct trace_event *event_of(const struct trace_head *rec)
{
	return (const struct trace_event *)(const void *)rec;
}

static void append_connect(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	append_ends(out, rec);
	if (e->detail.error) {
		append_failure(out, s, e->detail.error);
		if (!e->detail.start_ns)
			return;
		buf_str(out, " after ");
	}
	if (e->detail.start_ns)
		append_duration(out, e->head.time - e->detail.start_ns);
	else
		buf_str(out, "start unknown");
}

static void append_accept(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	append_ends(out, rec);
	if (e->detail.error) {
		append_failure(out, s, e->detail.error);
		return;
	}
	if (e->head.flags & TRACE_BY_LISTENER) {
		buf_str(out, "attributed to the listener");
		return;
	}
	if (!e->detail.start_ns) {
		buf_str(out, "waiting time unknown");
		return;
	}
	buf_str(out, "waited ");
	append_duration(out, e->head.time - e->detail.start_ns);
}

static void append_rtt(struct buf *out, const struct trace_event *e)
{
	if (!e->detail.rtt_us)
		return;
	buf_str(out, ", rtt ");
	append_duration(out, UINT64_C(1000) * e->detail.rtt_us);
}

static void append_close(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	append_ends(out, rec);
	if (e->detail.start_ns) {
		append_duration(out, e->head.time - e->detail.start_ns);
		buf_str(out, ", ");
	}
	buf_str(out, "sent ");
	append_bytes(out, e->detail.sent);
	buf_str(out, ", received ");
	append_bytes(out, e->detail.received);
	append_rtt(out, e);
	if (e->detail.retransmits) {
		buf_str(out, ", retransmits ");
		buf_u64(out, e->detail.retransmits);
	}
	buf_str(out, ", ");
	if (e->detail.error)
		start_bad(out, s);
	buf_str(out, trace_fmt_end(e->detail.cause).words);
	if (e->detail.error) {
		buf_str(out, ": ");
		append_error(out, e->detail.error);
		end_bad(out, s);
	}
	if (e->head.flags & TRACE_NOT_ACCEPTED)
		buf_str(out, ", never accepted");
}

static void append_bind(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);
	const char *proto = net_proto_name(rec->proto);

	append_end(out, rec, rec->local, rec->lport);
	buf_str(out, "  ");
	if (proto)
		buf_str(out, proto);
	else
		buf_printf(out, "protocol %u", rec->proto);
	if (!e->detail.error)
		return;
	buf_str(out, ", ");
	append_failure(out, s, e->detail.error);
}

static void append_state(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	(void)s;
	append_ends(out, rec);
	buf_printf(out, "%s -> %s", trace_fmt_state(e->detail.old_state),
		   trace_fmt_state(e->detail.new_state));
}

static void append_open(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	(void)s;
	append_ends(out, rec);
	buf_printf(out, "%s, existed before", trace_fmt_state(event_of(rec)->detail.new_state));
}

static void append_listen(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_detail *d = &event_of(rec)->detail;

	(void)s;
	append_ends(out, rec);
	buf_printf(out, "queue full: %u waiting, limit %u", d->queue_len, d->queue_max);
}

static void append_retransmit(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);

	(void)s;
	append_ends(out, rec);
	buf_str(out, trace_fmt_retransmit(e->detail.cause).words);
	if (e->detail.sent) {
		buf_str(out, ", ");
		append_bytes(out, e->detail.sent);
	}
	buf_str(out, ", number ");
	buf_u64(out, e->detail.retransmits);
	append_rtt(out, e);
	buf_str(out, ", ");
	buf_str(out, trace_fmt_state(e->detail.new_state));
}

static void append_reset(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_event *e = event_of(rec);
	const char *reason = trace_fmt_reason(s, e);

	append_ends(out, rec);
	buf_str(out, e->head.flags & TRACE_SENT ? "sent" : "received");
	if (e->detail.old_state) {
		buf_str(out, " in ");
		buf_str(out, trace_fmt_state(e->detail.old_state));
	}
	if (reason && e->head.flags & TRACE_SENT) {
		buf_str(out, ": ");
		buf_str(out, reason);
	}
}

static void append_drop(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_packet *p = (const struct trace_packet *)(const void *)rec;
	const char *reason = trace_fmt_reason(s, &p->event);

	if (reason)
		buf_printf(out, "%s, ", reason);
	else if (p->event.detail.reason)
		buf_printf(out, "reason %u, ", p->event.detail.reason);
	buf_str(out, "at ");
	symbols_append(&s->symbols, p->event.detail.location, out);
	if (*p->event.head.iface) {
		buf_str(out, ", ");
		append_iface(out, &p->event.head);
	}
	buf_str(out, ": ");
	if (!trace_fmt_packet(s, p, out))
		buf_printf(out, "EtherType 0x%04x, length %u", p->type, p->len);
}

/* Indents each line of the text; shows other bytes as dots. */
static void append_text(struct buf *out, struct trace_fmt *s, const struct trace_head *rec)
{
	const struct trace_text *t = (const struct trace_text *)(const void *)rec;
	uint32_t n = t->head.bytes < TRACE_TEXT ? t->head.bytes : TRACE_TEXT;

	(void)s;
	buf_str(out, t->head.flags & TRACE_SENT ? "sent " : "received ");
	append_bytes(out, t->total);
	if (t->offset)
		buf_printf(out, ", from byte %u", t->offset);
	if (t->offset + n < t->total &&
	    (n < TRACE_TEXT || t->offset + n == TRACE_TEXT * TRACE_PIECES))
		buf_printf(out, ", cut at %u", t->offset + n);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = t->bytes[i];

		if (!i || t->bytes[i - 1] == '\n')
			buf_str(out, "\n    ");
		if (c != '\n' && !(c == '\r' && i + 1 < n && t->bytes[i + 1] == '\n'))
			buf_char(out, (c >= ' ' && c < 0x7f) || c == '\t' ? (char)c : '.');
	}
}

static void append_verbose(struct buf *out, const struct trace_fmt *s, const struct trace_head *h)
{
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, h->proc.cgroup);

	buf_str(out, " [");
	if (h->proc.tid)
		buf_printf(out, "uid %u, thread %u, ", h->proc.uid, h->proc.tid);
	if (c) {
		buf_str(out, "cgroup ");
		page_clean(out, *c->name ? c->name : "/");
		buf_str(out, ", ");
	}
	if (*h->iface) {
		append_iface(out, h);
		buf_str(out, ", ");
	}
	buf_printf(out, "netns %u]", h->proc.netns);
}

/* Appends time, kind and process. */
static void append_begin(struct buf *out, const struct trace_fmt *s,
			 const struct trace_show_opts *o, const struct trace_head *h)
{
	size_t from;

	if (!o->no_time)
		dissect_put_clock(out, s->epoch + h->time, o->utc_offset);
	if (h->kind == TRACE_DROP)
		start_bad(out, s);
	from = out->len;
	buf_str(out, trace_kind_names[h->kind]);
	pad_to(out, from, KIND_WIDTH + 1);
	if (h->kind == TRACE_DROP)
		end_bad(out, s);
	append_who(out, s, &h->proc);
}

/* Appends the result of a query, such as NoError or FAILED: NXDomain. */
static void append_result(struct buf *out, const struct trace_fmt *s, const struct trace_dns *dns)
{
	const char *rcode = dns_rcode_name(dns->msg.rcode);
	bool failed = !dns->answered || dns->msg.rcode;

	if (failed) {
		start_bad(out, s);
		buf_str(out, "FAILED: ");
	}
	if (!dns->answered)
		buf_printf(out, "no answer in %us", TRACE_DNS_TIMEOUT_S);
	else if (rcode)
		buf_str(out, rcode);
	else
		buf_printf(out, "rcode %u", dns->msg.rcode);
	if (failed)
		end_bad(out, s);
}

static void append_answer(struct buf *out, const struct trace_fmt *s, const struct trace_dns *dns)
{
	append_result(out, s, dns);
	if (dns->answered) {
		if (*dns->msg.answers)
			buf_printf(out, " %s", dns->msg.answers);
		if (dns->msg.truncated)
			buf_str(out, " (truncated)");
		if (dns->query_ns) {
			buf_str(out, " after ");
			append_duration(out, dns->head.time - dns->query_ns);
		}
	}
	if (dns->queries > 1)
		buf_printf(out, ", sent %u times", dns->queries);
}

void trace_show_dns_line(struct trace_fmt *s, const struct trace_show_opts *o,
			 const struct trace_dns *dns, struct buf *out)
{
	const char *type = dns_type_name(dns->msg.type);

	append_begin(out, s, o, &dns->head);
	append_ends(out, &dns->head);
	if (type)
		buf_printf(out, "%s ", type);
	else
		buf_printf(out, "type %u ", dns->msg.type);
	buf_printf(out, "%s: ", *dns->msg.name ? dns->msg.name : "?");
	append_answer(out, s, dns);
	if (o->verbose)
		append_verbose(out, s, &dns->head);
	buf_char(out, '\n');
}

/* clang-format off */
#define append_none(out, s, rec)
#define APPEND(kind, line, row, name, about, columns) \
	case TRACE_##kind: append_##line(out, s, rec); break;
/* clang-format on */

void trace_show_line(struct trace_fmt *s, const struct trace_show_opts *o,
		     const struct trace_head *rec, struct buf *out)
{
	append_begin(out, s, o, rec);
	switch (rec->kind) {
		TRACE_KIND_LIST(APPEND)
	}
	if (o->verbose && rec->kind != TRACE_DROP)
		append_verbose(out, s, rec);
	buf_char(out, '\n');
	if (rec->kind == TRACE_DROP)
		trace_fmt_stack(s, event_of(rec), "    ", "\n", out);
}
