/* SPDX-License-Identifier: MIT */
/* Shared by the scenarios of sonde trace and sonde probe. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "base/buf.h"
#include "sys/bpf.h"
#include "sys/mnt.h"
#include "tests/net/file.h"
#include "tests/net/trace.h"

enum { SILENCE_MS = 600, DESCRIPTORS = 256 };

const char *trace_out(struct sonde *s)
{
	sonde_poll(s, 10);
	return s->out;
}

/* Starts a process on the far side, by which sonde finds the namespace; it ends with the test. */
static pid_t start_holder(const struct lab *lab)
{
	pid_t pid;

	lab_enter(lab, LAB_FAR);
	pid = fork();
	CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	lab_enter(lab, LAB_NEAR);
	return pid;
}

const char *trace_lab_filter(const struct lab *lab)
{
	static char text[64];

	snprintf(text, sizeof(text), "(netns %d or netns %d)", getpid(), start_holder(lab));
	return text;
}

const char *trace_own_pid(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", getpid());
	return text;
}

const char *trace_pid_word(pid_t pid)
{
	static char text[4][32];
	static int next;
	char *to = text[next++ % 4];

	snprintf(to, sizeof(text[0]), "\"pid\":%d,", pid);
	return to;
}

const char *trace_file(void)
{
	static const char *path;

	if (!path)
		path = file_path("events");
	return path;
}

void trace_into_file(void)
{
	int fd = open(trace_file(), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0, "%s: %s", trace_file(), strerror(errno));
}

char *trace_read_file(const char *path)
{
	struct buf b = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && !buf_read(&b, fd, 0), "%s", path);
	buf_char(&b, '\0');
	close(fd);
	return b.data;
}

void trace_await_silence(const char *path)
{
	uint64_t before;

	do {
		before = file_len(path);
		nap_ms(SILENCE_MS + 50 * test_slow());
	} while (file_len(path) != before);
}

static void add_prog(struct progs *p, uint32_t id)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->ids[i] == id)
			return;
	if (id && p->n < PROGS_MAX)
		p->ids[p->n++] = id;
}

/* The fdinfo of programs and links contains the program's id (proc(5)). */
struct progs progs_of(pid_t pid)
{
	struct progs p = { .n = 0 };
	char path[64], text[1024];

	for (int fd = 3; fd < DESCRIPTORS; fd++) {
		const char *at;

		snprintf(path, sizeof(path), "%d/fdinfo/%d", pid, fd);
		if (mnt_read("proc", "/proc", path, text, sizeof(text)) <= 0)
			continue;
		at = strstr(text, "prog_id:");
		if (at)
			add_prog(&p, (uint32_t)strtoul(at + strlen("prog_id:"), NULL, 10));
	}
	return p;
}

static bool is_loaded(uint32_t id)
{
	int fd = bpf_fd_by_id(BPF_KIND_PROG, id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void expect_progs_gone(const struct progs *progs)
{
	CHECK(progs->n, "the process held no programs");
	for (unsigned int i = 0; i < progs->n; i++) {
		int tries = 500;

		while (is_loaded(progs->ids[i]) && --tries)
			nap_ms(20);
		CHECK(tries, "program %u is not freed", progs->ids[i]);
	}
}

/* Finds the fields of a kind of record in the help: "  name   type" lines below its heading. */
static const char *find_fields(const char *help, const char *command, const char *record)
{
	char heading[128];
	const char *at;

	snprintf(heading, sizeof(heading), "sonde %s: \"record\": \"%s\"\n", command, record);
	at = strstr(help, heading);
	CHECK(at, "help json has no record %s of %s", record, command);
	return at + strlen(heading);
}

/* Skips a JSON value: a string, or anything up to a comma or brace at its level. */
static const char *skip_value(const char *at)
{
	int depth = 0;

	for (; *at && *at != '\n'; at++) {
		if (*at == '"') {
			for (at++; *at && *at != '"'; at++)
				at += *at == '\\';
			continue;
		}
		depth += (*at == '[' || *at == '{') - (*at == ']' || *at == '}');
		if (depth < 0 || (!depth && *at == ','))
			break;
	}
	return at;
}

static void expect_fields(const char *line, const char *fields)
{
	const char *at = strchr(line, ',');

	for (; *fields == ' '; fields = strchr(fields, '\n') + 1) {
		char want[64], key[80];

		if (fields[2] == ' ')
			continue; /* a field of a record in a list */
		snprintf(want, sizeof(want), "%.*s", (int)strcspn(fields + 2, " "), fields + 2);
		snprintf(key, sizeof(key), ",\"%s\":", want);
		CHECK(at && !strncmp(at, key, strlen(key)), "no %s at %.40s in %.*s", want,
		      at ? at : "", (int)strcspn(line, "\n"), line);
		at = skip_value(at + strlen(key));
	}
	CHECK(*at == '}', "a field that the help does not list at %.40s", at);
}

void expect_documented(const char *text, const char *command)
{
	static struct sonde help;
	char record[64];

	CHECK(!SONDE_RUN(&help, "help", "json"), "%s", help.err);
	CHECK(*text, "no records");
	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		CHECK(sscanf(text, "{\"record\":\"%63[a-z_]\"", record) == 1, "no record: %.80s",
		      text);
		expect_fields(text, find_fields(help.out, command, record));
	}
}
