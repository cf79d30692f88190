/* SPDX-License-Identifier: MIT */
/* Kprobes and uprobes are PMUs; sysfs has their type numbers. */
#include "sys/perf.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sys/mnt.h"

static int read_pmu_file(const char *pmu, const char *file, char *buf, size_t len)
{
	char path[64];

	snprintf(path, sizeof(path), "bus/event_source/devices/%s/%s", pmu, file);
	return mnt_read("sysfs", "/sys", path, buf, len);
}

static int read_pmu_type(const char *pmu, uint32_t *type)
{
	char text[16];
	int rc = read_pmu_file(pmu, "type", text, sizeof(text));

	if (rc < 0)
		return rc == -ENOENT ? -ENODEV : rc;
	*type = (uint32_t)strtoul(text, NULL, 10);
	return 0;
}

/* Reads the bit of config that selects the function's return, from a text like "config:0". */
static uint64_t read_retprobe_bit(const char *pmu)
{
	char text[16];
	unsigned int bit = 0;

	if (read_pmu_file(pmu, "format/retprobe", text, sizeof(text)) > 0 &&
	    !strncmp(text, "config:", 7))
		bit = (unsigned int)strtoul(text + 7, NULL, 10);
	return UINT64_C(1) << (bit & 63);
}

static int attach_probe(const char *pmu, const char *name, uint64_t offset, bool at_return,
			int prog_fd)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.config1 = (uint64_t)(uintptr_t)name,
		.config2 = offset,
	};
	uint32_t type;
	int rc = read_pmu_type(pmu, &type), fd;

	if (rc)
		return rc;
	attr.type = type;
	attr.config = at_return ? read_retprobe_bit(pmu) : 0;
	/* A probe opened on one CPU is active on all CPUs. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int perf_attach_kprobe(const char *function, bool at_return, int prog_fd)
{
	return attach_probe("kprobe", function, 0, at_return, prog_fd);
}

bool perf_has_kprobes(void)
{
	uint32_t type;

	return perf_read_type(false, &type) != -ENODEV;
}

int perf_read_type(bool user, uint32_t *type)
{
	return read_pmu_type(user ? "uprobe" : "kprobe", type);
}

int perf_attach_uprobe(const char *file, uint64_t offset, bool at_return, int prog_fd)
{
	return attach_probe("uprobe", file, offset, at_return, prog_fd);
}
