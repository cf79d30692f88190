/* SPDX-License-Identifier: MIT */
/* sonde filter list: shows the installed rules and their counters. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/filter/filter.h"
#include "gate/counters.h"
#include "out/sink.h"
#include "resolve/names.h"
#include "sys/iface_follower.h"
#include "sys/jiffies.h"

#define O struct filter_opts
static const struct opt list_rows[] = {
	GATE_ROWS_WHERE(O),
	OPT_ROWS_OUTPUT(O),
	{ 0 },
};
static const struct opt_spec list_spec = {
	.command = "filter list",
	.usage = "[OPTIONS]",
	.about = "list the rules in order, with the packets that each matched\n"
		 "Exits with 1 if no rules are installed.",
	.rows = list_rows,
};

struct rule_rec {
	uint64_t id, packets, bytes;
	uint64_t last_ns; /* time since the last packet, in ns */
	const char *interface, *direction, *hook, *action, *name, *ago, *rule;
};

#define R struct rule_rec
static const struct col cols[] = {
	{ "interface", "iface", "device", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", "direction", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "hook", "hook", .role = COL_INFO, COL_AT_STR(R, hook) },
	{ "id", "id", "rule", .role = COL_KEY, COL_AT_U64(R, id) },
	{ "name", "name", "name", .role = COL_KEY, COL_AT_STR(R, name) },
	{ "action", "action", "action", .role = COL_KEY, COL_AT_STR(R, action) },
	{ "packets", "packets", "filter_packets_total", "Packets that a rule decided on.",
	  .role = COL_COUNTER, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", "filter_bytes_total", "Bytes of those packets.", .role = COL_COUNTER,
	  COL_AT_U64(R, bytes) },
	{ "last_match_seconds", .role = COL_INFO, .unit = COL_NS, COL_AT_U64(R, last_ns) },
	{ NULL, "last", .role = COL_INFO, COL_AT_STR(R, ago) },
	{ "rule", "rule", .role = COL_INFO, COL_AT_STR(R, rule) },
};
#undef R
static const struct schema schema = SCHEMA("filter_rule", cols);
static const struct schema *const records[] = { &schema, NULL };

struct ticks {
	uint64_t now, hz;
};

/* Formats the time since the rule's last match. */
static void fmt_ago(struct rule_rec *rec, uint64_t last, const struct ticks *t, char *buf,
		    size_t len)
{
	double seconds;

	rec->ago = "never";
	if (!last || !t->hz)
		return;
	seconds = (double)(t->now - last) / (double)t->hz;
	rec->last_ns = (uint64_t)(seconds * 1e9);
	if (seconds < 120)
		snprintf(buf, len, "%.0fs ago", seconds);
	else if (seconds < 7200)
		snprintf(buf, len, "%.0fm ago", seconds / 60);
	else
		snprintf(buf, len, "%.0fh ago", seconds / 3600);
	rec->ago = buf;
}

/* Writes a rule's row. rule NULL: the default of the direction. */
static int put_rule(struct sink *sink, const struct gate_txn *s, enum gate_dir dir,
		    const struct rule *rule, const struct ticks *t)
{
	bool drops = rule ? rule->drops : s->rules.drops[dir];
	struct rule_rec rec = {
		.id = rule ? rule->id : COL_UNKNOWN,
		.last_ns = COL_UNKNOWN,
		.interface = s->link.name,
		.direction = gate_dir_name(dir),
		.hook = hook_name(s->install[dir].current.hook),
		.action = drops ? "drop" : "allow",
		.name = rule && *rule->name ? rule->name
			: rule              ? NULL
					    : "default",
		.rule = rule ? rule->expr : "",
	};
	struct gate_hit hit = { 0 };
	char ago[32];
	int rc = 0;

	if (rule || drops)
		rc = gate_txn_read_hits(s, dir, rule ? rule->id : (uint16_t)RULE_DEFAULT_ID, &hit);
	if (rc)
		return rc;
	rec.packets = hit.packets;
	rec.bytes = hit.bytes;
	fmt_ago(&rec, hit.last, t, ago, sizeof(ago));
	return sink_row(sink, &rec);
}

static int put_rules(struct sink *sink, const struct gate_txn *s, const struct ticks *t,
		     unsigned int *shown)
{
	int rc = 0;

	for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
		if (!(s->install[dir].users & GATE_USER_FILTER))
			continue;
		for (size_t i = 0; i < s->rules.n && !rc; i++)
			if (s->rules.at[i].dir == dir)
				rc = put_rule(sink, s, (enum gate_dir)dir, &s->rules.at[i], t);
		/* Packets that the default allows are not counted. */
		if (!rc && s->rules.drops[dir])
			rc = put_rule(sink, s, (enum gate_dir)dir, NULL, t);
		(*shown)++;
	}
	return rc;
}

static int list_rules(const struct filter_opts *o, struct sink *sink)
{
	struct link_list links = { 0 };
	unsigned int shown = 0;
	struct ticks t = { 0 };
	struct nl nl = { 0 };
	int rc = nl_open(&nl, 0);

	if (rc)
		return fail_errno(rc, "route netlink");
	rc = iface_list(&nl, &o->common.ifaces, &links);
	if (!rc && jiffies_read(&t.now, &t.hz))
		t.hz = 0;
	if (!rc)
		rc = sink_begin(sink, &schema, NULL);
	for (size_t i = 0; i < links.n && !rc; i++) {
		struct gate_txn s = { 0 };

		rc = gate_txn_begin(&s, &nl, &links.at[i], &resolve_names, GATE_TXN_READ);
		if (!rc)
			rc = put_rules(sink, &s, &t, &shown);
		gate_txn_close(&s);
	}
	if (!rc && shown)
		rc = sink_end(sink);
	else if (!rc)
		rc = fail(-ENOENT, "no rules are installed; sonde filter add installs them");
	link_list_free(&links);
	nl_close(&nl);
	return rc == -EPIPE ? fail_errno(rc, "standard output") : rc;
}

static int run_list(int argc, char **argv)
{
	struct filter_opts o = { 0 };
	struct sink *sink;
	char **rest;
	int n, rc = filter_begin(&list_spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n)
		return fail_usage("unexpected argument %s", rest[0]);
	sink = cmd_open_sink(&o.common, false, NULL);
	if (!sink)
		return -EIO;
	rc = list_rules(&o, sink);
	sink_free(sink);
	return rc;
}

const struct command filter_list_command = { &list_spec, run_list, NULL, records };
