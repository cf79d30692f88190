/* SPDX-License-Identifier: MIT */
/* The operators of a filter's tree. */
#ifndef FILTER_OPS_H
#define FILTER_OPS_H

#include <stdbool.h>
#include <stdint.h>

/* One row per operator: X(NAME, members of struct filter_op_info that are not 0). A row makes
 * FILTER_NAME in enum filter_op. The comments name the members of struct filter_node that it
 * uses. */
#define FILTER_OPS(X)                                                                             \
	/* Conditions. */                                                                         \
	X(FALSE)                                                                                  \
	X(TRUE)                                                                                   \
	X(NOT) /* a */                                                                            \
	X(AND) /* a, b */                                                                         \
	X(OR)  /* a, b */                                                                         \
	/* field & mask, compared with value; unsigned */                                         \
	X(FIELD, .reads_field = true)                                                             \
	/* a compared with b, both numbers */                                                     \
	X(REL)                                                                                    \
	/* a holds for the packet that a tunnel carries; false if there is none */                \
	X(INNER, .reads_packet = true, .groups = VIEW_PORTS)                                      \
	/* the address at field is in set number value */                                         \
	X(SET, .reads_field = true)                                                               \
	/* the DNS message in the payload asks for name number value, or one below it */          \
	X(DNS, .reads_packet = true, .approximate = true, .groups = VIEW_PORTS | VIEW_PAYLOAD)    \
	/* the TLS client in the payload asks for the server of name number value, or below it */ \
	X(SNI, .reads_packet = true, .approximate = true, .groups = VIEW_PORTS | VIEW_PAYLOAD)    \
	/* Numbers of 32 bits, modulo 2^32 as in classic BPF. */                                  \
	X(NUM)                       /* value */                                                  \
	X(LOAD, .reads_field = true) /* the field */                                              \
	/* size bytes of the packet, big-endian, at offset a after the header at field */         \
	X(BYTE, .reads_field = true, .reads_packet = true)                                        \
	X(NEG) /* a */                                                                            \
	/* a and b. The whole filter does not match if DIV or MOD divides by 0. */                \
	X(ADD, .sign = '+', .level = 5, .bpf = BPF_ADD)                                           \
	X(SUB, .sign = '-', .level = 5, .bpf = BPF_SUB)                                           \
	X(MUL, .sign = '*', .level = 6, .bpf = BPF_MUL)                                           \
	X(DIV, .sign = '/', .level = 6, .bpf = BPF_DIV)                                           \
	X(MOD, .sign = '%', .level = 6, .bpf = BPF_MOD)                                           \
	X(BAND, .sign = '&', .level = 3, .bpf = BPF_AND)                                          \
	X(BOR, .sign = '|', .level = 1, .bpf = BPF_OR)                                            \
	X(XOR, .sign = '^', .level = 2, .bpf = BPF_XOR)                                           \
	X(LSH, .sign = SIGN2('<', '<'), .level = 4, .bpf = BPF_LSH)                               \
	X(RSH, .sign = SIGN2('>', '>'), .level = 4, .bpf = BPF_RSH)

#define FILTER_OP_NAME(name, ...) FILTER_##name,
enum filter_op { FILTER_OPS(FILTER_OP_NAME) FILTER_NOPS };
#undef FILTER_OP_NAME

enum { FILTER_LEVEL_MAX = 6 }; /* the operators that bind tightest */

struct filter_op_info {
	bool reads_field : 1;  /* field is an offset in struct view */
	bool reads_packet : 1; /* reads the packet's bytes, or the packet that a tunnel carries */
	/* Emitted code does not decide it: it lets through all packets that may match, and
	 * filter_recheck() decides. */
	bool approximate : 1;
	uint8_t groups; /* enum view_group: parts of the view that it reads, besides its field's */
	/* Of binary arithmetic operators: */
	uint8_t level; /* precedence, 1 binds loosest; 0: another operator */
	uint8_t bpf;   /* operation of the BPF instruction */
	uint16_t sign; /* as in struct token */
};
/* By enum filter_op. */
extern const struct filter_op_info filter_ops[FILTER_NOPS];

#endif
