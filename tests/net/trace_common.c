/* SPDX-License-Identifier: MIT */
/* What the scenarios of sonde trace and sonde probe share. */
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

enum { SILENCE_MS = 600, DESCRIPTORS = 256, NAME_MAX_ = 128, FAMILIES = 64, SAMPLES = 2048 };

const char *trace_out(struct sonde *s)
{
	sonde_poll(s, 10);
	return s->out;
}

/* A process on the far side, which sonde finds the namespace by; it ends with the test. */
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

/* Descriptors of programs and of links tell the program's id (proc(5), fdinfo). */
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
	CHECK(progs->n, "it held no programs");
	for (unsigned int i = 0; i < progs->n; i++) {
		int tries = 500;

		while (is_loaded(progs->ids[i]) && --tries)
			nap_ms(20);
		CHECK(tries, "program %u stays", progs->ids[i]);
	}
}

/* The fields of a kind of record, as the help has them: "  name   type" lines below its heading. */
static const char *find_fields(const char *help, const char *command, const char *record)
{
	char heading[128];
	const char *at;

	snprintf(heading, sizeof(heading), "sonde %s: \"record\": \"%s\"\n", command, record);
	at = strstr(help, heading);
	CHECK(at, "help json has no record %s of %s", record, command);
	return at + strlen(heading);
}

/* Skips a JSON value: a string, or anything up to a comma or brace at its own level. */
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
			continue; /* of a record in a list */
		snprintf(want, sizeof(want), "%.*s", (int)strcspn(fields + 2, " "), fields + 2);
		snprintf(key, sizeof(key), ",\"%s\":", want);
		CHECK(at && !strncmp(at, key, strlen(key)), "no %s at %.40s in %.*s", want,
		      at ? at : "", (int)strcspn(line, "\n"), line);
		at = skip_value(at + strlen(key));
	}
	CHECK(*at == '}', "more than the help lists at %.40s", at);
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

struct prom {
	char family[NAME_MAX_], type[16];
	bool has_help, has_samples;
	char families[FAMILIES][NAME_MAX_];
	int nfamilies;
	const char *samples[SAMPLES];
	size_t lens[SAMPLES];
	int nsamples;
};

/* "# HELP name text", "# TYPE name type" */
static const char *read_comment(struct prom *p, const char *line, size_t len)
{
	char copy[512], what[8] = "", name[NAME_MAX_] = "", rest[NAME_MAX_] = "";

	snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	if (sscanf(copy, "# %7s %127s %127s", what, name, rest) != 3)
		return "a comment that is neither HELP nor TYPE";
	if (!strcmp(what, "HELP")) {
		snprintf(p->family, sizeof(p->family), "%s", name);
		p->has_help = true;
		*p->type = '\0';
		return NULL;
	}
	if (strcmp(what, "TYPE") || (p->has_help && strcmp(name, p->family)))
		return "TYPE of another family than HELP";
	if (strcmp(rest, "counter") && strcmp(rest, "gauge") && strcmp(rest, "histogram"))
		return "an unknown type";
	for (int i = 0; i < p->nfamilies; i++)
		if (!strcmp(p->families[i], name))
			return "a family twice";
	if (p->nfamilies == FAMILIES)
		return "too many families for this test";
	strcpy(p->families[p->nfamilies++], name);
	strcpy(p->family, name);
	snprintf(p->type, sizeof(p->type), "%s", rest);
	p->has_help = false;
	return NULL;
}

/* The name belongs to the family that TYPE began. */
static bool is_of_family(const struct prom *p, const char *line)
{
	size_t len = strcspn(line, "{ "), family = strlen(p->family);
	const char *suffix = line + family;

	if (!*p->type || len < family || strncmp(line, p->family, family))
		return false;
	if (len == family)
		return strcmp(p->type, "histogram") != 0;
	return !strcmp(p->type, "histogram") &&
	       (!strncmp(suffix, "_bucket{", 8) || !strncmp(suffix, "_sum", 4) ||
		!strncmp(suffix, "_count", 6));
}

static const char *read_sample(struct prom *p, const char *line, size_t len)
{
	const char *value = memrchr(line, ' ', len);
	char *end;

	if (!is_of_family(p, line))
		return "a sample outside of its family";
	if (!strcmp(p->type, "counter") && !strstr(p->family, "_total"))
		return "a counter without _total";
	if (!value || (strtod(value + 1, &end), end != line + len))
		return "a value that is no number";
	for (int i = 0; i < p->nsamples; i++)
		if (p->lens[i] == (size_t)(value - line) &&
		    !memcmp(p->samples[i], line, p->lens[i]))
			return "a sample twice";
	if (p->nsamples == SAMPLES)
		return "too many samples for this test";
	p->samples[p->nsamples] = line;
	p->lens[p->nsamples++] = (size_t)(value - line);
	return NULL;
}

const char *prom_mistake(const char *text)
{
	static struct prom p;
	const char *why = NULL;

	memset(&p, 0, sizeof(p));
	while (*text && !why) {
		size_t len = strcspn(text, "\n");

		why = *text == '#' ? read_comment(&p, text, len) : read_sample(&p, text, len);
		if (!text[len])
			return why ? why : "a last line without end";
		text += len + 1;
	}
	return why ? why : p.nsamples ? NULL : "nothing";
}

void expect_promtool(const char *text)
{
	FILE *tool;

	if (access("/usr/bin/promtool", X_OK))
		return;
	tool = popen("/usr/bin/promtool check metrics >&2", "w");
	CHECK(tool && fputs(text, tool) >= 0, "promtool: %s", strerror(errno));
	CHECK(!pclose(tool), "promtool refuses %s", text);
}

long long prom_value(const char *text, const char *sample)
{
	size_t len = strlen(sample);

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL)
		if (!strncmp(text, sample, len) && text[len] == ' ')
			return strtoll(text + len + 1, NULL, 10);
	return -1;
}
