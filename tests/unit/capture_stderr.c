/* SPDX-License-Identifier: MIT */
/* A file in memory in a descriptor's place. */
#define _GNU_SOURCE 1
#include "tests/unit/capture_stderr.h"
#include <check.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

char said[8192];
static int kept, file;

void capture_stderr_begin(int fd)
{
	fflush(NULL);
	kept = dup(fd);
	file = memfd_create("said", 0);
	ck_assert_int_ge(kept, 0);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, fd), fd);
}

void capture_stderr_end(int fd)
{
	ssize_t n = pread(file, said, sizeof(said) - 1, 0);

	dup2(kept, fd);
	close(kept);
	close(file);
	ck_assert_int_ge(n, 0);
	said[n] = '\0';
}
