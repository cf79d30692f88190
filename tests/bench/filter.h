/* SPDX-License-Identifier: MIT */
/* Filters that drop a flood: the contenders, and the state of the benchmark. A new contender is a
 * row in filter_methods.c. */
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

enum { FLOOD_SOURCES = 10000 }; /* sources of a flood into a filter without a set */

/* The contents of sets. A flood comes from the addresses with the same numbers. */
enum set_id { SET_NONE, SET_ADDRS, SET_CIDRS, SET_ADDRS_1M, SET_CIDRS_1M, SETS };
extern const struct members sets[SETS];

/* Identifiers of contenders. The first two are baselines: a contender's cost is its difference from
 * one of them. */
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
	struct obj obj; /* the attached program of method_prog */
	struct attach attach;
	/* By set: a memfd with one member per line; 0: not made yet. */
	int set_fd[SETS];
};

struct contender;
/* A kind of filter. Both functions run in the far namespace. They report errors. */
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
	unsigned int prog;   /* method_prog: index of the program */
	const char *hook;    /* method_sonde: option --at */
	const char *nft_set; /* method_nft: declaration of its set s, without the elements */
	const char *rule;    /* a rule of nft or sonde; %s: the path of the set's file */
	unsigned int rules;  /* number of rules, of which only the last one matches; 0: one */
	const char *program, *package; /* of a peer: its program, and the package that has it */
	bool missing;
	struct series ns;           /* the sending CPU's time per packet, with the whole path */
	struct series over_ns;      /* difference from the baseline measured directly before */
	struct series kpps, passed; /* passed: share of packets that were not dropped */
};
extern struct contender contenders[CONTENDERS];

/* Finds the programs. Reports those that are missing. */
void contenders_find_all(struct bench *b);
bool contender_is_selected(const struct bench *b, const struct contender *c);

/* The path of a set's file, valid for other processes, too. 0 or -errno. Reports errors. */
int set_path(struct bench *b, enum set_id set, char *path, size_t size);
/* Writes a text to a memfd. Returns the descriptor or -errno. Reports errors. */
int memfd_write_text(const struct buf *text);

/* filter_methods.c: install a contender's filter by running its program in the far namespace. run:
 * the time it took, may be NULL. */
int load_nft(struct bench *b, const struct contender *c, struct run *run);
int load_sonde(struct bench *b, const struct contender *c, struct run *run);
/* Adds n addresses, each by its own process: the program takes only one at a time. */
int load_xdp_filter_addrs(uint32_t n, struct run *run);

/* Measures loading. Prints its section. */
int filter_load(struct bench *b);

#endif
