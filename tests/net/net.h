/* SPDX-License-Identifier: MIT */
/* Shared by the scenarios: running sonde, reading its output, inspecting hooks. */
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

/* A running or ended sonde, and its output so far. */
struct sonde {
	pid_t pid; /* 0: ended */
	int rc;    /* exit code, or 128 + signal */
	int fd[2]; /* its standard output and error, -1 when closed */
	char out[1 << 16], err[1 << 14];
	size_t len[2];
};

/* Starts the program under test ($SONDE, else build/sonde) with arguments up to NULL. */
#define SONDE_START(s, ...) \
	sonde_start(s, NULL, (const char *const[]){ "sonde", __VA_ARGS__, NULL })
/* before (may be NULL) runs in the child before execve(2). */
void sonde_start(struct sonde *s, void (*before)(void), const char *const *argv);
/* Waits until standard error (or output) contains text. The test fails if sonde ends without it. */
void sonde_await_err(struct sonde *s, const char *text);
void sonde_await_out(struct sonde *s, const char *text);
/* Reads new output, waiting at most ms for it. Returns false once both outputs are closed. */
bool sonde_poll(struct sonde *s, int ms);
/* Waits for its end. Returns the exit code. */
int sonde_wait(struct sonde *s);
/* Sends a signal, then waits. */
int sonde_stop(struct sonde *s, int sig);
#define SONDE_RUN(s, ...) (SONDE_START(s, __VA_ARGS__), sonde_wait(s))
/* The test fails unless it ended with this code and one line on stderr that contains text. */
void sonde_expect_line(const struct sonde *s, int rc, const char *text);
/* The test fails unless it has exactly these capabilities, no new privileges and a seccomp
 * filter. */
void sonde_expect_confined(const struct sonde *s, uint64_t caps);

/* Returns the number before text on its standard error, such as "packets captured"; 0 if
 * missing. */
uint64_t sonde_number(const struct sonde *s, const char *text);

/* Counts the lines of text. */
unsigned int lines_of(const char *text);

/* Counts the lines that contain all words (up to NULL). */
#define LINES_WITH(text, ...) lines_with(text, (const char *const[]){ __VA_ARGS__, NULL })
unsigned int lines_with(const char *text, const char *const *words);

/* Sums a number in all JSON lines that contain all words (up to NULL). */
#define JSON_SUM(text, member, ...) \
	json_sum(text, member, (const char *const[]){ __VA_ARGS__, NULL })
uint64_t json_sum(const char *text, const char *member, const char *const *words);

/* Programs at all XDP and tc hooks of an interface. */
struct hooks {
	unsigned int ours, others;
};
struct hooks hooks_of(struct lab_end *end);
/* The test fails unless all hooks of both ends are empty within two seconds. */
void expect_clean(struct lab *lab);

/* Creates a lab that is up and has passed a first packet; the thread is on the near side. */
void lab_ready(struct lab *lab);

/* Sends n datagrams of len bytes from the near to the far side, from all CPUs evenly, slowly enough
 * for the pair's queues. */
void lab_flood(const struct lab *lab, unsigned int n, size_t len);

/* Makes the address of a port of the far side. Returns its length. */
socklen_t far_address(struct sockaddr_storage *ss, int family, int port);
/* Opens a listener there on the wildcard address; with IPv6 it accepts IPv4, too. */
int far_listener(const struct lab *lab, int family, int port, int backlog);
/* Reads the six bytes of a side's MAC address. */
void lab_mac(const struct lab *lab, enum lab_side side, uint8_t *mac);
/* Sets a sysctl of this thread's network namespace ("net/ipv4/..."), if the kernel has it. */
void set_sysctl(const char *name, const char *value);
/* Stops the lab's own traffic, so that the kernel's statistics are exact. */
void lab_silence(const struct lab *lab);
/* Returns the packets that the far side has received since the count was before (0: all), from the
 * kernel's statistics. XDP does not see packets that the pair's queues dropped. */
uint64_t count_arrived(struct lab *lab, uint64_t before);
/* Returns the packets that the near side could not deliver. */
uint64_t count_dropped(struct lab *lab);
/* Waits until all sent packets have arrived or are counted as dropped, for a limited time, since
 * some kernels do not count drops. Returns those that arrived. */
uint64_t all_arrived(struct lab *lab, uint64_t before, uint64_t sent, uint64_t dropped_before);
/* Floods and returns what all_arrived() returns. */
uint64_t flood_across(struct lab *lab, unsigned int n, size_t len);

/* Loads a program that does nothing, like another tool's. type is XDP or SCHED_CLS. */
int foreign_prog(uint32_t type, const char *name);
/* Attaches one named "their_firewall" to the near side's XDP hook. */
void foreign_xdp(struct lab *lab);

/* Waits up to two seconds for a condition. */
#define AWAIT(cond, ...)                             \
	do {                                         \
		int tries_ = 200 * (int)test_slow(); \
		while (!(cond) && --tries_)          \
			nap_ms(10);                  \
		CHECK(tries_, __VA_ARGS__);          \
	} while (0)
void nap_ms(unsigned int ms);

#endif
