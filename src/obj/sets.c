/* SPDX-License-Identifier: MIT */
/* Sets of addresses: their maps, made of a filter's and read again. */
#include "obj/sets.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "sys/bpf.h"
#include "sys/priv.h"

static int build(const struct filter_set *set, enum set_family family, const char *name,
		 struct set_one *out)
{
	struct set_lines lines = { 0 };
	int rc = family == SET_IPV4 ? set4_build(&set->of[family], &lines)
				    : set6_build(&set->of[family], &lines);

	if (rc)
		return rc;
	out->head = lines_head(&lines);
	rc = lines_put(&lines, name, BPF_F_MMAPABLE);
	lines_close(&lines);
	if (rc > 0)
		out->fd = rc;
	return rc < 0 ? rc : 0;
}

static int open_one(struct set_one *out, const struct filter_set *set, enum set_family family,
		    const char *name)
{
	int rc;

	if (!set->of[family].n)
		return 0;
	rc = build(set, family, name, out);
	if (rc == -EPERM)
		return fail(rc, "a map for set %s (%zu prefixes) needs root, or CAP_BPF and %s",
			    set->name, set->of[family].n,
			    priv_memlock_counts() ? "a larger memlock limit (ulimit -l)"
						  : "that no seccomp profile forbids it");
	if (rc)
		return fail_errno(rc, "a map for set %s (%zu prefixes)", set->name,
				  set->of[family].n);
	return 0;
}

size_t sets_number(const struct sets *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->names[i], name))
		i++;
	return i;
}

static int open_set(struct sets *s, const struct filter_set *set, const char *name)
{
	char words[32];
	int rc = 0;

	if (sets_number(s, set->name) < s->n)
		return 0;
	if (s->n == FILTER_SETS_MAX)
		return fail(-E2BIG, "more than %d sets", FILTER_SETS_MAX);
	for (int family = 0; family < SET_FAMILIES && !rc; family++) {
		snprintf(words, sizeof(words), "%s%zu_v%d", name, s->n, family == SET_IPV4 ? 4 : 6);
		rc = open_one(&s->of[s->n][family], set, (enum set_family)family, words);
	}
	s->names[s->n++] = set->name; /* what failed is closed with it */
	return rc;
}

int sets_open(struct sets *s, const struct filter *const *filters, size_t n, const char *name)
{
	struct sets got = { 0 };
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		for (size_t j = 0; j < filters[i]->nsets && !rc; j++)
			rc = open_set(&got, &filters[i]->sets[j], name);
	if (rc)
		sets_close(&got);
	else
		*s = got;
	return rc;
}

static int read_one(int fd, enum set_family family, struct filter_set *out)
{
	struct set_lines lines = { 0 };
	int rc = fd ? lines_get(fd, &lines) : 0;

	if (!rc && fd)
		rc = family == SET_IPV4 ? set4_read(&lines, &out->of[family])
					: set6_read(&lines, &out->of[family]);
	lines_close(&lines);
	return rc;
}

int sets_read(int fd4, int fd6, struct filter_set *out)
{
	struct filter_set got = { 0 };
	int rc = read_one(fd4, SET_IPV4, &got);

	if (!rc)
		rc = read_one(fd6, SET_IPV6, &got);
	if (!rc)
		rc = set_settle(&got);
	if (rc)
		set_close(&got);
	else
		*out = got;
	return rc;
}

void sets_close(struct sets *s)
{
	for (int i = 0; i < FILTER_SETS_MAX; i++)
		for (int family = 0; family < SET_FAMILIES; family++)
			if (s->of[i][family].fd)
				close(s->of[i][family].fd);
	*s = (struct sets){ 0 };
}
