/* SPDX-License-Identifier: MIT */
/* Creates the maps of filters' address sets, and reads them back. */
#include "sets/sets.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "sys/bpf.h"
#include "sys/priv.h"

static int build_map(const struct filter_set *set, enum set_family family, const char *name,
		     struct set_map *out)
{
	struct set_table table = { 0 };
	int rc = family == SET_IPV4 ? set4_build(&set->of[family], &table)
				    : set6_build(&set->of[family], &table);

	if (rc)
		return rc;
	out->head = set_table_head(&table);
	rc = set_table_create(&table, name, BPF_F_MMAPABLE);
	set_table_close(&table);
	if (rc > 0)
		out->fd = rc;
	return rc < 0 ? rc : 0;
}

static int open_map(struct set_map *out, const struct filter_set *set, enum set_family family,
		    const char *name)
{
	char names[32];
	int rc;

	if (!set->of[family].n)
		return 0;
	rc = build_map(set, family, name, out);
	if (rc == -EPERM)
		return fail(rc, "not permitted to create a map for set %s: %s", set->name,
			    *priv_missing(PRIV(CAP_BPF), names, sizeof(names))
				    ? "run as root, or with CAP_BPF"
			    : priv_memlock_counts()
				    ? "raise the memlock limit (ulimit -l)"
				    : "a seccomp profile or security module forbids it");
	if (rc)
		return fail_errno(rc, "creating a map for set %s (%zu prefixes)", set->name,
				  set->of[family].n);
	return 0;
}

size_t sets_find(const struct sets *s, const char *name)
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

	if (sets_find(s, set->name) < s->n)
		return 0;
	if (s->n == FILTER_SETS_MAX)
		return fail(-E2BIG, "more than %d sets", FILTER_SETS_MAX);
	for (int family = 0; family < SET_FAMILIES && !rc; family++) {
		snprintf(words, sizeof(words), "%s%zu_v%d", name, s->n, family == SET_IPV4 ? 4 : 6);
		rc = open_map(&s->maps[s->n][family], set, (enum set_family)family, words);
	}
	s->names[s->n++] = set->name; /* even on failure: sets_close() closes the maps */
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

static int read_map(int fd, enum set_family family, struct filter_set *out)
{
	struct set_table table = { 0 };
	int rc = fd ? set_table_read(fd, &table) : 0;

	if (!rc && fd)
		rc = family == SET_IPV4 ? set4_read(&table, &out->of[family])
					: set6_read(&table, &out->of[family]);
	set_table_close(&table);
	return rc;
}

int sets_read(int fd4, int fd6, struct filter_set *out)
{
	struct filter_set got = { 0 };
	int rc = read_map(fd4, SET_IPV4, &got);

	if (!rc)
		rc = read_map(fd6, SET_IPV6, &got);
	if (!rc)
		rc = set_normalize(&got);
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
			if (s->maps[i][family].fd)
				close(s->maps[i][family].fd);
	*s = (struct sets){ 0 };
}
