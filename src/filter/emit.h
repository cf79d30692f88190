/* SPDX-License-Identifier: MIT */
/* A filter as a BPF subprogram, to be put in place of a stub in a kernel program. */
#ifndef FILTER_EMIT_H
#define FILTER_EMIT_H

#include <linux/bpf.h>
#include "base/buf.h"
#include "filter/filter.h"

/* How the packet's bytes are come by. */
enum filter_target {
	FILTER_XDP, /* r2: data, r3: data_end, both verified pointers of the packet */
	FILTER_SKB, /* r2: the struct __sk_buff */
};

enum {
	FILTER_INSNS_MAX = 32000, /* jumps reach no further */
	/* Verifiers follow 8192 branches one behind the other; those of the program that calls this
	 * are among them. */
	FILTER_JUMPS_MAX = 7800,
};

/* A call to what is to be put behind the code: the BPF_PSEUDO_CALL at insn is for a set's addresses
 * of a family. r1: an IPv4 address as it is in memory, or a pointer to the bytes of an IPv6 one, at
 * a multiple of 4; r0: whether the set has it. Takes up to 64 bytes of stack of its own. Or the
 * code is put in its place: the registers from r6 on are as they were, if they were moved to
 * before. */
struct filter_reloc {
	uint32_t insn;
	uint16_t rule;    /* the filter, of several */
	uint16_t set;     /* of the filter */
	uint8_t family;   /* enum set_family */
	const char *name; /* the set's; the filter owns it */
};

/* r1 points to struct view [VIEW_LAYERS] in either. Returns 1 if the packet matches, else 0; uses
 * no more than 64 bytes of stack. Zeroed: empty; free with filter_code_close(). */
struct filter_code {
	struct bpf_insn *insns;
	size_t n, room;
	struct filter_reloc *relocs;
	size_t nrelocs, reloc_room;
	/* False: of what a packet's names are asked about, the kernel lets through all that may
	 * have them. filter_recheck() has the last word. */
	bool exact;
};

/* 0, -ENOMEM, or -E2BIG with *diag filled: more than the kernel's programs take. */
int filter_emit(const struct filter *f, enum filter_target target, struct filter_code *code,
		struct diag *diag);
/* One of several filters, and what the program returns if it is the first that matches. */
struct filter_rule {
	const struct filter *filter;
	uint32_t answer;
};

/* The same for n of them in order; otherwise: what it returns if none matches. */
int filter_emit_rules(const struct filter_rule *rules, size_t n, uint32_t default_answer,
		      enum filter_target target, struct filter_code *code, struct diag *diag);
/* Append it as text, an instruction a line. */
void filter_print(const struct filter_code *code, struct buf *out);
void filter_code_close(struct filter_code *code);

#endif
