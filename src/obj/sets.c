/* SPDX-License-Identifier: MIT */
/* Sets of addresses in longest-prefix tries, filled many prefixes at a time where the kernel can.
 */
#include "obj/sets.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "sys/bpf.h"

enum { BATCH = 4096, KEY_MAX = 4 + 16 };

/* Keys (struct bpf_lpm_trie_key) of a family lie without a gap between them. */
static size_t put_keys(uint8_t *to, const struct filter_set *set, enum set_family family,
		       size_t from)
{
	size_t len = set_address(family), n = set->of[family].n - from;

	if (n > BATCH)
		n = BATCH;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *prefix = set_prefix(set, family, from + i);
		uint32_t bits = prefix[len];

		memcpy(to, &bits, sizeof(bits));
		memcpy(to + sizeof(bits), prefix, len);
		to += sizeof(bits) + len;
	}
	return n;
}

static int put_each(int fd, const uint8_t *keys, size_t size, size_t n)
{
	uint8_t value = 1;
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = bpf_map_update(fd, keys + i * size, &value, BPF_ANY);
	return rc;
}

static int fill(int fd, const struct filter_set *set, enum set_family family)
{
	size_t size = sizeof(uint32_t) + set_address(family), n;
	uint8_t *keys = malloc(BATCH * (size_t)KEY_MAX), values[BATCH];
	bool batches = true;
	int rc = keys ? 0 : -ENOMEM;

	memset(values, 1, sizeof(values));
	for (size_t at = 0; at < set->of[family].n && !rc; at += n) {
		n = put_keys(keys, set, family, at);
		batches = batches && !bpf_map_update_batch(fd, keys, values, (uint32_t)n);
		/* Once more singly, if it cannot or has run into an error: to see which. */
		if (!batches)
			rc = put_each(fd, keys, size, n);
	}
	free(keys);
	return rc;
}

static int open_one(int *fd, const struct filter_set *set, enum set_family family)
{
	struct bpf_map_new m = {
		.name = family == SET_IPV4 ? "sonde_set4" : "sonde_set6",
		.type = BPF_MAP_TYPE_LPM_TRIE,
		.key_size = (uint32_t)(sizeof(uint32_t) + set_address(family)),
		.value_size = 1,
		.max_entries = (uint32_t)set->of[family].n,
		.flags = BPF_F_NO_PREALLOC,
	};
	int rc;

	if (!set->of[family].n)
		return 0;
	rc = set->of[family].n > UINT32_MAX ? -E2BIG : bpf_map_create(&m);
	if (rc > 0) {
		*fd = rc;
		rc = fill(*fd, set, family);
	}
	if (rc == -EPERM)
		return fail(rc,
			    "a map for set %s (%zu prefixes) needs root, or CAP_BPF and a larger "
			    "memlock limit (ulimit -l)",
			    set->name, set->of[family].n);
	if (rc)
		return fail_errno(rc, "a map for set %s (%zu prefixes)", set->name,
				  set->of[family].n);
	return 0;
}

int sets_open(struct sets *s, const struct filter *f)
{
	struct sets got = { 0 };
	int rc = 0;

	for (size_t i = 0; i < f->nsets && !rc; i++)
		for (int family = 0; family < SET_FAMILIES && !rc; family++)
			rc = open_one(&got.fd[i][family], &f->sets[i], (enum set_family)family);
	if (rc)
		sets_close(&got);
	else
		*s = got;
	return rc;
}

void sets_link(const struct sets *s, struct filter_code *code)
{
	for (size_t i = 0; i < code->nrelocs; i++) {
		const struct filter_reloc *r = &code->relocs[i];
		struct bpf_insn *insn = &code->insns[r->insn];

		insn->src_reg = BPF_PSEUDO_MAP_FD;
		insn->imm = s[r->rule].fd[r->set][r->family];
	}
}

void sets_close(struct sets *s)
{
	for (int i = 0; i < FILTER_SETS_MAX; i++)
		for (int family = 0; family < SET_FAMILIES; family++)
			if (s->fd[i][family])
				close(s->fd[i][family]);
	*s = (struct sets){ 0 };
}
