/* SPDX-License-Identifier: MIT */
/* Formats hits as lines or JSON objects: time, process, probe, arguments and outcome. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
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
	for (size_t i = 0; i < PROBE_SHOW_TEXTS; i++)
		buf_free(&s->texts[i]);
	*s = (struct probe_show){ 0 };
}

static void append_string(struct buf *out, const uint8_t text[PROBE_TEXT])
{
	char copy[PROBE_TEXT + 1];

	snprintf(copy, sizeof(copy), "%.*s", PROBE_TEXT, (const char *)text);
	buf_char(out, '"');
	page_clean(out, copy);
	buf_char(out, '"');
}

/* Returns an argument's string; NULL: it has none, or it could not be read. */
static const uint8_t *find_string(const struct target *t, const struct probe_hit *hit, uint8_t arg)
{
	for (int i = 0; i < PROBE_TEXTS; i++)
		if (t->text_args[i] == arg + 1 && hit->texts_read & 1u << i)
			return hit->text[i];
	return NULL;
}

/* Returns false for a return whose call was not seen. */
static bool has_arguments(const struct target *t, const struct probe_hit *hit)
{
	return !t->returns || hit->duration_ns;
}

static void append_arguments(const struct target *t, const struct probe_hit *hit, struct buf *out)
{
	if (!has_arguments(t, hit))
		return;
	buf_char(out, '(');
	for (uint8_t i = 0; i < t->nargs; i++) {
		const uint8_t *text = find_string(t, hit, i);

		buf_str(out, i ? ", " : "");
		if (*t->args[i].name) {
			buf_str(out, t->args[i].name);
			buf_char(out, '=');
		}
		if (text)
			append_string(out, text);
		else
			probe_fmt_number(&t->args[i], hit->args[i], out);
	}
	buf_char(out, ')');
}

static struct probe_user_stack user_stack_of(const struct probe_hit *hit)
{
	return (struct probe_user_stack){ .caller = hit->caller,
					  .pid = hit->head.proc.pid,
					  .id = hit->user_stack };
}

static bool has_value(const struct target *t)
{
	return t->returns && t->ret.type != BTF_VALUE_VOID;
}

void probe_show_line(struct probe_show *s, const struct probe_hit *hit, struct buf *out)
{
	const struct target *t = &s->probe->opts.targets[hit->probe];
	struct probe_user_stack user = user_stack_of(hit);
	char comm[TRACE_COMM + 1];

	if (!s->no_time)
		dissect_put_clock(out, s->epoch + hit->head.time, s->utc_offset);
	page_clean(out, trace_comm(&hit->head.proc, comm));
	buf_char(out, '/');
	buf_u64(out, hit->head.proc.pid);
	buf_char(out, ' ');
	page_clean(out, t->text);
	append_arguments(t, hit, out);
	if (has_value(t)) {
		buf_str(out, " = ");
		probe_fmt_value(&t->ret, hit->value, s->colors, out);
	}
	if (hit->duration_ns) {
		buf_char(out, ' ');
		scale_put(out, COL_NS, (double)hit->duration_ns);
	}
	buf_char(out, '\n');
	probe_fmt_stack(s, hit->kernel_stack, "    ", "\n", out);
	probe_fmt_user(s, &user, "    ", "\n", out);
}

struct argument_row {
	int64_t value;
	const char *name, *text;
};

#define R struct argument_row
static const struct col argument_cols[] = {
	{ "name", .role = COL_INFO, COL_AT_STR(R, name) },
	{ "value", .role = COL_INFO, COL_AT_S64(R, value) },
	{ "text", .role = COL_INFO, COL_AT_STR(R, text) },
};
#undef R
static const struct schema argument_schema = SCHEMA(NULL, argument_cols);

struct hit_row {
	uint64_t time, pid, tid, uid, cgroup, latency;
	int64_t returned;
	const char *probe, *process, *returned_text, *error;
	struct col_list arguments, kernel_stack, user_stack;
};

#define R struct hit_row
static const struct col hit_cols[] = {
	{ "time", .role = COL_INFO, COL_AT_TIME(R, time) },
	{ "probe", .role = COL_INFO, COL_AT_STR(R, probe) },
	{ "pid", .role = COL_INFO, COL_AT_U64(R, pid) },
	{ "tid", .role = COL_INFO, COL_AT_U64(R, tid) },
	{ "process", .role = COL_INFO, COL_AT_STR(R, process) },
	{ "uid", .role = COL_INFO, COL_AT_U64(R, uid) },
	{ "cgroup_id", .role = COL_INFO, COL_AT_U64(R, cgroup) },
	{ "arguments", .rows = &argument_schema, .role = COL_INFO, COL_AT_TABLE(R, arguments) },
	{ "returned", .role = COL_INFO, COL_AT_S64(R, returned) },
	{ "returned_text", .role = COL_INFO, COL_AT_STR(R, returned_text) },
	{ "error", .role = COL_INFO, COL_AT_STR(R, error) },
	{ "latency_seconds", .role = COL_INFO, .unit = COL_NS, COL_AT_U64(R, latency) },
	{ "kernel_stack", .role = COL_INFO, COL_AT_STRS(R, kernel_stack) },
	{ "user_stack", .role = COL_INFO, COL_AT_STRS(R, user_stack) },
};
#undef R
const struct schema probe_hit_schema = SCHEMA("probe_hit", hit_cols);

/* Arguments as rows, and the texts that the rows point to. */
struct arguments {
	struct argument_row rows[PROBE_ARGS];
	struct probe_json_value values[PROBE_ARGS];
	char strings[PROBE_TEXTS][PROBE_TEXT + 1];
};

static void fill_arguments(const struct target *t, const struct probe_hit *hit, struct arguments *a)
{
	int nstrings = 0;

	for (uint8_t i = 0; i < t->nargs; i++) {
		const uint8_t *string = find_string(t, hit, i);
		char *copy = a->strings[nstrings];

		a->values[i] = probe_fmt_json(&t->args[i], hit->args[i]);
		a->rows[i] = (struct argument_row){
			.value = a->values[i].number,
			.name = *t->args[i].name ? t->args[i].name : NULL,
			.text = *a->values[i].text ? a->values[i].text : NULL,
		};
		if (!string)
			continue;
		snprintf(copy, PROBE_TEXT + 1, "%.*s", PROBE_TEXT, (const char *)string);
		a->rows[i].text = copy;
		nstrings += nstrings < PROBE_TEXTS - 1;
	}
}

int probe_show_row(struct probe_show *s, const struct probe_hit *hit, struct sink *sink)
{
	const struct target *t = &s->probe->opts.targets[hit->probe];
	const char *kernel[PROBE_FMT_FRAMES], *user[PROBE_FMT_FRAMES];
	struct probe_user_stack user_stack = user_stack_of(hit);
	const struct trace_proc *proc = &hit->head.proc;
	struct probe_json_value value;
	char comm[TRACE_COMM + 1];
	struct arguments args;
	struct hit_row row = {
		.time = s->epoch + hit->head.time,
		.probe = t->text,
		.pid = col_known(proc->pid),
		.tid = col_known(proc->tid),
		.process = trace_comm(proc, comm),
		.uid = proc->uid,
		.cgroup = col_known(proc->cgroup),
		.returned = COL_S64_UNKNOWN,
		.latency = col_known(hit->duration_ns),
		.kernel_stack = probe_fmt_stack_list(s, hit->kernel_stack, &s->texts[0], kernel),
		.user_stack = probe_fmt_user_list(s, &user_stack, &s->texts[1], user),
	};

	if (has_arguments(t, hit)) {
		fill_arguments(t, hit, &args);
		row.arguments = (struct col_list){ args.rows, t->nargs, sizeof(*args.rows) };
	}
	if (has_value(t)) {
		value = probe_fmt_json(&t->ret, hit->value);
		row.returned = value.number;
		row.returned_text = *value.text ? value.text : NULL;
		row.error = probe_fmt_error(&t->ret, hit->value);
	}
	if (s->texts[0].nomem || s->texts[1].nomem)
		return -ENOMEM;
	return sink_record(sink, &probe_hit_schema, &row);
}
