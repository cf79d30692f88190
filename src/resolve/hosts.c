/* SPDX-License-Identifier: MIT */
/* Lines of the hosts file: an address, then its names. */
#include "resolve/hosts.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

struct words {
	const char *at, *end;
};

/* Returns the next word, with its length in *len; NULL after the last one. */
static const char *next_word(struct words *w, size_t *len)
{
	const char *begin;

	while (w->at < w->end && strchr(" \t\r\v\f", *w->at))
		w->at++;
	begin = w->at;
	while (w->at < w->end && !strchr(" \t\r\v\f", *w->at))
		w->at++;
	*len = (size_t)(w->at - begin);
	return *len ? begin : NULL;
}

static bool read_address(const char *word, size_t len, struct filter_addr *addr)
{
	char copy[INET6_ADDRSTRLEN];

	*addr = (struct filter_addr){ 0 };
	if (!word || len >= sizeof(copy))
		return false;
	memcpy(copy, word, len);
	copy[len] = '\0';
	addr->family = strchr(copy, ':') ? 6 : 4;
	return inet_pton(addr->family == 4 ? AF_INET : AF_INET6, copy, addr->bytes) == 1;
}

static bool has_name(struct words *w, const char *name)
{
	const char *word;
	size_t len;

	while ((word = next_word(w, &len)))
		if (len == strlen(name) && !strncasecmp(word, name, len))
			return true;
	return false;
}

static bool has_addr(const struct filter_addr *addrs, int n, const struct filter_addr *addr)
{
	for (int i = 0; i < n; i++)
		if (!memcmp(&addrs[i], addr, sizeof(*addr)))
			return true;
	return false;
}

int hosts_find(const char *text, size_t len, const char *name, struct filter_addr *addrs, int max)
{
	const char *end = len ? text + len : text;
	int n = 0;

	while (text < end) {
		const char *next = memchr(text, '\n', (size_t)(end - text)), *comment;
		struct words w = { text, next ? next : end };
		struct filter_addr addr;
		const char *word;
		size_t word_len;

		text = next ? next + 1 : end;
		comment = memchr(w.at, '#', (size_t)(w.end - w.at));
		if (comment)
			w.end = comment;
		word = next_word(&w, &word_len);
		if (!read_address(word, word_len, &addr) || !has_name(&w, name) ||
		    has_addr(addrs, n, &addr))
			continue;
		if (n == max)
			return -E2BIG;
		addrs[n++] = addr;
	}
	return n;
}
