/* SPDX-License-Identifier: MIT */
/* Resolves the names in a filter on this host: hosts, interfaces, network namespaces, cgroups,
 * containers and files of address sets. */
#ifndef RESOLVE_NAMES_H
#define RESOLVE_NAMES_H

#include "filter/filter.h"

/* Resolves in the caller's network namespace, at the time of the call; keeps no state. */
extern const struct filter_names resolve_names;
/* The same with interfaces of another network namespace, as netns_enter() takes it (NULL: the
 * caller's); the caller keeps the string. Looking one up takes CAP_SYS_ADMIN. */
struct filter_names resolve_names_in(const char *netns);

#endif
