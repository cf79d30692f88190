/* SPDX-License-Identifier: MIT */
/* A file ends where a block does, whatever happens: at its size, at its time, at a full disk. */
#define _GNU_SOURCE
#include "capture/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/err.h"
#include "net/capfile/capfile.h"
#include "sys/stdout.h"
#include "sys/wait.h"

enum {
	ALIGN = 4096,   /* of what goes around the page cache */
	BLOCK_MIN = 12, /* type, length, length */
	RECORD_HEAD = 16,
	BLOCK_PACKET = 6,
};

static uint32_t word(const uint8_t *at)
{
	uint32_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

/* Bytes of the unit that begins here; 0 if there is no whole one. */
static size_t unit_len(const struct capture_file *f, const uint8_t *at, size_t left)
{
	size_t n;

	if (left < (f->opts.ng ? BLOCK_MIN : RECORD_HEAD))
		return 0;
	n = f->opts.ng ? word(at + 4) : (size_t)word(at + 8) + RECORD_HEAD;
	return n <= left ? n : 0;
}

/* A row of whole units of at least so many bytes, or all that there are. */
static size_t units(const struct capture_file *f, const uint8_t *at, size_t len, size_t least)
{
	size_t done = 0, n;

	while (done < least && (n = unit_len(f, at + done, len - done)) != 0)
		done += n;
	return done;
}

static int width_of(uint32_t count)
{
	int width = 1;

	for (uint32_t n = count ? count - 1 : 0; n >= 10; n /= 10)
		width++;
	return width;
}

/* As tcpdump names them: NAME, NAME1, NAME2; with a count NAME00, NAME01. */
static int name_file(struct capture_file *f, uint64_t now)
{
	const struct capture_file_opts *w = &f->opts;
	time_t s = (time_t)(now / NS_PER_S);
	struct tm local = { 0 };
	char base[PATH_MAX];
	uint32_t i = f->files;
	int n;

	snprintf(base, sizeof(base), "%s", w->name);
	if (w->every) {
		localtime_r(&s, &local);
		if (!strftime(base, sizeof(base), w->name, &local))
			return fail_usage("%s makes no file name", w->name);
	}
	if (w->bytes && w->count && !w->every)
		n = snprintf(f->path, sizeof(f->path), "%s%0*u", base, width_of(w->count),
			     i % w->count);
	else if (w->bytes && i)
		n = snprintf(f->path, sizeof(f->path), "%s%u", base, i);
	else
		n = snprintf(f->path, sizeof(f->path), "%s", base);
	return n < (int)sizeof(f->path) ? 0 : fail(-ENAMETOOLONG, "%s: the name is too long", base);
}

static int write_file(int fd, const uint8_t *at, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		ssize_t n = write(fd, at + *done, len - *done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		*done += (size_t)n;
	}
	return 0;
}

static int say(const struct capture_file *f, int rc)
{
	if (rc == -EPIPE)
		return fail(rc, "%s: the reader is gone", f->path);
	if (rc == -EINTR)
		return fail(rc, "%s: nobody reads", f->path);
	if (rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG)
		return fail(rc, "%s: no space left; what is in it can be read", f->path);
	return fail_errno(rc, "%s", f->path);
}

/* Write a row of whole units; what did not find room is taken back to the last unit's end. */
static int put(struct capture_file *f, const uint8_t *at, size_t len, size_t *kept)
{
	size_t done, whole = 0, n;
	int rc = f->patient ? write_file(f->fd, at, len, &done) : wait_write(f->fd, at, len, &done);

	if (!rc) {
		f->written += len;
		*kept += len;
		return 0;
	}
	while ((n = unit_len(f, at + whole, len - whole)) != 0 && whole + n <= done)
		whole += n;
	if (f->regular && ftruncate(f->fd, (off_t)(f->written + whole)))
		whole = 0;
	f->written += whole;
	f->broken = true;
	*kept += whole;
	return rc;
}

static void set_direct(struct capture_file *f, bool on)
{
	int flags = fcntl(f->fd, F_GETFL);

	if (f->direct == on || flags < 0)
		return;
	if (!fcntl(f->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT))
		f->direct = on;
	else
		f->never_direct = true;
}

/* Everything that all files begin with, into the one that was opened. */
static int put_heads(struct capture_file *f)
{
	size_t kept = 0;
	int rc = put(f, (const uint8_t *)f->heads.data, f->heads.len, &kept);

	return rc ? say(f, rc) : 0;
}

static int open_next(struct capture_file *f)
{
	uint64_t now = clock_real();
	int rc = name_file(f, now);

	if (rc)
		return rc;
	f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		rc = -errno;
		f->fd = 0;
		return fail_errno(rc, "%s", f->path);
	}
	if (!f->files)
		f->patient = fd_never_blocks(f->fd);
	f->regular = !ftruncate(f->fd, 0); /* of other files it fails */
	f->never_direct = !f->regular;
	f->direct = false;
	f->written = 0;
	f->files++;
	f->next = f->opts.every ? now + f->opts.every : UINT64_MAX;
	return f->heads.len ? put_heads(f) : 0;
}

int capture_file_open(struct capture_file *f, const struct capture_file_opts *opts)
{
	*f = (struct capture_file){ .opts = *opts, .next = UINT64_MAX };
	f->standard = !strcmp(opts->name, "-");
	if (!f->standard)
		return 0;
	if (isatty(STDOUT_FILENO))
		return fail_usage("packets on a terminal make no sense: -w FILE, or a pipe");
	if (opts->bytes || opts->every)
		return fail_usage("standard output is one file: -C and -G do not go with -w -");
	f->never_direct = true;
	snprintf(f->path, sizeof(f->path), "standard output");
	return 0;
}

int capture_file_begin(struct capture_file *f)
{
	if (!f->standard)
		return open_next(f);
	f->fd = STDOUT_FILENO;
	f->patient = fd_never_blocks(f->fd);
	return f->heads.len ? put_heads(f) : 0;
}

int capture_file_head(struct capture_file *f, const void *bytes, size_t len)
{
	size_t kept = 0;
	int rc;

	buf_add(&f->heads, bytes, len);
	if (f->heads.nomem)
		return fail_errno(-ENOMEM, "%s", f->opts.name);
	if (!f->fd)
		return 0;
	set_direct(f, false);
	rc = put(f, bytes, len, &kept);
	return rc ? say(f, rc) : 0;
}

static int finish(struct capture_file *f)
{
	struct buf tail = { 0 };
	size_t kept = 0;
	int rc = 0;

	set_direct(f, false);
	if (f->opts.tail && !f->broken)
		f->opts.tail(&tail, f->opts.arg);
	if (tail.len)
		rc = put(f, (const uint8_t *)tail.data, tail.len, &kept);
	buf_free(&tail);
	if (!f->standard && f->fd && close(f->fd) && !rc)
		rc = -errno;
	f->fd = 0;
	return rc ? say(f, rc) : 0;
}

/* 1 if that was the last. */
static int rotate(struct capture_file *f)
{
	int rc = finish(f);

	if (!rc && f->opts.every && f->opts.count && f->files >= f->opts.count)
		return 1;
	return rc ? rc : open_next(f);
}

static bool is_due(const struct capture_file *f)
{
	return f->opts.every && clock_real() >= f->next;
}

/* A file has at least one packet, so it may be longer than wished for by one. */
static bool is_full(const struct capture_file *f)
{
	return (f->opts.bytes && f->written >= f->opts.bytes && f->written > f->heads.len) ||
	       is_due(f);
}

int capture_file_turn(struct capture_file *f)
{
	return is_due(f) ? rotate(f) : 0;
}

int capture_file_write(struct capture_file *f, const void *bytes, size_t len, size_t *kept)
{
	const uint8_t *at = bytes;
	int rc = 0;

	set_direct(f, false);
	for (size_t n; !rc && len; at += n, len -= n) {
		if ((f->opts.bytes || f->opts.every) && is_full(f))
			rc = rotate(f);
		if (rc)
			return rc;
		n = len;
		if (f->opts.bytes && f->written + len > f->opts.bytes)
			n = units(f, at, len,
				  f->written < f->opts.bytes ? f->opts.bytes - f->written : 1);
		rc = put(f, at, n, kept);
	}
	return rc < 0 ? say(f, rc) : rc;
}

/* A block that readers pass over, so long that what follows is aligned. */
static size_t pad(uint8_t *at, uint64_t pos)
{
	uint32_t n = (uint32_t)(ALIGN - pos % ALIGN) % ALIGN;
	static const uint32_t type = CAPFILE_BLOCK_PAD;

	if (!n)
		return 0;
	if (n < BLOCK_MIN)
		n += ALIGN;
	memset(at, 0, n);
	memcpy(at, &type, sizeof(type));
	memcpy(at + 4, &n, sizeof(n));
	memcpy(at + n - 4, &n, sizeof(n));
	return n;
}

static int align(struct capture_file *f)
{
	uint8_t room[ALIGN + BLOCK_MIN];
	size_t n = pad(room, f->written), kept = 0;

	return n ? put(f, room, n, &kept) : 0;
}

int capture_file_whole(struct capture_file *f, uint8_t *bytes, size_t len, size_t *kept)
{
	size_t padded, put_len = 0;
	int rc;

	if (f->never_direct || !f->opts.ng || f->opts.every ||
	    (f->opts.bytes && f->written + len + ALIGN > f->opts.bytes))
		return capture_file_write(f, bytes, len, kept);
	if (!f->direct) {
		rc = align(f);
		if (rc)
			return say(f, rc);
		set_direct(f, true);
		if (!f->direct)
			return capture_file_write(f, bytes, len, kept);
	}
	padded = len + pad(bytes + len, len);
	rc = put(f, bytes, padded, &put_len);
	*kept += put_len < len ? put_len : len;
	/* Some file systems say so only now. */
	if (rc == -EINVAL && !put_len) {
		f->broken = false;
		f->never_direct = true;
		return capture_file_write(f, bytes, len, kept);
	}
	return rc ? say(f, rc) : 0;
}

uint64_t capture_file_packets(const struct capture_file *f, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t packets = 0;

	for (size_t n; (n = unit_len(f, at, len)) != 0; at += n, len -= n)
		packets += !f->opts.ng || word(at) == BLOCK_PACKET;
	return packets;
}

uint64_t capture_file_due(const struct capture_file *f)
{
	return f->opts.every ? f->next : UINT64_MAX;
}

int capture_file_close(struct capture_file *f)
{
	int rc = f->fd ? finish(f) : 0;

	buf_free(&f->heads);
	*f = (struct capture_file){ 0 };
	return rc;
}
