/* SPDX-License-Identifier: MIT */
/* A harness for test programs that need privilege and must run in a bare initramfs: no library
 * but libc, no files, one line a test. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <stddef.h>

enum {
	TEST_ROOT = 1,    /* without root it is skipped */
	TEST_MACHINE = 2, /* it changes what the whole machine has: there only where $TEST_MACHINE
			   * is set */
};

/* One row of a program's table. It runs in a child of its own, which may do as it likes. */
struct test {
	const char *name;
	void (*run)(void);
	unsigned int needs;   /* TEST_* */
	unsigned int seconds; /* when it is killed and has failed; 0: 10 */
};

/* Run the tests whose names contain one of the arguments, or all of them; -l lists their names.
 * What main() returns: 0, 1 if any failed, 2 for wrong usage or a name that no test has. The last
 * line is "N passed, N failed, N skipped". */
int test_main(int argc, char **argv, const struct test *tests, size_t n);

/* End the test as failed, with the place and the words. */
#define CHECK(cond, ...)                                            \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
/* End the test as skipped: the words tell what this machine lacks. */
#define SKIP(...) test_skip(__VA_ARGS__)

_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How much slower this machine is than hardware ($TEST_SLOW, 1 if unset): amounts of work are
 * divided by it, limits on time multiplied. */
unsigned int test_slow(void);

/* Keep what is written to stderr from here on, until test_captured(), which returns it. */
void test_capture(void);
const char *test_captured(void);

#endif
