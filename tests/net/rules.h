/* SPDX-License-Identifier: MIT */
/* What the scenarios of sonde filter share: hits of rules, datagrams to ports. */
#ifndef TESTS_NET_RULES_H
#define TESTS_NET_RULES_H

#include "tests/net/net.h"

/* Run sonde filter in this thread's namespace, and what it is to answer. */
#define FILTER(s, ...) CHECK(!SONDE_RUN(s, "filter", __VA_ARGS__), "%s", (s)->err)
#define FILTER_FAILS(s, ...) \
	CHECK(SONDE_RUN(s, "filter", __VA_ARGS__) == 1, "it works: %s", (s)->err)

/* The rules as they would be written, a line each: "IFACE DIRECTION ACTION NAME: RULE". */
const char *rules_now(void);
void rules_expect(const char *want);
/* Packets that rules with these words in their JSON have decided on. */
#define RULES_HITS(...) rules_hits("packets", (const char *const[]){ __VA_ARGS__, NULL })
uint64_t rules_hits(const char *member, const char *const *words);

/* The same on a side, whichever this thread is on. */
uint64_t rules_hits_at(const struct lab *lab, enum lab_side side, const char *const *words);
#define FAR_HITS(lab, ...) rules_hits_at(lab, LAB_FAR, (const char *const[]){ __VA_ARGS__, NULL })

/* n datagrams of len bytes from the near to the far side, to nobody who would answer: neither do
 * the kernels. The thread is on the near side after it. */
void rules_send(const struct lab *lab, int family, int port, unsigned int n, size_t len);
/* A socket that takes them. */
int rules_socket(const struct lab *lab, int type, int family, int port);
/* A file in the test's directory with this text: its path. */
const char *rules_file(const char *name, const char *text);

#endif
