/* SPDX-License-Identifier: MIT */
/* Shared by the tests of capture files: reads bytes and logs everything that was read as text. */
#ifndef TESTS_UNIT_CAPFILE_CASES_H
#define TESTS_UNIT_CAPFILE_CASES_H

#include <check.h>
#include <stdlib.h>
#include "tests/lib/craft.h"

TCase *capfile_write_cases(void);

/* A file read in pieces of `piece` bytes: one log line per frame, and the result. Conditions
 * checked for every frame are not a ck_assert, which writes a message each time it passes. */
struct reading {
	struct capfile c;
	struct buf log;
	size_t n;
	int rc;
};

static inline int read_frame(const struct frame *f, void *arg)
{
	struct reading *r = arg;

	if (f->caplen > f->len || !capfile_iface(&r->c, f->iface) ||
	    strnlen(f->comm, sizeof(f->comm)) == sizeof(f->comm))
		ck_abort_msg("frame %zu of interface %u: %u of %u bytes, process %.16s", r->n,
			     f->iface, f->caplen, f->len, f->comm);
	craft_log(&r->log, f);
	if (r->c.comment)
		buf_printf(&r->log, "# %.*s\n", (int)r->c.comment_len, r->c.comment);
	r->n++;
	return 0;
}

/* Allocates exactly each piece, so that the sanitizer detects reads past it. */
static inline void read_pieces(struct reading *r, const void *bytes, size_t len, size_t piece)
{
	const char *at = bytes;

	memset(r, 0, sizeof(*r));
	for (size_t n; len && !r->rc; at += n, len -= n) {
		char *own;

		n = len < piece ? len : piece;
		own = malloc(n);
		memcpy(own, at, n);
		r->rc = capfile_feed(&r->c, own, n, read_frame, r);
		free(own);
	}
	if (!r->rc)
		r->rc = capfile_end(&r->c);
	buf_char(&r->log, '\0');
	if (!r->rc != !r->c.diag.msg[0])
		ck_abort_msg("%d and \"%s\"", r->rc, r->c.diag.msg);
}

static inline void read_close(struct reading *r)
{
	capfile_close(&r->c);
	buf_free(&r->log);
}

#endif
