/* SPDX-License-Identifier: MIT */
/* Capabilities by capget(2) and capset(2), lockdown, limits and modules. */
#define _GNU_SOURCE
#include "sys/priv.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/mnt.h"

#ifndef MODULE_INIT_COMPRESSED_FILE
#define MODULE_INIT_COMPRESSED_FILE 4 /* linux/module.h of 5.17 */
#endif

static const struct cap_name {
	uint64_t bit;
	const char *name;
} cap_names[] = {
	{ PRIV(CAP_BPF), "CAP_BPF" },         { PRIV(CAP_NET_ADMIN), "CAP_NET_ADMIN" },
	{ PRIV(CAP_PERFMON), "CAP_PERFMON" }, { PRIV(CAP_SYS_ADMIN), "CAP_SYS_ADMIN" },
	{ PRIV(CAP_NET_RAW), "CAP_NET_RAW" }, { PRIV(CAP_SYS_RESOURCE), "CAP_SYS_RESOURCE" },
};

uint64_t priv_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

const char *priv_missing(uint64_t required, char *buf, size_t len)
{
	uint64_t have = priv_caps();
	size_t at = 0;

	if (have & PRIV(CAP_SYS_ADMIN))
		have |= PRIV(CAP_BPF) | PRIV(CAP_PERFMON);
	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(cap_names) && at < len; i++)
		if (required & ~have & cap_names[i].bit)
			at += (size_t)snprintf(buf + at, len - at, "%s%s", at ? ", " : "",
					       cap_names[i].name);
	return buf;
}

int priv_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t have = priv_caps();

	/* Keep CAP_SYS_ADMIN where it implies one of these: see priv_missing(). */
	if (keep & ~have & (PRIV(CAP_BPF) | PRIV(CAP_PERFMON)))
		keep |= PRIV(CAP_SYS_ADMIN);
	have &= keep;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(have >> (32 * i));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

const char *const lockdown_names[] = { "unknown", "none", "integrity", "confidentiality" };

enum lockdown priv_lockdown(void)
{
	char buf[128], label[32];

	if (mnt_read("securityfs", "/sys/kernel/security", "lockdown", buf, sizeof(buf)) < 0)
		return LOCKDOWN_UNKNOWN;
	for (int i = LOCKDOWN_NONE; i <= LOCKDOWN_CONFIDENTIALITY; i++) {
		snprintf(label, sizeof(label), "[%s]", lockdown_names[i]);
		if (strstr(buf, label))
			return (enum lockdown)i;
	}
	return LOCKDOWN_UNKNOWN;
}

void priv_lift_memlock(void)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

bool priv_memlock_counts(void)
{
	struct rlimit memlock = { 0 };
	unsigned long major, minor;
	struct utsname uts;
	char *end;

	if (uname(&uts))
		return false;
	major = strtoul(uts.release, &end, 10);
	minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	if (major > 5 || (major == 5 && minor >= 11))
		return false;
	return !getrlimit(RLIMIT_MEMLOCK, &memlock) && memlock.rlim_cur != RLIM_INFINITY;
}

void priv_lift_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

int priv_load_module(const char *path)
{
	static const char *const suffixes[] = { "", ".xz", ".zst", ".gz" };
	struct utsname uts;
	char full[PATH_MAX];
	int rc = -ENOENT;

	uname(&uts);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		int fd;

		snprintf(full, sizeof(full), "/lib/modules/%s/kernel/%s.ko%s", uts.release, path,
			 suffixes[i]);
		fd = open(full, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		rc = syscall(SYS_finit_module, fd, "", i ? MODULE_INIT_COMPRESSED_FILE : 0) < 0
			     ? -errno
			     : 0;
		close(fd);
		return rc == -EEXIST ? 0 : rc;
	}
	return rc;
}
