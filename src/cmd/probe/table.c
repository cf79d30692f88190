/* SPDX-License-Identifier: MIT */
/* What was counted, as tables: the busiest first. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd/probe/format.h"
#include "out/scale.h"

enum { SHOWN = 30, PATHS_SHOWN = 10, BAR = 40 };

static const char *probe_name(const struct probe_show *s, uint32_t probe)
{
	return s->probe->opts.targets[probe].text;
}

/* Rows as they are collected. */
struct rows {
	struct buf buf;
	double seconds; /* that they were counted for */
};

/* What a table shows of them: they are sorted, and cut where nobody reads on. */
struct table {
	const struct schema *schema; /* NULL: its rows are prose */
	size_t row, most;
	int (*compare)(const void *, const void *);
	/* With what is not kept, and only if it is shown. */
	int (*show)(struct probe_show *s, void *row, struct sink *sink);
};

static int keep(struct rows *rows, const void *row, size_t size)
{
	buf_add(&rows->buf, row, size);
	return rows->buf.nomem ? -ENOMEM : 0;
}

/* rc: of collecting them. They are freed. */
static int show_rows(struct probe_show *s, const struct table *t, struct rows *rows, int rc,
		     struct sink *sink, bool text)
{
	size_t n = rows->buf.len / t->row, shown = n < t->most || !text ? n : t->most;

	if (n)
		qsort(rows->buf.data, n, t->row, t->compare);
	if (!rc && t->schema)
		rc = sink_begin(sink, t->schema, NULL);
	for (size_t i = 0; i < shown && !rc; i++)
		rc = t->show(s, rows->buf.data + i * t->row, sink);
	if (!rc && t->schema)
		rc = sink_end(sink);
	if (!rc && n > shown)
		rc = sink_line(sink, "(%zu more)", n - shown);
	buf_free(&rows->buf);
	return rc;
}

struct count_row {
	uint64_t hits, failed, pid;
	double rate;
	uint32_t probe;
	char comm[TRACE_COMM + 1];
	const char *event, *name, *process;
};

#define R struct count_row
static const struct col count_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "probe", "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "process", "process", .role = COL_KEY, COL_AT_STR(R, process) },
	{ "pid", "pid", .role = COL_KEY, COL_AT_U64(R, pid) },
	{ "hits", "hits", .role = COL_COUNTER, COL_AT_U64(R, hits) },
	{ "hits_per_second", "hits/s", .role = COL_GAUGE, .unit = COL_RATE, COL_AT_F64(R, rate) },
	{ "errors", "errors", .role = COL_COUNTER, COL_AT_U64(R, failed) },
};
#undef R
static const struct schema count_schema = { "probe_hits", count_cols,
					    sizeof(count_cols) / sizeof(*count_cols), 0 };

static int keep_count(const struct probe_key *key, const struct probe_val *val, void *arg)
{
	struct rows *rows = arg;
	struct count_row row = {
		.hits = val->hits, .failed = val->failed, .pid = key->pid, .probe = key->probe
	};

	memcpy(row.comm, val->comm, TRACE_COMM);
	row.rate = rows->seconds > 0 ? (double)row.hits / rows->seconds : 0;
	return keep(rows, &row, sizeof(row));
}

static int busier(const void *a, const void *b)
{
	const struct count_row *x = a, *y = b;

	return x->hits != y->hits ? (x->hits < y->hits) - (x->hits > y->hits)
				  : (x->pid > y->pid) - (x->pid < y->pid);
}

static int show_count(struct probe_show *s, void *of, struct sink *sink)
{
	struct count_row *row = of;

	row->event = "hits";
	row->name = probe_name(s, row->probe);
	row->process = row->pid ? row->comm : "(kernel)";
	return sink_row(sink, row);
}

int probe_show_counts(struct probe_show *s, double seconds, struct sink *sink, bool text)
{
	static const struct table counts = { &count_schema, sizeof(struct count_row), SHOWN, busier,
					     show_count };
	struct rows rows = { .seconds = seconds };
	int rc = probe_walk_vals(s->probe, keep_count, &rows);

	return show_rows(s, &counts, &rows, rc, sink, text);
}

struct time_row {
	uint64_t from, below, calls;
	const char *event, *name, *bar;
};

#define R struct time_row
static const struct col time_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "from_ns", "from", .role = COL_KEY, .unit = COL_NS, COL_AT_U64(R, from) },
	{ "below_ns", "below", .role = COL_KEY, .unit = COL_NS, COL_AT_U64(R, below) },
	{ "calls", "calls", .role = COL_COUNTER, COL_AT_U64(R, calls) },
	{ NULL, "", .role = COL_INFO, COL_AT_STR(R, bar) },
};
#undef R
/* JSON has no bars. */
static const struct schema time_schema = { "probe_latency", time_cols,
					   sizeof(time_cols) / sizeof(*time_cols), 0 };
static const struct schema time_json = { "probe_latency", time_cols,
					 sizeof(time_cols) / sizeof(*time_cols) - 1, 0 };

static int show_buckets(const struct probe_times *t, const char *name, uint64_t largest,
			struct sink *sink, bool text)
{
	int first = 0, last = PROBE_BUCKETS - 1, rc;

	while (first < last && !t->calls[first])
		first++;
	while (last > first && !t->calls[last])
		last--;
	rc = sink_begin(sink, text ? &time_schema : &time_json, NULL);
	for (int i = first; i <= last && !rc; i++) {
		uint64_t width = t->calls[i] * BAR / largest;
		char bar[BAR + 1] = " ";
		struct time_row row = { .from = i ? UINT64_C(1) << i : 0,
					.below = UINT64_C(2) << i,
					.calls = t->calls[i],
					.event = "latency",
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
	const char *event, *name;
};

#define R struct total_row
static const struct col total_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "timed", .role = COL_COUNTER, COL_AT_U64(R, calls) },
	{ "mean_ns", .role = COL_GAUGE, COL_AT_F64(R, mean) },
	{ "slowest_ns", .role = COL_GAUGE, COL_AT_U64(R, most) },
};
#undef R
static const struct schema total_schema = { "probe_latency_total", total_cols,
					    sizeof(total_cols) / sizeof(*total_cols), 0 };

static int show_total(struct sink *sink, const char *name, const struct probe_times *t,
		      uint64_t all)
{
	struct total_row row = { .calls = all,
				 .most = t->max_ns,
				 .mean = (double)t->total_ns / (double)all,
				 .event = "latency_total",
				 .name = name };

	return sink_record(sink, &total_schema, &row);
}

static int show_times(const struct probe_show *s, uint32_t probe, struct sink *sink, bool text)
{
	uint64_t all = 0, largest = 1;
	struct buf line = { 0 };
	struct probe_times t;
	int rc = probe_times(s->probe, probe, &t);

	for (int i = 0; i < PROBE_BUCKETS && !rc; i++) {
		all += t.calls[i];
		largest = t.calls[i] > largest ? t.calls[i] : largest;
	}
	if (rc || !all)
		return rc;
	buf_u64(&line, all);
	buf_str(&line, all == 1 ? " call, mean " : " calls, mean ");
	scale_put(&line, COL_NS, (double)t.total_ns / (double)all);
	buf_str(&line, ", slowest ");
	scale_put(&line, COL_NS, (double)t.max_ns);
	buf_char(&line, '\0');
	rc = line.nomem ? -ENOMEM : sink_line(sink, "%s", "");
	if (!rc)
		rc = sink_line(sink, "%s: %s", probe_name(s, probe), line.data);
	buf_free(&line);
	if (!rc && !text)
		rc = show_total(sink, probe_name(s, probe), &t, all);
	return rc ? rc : show_buckets(&t, probe_name(s, probe), largest, sink, text);
}

int probe_show_times(const struct probe_show *s, struct sink *sink, bool text)
{
	int rc = 0;

	for (uint32_t i = 0; i < s->probe->opts.n && !rc; i++)
		if (s->probe->opts.targets[i].returns)
			rc = show_times(s, i, sink, text);
	return rc;
}

struct value_row {
	uint64_t times, value;
	uint32_t probe;
	const char *event, *name, *returned, *error;
};

#define R struct value_row
static const struct col value_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "probe", "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "returned", "returned", .role = COL_KEY, COL_AT_STR(R, returned) },
	{ "error", "error", .role = COL_KEY, COL_AT_STR(R, error) },
	{ "times", "times", .role = COL_COUNTER, COL_AT_U64(R, times) },
};
#undef R
static const struct schema value_schema = { "probe_values", value_cols,
					    sizeof(value_cols) / sizeof(*value_cols), 0 };

static int keep_value(const void *what, uint64_t n, void *arg)
{
	const struct probe_value *value = what;
	struct value_row row = { .times = n, .value = value->value, .probe = value->probe };

	return keep(arg, &row, sizeof(row));
}

static int oftener(const void *a, const void *b)
{
	const struct value_row *x = a, *y = b;

	return x->times != y->times ? (x->times < y->times) - (x->times > y->times)
				    : (x->value > y->value) - (x->value < y->value);
}

static int show_value(struct probe_show *s, void *of, struct sink *sink)
{
	struct value_row *row = of;
	const struct target_value *v = &s->probe->opts.targets[row->probe].ret;
	struct buf number = { 0 };
	int rc;

	probe_fmt_number(v, row->value, &number);
	buf_char(&number, '\0');
	row->event = "value";
	row->name = probe_name(s, row->probe);
	row->returned = number.data;
	row->error = probe_fmt_error(v, row->value);
	rc = number.nomem ? -ENOMEM : sink_row(sink, row);
	buf_free(&number);
	return rc;
}

int probe_show_values(struct probe_show *s, struct sink *sink, bool text)
{
	static const struct table values = { &value_schema, sizeof(struct value_row), SHOWN,
					     oftener, show_value };
	struct rows rows = { 0 };
	int rc = probe_walk_values(s->probe, keep_value, &rows);

	if (!rc)
		rc = sink_line(sink, "%s", "");
	return show_rows(s, &values, &rows, rc, sink, text);
}

struct path_row {
	uint64_t times, pid;
	struct probe_path path;
	const char *event, *name, *kernel, *user;
};

#define R struct path_row
static const struct col path_cols[] = {
	{ "event", .role = COL_INFO, COL_AT_STR(R, event) },
	{ "probe", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "pid", .role = COL_KEY, COL_AT_U64(R, pid) },
	{ "times", .role = COL_COUNTER, COL_AT_U64(R, times) },
	{ "kernel_stack", .role = COL_KEY, COL_AT_STR(R, kernel) },
	{ "user_stack", .role = COL_KEY, COL_AT_STR(R, user) },
};
#undef R
static const struct schema path_schema = { "probe_stacks", path_cols,
					   sizeof(path_cols) / sizeof(*path_cols), 0 };

static int keep_path(const void *what, uint64_t n, void *arg)
{
	const struct probe_path *path = what;
	struct path_row row = { .times = n, .pid = path->pid, .path = *path };

	return keep(arg, &row, sizeof(row));
}

static int further(const void *a, const void *b)
{
	const struct path_row *x = a, *y = b;

	return (x->times < y->times) - (x->times > y->times);
}

static int show_path_text(struct probe_show *s, void *of, struct sink *sink)
{
	const struct path_row *row = of;
	struct buf text = { 0 };
	char *line, *next;
	int rc = 0;

	buf_printf(&text, "\n%s, pid %llu: %llu times\n", probe_name(s, row->path.probe),
		   (unsigned long long)row->pid, (unsigned long long)row->times);
	probe_fmt_stack(s, row->path.kernel_stack, "    ", "\n", &text);
	if (row->path.kernel_stack >= 0 && row->path.user_stack >= 0)
		buf_str(&text, "    --\n");
	probe_fmt_user(s, row->path.user_stack, row->path.pid, row->path.caller, "    ", "\n",
		       &text);
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

/* Functions with blanks between as one text; NULL: there are none, or no memory for them. */
static const char *one_line(struct buf *text)
{
	if (text->nomem || !text->len)
		return NULL;
	text->data[text->len - 1] = '\0';
	return text->data;
}

static int show_path(struct probe_show *s, void *of, struct sink *sink)
{
	struct buf kernel = { 0 }, user = { 0 };
	struct path_row *row = of;
	int rc;

	row->event = "stack";
	row->name = probe_name(s, row->path.probe);
	probe_fmt_stack(s, row->path.kernel_stack, "", " ", &kernel);
	probe_fmt_user(s, row->path.user_stack, row->path.pid, row->path.caller, "", " ", &user);
	row->kernel = one_line(&kernel);
	row->user = one_line(&user);
	rc = kernel.nomem || user.nomem ? -ENOMEM : sink_row(sink, row);
	buf_free(&kernel);
	buf_free(&user);
	return rc;
}

int probe_show_paths(struct probe_show *s, struct sink *sink, bool text)
{
	static const struct table prose = { NULL, sizeof(struct path_row), PATHS_SHOWN, further,
					    show_path_text };
	static const struct table paths = { &path_schema, sizeof(struct path_row), PATHS_SHOWN,
					    further, show_path };
	struct rows rows = { 0 };
	int rc = probe_walk_paths(s->probe, keep_path, &rows);

	return show_rows(s, text ? &prose : &paths, &rows, rc, sink, text);
}
