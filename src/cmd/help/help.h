/* SPDX-License-Identifier: MIT */
/* Shared by the parts of sonde help. */
#ifndef CMD_HELP_HELP_H
#define CMD_HELP_HELP_H

#include "base/buf.h"
#include "cmd/common/cmd.h"

/* Appends every JSON record of every command: its fields with type and unit. */
void help_put_records(struct buf *out);

#endif
