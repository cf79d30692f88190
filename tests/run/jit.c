/* SPDX-License-Identifier: MIT */
/* Checks that the kernel's JIT compiles the programs. */
#include "tests/run/jit.h"
#include "base/array.h"
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "gen/capture.gen.h"
#include "gen/dns.gen.h"
#include "gen/doctor.gen.h"
#include "gen/gate.gen.h"
#include "gen/guard_conns.gen.h"
#include "gen/owner.gen.h"
#include "gen/probe.gen.h"
#include "gen/sock_calls.gen.h"
#include "gen/tcp_events.gen.h"
#include "gen/tls.gen.h"
#include "gen/trace.gen.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "sys/btf.h"
#include "sys/mnt.h"
#include "sys/priv.h"
#include "tests/lib/exprs.h"
#include "tests/lib/insn.h"
#include "tests/lib/test.h"
#include "trace/trace.h"

static bool is_on;

void jit_watch(void)
{
	char enabled[16];

	is_on = mnt_read("proc", "/proc", "sys/net/core/bpf_jit_enable", enabled, sizeof(enabled)) >
			0 &&
		*enabled != '0';
}

/* The linker calls this instead of bpf_prog_load() (ld --wrap), whose name becomes
 * __real_bpf_prog_load(). */
int __real_bpf_prog_load(const struct bpf_prog_opts *p);
int __wrap_bpf_prog_load(const struct bpf_prog_opts *p)
{
	struct bpf_prog_info info = { 0 };
	char missing[64];
	int fd = __real_bpf_prog_load(p);

	/* The kernel shows lengths only to processes that may load any program. */
	if (fd < 0 || !is_on || *priv_missing(PRIV(CAP_BPF), missing, sizeof(missing)))
		return fd;
	CHECK(!bpf_get_info(fd, &info, sizeof(info)), "program %s: cannot get its information",
	      p->name);
	CHECK(info.jited_prog_len, "program %s of %u instructions is not compiled by the JIT",
	      p->name, p->ninsns);
	return fd;
}

/* Loads one program. Returns 1, or 0 if this kernel refuses it. */
static int load_one(const struct spec *spec, uint32_t prog, const struct btf *types)
{
	struct obj_opts opts = { .progs = 1u << prog, .types = types };
	struct err_capture before;
	struct obj obj = { 0 };
	char text[256];
	int rc;

	before = err_capture_begin(text, sizeof(text));
	rc = obj_open(&obj, spec, &opts);
	err_capture_end(before);
	obj_close(&obj);
	return !rc;
}

static void trace_everything(void)
{
	struct trace_opts opts = { .kinds = TRACE_BIT(TRACE_CGROUP) - 1, .stacks = true };
	struct filter filter = { 0 };
	struct diag diag = { 0 };
	struct trace t = { 0 };
	const char *text;
	int rc;

	CHECK(!filter_parse(&filter, "tcp or udp or src set ipv4", &exprs_names, &diag), "%s",
	      diag.msg);
	opts.kinds &= ~TRACE_BIT(TRACE_OPEN) & ~TRACE_BIT(TRACE_TLS);
	test_capture(); /* hides notes about kinds that this kernel cannot report */
	rc = trace_open(&t, &opts);
	text = test_captured();
	CHECK(!rc, "cannot trace everything: %s", text);
	trace_close(&t);
	filter_close(&filter);
}

TEST(jit_compiles, "obj: every program is compiled by the JIT", TEST_ROOT, 60)
{
	static const struct spec *const specs[] = {
		&sock_calls_spec, &capture_spec, &guard_conns_spec, &dns_spec,
		&doctor_spec,     &gate_spec,    &owner_spec,       &probe_spec,
		&tcp_events_spec, &tls_spec,     &trace_spec,
	};
	struct btf types = { 0 };
	int loaded = 0;
	bool typed = !btf_open_kernel(&types);

	for (size_t i = 0; i < ARRAY_LEN(specs); i++)
		for (uint32_t prog = 0; prog < specs[i]->nprogs; prog++)
			loaded += load_one(specs[i], prog, typed ? &types : NULL);
	btf_close(&types);
	CHECK(loaded >= 10, "only %d programs loaded", loaded);
	if (typed && priv_lockdown() != LOCKDOWN_CONFIDENTIALITY)
		trace_everything();
	if (!is_on)
		SKIP("this kernel has no JIT, or it is off");
}
