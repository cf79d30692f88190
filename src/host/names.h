/* SPDX-License-Identifier: MIT */
/* What the names in a filter mean on this host: the hosts file, interfaces, owners, files. */
#ifndef HOST_NAMES_H
#define HOST_NAMES_H

#include "filter/filter.h"

/* Asks where and when it is called; keeps nothing. */
extern const struct filter_names host_names;

#endif
