/* SPDX-License-Identifier: MIT */
/* Scenarios of live capture to files: rotation, full disks, and every kind of end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/net/file.h"
#include "tests/net/net.h"

enum {
	MEGABYTE = 1000000,
	LEN = 1400,
	STALLED = 1000,   /* datagrams: more than a pipe holds */
	BLOCK_MAX = 1600, /* a packet's block, and the end of a file */
	MANY = 2500,      /* 3.6 MB */
};

static struct sonde a;

#define CAPTURE(...) SONDE_START(&a, "capture", __VA_ARGS__)

/* Floods; the near side's outgoing packets are captured. */
static void flood_out(struct lab *lab)
{
	lab_flood(lab, MANY, LEN);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
}

static uint64_t captured_of(uint64_t arrived)
{
	uint64_t captured = sonde_number(&a, "packets captured");

	CHECK(captured + sonde_number(&a, "packets not written") +
			      sonde_number(&a, "packets dropped by kernel") ==
		      arrived,
	      "sum is not %llu: %s", (unsigned long long)arrived, a.err);
	return captured;
}

/* -C: FILE, FILE1, FILE2, each valid by itself; together they have all packets. */
static void rotate_by_size(const char *name, const char *option)
{
	uint64_t sum = 0;
	struct lab lab = { 0 };
	unsigned int files = 0;

	lab_ready(&lab);
	lab_silence(&lab);
	CAPTURE("-i", "sonde0", "-Q", "out", "-C", "1", option, "-w", file_path(name), "udp");
	sonde_await_err(&a, "out: ");
	flood_out(&lab);
	for (;; files++) {
		char one[64];
		const char *path;

		snprintf(one, sizeof(one), files ? "%s%u" : "%s", name, files);
		path = file_path(one);
		if (access(path, F_OK))
			break;
		CHECK(file_len(path) <= MEGABYTE + BLOCK_MAX, "%s: %llu bytes", one,
		      (unsigned long long)file_len(path));
		sum += file_read(path, NULL, NULL);
	}
	CHECK(files == 4, "%u files: %s", files, a.err);
	CHECK(sum == captured_of(MANY), "%llu packets in the files: %s", (unsigned long long)sum,
	      a.err);
	expect_clean(&lab);
}

SCENARIO(live_rotates, 60)
{
	rotate_by_size("turn.pcapng", "-n");
}

SCENARIO(live_rotates_pcap, 60)
{
	rotate_by_size("turn.pcap", "-n");
}

SCENARIO(live_rotates_ring, 60)
{
	rotate_by_size("turn.pcapng", "--ring");
}

struct lengths {
	unsigned int first, last;
};

enum { FIRST = 501, LAST = 502 };

static void find_lengths(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	struct lengths *l = arg;

	(void)i;
	l->first += f->len == FIRST + 42;
	l->last += f->len == LAST + 42;
}

/* -C -W: two files, overwritten in rotation, with the newest packets. */
SCENARIO(live_rotates_overwriting, 60)
{
	const char *paths[] = { file_path("turn.pcapng0"), file_path("turn.pcapng1") };
	struct lengths seen = { 0 };
	struct lab lab = { 0 };

	lab_ready(&lab);
	lab_silence(&lab);
	CAPTURE("-i", "sonde0", "-Q", "out", "-C", "1", "-W", "2", "-w", file_path("turn.pcapng"),
		"udp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_udp(&lab, 2, 1, FIRST, true), "cannot send the first packet");
	lab_flood(&lab, MANY, LEN);
	CHECK(!lab_udp(&lab, 2, 1, LAST, true), "cannot send the last packet");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(access(file_path("turn.pcapng"), F_OK) && access(file_path("turn.pcapng2"), F_OK),
	      "more than two files");
	for (int i = 0; i < 2; i++) {
		CHECK(file_len(paths[i]) <= MEGABYTE + BLOCK_MAX, "%s is too long", paths[i]);
		file_read(paths[i], find_lengths, &seen);
	}
	CHECK(!seen.first && seen.last == 1, "not the newest packets: %u %u", seen.first,
	      seen.last);
	captured_of(MANY + 2);
}

static bool any_named(const char *directory_of, unsigned int want)
{
	char dir[256], *slash;
	unsigned int n = 0;

	snprintf(dir, sizeof(dir), "%s", directory_of);
	slash = strrchr(dir, '/');
	for (unsigned int i = 0; i < 24 * 3600; i++) {
		snprintf(slash, sizeof(dir) - (size_t)(slash - dir), "/%02u%02u%02u", i / 3600,
			 i / 60 % 60, i % 60);
		if (access(dir, F_OK))
			continue;
		file_read(dir, NULL, NULL);
		n++;
	}
	return n == want;
}

/* -G -W: the given number of files of the given time, then the end; also without packets. */
SCENARIO(live_rotates_by_time, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CAPTURE("-i", "sonde0", "-G", "1s", "-W", "2", "-w", file_path("%H%M%S"), "udp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_udp(&lab, 2, 5, LEN, true), "cannot send");
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(any_named(file_path("x"), 2), "not two files: %s", a.err);
	CHECK(captured_of(10) == 10, "%s", a.err);
	expect_clean(&lab);
}

static void limit_files(void)
{
	struct rlimit limit = { MEGABYTE, MEGABYTE };

	if (setrlimit(RLIMIT_FSIZE, &limit))
		_exit(126);
}

static void stop_sonde(void)
{
	int status;

	kill(a.pid, SIGSTOP);
	CHECK(waitpid(a.pid, &status, WUNTRACED) == a.pid && WIFSTOPPED(status), "%s", a.err);
}

/* Expects one line of an error among the notes and sums. */
static void expect_error(const char *text)
{
	const char *at = strstr(a.err, text);

	CHECK(a.rc == 1 && at, "exit code %d, no \"%s\": %s", a.rc, text, a.err);
	CHECK(!strstr(at + 1, text), "reported twice: %s", a.err);
}

/* All packets are pending when it finds the disk full: all are counted. */
static void fill_disk(const char *name, const char *option, const char *value)
{
	const char *path = file_path(name);
	struct lab lab = { 0 };
	uint64_t captured, in_file;

	lab_ready(&lab);
	lab_silence(&lab);
	sonde_start(&a, limit_files,
		    (const char *const[]){ "sonde", "capture", "-i", "sonde0", "-Q", "out", "-w",
					   path, option, value, "udp", NULL });
	sonde_await_err(&a, "out: ");
	stop_sonde();
	lab_flood(&lab, MANY, LEN);
	kill(a.pid, SIGCONT);
	sonde_wait(&a);
	expect_error("no space left");
	captured = captured_of(MANY);
	in_file = file_read(path, NULL, NULL);
	CHECK(in_file == captured && in_file, "%llu packets in the file: %s",
	      (unsigned long long)in_file, a.err);
	CHECK(sonde_number(&a, "packets not written"), "%s", a.err);
	CHECK(file_len(path) <= MEGABYTE, "the file is longer than the limit");
	expect_clean(&lab);
}

SCENARIO(live_full_disk, 60)
{
	fill_disk("full.pcapng", "-s", "0");
}

SCENARIO(live_full_disk_pcap, 60)
{
	fill_disk("full.pcap", "-s", "0");
}

SCENARIO(live_full_disk_ring, 60)
{
	fill_disk("full.pcapng", "-n", "--ring");
}

/* A later file of a rotation, opened by the confined process, is truncated to whole packets like
 * the first. */
SCENARIO(live_full_disk_later, 60)
{
	enum { PART = 1000 }; /* 1.4 MB */
	const char *first = file_path("later"), *second = file_path("later1");
	struct rlimit limit = { MEGABYTE * 6 / 10, MEGABYTE * 6 / 10 };
	struct lab lab = { 0 };
	uint64_t captured, in_file;

	lab_ready(&lab);
	lab_silence(&lab);
	CAPTURE("-i", "sonde0", "-Q", "out", "-C", "1", "-w", first, "udp");
	sonde_await_err(&a, "out: ");
	lab_flood(&lab, PART, LEN);
	AWAIT(!access(second, F_OK), "no second file: %s", a.err);
	stop_sonde();
	CHECK(!prlimit(a.pid, RLIMIT_FSIZE, &limit, NULL), "prlimit: %s", strerror(errno));
	lab_flood(&lab, PART, LEN);
	kill(a.pid, SIGCONT);
	sonde_wait(&a);
	expect_error("no space left");
	captured = captured_of(2 * PART);
	in_file = file_read(first, NULL, NULL) + file_read(second, NULL, NULL);
	CHECK(in_file == captured && in_file > PART, "%llu packets in the files: %s",
	      (unsigned long long)in_file, a.err);
}

/* A device that is full from the start. */
SCENARIO(live_full_device, 60)
{
	const char *path = file_path("full");
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!mknod(path, S_IFCHR | 0600, makedev(1, 7)), "mknod: %s", strerror(errno));
	CAPTURE("-i", "sonde0", "-w", path);
	sonde_wait(&a);
	expect_error("no space left");
	expect_clean(&lab);
}

/* The interface is deleted: earlier packets are in the file. */
SCENARIO(live_vanish, 60)
{
	const char *path = file_path("vanish.pcapng");
	struct lab lab = { 0 };
	struct lab_end *near = &lab.end[LAB_NEAR];

	lab_ready(&lab);
	CAPTURE("-i", "sonde0", "-w", path, "udp");
	sonde_await_err(&a, "out: ");
	CHECK(!lab_udp(&lab, 2, 10, LEN, true), "cannot send");
	CHECK(!link_del(&near->nl, near->link.ifindex), "cannot delete the interface");
	sonde_wait(&a);
	expect_error("sonde0: the interface is gone");
	CHECK(file_read(path, NULL, NULL) == 20 && captured_of(20) == 20, "%s", a.err);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "cannot write %s",
	      path);
	close(fd);
}

/* A capture that cannot start keeps an existing file and creates none. */
SCENARIO(live_keeps_file, 60)
{
	const char *path = file_path("there.pcapng"), *other = file_path("not.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	write_text(path, "keep me");
	SONDE_RUN(&a, "capture", "-i", "nosuch0", "-w", path);
	sonde_expect_line(&a, 1, "no interface nosuch0");
	CHECK(SONDE_RUN(&a, "capture", "-i", "sonde0", "-i", "nosuch0", "-w", other) == 1, "%s",
	      a.err);
	CHECK(SONDE_RUN(&a, "capture", "-r", other, "-w", path) == 1, "%s", a.err);
	CHECK(file_len(path) == 7 && access(other, F_OK), "a file was changed");
	CHECK(SONDE_RUN(&a, "capture", "-i", "sonde0", "-w", file_path("no/such")) == 1, "%s",
	      a.err);
	CHECK(strstr(a.err, "no/such: "), "%s", a.err);
	expect_clean(&lab);
}

/* The reader closes the pipe, with packets and without. */
static void close_reader(const struct lab *lab, const char *option, const char *value, bool traffic)
{
	CAPTURE("-i", "sonde0", option, value, "udp");
	sonde_await_err(&a, "out: ");
	close(a.fd[0]);
	a.fd[0] = -1;
	if (traffic)
		CHECK(!lab_udp(lab, 2, 10, LEN, true), "cannot send");
	sonde_wait(&a);
	expect_error("standard output");
}

SCENARIO(live_closed_pipe, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int traffic = 0; traffic < 2; traffic++) {
		close_reader(&lab, "-w", "-", traffic);
		close_reader(&lab, "-o", "text", traffic);
		close_reader(&lab, "-o", "json", traffic);
	}
	expect_clean(&lab);
}

static int stalled[2];

static void write_to_stalled(void)
{
	dup2(stalled[1], STDOUT_FILENO);
}

/* A stalled reader does not delay the end of a capture, nor its sums. */
SCENARIO(live_stalled_reader, 60)
{
	struct lab lab = { 0 };

	lab_ready(&lab);
	CHECK(!pipe2(stalled, O_CLOEXEC), "pipe: %s", strerror(errno));
	sonde_start(&a, write_to_stalled,
		    (const char *const[]){ "sonde", "capture", "-i", "sonde0", "-Q", "out", "-w",
					   "-", "udp", NULL });
	sonde_await_err(&a, "out: ");
	lab_flood(&lab, STALLED, LEN);
	CHECK(sonde_stop(&a, SIGINT) == 1, "exit code %d: %s", a.rc, a.err);
	CHECK(strstr(a.err, "stopped reading"), "%s", a.err);
	CHECK(sonde_number(&a, "packets captured") + sonde_number(&a, "packets not written") +
			      sonde_number(&a, "packets dropped by kernel") ==
		      STALLED,
	      "%s", a.err);
	expect_clean(&lab);
}

static void close_stdout(void)
{
	close(STDOUT_FILENO);
}

/* With -w FILE standard output may be closed. */
SCENARIO(live_no_reader, 60)
{
	const char *path = file_path("alone.pcapng");
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int i = 0; i < 2; i++) {
		sonde_start(&a, i ? close_stdout : NULL,
			    (const char *const[]){ "sonde", "capture", "-i", "sonde0", "-c", "10",
						   "-w", path, "udp", NULL });
		sonde_await_err(&a, "out: ");
		if (!i)
			close(a.fd[0]);
		a.fd[0] = i ? a.fd[0] : -1;
		CHECK(!lab_udp(&lab, 2, 5, LEN, true), "cannot send");
		CHECK(!sonde_wait(&a), "%s", a.err);
		CHECK(file_read(path, NULL, NULL) == 10, "%s", a.err);
	}
}

/* Killed: no program is left at the hooks. */
SCENARIO(live_killed, 60)
{
	static const char *const at[] = { "tc", "clsact", "xdp" };
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		CAPTURE("-i", "sonde0", "--at", at[i]);
		sonde_await_err(&a, "out: ");
		CHECK(hooks_of(&lab.end[LAB_NEAR]).ours == 2, "expected two programs: %s", a.err);
		CHECK(sonde_stop(&a, SIGKILL) == 128 + SIGKILL, "not killed");
		expect_clean(&lab);
	}
}

static void expect_nanos(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	unsigned int *fine = arg;

	(void)i;
	CHECK(f->link == FRAME_ETHERNET && f->len == 42 + LEN, "%u bytes", f->len);
	*fine += f->time_ns % 1000 != 0;
}

/* Classic pcap files, by name or by option; also without packets. */
SCENARIO(live_pcap, 60)
{
	const char *paths[] = { file_path("by-name.pcap"), file_path("asked-for") };
	struct lab lab = { 0 };

	lab_ready(&lab);
	for (int i = 0; i < 2; i++) {
		unsigned int fine = 0;

		CAPTURE("-i", "sonde0", "-w", paths[i], i ? "--pcap" : "-n", "udp");
		sonde_await_err(&a, "out: ");
		CHECK(!lab_udp(&lab, 2, 20, LEN, true), "cannot send");
		CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
		CHECK(file_len(paths[i]) == 24 + 40 * (16 + 42 + LEN), "not a classic pcap file");
		CHECK(file_read(paths[i], expect_nanos, &fine) == 40, "%s", a.err);
		CHECK(fine, "times in microseconds");
		CHECK(captured_of(40) == 40, "%s", a.err);
	}
	CAPTURE("-i", "sonde0", "-w", paths[0], "udp port 9");
	sonde_await_err(&a, "out: ");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(!file_read(paths[0], NULL, NULL), "an unexpected packet");
}
