/* SPDX-License-Identifier: MIT */
/* Shared by all fuzzers: takes an input piece by piece, and reports failed assertions. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(what)                                                                           \
	do {                                                                                 \
		if (!(what)) {                                                               \
			fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, \
				#what);                                                      \
			abort();                                                             \
		}                                                                            \
	} while (0)

/* The rest of an input. Reads after its end return zeros and empty strings. */
struct feed {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t feed_u8(struct feed *f)
{
	if (!f->left)
		return 0;
	f->left--;
	return *f->at++;
}

static inline uint64_t feed_u64(struct feed *f)
{
	uint64_t v = 0;
	size_t n = f->left < sizeof(v) ? f->left : sizeof(v);

	if (n)
		memcpy(&v, f->at, n);
	f->at += n;
	f->left -= n;
	return v;
}

/* Takes at most n bytes as a string that ends at the first NUL. Allocates exactly its size, so that
 * the sanitizer detects reads past it. The caller frees it. */
static inline char *feed_str(struct feed *f, size_t n)
{
	size_t room = f->left < n ? f->left : n;
	size_t len = room ? strnlen((const char *)f->at, room) : 0;
	size_t taken = len < room ? len + 1 : len;
	char *s = malloc(len + 1);

	MUST(s);
	if (len)
		memcpy(s, f->at, len);
	s[len] = '\0';
	f->at += taken;
	f->left -= taken;
	return s;
}

/* Takes the text written to a file since the last call and terminates it. */
static inline size_t take_output(int file, char *to, size_t room)
{
	ssize_t n = pread(file, to, room - 1, 0);

	MUST(n >= 0 && (size_t)n < room - 1);
	to[n] = '\0';
	MUST(!ftruncate(file, 0) && !lseek(file, 0, SEEK_SET));
	return (size_t)n;
}

#endif
