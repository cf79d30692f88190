/* SPDX-License-Identifier: MIT */
/* Directories are made in /tmp, since the source tree may be read-only. */
#define _GNU_SOURCE       1
#define _FILE_OFFSET_BITS 64 /* or readdir(3) fails on large inode numbers on 32-bit hosts */
#include "tests/unit/temp_dir.h"
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[32];

void temp_dir_enter(void)
{
	snprintf(path, sizeof(path), "/tmp/sonde-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(chdir(path), 0);
}

static size_t walk_dir(int (*each)(const char *name))
{
	DIR *dir = opendir(".");
	struct dirent *e;
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir))) {
		if (e->d_type == DT_DIR)
			continue;
		n++;
		if (each)
			each(e->d_name);
	}
	closedir(dir);
	return n;
}

size_t temp_dir_count(void)
{
	return walk_dir(NULL);
}

void temp_dir_leave(void)
{
	walk_dir(unlink);
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(rmdir(path), 0);
}

struct buf temp_dir_read(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct buf b = { 0 };

	ck_assert_msg(fd >= 0, "%s cannot be opened", name);
	ck_assert_int_eq(buf_read(&b, fd, 0), 0);
	close(fd);
	return b;
}
