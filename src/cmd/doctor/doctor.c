/* SPDX-License-Identifier: MIT */
/* sonde doctor: shows which capabilities work on this kernel, the hook of each, and the reasons. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "cmd/common/opts.h"
#include "cmd/doctor/proof.h"
#include "gen/doctor.gen.h"
#include "gen/gate.gen.h"
#include "obj/attach.h"
#include "obj/feature.h"
#include "obj/obj.h"
#include "sys/bpf.h"
#include "sys/btf.h"
#include "sys/mnt.h"
#include "sys/netns.h"
#include "sys/perf.h"
#include "sys/priv.h"
#include "trace/trace.h"

enum {
	WORDS = 160,
	LO = 1, /* the loopback interface of a new namespace */
};

struct doctor_opts {
	struct cmd_common common;
	bool deep;
};

#define O struct doctor_opts
static const struct opt rows[] = {
	OPT_FLAG(0, "deep", O, deep,
		 "test each hook on a private veth pair: send packets and compare the counts"),
	OPT_ROWS_OUTPUT_NO_PROM(O),
	{ 0 },
};
#undef O

static const struct opt_spec spec = {
	.command = "doctor",
	.usage = "[OPTIONS]",
	.about = "show what this kernel allows, which hooks sonde uses, and why\n"
		 "Tries each feature in a private network namespace, and never "
		 "relies on the kernel's version. Exits with 1 if what count, "
		 "capture, filter and status need is missing, and with --deep if "
		 "a hook miscounts.",
	.rows = rows,
};

/* The result of one check. */
struct finding {
	const char *capability, *hook, *fallback, *reason;
	bool available;
};

#define R struct finding
static const struct col finding_cols[] = {
	{ "capability", "capability", .role = COL_KEY, COL_AT_STR(R, capability) },
	{ "available", "here", .role = COL_INFO, COL_AT_BOOL(R, available) },
	{ "hook", "hook", .role = COL_INFO, COL_AT_STR(R, hook) },
	{ "fallback", "fallback", .role = COL_INFO, COL_AT_STR(R, fallback) },
	{ "reason", "reason", .below = true, .role = COL_INFO, COL_AT_STR(R, reason) },
};
#undef R
static const struct schema finding_schema = SCHEMA("doctor_capability", finding_cols);

/* State shared by the checks. */
struct doctor {
	struct nl nl;       /* in the private namespace */
	int private_ns;     /* 0, or the -errno with which creating it failed */
	struct obj xdp, tc; /* the gate's programs; closed if loading failed */
	char why_load[WORDS];
	struct rlimit memlock; /* as at the start: loading may raise it */
	char jit[16];          /* net.core.bpf_jit_enable, which only the initial namespace shows */
};

/* Checks a capability. Fills hook and why (WORDS bytes each). Returns 0 if it works, else
 * -errno. */
typedef int check_fn(struct doctor *d, char *hook, char *why);

static void set_text(char *dst, const char *words)
{
	snprintf(dst, WORDS, "%s", words);
}

static int set_reason(char *why, int rc)
{
	set_text(why, err_message(rc));
	return rc;
}

/* Gives the reason why the last attempt to attach failed. */
static int set_attach_reason(char *why, int rc, const struct attach_report *report)
{
	if (!report->n)
		return set_reason(why, rc);
	set_text(why, attach_try_reason(&report->tries[report->n - 1]));
	return rc;
}

static int check_load(struct doctor *d, char *hook, char *why)
{
	if (!d->xdp.spec || !d->tc.spec) {
		set_text(why, d->why_load);
		return -EPERM;
	}
	set_text(hook, "bpf(2)");
	if (*d->jit)
		set_text(why, *d->jit == '0' ? "JIT off, programs are slow; turn it on with "
					       "sysctl net.core.bpf_jit_enable=1"
					     : "JIT on");
	return 0;
}

/* Attaches to the private loopback, which has no driver: shows the kind of attachment, not the
 * mode. */
static int check_xdp(struct doctor *d, char *hook, char *why)
{
	struct attach_report report;
	struct attach a = { 0 };
	int rc;

	if (!d->xdp.spec || d->private_ns)
		return set_reason(why, d->private_ns ? d->private_ns : -EPERM);
	rc = attach_open(&a, &d->nl, LO, true, d->xdp.prog_fd[GATE_PROG_SONDE_GATE_XDP], HOOKS_XDP,
			 false, &report);
	if (rc)
		return set_attach_reason(why, rc, &report);
	attach_close(&a, &d->nl);
	set_text(hook, "xdp, by link");
	set_text(why, "native where the driver supports it");
	return 0;
}

static int check_tc(struct doctor *d, char *hook, char *why)
{
	struct attach_report report;
	struct attach a = { 0 };
	int rc;

	if (!d->tc.spec || d->private_ns)
		return set_reason(why, d->private_ns ? d->private_ns : -EPERM);
	rc = attach_open(&a, &d->nl, LO, false, d->tc.prog_fd[GATE_PROG_SONDE_GATE_OUT], HOOKS_TC,
			 false, &report);
	if (rc)
		return set_attach_reason(why, rc, &report);
	set_text(hook, a.hook == HOOK_TCX ? "tcx, by link" : "clsact, with a keeper process");
	if (report.n)
		snprintf(why, WORDS, "tcx: %s", err_message(report.tries[0].rc));
	attach_close(&a, &d->nl);
	return 0;
}

static int check_install(struct doctor *d, char *hook, char *why)
{
	struct attach_report report;
	struct attach xdp = { 0 }, tc = { 0 };
	int rc;

	if (!d->xdp.spec || !d->tc.spec || d->private_ns)
		return set_reason(why, d->private_ns ? d->private_ns : -EPERM);
	rc = attach_open(&xdp, &d->nl, LO, true, d->xdp.prog_fd[GATE_PROG_SONDE_GATE_XDP],
			 HOOKS_XDP, true, &report);
	if (!rc)
		rc = attach_open(&tc, &d->nl, LO, false, d->tc.prog_fd[GATE_PROG_SONDE_GATE_OUT],
				 HOOKS_TC, true, &report);
	if (!rc)
		snprintf(hook, WORDS, "netlink, %s", hook_name(tc.hook));
	attach_undo(&tc, &d->nl);
	attach_undo(&xdp, &d->nl);
	return rc ? set_attach_reason(why, rc, &report) : 0;
}

static int check_find(struct doctor *d, char *hook, char *why)
{
	uint32_t id = 0;
	int rc = bpf_next_id(BPF_KIND_PROG, 0, &id);

	(void)d;
	if (rc && rc != -ENOENT)
		return set_reason(why, rc);
	set_text(hook, "program and map ids");
	return 0;
}

static int check_frags(struct doctor *d, char *hook, char *why)
{
	int rc = feature_try("XDP frames in several buffers");

	(void)d;
	if (rc)
		return set_reason(why, rc);
	set_text(hook, "xdp native, several buffers");
	return 0;
}

static int check_events(struct doctor *d, char *hook, char *why)
{
	int rc = feature_try("ring buffers");

	(void)d;
	if (rc)
		return set_reason(why, rc);
	set_text(hook, "ring buffer");
	return 0;
}

static int check_packet_buf(struct doctor *d, char *hook, char *why)
{
	int rc = feature_try("maps mapped into memory");

	(void)d;
	if (!rc)
		rc = feature_try("atomics that fetch");
	if (rc)
		return set_reason(why, rc);
	set_text(hook, "mapped array, fetching atomics");
	return 0;
}

static int check_sets(struct doctor *d, char *hook, char *why)
{
	int rc = feature_try("arrays of lines");

	(void)d;
	if (rc)
		return set_reason(why, rc);
	set_text(hook, "array maps");
	return 0;
}

static int check_types(struct doctor *d, char *hook, char *why)
{
	struct btf btf = { 0 };
	int rc = btf_open_kernel(&btf);

	(void)d;
	if (rc)
		return set_reason(why, rc);
	set_text(hook, btf.source);
	snprintf(why, WORDS, "%u types", btf.n);
	btf_close(&btf);
	return 0;
}

static int try_tracing(unsigned int prog, char *why)
{
	struct obj_opts opts = { .progs = 1u << prog };
	struct err_capture before;
	struct obj obj = { 0 };
	int rc;

	before = err_capture_begin(why, WORDS);
	rc = obj_open(&obj, &doctor_spec, &opts);
	err_capture_end(before);
	obj_close(&obj);
	return rc;
}

static int check_trace(struct doctor *d, char *hook, char *why)
{
	int rc = try_tracing(DOCTOR_PROG_SONDE_DOC_BTF, why);

	(void)d;
	if (!rc) {
		set_text(hook, "tp_btf");
		return 0;
	}
	if (!try_tracing(DOCTOR_PROG_SONDE_DOC_RAW, why)) {
		set_text(hook, "raw_tp");
		snprintf(why, WORDS, "tp_btf: %s", err_message(rc));
		return 0;
	}
	return rc;
}

/* Checks the hooks that sonde trace would use. */
static int check_connections(struct doctor *d, char *hook, char *why)
{
	const struct trace_opts opts = { .kinds = TRACE_BIT(TRACE_CONNECT) };
	struct trace t = { 0 };
	struct err_capture before = err_capture_begin(why, WORDS);
	int rc = trace_open(&t, &opts);

	(void)d;
	err_capture_end(before);
	if (rc)
		return rc;
	*why = '\0';
	snprintf(hook, WORDS, "tp_btf, %s", t.call_method ? t.call_method : "states only");
	if (!t.call_method)
		set_text(why, "the results of connect(2) and accept(2) are unavailable");
	else if (!strcmp(t.call_method, "sys_exit"))
		set_text(why, "while it runs, each system call costs a little more");
	trace_close(&t);
	return 0;
}

static int check_pmu(bool user, char *hook, char *why)
{
	uint32_t type;
	int rc = perf_read_type(user, &type);

	if (rc == -ENODEV)
		set_text(why, "this kernel was built without it (no such PMU)");
	else if (rc < 0)
		set_text(why, err_message(rc));
	if (rc < 0)
		return rc;
	if (priv_lockdown() == LOCKDOWN_CONFIDENTIALITY) {
		set_text(why, "lockdown=confidentiality");
		return -EPERM;
	}
	set_text(hook, "perf event");
	snprintf(why, WORDS, "PMU type %u", type);
	return 0;
}

static int check_kprobes(struct doctor *d, char *hook, char *why)
{
	(void)d;
	return check_pmu(false, hook, why);
}

static int check_uprobes(struct doctor *d, char *hook, char *why)
{
	(void)d;
	return check_pmu(true, hook, why);
}

static const struct capability {
	const char *name;
	check_fn *check;
	const char *fallback; /* sonde's alternative if the capability is missing */
	bool needed;          /* by count, capture, filter, status */
} capabilities[] = {
	{ "load programs", check_load, NULL, true },
	{ "count incoming", check_xdp, "tc", false },
	{ "count outgoing, tc", check_tc, NULL, true },
	{ "stay installed", check_install, "live commands only", true },
	{ "find installed again", check_find, NULL, true },
	{ "large frames", check_frags, "xdp generic", false },
	{ "stream events", check_events, NULL, false },
	{ "capture memory", check_packet_buf, "ring buffer", false },
	{ "address sets", check_sets, NULL, false },
	{ "kernel types (CO-RE)", check_types, "no tracing", false },
	{ "trace", check_trace, "kprobes", false },
	{ "trace connections", check_connections, NULL, false },
	{ "kprobes", check_kprobes, "tracepoints", false },
	{ "uprobes", check_uprobes, NULL, false },
};

static int show_capabilities(struct doctor *d, struct sink *sink, unsigned int *missing)
{
	int rc = sink_begin(sink, &finding_schema, NULL);

	for (size_t i = 0; i < ARRAY_LEN(capabilities) && !rc; i++) {
		const struct capability *c = &capabilities[i];
		char hook[WORDS] = "", why[WORDS] = "";
		bool available = !c->check(d, hook, why);
		struct finding f = {
			.capability = c->name,
			.available = available,
			.hook = *hook ? hook : NULL,
			.fallback = c->fallback,
			.reason = *why ? why : NULL,
		};

		*missing += c->needed && !available;
		rc = sink_row(sink, &f);
	}
	return rc ? rc : sink_end(sink);
}

/* A privilege or limit of the process, independent of the kernel's features. */
struct privilege {
	const char *privilege, *state, *needed;
};

#define R struct privilege
static const struct col privilege_cols[] = {
	{ "privilege", "privilege", .role = COL_KEY, COL_AT_STR(R, privilege) },
	{ "state", "state", .role = COL_INFO, COL_AT_STR(R, state) },
	{ "needed_for", "needed for", .role = COL_INFO, COL_AT_STR(R, needed) },
};
#undef R
static const struct schema privilege_schema = SCHEMA("doctor_privilege", privilege_cols);

static const struct {
	uint64_t cap;
	const char *name, *needed;
} caps[] = {
	{ PRIV(CAP_BPF), "CAP_BPF", "loading programs, making maps" },
	{ PRIV(CAP_NET_ADMIN), "CAP_NET_ADMIN", "attaching to interfaces" },
	{ PRIV(CAP_PERFMON), "CAP_PERFMON", "tracing; pointer arithmetic in programs" },
	{ PRIV(CAP_SYS_ADMIN), "CAP_SYS_ADMIN",
	  "finding programs by id, detached mounts, --netns" },
	{ PRIV(CAP_SYS_RESOURCE), "CAP_SYS_RESOURCE",
	  "lifting the memlock limit before Linux 5.11" },
};

static int show_privileges(const struct doctor *d, struct sink *sink)
{
	char missing[64], limit[32];
	int rc = sink_begin(sink, &privilege_schema, NULL);

	for (size_t i = 0; i < ARRAY_LEN(caps) && !rc; i++) {
		struct privilege p = { caps[i].name, "yes", caps[i].needed };

		if (*priv_missing(caps[i].cap, missing, sizeof(missing)))
			p.state = "no";
		rc = sink_row(sink, &p);
	}
	if (!rc)
		rc = sink_row(sink, &(struct privilege){
					    "lockdown", lockdown_names[priv_lockdown()],
					    "confidentiality forbids kprobes and reading memory" });
	if (d->memlock.rlim_cur == RLIM_INFINITY)
		snprintf(limit, sizeof(limit), "unlimited");
	else
		snprintf(limit, sizeof(limit), "%llu bytes",
			 (unsigned long long)d->memlock.rlim_cur);
	if (!rc)
		rc = sink_row(sink,
			      &(struct privilege){ "memlock limit", limit,
						   "maps before Linux 5.11; sonde lifts it" });
	return rc ? rc : sink_end(sink);
}

/* Loads the gate's programs once, for all checks. Keeps the reason if that fails. */
static void prepare_checks(struct doctor *d)
{
	struct obj_opts xdp = { .progs = 1u << GATE_PROG_SONDE_GATE_XDP };
	struct obj_opts tc = { .progs = 1u << GATE_PROG_SONDE_GATE_OUT };
	struct err_capture before;

	getrlimit(RLIMIT_MEMLOCK, &d->memlock);
	before = err_capture_begin(d->why_load, sizeof(d->why_load));
	obj_open(&d->xdp, &gate_spec, &xdp);
	obj_open(&d->tc, &gate_spec, &tc);
	err_capture_end(before);
	if (mnt_read("proc", "/proc", "sys/net/core/bpf_jit_enable", d->jit, sizeof(d->jit)) < 0)
		d->jit[0] = '\0';
	d->private_ns = netns_unshare();
	if (!d->private_ns)
		d->private_ns = nl_open(&d->nl, 0);
}

static int examine_kernel(struct sink *sink)
{
	struct doctor d = { 0 };
	struct utsname uts = { 0 };
	unsigned int missing = 0;
	int rc, home = netns_current();

	uname(&uts);
	prepare_checks(&d);
	rc = sink_line(sink, "Linux %s, %s, %d CPU%s", uts.release, uts.machine,
		       bpf_possible_cpus() > 0 ? bpf_possible_cpus()
					       : (int)sysconf(_SC_NPROCESSORS_CONF),
		       bpf_possible_cpus() == 1 ? "" : "s");
	if (!rc)
		rc = show_capabilities(&d, sink, &missing);
	if (!rc)
		rc = sink_line(sink, "%s", "");
	if (!rc)
		rc = show_privileges(&d, sink);
	obj_close(&d.xdp);
	obj_close(&d.tc);
	nl_close(&d.nl);
	if (home > 0) {
		netns_set(home);
		close(home);
	}
	if (rc)
		return fail_errno(rc, "standard output");
	return missing ? fail(-EOPNOTSUPP,
			      "%u of the capabilities that count, capture, filter and "
			      "status need %s missing",
			      missing, missing == 1 ? "is" : "are")
		       : 0;
}

static int run_doctor(int argc, char **argv)
{
	struct doctor_opts o = { 0 };
	struct sink *sink;
	int rc;

	rc = cmd_parse_options(&spec, &o, &o.common, argc, argv);
	if (rc)
		return rc > 0 ? 0 : rc;
	sink = cmd_open_sink(&o.common, false, NULL);
	if (!sink)
		return -EIO;
	rc = examine_kernel(sink);
	if (!rc && o.deep) {
		rc = sink_line(sink, "%s", "");
		if (!rc)
			rc = doctor_prove(sink);
	}
	sink_free(sink);
	return rc;
}

static const struct schema *const records[] = { &finding_schema, &privilege_schema,
						&doctor_proof_schema, NULL };
const struct command cmd_doctor = { &spec, run_doctor, NULL, records };
