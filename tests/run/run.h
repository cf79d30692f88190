/* SPDX-License-Identifier: MIT */
/* What the tests of kernel programs share: the gate on a bench, crafted packets, and a second
 * opinion on them. */
#ifndef TESTS_RUN_RUN_H
#define TESTS_RUN_RUN_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "gate/counters.h"
#include "obj/obj.h"
#include "tests/lib/packet.h"
#include "tests/lib/test.h"

/* The gate's programs. */
enum target { XDP, TC_IN, TC_OUT, FLAVOURS };
extern const char *const target_names[];

/* The gate loaded, and before its tc programs a stage that does to the packet what
 * BPF_PROG_TEST_RUN cannot: see fixture_run(). */
struct fixture {
	struct obj gate, stage;
	bool multibuf;
};
void fixture_open(struct fixture *r, bool ethernet);
void fixture_close(struct fixture *r);

/* Orders to the stage, in __sk_buff.cb. */
enum { STAGE_CUT, STAGE_VLAN_PROTO, STAGE_VLAN_ID, STAGE_PROG };

/* The stage alone, and what it leads to when its cb[STAGE_PROG] is slot (an enum target). */
void stage_open(struct obj *stage);
void stage_lead(const struct obj *stage, uint32_t slot, int prog);

/* Run a program on a packet: ctx may be NULL, its cb[STAGE_CUT] cuts the packet to so many bytes,
 * its cb[STAGE_VLAN_*] push a tag to where a device's offload puts it, beside the packet. The
 * program has to return what lets the packet go on, and to count one row, which is stored and taken
 * out of the counters again. */
void fixture_run(struct fixture *r, enum target f, const void *data, size_t len,
		 const struct __sk_buff *ctx, struct gate_row *row);
/* The same, and the row has to be this one. */
void fixture_expect(struct fixture *r, enum target f, const void *data, size_t len,
		    const struct __sk_buff *ctx, const struct gate_row *want);
/* The same with what the second opinion says: one packet of len bytes. */
void fixture_compare(struct fixture *r, enum target f, const void *data, size_t len, bool ethernet);
/* All counters of a direction; the caller frees. */
void fixture_read(const struct fixture *r, enum gate_dir dir, struct gate_counters *t);
/* Forget them. */
void fixture_clear(const struct fixture *r, enum gate_dir dir);
/* Nothing is left in the counters. */
void fixture_empty(const struct fixture *r);

/* Family and proto (of struct gate_row) of a packet as the standards have it. */
struct opinion {
	uint8_t family;
	uint32_t proto;
};
struct opinion opinion_of(const uint8_t *data, size_t len, bool ethernet);

/* A packet with a name, and what it has to be counted as. */
struct sample {
	const char *name;
	void (*build)(struct packet *p, int arg);
	int arg;
	uint8_t family;
	uint32_t proto;
};
extern const struct sample samples[];
extern const size_t nsamples;

/* A few bytes become others, more often such as mean something; now and then the end is cut off. */
void packet_mutate(struct packet *p, uint64_t *seed);

/* tests/run/gate.c */
void gate_samples(void);
void gate_truncated(void);
void gate_mutated(void);
void gate_raw_ip(void);
void gate_raw_ip_mutated(void);
void gate_rare_full(void);
void gate_rare_llc(void);
void gate_cpus(void);
/* tests/run/skb.c */
void skb_segments(void);
void skb_vlan_beside(void);
void skb_headers_in_pages(void);
void xdp_in_pages(void);
/* tests/run/load.c */
void load_refused(void);
void load_refused_whole_log(void);
void load_too_large(void);
void load_too_many_jumps(void);
void load_conf_frozen(void);
void load_conf_default(void);
void load_some(void);
void load_aligned(void);
void load_map_refused(void);
void load_damaged(void);
void log_tails(void);
void find_again(void);
void possible_cpus(void);
/* tests/run/stubs.c */
void stubs_gate(void);
void stubs_guard(void);
void stubs_capture(void);
/* tests/run/core.c */
void core_offset_read(void);
void core_offset_typed(void);
void core_missing_guarded(void);
void core_missing_reached(void);
void core_answers(void);
void core_no_tracepoint(void);
/* tests/run/ring.c */
void ring_in_order(void);
void ring_full(void);
void ring_stops(void);
/* tests/run/confine.c */
void confine_leaves_enough(void);
void confine_leaves_files(void);

/* tests/run/sets.c */
void sets_shapes(void);
void sets_many(void);

/* tests/run/names.c */
void names_cgroups(void);
void names_places(void);
void names_files(void);
/* tests/run/capture.c */
void capture_loads(void);
void capture_views_xdp(void);
void capture_views_skb(void);
void capture_views_tagged(void);
void capture_matches_xdp(void);
void capture_matches_skb(void);
void capture_worst(void);

/* guard.c */
void guard_exact(void);
void guard_sketch(void);
void guard_full(void);
void guard_bans(void);
void guard_dry(void);
void guard_fragments(void);
void guard_keys(void);
void guard_stack(void);
void guard_mutated(void);

/* filter.c */
void filter_xdp(void);
void filter_skb(void);

/* rules.c */
void rules_xdp(void);
void rules_tc_in(void);
void rules_tc_out(void);
void rules_raw_ip(void);
void rules_light(void);
void rules_light_raw_ip(void);
void rules_many(void);
void rules_sets(void);
void rules_many_sets(void);
void rules_observed(void);
void rules_go_on(void);

#endif
