/* SPDX-License-Identifier: MIT */
/* sonde guard ban and unban: set and end bans by hand. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/err.h"
#include "cmd/guard/guard.h"

#define O struct guard_opts
static const struct opt rows[] = { GATE_ROWS_WHERE(O), { 0 } };
#undef O
static const struct opt_spec ban_spec = {
	.command = "guard ban",
	.usage = "[-i IFACE] ADDRESS TIME",
	.about = "drop all packets of an IPv4 address or an IPv6 /64 for a time\n"
		 "Replaces an existing ban. A dry run drops nothing.",
	.rows = rows,
	.examples = "  sonde guard ban 192.0.2.7 10m\n  sonde guard ban 2001:db8::/64 1h\n",
};
static const struct opt_spec unban_spec = {
	.command = "guard unban",
	.usage = "[-i IFACE] ADDRESS",
	.about = "end a ban, made by hand or by a limit",
	.rows = rows,
};

/* Parses "192.0.2.1", "192.0.2.1/32", "2001:db8::1", "2001:db8::/64". */
static int read_address(const char *word, int *family, uint8_t addr[16])
{
	size_t len = strcspn(word, "/");
	char text[INET6_ADDRSTRLEN];

	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = '\0';
		*family = inet_pton(AF_INET, text, addr) == 1    ? 4
			  : inet_pton(AF_INET6, text, addr) == 1 ? 6
								 : 0;
		if (*family && (!word[len] || !strcmp(word + len, *family == 4 ? "/32" : "/64")))
			return 0;
	}
	return fail_usage("%s is not an IPv4 address or an IPv6 /64", word);
}

static int change_ban(const struct opt_spec *spec, int argc, char **argv, bool bans)
{
	struct guard_opts o = { 0 };
	struct guard_views v = { 0 };
	uint8_t addr[16] = { 0 };
	size_t done = 0;
	uint64_t time = 0;
	char **rest;
	int n, family, rc = guard_begin(spec, &o, argc, argv, &rest, &n);

	if (rc)
		return rc > 0 ? 0 : rc;
	if (n != (bans ? 2 : 1))
		return fail_usage(bans ? "missing argument: an address and a time"
				       : "missing argument: an address");
	rc = read_address(rest[0], &family, addr);
	if (!rc && bans && parse_time(rest[1], &time))
		rc = fail_usage("%s is not a time (examples: 60s, 10m, 1h)", rest[1]);
	if (!rc)
		rc = guard_views_open(&v, &o.common.ifaces);
	for (size_t i = 0; i < v.n && !rc; i++) {
		rc = guard_table_set_ban(&v.at[i].table, family, addr,
					 bans ? guard_ticks_from_ns(time) : 0);
		done += !rc;
		if (rc == -ENOSPC)
			fail(rc,
			     "%s: table full, cannot ban %s: enlarge it with "
			     "sonde guard start --table N",
			     v.at[i].install.link.name, rest[0]);
		else if (rc == -ENOENT)
			rc = 0;
	}
	if (!rc && !done)
		rc = fail(-ENOENT, "%s is not banned", rest[0]);
	guard_views_close(&v);
	return rc;
}

static int run_ban(int argc, char **argv)
{
	return change_ban(&ban_spec, argc, argv, true);
}

static int run_unban(int argc, char **argv)
{
	return change_ban(&unban_spec, argc, argv, false);
}

const struct command guard_ban_command = { &ban_spec, run_ban, NULL, NULL };
const struct command guard_unban_command = { &unban_spec, run_unban, NULL, NULL };
