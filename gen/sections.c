// SPDX-License-Identifier: MIT
/* Classifies sections by name: programs of a type, data, or refused. */
#include <elf.h>

#include "base/array.h"
#include "gen/read.h"

/* A name with a final slash is followed by a mandatory target. One with a final "/?" is followed by
 * an optional slash and target; without them, the target is set at run time. */
static const struct prog_row prog_rows[] = {
	{ "xdp", BPF_PROG_TYPE_XDP, BPF_XDP },
	{ "tc", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "socket", BPF_PROG_TYPE_SOCKET_FILTER, 0 },
	{ "syscall", BPF_PROG_TYPE_SYSCALL, 0 },
	{ "cgroup_skb/ingress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS },
	{ "cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS },
	{ "sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	{ "cgroup/sock_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE },
	/* Templates that are linked into other programs, never loaded on their own. */
	{ "code", BPF_PROG_TYPE_UNSPEC, 0 },
	{ "raw_tp/", BPF_PROG_TYPE_RAW_TRACEPOINT, 0 },
	{ "tp_btf/", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP },
	{ "fentry/", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY },
	{ "fexit/", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT },
	{ "iter/", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER },
	{ "tracepoint/", BPF_PROG_TYPE_TRACEPOINT, 0 },
	{ "kprobe/?", BPF_PROG_TYPE_KPROBE, 0 },
	{ "kretprobe/?", BPF_PROG_TYPE_KPROBE, 0 },
	{ "uprobe/?", BPF_PROG_TYPE_KPROBE, 0 },
	{ "uretprobe/?", BPF_PROG_TYPE_KPROBE, 0 },
};

/* Returns the target in a section's name, "" for none; NULL if the name does not match the row. */
static const char *match_row(const char *row, const char *name)
{
	size_t len = strcspn(row, "?");

	if (!strcmp(row + len, "?") && !strncmp(name, row, len - 1) && !name[len - 1])
		return "";
	if (strncmp(name, row, len))
		return NULL;
	name += len;
	if (row[len - 1] == '/')
		return *name ? name : NULL;
	return *name ? NULL : "";
}

const struct prog_row *gen_find_prog_row(const char *name, const char **target)
{
	for (size_t i = 0; i < ARRAY_LEN(prog_rows); i++) {
		const char *t = match_row(prog_rows[i].name, name);

		if (!t)
			continue;
		*target = *t ? t : NULL;
		return &prog_rows[i];
	}
	return NULL;
}

bool gen_is_section_kind(const char *name, const char *kind)
{
	size_t len = strlen(kind);

	return !strncmp(name, kind, len) && (!name[len] || name[len] == '.');
}

/* Returns true if a section's name is a row's without the mandatory target. */
static bool is_missing_target(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(prog_rows); i++) {
		size_t len = strlen(prog_rows[i].name);

		if (prog_rows[i].name[len - 1] == '/' &&
		    !strncmp(name, prog_rows[i].name, len - 1) &&
		    !name[len - 1 + (name[len - 1] == '/')])
			return true;
	}
	return false;
}

static int check_code(struct reader *r, const struct elf_sec *sec)
{
	const char *target;

	if (sec->type != SHT_PROGBITS || sec->size % INSN_SIZE)
		return gen_fail(r, sec->name, NULL, "is not a sequence of instructions");
	if (!strcmp(sec->name, ".text") || gen_find_prog_row(sec->name, &target))
		return 0;
	if (is_missing_target(sec->name))
		return gen_fail(r, sec->name, NULL,
				"programs of this kind need a target in the name");
	return gen_fail(r, sec->name, NULL, "unknown section of programs");
}

static int check_data(struct reader *r, const struct elf_sec *sec)
{
	bool bss = gen_is_section_kind(sec->name, ".bss");

	if (!bss && !gen_is_section_kind(sec->name, ".rodata") &&
	    !gen_is_section_kind(sec->name, ".data") && strcmp(sec->name, ".maps") &&
	    strcmp(sec->name, "license"))
		return gen_fail(r, sec->name, NULL, "unknown section of data");
	if (sec->type != (bss ? SHT_NOBITS : SHT_PROGBITS))
		return gen_fail(r, sec->name, NULL, "has the wrong type");
	if (sec->size > DATA_MAX)
		return gen_fail(r, sec->name, NULL, "too much data: %llu bytes",
				(unsigned long long)sec->size);
	return 0;
}

int gen_check_sections(struct reader *r)
{
	for (uint32_t i = 0; i < r->elf.nsecs; i++) {
		const struct elf_sec *sec = &r->elf.secs[i];
		int err;

		if (!(sec->flags & SHF_ALLOC) || !sec->size)
			continue;
		err = sec->flags & SHF_EXECINSTR ? check_code(r, sec) : check_data(r, sec);
		if (err)
			return err;
	}
	return 0;
}
