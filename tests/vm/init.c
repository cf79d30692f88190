/* SPDX-License-Identifier: MIT */
/* The first process of a test machine: does what /plan says, tells how it ended, powers off. */
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

/* A plan's line is a verb and its words:
 *   nonce WORD             what the last line repeats, so that no program's output passes for it
 *   modules                insert /modules/NN-NAME.ko, in order
 *   mount                  proc, sysfs, devtmpfs, tmpfs and securityfs at their usual places
 *   memlock BYTES          the limit on locked memory, soft and hard
 *   env NAME VALUE         in the environment of what runs from there on
 *   check NAME PATH WORD...  one result: ok if the program exits with 0
 *   test NAME PATH WORD...   a program that tells its results itself, a line each */
enum { WORDS = 32 };

static char nonce[64] = "none";
static int worst; /* the highest exit code */

static int said(const char *what, const char *which)
{
	printf("FAIL vm: %s %s: %s\n", what, which, strerror(errno));
	return 1;
}

static int do_nonce(char **words)
{
	snprintf(nonce, sizeof(nonce), "%s", words[1]);
	return 0;
}

static int do_modules(char **words)
{
	struct dirent **names;
	int n = scandir("/modules", &names, NULL, alphasort), rc = 0;

	(void)words;
	if (n < 0)
		return said("directory", "/modules");
	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			rc = said("module", path);
		close(fd);
	}
	return rc;
}

static int do_mount(char **words)
{
	static const char *const at[][2] = { { "proc", "/proc" },
					     { "sysfs", "/sys" },
					     { "devtmpfs", "/dev" },
					     { "tmpfs", "/tmp" },
					     { "securityfs", "/sys/kernel/security" } };
	int rc = 0;

	(void)words;
	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		mkdir(at[i][1], 0755);
		if (mount(at[i][0], at[i][1], at[i][0], 0, NULL) && errno != EBUSY)
			rc = said("mount", at[i][1]);
	}
	return rc;
}

static int do_memlock(char **words)
{
	rlim_t bytes = strtoul(words[1], NULL, 10);

	return setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ bytes, bytes })
		       ? said("memlock", words[1])
		       : 0;
}

/* Says now and then that the machine lives, until it is killed: who reads the console takes silence
 * for a machine that hangs. In one write a line, as the tests do. */
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

/* Run it, and reap whatever orphans end meanwhile. The exit code; 128 and more: by a signal. */
static int run(char **words)
{
	int status = 0;
	pid_t pid, got;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return said("fork", words[0]);
	if (!pid) {
		setsid();
		execv(words[0], words);
		said("exec", words[0]);
		fflush(stdout);
		_exit(127);
	}
	do
		got = wait(&status);
	while (got != pid && (got > 0 || errno == EINTR));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int do_check(char **words)
{
	int rc = run(words + 2);

	if (rc)
		printf("FAIL %s: exited with %d\n", words[1], rc);
	else
		printf("ok %s\n", words[1]);
	return rc;
}

/* A command that reports: 1 is a finding of its own, not a failure. */
static int do_report(char **words)
{
	int rc = run(words + 2);

	if (rc != 0 && rc != 1)
		return printf("FAIL %s: exited with %d\n", words[1], rc), rc;
	printf("ok %s\n", words[1]);
	return 0;
}

static int do_env(char **words)
{
	return setenv(words[1], words[2], 1) ? said("env", words[1]) : 0;
}

static int do_test(char **words)
{
	pid_t heartbeat = start_heartbeat();
	int rc = run(words + 2);

	if (heartbeat > 0) {
		kill(heartbeat, SIGKILL);
		waitpid(heartbeat, NULL, 0);
	}
	return rc;
}

static const struct {
	const char *name;
	int (*run)(char **words);
	int min; /* words that it needs, itself included */
} verbs[] = {
	{ "nonce", do_nonce, 2 },     { "modules", do_modules, 1 }, { "mount", do_mount, 1 },
	{ "memlock", do_memlock, 2 }, { "check", do_check, 3 },     { "test", do_test, 3 },
	{ "env", do_env, 3 },         { "report", do_report, 3 },
};

static int do_line(char *line)
{
	struct timespec start, end;
	char *words[WORDS + 1] = { 0 }, *at = line;
	int n = 0, rc;

	printf("vm: %s", line);
	while (n < WORDS && (words[n] = strtok(at, " \n")))
		n++, at = NULL;
	words[n] = NULL;
	for (size_t i = 0; n && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(words[0], verbs[i].name) || n < verbs[i].min)
			continue;
		clock_gettime(CLOCK_MONOTONIC, &start);
		rc = verbs[i].run(words);
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("vm: done, %lld s\n", (long long)(end.tv_sec - start.tv_sec));
		return rc;
	}
	printf("FAIL vm: no such line in a plan\n");
	return 1;
}

int main(void)
{
	char line[1024];
	FILE *plan = fopen("/plan", "re");

	setvbuf(stdout, NULL, _IOLBF, 0);
	setenv("SONDE", "/sonde", 1);
	while (plan && fgets(line, sizeof(line), plan)) {
		int rc = do_line(line);

		worst = rc > worst ? rc : worst;
	}
	printf("\nvm-end %s %d\n", nonce, plan ? worst : 1);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
