/* SPDX-License-Identifier: MIT */
/* Protocol names as in tcpdump and /etc/protocols. */
#ifndef NET_PROTO_H
#define NET_PROTO_H

#include <stdint.h>

/* Returns the name of an IP protocol number (IANA protocol-numbers); NULL: unknown. */
const char *net_proto_name(uint8_t proto);
/* Returns the name of an EtherType (IANA ieee-802-numbers) in host byte order. Values below 0x600
 * are 802.3 lengths: "llc". NULL: unknown. */
const char *net_ethertype_name(uint16_t type);

#endif
