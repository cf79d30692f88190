/* SPDX-License-Identifier: MIT */
/* What the parts of sonde guard share. */
#ifndef CMD_GUARD_GUARD_H
#define CMD_GUARD_GUARD_H

#include "cmd/common/confirm.h"
#include "cmd/common/gate.h"
#include "gate/guard_view.h"
#include "gate/transaction.h"

struct guard_opts {
	struct opt_list ifaces, limits, allow;
	const char *netns, *file, *dir;
	uint64_t duration, quiet_time, ban_max, confirm;
	uint32_t table, count;
	int at, format;
	bool enforce, cookies, no_ssh, verbose;
};

/* Parse into *o, see what privilege it takes, enter the namespace. 0; 1: help was given. */
int guard_begin(const struct opt_spec *spec, struct guard_opts *o, int argc, char **argv,
		char ***rest, int *nrest);
/* A command that opens the views and prints tables; -ECANCELED: the error has been said. */
typedef int guard_print(struct guard_views *v, const struct guard_opts *o, struct sink *sink);
int guard_show(const struct opt_spec *spec, int argc, char **argv, guard_print *print);

extern const struct cmd_sub guard_sub_status, guard_sub_top, guard_sub_list, guard_sub_ban,
	guard_sub_unban, guard_sub_watch;

#endif
