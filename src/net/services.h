/* SPDX-License-Identifier: MIT */
/* Service names of ports, for packet lines and filters. */
#ifndef NET_SERVICES_H
#define NET_SERVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the name of a port as tcpdump prints it; NULL: none. */
const char *service_name(bool udp, uint16_t port);
/* Finds a port by name (len bytes), for any transport protocol. Returns false if the name is
 * unknown. */
bool service_port(const char *name, size_t len, uint32_t *port);

#endif
