/* SPDX-License-Identifier: MIT */
/* What the scenarios of sonde trace share. */
#ifndef TESTS_NET_TRACE_H
#define TESTS_NET_TRACE_H

#include "tests/net/net.h"

/* What it has printed by now. */
const char *trace_out(struct sonde *s);

#endif
