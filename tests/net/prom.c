/* SPDX-License-Identifier: MIT */
/* Checks documents of Prometheus metrics. */
#define _GNU_SOURCE
#include "tests/net/prom.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/lib/test.h"

enum { NAME_SIZE = 128, FAMILIES = 64, SAMPLES = 2048 };

struct prom_parse {
	char family[NAME_SIZE], type[16];
	bool has_help, has_samples;
	char families[FAMILIES][NAME_SIZE];
	int nfamilies;
	const char *samples[SAMPLES];
	size_t lens[SAMPLES];
	int nsamples;
};

/* "# HELP name text", "# TYPE name type" */
static const char *read_comment(struct prom_parse *p, const char *line, size_t len)
{
	char copy[512], what[8] = "", name[NAME_SIZE] = "", rest[NAME_SIZE] = "";

	snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
	if (sscanf(copy, "# %7s %127s %127s", what, name, rest) != 3)
		return "a comment other than HELP or TYPE";
	if (!strcmp(what, "HELP")) {
		snprintf(p->family, sizeof(p->family), "%s", name);
		p->has_help = true;
		*p->type = '\0';
		return NULL;
	}
	if (strcmp(what, "TYPE") || (p->has_help && strcmp(name, p->family)))
		return "TYPE and HELP of different families";
	if (strcmp(rest, "counter") && strcmp(rest, "gauge") && strcmp(rest, "histogram"))
		return "an unknown type";
	for (int i = 0; i < p->nfamilies; i++)
		if (!strcmp(p->families[i], name))
			return "a duplicate family";
	if (p->nfamilies == FAMILIES)
		return "too many families for this test";
	strcpy(p->families[p->nfamilies++], name);
	strcpy(p->family, name);
	snprintf(p->type, sizeof(p->type), "%s", rest);
	p->has_help = false;
	return NULL;
}

/* The name belongs to the family of the last TYPE. */
static bool is_of_family(const struct prom_parse *p, const char *line)
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

static const char *read_sample(struct prom_parse *p, const char *line, size_t len)
{
	const char *value = memrchr(line, ' ', len);
	char *end;

	if (!is_of_family(p, line))
		return "a sample outside its family";
	if (!strcmp(p->type, "counter") && !strstr(p->family, "_total"))
		return "a counter without _total";
	if (!value || (strtod(value + 1, &end), end != line + len))
		return "a value that is not a number";
	for (int i = 0; i < p->nsamples; i++)
		if (p->lens[i] == (size_t)(value - line) &&
		    !memcmp(p->samples[i], line, p->lens[i]))
			return "a duplicate sample";
	if (p->nsamples == SAMPLES)
		return "too many samples for this test";
	p->samples[p->nsamples] = line;
	p->lens[p->nsamples++] = (size_t)(value - line);
	return NULL;
}

const char *prom_mistake(const char *text)
{
	static struct prom_parse p;
	const char *why = NULL;

	memset(&p, 0, sizeof(p));
	while (*text && !why) {
		size_t len = strcspn(text, "\n");

		why = *text == '#' ? read_comment(&p, text, len) : read_sample(&p, text, len);
		if (!text[len])
			return why ? why : "an unterminated last line";
		text += len + 1;
	}
	return why ? why : p.nsamples ? NULL : "an empty document";
}

/* Prometheus' own checker, if it is installed. */
static void check_by_promtool(const char *text)
{
	FILE *tool;

	if (access("/usr/bin/promtool", X_OK))
		return;
	tool = popen("/usr/bin/promtool check metrics >&2", "w");
	CHECK(tool && fputs(text, tool) >= 0, "promtool: %s", strerror(errno));
	CHECK(!pclose(tool), "promtool rejects %s", text);
}

void expect_prom(const char *text)
{
	const char *mistake = prom_mistake(text);

	CHECK(!mistake, "%s: %s", mistake, text);
	check_by_promtool(text);
}

long long prom_value(const char *text, const char *sample)
{
	size_t len = strlen(sample);

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL)
		if (!strncmp(text, sample, len) && text[len] == ' ')
			return strtoll(text + len + 1, NULL, 10);
	return -1;
}
