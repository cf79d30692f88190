/* SPDX-License-Identifier: MIT */
/* Capture's programs: packet parsing and filters give the same result as in user space; large
 * filters load. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "base/err.h"
#include "bpf/capture.h"
#include "filter/view.h"
#include "gen/capture.gen.h"
#include "obj/feature.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "tests/lib/exprs.h"
#include "tests/lib/insn.h"
#include "tests/run/random_packets.h"
#include "tests/run/run.h"

enum {
	SEED = 20270131,
	RANDOM_PACKETS = 30000,
	EXPRESSIONS = 150,
	PACKETS = 60,
	TEXT_MAX = 2000,
	VALUE_SIZE = 1 << 20,
	CPUS_MAX = 1024,
	VERIFIED_INSNS_MAX = 200000, /* instructions; the verifier's limit is a million */
};

/* A capture program with a filter. */
struct bench {
	struct obj obj;
	struct filter filter;
	bool exact;
	int prog;
};

/* Loads it. Returns 0 or -errno; any other failure fails the test. */
static int bench_try(struct bench *b, const char *text, int prog)
{
	uint32_t cpus = (uint32_t)bpf_possible_cpus();
	struct capture_conf conf = { .snaplen = CAPTURE_SNAPLEN_MAX,
				     .fill = VALUE_SIZE / 2,
				     .chunks = 1,
				     .cpus = cpus,
				     .ethernet = 1,
				     .filter = 1,
				     .inner = 1,
				     .groups = VIEW_GROUPS,
				     .multibuf = !feature_try("XDP frames in several buffers") };
	struct obj_map maps[CAPTURE_NMAPS] = {
		[CAPTURE_MAP_CPUS] = { .max_entries = cpus },
		[CAPTURE_MAP_BLOCKS] = { .max_entries = cpus, .value_size = VALUE_SIZE },
	};
	struct obj_code stubs[CAPTURE_NPROGS] = { { 0 } };
	struct obj_opts opts = { .conf = &conf, .maps = maps, .stubs = stubs, .progs = 1u << prog };
	bool xdp = capture_spec.progs[prog].type == BPF_PROG_TYPE_XDP;
	struct filter_code code = { 0 };
	struct sets sets = { 0 };
	struct diag diag = { 0 };
	int rc;

	*b = (struct bench){ 0 };
	CHECK(!filter_parse(&b->filter, text, &exprs_names, &diag), "'%s': %s", text, diag.msg);
	rc = filter_emit(&b->filter, xdp ? FILTER_XDP : FILTER_SKB, &code, &diag);
	CHECK(!rc, "'%s': %s", text, diag.msg);
	CHECK(!sets_open(&sets, (const struct filter *[]){ &b->filter }, 1, "set"),
	      "cannot open the sets");
	CHECK(!sets_link(&sets, &code), "no memory");
	stubs[prog] = (struct obj_code){ .insns = code.insns, .n = (uint32_t)code.n };
	rc = obj_open(&b->obj, &capture_spec, &opts);
	b->exact = code.exact;
	b->prog = b->obj.prog_fd[prog];
	sets_close(&sets);
	filter_code_close(&code);
	return rc;
}

static void bench_close(struct bench *b)
{
	obj_close(&b->obj);
	filter_close(&b->filter);
}

static void bench_open(struct bench *b, const char *text, int prog)
{
	CHECK(!bench_try(b, text, prog), "cannot load '%s'", text);
}

struct load_config {
	uint32_t snaplen, flags;
	uint8_t owner, full; /* full: all that makes the programs larger */
};

static int try_config(const struct load_config *l, uint32_t progs)
{
	uint32_t cpus = (uint32_t)bpf_possible_cpus();
	struct capture_conf conf = { .snaplen = l->snaplen,
				     .fill = VALUE_SIZE / 2,
				     .chunks = 4,
				     .cpus = cpus,
				     .ethernet = !l->full,
				     .prepend = l->full,
				     .filter = l->full,
				     .inner = l->full,
				     .groups = l->full ? VIEW_GROUPS : VIEW_ADDRS | VIEW_PORTS,
				     .multibuf = !feature_try("XDP frames in several buffers"),
				     .owner = l->owner,
				     .filter_owner = l->full && l->owner,
				     .observer = l->full };
	struct obj_map maps[CAPTURE_NMAPS] = {
		[CAPTURE_MAP_CPUS] = { .max_entries = cpus },
		[CAPTURE_MAP_BLOCKS] = { .max_entries = 4 * cpus,
					 .value_size =
						 VALUE_SIZE / 2 + l->snaplen + CAPTURE_BLOCK_REST },
	};
	struct obj_opts opts = { .conf = &conf, .maps = maps, .progs = progs, .flags = l->flags };
	struct obj obj = { 0 };
	int rc = obj_open(&obj, &capture_spec, &opts);

	obj_close(&obj);
	return rc;
}

/* Verifiers must accept every configuration, also with strict alignment. The map value ends right
 * after the longest block, so a bound that is too wide is refused. */
TEST(capture_loads, "capture: every program loads in every configuration", TEST_ROOT, 120)
{
	static const struct load_config configs[] = {
		{ 1, 0, CAPTURE_OWNER_NONE, 0 },
		{ 60, 0, CAPTURE_OWNER_OUT, 0 },
		{ 60, 0, CAPTURE_OWNER_ALL, 1 },
		{ CAPTURE_SNAPLEN_MAX, 0, CAPTURE_OWNER_NONE, 1 },
		{ CAPTURE_SNAPLEN_MAX, 0, CAPTURE_OWNER_ALL, 0 },
		{ CAPTURE_SNAPLEN_MAX, BPF_F_STRICT_ALIGNMENT, CAPTURE_OWNER_ALL, 0 },
		{ CAPTURE_SNAPLEN_MAX, BPF_F_STRICT_ALIGNMENT, CAPTURE_OWNER_ALL, 1 },
	};
	uint32_t rings = 1u << CAPTURE_PROG_SONDE_RING_IN | 1u << CAPTURE_PROG_SONDE_RING_OUT |
			 1u << CAPTURE_PROG_SONDE_RING_XDP;
	uint32_t caps = 1u << CAPTURE_PROG_SONDE_CAP_IN | 1u << CAPTURE_PROG_SONDE_CAP_OUT |
			1u << CAPTURE_PROG_SONDE_CAP_XDP;

	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		CHECK(!try_config(&configs[i], rings), "ring, configuration %zu", i);
		if (!feature_try("atomics that fetch"))
			CHECK(!try_config(&configs[i], caps), "mapped, configuration %zu", i);
	}
}

/* Selects the program of a hook that this kernel can load: some have no atomic operations that
 * fetch. */
static int at_hook(int cap, int ring)
{
	char text[200];
	struct err_capture before = err_capture_begin(text, sizeof(text));
	struct bench b;
	int rc = bench_try(&b, "", cap);

	err_capture_end(before);
	bench_close(&b);
	return rc ? ring : cap;
}
#define AT_XDP at_hook(CAPTURE_PROG_SONDE_CAP_XDP, CAPTURE_PROG_SONDE_RING_XDP)
#define AT_TC  at_hook(CAPTURE_PROG_SONDE_CAP_IN, CAPTURE_PROG_SONDE_RING_IN)

/* Sums the counts of all CPUs. */
static struct capture_counts sum_counts(const struct bench *b)
{
	static struct capture_counts each[CPUS_MAX];
	struct capture_counts sum = { 0 };
	uint32_t zero = 0;

	CHECK(bpf_possible_cpus() <= CPUS_MAX, "more CPUs than this test supports");
	CHECK(!bpf_map_lookup(b->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, each),
	      "cannot read the counts");
	for (int i = 0; i < bpf_possible_cpus(); i++) {
		sum.seen += each[i].seen;
		sum.matched += each[i].matched;
	}
	return sum;
}

/* Runs a program. Returns false if the kernel refuses the packet. */
static bool run_on(int prog, const void *data, size_t len, const struct __sk_buff *ctx)
{
	struct bpf_run run = {
		.data = data, .len = (uint32_t)len, .ctx = ctx, .ctx_len = ctx ? sizeof(*ctx) : 0
	};
	int rc = bpf_prog_run(prog, &run);

	CHECK(!rc || rc == -EINVAL, "cannot run: %s", strerror(-rc));
	return !rc;
}

/* Runs a program. Returns the views that it stores, or NULL if the kernel refuses the packet. */
static const struct view *views_of(const struct bench *b, int prog, const struct packet *p,
				   const struct __sk_buff *ctx)
{
	enum { SIZE = VIEW_LAYERS * sizeof(struct view) + 8 }; /* struct view_work */
	static struct capture_counts before[CPUS_MAX], after[CPUS_MAX];
	static uint8_t each[CPUS_MAX * SIZE];
	uint32_t zero = 0;
	int cpu = 0, n = bpf_possible_cpus();

	CHECK(capture_spec.maps[CAPTURE_MAP_SCRATCH].value_size == SIZE,
	      "the views have another size");
	CHECK(!bpf_map_lookup(b->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, before),
	      "cannot read the counts");
	if (!run_on(prog, p->at, p->len, ctx))
		return NULL;
	CHECK(!bpf_map_lookup(b->obj.map_fd[CAPTURE_MAP_COUNTS], &zero, after),
	      "cannot read the counts");
	CHECK(!bpf_map_lookup(b->obj.map_fd[CAPTURE_MAP_SCRATCH], &zero, each),
	      "cannot read the views");
	while (cpu < n && before[cpu].seen == after[cpu].seen)
		cpu++;
	return cpu < n ? (const struct view *)(each + cpu * SIZE) : NULL;
}

static void user_views(struct view views[VIEW_LAYERS], const uint8_t *data, size_t len)
{
	struct frame frame = { .data = data,
			       .caplen = (uint32_t)len,
			       .len = (uint32_t)len,
			       .link = FRAME_ETHERNET,
			       .dir = FRAME_IN };

	view_frame(views, &frame);
}

static const char *format_hex(const uint8_t *data, size_t len)
{
	static char text[2 * PACKET_MAX + 1];

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", data[i]);
	return text;
}

/* moved: bytes that are outside of the packet in the kernel, and inside it in user space. */
static void expect_same_views(const struct view *kernel, const struct view *user,
			      unsigned int moved, const uint8_t *data, size_t len)
{
	for (int i = 0; i < VIEW_LAYERS; i++) {
		struct view k = kernel[i], u = user[i];
		const uint8_t *a = (const uint8_t *)&k, *b = (const uint8_t *)&u;
		uint16_t *offsets[] = { &k.link, &k.net, &k.trans, &k.payload };

		k.ifindex = 0;
		for (size_t n = i ? 0 : 1; n < ARRAY_LEN(offsets); n++)
			if (*offsets[n] != VIEW_NONE)
				*offsets[n] = (uint16_t)(*offsets[n] + moved);
		for (size_t at = 0; at < sizeof(k); at++)
			CHECK(a[at] == b[at], "view %d, byte %zu: %02x, expected %02x: %s", i, at,
			      a[at], b[at], format_hex(data, len));
	}
}

static void compare_parsing(int prog)
{
	struct view user[VIEW_LAYERS];
	unsigned int ran = 0, n = RANDOM_PACKETS / test_slow();
	struct packet p;
	struct bench b;

	bench_open(&b, "tcp or inner tcp", prog);
	random_packets_seed(SEED);
	for (unsigned int i = 0; i < n; i++) {
		const struct view *kernel;

		random_packets_next(&p);
		kernel = views_of(&b, b.prog, &p, NULL);
		if (!kernel)
			continue;
		user_views(user, p.at, p.len);
		expect_same_views(kernel, user, 0, p.at, p.len);
		ran++;
	}
	CHECK(ran > n / 2 && sum_counts(&b).seen == ran, "ran %u of %u, saw %llu", ran, n,
	      (unsigned long long)sum_counts(&b).seen);
	bench_close(&b);
}

TEST(capture_views_xdp, "capture: same parse result at XDP as in user space", TEST_ROOT, 120)
{
	compare_parsing(AT_XDP);
}

TEST(capture_views_skb, "capture: same parse result at tc as in user space", TEST_ROOT, 120)
{
	compare_parsing(AT_TC);
}

/* User space sees a tag that hardware removed inside the packet again. */
TEST(capture_views_tagged, "capture: VLAN tags in the skb's metadata", TEST_ROOT, 120)
{
	enum { TAG_AT = 12, TAG = 4 };
	struct view user[VIEW_LAYERS];
	struct packet p, tagged;
	struct obj stage;
	struct bench b;

	bench_open(&b, "vlan 7 and tcp", AT_TC);
	stage_open(&stage);
	stage_link(&stage, TC_IN, b.prog);
	random_packets_seed(SEED);
	for (unsigned int i = 0; i < RANDOM_PACKETS / 10 / test_slow(); i++) {
		struct __sk_buff ctx = { .cb[STAGE_VLAN_PROTO] = 0x0081, .cb[STAGE_VLAN_ID] = 7 };
		const struct view *kernel;

		if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
			ctx.cb[STAGE_VLAN_PROTO] = 0x8100;
		ctx.cb[STAGE_PROG] = TC_IN;
		random_packets_next(&p);
		kernel = views_of(&b, stage.prog_fd[0], &p, &ctx);
		if (!kernel)
			continue;
		tagged = (struct packet){ .len = 0 };
		packet_bytes(&tagged, p.at, TAG_AT);
		packet_vlan(&tagged, 0x8100, 7);
		packet_bytes(&tagged, p.at + TAG_AT, p.len - TAG_AT);
		user_views(user, tagged.at, tagged.len);
		expect_same_views(kernel, user, TAG, tagged.at, tagged.len);
	}
	CHECK(sum_counts(&b).seen > RANDOM_PACKETS / 20 / test_slow(), "too few packets were run");
	obj_close(&stage);
	bench_close(&b);
}

static void compare_filters(int prog)
{
	static struct exprs_packet packets[PACKETS];
	unsigned int yes = 0, no = 0;
	char text[TEXT_MAX];
	struct bench b;

	exprs_seed(SEED);
	for (int i = 0; i < PACKETS; i++) {
		exprs_draw_packet(&packets[i]);
		packets[i].frame.caplen = packets[i].frame.len;
		user_views(packets[i].views, packets[i].data, packets[i].frame.len);
	}
	for (unsigned int e = 0; e < EXPRESSIONS / test_slow(); e++) {
		struct diag diag = { 0 };
		struct filter f = { 0 };

		exprs_draw_ext_text(text, sizeof(text));
		if (filter_parse(&f, text, &exprs_names, &diag))
			continue;
		filter_close(&f);
		bench_open(&b, text, prog);
		for (int i = 0; i < PACKETS; i++) {
			const struct exprs_packet *x = &packets[i];
			struct filter_packet p = { x->views, x->data, x->frame.len };
			uint64_t before = sum_counts(&b).matched;
			bool match = filter_match(&b.filter, &p), kernel;

			if (!run_on(b.prog, x->data, x->frame.len, NULL))
				continue;
			kernel = sum_counts(&b).matched - before;
			if (kernel && !b.exact)
				kernel = filter_recheck(&b.filter, &p);
			CHECK(kernel == match, "'%s': %d, expected %d: %s", text, kernel, match,
			      format_hex(x->data, x->frame.len));
			*(match ? &yes : &no) += 1;
		}
		bench_close(&b);
	}
	CHECK(yes > 100 && no > 100, "too few of either result: %u, %u", yes, no);
}

TEST(capture_matches_xdp, "capture: filters match the same packets at XDP as in user space",
     TEST_ROOT, 120)
{
	compare_filters(AT_XDP);
}

TEST(capture_matches_skb, "capture: filters match the same packets at tc as in user space",
     TEST_ROOT, 120)
{
	compare_filters(AT_TC);
}

/* Appends the nth term; all terms differ. */
static void add_host(struct buf *b, unsigned int n)
{
	buf_printf(b, "%shost 10.%u.%u.%u", n ? " or " : "", n >> 6 & 63, n & 63, 1 + n % 250);
}

static void add_host6(struct buf *b, unsigned int n)
{
	buf_printf(b, "%shost 2001:db8:%x::%x", n ? " or " : "", n, n + 1);
}

static void add_range(struct buf *b, unsigned int n)
{
	buf_printf(b, "%s%s portrange %u-%u", n ? " or " : "", n & 1 ? "tcp" : "udp", n * 100,
		   n * 100 + 50);
}

static void add_mixed(struct buf *b, unsigned int n)
{
	buf_printf(b, "%s(%s net 10.%u.0.0/16 and not (port %u or src host 10.0.0.%u))",
		   !n      ? ""
		   : n & 1 ? " or "
			   : " and ",
		   n & 2 ? "src" : "dst", n & 255, n, n & 255);
}

static void add_nested(struct buf *b, unsigned int n)
{
	buf_printf(b, "%s", n ? "" : "tcp");
	for (unsigned int i = 0; !n && i < 95; i++)
		buf_printf(b, " %s (port %u and len > %u", i & 1 ? "and not" : "or", i, i);
	for (unsigned int i = 0; !n && i < 95; i++)
		buf_char(b, ')');
}

static void add_bytes(struct buf *b, unsigned int n)
{
	buf_printf(b, "%stcp[((tcp[12] & 0xf0) >> 2) + %u:4] & 0x%x = %u * (len - ip[2:2])",
		   n ? " or " : "", n, 0xffff + n, n);
}

static void add_name(struct buf *b, unsigned int n)
{
	buf_printf(b, "%s%s host%u.example.com", n ? " or " : "", n & 1 ? "dns" : "sni", n);
}

static const struct {
	const char *name;
	void (*term)(struct buf *b, unsigned int n);
	unsigned int n[3];
} worst[] = {
	{ "host", add_host, { 1, 100, 500 } },
	{ "host, as many as fit", add_host, { 2590 } },
	{ "host, IPv6", add_host6, { 1, 100, 500 } },
	{ "portrange", add_range, { 1, 100, 300 } },
	{ "and, or and not", add_mixed, { 1, 100, 300 } },
	{ "95 deep", add_nested, { 1 } },
	{ "arithmetic", add_bytes, { 1, 50, 150 } },
	{ "dns and sni", add_name, { 1, 50, 150 } },
};

/* The verifier's work grows linearly with the number of terms. */
TEST(capture_worst, "capture: filters of hundreds of terms load", TEST_ROOT, 120)
{
	const int progs[] = { AT_TC, AT_XDP, CAPTURE_PROG_SONDE_RING_IN,
			      CAPTURE_PROG_SONDE_RING_XDP };

	/* Emulated machines test half of the programs. */
	for (size_t i = 0; i<ARRAY_LEN(worst) * 3 * ARRAY_LEN(progs); i += test_slow()> 1 ? 3 : 1) {
		int prog = progs[i % ARRAY_LEN(progs)];
		size_t kind = i / ARRAY_LEN(progs) / 3;
		unsigned int n = worst[kind].n[i / ARRAY_LEN(progs) % 3];
		struct bpf_prog_info info = { 0 };
		struct buf text = { 0 };
		struct bench b;

		for (unsigned int k = 0; k < n; k++)
			worst[kind].term(&text, k);
		buf_char(&text, '\0');
		if (!n)
			continue;
		bench_open(&b, text.data, prog);
		CHECK(!bpf_get_info(b.prog, &info, sizeof(info)),
		      "cannot get the program's information");
		CHECK(info.verified_insns < VERIFIED_INSNS_MAX,
		      "%s: %u terms of %s: the verifier processed %u instructions",
		      capture_spec.progs[prog].name, n, worst[kind].name, info.verified_insns);
		bench_close(&b);
		buf_free(&text);
	}
}
