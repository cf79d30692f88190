/* SPDX-License-Identifier: MIT */
/* Any bytes as a capture file: reading in one piece and in many gives the same, and so does reading
 * what was written of it. */
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "tests/lib/craft.h"

struct reading {
	struct capfile c;
	struct buf log, copy;
	uint32_t ifaces; /* of those in the copy */
	int rc;
};

static void copy_frame(struct reading *r, const struct frame *f)
{
	size_t before;

	if (!r->copy.len)
		capfile_put_section(&r->copy, "fuzz");
	for (; r->ifaces < r->c.nifaces; r->ifaces++) {
		const struct capfile_iface *i = capfile_iface(&r->c, r->ifaces);

		before = r->copy.len;
		capfile_put_iface(&r->copy, i, i->name);
		MUST(r->copy.len - before == capfile_iface_len(i, i->name));
	}
	before = r->copy.len;
	capfile_put_packet(&r->copy, f);
	MUST(r->copy.len - before == capfile_packet_len(f));
}

static int on_frame(const struct frame *f, void *arg)
{
	struct reading *r = arg;
	const struct capfile_iface *i = capfile_iface(&r->c, f->iface);

	MUST(i && strnlen(i->name, sizeof(i->name)) < sizeof(i->name) && i->link == f->link);
	MUST(f->caplen <= f->len && f->verdict <= FRAME_DROP && f->dir <= FRAME_OUT);
	MUST(strnlen(f->comm, sizeof(f->comm)) < sizeof(f->comm));
	craft_log(&r->log, f);
	buf_add(&r->log, r->c.comment, r->c.comment_len);
	copy_frame(r, f);
	return 0;
}

/* Allocates exactly each piece, so that the sanitizer detects reads past it. */
static void read_all(struct reading *r, const uint8_t *at, size_t len, size_t piece)
{
	for (size_t n; len && !r->rc; at += n, len -= n) {
		uint8_t *own;

		n = len < piece ? len : piece;
		own = malloc(n);
		MUST(own);
		memcpy(own, at, n);
		r->rc = capfile_feed(&r->c, own, n, on_frame, r);
		free(own);
	}
	if (!r->rc)
		r->rc = capfile_end(&r->c);
	MUST(!r->rc || r->rc == -EBADMSG);
	MUST(!r->rc == !r->c.diag.msg[0] && !strpbrk(r->c.diag.msg, "\n\r\t"));
	MUST(strlen(r->c.diag.msg) < sizeof(r->c.diag.msg) - 1);
}

static void check_same(const struct buf *a, const struct buf *b)
{
	MUST(a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len)));
}

static void check_same_ifaces(const struct reading *a, const struct reading *b, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct capfile_iface *x = capfile_iface(&a->c, i);
		const struct capfile_iface *y = capfile_iface(&b->c, i);

		MUST(x && y && !strcmp(x->name, y->name));
		MUST(x->link == y->link && x->snaplen == y->snaplen);
	}
}

static void close_all(struct reading *r)
{
	capfile_close(&r->c);
	buf_free(&r->log);
	buf_free(&r->copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reading whole = { .rc = 0 }, pieces = { .rc = 0 }, second = { .rc = 0 };
	struct reading third = { .rc = 0 };

	read_all(&whole, data, size, SIZE_MAX);
	read_all(&pieces, data, size, 1 + size % 29);
	MUST(whole.rc == pieces.rc && whole.c.nifaces == pieces.c.nifaces);
	MUST(whole.c.diag.pos == pieces.c.diag.pos);
	MUST(!strcmp(whole.c.diag.msg, pieces.c.diag.msg));
	check_same(&whole.log, &pieces.log);
	check_same_ifaces(&whole, &pieces, whole.c.nifaces);
	if (whole.copy.len) {
		read_all(&second, (uint8_t *)whole.copy.data, whole.copy.len, SIZE_MAX);
		MUST(!second.rc);
		check_same_ifaces(&whole, &second, whole.ifaces);
		/* Foreign comments are not written, so compare the copies that lack them. */
		read_all(&third, (uint8_t *)second.copy.data, second.copy.len, SIZE_MAX);
		check_same(&second.log, &third.log);
		check_same(&whole.copy, &second.copy);
	}
	close_all(&whole);
	close_all(&pieces);
	close_all(&second);
	close_all(&third);
	return 0;
}
