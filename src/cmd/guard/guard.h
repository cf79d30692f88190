/* SPDX-License-Identifier: MIT */
/* Shared by the parts of sonde guard. */
#ifndef CMD_GUARD_GUARD_H
#define CMD_GUARD_GUARD_H

#include "cmd/common/confirm.h"
#include "cmd/common/gate.h"
#include "gate/guard_view.h"
#include "gate/transaction.h"

struct guard_opts {
	struct cmd_common common;
	struct opt_list limits, allow;
	const char *file, *dir;
	uint64_t quiet_time, ban_max, confirm;
	uint32_t table, rows;
	int at;
	bool enforce, cookies, no_ssh;
};

/* Parses options into *o, checks the privileges and enters the namespace. Returns 0; 1 if help was
 * printed; -E_USAGE or -errno. Reports errors. */
int guard_begin(const struct opt_spec *spec, struct guard_opts *o, int argc, char **argv,
		char ***rest, int *nrest);
/* Opens the views and prints tables with a function. -ECANCELED from it: the error is already
 * reported. */
typedef int guard_print(struct guard_views *v, const struct guard_opts *o, struct sink *sink);
int guard_show(const struct opt_spec *spec, int argc, char **argv, guard_print *print);

extern const struct command guard_status_command, guard_top_command, guard_list_command,
	guard_ban_command, guard_unban_command, guard_watch_command;

#endif
