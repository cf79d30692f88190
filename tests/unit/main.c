/* SPDX-License-Identifier: MIT */
/* The runner of all unit tests. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/suites.h"

#define SUITE_ENTRY(name) name##_suite,
static Suite *(*const suites[])(void) = { SUITES(SUITE_ENTRY) };

enum { NSUITES = sizeof(suites) / sizeof(*suites) };

struct counts {
	int run, failed;
};

/* In a process of its own: what the sanitizers keep of one suite makes each fork of the next
 * slower. */
static pid_t start(Suite *(*suite)(void), struct counts *counts)
{
	SRunner *runner;
	pid_t pid = fork();

	if (pid)
		return pid;
	runner = srunner_create(suite());
	srunner_run_all(runner, CK_ENV);
	counts->run = srunner_ntests_run(runner);
	counts->failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	exit(EXIT_SUCCESS);
}

/* As many suites at a time as there are CPUs; one that dies counts as a failure. */
int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct counts *counts = mmap(NULL, NSUITES * sizeof(*counts), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int passed = 0, failed = 0, status;
	size_t started = 0;

	if (counts == MAP_FAILED)
		return EXIT_FAILURE;
	/* A test that hangs is found; one that waits for a busy host is not taken for it. */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	for (size_t ended = 0; ended < NSUITES; ended++) {
		while (started < NSUITES && started < ended + (size_t)(cpus > 0 ? cpus : 1)) {
			if (start(suites[started], &counts[started]) < 0)
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
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
