/* SPDX-License-Identifier: MIT */
/* Reads a capture file in pieces as they arrive, so that it may be a pipe. */
#include "cmd/capture/read.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

enum { PIECE = 1 << 16 };

struct reading {
	const char *name;
	const struct capture_filter *filter;
	struct capture_out *out;
	struct capfile in;
	uint64_t count, shown;
};

static int on_packet(const struct frame *frame, void *arg)
{
	struct reading *r = arg;
	const struct capfile_iface *iface = capfile_iface(&r->in, frame->iface);
	int rc;

	if (!capture_filter_match(r->filter, frame, iface))
		return 0;
	r->shown++;
	rc = capture_out_write_frame(r->out, frame, iface);
	return rc ? rc : r->count && r->shown == r->count;
}

static int read_all(struct reading *r, int fd)
{
	static uint8_t piece[PIECE];
	ssize_t n;
	int rc = 0;

	while (!rc && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(-errno, "%s", r->name);
		rc = capfile_feed(&r->in, piece, (size_t)n, on_packet, r);
		/* A short read: a pipe is empty. Do not hold back its packets until more come. */
		if (!rc && n < PIECE)
			rc = capture_out_flush(r->out);
	}
	return rc ? rc : capfile_end(&r->in);
}

static int read_file(struct reading *r)
{
	bool standard = !strcmp(r->name, "-");
	int fd = standard ? STDIN_FILENO : open(r->name, O_RDONLY | O_CLOEXEC), rc, flushed;

	if (fd < 0)
		return fail_errno(-errno, "%s", r->name);
	rc = capture_out_begin(r->out);
	if (!rc)
		rc = read_all(r, fd);
	if (!standard)
		close(fd);
	flushed = rc ? 0 : capture_out_ensure_header(r->out, capfile_iface(&r->in, 0));
	if (!flushed)
		flushed = capture_out_flush(r->out);
	if (rc == -EBADMSG || (rc == -ENOMEM && *r->in.diag.msg))
		return fail(rc, "%s: %s", standard ? "standard input" : r->name, r->in.diag.msg);
	return rc < 0 ? rc : flushed;
}

int capture_read(const char *name, const struct capture_filter *filter, uint64_t count,
		 struct capture_out *out)
{
	struct reading r = { .name = name, .filter = filter, .out = out, .count = count };
	int rc = read_file(&r);

	capfile_close(&r.in);
	return rc;
}
