/* SPDX-License-Identifier: MIT */
/* Nodes for the names, numbers and addresses of pcap-filter(7), with their qualifiers. */
#ifndef FILTER_PRIM_H
#define FILTER_PRIM_H

#include "filter/tree.h"

/* Makes the node of a protocol. Returns its number. */
uint32_t prim_proto(struct parser *p, const struct filter_proto *proto);

/* The others return 0 with *out, or -EINVAL with p->diag. t: the token, for messages. */

/* Makes the nodes of a name, number or address with the qualifiers q. */
int prim_id(struct parser *p, const struct qual *q, const struct token *t, uint32_t *out);
/* Makes the nodes of a network: address t with a mask of so many bits or, if it is not NULL, with
 * the mask `mask`. */
int prim_net(struct parser *p, const struct qual *q, const struct token *t, unsigned int bits,
	     const struct token *mask, uint32_t *out);
/* "broadcast", or "multicast", after a protocol (NULL: none). */
int prim_broadcast(struct parser *p, const struct filter_proto *proto, const struct token *t,
		   bool multicast, uint32_t *out);

#endif
