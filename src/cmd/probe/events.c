/* SPDX-License-Identifier: MIT */
/* One line a hit: when, who, where, with what, and what came of it. */
#include "cmd/probe/show.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/probe/format.h"
#include "net/dissect/dissect.h"
#include "out/page.h"
#include "out/scale.h"
#include "trace/trace.h"

int probe_show_open(struct probe_show *s, const struct probe *probe)
{
	s->probe = probe;
	s->epoch = clock_real() - clock_mono();
	symbols_open(&s->symbols);
	return users_open(&s->users);
}

void probe_show_close(struct probe_show *s)
{
	symbols_close(&s->symbols);
	users_close(&s->users);
	*s = (struct probe_show){ 0 };
}

static void put_text(struct buf *out, const uint8_t text[PROBE_TEXT])
{
	char copy[PROBE_TEXT + 1];

	snprintf(copy, sizeof(copy), "%.*s", PROBE_TEXT, (const char *)text);
	buf_char(out, '"');
	page_clean(out, copy);
	buf_char(out, '"');
}

/* An argument's text; NULL: it has none, or it could not be read. */
static const uint8_t *text_of(const struct target *t, const struct probe_hit *hit, uint8_t arg)
{
	for (int i = 0; i < PROBE_TEXTS; i++)
		if (t->strings[i] == arg + 1 && hit->read & 1u << i)
			return hit->text[i];
	return NULL;
}

static void put_args(const struct target *t, const struct probe_hit *hit, struct buf *out)
{
	/* Where it only returns nothing is known of them. */
	if (t->returns && !hit->ns)
		return;
	buf_char(out, '(');
	for (uint8_t i = 0; i < t->ntakes; i++) {
		const uint8_t *text = text_of(t, hit, i);

		buf_str(out, i ? ", " : "");
		if (*t->takes[i].name) {
			buf_str(out, t->takes[i].name);
			buf_char(out, '=');
		}
		if (text)
			put_text(out, text);
		else
			probe_fmt_number(&t->takes[i], hit->args[i], out);
	}
	buf_char(out, ')');
}

static void put_stack(struct probe_show *s, const struct probe_hit *hit, const char *before,
		      const char *behind, struct buf *out)
{
	probe_fmt_stack(s, hit->kernel, before, behind, out);
	probe_fmt_user(s, hit->user, hit->head.who.pid, hit->caller, before, behind, out);
}

void probe_show_line(struct probe_show *s, const struct probe_hit *hit, struct buf *out)
{
	const struct target *t = &s->probe->opts.targets[hit->probe];
	char comm[TRACE_COMM + 1];

	if (!s->no_time)
		dissect_put_clock(out, s->epoch + hit->head.time, s->utc_offset);
	page_clean(out, trace_comm(&hit->head.who, comm));
	buf_char(out, '/');
	buf_u64(out, hit->head.who.pid);
	buf_char(out, ' ');
	page_clean(out, t->text);
	put_args(t, hit, out);
	if (t->returns && t->value.kind != BTF_VALUE_VOID) {
		buf_str(out, " = ");
		probe_fmt_value(&t->value, hit->value, out);
	}
	if (hit->ns) {
		buf_char(out, ' ');
		scale_put(out, COL_NS, (double)hit->ns);
	}
	buf_char(out, '\n');
	put_stack(s, hit, "    ", "\n", out);
}

struct hit_row {
	double time;
	uint64_t pid, tid, uid, cgroup, ns;
	const char *event, *probe, *process, *args, *value, *error, *stack;
};

#define R struct hit_row
static const struct col hit_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "time", .role = COL_INFO, COL_AT_F64(R, time) },
	{ "probe", .role = COL_KEY, COL_AT_STR(R, probe) },
	{ "pid", .role = COL_KEY, COL_AT_U64(R, pid) },
	{ "tid", .role = COL_KEY, COL_AT_U64(R, tid) },
	{ "uid", .role = COL_KEY, COL_AT_U64(R, uid) },
	{ "cgroup_id", .role = COL_KEY, COL_AT_U64(R, cgroup) },
	{ "process", .role = COL_KEY, COL_AT_STR(R, process) },
	{ "arguments", .role = COL_INFO, COL_AT_STR(R, args) },
	{ "returned", .role = COL_INFO, COL_AT_STR(R, value) },
	{ "error", .role = COL_INFO, COL_AT_STR(R, error) },
	{ "latency_ns", .role = COL_GAUGE, COL_AT_U64(R, ns) },
	{ "stack", .role = COL_INFO, COL_AT_STR(R, stack) },
};
#undef R
static const struct schema hit_schema = { "probe_hit", hit_cols,
					  sizeof(hit_cols) / sizeof(*hit_cols), 0 };

int probe_show_row(struct probe_show *s, const struct probe_hit *hit, struct sink *sink)
{
	const struct target *t = &s->probe->opts.targets[hit->probe];
	struct buf args = { 0 }, value = { 0 }, stack = { 0 };
	char comm[TRACE_COMM + 1];
	struct hit_row row = {
		.time = (double)(s->epoch + hit->head.time) / 1e9,
		.pid = hit->head.who.pid,
		.tid = hit->head.who.tid,
		.uid = hit->head.who.uid,
		.cgroup = hit->head.who.cgroup,
		.ns = hit->ns,
		.event = "hit",
		.probe = t->text,
		.process = trace_comm(&hit->head.who, comm),
	};
	int rc;

	put_args(t, hit, &args);
	buf_char(&args, '\0');
	if (t->returns && t->value.kind != BTF_VALUE_VOID) {
		probe_fmt_number(&t->value, hit->value, &value);
		buf_char(&value, '\0');
		row.error = probe_fmt_error(&t->value, hit->value);
	}
	put_stack(s, hit, "", " ", &stack);
	if (stack.len)
		stack.data[stack.len - 1] = '\0';
	rc = args.nomem || value.nomem || stack.nomem ? -ENOMEM : 0;
	row.args = !rc && *args.data ? args.data : NULL;
	row.value = value.len ? value.data : NULL;
	row.stack = stack.len ? stack.data : NULL;
	if (!rc)
		rc = sink_record(sink, &hit_schema, &row);
	buf_free(&args);
	buf_free(&value);
	buf_free(&stack);
	return rc;
}
