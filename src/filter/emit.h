/* SPDX-License-Identifier: MIT */
/* Compiles a filter to a BPF subprogram, which replaces a stub in a kernel program. */
#ifndef FILTER_EMIT_H
#define FILTER_EMIT_H

#include <linux/bpf.h>
#include "base/buf.h"
#include "filter/filter.h"

/* How packet bytes are accessed. */
enum filter_target {
	FILTER_XDP, /* r2: data, r3: data_end, as packet pointers */
	FILTER_SKB, /* r2: struct __sk_buff */
};

enum {
	FILTER_INSNS_MAX = 32000, /* the range of a jump */
	/* The verifier accepts a sequence of at most 8192 branches, with those of the calling
	 * program. */
	FILTER_JUMPS_MAX = 7800,
};

/* A call to a function that the linker (sets/splice.c) adds: the BPF_PSEUDO_CALL at insn looks an
 * address up in one family of a set. r1: an IPv4 address in network byte order, or a pointer to an
 * IPv6 address, aligned to 4; r0: 1 if the set has it, else 0. The function uses up to 64 bytes of
 * stack. The linker may put its code in place of the call: it preserves the registers from r6 on
 * that the code has set before. */
struct filter_reloc {
	uint32_t insn;
	uint16_t rule;    /* index of the filter, if there are several */
	uint16_t set;     /* index of the set in the filter */
	uint8_t family;   /* enum set_family */
	const char *name; /* the set's name; owned by the filter */
};

/* A subprogram. r1 points to struct view [VIEW_LAYERS]; the other arguments depend on the target.
 * It returns 1 if the packet matches, else 0, and uses up to 64 bytes of stack. Zeroed: closed. */
struct filter_code {
	struct bpf_insn *insns;
	size_t n, room;
	struct filter_reloc *relocs;
	size_t nrelocs, reloc_room;
	/* false: the filter reads names in payloads, and the code also lets through packets that
	 * only may match; filter_recheck() decides about them. */
	bool exact;
};

/* Emits the code of one filter. Returns 0, -ENOMEM, or -E2BIG with *diag if it is too large for a
 * kernel program. *f must outlive *code, which the caller closes. */
int filter_emit(const struct filter *f, enum filter_target target, struct filter_code *code,
		struct diag *diag);
/* One of several filters, and what the code returns if this is the first one that matches. */
struct filter_rule {
	const struct filter *filter;
	uint32_t answer;
};

/* Emits the code of n filters in order. default_answer: returned by the code if none matches.
 * Returns and ownership as above. */
int filter_emit_rules(const struct filter_rule *rules, size_t n, uint32_t default_answer,
		      enum filter_target target, struct filter_code *code, struct diag *diag);
/* Appends the code as text, one instruction per line. */
void filter_print(const struct filter_code *code, struct buf *out);
void filter_code_close(struct filter_code *code);

#endif
