/* SPDX-License-Identifier: MIT */
/* Runs all unit tests. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/array.h"
#include "tests/unit/suites.h"

#define SUITE_ENTRY(name) { #name, name##_suite },
static const struct suite {
	const char *name;
	Suite *(*make)(void);
} suites[] = { SUITES(SUITE_ENTRY) };

enum { NSUITES = ARRAY_LEN(suites) };

struct counts {
	int run, failed;
};

/* Runs a suite in its own process, since memory that the sanitizers keep slows later forks down.
 * only: a suite or test case; NULL: all. */
static pid_t start_suite(const struct suite *suite, const char *only, struct counts *counts)
{
	pid_t pid = fork();
	SRunner *runner;
	Suite *made;

	if (pid)
		return pid;
	made = suite->make();
	if (only && !strcmp(only, suite->name))
		only = NULL;
	if (only && !suite_tcase(made, only))
		exit(EXIT_SUCCESS);
	runner = srunner_create(made);
	srunner_run(runner, NULL, only, CK_ENV);
	counts->run = srunner_ntests_run(runner);
	counts->failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	exit(EXIT_SUCCESS);
}

/* Runs as many suites at once as there are CPUs. A suite that dies counts as a failure. The
 * argument is a suite or test case; -l lists the suites. */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct counts *counts = mmap(NULL, NSUITES * sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int passed = 0, failed = 0, status;
	size_t started = 0;

	if (counts == MAP_FAILED || argc > 2)
		return EXIT_FAILURE;
	if (only && !strcmp(only, "-l")) {
		for (size_t i = 0; i < NSUITES; i++)
			puts(suites[i].name);
		return EXIT_SUCCESS;
	}
	/* Long enough for a busy host, short enough to detect a test that hangs. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	for (size_t ended = 0; ended < NSUITES; ended++) {
		while (started < NSUITES && started < ended + (size_t)(cpus > 0 ? cpus : 1)) {
			if (start_suite(&suites[started], only, &counts[started]) < 0)
				return EXIT_FAILURE;
			started++;
		}
		if (wait(&status) < 0 || status)
			failed++;
	}
	for (size_t i = 0; i < NSUITES; i++) {
		passed += counts[i].run - counts[i].failed;
		failed += counts[i].failed;
	}
	if (only && !passed && !failed) {
		fprintf(stderr, "%s: no suite and no test case is named %s; -l lists the suites\n",
			argv[0], only);
		return EXIT_FAILURE;
	}
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
