/* SPDX-License-Identifier: MIT */
/* The hosts file, hosts(5): addresses of a name. */
#ifndef RESOLVE_HOSTS_H
#define RESOLVE_HOSTS_H

#include <stddef.h>
#include "filter/filter.h"

/* The addresses that a hosts file's text gives a name (in upper or lower case), each once: their
 * number, 0 if there are none; -E2BIG if they are more than max. Lines that are not as they should
 * be are passed over, as everybody does. */
int hosts_find(const char *text, size_t len, const char *name, struct filter_addr *addrs, int max);

#endif
