/* SPDX-License-Identifier: MIT */
/* Addresses of a name in the hosts file, hosts(5). */
#ifndef RESOLVE_HOSTS_H
#define RESOLVE_HOSTS_H

#include <stddef.h>
#include "filter/filter.h"

/* Finds the addresses of a name in the text of a hosts file, each once; case does not matter.
 * Returns their number, or -E2BIG if there are more than max. Skips malformed lines, as other
 * programs do. */
int hosts_find(const char *text, size_t len, const char *name, struct filter_addr *addrs, int max);

#endif
