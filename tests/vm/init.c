/* SPDX-License-Identifier: MIT */
/* Process 1 of a test machine: runs the commands in /plan, prints the result, powers off. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "base/array.h"

/* A line of a plan is a command with its arguments:
 *   nonce WORD              repeated in the last line, so that no other output is taken for it
 *   modules                 load /modules/NN-NAME.ko, in order
 *   mount                   mount proc, sysfs, devtmpfs, tmpfs and securityfs
 *   memlock BYTES           set the limit on locked memory, soft and hard
 *   env NAME VALUE          set an environment variable for the programs that follow
 *   check NAME PATH ARG...  run a program and print its result: ok if it exits with 0
 *   report NAME PATH ARG... the same, but 1 is ok, too
 *   test NAME PATH ARG...   run a program that prints its results itself, a line each */
enum { ARGS_MAX = 32 };

static char nonce[64] = "none";
static int max_rc; /* the highest exit status */

static int report_errno(const char *what, const char *which)
{
	printf("FAIL vm: %s %s: %s\n", what, which, strerror(errno));
	return 1;
}

static int do_nonce(char **args)
{
	snprintf(nonce, sizeof(nonce), "%s", args[1]);
	return 0;
}

static int do_modules(char **args)
{
	struct dirent **names;
	int n = scandir("/modules", &names, NULL, alphasort), rc = 0;

	(void)args;
	if (n < 0)
		return report_errno("directory", "/modules");
	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			rc = report_errno("module", path);
		close(fd);
	}
	return rc;
}

static int do_mount(char **args)
{
	static const char *const at[][2] = { { "proc", "/proc" },
					     { "sysfs", "/sys" },
					     { "devtmpfs", "/dev" },
					     { "tmpfs", "/tmp" },
					     { "securityfs", "/sys/kernel/security" } };
	int rc = 0;

	(void)args;
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		mkdir(at[i][1], 0755);
		if (mount(at[i][0], at[i][1], at[i][0], 0, NULL) && errno != EBUSY)
			rc = report_errno("mount", at[i][1]);
	}
	return rc;
}

static int do_memlock(char **args)
{
	rlim_t bytes = strtoul(args[1], NULL, 10);

	return setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ bytes, bytes })
		       ? report_errno("memlock", args[1])
		       : 0;
}

/* Prints a line every ten seconds until it is killed, since boot.sh takes a silent console for a
 * machine that hangs. A line is one write, as in the tests. */
static pid_t start_heartbeat(void)
{
	static const char beat[] = "vm: alive\n";
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		sleep(10);
		if (write(STDOUT_FILENO, beat, sizeof(beat) - 1) < 0)
			_exit(1);
	}
}

/* Runs a program and reaps orphans meanwhile. Returns its exit status, or 128 + the signal. */
static int run_program(char **args)
{
	int status = 0;
	pid_t pid, got;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return report_errno("fork", args[0]);
	if (!pid) {
		setsid();
		execv(args[0], args);
		report_errno("exec", args[0]);
		fflush(stdout);
		_exit(127);
	}
	do
		got = wait(&status);
	while (got != pid && (got > 0 || errno == EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int do_check(char **args)
{
	int rc = run_program(args + 2);

	if (rc)
		printf("FAIL %s: exited with %d\n", args[1], rc);
	else
		printf("ok %s\n", args[1]);
	return rc;
}

/* For doctor, which exits with 1 if something is unavailable. */
static int do_report(char **args)
{
	int rc = run_program(args + 2);

	if (rc != 0 && rc != 1)
		return printf("FAIL %s: exited with %d\n", args[1], rc), rc;
	printf("ok %s\n", args[1]);
	return 0;
}

static int do_env(char **args)
{
	return setenv(args[1], args[2], 1) ? report_errno("env", args[1]) : 0;
}

static int do_test(char **args)
{
	pid_t heartbeat = start_heartbeat();
	int rc = run_program(args + 2);

	if (heartbeat > 0) {
		kill(heartbeat, SIGKILL);
		waitpid(heartbeat, NULL, 0);
	}
	return rc;
}

static const struct {
	const char *name;
	int (*run)(char **args);
	int min; /* number of args, with the command */
} commands[] = {
	{ "nonce", do_nonce, 2 },     { "modules", do_modules, 1 }, { "mount", do_mount, 1 },
	{ "memlock", do_memlock, 2 }, { "check", do_check, 3 },     { "test", do_test, 3 },
	{ "env", do_env, 3 },         { "report", do_report, 3 },
};

static int do_command(char *line)
{
	struct timespec start, end;
	char *args[ARGS_MAX + 1] = { 0 }, *at = line;
	int n = 0, rc;

	printf("vm: %s", line);
	while (n < ARGS_MAX && (args[n] = strtok(at, " \n")))
		n++, at = NULL;
	args[n] = NULL;
	for (size_t i = 0; n && i < ARRAY_LEN(commands); i++) {
		if (strcmp(args[0], commands[i].name) || n < commands[i].min)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &start);
		rc = commands[i].run(args);
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("vm: done, %lld s\n", (long long)(end.tv_sec - start.tv_sec));
		return rc;
	}
	printf("FAIL vm: unknown command or too few arguments\n");
	return 1;
}

int main(void)
{
	char line[1024];
	FILE *plan = fopen("/plan", "re");

	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("SONDE", "/sonde", 1);
	while (plan && fgets(line, sizeof(line), plan)) {
		int rc = do_command(line);

		max_rc = rc > max_rc ? rc : max_rc;
	}
	printf("\nvm-end %s %d\n", nonce, plan ? max_rc : 1);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
