/* SPDX-License-Identifier: MIT */
/* Shared by the scenarios of sonde trace and sonde probe. */
#ifndef TESTS_NET_TRACE_H
#define TESTS_NET_TRACE_H

#include "tests/net/net.h"

/* Returns the output so far. */
const char *trace_out(struct sonde *s);

/* Returns a filter for the lab's two namespaces, which excludes events of other processes on this
 * host. The caller is on the near side. */
const char *trace_lab_filter(const struct lab *lab);
/* This process's pid, as an argument, and as in JSON: "pid":12, */
const char *trace_own_pid(void);
const char *trace_pid_word(pid_t pid);

/* For output larger than a struct sonde holds: before() for sonde_start(), the file, and its text,
 * which the caller frees. */
void trace_into_file(void);
const char *trace_file(void);
char *trace_read_file(const char *path);
/* Waits until nothing more is written: the kernel ends a connection some time after its processes
 * have ended. */
void trace_await_silence(const char *path);

/* The BPF programs that a process holds. */
enum { PROGS_MAX = 64 };
struct progs {
	uint32_t ids[PROGS_MAX];
	unsigned int n;
};
struct progs progs_of(pid_t pid);
/* The test fails unless the process held programs and the kernel frees all of them within
 * seconds. */
void expect_progs_gone(const struct progs *progs);

/* The test fails unless each JSON line has exactly the fields of its kind, in order, as `sonde help
 * json` lists them for that command. */
void expect_documented(const char *text, const char *command);

#endif
