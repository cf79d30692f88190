/* SPDX-License-Identifier: MIT */
/* What the parts of sonde help share. */
#ifndef CMD_HELP_HELP_H
#define CMD_HELP_HELP_H

#include "base/buf.h"
#include "cmd/common/cmd.h"

/* Append every JSON record of every command: its fields, with type and unit. */
void help_put_records(struct buf *out);

/* Append the mdoc(7) source of a manual page: of a command with its own commands; of sonde itself
 * (c NULL); of a page of text. */
void help_put_command_man(const struct command *c, struct buf *out);
void help_put_page_man(const char *name, const char *text, size_t len, struct buf *out);

#endif
