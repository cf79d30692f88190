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
	/* BPF_LOG_LEVEL1 and BPF_LOG_STATS of linux/bpf_verifier.h. */
	LOG_STEPS = 1,
	LOG_REASON = 4,
};

static bool is_summary(const char *line)
{
	return !strncmp(line, "processed ", 10) || !strncmp(line, "verification time ", 18) ||
	       !strncmp(line, "stack depth ", 12) || !strncmp(line, "insns processed ", 16) ||
	       !*line;
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

/* Old kernels answer -ENOSPC for a log that does not fit. New ones keep its end. level: LOG_STEPS,
 * or LOG_REASON for the reason alone. */
static char *fetch_log(const struct bpf_prog_opts *prog, uint32_t level)
{
	struct bpf_prog_opts p = *prog;
	char *log = NULL;
	int rc;

	p.log_level = level;
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

/* -EFAULT: more jumps than the verifier remembers; -E2BIG: more instructions than it follows
 * (kernel/bpf/verifier.c). Old kernels answer -EINVAL, as for many other errors. */
static bool is_too_complex(int rc, const char *reason)
{
	return rc == -E2BIG || rc == -EFAULT ||
	       (rc == -EINVAL && (strstr(reason, "too complex") || strstr(reason, "too large")));
}

/* Reports a program that is too complex. Returns false for another error. Asks for the reason only:
 * a log of all steps would be as long as they are many. */
static bool explain_too_complex(const struct bpf_prog_opts *prog, int rc)
{
	char *log = err_is_captured() ? NULL : fetch_log(prog, LOG_REASON);
	const char *reason = log ? log_tail(log, 1) : "";
	bool too_complex = is_too_complex(rc, reason);

	if (too_complex)
		fail(rc, "program %s is too complex for this kernel's verifier%s%s", prog->name,
		     *reason ? ": " : "", reason);
	free(log);
	return too_complex;
}

int log_explain(const struct bpf_prog_opts *prog, int rc, bool verbose)
{
	char *log;

	if (!verbose && (rc == -E2BIG || rc == -EFAULT || rc == -EINVAL) &&
	    explain_too_complex(prog, rc))
		return rc;
	fail_errno(rc, "the kernel refused program %s", prog->name);
	if (err_is_captured())
		return rc;
	log = fetch_log(prog, LOG_STEPS);
	if (log && *log) {
		write_stderr(verbose ? log : log_tail(log, LOG_LINES));
		write_stderr(verbose ? "" : "\n(the verifier's last lines; all of them with -v)\n");
	}
	free(log);
	return rc;
}
