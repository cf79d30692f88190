/* SPDX-License-Identifier: MIT */
/* sonde demo: counts real traffic in a private network live, and compares with the kernel's
 * counts. */
#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "base/err.h"
#include "cmd/common/opts.h"
#include "gate/gate.h"
#include "lab/lab.h"
#include "sys/event_loop.h"
#include "sys/wait.h"

enum {
	DATAGRAMS = 100, /* per round and family */
	DATAGRAM_LEN = 512,
	PINGS = 10,
	PING_LEN = 56,
	STREAM_LEN = 1 << 20, /* bytes in each direction of a round's TCP connection */
	SETTLE_TRIES = 50,
};

struct demo_opts {
	struct cmd_common common;
};

#define O struct demo_opts
static const struct opt rows[] = {
	OPT_ROW_DURATION(O, "how long to send (default: 3s)"),
	OPT_ROWS_OUTPUT_NO_PROM(O),
	OPT_ROW_QUIET(O, "print only the comparison at the end"),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "demo",
	.usage = "[OPTIONS]",
	.about = "count real traffic in a private network, as a first look\n"
		 "Makes two network namespaces and a veth pair, sends TCP, UDP "
		 "and ICMP through sockets, counts at both ends, and compares "
		 "with the kernel's own interface statistics. Does not touch the "
		 "host. Exits with 1 if a count differs.",
	.rows = rows,
};

struct live_rec {
	const char *interface, *direction, *hook, *family, *protocol;
	uint64_t packets, bytes;
};

#define R struct live_rec
static const struct col live_cols[] = {
	{ "interface", "interface", .role = COL_KEY, COL_AT_STR(R, interface) },
	{ "direction", "dir", .role = COL_KEY, COL_AT_STR(R, direction) },
	{ "hook", "hook", .role = COL_KEY, COL_AT_STR(R, hook) },
	{ "family", "family", .role = COL_KEY, COL_AT_STR(R, family) },
	{ "protocol", "protocol", .role = COL_KEY, COL_AT_STR(R, protocol) },
	{ "packets", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", .role = COL_COUNTER, COL_AT_U64(R, bytes) },
};
#undef R
static const struct schema live_schema = SCHEMA("demo_count", live_cols);

/* One comparison: sonde's count and another source's. */
struct compare_rec {
	const char *what, *against, *same;
	uint64_t packets, packets_there, bytes, bytes_there;
};

#define R struct compare_rec
static const struct col compare_cols[] = {
	{ "what", "counted by sonde", .role = COL_KEY, COL_AT_STR(R, what) },
	{ "packets", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets) },
	{ "bytes", "bytes", .role = COL_COUNTER, COL_AT_U64(R, bytes) },
	{ "against", "against", .role = COL_KEY, COL_AT_STR(R, against) },
	{ "packets_there", "packets", .role = COL_COUNTER, COL_AT_U64(R, packets_there) },
	{ "bytes_there", "bytes", .role = COL_COUNTER, COL_AT_U64(R, bytes_there) },
	{ "same", "same", .role = COL_INFO, COL_AT_STR(R, same) },
};
#undef R
static const struct schema compare_schema = SCHEMA("demo_comparison", compare_cols);
static const struct schema *const records[] = { &live_schema, &compare_schema, NULL };

struct demo {
	struct lab lab;
	struct gate gate[LAB_SIDES];
	struct gate_counters table[LAB_SIDES];
	struct link_stats stats[LAB_SIDES]; /* the kernel's, read together with table */
	uint64_t datagrams, pings;          /* sent by the near side, per family */
	unsigned int differ;
	bool headers; /* some counts differ only by the Ethernet headers */
};

static int attach_both(struct demo *d)
{
	struct gate_opts opts = { .hooks = { HOOKS_XDP, HOOKS_TC }, .quiet = true };
	int rc = 0;

	for (int side = LAB_SIDES - 1; side >= 0 && !rc; side--) {
		struct lab_end *end = &d->lab.end[side];

		rc = lab_enter(&d->lab, side);
		if (!rc)
			rc = gate_open(&d->gate[side], &end->nl, &end->link, &opts);
	}
	return rc;
}

static int read_both(struct demo *d)
{
	int rc = 0;

	for (int side = 0; side < LAB_SIDES && !rc; side++) {
		gate_counters_clear(&d->table[side]);
		rc = gate_read(&d->gate[side], &d->table[side]);
	}
	return rc;
}

static int show_live(struct demo *d, struct sink *sink)
{
	int rc = read_both(d);

	if (!rc)
		rc = sink_begin(sink, &live_schema,
				"TCP, UDP and ICMP between two private namespaces:");
	for (int side = 0; side < LAB_SIDES && !rc; side++) {
		const struct gate *g = &d->gate[side];

		for (size_t i = 0; i < d->table[side].n && !rc; i++) {
			const struct gate_row *row = &d->table[side].rows[i];
			char proto[8];
			struct live_rec rec = {
				.interface = g->link.name,
				.direction = gate_dir_name(row->dir),
				.hook = hook_name(g->counters[row->dir].hook),
				.family = gate_family_name(row->family),
				.protocol = gate_proto_name(row, proto, sizeof(proto)),
				.packets = row->packets,
				.bytes = row->bytes,
			};

			rc = sink_row(sink, &rec);
		}
	}
	return rc ? rc : sink_end(sink);
}

static int send_round(struct demo *d)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	for (int i = 0; i < (d->lab.ipv6 ? 2 : 1) && !rc; i++) {
		rc = lab_udp(&d->lab, families[i], DATAGRAMS, DATAGRAM_LEN, true);
		if (!rc)
			rc = lab_ping(&d->lab, families[i], PINGS, PING_LEN);
		if (!rc)
			rc = lab_tcp(&d->lab, families[i], STREAM_LEN);
	}
	d->datagrams += DATAGRAMS;
	d->pings += PINGS;
	return rc ? fail_errno(rc, "traffic in the private network") : 0;
}

struct sending {
	struct demo *d;
	struct sink *sink;
	uint64_t next, shown;
	bool quiet;
};

static uint64_t next_round(void *arg)
{
	return ((const struct sending *)arg)->next;
}

static int on_round(void *arg, uint64_t now)
{
	struct sending *s = arg;
	int rc = send_round(s->d);

	s->next = clock_mono() + NS_PER_S / 20;
	if (rc || s->quiet || now - s->shown < NS_PER_S)
		return rc;
	s->shown = now;
	rc = show_live(s->d, s->sink);
	return rc ? fail_errno(rc, "standard output") : 0;
}

/* Sends rounds of traffic and prints a table per second. The first round waits until the kernel has
 * sent the packets that it sends when links come up. */
static int send_all(struct demo *d, const struct demo_opts *o, struct sink *sink)
{
	uint64_t start = clock_mono(), first = start + NS_PER_S / 20;
	struct sending s = { d, sink, first, start, o->common.quiet };
	const struct event_loop loop = {
		.end = start + o->common.duration,
		.next_timer = next_round,
		.on_timer = on_round,
		.arg = &s,
	};
	int rc = wait_for(0, first) == WAIT_TIMEOUT ? on_round(&s, clock_mono()) : 0;

	return rc ? rc : event_loop_run(&loop);
}

static bool same_stats(const struct link_stats *a, const struct link_stats *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static int read_stats(struct demo *d, struct link_stats *stats)
{
	for (int side = 0; side < LAB_SIDES; side++) {
		struct lab_end *end = &d->lab.end[side];
		struct link now;
		int rc = link_get(&end->nl, NULL, end->link.ifindex, &now);

		if (rc)
			return fail_errno(rc, "%s: statistics", end->link.name);
		stats[side] = now.stats;
	}
	return 0;
}

/* Reads both sides' statistics at a moment when they do not change: the kernel sends packets on its
 * own (neighbour discovery, multicast reports). */
static int read_settled(struct demo *d)
{
	struct link_stats before[LAB_SIDES];
	int rc = 0;

	for (int i = 0; i < SETTLE_TRIES && !rc; i++) {
		rc = read_stats(d, before);
		if (!rc)
			rc = read_both(d);
		if (!rc)
			rc = read_stats(d, d->stats);
		if (!rc && same_stats(&before[LAB_NEAR], &d->stats[LAB_NEAR]) &&
		    same_stats(&before[LAB_FAR], &d->stats[LAB_FAR]))
			return 0;
		wait_for(0, clock_mono() + NS_PER_S / 100);
	}
	return rc ? rc
		  : fail(-EBUSY,
			 "other packets in the private network disturb the count: try again");
}

static struct gate_sum sum_of(const struct gate_counters *t, enum gate_dir dir)
{
	struct gate_sum sum = { 0 };

	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].dir != dir)
			continue;
		sum.packets += t->rows[i].packets;
		sum.bytes += t->rows[i].bytes;
	}
	return sum;
}

/* header: bytes of each packet that the other source may not count. */
static int compare_counts(struct demo *d, struct sink *sink, struct compare_rec *rec,
			  uint32_t header)
{
	bool packets = rec->packets == rec->packets_there;
	bool bytes = rec->bytes == rec->bytes_there;
	bool but_headers = rec->bytes == rec->bytes_there + header * rec->packets_there;

	rec->same = packets && bytes ? "yes" : packets && but_headers ? "yes*" : "NO";
	d->differ += !packets || (!bytes && !but_headers);
	d->headers |= packets && !bytes && but_headers;
	return sink_row(sink, rec);
}

/* Returns the bytes per packet that the kernel's statistics omit. While a veth interface receives
 * packets at native XDP, they count packets of both ends without their Ethernet header
 * (veth_xdp_rcv() in drivers/net/veth.c adds skb->len after eth_type_trans()). */
static uint32_t left_out(const struct demo *d, int side, enum gate_dir dir)
{
	int receiver = dir == GATE_IN ? side : !side;

	return d->gate[receiver].counters[GATE_IN].hook == HOOK_XDP_NATIVE ? ETH_HLEN : 0;
}

/* Compares each side and direction with the kernel's interface statistics. */
static int compare_stats(struct demo *d, struct sink *sink)
{
	static const char *const names[LAB_SIDES][GATE_DIRS] = { { "sonde0 in", "sonde0 out" },
								 { "sonde1 in", "sonde1 out" } };
	static const char *const theirs[GATE_DIRS] = { "kernel rx", "kernel tx" };
	int rc = 0;

	for (int side = 0; side < LAB_SIDES && !rc; side++) {
		const struct link_stats *s = &d->stats[side];

		for (int dir = 0; dir < GATE_DIRS && !rc; dir++) {
			struct gate_sum sum = sum_of(&d->table[side], dir);
			struct compare_rec rec = {
				.what = names[side][dir],
				.against = theirs[dir],
				.packets = sum.packets,
				.bytes = sum.bytes,
				.packets_there = dir == GATE_IN ? s->rx_packets : s->tx_packets,
				.bytes_there = dir == GATE_IN ? s->rx_bytes : s->tx_bytes,
			};

			rc = compare_counts(d, sink, &rec, left_out(d, side, dir));
		}
	}
	return rc;
}

/* Compares with the data that the sockets sent, plus computed headers. */
static int compare_sent(struct demo *d, struct sink *sink)
{
	static const struct {
		const char *what, *against;
		uint8_t family;
		uint32_t proto;
		uint32_t headers;
	} kinds[] = {
		{ "udp over ipv4", "sent by sockets", GATE_IPV4, 17, ETH_HLEN + 20 + 8 },
		{ "icmp", "sent by sockets", GATE_IPV4, 1, ETH_HLEN + 20 + 8 },
		{ "udp over ipv6", "sent by sockets", GATE_IPV6, 17, ETH_HLEN + 40 + 8 },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && !rc; i++) {
		struct gate_row key = { .dir = GATE_OUT,
					.family = kinds[i].family,
					.verdict = GATE_PASS,
					.proto = kinds[i].proto };
		const struct gate_row *row = gate_counters_find(&d->table[LAB_NEAR], &key);
		bool udp = kinds[i].proto == 17;
		uint64_t sent = udp ? d->datagrams : d->pings;
		struct compare_rec rec = {
			.what = kinds[i].what,
			.against = kinds[i].against,
			.packets = row ? row->packets : 0,
			.bytes = row ? row->bytes : 0,
			.packets_there = sent,
			.bytes_there = sent * (kinds[i].headers +
					       (udp ? (uint32_t)DATAGRAM_LEN : (uint32_t)PING_LEN)),
		};

		if (kinds[i].family != GATE_IPV6 || d->lab.ipv6)
			rc = compare_counts(d, sink, &rec, 0);
	}
	return rc;
}

static int compare_all(struct demo *d, struct sink *sink)
{
	int rc = read_settled(d);

	if (rc)
		return rc;
	rc = sink_begin(sink, &compare_schema, NULL);
	if (!rc)
		rc = compare_stats(d, sink);
	if (!rc)
		rc = compare_sent(d, sink);
	if (!rc)
		rc = sink_end(sink);
	if (!rc && d->headers)
		rc = sink_line(sink,
			       "* veth's own statistics leave out the %d-byte Ethernet header of "
			       "each packet",
			       ETH_HLEN);
	if (!rc && !d->differ)
		rc = sink_line(sink, "all counts match");
	if (rc)
		return fail_errno(rc, "standard output");
	return d->differ ? fail(-EIO, "%u counts differ", d->differ) : 0;
}

static int run_in_lab(struct demo *d, const struct demo_opts *o, struct sink *sink)
{
	int rc = lab_open(&d->lab);

	/* The gates are attached while the kernel's counters are zero, too. */
	if (!rc)
		rc = attach_both(d);
	if (!rc)
		rc = lab_up(&d->lab);
	if (!rc)
		rc = send_all(d, o, sink);
	if (!rc)
		rc = compare_all(d, sink);
	for (int side = 0; side < LAB_SIDES; side++) {
		gate_close(&d->gate[side], &d->lab.end[side].nl);
		gate_counters_free(&d->table[side]);
	}
	lab_close(&d->lab);
	return rc;
}

static int run_demo(int argc, char **argv)
{
	struct demo_opts o = { .common.duration = 3 * NS_PER_S };
	struct demo *d;
	struct sink *sink;
	int rc;

	rc = cmd_parse_options(&spec, &o, &o.common, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	rc = wait_catch_signals();
	if (rc)
		return fail_errno(rc, "signals");
	d = calloc(1, sizeof(*d));
	sink = d ? cmd_open_sink(&o.common, true, NULL) : NULL;
	rc = sink ? run_in_lab(d, &o, sink) : -EIO;
	sink_free(sink);
	free(d);
	return rc;
}

const struct command cmd_demo = { &spec, run_demo, NULL, records };
