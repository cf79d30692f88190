/* SPDX-License-Identifier: MIT */
/* What the scenarios share: sonde run as a user runs it, its answers read, hooks looked at. */
#ifndef TESTS_NET_NET_H
#define TESTS_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include "lab/lab.h"
#include "tests/lib/test.h"

/* A test that needs root. It uses only namespaces that it makes, or loopback. */
#define SCENARIO(name, seconds) TEST(name, #name, TEST_ROOT, seconds)

/* A running or ended sonde, with what it has said so far. */
struct sonde {
	pid_t pid; /* 0: ended */
	int rc;    /* exit code, or 128 + signal */
	int fd[2]; /* its standard output and error, -1 when closed */
	char out[1 << 16], err[1 << 14];
	size_t len[2];
};

/* Start the program under test ($SONDE, else build/sonde) with arguments up to NULL. */
#define SONDE_START(s, ...) \
	sonde_start(s, NULL, (const char *const[]){ "sonde", __VA_ARGS__, NULL })
/* before, if not NULL, runs in the child just before it becomes sonde. */
void sonde_start(struct sonde *s, void (*before)(void), const char *const *argv);
/* Wait until its standard error (or output) contains words; the test fails when it ends without. */
void sonde_await_err(struct sonde *s, const char *words);
void sonde_await_out(struct sonde *s, const char *words);
/* Take what it has said, waiting at most ms for more; false when it says no more. */
bool sonde_poll(struct sonde *s, int ms);
/* Wait for its end; its exit code. */
int sonde_wait(struct sonde *s);
/* Send a signal, then wait. */
int sonde_stop(struct sonde *s, int sig);
#define SONDE_RUN(s, ...) (SONDE_START(s, __VA_ARGS__), sonde_wait(s))
/* The test fails unless it ended with this code and one line on stderr that has the words. */
void sonde_expect_line(const struct sonde *s, int rc, const char *words);
/* The test fails unless it has given up everything but these capabilities, as the kernel has it. */
void sonde_expect_confined(const struct sonde *s, uint64_t caps);

/* The number before these words on its standard error, such as "packets captured"; 0 without. */
uint64_t sonde_said(const struct sonde *s, const char *words);

/* How many lines text has. */
unsigned int lines_of(const char *text);

/* Lines of text that have all words (up to NULL). */
#define LINES_WITH(text, ...) lines_with(text, (const char *const[]){ __VA_ARGS__, NULL })
unsigned int lines_with(const char *text, const char *const *words);

/* The sum of a number in all JSON lines that contain every one of the words (up to NULL). */
#define JSON_SUM(text, member, ...) \
	json_sum(text, member, (const char *const[]){ __VA_ARGS__, NULL })
uint64_t json_sum(const char *text, const char *member, const char *const *words);

/* Programs at all XDP and tc hooks of an interface. */
struct hooks {
	unsigned int ours, others;
};
struct hooks hooks_of(struct lab_end *end);
/* The test fails unless nothing is left at either end's hooks, within two seconds. */
void expect_clean(struct lab *lab);

/* A laboratory that is up and has carried a first packet; the thread is on the near side. */
void lab_ready(struct lab *lab);

/* Send n datagrams of len bytes from the near to the far side, as evenly as may be from all CPUs at
 * once, slowly enough for the pair's queues. */
void flood(const struct lab *lab, unsigned int n, size_t len);

/* A port of the far side; its length. */
socklen_t far_address(struct sockaddr_storage *ss, int family, int port);
/* A socket that listens there at any address; that of IPv6 takes IPv4, too. */
int far_listener(const struct lab *lab, int family, int port, int backlog);
/* The six bytes of a side's hardware address. */
void lab_mac(const struct lab *lab, enum lab_side side, uint8_t *mac);
/* A setting of this thread's network namespace ("net/ipv4/..."), if the kernel has it. */
void set_sysctl(const char *name, const char *value);
/* Keep the laboratory silent, so that the kernel's sums can be used. */
void silence(const struct lab *lab);
/* Packets that the kernel says have come to the far side since it said before (0: in all). Those
 * that the pair's queues dropped were never seen by XDP. */
uint64_t arrived(struct lab *lab, uint64_t before);
/* What the near side could not hand over. */
uint64_t dropped(struct lab *lab);
/* The last packets may still be on their way when their sender is done: wait for all of them, but
 * where the kernel keeps no account of drops not for ever. Those that have come. */
uint64_t all_arrived(struct lab *lab, uint64_t before, uint64_t sent, uint64_t dropped_before);
/* flood(), and how many of them all_arrived() saw. */
uint64_t flood_across(struct lab *lab, unsigned int n, size_t len);

/* A program that does nothing, as somebody else's tool would load it. XDP or SCHED_CLS. */
int foreign_prog(uint32_t type, const char *name);
/* One called "their_firewall" at the near side's XDP. */
void foreign_xdp(struct lab *lab);

/* Wait (two seconds) for a condition. */
#define AWAIT(cond, ...)                             \
	do {                                         \
		int tries_ = 200 * (int)test_slow(); \
		while (!(cond) && --tries_)          \
			nap_ms(10);                  \
		CHECK(tries_, __VA_ARGS__);          \
	} while (0)
void nap_ms(unsigned int ms);

#endif
