/* SPDX-License-Identifier: MIT */
/* The harness of test programs that need privileges and run in a bare initramfs: libc only, no
 * files, one line per test. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

enum {
	TEST_ROOT = 1,    /* skipped without root */
	TEST_MACHINE = 2, /* changes the whole machine: runs only if $TEST_MACHINE is set */
	TEST_UPGRADE = 4, /* runs an older sonde: only if $SONDE_OLD names one */
};

struct test {
	const char *name;
	void (*run)(void);
	unsigned int needs;   /* TEST_* */
	unsigned int seconds; /* timeout: then the test is killed and fails */
};

/* Defines a test and registers it. Each test runs in its own process.
 *
 *	TEST(ring_full, "ring: full", TEST_ROOT, 10)
 *	{
 *		...
 *	}
 *
 * Tests run in the order of file names and lines. */
#define TEST(function, title, needs_, seconds_)                                      \
	static void function(void);                                                  \
	static const struct test test_##function = {                                 \
		.name = title, .run = function, .needs = needs_, .seconds = seconds_ \
	};                                                                           \
	static const struct test *const entry_##function                             \
		__attribute__((used, retain, section("tests"))) = &test_##function;  \
	static void function(void)

/* Runs the tests whose names contain one of the arguments, or all; -l lists their names. Returns
 * main()'s exit code: 0, 1 if any failed, 2 for wrong usage or an unknown name. Prints "N passed, N
 * failed, N skipped" as the last line. */
int test_main(int argc, char **argv);

/* Ends the test as failed and prints the source line and the message. */
#define CHECK(cond, ...)                                            \
	do {                                                        \
		if (!(cond))                                        \
			test_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
/* Ends the test as skipped. The message names what the machine lacks. */
#define SKIP(...) test_skip(__VA_ARGS__)

_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
_Noreturn void test_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How much slower than hardware this machine is ($TEST_SLOW, default 1). Divide amounts of work by
 * it and multiply time limits. */
unsigned int test_slow(void);

/* Captures stderr until test_captured(), which returns the text. */
void test_capture(void);
const char *test_captured(void);

#endif
