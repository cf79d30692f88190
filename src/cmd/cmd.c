/* SPDX-License-Identifier: MIT */
/* What several commands begin with: options without operands, another network namespace. */
#include "cmd/cmd.h"
#include <errno.h>
#include <string.h>
#include "base/err.h"
#include "sys/confine.h"
#include "sys/netns.h"

bool cmd_is_extcap(const char *arg)
{
	return arg &&
	       (!strncmp(arg, "--extcap-", strlen("--extcap-")) || !strcmp(arg, "--capture"));
}

int cmd_parse(const struct opt_spec *spec, void *into, int argc, char **argv)
{
	char **rest;
	int nrest, rc = opt_parse(spec, into, argc, argv, &rest, &nrest);

	if (!rc && nrest)
		return fail_usage("%s: %s takes no operands", rest[0], spec->command);
	return rc;
}

int cmd_netns(const char *netns)
{
	int rc = netns ? netns_enter(netns) : 0;

	if (rc == -EPERM)
		return fail(rc, "entering network namespace %s needs CAP_SYS_ADMIN: run as root",
			    netns);
	return rc ? fail_errno(rc, "network namespace %s", netns) : 0;
}

int cmd_confine(uint64_t caps, bool files)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	return 0;
#endif
#endif
	int rc = confine(caps, files);

	return rc ? fail_errno(rc, "giving up privileges") : 0;
}
