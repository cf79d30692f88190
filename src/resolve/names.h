/* SPDX-License-Identifier: MIT */
/* Resolves the names in a filter on this host: hosts, interfaces, network namespaces, cgroups,
 * containers and files of address sets. */
#ifndef RESOLVE_NAMES_H
#define RESOLVE_NAMES_H

#include "filter/filter.h"

/* Resolves in the caller's network namespace, at the time of the call; keeps no state. */
extern const struct filter_names resolve_names;
/* Like resolve_names, but resolves interfaces in another network namespace, given as for
 * netns_enter() (NULL: the caller's). The caller keeps the string. Entering it needs
 * CAP_SYS_ADMIN. */
struct filter_names resolve_names_in(const char *netns);

#endif
