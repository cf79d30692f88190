/* SPDX-License-Identifier: MIT */
/* Kernel programs on crafted packets (BPF_PROG_TEST_RUN), and the loader, on the running kernel. */
#include "tests/run/run.h"
#include "tests/lib/insn.h"

static const struct test tests[] = {
	{ "gate: every sample counts as what it is", gate_samples, TEST_ROOT, 60 },
	{ "gate: samples cut at every length", gate_truncated, TEST_ROOT, 120 },
	{ "gate: mutated packets", gate_mutated, TEST_ROOT, 120 },
	{ "gate: packets without a link layer", gate_raw_ip, TEST_ROOT, 120 },
	{ "gate: mutated packets without a link layer", gate_raw_ip_mutated, TEST_ROOT, 120 },
	{ "gate: more EtherTypes than there is room for", gate_rare_full, TEST_ROOT, 60 },
	{ "gate: 802.3 frames of any length are one row", gate_rare_llc, TEST_ROOT, 60 },
	{ "gate: counters of several CPUs", gate_cpus, TEST_ROOT, 60 },
	{ "gate: segments of offloaded packets", skb_segments, TEST_ROOT, 0 },
	{ "gate: VLAN tags beside the packet", skb_vlan_beside, TEST_ROOT, 0 },
	{ "gate: headers outside the linear part", skb_headers_in_pages, TEST_ROOT, 120 },
	{ "gate: XDP frames in several buffers", xdp_in_pages, TEST_ROOT, 0 },
	{ "filter: at XDP as in user space", filter_xdp, TEST_ROOT, 120 },
	{ "filter: at tc as in user space", filter_skb, TEST_ROOT, 120 },
	{ "filter: sets of every shape in the kernel as in user space", sets_shapes, TEST_ROOT,
	  120 },
	{ "filter: a set of a million prefixes", sets_many, TEST_ROOT, 60 },
	{ "names: cgroups and containers", names_cgroups, TEST_ROOT, 0 },
	{ "names: namespaces and interfaces", names_places, TEST_ROOT, 0 },
	{ "names: files of addresses", names_files, TEST_ROOT, 0 },
	{ "capture: every program in every way", capture_loads, TEST_ROOT, 120 },
	{ "capture: packets parsed at XDP as in user space", capture_views_xdp, TEST_ROOT, 120 },
	{ "capture: packets parsed at tc as in user space", capture_views_skb, TEST_ROOT, 120 },
	{ "capture: VLAN tags beside the packet", capture_views_tagged, TEST_ROOT, 120 },
	{ "capture: filters at XDP as in user space", capture_matches_xdp, TEST_ROOT, 120 },
	{ "capture: filters at tc as in user space", capture_matches_skb, TEST_ROOT, 120 },
	{ "capture: filters of hundreds of terms", capture_worst, TEST_ROOT, 120 },
	{ "obj: a refused program and the verifier's last lines", load_refused, TEST_ROOT, 0 },
	{ "obj: the whole log", load_refused_whole_log, TEST_ROOT, 0 },
	{ "obj: the conf is frozen", load_conf_frozen, TEST_ROOT, 0 },
	{ "obj: the conf as compiled", load_conf_default, TEST_ROOT, 0 },
	{ "obj: the gate where memory is read aligned", load_aligned, TEST_ROOT, 0 },
	{ "obj: some of the programs", load_some, TEST_ROOT, 0 },
	{ "obj: a refused map", load_map_refused, TEST_ROOT, 0 },
	{ "obj: damaged code", load_damaged, TEST_ROOT, 0 },
	{ "obj: the end of a log", log_tails, 0, 0 },
	{ "obj: found again by ids", find_again, TEST_ROOT, 0 },
	{ "sys: possible CPUs", possible_cpus, TEST_ROOT, 0 },
	{ "core: a member read at its place", core_offset_read, TEST_ROOT, 0 },
	{ "core: a member read with types", core_offset_typed, TEST_ROOT, 0 },
	{ "core: a missing member behind its check", core_missing_guarded, TEST_ROOT, 0 },
	{ "core: a missing member that is reached", core_missing_reached, TEST_ROOT, 0 },
	{ "core: every kind of question", core_answers, TEST_ROOT, 60 },
	{ "core: a tracepoint that is not there", core_no_tracepoint, TEST_ROOT, 0 },
	{ "ring: records in order, round and round", ring_in_order, TEST_ROOT, 60 },
	{ "ring: full", ring_full, TEST_ROOT, 0 },
	{ "ring: the reader may stop", ring_stops, TEST_ROOT, 0 },
	{ "sys: confined, but not too much", confine_leaves_enough, TEST_ROOT, 0 },
	{ "sys: confined, but files can be opened", confine_leaves_files, TEST_ROOT, 0 },
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, tests, LENGTH(tests));
}
