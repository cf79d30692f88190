/* SPDX-License-Identifier: MIT */
/* The names in pcap-filter(7): protocols, EtherTypes and constants. */
#ifndef FILTER_NAMES_H
#define FILTER_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "filter/lex.h"

enum proto_layer { PROTO_LINK, PROTO_NET, PROTO_TRANS };

/* A protocol keyword. It is a primitive, a qualifier, or selects a header's bytes ("tcp[13]"). */
struct filter_proto {
	char name[6];
	uint8_t layer;    /* enum proto_layer */
	uint8_t families; /* 4 or 6, 10 for both, 0 for neither */
	uint16_t number;  /* EtherType or IP protocol */
	bool ports;
};

/* NULL: not a protocol keyword. */
const struct filter_proto *names_find_proto(const struct token *t);
/* Find a number by its name. Return false if the name is unknown. */
bool names_find_ethertype(const struct token *t, uint32_t *number);
bool names_find_ip_proto(const struct token *t, uint32_t *number);
/* tcpflags, tcp-syn, icmptype, icmp-echo and so on. */
bool names_find_constant(const struct token *t, uint32_t *number);

#endif
