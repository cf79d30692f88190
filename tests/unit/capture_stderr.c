/* SPDX-License-Identifier: MIT */
/* Replaces a descriptor by a file in memory. */
#define _GNU_SOURCE 1
#include "tests/unit/capture_stderr.h"
#include <check.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

char captured[8192];
static int saved_fd, file;

void capture_stderr_begin(int fd)
{
	fflush(NULL);
	saved_fd = dup(fd);
	file = memfd_create("captured", 0);
	ck_assert_int_ge(saved_fd, 0);
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(dup2(file, fd), fd);
}

void capture_stderr_end(int fd)
{
	ssize_t n = pread(file, captured, sizeof(captured) - 1, 0);

	dup2(saved_fd, fd);
	close(saved_fd);
	close(file);
	ck_assert_int_ge(n, 0);
	captured[n] = '\0';
}
