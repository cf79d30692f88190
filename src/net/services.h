/* SPDX-License-Identifier: MIT */
/* Services and their ports, as lines of packets show them and filters take them. */
#ifndef NET_SERVICES_H
#define NET_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a port is called, in tcpdump's words; NULL: no name. */
const char *service_name(bool udp, uint16_t port);
/* A port by a name of len bytes, of any transport protocol; false: no such name. */
bool service_port(const char *name, size_t len, uint32_t *port);

#endif
