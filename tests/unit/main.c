/* SPDX-License-Identifier: MIT */
/* The runner of all unit tests. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/suites.h"

/* clang-format off */
static Suite *(*const suites[])(void) = {
	base_suite, opt_suite, out_suite, text_suite, sys_suite,
	filter_suite, capfile_suite, dissect_suite,
	gen_suite, gen_refuse_suite,
};
/* clang-format on */

int main(void)
{
	SRunner *runner = srunner_create(NULL);
	int run, failed;

	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	run = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	printf("%d passed, %d failed, 0 skipped\n", run - failed, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
