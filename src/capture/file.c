/* SPDX-License-Identifier: MIT */
/* Every file ends at the end of a block or record: when it is full, when its time is over, and when
 * the disk is full. */
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
	ALIGN = 4096,   /* O_DIRECT: alignment of memory, offset and length */
	BLOCK_MIN = 12, /* type, length, length */
	RECORD_HEAD = 16,
	BLOCK_PACKET = 6,
};

static uint32_t read_u32(const uint8_t *at)
{
	uint32_t w;

	memcpy(&w, at, sizeof(w));
	return w;
}

/* Bytes of the pcapng block or pcap record at this position; 0 if it is incomplete. Both are called
 * a block below. */
static size_t block_len(const struct capture_file *f, const uint8_t *at, size_t left)
{
	size_t n;

	if (left < (f->opts.pcapng ? BLOCK_MIN : RECORD_HEAD))
		return 0;
	n = f->opts.pcapng ? read_u32(at + 4) : (size_t)read_u32(at + 8) + RECORD_HEAD;
	return n <= left ? n : 0;
}

/* Length of a sequence of complete blocks: at least min_len bytes, or all complete blocks if
 * fewer. */
static size_t span_blocks(const struct capture_file *f, const uint8_t *at, size_t len,
			  size_t min_len)
{
	size_t done = 0, n;

	while (done < min_len && (n = block_len(f, at + done, len - done)) != 0)
		done += n;
	return done;
}

static int count_digits(uint32_t count)
{
	int width = 1;

	for (uint32_t n = count ? count - 1 : 0; n >= 10; n /= 10)
		width++;
	return width;
}

/* As tcpdump -C and -W name files: NAME, NAME1, NAME2; with a maximum of files NAME00, NAME01. */
static int name_file(struct capture_file *f, uint64_t now)
{
	const struct capture_file_opts *opts = &f->opts;
	time_t s = (time_t)(now / NS_PER_S);
	struct tm local = { 0 };
	char base[PATH_MAX];
	uint32_t i = f->nfiles;
	int n;

	snprintf(base, sizeof(base), "%s", opts->name);
	if (opts->interval_ns) {
		localtime_r(&s, &local);
		if (!strftime(base, sizeof(base), opts->name, &local))
			return fail_usage("%s: invalid file name format", opts->name);
	}
	if (opts->max_bytes && opts->max_files && !opts->interval_ns)
		n = snprintf(f->path, sizeof(f->path), "%s%0*u", base,
			     count_digits(opts->max_files), i % opts->max_files);
	else if (opts->max_bytes && i)
		n = snprintf(f->path, sizeof(f->path), "%s%u", base, i);
	else
		n = snprintf(f->path, sizeof(f->path), "%s", base);
	return n < (int)sizeof(f->path)
		       ? 0
		       : fail(-ENAMETOOLONG, "the file name is too long: %s", base);
}

static int write_all(int fd, const uint8_t *at, size_t len, size_t *done)
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

static int fail_write(const struct capture_file *f, int rc)
{
	if (rc == -EPIPE)
		return fail(rc, "%s: the reader is gone", f->path);
	if (rc == -EINTR)
		return fail(rc, "%s: the reader has stopped reading", f->path);
	if (rc == -ENOSPC || rc == -EDQUOT || rc == -EFBIG)
		return fail(rc, "%s: no space left; the file is valid up to here", f->path);
	return fail_errno(rc, "%s", f->path);
}

/* Writes complete blocks. If the write fails, cuts a regular file back to the end of the last
 * complete block. *kept grows by the bytes that stay in the file. */
static int write_blocks(struct capture_file *f, const uint8_t *at, size_t len, size_t *kept)
{
	size_t done, complete = 0, n;
	int rc = f->never_blocks ? write_all(f->fd, at, len, &done)
				 : wait_write(f->fd, at, len, &done);

	if (!rc) {
		f->written += len;
		*kept += len;
		return 0;
	}
	while ((n = block_len(f, at + complete, len - complete)) != 0 && complete + n <= done)
		complete += n;
	if (f->is_regular && ftruncate(f->fd, (off_t)(f->written + complete)))
		complete = 0;
	f->written += complete;
	f->broken = true;
	*kept += complete;
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

/* Writes what every file starts with to the file just opened. */
static int write_headers(struct capture_file *f)
{
	size_t kept = 0;
	int rc = write_blocks(f, (const uint8_t *)f->headers.data, f->headers.len, &kept);

	return rc ? fail_write(f, rc) : 0;
}

static int open_next_file(struct capture_file *f)
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
	if (!f->nfiles)
		f->never_blocks = fd_never_blocks(f->fd);
	f->is_regular = !ftruncate(f->fd, 0); /* fails for anything but a regular file */
	f->never_direct = !f->is_regular;
	f->direct = false;
	f->written = 0;
	f->nfiles++;
	f->next_ns = f->opts.interval_ns ? now + f->opts.interval_ns : UINT64_MAX;
	return f->headers.len ? write_headers(f) : 0;
}

int capture_file_open(struct capture_file *f, const struct capture_file_opts *opts)
{
	*f = (struct capture_file){ .opts = *opts, .next_ns = UINT64_MAX };
	f->is_stdout = !strcmp(opts->name, "-");
	if (!f->is_stdout)
		return 0;
	if (isatty(STDOUT_FILENO))
		return fail_usage("-w - would write packets to a terminal: use -w FILE or a pipe");
	if (opts->max_bytes || opts->interval_ns)
		return fail_usage(
			"-w - is standard output, a single file: -C and -G need a file name");
	f->never_direct = true;
	snprintf(f->path, sizeof(f->path), "standard output");
	return 0;
}

int capture_file_begin(struct capture_file *f)
{
	if (!f->is_stdout)
		return open_next_file(f);
	f->fd = STDOUT_FILENO;
	f->never_blocks = fd_never_blocks(f->fd);
	return f->headers.len ? write_headers(f) : 0;
}

int capture_file_add_header(struct capture_file *f, const void *bytes, size_t len)
{
	size_t kept = 0;
	int rc;

	buf_add(&f->headers, bytes, len);
	if (f->headers.nomem)
		return fail_errno(-ENOMEM, "%s", f->opts.name);
	if (!f->fd)
		return 0;
	set_direct(f, false);
	rc = write_blocks(f, bytes, len, &kept);
	return rc ? fail_write(f, rc) : 0;
}

static int finish_file(struct capture_file *f)
{
	struct buf tail = { 0 };
	size_t kept = 0;
	int rc = 0;

	set_direct(f, false);
	if (f->opts.append_trailer && !f->broken)
		f->opts.append_trailer(&tail, f->opts.arg);
	if (tail.len)
		rc = write_blocks(f, (const uint8_t *)tail.data, tail.len, &kept);
	buf_free(&tail);
	if (!f->is_stdout && f->fd && close(f->fd) && !rc)
		rc = -errno;
	f->fd = 0;
	return rc ? fail_write(f, rc) : 0;
}

/* Returns 1 if the last file was full, 0 or -errno. */
static int rotate_file(struct capture_file *f)
{
	int rc = finish_file(f);

	if (!rc && f->opts.interval_ns && f->opts.max_files && f->nfiles >= f->opts.max_files)
		return 1;
	return rc ? rc : open_next_file(f);
}

static bool is_due(const struct capture_file *f)
{
	return f->opts.interval_ns && clock_real() >= f->next_ns;
}

/* A file holds at least one packet, so it may exceed the maximum by one. */
static bool is_full(const struct capture_file *f)
{
	return (f->opts.max_bytes && f->written >= f->opts.max_bytes &&
		f->written > f->headers.len) ||
	       is_due(f);
}

int capture_file_rotate(struct capture_file *f)
{
	return is_due(f) ? rotate_file(f) : 0;
}

int capture_file_write(struct capture_file *f, const void *bytes, size_t len, size_t *kept)
{
	const uint8_t *at = bytes;
	int rc = 0;

	set_direct(f, false);
	for (size_t n; !rc && len; at += n, len -= n) {
		if ((f->opts.max_bytes || f->opts.interval_ns) && is_full(f))
			rc = rotate_file(f);
		if (rc)
			return rc;
		n = len;
		if (f->opts.max_bytes && f->written + len > f->opts.max_bytes)
			n = span_blocks(f, at, len,
					f->written < f->opts.max_bytes
						? f->opts.max_bytes - f->written
						: 1);
		rc = write_blocks(f, at, n, kept);
	}
	return rc < 0 ? fail_write(f, rc) : rc;
}

/* Builds a block that readers ignore, as long as it takes to align what follows. */
static size_t make_padding(uint8_t *at, uint64_t pos)
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

static int align_file(struct capture_file *f)
{
	uint8_t padding[ALIGN + BLOCK_MIN];
	size_t n = make_padding(padding, f->written), kept = 0;

	return n ? write_blocks(f, padding, n, &kept) : 0;
}

int capture_file_write_chunk(struct capture_file *f, uint8_t *bytes, size_t len, size_t *kept)
{
	size_t padded, written_len = 0;
	int rc;

	if (f->never_direct || !f->opts.pcapng || f->opts.interval_ns ||
	    (f->opts.max_bytes && f->written + len + ALIGN > f->opts.max_bytes))
		return capture_file_write(f, bytes, len, kept);
	if (!f->direct) {
		rc = align_file(f);
		if (rc)
			return fail_write(f, rc);
		set_direct(f, true);
		if (!f->direct)
			return capture_file_write(f, bytes, len, kept);
	}
	padded = len + make_padding(bytes + len, len);
	rc = write_blocks(f, bytes, padded, &written_len);
	*kept += written_len < len ? written_len : len;
	/* Some file systems refuse O_DIRECT only when writing. */
	if (rc == -EINVAL && !written_len) {
		f->broken = false;
		f->never_direct = true;
		return capture_file_write(f, bytes, len, kept);
	}
	return rc ? fail_write(f, rc) : 0;
}

uint64_t capture_file_count_packets(const struct capture_file *f, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t packets = 0;

	for (size_t n; (n = block_len(f, at, len)) != 0; at += n, len -= n)
		packets += !f->opts.pcapng || read_u32(at) == BLOCK_PACKET;
	return packets;
}

uint64_t capture_file_next_rotation(const struct capture_file *f)
{
	return f->opts.interval_ns ? f->next_ns : UINT64_MAX;
}

int capture_file_close(struct capture_file *f)
{
	int rc = f->fd ? finish_file(f) : 0;

	buf_free(&f->headers);
	*f = (struct capture_file){ 0 };
	return rc;
}
