/* SPDX-License-Identifier: MIT */
/* Creates a real directory, so that the alignment of real disks is tested where present. A child
 * process removes it when the test ends, however that happens. */
#define _GNU_SOURCE
#include "tests/net/file.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATHS = 8, PATH_LEN = 200 };

static char directory[PATH_LEN / 2];

static void remove_all(void)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	rmdir(directory);
}

/* Waits for the test's end. Runs in its own process group, since the test's group is killed, and
 * closes the test's descriptors. */
static _Noreturn void wait_and_remove(int alive)
{
	char byte;

	setpgid(0, 0);
	alarm(0);
	dup2(alive, 3);
	for (int fd = 0; fd < 64; fd++)
		if (fd != 3)
			close(fd);
	while (read(3, &byte, 1) < 0 && errno == EINTR)
		;
	remove_all();
	_exit(0);
}

static void make_directory(void)
{
	const char *tmp = getenv("TMPDIR");
	int ends[2];
	pid_t pid;

	if (!tmp)
		mkdir("/tmp", 01777);
	snprintf(directory, sizeof(directory), "%s/sonde-net-XXXXXX", tmp ? tmp : "/tmp");
	CHECK(mkdtemp(directory), "%s: %s", directory, strerror(errno));
	CHECK(!pipe2(ends, O_CLOEXEC), "pipe: %s", strerror(errno));
	pid = fork();
	CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (!pid) {
		close(ends[1]);
		wait_and_remove(ends[0]);
	}
	close(ends[0]);
}

const char *file_path(const char *name)
{
	static char paths[PATHS][PATH_LEN];
	static unsigned int next;
	char *path = paths[next++ % PATHS];

	if (!*directory)
		make_directory();
	snprintf(path, PATH_LEN, "%s/%s", directory, name);
	return path;
}

uint64_t file_len(const char *path)
{
	struct stat st;

	CHECK(!stat(path, &st), "%s: %s", path, strerror(errno));
	return (uint64_t)st.st_size;
}

struct file_reader {
	struct capfile in;
	file_visit_fn *each;
	void *arg;
	uint64_t packets;
};

static int on_frame(const struct frame *f, void *arg)
{
	struct file_reader *r = arg;

	r->packets++;
	if (r->each)
		r->each(f, capfile_iface(&r->in, f->iface), r->arg);
	return 0;
}

uint64_t file_read(const char *path, file_visit_fn *each, void *arg)
{
	struct file_reader r = { .each = each, .arg = arg };
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	static char chunk[1 << 16];
	ssize_t n;

	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	while (!rc && (n = read(fd, chunk, sizeof(chunk))) > 0)
		rc = capfile_feed(&r.in, chunk, (size_t)n, on_frame, &r);
	if (!rc)
		rc = capfile_end(&r.in);
	CHECK(!rc, "%s: %s", path, r.in.diag.msg);
	close(fd);
	capfile_close(&r.in);
	return r.packets;
}
