/* SPDX-License-Identifier: MIT */
/* Rules as sonde lists them, and traffic for them. */
#define _GNU_SOURCE
#include "tests/net/rules.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lab/address.h"
#include "sys/netns.h"
#include "tests/net/file.h"

static struct sonde filter_list;

/* Copies the value of a member of a JSON line: a string without escapes; null becomes "". */
static void copy_member(const char *line, const char *key, char *to, size_t room)
{
	char quoted[32];
	const char *at;
	size_t len;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	CHECK(at, "no %s in %s", key, line);
	at += strlen(quoted);
	at += *at == '"';
	len = strncmp(at, "null", 4) ? strcspn(at, "\"") : 0;
	snprintf(to, room, "%.*s", (int)len, at);
}

const char *rules_installed(void)
{
	static const char *const keys[] = { "interface", "direction", "action", "name" };
	static char text[8192];
	size_t len = 0;

	SONDE_RUN(&filter_list, "filter", "list", "--json");
	CHECK(!filter_list.rc || strstr(filter_list.err, "no rules are installed"), "%s",
	      filter_list.err);
	*text = '\0';
	for (const char *at = filter_list.out; *at == '{'; at += strcspn(at, "\n") + 1) {
		char word[256];

		for (int i = 0; i < 4; i++) {
			copy_member(at, keys[i], word, sizeof(word));
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
						i && *word ? " " : "", word);
		}
		copy_member(at, "rule", word, sizeof(word));
		len += (size_t)snprintf(text + len, sizeof(text) - len, ": %s\n", word);
		CHECK(len < sizeof(text), "too many rules");
	}
	return text;
}

void rules_expect(const char *want)
{
	const char *installed = rules_installed();

	CHECK(!strcmp(installed, want), "rules are\n%sexpected\n%s", installed, want);
}

uint64_t rules_hits(const char *what, const char *const *words)
{
	FILTER(&filter_list, "list", "--json");
	return json_sum(filter_list.out, what, words);
}

uint64_t rules_hits_at(const struct lab *lab, enum lab_side side, const char *const *words)
{
	int home = netns_current();
	uint64_t hits;

	lab_enter(lab, side);
	hits = rules_hits("packets", words);
	netns_set(home);
	close(home);
	return hits;
}

int rules_socket(const struct lab *lab, int type, int family, int port)
{
	struct sockaddr_storage to;
	socklen_t len = far_address(&to, family, port);
	int fd, home = netns_current();

	lab_enter(lab, LAB_FAR);
	fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&to, len), "%s", strerror(errno));
	CHECK(type != SOCK_STREAM || !listen(fd, 5), "%s", strerror(errno));
	netns_set(home);
	close(home);
	return fd;
}

void rules_send(const struct lab *lab, int family, int port, unsigned int n, size_t len)
{
	struct sockaddr_storage to;
	socklen_t to_len = far_address(&to, family, port);
	int taker = rules_socket(lab, SOCK_DGRAM, family, port), fd;
	char bytes[1400] = "";

	lab_enter(lab, LAB_NEAR);
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(fd >= 0, "%s", strerror(errno));
	while (n--)
		CHECK(sendto(fd, bytes, len, 0, (struct sockaddr *)&to, to_len) == (ssize_t)len,
		      "cannot send: %s", strerror(errno));
	close(fd);
	close(taker);
}

const char *rules_file(const char *name, const char *text)
{
	const char *path = file_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path,
	      strerror(errno));
	close(fd);
	return path;
}
