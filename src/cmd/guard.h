/* SPDX-License-Identifier: MIT */
/* What the parts of sonde guard share. */
#ifndef CMD_GUARD_H
#define CMD_GUARD_H

#include "cmd/cmd_confirm.h"
#include "cmd/cmd_gate.h"
#include "gate/site.h"

struct guard_opts {
	struct opt_list ifaces, limits, allow;
	const char *netns, *file, *dir;
	uint64_t duration, quiet, longest, confirm;
	uint32_t table, count;
	int at, format;
	bool enforce, cookies, no_ssh, verbose;
};

/* A guard that is installed, and its table. Zeroed: closed. */
struct guard_view {
	struct seat seat;
	struct guard_table table;
	struct guard_sums sums;
};

/* Those of the interfaces that were asked for, or of every one. */
struct guard_views {
	struct nl nl;
	struct guard_view *at;
	size_t n;
};

/* Parse into *o, see what privilege it takes, enter the namespace. 0; 1: help was given. */
int guard_begin(const struct opt_spec *spec, struct guard_opts *o, int argc, char **argv,
		char ***rest, int *nrest);
/* Find them; -ENOENT, said, if there are none. */
int guard_views_open(struct guard_views *v, const struct guard_opts *o);
/* Read their counters and their clocks. Said on failure. */
int guard_views_read(struct guard_views *v);
void guard_views_close(struct guard_views *v);

/* A command that opens the views and prints tables; -ECANCELED: the error has been said. */
typedef int guard_print(struct guard_views *v, const struct guard_opts *o, struct sink *sink);
int guard_show(const struct opt_spec *spec, int argc, char **argv, guard_print *print);

extern const struct cmd_sub guard_sub_status, guard_sub_top, guard_sub_list, guard_sub_ban,
	guard_sub_unban, guard_sub_watch;

#endif
