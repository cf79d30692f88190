/* SPDX-License-Identifier: MIT */
/* Kernel programs on crafted packets (BPF_PROG_TEST_RUN), and the loader, on the running kernel. */
#include "tests/lib/test.h"
#include "tests/run/jit.h"

int main(int argc, char **argv)
{
	jit_watch();
	return test_main(argc, argv);
}
