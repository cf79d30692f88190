/* SPDX-License-Identifier: MIT */
/* The gate's rules, and their text, which users write and the kernel keeps.
 *
 * A rule is a line: [ID] [in|out] allow|drop [name WORD] [EXPRESSION]
 * Without an expression it matches every packet. The first rule that matches decides. If none does,
 * this line decides: [in|out] default allow|drop. Comments start with '#'. */
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
	uint16_t id; /* 1 to GATE_RULES_MAX - 1, its index in map `hits` plus 1; 0: none yet */
	uint8_t dir; /* enum gate_dir */
	bool drops;
	char name[RULE_NAME_MAX]; /* "": none */
	char *expr;               /* as it was written; "": every packet */
	struct filter filter;
};

/* The rules of both directions, in order. Zeroed: none, and all packets pass. */
struct rules {
	struct rule *at;
	size_t n, room;
	bool drops[GATE_DIRS]; /* the default drops, except for RULES_EXEMPT */
};

/* A default of drop is for IP. It does not drop what an interface cannot work without, unless a
 * rule does: neighbour discovery (RFC 4861), ARP, and whatever else is neither IPv4 nor IPv6.
 * ("and" and "or" have the same precedence in this language.) */
#define RULES_EXEMPT "not (ip or ip6) or (icmp6 and icmp6[0] >= 133 and icmp6[0] <= 137)"

enum { RULE_DEFAULT_ID = GATE_RULES_MAX }; /* the id of the default in map `hits` */

/* Adds the rules of a text. dir: of lines without a direction. names: as for filter_parse().
 * Returns 0, -ENOMEM, or -EINVAL with diag->msg "LINE:COLUMN: MESSAGE" and diag->pos the byte. On
 * failure *r has not changed. */
int rules_parse(struct rules *r, const char *text, size_t len, enum gate_dir dir,
		const struct filter_names *names, struct diag *diag);
/* Returns why rules do not support this filter; NULL: they do. */
const char *rules_unsupported(const struct filter *f);
/* Appends a direction's rules with their ids, as text that rules_parse() reads. */
void rules_print(const struct rules *r, enum gate_dir dir, struct buf *out);
/* Appends one rule's line, without a newline. */
void rule_print(const struct rule *rule, struct buf *out);

/* Gives ids to rules without one, greater than last if possible. Returns 0, or -E2BIG if there are
 * no more ids. */
int rules_assign_ids(struct rules *r, uint16_t last);
/* Returns true if a rule has this id. */
bool rules_has_id(const struct rules *r, uint16_t id);
/* Returns the rule with this id, or with this name if it is no number; NULL: none. */
struct rule *rules_find(const struct rules *r, const char *id_or_name);
void rules_remove(struct rules *r, size_t i);
/* Moves the last rule before the i-th. */
void rules_move_last(struct rules *r, size_t i);
/* Returns the number of rules of a direction. */
size_t rules_count(const struct rules *r, enum gate_dir dir);
/* Returns true if the packet is dropped. *rule: the rule that decided; NULL: the default. */
bool rules_drops_packet(const struct rules *r, enum gate_dir dir, const struct filter_packet *p,
			const struct rule **rule);
void rules_close(struct rules *r);

#endif
