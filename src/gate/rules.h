/* SPDX-License-Identifier: MIT */
/* The gate's rules, and as text: what users write and what the kernel keeps of them.
 *
 * A rule is a line: [ID] [in|out] allow|drop [name WORD] [EXPRESSION]
 * without an expression it is for every packet. The first rule that matches decides; otherwise a
 * line says: [in|out] default allow|drop. Behind '#' is a comment. */
#ifndef GATE_RULES_H
#define GATE_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "bpf/gate.h"
#include "filter/emit.h"

enum { RULE_NAME_MAX = 24 };

struct rule {
	uint16_t id; /* 1 to GATE_RULES_MAX - 1, its place in map `hits`; 0: not yet given */
	uint8_t dir; /* enum gate_dir */
	bool drops;
	char name[RULE_NAME_MAX]; /* "": none */
	char *expr;               /* as it was written; "": every packet */
	struct filter filter;
};

/* Of both directions, in order. Zeroed: none, and everything may pass. */
struct rules {
	struct rule *at;
	size_t n, room;
	bool drops[GATE_DIRS]; /* what no rule matches, but for RULES_SPARED */
};

/* A default is for IP: what an interface cannot do without passes it, unless a rule says otherwise:
 * neighbour discovery (RFC 4861), ARP, and whatever else is neither IPv4 nor IPv6. (The language
 * has one precedence for "and" and "or".) */
#define RULES_SPARED "not (ip or ip6) or (icmp6 and icmp6[0] >= 133 and icmp6[0] <= 137)"

enum { RULE_DEFAULT_ID = GATE_RULES_MAX }; /* place in map `hits` of what is dropped by default */

/* Add what a text says. dir: of lines that do not say it. names as for filter_parse(). 0, -ENOMEM,
 * or -EINVAL with diag->msg "LINE:COLUMN: WORDS" and diag->pos the byte: *r is as it was then. */
int rules_parse(struct rules *r, const char *text, size_t len, enum gate_dir dir,
		const struct filter_names *names, struct diag *diag);
/* Append the rules of a direction as text that rules_parse() reads, with their ids. */
void rules_print(const struct rules *r, enum gate_dir dir, struct buf *out);
/* One rule's line without its end. */
void rule_print(const struct rule *rule, struct buf *out);

/* Ids for those without, beyond last if there are any. -E2BIG: there are no more. */
int rules_number(struct rules *r, uint16_t last);
/* The rule with this id or, if it is no number, this name; NULL. */
struct rule *rules_find(const struct rules *r, const char *id_or_name);
void rules_remove(struct rules *r, size_t i);
/* Put the last one before the i-th. */
void rules_move_last(struct rules *r, size_t i);
/* How many there are of a direction. */
size_t rules_count(const struct rules *r, enum gate_dir dir);
/* Whether a packet is dropped. *rule: by which one; NULL: by the default. */
bool rules_drop(const struct rules *r, enum gate_dir dir, const struct filter_packet *p,
		const struct rule **rule);
void rules_close(struct rules *r);

#endif
