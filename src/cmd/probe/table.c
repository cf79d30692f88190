/* SPDX-License-Identifier: MIT */
/* Tables of counts, busiest first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "cmd/probe/format.h"
#include "out/scale.h"

enum { SHOWN = 30, PATHS_SHOWN = 10, BAR = 40 };

static const char *probe_name(const struct probe_show *s, uint32_t probe)
{
	return s->probe->opts.targets[probe].text;
}

/* Collected rows. */
struct rows {
	struct buf buf;
	double seconds; /* time over which they were counted */
};

/* How to show rows: sorted, and limited in text. */
struct table {
	const struct schema *schema; /* NULL: rows are lines of prose */
	size_t row, most;
	int (*compare)(const void *, const void *);
	/* Completes a row and writes it. */
	int (*write)(struct probe_show *s, void *row, struct sink *sink);
};

static int add_row(struct rows *rows, const void *row, size_t size)
{
	buf_add(&rows->buf, row, size);
	return rows->buf.nomem ? -ENOMEM : 0;
}

/* Shows rows and frees them. rc: the result of collecting them. */
static int show_rows(struct probe_show *s, const struct table *t, struct rows *rows, int rc,
		     struct sink *sink, bool text)
{
	size_t n = rows->buf.len / t->row, shown = n < t->most || !text ? n : t->most;

	if (n)
		qsort(rows->buf.data, n, t->row, t->compare);
	if (!rc && t->schema)
		rc = sink_begin(sink, t->schema, NULL);
	for (size_t i = 0; i < shown && !rc; i++)
		rc = t->write(s, rows->buf.data + i * t->row, sink);
	if (!rc && t->schema)
		rc = sink_end(sink);
	if (!rc && n > shown)
		rc = sink_line(sink, "(%zu more)", n - shown);
	buf_free(&rows->buf);
	return rc;
}

struct count_row {
	uint64_t time, hits, failed, pid;
	double rate;
	uint32_t probe;
	char comm[TRACE_COMM + 1];
	const char *name, *process, *label;
};

#define R struct count_row
static const struct col count_cols[] = {
	{ "time", .role = COL_INFO, COL_AT_TIME(R, time) },
	{ "probe", "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ NULL, "process", .role = COL_KEY, COL_AT_STR(R, label) },
	{ "process", .role = COL_KEY, COL_AT_STR(R, process) },
	{ "pid", "pid", .role = COL_KEY, COL_AT_U64(R, pid) },
	{ "hits", "hits", .role = COL_COUNTER, COL_AT_U64(R, hits) },
	{ "hits_per_second", "hits/s", .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, rate) },
	{ "errors", "errors", .role = COL_COUNTER, COL_AT_U64(R, failed) },
};
#undef R
static const struct schema count_schema = SCHEMA("probe_count", count_cols);

static int add_count(const struct probe_key *key, const struct probe_val *val, void *arg)
{
	struct rows *rows = arg;
	struct count_row row = {
		.hits = val->hits, .failed = val->failed, .pid = key->pid, .probe = key->probe
	};

	memcpy(row.comm, val->comm, TRACE_COMM);
	row.rate = rows->seconds > 0 ? (double)row.hits / rows->seconds : 0;
	return add_row(rows, &row, sizeof(row));
}

static int compare_counts(const void *a, const void *b)
{
	const struct count_row *x = a, *y = b;

	return x->hits != y->hits ? (x->hits < y->hits) - (x->hits > y->hits)
				  : (x->pid > y->pid) - (x->pid < y->pid);
}

/* Process 0 is the idle task: interrupts and other work of the kernel. */
static int write_count(struct probe_show *s, void *of, struct sink *sink)
{
	struct count_row *row = of;

	row->time = clock_real();
	row->name = probe_name(s, row->probe);
	row->process = row->pid ? row->comm : NULL;
	row->label = row->pid ? row->comm : "(kernel)";
	row->pid = col_known(row->pid);
	return sink_row(sink, row);
}

int probe_show_counts(struct probe_show *s, double seconds, struct sink *sink, bool text)
{
	static const struct table counts = { &count_schema, sizeof(struct count_row), SHOWN,
					     compare_counts, write_count };
	struct rows rows = { .seconds = seconds };
	int rc = probe_walk_vals(s->probe, add_count, &rows);

	return show_rows(s, &counts, &rows, rc, sink, text);
}

struct time_row {
	uint64_t from, below, calls;
	const char *name, *bar;
};

#define R struct time_row
static const struct col time_cols[] = {
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "from_seconds", "from", .role = COL_KEY, .unit = COL_NS, COL_AT_U64(R, from) },
	{ "below_seconds", "below", .role = COL_KEY, .unit = COL_NS, COL_AT_U64(R, below) },
	{ "calls", "calls", .role = COL_COUNTER, COL_AT_U64(R, calls) },
	{ NULL, "", .role = COL_INFO, COL_AT_STR(R, bar) },
};
#undef R
static const struct schema time_schema = SCHEMA("probe_latency", time_cols);

static int show_buckets(const struct probe_times *t, const char *name, uint64_t largest,
			struct sink *sink)
{
	int first = 0, last = PROBE_BUCKETS - 1, rc;

	while (first < last && !t->calls[first])
		first++;
	while (last > first && !t->calls[last])
		last--;
	rc = sink_begin(sink, &time_schema, NULL);
	for (int i = first; i <= last && !rc; i++) {
		uint64_t width = t->calls[i] * BAR / largest;
		char bar[BAR + 1] = " ";
		struct time_row row = { .from = i ? UINT64_C(1) << i : 0,
					.below = UINT64_C(2) << i,
					.calls = t->calls[i],
					.name = name,
					.bar = bar };

		memset(bar, '#', width + (!width && t->calls[i]));
		rc = sink_row(sink, &row);
	}
	return rc ? rc : sink_end(sink);
}

struct total_row {
	uint64_t calls, most;
	double mean;
	const char *name;
};

#define R struct total_row
static const struct col total_cols[] = {
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "calls", .role = COL_COUNTER, COL_AT_U64(R, calls) },
	{ "mean_seconds", .role = COL_GAUGE, .unit = COL_NS, COL_AT_F64(R, mean) },
	{ "max_seconds", .role = COL_GAUGE, .unit = COL_NS, COL_AT_U64(R, most) },
};
#undef R
static const struct schema total_schema = SCHEMA("probe_latency_total", total_cols);

static int write_total(struct sink *sink, const char *name, const struct probe_times *t,
		       uint64_t calls)
{
	struct total_row row = { .calls = calls,
				 .most = t->max_ns,
				 .mean = (double)t->total_ns / (double)calls,
				 .name = name };

	return sink_record(sink, &total_schema, &row);
}

/* Writes a line such as "kretprobe:x: 12 calls, mean 3.1us, slowest 9.8us". */
static int write_total_line(struct sink *sink, const char *name, const struct probe_times *t,
			    uint64_t calls)
{
	struct buf line = { 0 };
	int rc;

	buf_u64(&line, calls);
	buf_str(&line, calls == 1 ? " call, mean " : " calls, mean ");
	scale_put(&line, COL_NS, (double)t->total_ns / (double)calls);
	buf_str(&line, ", slowest ");
	scale_put(&line, COL_NS, (double)t->max_ns);
	buf_char(&line, '\0');
	rc = line.nomem ? -ENOMEM : sink_line(sink, "%s", "");
	if (!rc)
		rc = sink_line(sink, "%s: %s", name, line.data);
	buf_free(&line);
	return rc;
}

static int show_latency(const struct probe_show *s, uint32_t probe, struct sink *sink, bool text)
{
	const char *name = probe_name(s, probe);
	uint64_t calls = 0, largest = 1;
	struct probe_times t;
	int rc = probe_times(s->probe, probe, &t);

	for (int i = 0; i < PROBE_BUCKETS && !rc; i++) {
		calls += t.calls[i];
		largest = t.calls[i] > largest ? t.calls[i] : largest;
	}
	if (rc || !calls)
		return rc;
	rc = text ? write_total_line(sink, name, &t, calls) : write_total(sink, name, &t, calls);
	return rc ? rc : show_buckets(&t, name, largest, sink);
}

int probe_show_times(const struct probe_show *s, struct sink *sink, bool text)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->probe->opts.n && !rc; i++)
		if (s->probe->opts.targets[i].returns)
			rc = show_latency(s, i, sink, text);
	return rc;
}

struct value_row {
	uint64_t times, value;
	int64_t returned;
	uint32_t probe;
	const char *name, *label, *text, *error;
};

#define R struct value_row
static const struct col value_cols[] = {
	{ "probe", "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ NULL, "returned", .role = COL_KEY, COL_AT_STR(R, label) },
	{ "returned", .role = COL_KEY, COL_AT_S64(R, returned) },
	{ "returned_text", .role = COL_KEY, COL_AT_STR(R, text) },
	{ "error", "error", .role = COL_KEY, COL_AT_STR(R, error) },
	{ "times", "times", .role = COL_COUNTER, COL_AT_U64(R, times) },
};
#undef R
static const struct schema value_schema = SCHEMA("probe_value", value_cols);

static int add_value(const void *what, uint64_t n, void *arg)
{
	const struct probe_value *value = what;
	struct value_row row = { .times = n, .value = value->value, .probe = value->probe };

	return add_row(arg, &row, sizeof(row));
}

static int compare_values(const void *a, const void *b)
{
	const struct value_row *x = a, *y = b;

	return x->times != y->times ? (x->times < y->times) - (x->times > y->times)
				    : (x->value > y->value) - (x->value < y->value);
}

static int write_value(struct probe_show *s, void *of, struct sink *sink)
{
	struct value_row *row = of;
	const struct target_value *v = &s->probe->opts.targets[row->probe].ret;
	struct probe_json_value json = probe_fmt_json(v, row->value);
	struct buf label = { 0 };
	int rc;

	probe_fmt_number(v, row->value, &label);
	buf_char(&label, '\0');
	row->name = probe_name(s, row->probe);
	row->label = label.data;
	row->returned = json.number;
	row->text = *json.text ? json.text : NULL;
	row->error = probe_fmt_error(v, row->value);
	rc = label.nomem ? -ENOMEM : sink_row(sink, row);
	buf_free(&label);
	return rc;
}

int probe_show_values(struct probe_show *s, struct sink *sink, bool text)
{
	static const struct table values = { &value_schema, sizeof(struct value_row), SHOWN,
					     compare_values, write_value };
	struct rows rows = { 0 };
	int rc = probe_walk_values(s->probe, add_value, &rows);

	if (!rc)
		rc = sink_line(sink, "%s", "");
	return show_rows(s, &values, &rows, rc, sink, text);
}

struct path_row {
	uint64_t times, pid;
	struct probe_path path;
	const char *name;
	struct col_list kernel, user;
};

#define R struct path_row
static const struct col path_cols[] = {
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "pid", .role = COL_KEY, COL_AT_U64(R, pid) },
	{ "times", .role = COL_COUNTER, COL_AT_U64(R, times) },
	{ "kernel_stack", .role = COL_KEY, COL_AT_STRS(R, kernel) },
	{ "user_stack", .role = COL_KEY, COL_AT_STRS(R, user) },
};
#undef R
static const struct schema path_schema = SCHEMA("probe_stack", path_cols);

static struct probe_user_stack user_stack_of(const struct probe_path *path)
{
	return (struct probe_user_stack){ .caller = path->caller,
					  .pid = path->pid,
					  .id = path->user_stack };
}

static int add_path(const void *what, uint64_t n, void *arg)
{
	const struct probe_path *path = what;
	struct path_row row = { .times = n, .pid = path->pid, .path = *path };

	return add_row(arg, &row, sizeof(row));
}

static int compare_paths(const void *a, const void *b)
{
	const struct path_row *x = a, *y = b;

	return (x->times < y->times) - (x->times > y->times);
}

static int write_path_lines(struct probe_show *s, void *of, struct sink *sink)
{
	const struct path_row *row = of;
	struct probe_user_stack user = user_stack_of(&row->path);
	struct buf text = { 0 };
	char *line, *next;
	int rc = 0;

	buf_printf(&text, "\n%s, pid %llu: %llu times\n", probe_name(s, row->path.probe),
		   (unsigned long long)row->pid, (unsigned long long)row->times);
	probe_fmt_stack(s, row->path.kernel_stack, "    ", "\n", &text);
	if (row->path.kernel_stack >= 0 && row->path.user_stack >= 0)
		buf_str(&text, "    --\n");
	probe_fmt_user(s, &user, "    ", "\n", &text);
	buf_char(&text, '\0');
	for (line = text.nomem ? NULL : text.data; line && *line && !rc; line = next) {
		next = strchr(line, '\n') + 1;
		next[-1] = '\0';
		rc = sink_line(sink, "%s", line);
	}
	rc = text.nomem ? -ENOMEM : rc;
	buf_free(&text);
	return rc;
}

static int write_path(struct probe_show *s, void *of, struct sink *sink)
{
	const char *kernel[PROBE_FMT_FRAMES], *user[PROBE_FMT_FRAMES];
	struct path_row *row = of;
	struct probe_user_stack user_stack = user_stack_of(&row->path);

	row->name = probe_name(s, row->path.probe);
	row->pid = col_known(row->pid);
	row->kernel = probe_fmt_stack_list(s, row->path.kernel_stack, &s->texts[0], kernel);
	row->user = probe_fmt_user_list(s, &user_stack, &s->texts[1], user);
	return s->texts[0].nomem || s->texts[1].nomem ? -ENOMEM : sink_row(sink, row);
}

int probe_show_paths(struct probe_show *s, struct sink *sink, bool text)
{
	static const struct table prose = { NULL, sizeof(struct path_row), PATHS_SHOWN,
					    compare_paths, write_path_lines };
	static const struct table paths = { &path_schema, sizeof(struct path_row), PATHS_SHOWN,
					    compare_paths, write_path };
	struct rows rows = { 0 };
	int rc = probe_walk_paths(s->probe, add_path, &rows);

	return show_rows(s, text ? &prose : &paths, &rows, rc, sink, text);
}

const struct schema *const probe_records[] = { &count_schema, &total_schema, &time_schema,
					       &value_schema, &path_schema,  &probe_hit_schema,
					       NULL };
