/* SPDX-License-Identifier: MIT */
/* Names of protocols, as tcpdump and /etc/protocols have them. */
#ifndef NET_PROTO_H
#define NET_PROTO_H

#include <stdint.h>

/* IP protocol numbers (IANA protocol-numbers); NULL for one without a name here. */
const char *net_proto_name(uint8_t proto);
/* EtherTypes (IANA ieee-802-numbers), host byte order; below 0x600 it is an 802.3 length: "llc".
 * NULL for one without a name here. */
const char *net_ethertype_name(uint16_t type);

#endif
