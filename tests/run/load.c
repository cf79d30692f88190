/* SPDX-License-Identifier: MIT */
/* The loader on the running kernel: errors and their messages, the frozen conf, and finding what
 * was loaded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "bpf/view.h"
#include "gen/gate.gen.h"
#include "obj/find.h"
#include "obj/log.h"
#include "sys/bpf.h"
#include "sys/mnt.h"
#include "sys/priv.h"
#include "tests/lib/guarded.h"
#include "tests/lib/insn.h"
#include "tests/run/run.h"

enum { RIGHT_LEN = 2 };

/* A valid program, then one whose log is longer than the last lines. It reads r5, which was never
 * written. */
static const struct bpf_insn wrong_insns[] = {
	I_MOV(0, XDP_PASS), I_EXIT, /* the valid program */
	I_MAP(1),           I_MOV(1, 1), I_MOV(1, 2),  I_MOV(1, 3),  I_MOV(1, 4),     I_MOV(1, 5),
	I_MOV(1, 6),        I_MOV(1, 7), I_MOV(1, 8),  I_MOV(1, 9),  I_MOV(1, 10),    I_MOV(1, 11),
	I_MOV(1, 12),       I_MOV(0, 0), I_MOV(1, 14), I_MOV(1, 15), I_MOV_REG(0, 5), I_EXIT,
};
static const struct spec_reloc wrong_relocs[] = { { .insn = 0, .kind = SPEC_MAP_FD, .map = 0 } };
static const struct spec_map wrong_maps[] = {
	{ .name = "some",
	  .type = BPF_MAP_TYPE_ARRAY,
	  .key_size = 4,
	  .value_size = 8,
	  .max_entries = 1 },
};
static const struct spec_prog wrong_progs[] = {
	{ .name = "right", .type = BPF_PROG_TYPE_XDP, .attach_type = BPF_XDP, .ninsns = RIGHT_LEN },
	{ .name = "wrong",
	  .type = BPF_PROG_TYPE_XDP,
	  .attach_type = BPF_XDP,
	  .first = RIGHT_LEN,
	  .ninsns = ARRAY_LEN(wrong_insns) - RIGHT_LEN,
	  .relocs = wrong_relocs,
	  .nrelocs = ARRAY_LEN(wrong_relocs) },
};
static const struct spec wrong_spec = { .name = "wrong",
					.license = "Dual MIT/GPL",
					.maps = wrong_maps,
					.nmaps = ARRAY_LEN(wrong_maps),
					.progs = wrong_progs,
					.nprogs = ARRAY_LEN(wrong_progs),
					CODE(wrong_insns),
					.conf_map = ARRAY_LEN(wrong_maps) };

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int lines_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Opens spec, which must fail with err (0: any error), leave no descriptor open and not change *o.
 * Returns the message. */
static const char *open_refused(const struct spec *spec, const struct obj_opts *opts, int err)
{
	struct obj o = { .btf_fd = 4711 };
	int before = open_fds(), rc;
	const char *output;

	test_capture();
	rc = obj_open(&o, spec, opts);
	output = test_captured();
	CHECK(rc < 0 && (!err || rc == err), "returns %d, expected %d: %s", rc, err, output);
	CHECK(open_fds() == before, "%d descriptors left open", open_fds() - before);
	CHECK(!o.spec && o.btf_fd == 4711, "the object was changed");
	return output;
}

TEST(load_refused, "obj: a refused program is reported with the verifier's last lines", TEST_ROOT,
     10)
{
	const char *output = open_refused(&wrong_spec, &(struct obj_opts){ 0 }, -EACCES);

	CHECK(!strncmp(output, "sonde: the kernel refused program wrong: ", 41), "prints: %s",
	      output);
	CHECK(strstr(output, "R5 !read_ok"), "the reason is missing: %s", output);
	CHECK(strstr(output, "last lines"), "no hint that the log is longer: %s", output);
	CHECK(!strstr(output, "processed "), "contains the verifier's summary: %s", output);
	CHECK(lines_of(output) <= 10, "%d lines: %s", lines_of(output), output);
}

TEST(load_refused_whole_log, "obj: verbose prints the whole log", TEST_ROOT, 10)
{
	const char *output =
		open_refused(&wrong_spec, &(struct obj_opts){ .verbose = true }, -EACCES);

	CHECK(strstr(output, "R5 !read_ok"), "the reason is missing: %s", output);
	CHECK(strstr(output, "r1 = 1") && strstr(output, "r1 = 15"), "the log is incomplete: %s",
	      output);
	CHECK(!strstr(output, "last lines"), "labelled as the last lines: %s", output);
}

/* Loading the instructions must fail with err, as too complex for the reason. */
static void expect_too_complex(const struct bpf_insn *insns, uint32_t n, int err,
			       const char *reason)
{
	const struct spec_prog prog = {
		.name = "endless", .type = BPF_PROG_TYPE_XDP, .attach_type = BPF_XDP, .ninsns = n
	};
	const struct spec spec = { .name = "endless",
				   .license = "Dual MIT/GPL",
				   .progs = &prog,
				   .nprogs = 1,
				   .code = insns,
				   .code_len = n * sizeof(*insns),
				   .ninsns = n };
	const char *output = open_refused(&spec, &(struct obj_opts){ 0 }, err);

	CHECK(strstr(output, "program endless is too complex for this kernel's verifier: "),
	      "prints: %s", output);
	CHECK(strstr(output, reason), "the reason is missing: %s", output);
	CHECK(lines_of(output) == 1, "not one line: %s", output);
}

TEST(load_too_large, "obj: too many instructions are reported as too complex", TEST_ROOT, 60)
{
	/* A long way around the loop: the verifier compares each round with all before it. */
	enum { ROUND = 2000 };
	static struct bpf_insn endless[ROUND + 3] = { I_MOV(0, 0) };

	for (int i = 1; i <= ROUND; i++)
		endless[i] = (struct bpf_insn)I_ADD(0, 1);
	endless[ROUND + 1] = (struct bpf_insn)I_JNE(0, 1 << 30, -ROUND - 1);
	endless[ROUND + 2] = (struct bpf_insn)I_EXIT;
	expect_too_complex(endless, ARRAY_LEN(endless), -E2BIG, "too large");
}

/* More jumps than the verifier tracks: 8192. */
TEST(load_too_many_jumps, "obj: too many jumps are reported as too complex", TEST_ROOT, 60)
{
	enum { JUMPS = 9000 };
	static struct bpf_insn insns[JUMPS + 3] = { I_CALL(BPF_FUNC_ktime_get_ns) };

	for (int i = 1; i <= JUMPS; i++)
		insns[i] = (struct bpf_insn)I_JEQ(0, i, (int16_t)(JUMPS - i));
	insns[JUMPS + 1] = (struct bpf_insn)I_MOV(0, XDP_PASS);
	insns[JUMPS + 2] = (struct bpf_insn)I_EXIT;
	expect_too_complex(insns, ARRAY_LEN(insns), 0, "too complex");
}

TEST(load_map_refused, "obj: a refused map is reported by name", TEST_ROOT, 10)
{
	static const struct spec_map maps[] = {
		{ .name = "odd",
		  .type = BPF_MAP_TYPE_ARRAY,
		  .key_size = 3,
		  .value_size = 8,
		  .max_entries = 1 },
	};
	struct spec spec = wrong_spec;
	const char *output;

	spec.maps = maps;
	output = open_refused(&spec, &(struct obj_opts){ 0 }, -EINVAL);
	CHECK(strstr(output, "map odd"), "the map's name is missing: %s", output);
	CHECK(lines_of(output) == 1, "not one line: %s", output);
}

/* As in a binary with a missing byte. */
TEST(load_damaged, "obj: damaged code is refused", TEST_ROOT, 10)
{
	struct spec spec = wrong_spec;
	const char *output;

	spec.code_len--;
	output = open_refused(&spec, &(struct obj_opts){ 0 }, -EBADMSG);
	CHECK(strstr(output, "wrong: its programs are damaged"), "prints: %s", output);
}

/* Loads only the requested programs, and creates only their maps. */
TEST(load_some, "obj: loads only the requested programs", TEST_ROOT, 10)
{
	struct obj o = { 0 };

	CHECK(!obj_open(&o, &wrong_spec, &(struct obj_opts){ .progs = 1 }), "cannot load");
	CHECK(o.prog_fd[0] > 0 && !o.prog_fd[1] && !o.map_fd[0], "loaded another program or map");
	obj_close(&o);
	CHECK(!o.prog_fd[0] && !o.spec, "not closed");
	obj_close(&o);
}

static void check_conf(const struct gate_conf *conf, const struct gate_conf *want)
{
	static uint8_t value[4096]; /* all of .rodata, which contains the conf */
	struct obj o = { 0 };
	uint32_t zero = 0;
	int fd;

	CHECK(gate_spec.maps[GATE_MAP_RODATA].value_size <= sizeof(value),
	      ".rodata is larger than the buffer");

	CHECK(!obj_open(&o, &gate_spec, &(struct obj_opts){ .conf = conf }), "cannot load");
	fd = o.map_fd[GATE_MAP_RODATA];
	CHECK(fd > 0 && !bpf_map_lookup(fd, &zero, value), "cannot read the conf from the kernel");
	CHECK(gate_spec.conf_len == sizeof(*want) &&
		      !memcmp(value + gate_spec.conf_off, want, sizeof(*want)),
	      "the kernel has another conf");
	CHECK(bpf_map_update(fd, &zero, value, BPF_ANY) == -EPERM, "the conf is writable");
	obj_close(&o);
}

TEST(load_conf_frozen, "obj: the kernel's conf is read-only", TEST_ROOT, 10)
{
	struct gate_conf conf = {
		.magic = GATE_MAGIC, .version = GATE_VERSION, .ethernet = 1, .ifindex = 0x12345678
	};

	check_conf(&conf, &conf);
}

TEST(load_conf_default, "obj: without a conf the compiled one is used", TEST_ROOT, 10)
{
	struct gate_conf conf = { .magic = GATE_MAGIC, .version = GATE_VERSION };

	check_conf(NULL, &conf);
}

static const struct {
	const char *log;
	int lines;
	const char *tail;
} tails[] = {
	{ "", 8, "" },
	{ "\n", 8, "" },
	{ "\n\n\n", 1, "" },
	{ "one", 1, "one" },
	{ "one\n", 8, "one" },
	{ "one\ntwo\nthree\n", 1, "three" },
	{ "one\ntwo\nthree\n", 2, "two\nthree" },
	{ "one\ntwo\nthree\n", 3, "one\ntwo\nthree" },
	{ "one\ntwo\nthree", 99, "one\ntwo\nthree" },
	{ "one\ntwo\n\n\n", 1, "two" },
	{ "one\nR5 !read_ok\nprocessed 3 insns (limit 1000000)\n", 1, "R5 !read_ok" },
	{ "R5\nverification time 9 usec\nstack depth 0\nprocessed 3 insns\n", 8, "R5" },
	{ "a\n\nb\nprocessed 1\n", 3, "a\n\nb" },
	{ "big\nstack depth 0 max 0\ninsns processed 8\nprocessed 8 insns\n", 1, "big" },
	{ "processed beans\nis no summary\n", 8, "processed beans\nis no summary" },
};

TEST(log_tails, "obj: prints a log's last lines without the summary", 0, 10)
{
	for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
		char *log = strdup(tails[i].log), *tail = log_tail(log, tails[i].lines);

		CHECK(tail >= log && tail <= log + strlen(tails[i].log), "row %zu: outside", i);
		CHECK(!strcmp(tail, tails[i].tail), "row %zu: \"%s\"", i, tail);
		free(log);
	}
}

TEST(find_again, "obj: loaded programs and maps are found by id and name", TEST_ROOT, 10)
{
	struct bpf_prog_info info = { 0 };
	struct bpf_map_info map = { 0 };
	struct find_prog prog = { 0 };
	struct gate_counters t = { 0 };
	uint8_t frame[64] = { [12] = 8, [14] = 0x45, [23] = 17 };
	struct gate_row row;
	struct fixture r;
	int counters, counters_other;

	fixture_open(&r, true);
	CHECK(!bpf_get_info(r.gate.prog_fd[GATE_PROG_SONDE_GATE_XDP], &info, sizeof(info)),
	      "cannot get the program's information");
	CHECK(!find_prog(info.id, &prog), "cannot find program %u", info.id);
	/* All but the guard's two, which programs without a guard do not reference. */
	CHECK(find_is_ours(&prog) && prog.nmaps == GATE_NMAPS - 2, "\"%s\" with %u maps",
	      prog.info.name, prog.nmaps);
	counters = find_map(&prog, "counters", &map);
	CHECK(counters > 0 && map.value_size == sizeof(struct gate_counters_val),
	      "no map counters: %d", counters);
	counters_other = find_map(&prog, "counters_other", &map);
	CHECK(counters_other > 0 && map.key_size == sizeof(struct gate_other_key),
	      "no map counters_other: %d", counters_other);
	map.id = 4711;
	CHECK(find_map(&prog, "counter", &map) == -ENOENT && map.id == 4711,
	      "found a map that does not exist");

	CHECK(!bpf_prog_run(r.gate.prog_fd[GATE_PROG_SONDE_GATE_XDP],
			    &(struct bpf_run){ .data = frame, .len = sizeof(frame) }),
	      "cannot run");
	CHECK(!gate_counters_read(&t, counters, counters_other, GATE_IN) && t.n == 1, "%zu rows",
	      t.n);
	row = t.rows[0];
	CHECK(row.proto == 17 && row.packets == 1 && row.bytes == 64, "wrong counters");
	gate_counters_free(&t);
	close(counters);
	close(counters_other);

	info = (struct bpf_prog_info){ 0 };
	CHECK(!bpf_get_info(r.stage.prog_fd[0], &info, sizeof(info)) &&
		      !find_prog(info.id, &prog) && !find_is_ours(&prog),
	      "a program called %s is taken for sonde's", prog.info.name);
	fixture_close(&r);
	for (int ms = 0; ms < 2000 && find_prog(info.id, &prog) != -ENOENT; ms++)
		usleep(1000); /* the kernel frees programs asynchronously */
	CHECK(find_prog(info.id, &prog) == -ENOENT, "found a closed program");
}

/* Some processors cannot read across a natural boundary. The verifier there refuses programs that
 * might; here it does so on request. */
/* riscv64's verifier enforces alignment, others only if they are asked to. */
TEST(load_aligned, "obj: the gate loads with strict alignment", TEST_ROOT, 60)
{
	/* Without rules, with those for addresses only, with others, and with the guard. */
	enum { PLAIN, ADDR_ONLY, RULES, GUARD, KINDS };

	for (int i = 0; i < 2 * KINDS; i++) {
		int kind = i / 2;
		struct gate_conf conf = { .magic = GATE_MAGIC, .version = GATE_VERSION };
		struct obj_opts opts = { .conf = &conf,
					 .flags = BPF_F_STRICT_ALIGNMENT,
					 .no_tail_calls = true };
		struct obj o = { 0 };

		if (kind == GUARD) {
			conf = guarded_conf(16);
			conf.guard.nscopes = GUARD_SCOPES_MAX;
			conf.guard.conns = conf.guard.ports = conf.guard.cookies = 1;
			conf.has_allow = 1;
		}
		conf.ethernet = i % 2;
		conf.has_rules = kind != PLAIN;
		conf.addr_only = kind == ADDR_ONLY;
		conf.inner = kind == RULES;
		conf.groups = kind == PLAIN ? 0 : kind == ADDR_ONLY ? VIEW_ADDRS : VIEW_GROUPS;
		CHECK(!obj_open(&o, &gate_spec, &opts), "cannot load the gate, kind %d", kind);
		obj_close(&o);
	}
}

/* Compares with the kernel's own list ("0-1"), and with what a lookup writes. */
TEST(possible_cpus, "sys: the number of possible CPUs is the kernel's", TEST_ROOT, 10)
{
	struct bpf_map_opts m = { .name = "cpus",
				  .type = BPF_MAP_TYPE_PERCPU_HASH,
				  .key_size = 4,
				  .value_size = 3,
				  .max_entries = 1 };
	static uint8_t values[8 * 4096];
	int cpus, fd, written = 0;
	size_t stride = (m.value_size + 7u) & ~7u;
	uint32_t key = 1;
	char list[256];

	priv_lift_memlock(); /* 5.10 still charges what earlier tests closed */
	cpus = bpf_possible_cpus();
	fd = bpf_map_create(&m);
	CHECK(cpus > 0 && cpus < 4096 && fd >= 0 && stride == 8, "%d CPUs, map %d", cpus, fd);
	CHECK(!bpf_map_update(fd, &key, values, BPF_ANY), "cannot store");
	memset(values, 0xff, sizeof(values));
	CHECK(!bpf_map_lookup(fd, &key, values), "cannot look up");
	while (values[(size_t)written * stride] == 0)
		written++;
	CHECK(written == cpus, "%d CPUs, but %d values", cpus, written);
	if (mnt_read("sysfs", "/sys", "devices/system/cpu/possible", list, sizeof(list)) <= 0)
		SKIP("sysfs is unavailable");
	CHECK(!strncmp(list, "0", 1) && !strchr(list, ','), "unexpected list of CPUs: %s", list);
	CHECK((strchr(list, '-') ? atoi(strchr(list, '-') + 1) : 0) + 1 == cpus,
	      "%d CPUs, expected %s", cpus, list);
}
