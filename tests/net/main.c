/* SPDX-License-Identifier: MIT */
/* Scenarios: sonde as a user runs it, on real packets in private namespaces. */
#include "tests/lib/test.h"

int main(int argc, char **argv)
{
	return test_main(argc, argv);
}
