/* SPDX-License-Identifier: MIT */
/* Passes packets of a capture file to the output of captures. */
#ifndef CMD_CAPTURE_READ_H
#define CMD_CAPTURE_READ_H

#include "capture/output.h"
#include "cmd/capture/filter.h"

/* Writes the packets of the file (- is standard input) that match the filter to out, at most count
 * of them (0: all). out stays open. If the file is damaged, writes the packets before the damage.
 * Returns 0 or -errno. Reports errors. */
int capture_read(const char *name, const struct capture_filter *filter, uint64_t count,
		 struct capture_out *out);

#endif
