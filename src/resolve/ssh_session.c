/* SPDX-License-Identifier: MIT */
/* Searches the environments of the parent processes in procfs, as far as they can be read. */
#include "resolve/ssh_session.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "sys/mnt.h"

enum { PARENTS_MAX = 32, ENVIRON_MAX = 1 << 20 };

static const char var[] = "SSH_CONNECTION=";

/* Copies the variable's value. env: NUL-terminated strings (proc(5), /proc/PID/environ). */
static bool find_variable(const struct buf *env, char *buf, size_t len)
{
	for (size_t at = 0; at < env->len; at += strnlen(env->data + at, env->len - at) + 1) {
		const char *value = env->data + at + sizeof(var) - 1;
		size_t rest = env->len - at;

		if (rest < sizeof(var) || memcmp(env->data + at, var, sizeof(var) - 1))
			continue;
		if (!memchr(value, 0, rest - (sizeof(var) - 1)) || strlen(value) >= len)
			return false;
		strcpy(buf, value);
		return *buf != '\0';
	}
	return false;
}

static bool find_in_process(int pid, char *buf, size_t len)
{
	struct buf env = { 0 };
	char path[32];
	bool found;
	int fd;

	snprintf(path, sizeof(path), "%d/environ", pid);
	fd = mnt_open("proc", "/proc", path);
	if (fd < 0)
		return false;
	buf_read(&env, fd, ENVIRON_MAX); /* on an error, use what was read */
	close(fd);
	found = find_variable(&env, buf, len);
	buf_free(&env);
	return found;
}

/* Reads the fourth field of /proc/PID/stat (proc(5)). The name before it is in parentheses and may
 * contain any characters. */
static int read_parent(int pid)
{
	char path[32], text[512], *close;

	snprintf(path, sizeof(path), "%d/stat", pid);
	if (mnt_read("proc", "/proc", path, text, sizeof(text)) < 0)
		return 0;
	close = strrchr(text, ')');
	return close && strlen(close) > 4 ? atoi(close + 4) : 0; /* ") S 1234" */
}

static bool find_connection(char *buf, size_t len)
{
	const char *value = getenv("SSH_CONNECTION");
	int pid = getppid();

	if (value && *value && strlen(value) < len) {
		strcpy(buf, value);
		return true;
	}
	for (int i = 0; i < PARENTS_MAX && pid > 0; i++, pid = read_parent(pid))
		if (find_in_process(pid, buf, len))
			return true;
	return false;
}

bool ssh_session_find(struct ssh_session *s)
{
	char **words[] = { &s->client, &s->cport, &s->server, &s->sport };
	char *at = s->text;

	if (!find_connection(s->text, sizeof(s->text)))
		return false;
	for (int i = 0; i < 4; i++) {
		*words[i] = at;
		at = strchr(at, ' ');
		if (!at != (i == 3))
			return false;
		if (at)
			*at++ = '\0';
	}
	/* Remove the zone of link-local addresses (RFC 4007): packets do not contain it. */
	s->client[strcspn(s->client, "%")] = '\0';
	s->server[strcspn(s->server, "%")] = '\0';
	return true;
}
