/* SPDX-License-Identifier: MIT */
/* The contenders, and how each kind of filter is installed and removed. */
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
	[BASELINE_XDP] = { "xdp-drop", "bare XDP_DROP", NULL, &method_prog,
		.prog = DROPS_PROG_BENCH_DROP },
	[BASELINE_TC] = { "tc-shot", "bare TC_ACT_SHOT", NULL, &method_prog,
		.prog = DROPS_PROG_BENCH_SHOT },
	[HASH] = { "hash", "XDP, the kernel's hash, 10,000", "set", &method_prog,
		.set = SET_ADDRS, .prog = DROPS_PROG_BENCH_HASH },
	[TRIE] = { "trie", "XDP, its LPM trie, 10,000", "set", &method_prog,
		.set = SET_ADDRS, .prog = DROPS_PROG_BENCH_TRIE },
	[TRIE_CIDR] = { "trie-cidr", "XDP, its LPM trie, 10,000 CIDRs", "set", &method_prog,
		.set = SET_CIDRS, .prog = DROPS_PROG_BENCH_TRIE },
	[XDP_FILTER] = { "xdp-filter", "xdp-filter, 10,000", "set", &method_xdp_filter,
		.set = SET_ADDRS, .program = "xdp-filter", .package = "xdp-tools" },
	[NFT] = { "nft", "nft ingress set, 10,000", "set", &method_nft,
		.set = SET_ADDRS, .nft_set = "size 65536;", .rule = "ip saddr @s drop",
		.program = "nft", .package = "nftables" },
	[NFT_CIDR] = { "nft-cidr", "nft ingress set, 10,000 CIDRs", "set", &method_nft,
		.set = SET_CIDRS, .nft_set = "flags interval; auto-merge;",
		.rule = "ip saddr @s drop", .program = "nft", .package = "nftables" },
	[SONDE] = { "sonde", "sonde, 10,000", "set", &method_sonde,
		.set = SET_ADDRS, .hook = "xdp", .rule = "src set %s" },
	[SONDE_CIDR] = { "sonde-cidr", "sonde, 10,000 CIDRs", "set", &method_sonde,
		.set = SET_CIDRS, .hook = "xdp", .rule = "src set %s" },
	[HASH_1M] = { "hash-1m", "XDP, the kernel's hash, 1,000,000", "million", &method_prog,
		.set = SET_ADDRS_1M, .prog = DROPS_PROG_BENCH_HASH },
	[SONDE_1M] = { "sonde-1m", "sonde, 1,000,000", "million", &method_sonde,
		.set = SET_ADDRS_1M, .hook = "xdp", .rule = "src set %s" },
	[SONDE_CIDR_1M] = { "sonde-cidr-1m", "sonde, 1,000,000 CIDRs", "million", &method_sonde,
		.set = SET_CIDRS_1M, .hook = "xdp", .rule = "src set %s" },
	[NFT_RULE] = { "nft-rule", "nft ingress, a rule", "rule", &method_nft,
		.rule = "udp dport 20000 drop", .program = "nft", .package = "nftables" },
	[NFT_RULES] = { "nft-rules", "nft ingress, the last of 100", "rule", &method_nft,
		.rule = "udp dport 20000 drop", .rules = 100,
		.program = "nft", .package = "nftables" },
	[SONDE_RULE] = { "sonde-rule", "sonde, a rule", "rule", &method_sonde,
		.hook = "xdp", .rule = PORT },
	[SONDE_RULES] = { "sonde-rules", "sonde, the last of 100", "rule", &method_sonde,
		.hook = "xdp", .rule = PORT, .rules = 100 },
	[SONDE_TC] = { "sonde-tc", "sonde at tc, 10,000", "tc", &method_sonde, BASELINE_TC,
		.set = SET_ADDRS, .hook = "tc", .rule = "src set %s" },
	[SONDE_TC_CIDR] = { "sonde-tc-cidr", "sonde at tc, 10,000 CIDRs", "tc", &method_sonde,
		BASELINE_TC, .set = SET_CIDRS, .hook = "tc", .rule = "src set %s" },
	[SONDE_TC_RULE] = { "sonde-tc-rule", "sonde at tc, a rule", "tc", &method_sonde,
		BASELINE_TC, .hook = "tc", .rule = PORT },
	/* Limits so low that nearly all packets are dropped. */
	[NFT_LIMIT] = { "nft-limit", "nft ingress, limit per source", "limit", &method_nft,
		.nft_set = "size 65536; flags dynamic,timeout; timeout 60s;",
		.rule = "add @s { ip saddr limit rate over 1/minute burst 1 packets } drop",
		.program = "nft", .package = "nftables" },
	[SONDE_LIMIT] = { "sonde-limit", "sonde guard, limit per source", "limit",
		&method_guard, .hook = "xdp", .rule = "src 1 packets/m burst 1" },
	[SONDE_BAN] = { "sonde-ban", "sonde guard, banned by that limit", "limit", &method_guard,
		.hook = "xdp", .rule = "src 1 packets/m burst 1 ban 1h" },
};
/* clang-format on */

void contenders_find_all(struct bench *b)
{
	run_extend_path();
	for (int i = 0; i < CONTENDERS; i++) {
		struct contender *c = &contenders[i];

		c->missing = !run_in_path(c->program ? c->program : b->opts.sonde);
		if (c->missing)
			printf("not installed: %s (%s%s)\n", c->name, c->package ? "package " : "",
			       c->package ? c->package : "not available");
	}
}

bool contender_is_selected(const struct bench *b, const struct contender *c)
{
	return !c->missing && bench_is_selected(b->opts.contenders, c->name);
}

int memfd_write_text(const struct buf *text)
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
	return fail_errno(rc, "cannot write a memfd");
}

static void format_fd_path(int fd, char *path, size_t size)
{
	snprintf(path, size, "/proc/%d/fd/%d", (int)getpid(), fd);
}

int set_path(struct bench *b, enum set_id set, char *path, size_t size)
{
	struct buf text = { 0 };

	if (!b->set_fd[set]) {
		int fd;

		members_put_text(&sets[set], "\n", &text);
		buf_char(&text, '\n');
		fd = memfd_write_text(&text);
		buf_free(&text);
		if (fd < 0)
			return fd;
		b->set_fd[set] = fd;
	}
	format_fd_path(b->set_fd[set], path, size);
	return 0;
}

static int run_command(const char *const *argv, struct run *run)
{
	struct run ignored;

	return run_program(argv, false, run ? run : &ignored);
}

static int attach_prog(struct bench *b, unsigned int prog)
{
	struct lab_end *end = &b->wire.lab.end[LAB_FAR];
	bool xdp = prog != DROPS_PROG_BENCH_SHOT;
	struct attach_report report = { 0 };
	int rc = attach_open(&b->attach, &end->nl, end->link.ifindex, true, b->obj.prog_fd[prog],
			     xdp ? HOOK_BIT(HOOK_XDP_NATIVE) : HOOKS_TC, false, &report);

	return rc ? fail_errno(rc, "cannot attach a program to %s", WIRE_IFACE) : 0;
}

static int remove_prog(struct bench *b, const struct contender *c)
{
	(void)c;
	attach_close(&b->attach, &b->wire.lab.end[LAB_FAR].nl);
	obj_close(&b->obj);
	return 0;
}

static int install_prog(struct bench *b, const struct contender *c)
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
			fail_errno(rc, "cannot fill a map for %s", c->name);
	}
	if (!rc)
		rc = attach_prog(b, c->prog);
	if (rc)
		obj_close(&b->obj);
	return rc;
}

const struct filter_method method_prog = { install_prog, remove_prog };

/* Appends c->rules lines, the last of which is the rule that matches. */
static void put_rule_lines(const struct contender *c, const char *others, const char *rule,
			   struct buf *out)
{
	for (unsigned int i = 1; i < c->rules; i++)
		buf_printf(out, others, 30000 + i);
	buf_printf(out, "%s\n", rule);
}

int load_nft(struct bench *b, const struct contender *c, struct run *run)
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
		members_put_text(&sets[c->set], ", ", &text);
		buf_printf(&text, " }\n");
	}
	buf_printf(&text, "%schain c { type filter hook ingress device %s priority -500;\n",
		   c->nft_set ? "}\n" : "", WIRE_IFACE);
	put_rule_lines(c, "udp dport %u drop\n", c->rule, &text);
	buf_printf(&text, "}\n}\n");
	fd = memfd_write_text(&text);
	buf_free(&text);
	if (fd < 0)
		return fd;
	format_fd_path(fd, path, sizeof(path));
	rc = run_command((const char *const[]){ "nft", "-f", path, NULL }, run);
	close(fd);
	return rc;
}

static int install_nft(struct bench *b, const struct contender *c)
{
	return load_nft(b, c, NULL);
}

static int remove_nft(struct bench *b, const struct contender *c)
{
	(void)b;
	(void)c;
	return run_command((const char *const[]){ "nft", "flush", "ruleset", NULL }, NULL);
}

const struct filter_method method_nft = { install_nft, remove_nft };

int load_xdp_filter_addrs(uint32_t n, struct run *run)
{
	struct run one;
	int rc = 0;

	*run = (struct run){ 0 };
	for (uint32_t i = 0; i < n && !rc; i++) {
		char addr[INET_ADDRSTRLEN];
		struct sets_key key;

		member_make_key(&sets[SET_ADDRS], i, &key);
		inet_ntop(AF_INET, key.addr, addr, sizeof(addr));
		rc = run_command(
			(const char *const[]){ "xdp-filter", "ip", "-m", "src", addr, NULL }, &one);
		run->wall_ms += one.wall_ms;
		run->cpu_ms += one.cpu_ms;
	}
	return rc;
}

static int open_pin(const char *path)
{
	union bpf_attr attr = { .pathname = (uintptr_t)path };
	long fd = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

/* Adds the first address with xdp-filter, and the others directly to its map, with the same values.
 * xdp-filter would take half a minute for all. */
static int fill_xdp_filter(void)
{
	int fd = open_pin(XDP_FILTER_PIN), rc = 0, ncpus = bpf_possible_cpus();
	struct sets_key key;
	uint64_t values[1024];

	if (fd < 0)
		return fail_errno(fd, "%s", XDP_FILTER_PIN);
	if (ncpus > (int)(ARRAY_LEN(values)))
		rc = -E2BIG;
	member_make_key(&sets[SET_ADDRS], 0, &key);
	if (!rc)
		rc = bpf_map_lookup(fd, key.addr, values);
	for (uint32_t i = 1; i < sets[SET_ADDRS].n && !rc; i++) {
		member_make_key(&sets[SET_ADDRS], i, &key);
		rc = bpf_map_update(fd, key.addr, values, BPF_NOEXIST);
	}
	close(fd);
	return rc ? fail_errno(rc, "%s", XDP_FILTER_PIN) : 0;
}

static int remove_xdp_filter(struct bench *b, const struct contender *c)
{
	(void)b;
	(void)c;
	return run_command((const char *const[]){ "xdp-filter", "unload", WIRE_IFACE, NULL }, NULL);
}

static int install_xdp_filter(struct bench *b, const struct contender *c)
{
	struct run first;
	int rc = run_command(
		(const char *const[]){ "xdp-filter", "load", "-f", "ipv4", WIRE_IFACE, NULL },
		NULL);

	if (rc)
		return rc;
	rc = load_xdp_filter_addrs(1, &first);
	if (!rc)
		rc = fill_xdp_filter();
	if (rc)
		remove_xdp_filter(b, c);
	return rc;
}

const struct filter_method method_xdp_filter = { install_xdp_filter, remove_xdp_filter };

static int replace_sonde_rules(struct bench *b, const struct contender *c, struct run *run)
{
	struct buf text = { 0 };
	char path[64];
	int fd, rc;

	put_rule_lines(c, "drop udp dst port %u\n", "drop " PORT, &text);
	fd = memfd_write_text(&text);
	buf_free(&text);
	if (fd < 0)
		return fd;
	format_fd_path(fd, path, sizeof(path));
	rc = run_command((const char *const[]){ b->opts.sonde, "filter", "replace", "--no-ssh",
						"-i", WIRE_IFACE, "--at", c->hook, "-f", path,
						NULL },
			 run);
	close(fd);
	return rc;
}

int load_sonde(struct bench *b, const struct contender *c, struct run *run)
{
	char path[64] = "", rule[256];
	int rc = c->set ? set_path(b, c->set, path, sizeof(path)) : 0;

	if (rc)
		return rc;
	if (c->rules)
		return replace_sonde_rules(b, c, run);
	snprintf(rule, sizeof(rule), c->rule, path);
	return run_command((const char *const[]){ b->opts.sonde, "filter", "add", "--no-ssh", "-i",
						  WIRE_IFACE, "--at", c->hook, "drop", rule, NULL },
			   run);
}

static int install_sonde(struct bench *b, const struct contender *c)
{
	return load_sonde(b, c, NULL);
}

static int remove_sonde(struct bench *b, const struct contender *c)
{
	(void)c;
	return run_command(
		(const char *const[]){ b->opts.sonde, "filter", "clear", "-i", WIRE_IFACE, NULL },
		NULL);
}

const struct filter_method method_sonde = { install_sonde, remove_sonde };

static int install_guard(struct bench *b, const struct contender *c)
{
	return run_command((const char *const[]){ b->opts.sonde, "guard", "start", "--enforce",
						  "-i", WIRE_IFACE, "--at", c->hook, "-l", c->rule,
						  NULL },
			   NULL);
}

static int remove_guard(struct bench *b, const struct contender *c)
{
	(void)c;
	return run_command(
		(const char *const[]){ b->opts.sonde, "guard", "stop", "-i", WIRE_IFACE, NULL },
		NULL);
}

const struct filter_method method_guard = { install_guard, remove_guard };
