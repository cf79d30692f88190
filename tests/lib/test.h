/* SPDX-License-Identifier: MIT */
/* A harness for test programs that need privilege and must run in a bare initramfs: no library
 * but libc, no files, one line a test. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

enum {
	TEST_ROOT = 1,    /* without root it is skipped */
	TEST_MACHINE = 2, /* changes the whole machine: runs only if $TEST_MACHINE is set */
	TEST_UPGRADE = 4, /* runs an older sonde: only if $SONDE_OLD names one */
};

struct test {
	const char *name;
	void (*run)(void);
	unsigned int needs;   /* TEST_* */
	unsigned int seconds; /* after which it is killed and has failed */
};

/* Defines a test and registers it. The test runs in a process of its own.
 *
 *	TEST(ring_full, "ring: full", TEST_ROOT, 10)
 *	{
 *		...
 *	}
 *
 * Tests run in the order of their files' names, and of their lines. */
#define TEST(function, title, needs_, seconds_)                                      \
	static void function(void);                                                  \
	static const struct test test_##function = {                                 \
		.name = title, .run = function, .needs = needs_, .seconds = seconds_ \
	};                                                                           \
	static const struct test *const entry_##function                             \
		__attribute__((used, retain, section("tests"))) = &test_##function;  \
	static void function(void)

/* Runs the tests whose names contain one of the arguments, or all; -l lists their names. Returns
 * what main() returns: 0, 1 if any failed, 2 for wrong usage or a name that no test has. Prints
 * "N passed, N failed, N skipped" as the last line. */
int test_main(int argc, char **argv);

/* Ends the test as failed, with the place and the message. */
#define CHECK(cond, ...)                                            \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
/* Ends the test as skipped. The message says what this machine lacks. */
#define SKIP(...) test_skip(__VA_ARGS__)

_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How much slower this machine is than hardware ($TEST_SLOW, 1 if unset): amounts of work are
 * divided by it, limits on time multiplied. */
unsigned int test_slow(void);

/* Captures what is written to stderr until test_captured(), which returns it. */
void test_capture(void);
const char *test_captured(void);

#endif
