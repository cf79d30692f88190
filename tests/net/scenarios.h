/* SPDX-License-Identifier: MIT */
/* All scenarios, by the file that holds them. */
#ifndef TESTS_NET_SCENARIOS_H
#define TESTS_NET_SCENARIOS_H

#include "tests/net/net.h"

/* count.c */
void count_exact_default(void);
void count_exact_xdp_native(void);
void count_exact_xdp_generic(void);
void count_exact_tc(void);
void count_exact_tcx(void);
void count_exact_clsact(void);
void count_installed_xdp(void);
void count_installed_tc(void);
void count_installed_clsact(void);
void count_follows(void);
void count_returns(void);
void count_overrun(void);
void count_from_nothing(void);
void count_two_at_once(void);
void count_outlives_installed(void);
void count_installs(void);
void count_beside_installed(void);
void count_netns(void);
void count_formats(void);
void count_confined(void);

/* trouble.c */
void trouble_usage(void);
void trouble_unknown_interface(void);
void trouble_foreign_xdp(void);
void trouble_foreign_stays(void);
void trouble_half_install(void);
void trouble_vanish(void);
void trouble_kill(void);
void trouble_kill_clsact(void);
void trouble_closed_pipe(void);
void trouble_closed_stdout(void);
void trouble_full_disk(void);
void trouble_no_privilege(void);
void trouble_some_privilege(void);
void trouble_no_bpf(void);
void trouble_forbidden(void);
void trouble_memlock(void);

/* house.c */
void house_empty_root(void);
void house_demo(void);
void house_doctor(void);
void house_status(void);
void house_detach_one(void);

/* capture.c */
void capture_chooses(void);
void capture_damaged(void);
void capture_mistakes(void);

/* live_clock.c */
void live_clock_step(void);

/* owner.c */
void owner_of_new_sockets(void);
void owner_of_old_sockets(void);
void owner_of_accepted(void);
void owner_filtered(void);

/* filter.c */
void filter_only_80_xdp(void);
void filter_only_80_tc(void);
void filter_only_80_ipv6(void);
void filter_only_80_ipv6_tc(void);
void filter_numbers(void);
void filter_order(void);
void filter_replaced_xdp(void);
void filter_replaced_tc(void);
void filter_and_count(void);
void filter_default_xdp(void);
void filter_default_tc(void);
void filter_sets(void);
void filter_test(void);

/* filter_trouble.c */
void filter_foreign_xdp(void);
void filter_half(void);
void filter_bad_file(void);
void filter_usage(void);
void filter_unconfirmed(void);
void filter_confirmed(void);
void filter_ssh(void);
void filter_ssh_spared(void);
void filter_ssh_sudo(void);
void filter_at_once(void);
void filter_vanish(void);
void filter_no_privilege(void);

/* observe.c */
void observe_installed(void);
void observe_one_at_a_time(void);

/* live.c */
void live_exact_tc(void);
void live_exact_tcx(void);
void live_exact_clsact(void);
void live_exact_xdp_native(void);
void live_exact_xdp_generic(void);
void live_exact_ring(void);
void live_exact_ring_xdp(void);
void live_exact_out(void);
void live_loses_area(void);
void live_loses_ring(void);
void live_drains(void);
void live_in_order(void);
void live_in_order_ring(void);
void live_count(void);
void live_snaplen(void);
void live_chooses(void);
void live_chooses_xdp(void);

/* live_file.c */
void live_rotates(void);
void live_rotates_pcap(void);
void live_rotates_ring(void);
void live_rotates_in_turn(void);
void live_rotates_by_time(void);
void live_full_disk(void);
void live_full_disk_pcap(void);
void live_full_disk_ring(void);
void live_full_disk_later(void);
void live_full_device(void);
void live_vanish(void);
void live_spares_file(void);
void live_closed_pipe(void);
void live_no_reader(void);
void live_stalled_reader(void);
void live_killed(void);
void live_pcap(void);

/* live_place.c */
void live_follows(void);
void live_leaves_out(void);
void live_nothing(void);
void live_vlan(void);
void live_beside_generic_xdp(void);
void live_netns(void);
void live_loopback(void);
void live_raw(void);
void live_usage(void);
void live_no_privilege(void);
void live_confined(void);

/* guard.c */
void guard_limits_xdp(void);
void guard_limits_tc(void);
void guard_bans(void);
void guard_allows(void);
void guard_strangers(void);
void guard_cookies(void);
void guard_cookies_ipv6(void);
void guard_watched(void);
void guard_allows_sets(void);
void guard_samples(void);
void guard_mistakes(void);
/* guard_conns.c */
void guard_conns_xdp(void);
void guard_conns_tc(void);
void guard_conns_late(void);
void guard_conns_rate(void);
void guard_conns_unconfirmed(void);

/* lone.c */
void lone_count_in(void);
void lone_count_both(void);
void lone_installed(void);
void lone_demo(void);
void lone_doctor(void);

/* trace.c */
void trace_every_connection(void);
void trace_every_connection_ipv6(void);
void trace_failures(void);
void trace_failures_ipv6(void);
void trace_losses(void);
void trace_existing(void);
void trace_waiting(void);
void trace_filters(void);
void trace_trouble(void);
void trace_ends(void);
void trace_container(void);

/* trace_output.c */
void trace_options(void);
void trace_netns(void);
void trace_mistakes(void);
void trace_metrics(void);
void trace_textfile(void);
void trace_json(void);

/* trace_kinds.c */
void trace_dropped(void);
void trace_drop_stacks(void);
void trace_resets(void);
void trace_full_queue(void);
void trace_binds(void);
void trace_dns(void);
void trace_dns_netns(void);
void trace_tls(void);

/* probe.c */
void probe_user(void);
void probe_nested(void);
void probe_events(void);
void probe_kernel(void);
void probe_calls(void);
void probe_raw(void);
void probe_lists(void);
void probe_trouble(void);
void probe_replaced(void);
void probe_full(void);
void probe_unreturned(void);
void probe_readers(void);
void probe_ends(void);
void probe_metrics(void);

/* upgrade.c */
void upgrade_xdp(void);
void upgrade_tc(void);
void upgrade_detach_xdp(void);
void upgrade_detach_tc(void);

#endif
