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

#endif
