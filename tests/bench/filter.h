/* SPDX-License-Identifier: MIT */
/* Filters that drop a flood: how each is put at the wire's far end, and what the benchmark keeps.
 * A new contender is a row in filter_methods.c. */
#ifndef TESTS_BENCH_FILTER_H
#define TESTS_BENCH_FILTER_H

#include <stdbool.h>
#include "obj/attach.h"
#include "obj/obj.h"
#include "tests/bench/members.h"
#include "tests/bench/parts.h"
#include "tests/bench/run.h"
#include "tests/bench/series.h"
#include "tests/bench/wire.h"

enum { FLOOD_SOURCES = 10000 }; /* of a flood, where the filter has no set */

/* What is in sets. Sources are the addresses of the same numbers. */
enum set_id { SET_NONE, SET_ADDRS, SET_CIDRS, SET_ADDRS_1M, SET_CIDRS_1M, SETS };
extern const struct members sets[SETS];

/* Contenders, by name where others look for them. The first two are floors: what a contender costs
 * is the difference to one of these. */
enum contender_id {
	BASELINE_XDP,
	BASELINE_TC,
	HASH,
	TRIE,
	TRIE_CIDR,
	XDP_FILTER,
	NFT,
	NFT_CIDR,
	SONDE,
	SONDE_CIDR,
	HASH_1M,
	SONDE_1M,
	SONDE_CIDR_1M,
	NFT_RULE,
	NFT_RULES,
	SONDE_RULE,
	SONDE_RULES,
	SONDE_TC,
	SONDE_TC_CIDR,
	SONDE_TC_RULE,
	NFT_LIMIT,
	SONDE_LIMIT,
	SONDE_BAN,
	CONTENDERS
};

struct bench {
	struct bench_opts opts;
	struct wire wire;
	struct obj obj; /* of the program of ours that is attached */
	struct attach attach;
	/* Of each set: a file in memory, one member a line; 0: not yet made. */
	int set_fd[SETS];
};

struct contender;
/* A kind of filter. Both are called at the far end; a failure has been said. */
struct filter_method {
	int (*install)(struct bench *b, const struct contender *c);
	int (*remove)(struct bench *b, const struct contender *c);
};
extern const struct filter_method method_prog, method_xdp_filter, method_nft, method_sonde,
	method_guard;

struct contender {
	const char *name, *about, *part;
	const struct filter_method *method;
	enum contender_id baseline;
	enum set_id set;
	unsigned int prog;   /* method_prog: which */
	const char *hook;    /* method_sonde: option --at */
	const char *nft_set; /* method_nft: what is in its set s, in front of the elements */
	const char *rule;    /* of nft or of sonde; %s: where the set is found */
	unsigned int rules;  /* so many, of which only the last matches; 0: one */
	const char *program, *package; /* a peer's: which it takes, and what brings that */
	bool missing;
	struct series ns;           /* of the sending CPU, for a packet and its whole way */
	struct series over_ns;      /* more than the floor, measured just before */
	struct series kpps, passed; /* passed: the share of packets that were not dropped */
};
extern struct contender contenders[CONTENDERS];

/* Find the programs; those that are not there are named. */
void contenders_find_all(struct bench *b);
bool contender_is_selected(const struct bench *b, const struct contender *c);

/* A set's file, as a path that other processes can open, too. 0 or -errno, said. */
int set_path(struct bench *b, enum set_id set, char *path, size_t size);
/* A text as a file in memory: a descriptor, or -errno, said. */
int memfd_write_text(const struct buf *text);

/* filter_methods.c: put a contender's filter into the kernel, by its own program; run: what that
 * took, may be NULL. At the far end. */
int load_nft(struct bench *b, const struct contender *c, struct run *run);
int load_sonde(struct bench *b, const struct contender *c, struct run *run);
/* So many addresses, each by a process of its own, which is all that it has. */
int load_xdp_filter_addrs(uint32_t n, struct run *run);

/* The times that loading takes; prints its section. */
int filter_load(struct bench *b);

#endif
