/* SPDX-License-Identifier: MIT */
/* Verifier logs: fetched only after a failure, and cut to the lines with the reason. */
#include "obj/log.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

enum {
	LOG_FIRST = 64 << 10,
	LOG_MOST = 16 << 20, /* the kernel's own limit is UINT_MAX / 4 */
	LOG_LINES = 8,
};

static bool is_summary(const char *line)
{
	return !strncmp(line, "processed ", 10) || !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12) || !*line;
}

char *log_tail(char *log, int n)
{
	char *at = log + strlen(log);

	for (;;) { /* drop the summary after the reason */
		while (at > log && at[-1] == '\n')
			*--at = '\0';
		while (at > log && at[-1] != '\n')
			at--;
		if (at == log || !is_summary(at))
			break;
		*at = '\0';
	}
	while (n > 1 && at > log) {
		at--;
		while (at > log && at[-1] != '\n')
			at--;
		n--;
	}
	return at;
}

/* Old kernels answer -ENOSPC for a log that does not fit. New ones keep its end. */
static char *fetch_log(const struct bpf_prog_opts *prog)
{
	struct bpf_prog_opts p = *prog;
	char *log = NULL;
	int rc;

	p.log_level = 1;
	for (p.log_size = LOG_FIRST; p.log_size <= LOG_MOST; p.log_size *= 4) {
		free(log);
		log = calloc(1, p.log_size);
		if (!log)
			return NULL;
		p.log = log;
		rc = bpf_prog_load(&p);
		if (rc >= 0)
			close(rc);
		if (rc != -ENOSPC)
			break;
	}
	return log;
}

static void write_stderr(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

int log_explain(const struct bpf_prog_opts *prog, int rc, bool verbose)
{
	char *log;

	if (rc == -E2BIG &&
	    !verbose) /* the log would be as long, and would take the verifier as long again */
		return fail(rc, "program %s is more than this kernel's verifier follows",
			    prog->name);
	fail_errno(rc, "the kernel refused program %s", prog->name);
	if (err_is_captured())
		return rc;
	log = fetch_log(prog);
	if (log && *log) {
		write_stderr(verbose ? log : log_tail(log, LOG_LINES));
		write_stderr(verbose ? "" : "\n(the verifier's last lines; all of them with -v)\n");
	}
	free(log);
	return rc;
}
