/* SPDX-License-Identifier: MIT */
/* One line a record: when, what, who, between which ends, and what came of it. */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/trace/show.h"
#include "net/dissect/dissect.h"
#include "net/proto.h"
#include "out/page.h"
#include "out/scale.h"

enum { KIND_WIDTH = 10, WHO_WIDTH = 20 };

static void put_span(struct buf *out, uint64_t ns)
{
	scale_put(out, COL_NS, (double)ns);
}

static void put_bytes(struct buf *out, uint64_t n)
{
	scale_put(out, COL_BYTES, (double)n);
}

static void pad(struct buf *out, size_t from, size_t width)
{
	size_t n = out->len - from;

	buf_fill(out, ' ', n < width ? width - n : 1);
}

static void put_who(struct buf *out, const struct trace_fmt *s, const struct trace_who *w)
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
	pad(out, from, WHO_WIDTH);
}

static void put_end(struct buf *out, const struct trace_head *h, const uint8_t addr[16],
		    uint16_t iface)
{
	trace_fmt_addr(out, h, addr, true);
	buf_char(out, ':');
	if (iface)
		buf_u64(out, iface);
	else
		buf_char(out, '*');
}

/* From whoever began. Of a connection that never was, this side may have no address. */
static void put_ends(struct buf *out, const struct trace_head *h)
{
	static const uint8_t none[16];

	if (!memcmp(h->local, none, sizeof(none)) && !h->lport)
		buf_char(out, '*');
	else
		put_end(out, h, h->local, h->lport);
	buf_str(out, h->flags & TRACE_INCOMING ? " < " : h->flags & TRACE_OUTGOING ? " > " : " - ");
	put_end(out, h, h->remote, h->rport);
}

/* A name that users choose. */
static void put_iface(struct buf *out, const struct trace_head *h)
{
	char name[sizeof(h->iface) + 1];

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(h->iface), (const char *)h->iface);
	page_clean(out, name);
}

static void put_error(struct buf *out, int error)
{
	const char *name = err_name(error);

	buf_str(out, trace_fmt_error(error));
	if (name)
		buf_printf(out, " (%s)", name);
}

static void put_connect(struct buf *out, const struct trace_event *e)
{
	if (e->detail.error) {
		buf_str(out, "FAILED: ");
		put_error(out, e->detail.error);
		if (!e->detail.began)
			return;
		buf_str(out, " after ");
	}
	if (e->detail.began)
		put_span(out, e->head.time - e->detail.began);
	else
		buf_str(out, "since when, is not known");
}

static void put_accept(struct buf *out, const struct trace_event *e)
{
	if (e->detail.error) {
		buf_str(out, "FAILED: ");
		put_error(out, e->detail.error);
		return;
	}
	if (e->head.flags & TRACE_BY_LISTENER) {
		buf_str(out, "by whoever listens");
		return;
	}
	if (!e->detail.began) {
		buf_str(out, "for how long it waited, is not known");
		return;
	}
	buf_str(out, "waited ");
	put_span(out, e->head.time - e->detail.began);
}

static void put_rtt(struct buf *out, const struct trace_event *e)
{
	if (!e->detail.rtt_us)
		return;
	buf_str(out, ", rtt ");
	put_span(out, UINT64_C(1000) * e->detail.rtt_us);
}

static void put_close(struct buf *out, const struct trace_event *e)
{
	if (e->detail.began) {
		put_span(out, e->head.time - e->detail.began);
		buf_str(out, ", ");
	}
	buf_str(out, "sent ");
	put_bytes(out, e->detail.sent);
	buf_str(out, ", received ");
	put_bytes(out, e->detail.received);
	put_rtt(out, e);
	if (e->detail.retransmits) {
		buf_str(out, ", retransmits ");
		buf_u64(out, e->detail.retransmits);
	}
	buf_str(out, ", ");
	buf_str(out, trace_fmt_how(e->detail.how).words);
	if (e->detail.error) {
		buf_str(out, ": ");
		put_error(out, e->detail.error);
	}
	if (e->head.flags & TRACE_NOT_TAKEN)
		buf_str(out, ", never accepted");
}

static void put_bind(struct buf *out, const struct trace_event *e)
{
	const char *proto = net_proto_name(e->head.proto);

	if (proto)
		buf_str(out, proto);
	else
		buf_printf(out, "protocol %u", e->head.proto);
	if (!e->detail.error)
		return;
	buf_str(out, ", FAILED: ");
	put_error(out, e->detail.error);
}

static void put_retransmit(struct buf *out, const struct trace_event *e)
{
	buf_str(out, trace_fmt_retransmit(e->detail.how).words);
	if (e->detail.sent) {
		buf_str(out, ", ");
		put_bytes(out, e->detail.sent);
	}
	buf_str(out, ", number ");
	buf_u64(out, e->detail.retransmits);
	put_rtt(out, e);
	buf_str(out, ", ");
	buf_str(out, trace_fmt_state(e->detail.after));
}

static void put_reset(struct buf *out, const struct trace_fmt *s, const struct trace_event *e)
{
	const char *reason = trace_fmt_reason(s, e);

	buf_str(out, e->head.flags & TRACE_SENT ? "sent" : "received");
	if (e->detail.before) {
		buf_str(out, " in ");
		buf_str(out, trace_fmt_state(e->detail.before));
	}
	if (reason && e->head.flags & TRACE_SENT) {
		buf_str(out, ": ");
		buf_str(out, reason);
	}
}

/* The packet as capture shows it; below, where in the kernel it came by. */
static void put_drop(struct buf *out, struct trace_fmt *s, const struct trace_packet *p)
{
	const char *reason = trace_fmt_reason(s, &p->event);

	if (reason)
		buf_printf(out, "%s, ", reason);
	else if (p->event.detail.reason)
		buf_printf(out, "reason %u, ", p->event.detail.reason);
	buf_str(out, "at ");
	symbols_put(&s->symbols, p->event.detail.location, out);
	if (*p->event.head.iface) {
		buf_str(out, ", ");
		put_iface(out, &p->event.head);
	}
	buf_str(out, ": ");
	if (!trace_fmt_packet(s, p, out))
		buf_printf(out, "EtherType 0x%04x, length %u", p->type, p->len);
	buf_char(out, '\n');
	trace_fmt_stack(s, &p->event, "    ", "\n", out);
}

/* Its lines, a little to the right; what is not text is dots. */
static void put_text(struct buf *out, const struct trace_text *t)
{
	uint32_t n = t->head.bytes < TRACE_TEXT ? t->head.bytes : TRACE_TEXT;

	buf_str(out, t->head.flags & TRACE_SENT ? "sent " : "received ");
	put_bytes(out, t->total);
	if (t->from)
		buf_printf(out, ", from byte %u on", t->from);
	if (t->from + n < t->total && (n < TRACE_TEXT || t->from + n == TRACE_TEXT * TRACE_PIECES))
		buf_printf(out, ", cut behind %u", t->from + n);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = t->bytes[i];

		if (!i || t->bytes[i - 1] == '\n')
			buf_str(out, "\n    ");
		if (c != '\n' && !(c == '\r' && i + 1 < n && t->bytes[i + 1] == '\n'))
			buf_char(out, (c >= ' ' && c < 0x7f) || c == '\t' ? (char)c : '.');
	}
}

static void put_owner(struct buf *out, const struct trace_fmt *s, const struct trace_head *h)
{
	const struct trace_fmt_cgroup *c = trace_fmt_cgroup(s, h->who.cgroup);

	buf_str(out, " [");
	if (h->who.tid)
		buf_printf(out, "uid %u, thread %u, ", h->who.uid, h->who.tid);
	if (c) {
		buf_str(out, "cgroup ");
		page_clean(out, *c->name ? c->name : "/");
		buf_str(out, ", ");
	}
	if (*h->iface) {
		put_iface(out, h);
		buf_str(out, ", ");
	}
	buf_printf(out, "netns %u]", h->who.netns);
}

/* When, what, who. */
static void put_begin(struct buf *out, const struct trace_fmt *s, const struct trace_show_opts *o,
		      const struct trace_head *h)
{
	size_t from;

	if (!o->no_time)
		dissect_put_clock(out, s->epoch + h->time, o->utc_offset);
	from = out->len;
	buf_str(out, trace_kind_names[h->kind]);
	pad(out, from, KIND_WIDTH + 1);
	put_who(out, s, &h->who);
}

static void put_answer(struct buf *out, const struct trace_dns *dns)
{
	const char *rcode = dns_rcode_name(dns->says.rcode);

	if (!dns->answered) {
		buf_printf(out, "FAILED: no answer in %us", TRACE_DNS_PATIENCE_S);
	} else {
		if (dns->says.rcode)
			buf_str(out, "FAILED: ");
		if (rcode)
			buf_str(out, rcode);
		else
			buf_printf(out, "rcode %u", dns->says.rcode);
		if (*dns->says.answers)
			buf_printf(out, " %s", dns->says.answers);
		if (dns->says.truncated)
			buf_str(out, " (cut short)");
		if (dns->asked) {
			buf_str(out, " after ");
			put_span(out, dns->head.time - dns->asked);
		}
	}
	if (dns->times > 1)
		buf_printf(out, ", asked %u times", dns->times);
}

void trace_show_dns_line(struct trace_fmt *s, const struct trace_show_opts *o,
			 const struct trace_dns *dns, struct buf *out)
{
	const char *type = dns_type_name(dns->says.type);

	put_begin(out, s, o, &dns->head);
	put_ends(out, &dns->head);
	if (type)
		buf_printf(out, "  %s ", type);
	else
		buf_printf(out, "  type %u ", dns->says.type);
	buf_printf(out, "%s: ", *dns->says.name ? dns->says.name : "?");
	put_answer(out, dns);
	if (o->verbose)
		put_owner(out, s, &dns->head);
	buf_char(out, '\n');
}

void trace_show_line(struct trace_fmt *s, const struct trace_show_opts *o,
		     const struct trace_head *rec, struct buf *out)
{
	const struct trace_event *e = (const struct trace_event *)(const void *)rec;

	put_begin(out, s, o, rec);
	if (rec->kind == TRACE_DROP) {
		put_drop(out, s, (const struct trace_packet *)(const void *)rec);
		return;
	}
	if (rec->kind == TRACE_BIND)
		put_end(out, rec, rec->local, rec->lport);
	else if (rec->kind != TRACE_TLS)
		put_ends(out, rec);
	buf_str(out, rec->kind == TRACE_TLS ? "" : "  ");
	switch (rec->kind) {
	case TRACE_CONNECT:
		put_connect(out, e);
		break;
	case TRACE_ACCEPT:
		put_accept(out, e);
		break;
	case TRACE_CLOSE:
		put_close(out, e);
		break;
	case TRACE_STATE:
		buf_printf(out, "%s -> %s", trace_fmt_state(e->detail.before),
			   trace_fmt_state(e->detail.after));
		break;
	case TRACE_OPEN:
		buf_printf(out, "%s, was there before", trace_fmt_state(e->detail.after));
		break;
	case TRACE_RETRANSMIT:
		put_retransmit(out, e);
		break;
	case TRACE_RESET:
		put_reset(out, s, e);
		break;
	case TRACE_BIND:
		put_bind(out, e);
		break;
	case TRACE_TLS:
		put_text(out, (const struct trace_text *)(const void *)rec);
		break;
	case TRACE_LISTEN:
		buf_printf(out, "queue full: %u wait, %u may", e->detail.queue, e->detail.room);
		break;
	default:
		break;
	}
	if (o->verbose)
		put_owner(out, s, rec);
	buf_char(out, '\n');
}
