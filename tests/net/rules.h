/* SPDX-License-Identifier: MIT */
/* Shared by the scenarios of sonde filter: hits of rules, datagrams to ports. */
#ifndef TESTS_NET_RULES_H
#define TESTS_NET_RULES_H

#include "tests/net/net.h"

/* Runs sonde filter in this thread's namespace; it must succeed, or fail with 1. */
#define FILTER(s, ...) CHECK(!SONDE_RUN(s, "filter", __VA_ARGS__), "%s", (s)->err)
#define FILTER_FAILS(s, ...) \
	CHECK(SONDE_RUN(s, "filter", __VA_ARGS__) == 1, "does not fail: %s", (s)->err)

/* Returns the installed rules, a line each: "IFACE DIRECTION ACTION NAME: RULE". */
const char *rules_installed(void);
void rules_expect(const char *want);
/* Sums the hits of rules whose JSON contains all words. */
#define RULES_HITS(...) rules_hits("packets", (const char *const[]){ __VA_ARGS__, NULL })
uint64_t rules_hits(const char *member, const char *const *words);

/* The same on the given side, whichever side this thread is on. */
uint64_t rules_hits_at(const struct lab *lab, enum lab_side side, const char *const *words);
#define FAR_HITS(lab, ...) rules_hits_at(lab, LAB_FAR, (const char *const[]){ __VA_ARGS__, NULL })

/* Sends n datagrams of len bytes from the near to the far side; neither kernel answers. The thread
 * is on the near side after it. */
void rules_send(const struct lab *lab, int family, int port, unsigned int n, size_t len);
/* Opens a socket that receives them. */
int rules_socket(const struct lab *lab, int type, int family, int port);
/* Writes text to a file in the test's directory. Returns its path. */
const char *rules_file(const char *name, const char *text);

#endif
