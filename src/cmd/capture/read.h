/* SPDX-License-Identifier: MIT */
/* Packets out of a capture file to where captured packets go. */
#ifndef CMD_CAPTURE_READ_H
#define CMD_CAPTURE_READ_H

#include "capture/output.h"
#include "cmd/capture/filter.h"

/* Those of the file (- is standard input) that the filter chooses, at most count of them (0: all);
 * out stays open. Everything up to a damage is handed on. 0 or -errno, said. */
int capture_read(const char *name, const struct capture_filter *filter, uint64_t count,
		 struct capture_out *out);

#endif
