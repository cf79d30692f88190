/* SPDX-License-Identifier: MIT */
/* Finds programs, and runs one while measuring its CPU time and wall time, or its peak memory. */
#define _GNU_SOURCE
#include "tests/bench/run.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"

bool run_in_path(const char *name)
{
	const char *dir = getenv("PATH");
	char path[4096];

	if (strchr(name, '/'))
		return !access(name, X_OK);
	while (dir && *dir) {
		int len = (int)strcspn(dir, ":");

		snprintf(path, sizeof(path), "%.*s/%s", len, dir, name);
		if (!access(path, X_OK))
			return true;
		dir += len + (dir[len] == ':');
	}
	return false;
}

void run_extend_path(void)
{
	const char *old = getenv("PATH");
	char path[4096];

	snprintf(path, sizeof(path), "%s:/usr/local/sbin:/usr/sbin:/sbin", old ? old : "/usr/bin");
	setenv("PATH", path, 1);
}

double run_timeval_ms(const struct timeval *tv)
{
	return (double)tv->tv_sec * 1e3 + (double)tv->tv_usec / 1e3;
}

/* Reads a line "FIELD:  N kB" of a /proc file. 0: not found. */
static long read_field_kib(pid_t pid, const char *file, const char *field)
{
	char path[64], line[256];
	size_t len = strlen(field);
	long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	f = fopen(path, "re");
	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, field, len) && line[len] == ':')
			sscanf(line + len + 1, "%ld", &kib);
	fclose(f);
	return kib;
}

/* The kernel's high-water mark is inexact, since its counters are per CPU. The mapped pages at the
 * end are exact. The peak is at least the larger of both. */
long run_peak_kib(pid_t pid)
{
	long high_water = read_field_kib(pid, "status", "VmHWM");
	long now = read_field_kib(pid, "smaps_rollup", "Rss");

	return high_water > now ? high_water : now;
}

/* vfork does not copy this process. ru_maxrss of the child would include this process, so memory is
 * read from /proc. */
static pid_t spawn_program(const char *const *argv, bool memory, int null_fd, int err_fd)
{
	pid_t pid = vfork();

	if (pid)
		return pid;
	dup2(null_fd, STDIN_FILENO);
	dup2(null_fd, STDOUT_FILENO);
	dup2(err_fd, STDERR_FILENO);
	if (memory)
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

/* Runs a traced child, and reads its memory directly before it exits. */
static int trace_program(pid_t pid, struct run *run, int *status, struct rusage *usage)
{
	long options = PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	bool is_traced = false;

	while (wait4(pid, status, 0, usage) == pid) {
		long signo = 0;

		if (!WIFSTOPPED(*status))
			return 0;
		if (!is_traced)
			ptrace(PTRACE_SETOPTIONS, pid, NULL, options);
		else if (*status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			run->peak_kib = run_peak_kib(pid);
		else
			signo = WSTOPSIG(*status);
		is_traced = true;
		ptrace(PTRACE_CONT, pid, NULL, signo);
	}
	return -errno;
}

static int wait_end(pid_t pid, bool memory, struct run *run, int *status)
{
	struct rusage usage = { 0 };
	int rc = 0;

	if (memory)
		rc = trace_program(pid, run, status, &usage);
	else if (wait4(pid, status, 0, &usage) != pid)
		rc = -errno;
	run->cpu_ms = run_timeval_ms(&usage.ru_utime) + run_timeval_ms(&usage.ru_stime);
	return rc;
}

int run_program(const char *const *argv, bool memory, struct run *run)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC), status = 0, rc = 0;
	int err_fd = memfd_create("stderr", MFD_CLOEXEC);
	uint64_t start;
	ssize_t len;
	pid_t pid;

	*run = (struct run){ 0 };
	if (null_fd < 0 || err_fd < 0)
		rc = -errno;
	start = clock_mono();
	pid = rc ? -1 : spawn_program(argv, memory, null_fd, err_fd);
	if (!rc && pid < 0)
		rc = -errno;
	if (!rc)
		rc = wait_end(pid, memory, run, &status);
	run->wall_ms = (double)(clock_mono() - start) / 1e6;
	len = rc ? 0 : pread(err_fd, run->err, sizeof(run->err) - 1, 0);
	run->err[len > 0 ? len : 0] = '\0';
	run->err[strcspn(run->err, "\n")] = '\0';
	if (null_fd >= 0)
		close(null_fd);
	if (err_fd >= 0)
		close(err_fd);
	if (rc)
		return fail_errno(rc, "cannot run %s", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return fail(-EIO, "%s %s failed: %s", argv[0], argv[1], run->err);
	return 0;
}
