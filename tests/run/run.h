/* SPDX-License-Identifier: MIT */
/* Shared by the tests of kernel programs: the gate in a fixture, crafted packets, and a reference
 * parser. */
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
enum target { XDP, TC_IN, TC_OUT, TARGETS };
extern const char *const target_names[];

/* The gate's programs, loaded, and a stage that runs before the tc programs. The stage changes the
 * packet in ways that BPF_PROG_TEST_RUN cannot: see fixture_run(). */
struct fixture {
	struct obj gate, stage;
	bool multibuf;
};
void fixture_open(struct fixture *r, bool ethernet);
void fixture_close(struct fixture *r);

/* Parameters of the stage, in __sk_buff.cb. */
enum { STAGE_CUT, STAGE_VLAN_PROTO, STAGE_VLAN_ID, STAGE_PROG };

/* Opens the stage alone; links one of its slots (an enum target) to a program, which runs if
 * cb[STAGE_PROG] is that slot. */
void stage_open(struct obj *stage);
void stage_link(const struct obj *stage, uint32_t slot, int prog);

/* Runs a program on a packet. ctx may be NULL. cb[STAGE_CUT] truncates the packet to that many
 * bytes; cb[STAGE_VLAN_*] push a tag where a device's offload puts it, outside of the packet. The
 * test fails unless the program passes the packet and counts exactly one row. Stores that row and
 * removes it from the counters. */
void fixture_run(struct fixture *r, enum target target, const void *data, size_t len,
		 const struct __sk_buff *ctx, struct gate_row *row);
/* As fixture_run(); the row must equal *want. */
void fixture_expect(struct fixture *r, enum target target, const void *data, size_t len,
		    const struct __sk_buff *ctx, const struct gate_row *want);
/* As fixture_expect(), for one packet of len bytes, with the reference parser's family and
 * protocol. */
void fixture_compare(struct fixture *r, enum target target, const void *data, size_t len,
		     bool ethernet);
/* Reads all counters of a direction; the caller frees them. */
void fixture_read(const struct fixture *r, enum gate_dir dir, struct gate_counters *t);
/* Removes all counters of a direction. */
void fixture_clear(const struct fixture *r, enum gate_dir dir);
/* The test fails unless all counters are empty. */
void fixture_empty(const struct fixture *r);

/* Family and proto (of struct gate_row) of a packet according to the standards. */
struct packet_class {
	uint8_t family;
	uint32_t proto;
};
struct packet_class reference_classify(const uint8_t *data, size_t len, bool ethernet);

/* A named packet and its expected classification. */
struct sample {
	const char *name;
	void (*build)(struct packet *p, int arg);
	int arg;
	uint8_t family;
	uint32_t proto;
};
extern const struct sample samples[];
extern const size_t nsamples;

/* Changes a few bytes, more often to values with a meaning. Sometimes truncates the packet. */
void packet_mutate(struct packet *p, uint64_t *seed);

#endif
