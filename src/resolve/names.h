/* SPDX-License-Identifier: MIT */
/* What the names in a filter mean on this host: the hosts file, interfaces, owners, files. */
#ifndef RESOLVE_NAMES_H
#define RESOLVE_NAMES_H

#include "filter/filter.h"

/* Asks where and when it is called; keeps nothing. */
extern const struct filter_names resolve_names;

#endif
