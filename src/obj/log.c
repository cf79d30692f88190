/* SPDX-License-Identifier: MIT */
/* Verifier logs: fetched only after a failure, cut to what tells the reason. */
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

	for (;;) { /* drop the summary behind the reason */
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

/* Old kernels answer -ENOSPC for a log that does not fit; new ones keep its end. level: LOG_STEPS,
 * or LOG_REASON for the reason alone. */
static char *fetch(const struct bpf_prog_new *prog, uint32_t level)
{
	struct bpf_prog_new p = *prog;
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

static void put(const char *text)
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

/* -EFAULT: more jumps than the verifier keeps in mind; -E2BIG: more instructions than it walks
 * (kernel/bpf/verifier.c). Old kernels answer -EINVAL as well, as to much else. */
static bool is_too_complex(int rc, const char *reason)
{
	return rc == -E2BIG || rc == -EFAULT ||
	       (rc == -EINVAL && (strstr(reason, "too complex") || strstr(reason, "too large")));
}

/* Whether that was it, and is said. A log of all steps would be as long as they were many: only the
 * reason is asked for. */
static bool explain_too_complex(const struct bpf_prog_new *prog, int rc)
{
	char *log = err_is_held() ? NULL : fetch(prog, LOG_REASON);
	const char *reason = log ? log_tail(log, 1) : "";
	bool is = is_too_complex(rc, reason);

	if (is)
		fail(rc, "program %s is too complex for this kernel's verifier%s%s", prog->name,
		     *reason ? ": " : "", reason);
	free(log);
	return is;
}

int log_explain(const struct bpf_prog_new *prog, int rc, bool verbose)
{
	char *log;

	if (!verbose && (rc == -E2BIG || rc == -EFAULT || rc == -EINVAL) &&
	    explain_too_complex(prog, rc))
		return rc;
	fail_errno(rc, "the kernel refused program %s", prog->name);
	if (err_is_held())
		return rc;
	log = fetch(prog, LOG_STEPS);
	if (log && *log) {
		put(verbose ? log : log_tail(log, LOG_LINES));
		put(verbose ? "" : "\n(the verifier's last lines; all of them with -v)\n");
	}
	free(log);
	return rc;
}
