/* SPDX-License-Identifier: MIT */
/* Takes a sample with a small capture session, which it reads once, at the end. */
#include "incident/sample.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "base/clock.h"
#include "base/err.h"
#include "capture/order.h"
#include "incident/request.h"
#include "net/capfile/capfile.h"
#include "resolve/names.h"

enum { SNAPLEN = 256, BYTES = 1 << 20, LAST_MS = 10 };

/* Keeps the first error for guard_sample_end(). */
static void write_buf(struct guard_sample *s, struct buf *b)
{
	if (!s->rc)
		s->rc = buf_write(b, s->fd);
	buf_free(b);
}

static int on_iface(const struct capture_iface *iface, uint32_t number, void *arg)
{
	struct guard_sample *s = arg;
	struct capfile_iface i = { .link = iface->link_type, .snaplen = SNAPLEN };
	struct buf head = { 0 };

	(void)number;
	snprintf(i.name, sizeof(i.name), "%s", iface->link.name);
	capfile_put_section(&head, "sonde");
	capfile_put_iface(&head, &i, NULL);
	write_buf(s, &head);
	return 0;
}

static int open_session(struct guard_sample *s, const struct guard_view *v, const char *expr)
{
	struct capture_session_opts opts = {
		.names = &s->names,
		.filter = &s->filter,
		.hooks = { [CAPTURE_IN] = HOOK_BIT(v->install.current.hook) | HOOKS_TC },
		.snaplen = SNAPLEN,
		.bytes = BYTES,
		.quiet = true,
		.on_iface = on_iface,
		.arg = s
	};
	struct diag diag = { 0 };
	int rc = filter_parse(&s->filter, expr, &resolve_names, &diag);

	if (rc)
		return fail(rc, "sample: %s: %s", expr, diag.msg);
	rc = capture_session_open(&s->session, &opts);
	if (!rc)
		packet_buf_set_clock(&s->session.packets);
	return rc;
}

static void close_all(struct guard_sample *s)
{
	capture_session_close(&s->session);
	filter_close(&s->filter);
}

int guard_sample_begin(struct guard_sample *s, int fd, const struct guard_view *v,
		       const uint32_t *entries, uint32_t n)
{
	struct buf expr = { 0 };
	int rc;

	*s = (struct guard_sample){ .fd = fd, .names = { .at = { v->install.link.name }, .n = 1 } };
	sample_append_filter(v, entries, n, &expr);
	rc = expr.nomem ? fail_errno(-ENOMEM, "sample") : open_session(s, v, expr.data);
	buf_free(&expr);
	if (rc)
		close_all(s);
	return rc;
}

static int on_blocks(const uint8_t *blocks, size_t len, void *arg)
{
	struct guard_sample *s = arg;
	struct buf b = { 0 };

	buf_add(&b, blocks, len);
	write_buf(s, &b);
	return s->rc;
}

static int write_packets(struct guard_sample *s)
{
	struct block_batch *batches = calloc(s->session.packets.cpus, sizeof(*batches));
	bool any = true;
	int rc = batches ? 0 : -ENOMEM;

	while (!rc && any) {
		uint32_t n = packet_buf_take(&s->session.packets, batches);

		rc = order_batches(batches, n, UINT64_MAX, on_blocks, s);
		any = false;
		for (uint32_t i = 0; i < n; i++)
			any |= batches[i].consumed != 0;
		packet_buf_release(&s->session.packets, batches, n);
	}
	free(batches);
	return rc;
}

static void write_stats(struct guard_sample *s)
{
	const struct capture_iface *iface = s->session.ifaces[0];
	struct capture_iface_counts c;
	struct buf b = { 0 };

	if (capture_iface_counts(iface, &c))
		return;
	capfile_put_stats(&b, 0,
			  &(struct capfile_stats){ .start_ns = iface->start_ns,
						   .end_ns = clock_real(),
						   .received = c.seen,
						   .dropped_os = c.lost });
	write_buf(s, &b);
}

int guard_sample_end(struct guard_sample *s)
{
	int rc;

	capture_session_stop(&s->session);
	nanosleep(&(struct timespec){ .tv_nsec = LAST_MS * 1000000 }, NULL);
	rc = write_packets(s);
	write_stats(s);
	if (!rc)
		rc = s->rc;
	close_all(s);
	return rc;
}
