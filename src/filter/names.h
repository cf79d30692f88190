/* SPDX-License-Identifier: MIT */
/* The names that a filter knows by itself. */
#ifndef FILTER_NAMES_H
#define FILTER_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "filter/lex.h"

enum proto_layer { PROTO_LINK, PROTO_NET, PROTO_TRANS };

/* A word that stands for a protocol, qualifies what follows, and names a header's bytes. */
struct filter_proto {
	char name[6];
	uint8_t layer;    /* enum proto_layer */
	uint8_t families; /* of PROTO_TRANS: 4, 6, or 10 for either */
	uint16_t number;  /* EtherType or IP protocol */
	bool ports;
};

/* NULL: not such a word. */
const struct filter_proto *names_find_proto(const struct token *t);
/* Numbers by name; false: no such name. */
bool names_find_ethertype(const struct token *t, uint32_t *number);
bool names_find_ip_proto(const struct token *t, uint32_t *number);
/* tcpflags, tcp-syn, icmptype, icmp-echo and the others of pcap-filter(7). */
bool names_find_constant(const struct token *t, uint32_t *number);

#endif
