/* SPDX-License-Identifier: MIT */
/* Parses the list in /sys/devices/system/cpu/online: "0-3,8". */
#include "sys/cpus.h"
#include <stdlib.h>
#include <string.h>
#include "sys/bpf.h"
#include "sys/mnt.h"

int cpus_online(void)
{
	int possible = bpf_possible_cpus();
	char text[256];
	const char *last;
	long n;

	if (possible < 0)
		return possible;
	if (mnt_read("sysfs", "/sys", "devices/system/cpu/online", text, sizeof(text)) <= 0)
		return possible;
	/* The list is in ascending order: the last number is the highest. Do not use a truncated
	 * list. */
	if (strlen(text) == sizeof(text) - 1)
		return possible;
	last = text + strlen(text);
	while (last > text && last[-1] >= '0' && last[-1] <= '9')
		last--;
	n = strtol(last, NULL, 10) + 1;
	return n > 0 && n <= possible ? (int)n : possible;
}
