/* SPDX-License-Identifier: MIT */
/* Sets of addresses in the kernel give the same result as in user space: many shapes of sets, a
 * million prefixes, and the maps read back. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/clock.h"
#include "sets/sets.h"
#include "sys/bpf.h"
#include "tests/lib/draw.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { MANY = 1000000, EVERY = 997, ADDRESS = 16, LOOKUPS = 400, SHAPES = 60 };

static uint64_t state = 20261124;
static struct buf text;

static uint32_t draw_next(uint32_t below)
{
	return draw_below(&state, below);
}

static int provide_set(void *arg, const char *file, struct buf *to, struct diag *why)
{
	(void)arg;
	(void)file;
	(void)why;
	*to = text;
	text = (struct buf){ 0 };
	return 0;
}

static void parse_set(struct filter *f)
{
	static const struct filter_names names = { .set = provide_set };
	struct diag diag = { 0 };

	CHECK(!text.nomem, "no memory");
	CHECK(!filter_parse(f, "set many", &names, &diag), "%s", diag.msg);
}

/* Loads a program that returns the result of a family's code for the address at the packet's start.
 * It copies the address to where every processor can read it at once. */
static int load_lookup(const struct sets *sets, enum set_family family)
{
	static const struct bpf_insn head[] = {
		I_LOAD(BPF_W, 2, 1, 0),
		I_LOAD(BPF_W, 3, 1, 4),
		I_MOV_REG(1, 2),
		I_ADD(2, ADDRESS),
		INSN(BPF_JMP | BPF_JLE | BPF_X, 2, 3, 2, 0),
		I_MOV(0, -1),
		I_EXIT,
	}, where[] = {
		I_MOV_REG(1, 10),
		I_ADD(1, -ADDRESS),
	}, four[] = {
		I_LOAD(BPF_W, 1, 1, 0),
	}, tail[] = {
		INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, 0),
		I_EXIT,
	};
	struct filter_reloc reloc = { .family = (uint8_t)family, .name = "many" };
	struct filter_code code = { .relocs = &reloc, .nrelocs = 1 };
	struct bpf_prog_opts p = { .name = "set", .type = BPF_PROG_TYPE_XDP, .license = "MIT" };
	int fd;

	code.insns = calloc(ARRAY_LEN(head) + 2 * ADDRESS + ARRAY_LEN(where) + ARRAY_LEN(four) +
				    ARRAY_LEN(tail),
			    sizeof(*code.insns));
	CHECK(code.insns, "no memory");
	memcpy(code.insns, head, sizeof(head));
	code.n = ARRAY_LEN(head);
	for (int i = 0; i < ADDRESS; i++) {
		code.insns[code.n++] = (struct bpf_insn)I_LOAD(BPF_B, 3, 1, (int16_t)i);
		code.insns[code.n++] =
			(struct bpf_insn)I_STORE(BPF_B, 10, (int16_t)(i - ADDRESS), 3);
	}
	memcpy(code.insns + code.n, where, sizeof(where));
	code.n += ARRAY_LEN(where);
	if (family == SET_IPV4)
		code.insns[code.n++] = *four;
	reloc.insn = (uint32_t)code.n;
	memcpy(code.insns + code.n, tail, sizeof(tail));
	code.n += ARRAY_LEN(tail);
	CHECK(!sets_link(sets, &code), "no memory");
	p.insns = code.insns;
	p.ninsns = (uint32_t)code.n;
	fd = bpf_prog_load(&p);
	CHECK(fd > 0, "IPv%d: cannot load: %s", family == SET_IPV4 ? 4 : 6, strerror(-fd));
	free(code.insns);
	return fd;
}

/* Returns whether the kernel's set contains an address. The kernel requires packets of at least 14
 * bytes. */
static bool kernel_has(int prog, const uint8_t *addr)
{
	uint8_t packet[64] = { 0 };
	struct bpf_run run = { .data = packet, .len = sizeof(packet) };

	memcpy(packet, addr, ADDRESS);
	CHECK(!bpf_prog_run(prog, &run), "cannot run");
	CHECK(run.ret <= 1, "returns %u", run.ret);
	return run.ret;
}

static void expect_same(const struct filter_set *set, int prog, enum set_family family,
			const uint8_t *addr)
{
	bool has = set_contains(set, family == SET_IPV4 ? 4 : 6, addr);
	char string[INET6_ADDRSTRLEN];

	if (kernel_has(prog, addr) == has)
		return;
	inet_ntop(family == SET_IPV4 ? AF_INET : AF_INET6, addr, string, sizeof(text));
	CHECK(false, "%s of %zu prefixes: %d in user space only", string, set->of[family].n, has);
}

/* Compares the first and last address of prefixes, and the addresses before and after them. */
static void compare_edges(const struct filter_set *set, int prog, enum set_family family)
{
	size_t len = set_addr_len(family), n = set->of[family].n;
	size_t step = n * test_slow() / LOOKUPS + 1;

	for (size_t i = 0; i < n; i += step) {
		const uint8_t *p = set_prefix_at(set, family, i);

		for (int edge = 0; edge < 4; edge++) {
			uint8_t addr[ADDRESS] = { 0 };

			memcpy(addr, p, len);
			for (size_t bit = p[len]; bit < len * 8 && edge >= 2; bit++)
				addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
			/* One less or one more, with carry. */
			for (size_t at = len; at-- > 0 && edge % 2;) {
				addr[at] = (uint8_t)(addr[at] + (edge == 1 ? -1 : 1));
				if (addr[at] != (edge == 1 ? 0xff : 0))
					break;
			}
			expect_same(set, prog, family, addr);
		}
	}
}

/* The set that is read back from its maps must be equal. */
static void compare_read(const struct sets *sets, const struct filter_set *set)
{
	struct filter_set got = { 0 };
	int rc = sets_read(sets->maps[0][SET_IPV4].fd, sets->maps[0][SET_IPV6].fd, &got);

	CHECK(!rc, "cannot read: %s", strerror(-rc));
	for (int family = 0; family < SET_FAMILIES; family++) {
		size_t width = set_addr_len((enum set_family)family) + 1;

		CHECK(got.of[family].n == set->of[family].n,
		      "IPv%d: read %zu prefixes, expected %zu", family ? 6 : 4, got.of[family].n,
		      set->of[family].n);
		CHECK(!got.of[family].n || !memcmp(got.of[family].at, set->of[family].at,
						   got.of[family].n * width),
		      "IPv%d: the prefixes differ", family ? 6 : 4);
	}
	set_close(&got);
}

/* Parameters of a random set. */
struct shape {
	uint32_t n;
	uint8_t shortest, longest; /* of 32; times 4 for IPv6 */
	uint8_t spread;            /* low bits in which addresses differ */
};

static void random_address(const struct shape *s, enum set_family family, uint8_t *addr)
{
	size_t len = set_addr_len(family);

	memset(addr, 0, ADDRESS);
	for (size_t bit = len * 8 - s->spread * len / 4; bit < len * 8; bit++)
		addr[bit / 8] |= (uint8_t)(draw_next(2) << (7 - bit % 8));
}

static void random_text(const struct shape *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		enum set_family family = draw_next(2);
		uint32_t len = (uint32_t)set_addr_len(family);
		uint32_t low = s->shortest * len / 4, high = s->longest * len / 4;
		uint32_t bits = low + draw_next(high - low + 1);
		char words[INET6_ADDRSTRLEN];
		uint8_t addr[ADDRESS];

		random_address(s, family, addr);
		for (size_t bit = bits; bit < len * 8; bit++)
			addr[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		inet_ntop(family == SET_IPV4 ? AF_INET : AF_INET6, addr, words, sizeof(words));
		buf_printf(&text, "%s/%u\n", words, bits);
	}
}

static void compare_all(const struct shape *s, const struct sets *sets,
			const struct filter_set *set)
{
	compare_read(sets, set);
	for (int family = 0; family < SET_FAMILIES; family++) {
		int prog;

		if (!set->of[family].n)
			continue;
		prog = load_lookup(sets, (enum set_family)family);
		compare_edges(set, prog, (enum set_family)family);
		for (int i = 0; i < LOOKUPS / (int)test_slow(); i++) {
			uint8_t addr[ADDRESS];

			random_address(s, (enum set_family)family, addr);
			expect_same(set, prog, (enum set_family)family, addr);
		}
		close(prog);
	}
}

/* Fills a map with the same lines by system calls. */
static void call_again(struct sets *sets)
{
	for (int family = 0; family < SET_FAMILIES; family++) {
		struct set_map *one = &sets->maps[0][family];
		struct set_table lines = { 0 };

		if (!one->fd)
			continue;
		CHECK(!set_table_read(one->fd, &lines), "cannot read the lines");
		close(one->fd);
		one->fd = set_table_create(&lines, "called", 0);
		CHECK(one->fd > 0, "cannot fill: %s", strerror(-one->fd));
		set_table_close(&lines);
	}
}

static void one_shape(const struct shape *s, bool called)
{
	struct filter f = { 0 };
	struct sets sets = { 0 };

	random_text(s);
	parse_set(&f);
	CHECK(!sets_open(&sets, (const struct filter *[]){ &f }, 1, "test"),
	      "cannot open the sets");
	if (called)
		call_again(&sets);
	compare_all(s, &sets, f.sets);
	sets_close(&sets);
	filter_close(&f);
}

TEST(sets_shapes, "filter: sets of every shape contain the same addresses as in user space",
     TEST_ROOT, 120)
{
	static const struct shape edges[] = {
		{ 1, 0, 0, 32 },       { 1, 32, 32, 32 },     { 2, 1, 1, 32 },
		{ 300, 25, 31, 10 },   { 5000, 25, 31, 32 },  { 20000, 32, 32, 32 },
		{ 20000, 32, 32, 15 }, { 60000, 24, 24, 20 }, { 30000, 8, 32, 24 },
		{ 70000, 17, 17, 32 }, { 20000, 9, 32, 32 },  { 3000, 20, 32, 16 },
	};

	for (size_t i = 0; i < ARRAY_LEN(edges); i++)
		one_shape(&edges[i], false);
	one_shape(&edges[ARRAY_LEN(edges) - 1], true);
	one_shape(&edges[ARRAY_LEN(edges) - 2], true);
	for (int i = 0; i < SHAPES / (int)test_slow(); i++) {
		struct shape s = { .n = 1 + draw_next(1u << draw_next(13)),
				   .shortest = (uint8_t)draw_next(33),
				   .spread = (uint8_t)(1 + draw_next(32)) };

		s.longest = (uint8_t)(s.shortest + draw_next(33u - s.shortest));
		one_shape(&s, !draw_next(4));
	}
}

/* Addresses spread over either family, unordered, none adjacent. */
static void spread_address(uint32_t i, uint8_t *addr, enum set_family family)
{
	uint32_t mixed = i * 2654435761u; /* odd, hence a permutation */

	memset(addr, 0, ADDRESS);
	memcpy(addr, &mixed, 4);
	if (family == SET_IPV6) {
		memcpy(addr + 12, &mixed, 4);
		addr[0] = 0x20;
	}
	addr[set_addr_len(family) - 1] &= 0xfe;
}

static void write_many(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t a[ADDRESS];

		spread_address(i, a, i & 1);
		if (!(i & 1))
			buf_printf(&text, "%u.%u.%u.%u\n", a[0], a[1], a[2], a[3]);
		else
			buf_printf(&text, "20%02x:%x::%x:%x/127\n", a[1], a[2] << 8 | a[3],
				   a[12] << 8 | a[13], a[14] << 8 | a[15]);
	}
}

TEST(sets_many, "filter: a set of a million prefixes is parsed in a second and matches", TEST_ROOT,
     60)
{
	uint32_t n = MANY / test_slow();
	struct filter f = { 0 };
	struct sets sets = { 0 };
	uint64_t begin, parsed;
	int progs[SET_FAMILIES];

	write_many(n);
	begin = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	parse_set(&f);
	parsed = clock_read(CLOCK_PROCESS_CPUTIME_ID);
	CHECK(parsed - begin < NS_PER_S * test_slow(), "%llu ms to parse",
	      (unsigned long long)(parsed - begin) / 1000000);
	CHECK(!sets_open(&sets, (const struct filter *[]){ &f }, 1, "test"),
	      "cannot open the sets");
	for (int family = 0; family < SET_FAMILIES; family++)
		progs[family] = load_lookup(&sets, (enum set_family)family);
	for (uint32_t i = 0; i < n; i += EVERY) {
		uint8_t addr[ADDRESS];

		spread_address(i, addr, i & 1);
		CHECK(kernel_has(progs[i & 1], addr), "the kernel's set does not contain %u", i);
		expect_same(f.sets, progs[i & 1], i & 1, addr);
		addr[set_addr_len(i & 1) - 1] |= 1;
		expect_same(f.sets, progs[i & 1], i & 1, addr);
	}
	compare_read(&sets, f.sets);
	for (int family = 0; family < SET_FAMILIES; family++)
		close(progs[family]);
	sets_close(&sets);
	filter_close(&f);
}
