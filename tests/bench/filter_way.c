/* SPDX-License-Identifier: MIT */
/* The contenders, and how each kind of filter is put on an interface and taken off again. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "sys/bpf.h"
#include "tests/bench/drops.gen.h"
#include "tests/bench/filter.h"

#define XDP_FILTER_PIN "/sys/fs/bpf/xdp-filter/filter_ipv4"
#define PORT           "udp dst port 20000" /* FLOOD_PORT */

const struct members sets[SETS] = {
	[SET_ADDRS] = { 10000, SET_IPV4, true },
	[SET_CIDRS] = { 10000, SET_IPV4, false },
	[SET_ADDRS_1M] = { 1000000, SET_IPV4, true },
	[SET_CIDRS_1M] = { 1000000, SET_IPV4, false },
};

/* clang-format off */
struct contender contenders[CONTENDERS] = {
	[FLOOR_XDP] = { "xdp-drop", "bare XDP_DROP", NULL, &way_prog,
		.prog = DROPS_PROG_BENCH_DROP },
	[FLOOR_TC] = { "tc-shot", "bare TC_ACT_SHOT", NULL, &way_prog,
		.prog = DROPS_PROG_BENCH_SHOT },
	[HASH] = { "hash", "XDP, the kernel's hash, 10,000", "set", &way_prog,
		.set = SET_ADDRS, .prog = DROPS_PROG_BENCH_HASH },
	[TRIE] = { "trie", "XDP, its LPM trie, 10,000", "set", &way_prog,
		.set = SET_ADDRS, .prog = DROPS_PROG_BENCH_TRIE },
	[TRIE_CIDR] = { "trie-cidr", "XDP, its LPM trie, 10,000 CIDRs", "set", &way_prog,
		.set = SET_CIDRS, .prog = DROPS_PROG_BENCH_TRIE },
	[XDP_FILTER] = { "xdp-filter", "xdp-filter, 10,000", "set", &way_xdp_filter,
		.set = SET_ADDRS, .program = "xdp-filter", .package = "xdp-tools" },
	[NFT] = { "nft", "nft ingress set, 10,000", "set", &way_nft,
		.set = SET_ADDRS, .nft_set = "size 65536;", .rule = "ip saddr @s drop",
		.program = "nft", .package = "nftables" },
	[NFT_CIDR] = { "nft-cidr", "nft ingress set, 10,000 CIDRs", "set", &way_nft,
		.set = SET_CIDRS, .nft_set = "flags interval; auto-merge;",
		.rule = "ip saddr @s drop", .program = "nft", .package = "nftables" },
	[SONDE] = { "sonde", "sonde, 10,000", "set", &way_sonde,
		.set = SET_ADDRS, .hook = "xdp", .rule = "src set %s" },
	[SONDE_CIDR] = { "sonde-cidr", "sonde, 10,000 CIDRs", "set", &way_sonde,
		.set = SET_CIDRS, .hook = "xdp", .rule = "src set %s" },
	[HASH_1M] = { "hash-1m", "XDP, the kernel's hash, 1,000,000", "million", &way_prog,
		.set = SET_ADDRS_1M, .prog = DROPS_PROG_BENCH_HASH },
	[SONDE_1M] = { "sonde-1m", "sonde, 1,000,000", "million", &way_sonde,
		.set = SET_ADDRS_1M, .hook = "xdp", .rule = "src set %s" },
	[SONDE_CIDR_1M] = { "sonde-cidr-1m", "sonde, 1,000,000 CIDRs", "million", &way_sonde,
		.set = SET_CIDRS_1M, .hook = "xdp", .rule = "src set %s" },
	[NFT_RULE] = { "nft-rule", "nft ingress, a rule", "rule", &way_nft,
		.rule = "udp dport 20000 drop", .program = "nft", .package = "nftables" },
	[NFT_RULES] = { "nft-rules", "nft ingress, the last of 100", "rule", &way_nft,
		.rule = "udp dport 20000 drop", .rules = 100,
		.program = "nft", .package = "nftables" },
	[SONDE_RULE] = { "sonde-rule", "sonde, a rule", "rule", &way_sonde,
		.hook = "xdp", .rule = PORT },
	[SONDE_RULES] = { "sonde-rules", "sonde, the last of 100", "rule", &way_sonde,
		.hook = "xdp", .rule = PORT, .rules = 100 },
	[SONDE_TC] = { "sonde-tc", "sonde at tc, 10,000", "tc", &way_sonde, FLOOR_TC,
		.set = SET_ADDRS, .hook = "tc", .rule = "src set %s" },
	[SONDE_TC_CIDR] = { "sonde-tc-cidr", "sonde at tc, 10,000 CIDRs", "tc", &way_sonde,
		FLOOR_TC, .set = SET_CIDRS, .hook = "tc", .rule = "src set %s" },
	[SONDE_TC_RULE] = { "sonde-tc-rule", "sonde at tc, a rule", "tc", &way_sonde, FLOOR_TC,
		.hook = "tc", .rule = PORT },
	/* So few that nearly all are dropped. */
	[NFT_LIMIT] = { "nft-limit", "nft ingress, a limit for each source", "limit", &way_nft,
		.nft_set = "size 65536; flags dynamic,timeout; timeout 60s;",
		.rule = "add @s { ip saddr limit rate over 1/minute burst 1 packets } drop",
		.program = "nft", .package = "nftables" },
	[SONDE_LIMIT] = { "sonde-limit", "sonde guard, a limit for each source", "limit",
		&way_guard, .hook = "xdp", .rule = "src 1 packets/m burst 1" },
	[SONDE_BAN] = { "sonde-ban", "sonde guard, banned by that limit", "limit", &way_guard,
		.hook = "xdp", .rule = "src 1 packets/m burst 1 ban 1h" },
};
/* clang-format on */

void contenders_find(struct bench *b)
{
	run_widen_path();
	for (int i = 0; i < CONTENDERS; i++) {
		struct contender *c = &contenders[i];

		c->absent = !run_in_path(c->program ? c->program : b->opts.sonde);
		if (c->absent)
			printf("left out: %s (%s%s)\n", c->name, c->package ? "package " : "",
			       c->package ? c->package : "not available");
	}
}

bool contender_chosen(const struct bench *b, const struct contender *c)
{
	return !c->absent && bench_chosen(b->opts.only, c->name);
}

int text_file(const struct buf *text)
{
	int fd = memfd_create("text", MFD_CLOEXEC), rc = 0;

	if (fd < 0 || text->nomem)
		rc = text->nomem ? -ENOMEM : -errno;
	for (size_t at = 0; at < text->len && !rc;) {
		ssize_t n = write(fd, text->data + at, text->len - at);

		rc = n < 0 ? -errno : 0;
		at += n > 0 ? (size_t)n : 0;
	}
	if (!rc)
		return fd;
	if (fd >= 0)
		close(fd);
	return fail_errno(rc, "a file in memory");
}

static void fd_path(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/%d/fd/%d", (int)getpid(), fd);
}

int set_path(struct bench *b, enum set set, char *path, size_t size)
{
	struct buf text = { 0 };

	if (!b->set_fd[set]) {
		int fd;

		members_text(&sets[set], "\n", &text);
		buf_char(&text, '\n');
		fd = text_file(&text);
		buf_free(&text);
		if (fd < 0)
			return fd;
		b->set_fd[set] = fd;
	}
	fd_path(b->set_fd[set], path, size);
	return 0;
}

static int run(const char *const *argv, struct run *run)
{
	struct run unwanted;

	return run_program(argv, false, run ? run : &unwanted);
}

static int attach(struct bench *b, unsigned int prog)
{
	struct lab_end *end = &b->wire.lab.end[LAB_FAR];
	bool xdp = prog != DROPS_PROG_BENCH_SHOT;
	struct attach_report report = { 0 };
	int rc = attach_open(&b->attach, &end->nl, end->link.ifindex, true, b->obj.prog_fd[prog],
			     xdp ? HOOK_BIT(HOOK_XDP_NATIVE) : HOOKS_TC, false, &report);

	return rc ? fail_errno(rc, "attaching a program to %s", WIRE_IFACE) : 0;
}

static int prog_down(struct bench *b, const struct contender *c)
{
	(void)c;
	attach_close(&b->attach, &b->wire.lab.end[LAB_FAR].nl);
	obj_close(&b->obj);
	return 0;
}

static int prog_up(struct bench *b, const struct contender *c)
{
	const struct members *m = &sets[c->set];
	bool trie = c->prog == DROPS_PROG_BENCH_TRIE;
	int map = trie ? DROPS_MAP_TRIE : DROPS_MAP_HASH;
	const struct obj_map maps[DROPS_NMAPS] = {
		[DROPS_MAP_HASH] = { .max_entries = m->n },
		[DROPS_MAP_TRIE] = { .max_entries = m->n },
	};
	const struct obj_opts opts = { .progs = 1u << c->prog, .maps = maps };
	int rc = obj_open(&b->obj, &drops_spec, &opts);

	if (!rc && m->n) {
		rc = members_fill(m, b->obj.map_fd[map], trie);
		if (rc)
			fail_errno(rc, "a map for %s", c->name);
	}
	if (!rc)
		rc = attach(b, c->prog);
	if (rc)
		obj_close(&b->obj);
	return rc;
}

const struct way way_prog = { prog_up, prog_down };

/* The rules' lines, of which the last is the one. */
static void put_rules(const struct contender *c, const char *others, const char *rule,
		      struct buf *out)
{
	for (unsigned int i = 1; i < c->rules; i++)
		buf_printf(out, others, 30000 + i);
	buf_printf(out, "%s\n", rule);
}

int nft_load(struct bench *b, const struct contender *c, struct run *took)
{
	struct buf text = { 0 };
	char path[64];
	int fd;
	int rc;

	(void)b;
	buf_printf(&text, "table netdev bench {\n");
	if (c->nft_set)
		buf_printf(&text, "set s { type ipv4_addr; %s\n", c->nft_set);
	if (c->set) {
		buf_printf(&text, "elements = { ");
		members_text(&sets[c->set], ", ", &text);
		buf_printf(&text, " }\n");
	}
	buf_printf(&text, "%schain c { type filter hook ingress device %s priority -500;\n",
		   c->nft_set ? "}\n" : "", WIRE_IFACE);
	put_rules(c, "udp dport %u drop\n", c->rule, &text);
	buf_printf(&text, "}\n}\n");
	fd = text_file(&text);
	buf_free(&text);
	if (fd < 0)
		return fd;
	fd_path(fd, path, sizeof(path));
	rc = run((const char *const[]){ "nft", "-f", path, NULL }, took);
	close(fd);
	return rc;
}

static int nft_up(struct bench *b, const struct contender *c)
{
	return nft_load(b, c, NULL);
}

static int nft_down(struct bench *b, const struct contender *c)
{
	(void)b;
	(void)c;
	return run((const char *const[]){ "nft", "flush", "ruleset", NULL }, NULL);
}

const struct way way_nft = { nft_up, nft_down };

int xdp_filter_load(uint32_t n, struct run *took)
{
	struct run one;
	int rc = 0;

	*took = (struct run){ 0 };
	for (uint32_t i = 0; i < n && !rc; i++) {
		char addr[INET_ADDRSTRLEN];
		struct sets_key key;

		member_key(&sets[SET_ADDRS], i, &key);
		inet_ntop(AF_INET, key.addr, addr, sizeof(addr));
		rc = run((const char *const[]){ "xdp-filter", "ip", "-m", "src", addr, NULL },
			 &one);
		took->wall_ms += one.wall_ms;
		took->cpu_ms += one.cpu_ms;
	}
	return rc;
}

static int open_pin(const char *path)
{
	union bpf_attr attr = { .pathname = (uintptr_t)path };
	long fd = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* The first address by its own hand, the others as it has put that one into its map: all by itself
 * would take it half a minute. */
static int xdp_filter_fill(void)
{
	int fd = open_pin(XDP_FILTER_PIN), rc = 0, ncpus = bpf_possible_cpus();
	struct sets_key key;
	uint64_t values[1024];

	if (fd < 0)
		return fail_errno(fd, "%s", XDP_FILTER_PIN);
	if (ncpus > (int)(ARRAY_LEN(values)))
		rc = -E2BIG;
	member_key(&sets[SET_ADDRS], 0, &key);
	if (!rc)
		rc = bpf_map_lookup(fd, key.addr, values);
	for (uint32_t i = 1; i < sets[SET_ADDRS].n && !rc; i++) {
		member_key(&sets[SET_ADDRS], i, &key);
		rc = bpf_map_update(fd, key.addr, values, BPF_NOEXIST);
	}
	close(fd);
	return rc ? fail_errno(rc, "%s", XDP_FILTER_PIN) : 0;
}

static int xdp_filter_down(struct bench *b, const struct contender *c)
{
	(void)b;
	(void)c;
	return run((const char *const[]){ "xdp-filter", "unload", WIRE_IFACE, NULL }, NULL);
}

static int xdp_filter_up(struct bench *b, const struct contender *c)
{
	struct run first;
	int rc = run((const char *const[]){ "xdp-filter", "load", "-f", "ipv4", WIRE_IFACE, NULL },
		     NULL);

	if (rc)
		return rc;
	rc = xdp_filter_load(1, &first);
	if (!rc)
		rc = xdp_filter_fill();
	if (rc)
		xdp_filter_down(b, c);
	return rc;
}

const struct way way_xdp_filter = { xdp_filter_up, xdp_filter_down };

static int sonde_replace(struct bench *b, const struct contender *c, struct run *took)
{
	struct buf text = { 0 };
	char path[64];
	int fd, rc;

	put_rules(c, "drop udp dst port %u\n", "drop " PORT, &text);
	fd = text_file(&text);
	buf_free(&text);
	if (fd < 0)
		return fd;
	fd_path(fd, path, sizeof(path));
	rc = run((const char *const[]){ b->opts.sonde, "filter", "replace", "--no-ssh", "-i",
					WIRE_IFACE, "--at", c->hook, "-f", path, NULL },
		 took);
	close(fd);
	return rc;
}

int sonde_load(struct bench *b, const struct contender *c, struct run *took)
{
	char path[64] = "", rule[256];
	int rc = c->set ? set_path(b, c->set, path, sizeof(path)) : 0;

	if (rc)
		return rc;
	if (c->rules)
		return sonde_replace(b, c, took);
	snprintf(rule, sizeof(rule), c->rule, path);
	return run((const char *const[]){ b->opts.sonde, "filter", "add", "--no-ssh", "-i",
					  WIRE_IFACE, "--at", c->hook, "drop", rule, NULL },
		   took);
}

static int sonde_up(struct bench *b, const struct contender *c)
{
	return sonde_load(b, c, NULL);
}

static int sonde_down(struct bench *b, const struct contender *c)
{
	(void)c;
	return run(
		(const char *const[]){ b->opts.sonde, "filter", "clear", "-i", WIRE_IFACE, NULL },
		NULL);
}

const struct way way_sonde = { sonde_up, sonde_down };

static int guard_up(struct bench *b, const struct contender *c)
{
	return run((const char *const[]){ b->opts.sonde, "guard", "start", "--enforce", "-i",
					  WIRE_IFACE, "--at", c->hook, "-l", c->rule, NULL },
		   NULL);
}

static int guard_down(struct bench *b, const struct contender *c)
{
	(void)c;
	return run((const char *const[]){ b->opts.sonde, "guard", "stop", "-i", WIRE_IFACE, NULL },
		   NULL);
}

const struct way way_guard = { guard_up, guard_down };
