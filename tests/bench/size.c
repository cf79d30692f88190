/* SPDX-License-Identifier: MIT */
/* Measures the disk space: a binary, the shared libraries that it needs, and its BPF object. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/err.h"
#include "tests/bench/bench.h"

double size_sonde_kib;

static double file_kib(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : (double)st.st_size / 1024;
}

/* Reads lines of ldd: "NAME => PATH (ADDRESS)", or "PATH (ADDRESS)" for the interpreter. The vdso
 * has no path. A static program has no lines. */
static double libraries_kib(const char *path, unsigned int *n)
{
	char command[512], line[512], lib[256];
	double kib = 0;
	FILE *f;

	*n = 0;
	snprintf(command, sizeof(command), "ldd '%s' 2>/dev/null", path);
	f = popen(command, "r");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		char *slash = strchr(line, '/');

		if (!slash || !strstr(slash, " (") || sscanf(slash, "%255s", lib) != 1)
			continue;
		kib += file_kib(lib);
		++*n;
	}
	pclose(f);
	return kib;
}

static void print_size(const struct contender *c)
{
	double binary = file_kib(c->steps[0][0]), object = c->object ? file_kib(c->object) : 0;
	unsigned int n;
	double libs = libraries_kib(c->steps[0][0], &n), all = binary + libs + object;

	if (!size_sonde_kib)
		size_sonde_kib = all;
	printf("  %-32s %8.0f %9.0f (%u) %8.0f %8.0f %7.2fx\n", c->steps[0][0], binary, libs, n,
	       object, all, all / size_sonde_kib);
}

int bench_size(void)
{
	printf("Size in KiB: the binary, the shared libraries that ldd lists (number), the\n"
	       "BPF object (sonde's is in its binary).\n\n"
	       "  %-32s %8s %13s %8s %8s %8s\n",
	       "", "binary", "libraries", "object", "all", "ratio");
	for (int i = 0; i < CONTENDERS; i++)
		if (contenders[i].group == GROUP_XDP && !contenders[i].missing)
			print_size(&contenders[i]);
	printf("\n");
	if (!size_sonde_kib)
		return fail(-ENOENT, "%s is missing", contenders[SONDE_XDP].steps[0][0]);
	return 0;
}
