/* SPDX-License-Identifier: MIT */
/* The scenarios: sonde as a user runs it, on real packets in private namespaces. */
#include "tests/net/scenarios.h"

#define ROOT(scenario, limit)                                                            \
	{                                                                                \
		.name = #scenario, .run = scenario, .needs = TEST_ROOT, .seconds = limit \
	}

static const struct test scenarios[] = {
	ROOT(count_exact_default, 60),
	ROOT(count_exact_xdp_native, 60),
	ROOT(count_exact_xdp_generic, 60),
	ROOT(count_exact_tc, 60),
	ROOT(count_exact_tcx, 60),
	ROOT(count_exact_clsact, 60),
	ROOT(count_installed_xdp, 60),
	ROOT(count_installed_tc, 60),
	ROOT(count_installed_clsact, 60),
	ROOT(count_follows, 30),
	ROOT(count_from_nothing, 30),
	ROOT(count_two_at_once, 30),
	ROOT(count_outlives_installed, 30),
	ROOT(count_installs, 30),
	ROOT(count_beside_installed, 30),
	ROOT(count_netns, 30),
	ROOT(count_formats, 30),
	ROOT(count_confined, 30),
	{ .name = "trouble_usage", .run = trouble_usage, .seconds = 30 },
	ROOT(trouble_unknown_interface, 30),
	ROOT(trouble_foreign_xdp, 30),
	ROOT(trouble_foreign_stays, 30),
	ROOT(trouble_half_install, 30),
	ROOT(trouble_vanish, 30),
	ROOT(trouble_kill, 30),
	ROOT(trouble_kill_clsact, 30),
	ROOT(trouble_closed_pipe, 30),
	ROOT(trouble_closed_stdout, 30),
	ROOT(trouble_full_disk, 30),
	ROOT(trouble_no_privilege, 30),
	ROOT(trouble_some_privilege, 30),
	ROOT(trouble_no_bpf, 30),
	ROOT(trouble_memlock, 30),
	ROOT(house_empty_root, 60),
	ROOT(house_demo, 30),
	ROOT(house_doctor, 30),
	ROOT(house_status, 30),
	ROOT(house_detach_one, 30),
	{ .name = "capture_chooses", .run = capture_chooses, .seconds = 30 },
	{ .name = "capture_damaged", .run = capture_damaged, .seconds = 30 },
	{ .name = "capture_mistakes", .run = capture_mistakes, .seconds = 30 },
	ROOT(live_exact_tc, 60),
	ROOT(live_exact_tcx, 60),
	ROOT(live_exact_clsact, 60),
	ROOT(live_exact_xdp_native, 60),
	ROOT(live_exact_xdp_generic, 60),
	ROOT(live_exact_ring, 60),
	ROOT(live_exact_ring_xdp, 60),
	ROOT(live_exact_out, 60),
	ROOT(live_loses_area, 60),
	ROOT(live_loses_ring, 60),
	ROOT(live_drains, 60),
	ROOT(live_in_order, 60),
	ROOT(live_count, 60),
	ROOT(live_snaplen, 60),
	ROOT(lone_count_in, 30),
	ROOT(lone_count_both, 30),
	ROOT(lone_installed, 30),
	ROOT(lone_demo, 30),
	ROOT(lone_doctor, 30),
};

int main(int argc, char **argv)
{
	return test_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(*scenarios));
}
