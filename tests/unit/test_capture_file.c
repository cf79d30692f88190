/* SPDX-License-Identifier: MIT */
/* Files that packets are written to: names, sizes, times, number of files, full disks. */
#define _GNU_SOURCE 1
#include <check.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit/capture_stderr.h"
#include "tests/unit/suites.h"
#include "tests/unit/temp_dir.h"
#undef fail /* check.h defines it, too */
#include "base/clock.h"
#include "base/err.h"
#include "capture/file.h"
#include "capture/packet_buf.h"
#include "net/capfile/capfile.h"

enum { PAYLOAD = 64, MANY = 24 };

/* Packets `first` to `first + n - 1`. Each starts with its number. */
static struct buf make_packets(bool pcapng, uint32_t first, uint32_t n)
{
	struct buf b = { 0 };

	for (uint32_t i = 0; i < n; i++) {
		uint32_t data[PAYLOAD / 4] = { first + i };
		struct frame f = { .data = (const uint8_t *)data,
				   .caplen = sizeof(data),
				   .len = sizeof(data),
				   .time_ns = NS_PER_S * (first + i),
				   .link = FRAME_ETHERNET };

		if (pcapng)
			capfile_put_packet(&b, &f);
		else
			capfile_put_record(&b, &f, true);
	}
	ck_assert(!b.nomem);
	return b;
}

static struct buf make_header(bool pcapng)
{
	const struct capfile_iface iface = { .link = FRAME_ETHERNET };
	struct buf b = { 0 };

	if (pcapng) {
		capfile_put_section(&b, NULL);
		capfile_put_iface(&b, &iface, NULL);
	} else {
		capfile_put_pcap(&b, FRAME_ETHERNET, 65535, true);
	}
	return b;
}

/* Checks that a file's packets are numbered consecutively from `next` on. */
struct numbers {
	uint32_t next, n;
};

static int check_number(const struct frame *f, void *arg)
{
	struct numbers *numbers = arg;
	uint32_t number;

	memcpy(&number, f->data, sizeof(number));
	ck_assert_uint_eq(number, numbers->next);
	numbers->next++;
	numbers->n++;
	return 0;
}

static int count_frame(const struct frame *f, void *arg)
{
	(void)f;
	++*(uint32_t *)arg;
	return 0;
}

/* Reads a capture file to its end. Returns its number of packets. */
static uint32_t check_file(const char *name, uint32_t first)
{
	struct numbers numbers = { .next = first };
	struct buf b = temp_dir_read(name);
	struct capfile c = { 0 };

	ck_assert_msg(!capfile_feed(&c, b.data, b.len, check_number, &numbers), "%s: %s", name,
		      c.diag.msg);
	ck_assert_msg(!capfile_end(&c), "%s: %s", name, c.diag.msg);
	capfile_close(&c);
	buf_free(&b);
	return numbers.n;
}

static void open_file(struct capture_file *f, const struct capture_file_opts *opts)
{
	struct buf header = make_header(opts->pcapng);

	ck_assert_int_eq(capture_file_open(f, opts), 0);
	ck_assert_int_eq(capture_file_begin(f), 0);
	ck_assert_int_eq(capture_file_add_header(f, header.data, header.len), 0);
	buf_free(&header);
}

static int write_packets(struct capture_file *f, uint32_t first, uint32_t n, size_t *kept)
{
	struct buf b = make_packets(f->opts.pcapng, first, n);
	int rc;

	*kept = 0;
	rc = capture_file_write(f, b.data, b.len, kept);
	buf_free(&b);
	return rc;
}

static size_t block_size(bool pcapng)
{
	struct buf b = make_packets(pcapng, 0, 1);
	size_t len = b.len;

	buf_free(&b);
	return len;
}

static size_t header_size(bool pcapng)
{
	struct buf b = make_header(pcapng);
	size_t len = b.len;

	buf_free(&b);
	return len;
}

/* Each file is complete and continues where the previous one ended. _i: pcapng or pcap. */
START_TEST(rotates_by_size)
{
	static const char *const names[] = { "x", "x1", "x2", "x3", "x4", "x5" };
	const uint64_t max = header_size(_i) + 4 * block_size(_i);
	const struct capture_file_opts opts = { .name = "x", .max_bytes = max, .pcapng = _i };
	struct capture_file f;
	uint32_t next = 0;
	size_t kept;

	open_file(&f, &opts);
	ck_assert_int_eq(write_packets(&f, 0, MANY, &kept), 0);
	ck_assert_uint_eq(kept, MANY * block_size(_i));
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(temp_dir_count(), MANY / 4);
	for (size_t i = 0; i < MANY / 4; i++) {
		ck_assert_uint_eq(check_file(names[i], next), 4);
		next += 4;
	}
}
END_TEST

/* A file exceeds the limit by at most one packet and has at least one. */
START_TEST(exceeds_by_one_packet)
{
	const size_t head = header_size(true), block = block_size(true);
	const struct {
		uint64_t max;
		uint32_t packets; /* packets in each full file */
	} cases[] = {
		{ 1, 1 },
		{ head, 1 },
		{ head + 1, 1 },
		{ head + block, 1 },
		{ head + block + 1, 2 },
		{ head + 2 * block - 1, 2 },
	};
	const struct capture_file_opts opts = { .name = "x",
						.max_bytes = cases[_i].max,
						.pcapng = true };
	struct capture_file f;
	size_t kept;

	open_file(&f, &opts);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(write_packets(&f, i, 1, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(temp_dir_count(), 4 / cases[_i].packets);
	ck_assert_uint_eq(check_file("x", 0), cases[_i].packets);
}
END_TEST

/* With a maximum of files, numbers have as many digits as the last one, and the oldest is
 * overwritten. */
START_TEST(overwrites_oldest)
{
	enum { WRITTEN = 13 };
	const struct {
		uint32_t max_files;
		const char *newest, *oldest;
	} cases[] = {
		{ 1, "x0", "x0" },
		{ 3, "x0", "x1" },
		{ 10, "x2", "x3" },
		{ 11, "x01", "x02" },
	};
	const uint32_t n = cases[_i].max_files;
	const struct capture_file_opts opts = {
		.name = "x", .max_bytes = 1, .max_files = n, .pcapng = true
	};
	struct capture_file f;
	size_t kept;

	open_file(&f, &opts);
	for (uint32_t i = 0; i < WRITTEN; i++)
		ck_assert_int_eq(write_packets(&f, i, 1, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(temp_dir_count(), n);
	ck_assert_uint_eq(check_file(cases[_i].newest, WRITTEN - 1), 1);
	ck_assert_uint_eq(check_file(cases[_i].oldest, WRITTEN - n), 1);
}
END_TEST

/* Files are named by strftime(3) and end after their time, also without packets. */
START_TEST(rotates_by_time)
{
	const struct capture_file_opts opts = {
		.name = "x-%Y", .interval_ns = 1000 * NS_PER_S, .max_files = 2, .pcapng = true
	};
	uint64_t before = clock_real();
	struct capture_file f;
	time_t now = time(NULL);
	struct tm local;
	char name[64];
	size_t kept;

	open_file(&f, &opts);
	strftime(name, sizeof(name), "x-%Y", localtime_r(&now, &local));
	ck_assert_str_eq(f.path, name);
	ck_assert_uint_ge(capture_file_next_rotation(&f), before + opts.interval_ns);
	ck_assert_uint_le(capture_file_next_rotation(&f), clock_real() + opts.interval_ns);
	ck_assert_int_eq(write_packets(&f, 0, 3, &kept), 0);
	ck_assert_int_eq(capture_file_rotate(&f), 0);
	ck_assert_uint_eq(f.nfiles, 1);
	f.next_ns = clock_real(); /* its time has passed */
	ck_assert_int_eq(capture_file_rotate(&f), 0);
	ck_assert_uint_eq(f.nfiles, 2);
	ck_assert_uint_gt(capture_file_next_rotation(&f), clock_real());
	f.next_ns = clock_real();
	ck_assert_int_eq(write_packets(&f, 3, 1, &kept), 1); /* the last file */
	ck_assert_uint_eq(kept, 0);
	ck_assert_uint_eq(f.nfiles, 2);
	ck_assert_int_eq(capture_file_close(&f), 0);
}
END_TEST

/* Files of the same time and name are numbered, and none is overwritten. */
START_TEST(numbers_files_of_the_same_time)
{
	const struct capture_file_opts opts = {
		.name = "y", .interval_ns = 1000 * NS_PER_S, .max_bytes = 1, .pcapng = true
	};
	struct capture_file f;
	size_t kept;

	open_file(&f, &opts);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(write_packets(&f, i, 1, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(temp_dir_count(), 3);
	ck_assert_uint_eq(check_file("y", 0), 1);
	ck_assert_uint_eq(check_file("y1", 1), 1);
	ck_assert_uint_eq(check_file("y2", 2), 1);
}
END_TEST

/* An added header is written to the current file and to the start of later ones. */
START_TEST(adds_headers)
{
	const struct capture_file_opts opts = { .name = "x", .max_bytes = 1, .pcapng = true };
	const struct capfile_iface iface = { .name = "second", .link = FRAME_ETHERNET };
	struct buf more = { 0 }, first, second;
	struct capture_file f;
	size_t kept;

	open_file(&f, &opts);
	ck_assert_int_eq(write_packets(&f, 0, 1, &kept), 0);
	capfile_put_iface(&more, &iface, NULL);
	ck_assert_int_eq(capture_file_add_header(&f, more.data, more.len), 0);
	ck_assert_int_eq(write_packets(&f, 1, 1, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(check_file("x", 0), 1);
	ck_assert_uint_eq(check_file("x1", 1), 1);
	first = temp_dir_read("x");
	second = temp_dir_read("x1");
	ck_assert_uint_eq(first.len, second.len);
	ck_assert_ptr_nonnull(memmem(first.data, first.len, more.data, more.len));
	ck_assert_mem_eq(second.data + header_size(true), more.data, more.len);
	buf_free(&first);
	buf_free(&second);
	buf_free(&more);
}
END_TEST

static void append_trailer(struct buf *b, void *arg)
{
	const struct capfile_stats stats = { .received = ++*(uint64_t *)arg };

	capfile_put_stats(b, 0, &stats);
}

/* Every file ends with a trailer. */
START_TEST(appends_trailers)
{
	uint64_t trailers = 0;
	const struct capture_file_opts opts = { .name = "x",
						.max_bytes = 1,
						.pcapng = true,
						.append_trailer = append_trailer,
						.arg = &trailers };
	struct capture_file f;
	struct buf b;
	size_t kept;

	open_file(&f, &opts);
	ck_assert_int_eq(write_packets(&f, 0, 2, &kept), 0);
	ck_assert_uint_eq(trailers, 1);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(trailers, 2);
	ck_assert_uint_eq(check_file("x1", 1), 1);
	b = temp_dir_read("x1");
	ck_assert_uint_gt(b.len, header_size(true) + block_size(true));
	buf_free(&b);
}
END_TEST

/* The disk gets full at every byte of some packets. The file stays valid, and `kept` counts its
 * packets. */
START_TEST(full_disk_leaves_a_valid_file)
{
	const bool pcapng = _i & 1;
	const size_t head = header_size(pcapng), block = block_size(pcapng);
	const struct capture_file_opts opts = { .name = "x", .pcapng = pcapng };
	uint64_t trailers = 0;
	struct buf packets = make_packets(pcapng, 0, 4), file;

	signal(SIGXFSZ, SIG_IGN);
	for (size_t room = 0; room < packets.len; room += UNIT_STRIDE) {
		struct rlimit limit = { head + room, RLIM_INFINITY };
		struct capture_file f;
		size_t kept = 0;

		open_file(&f, &opts);
		f.opts.append_trailer = append_trailer;
		f.opts.arg = &trailers;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		capture_stderr_begin(STDERR_FILENO);
		ck_assert_int_eq(capture_file_write(&f, packets.data, packets.len, &kept), -EFBIG);
		capture_stderr_end(STDERR_FILENO);
		ck_assert_msg(strstr(captured, "x: no space left"), "%s", captured);
		ck_assert_uint_eq(kept, room / block * block);
		ck_assert_uint_eq(
			capture_file_count_packets(&f, packets.data + kept, packets.len - kept),
			4 - room / block);
		/* nothing more is written, not even a trailer */
		ck_assert_int_eq(capture_file_close(&f), 0);
		ck_assert_uint_eq(trailers, 0);
		limit.rlim_cur = RLIM_INFINITY;
		ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
		file = temp_dir_read("x");
		ck_assert_uint_eq(file.len, head + kept);
		buf_free(&file);
		ck_assert_uint_eq(check_file("x", 0), room / block);
	}
	buf_free(&packets);
}
END_TEST

/* A disk too full for the header is an error at once. */
START_TEST(full_disk_fails_the_header)
{
	const struct capture_file_opts opts = { .name = "x", .pcapng = true };
	struct rlimit limit = { 4, RLIM_INFINITY };
	struct buf header = make_header(true);
	struct capture_file f;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(capture_file_open(&f, &opts), 0);
	ck_assert_int_eq(capture_file_begin(&f), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	capture_stderr_begin(STDERR_FILENO);
	ck_assert_int_eq(capture_file_add_header(&f, header.data, header.len), -EFBIG);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_int_eq(capture_file_close(&f), 0);
	buf_free(&header);
}
END_TEST

/* Full chunks bypass the page cache and others do not: the file has all packets in order, and only
 * padding besides. */
START_TEST(writes_chunks)
{
	const struct capture_file_opts opts = { .name = "x", .pcapng = true };
	struct buf packets = make_packets(true, 0, MANY);
	const size_t half = packets.len / 2;
	uint8_t *chunk;
	struct capture_file f;
	size_t kept = 0;

	ck_assert_int_eq(posix_memalign((void **)&chunk, 4096, half + PACKET_BUF_ROOM), 0);
	open_file(&f, &opts);
	memcpy(chunk, packets.data, half);
	ck_assert_int_eq(capture_file_write_chunk(&f, chunk, half, &kept), 0);
	ck_assert_uint_eq(kept, half);
	memcpy(chunk, packets.data + half, half);
	ck_assert_int_eq(capture_file_write_chunk(&f, chunk, half, &kept), 0);
	ck_assert_uint_eq(kept, 2 * half);
	ck_assert_int_eq(write_packets(&f, MANY, 1, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(check_file("x", 0), MANY + 1);
	free(chunk);
	buf_free(&packets);
}
END_TEST

/* A block of at least 12 bytes pads to the page size. */
START_TEST(pads_chunks)
{
	enum { PAGE = 4096, CHUNKS = 3 };
	static const uint8_t zeros[PAGE];
	const struct capture_file_opts opts = { .name = "x", .pcapng = true };
	const size_t gap = (size_t)_i * 4, len = PAGE - gap;
	const uint32_t caplen = (uint32_t)(len - (block_size(true) - PAYLOAD));
	const struct frame frame = {
		.data = zeros, .caplen = caplen, .len = caplen, .link = FRAME_ETHERNET
	};
	struct buf packet = { 0 }, b;
	struct capfile c = { 0 };
	struct capture_file f;
	uint8_t *chunk;
	size_t kept = 0;
	uint32_t n = 0;

	capfile_put_packet(&packet, &frame);
	ck_assert_uint_eq(packet.len, len);
	ck_assert_int_eq(posix_memalign((void **)&chunk, PAGE, len + PACKET_BUF_ROOM), 0);
	open_file(&f, &opts);
	for (int i = 0; i < CHUNKS; i++) {
		memcpy(chunk, packet.data, len);
		ck_assert_int_eq(capture_file_write_chunk(&f, chunk, len, &kept), 0);
	}
	ck_assert_uint_eq(kept, CHUNKS * len);
	ck_assert_int_eq(capture_file_close(&f), 0);
	b = temp_dir_read("x");
	ck_assert_int_eq(capfile_feed(&c, b.data, b.len, count_frame, &n), 0);
	ck_assert_int_eq(capfile_end(&c), 0);
	ck_assert_uint_eq(n, CHUNKS);
	capfile_close(&c);
	buf_free(&b);
	buf_free(&packet);
	free(chunk);
}
END_TEST

/* A chunk that does not fit into the file is split as other packets are. */
START_TEST(rotates_chunks)
{
	const uint64_t max = header_size(true) + 4 * block_size(true);
	const struct capture_file_opts opts = { .name = "x", .max_bytes = max, .pcapng = true };
	struct buf packets = make_packets(true, 0, 8);
	uint8_t *chunk;
	struct capture_file f;
	size_t kept = 0;

	ck_assert_int_eq(posix_memalign((void **)&chunk, 4096, packets.len + PACKET_BUF_ROOM), 0);
	memcpy(chunk, packets.data, packets.len);
	open_file(&f, &opts);
	ck_assert_int_eq(capture_file_write_chunk(&f, chunk, packets.len, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(kept, packets.len);
	ck_assert_uint_eq(check_file("x", 0), 4);
	ck_assert_uint_eq(check_file("x1", 4), 4);
	free(chunk);
	buf_free(&packets);
}
END_TEST

/* Options that conflict, and invalid names. */
START_TEST(refuses_options)
{
	static char long_name[PATH_MAX + 1];
	const struct {
		struct capture_file_opts opts;
		int rc;
		const char *message;
	} cases[] = {
		{ { .name = "-", .max_bytes = 1 }, -E_USAGE, "-C and -G need a file name" },
		{ { .name = "-", .interval_ns = 1 }, -E_USAGE, "-C and -G need a file name" },
		{ { .name = "", .interval_ns = 1 }, -E_USAGE, "file name" },
		{ { .name = "missing/x" }, -ENOENT, "missing/x" },
		{ { .name = long_name, .max_bytes = 1, .max_files = 2 },
		  -ENAMETOOLONG,
		  "too long" },
	};
	struct capture_file f;
	int rc;

	memset(long_name, 'x', PATH_MAX);
	capture_stderr_begin(STDERR_FILENO);
	rc = capture_file_open(&f, &cases[_i].opts);
	if (!rc)
		rc = capture_file_begin(&f);
	capture_stderr_end(STDERR_FILENO);
	ck_assert_int_eq(rc, cases[_i].rc);
	ck_assert_msg(strstr(captured, cases[_i].message), "%s", captured);
	ck_assert_int_eq(capture_file_close(&f), 0);
}
END_TEST

/* An existing file is overwritten only when capturing starts. */
START_TEST(keeps_old_file_until_begin)
{
	const struct capture_file_opts opts = { .name = "x", .pcapng = true };
	struct capture_file f;
	struct buf b;
	size_t kept;

	open_file(&f, &opts);
	ck_assert_int_eq(write_packets(&f, 0, 2, &kept), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_int_eq(capture_file_open(&f, &opts), 0);
	ck_assert_uint_eq(check_file("x", 0), 2);
	ck_assert_int_eq(capture_file_close(&f), 0);
	ck_assert_uint_eq(check_file("x", 0), 2);
	ck_assert_int_eq(capture_file_open(&f, &opts), 0);
	ck_assert_int_eq(capture_file_begin(&f), 0);
	ck_assert_int_eq(capture_file_close(&f), 0);
	b = temp_dir_read("x");
	ck_assert_uint_eq(b.len, 0);
	buf_free(&b);
}
END_TEST

Suite *capture_file_suite(void)
{
	Suite *s = suite_create("capture_file");
	TCase *t = tcase_create("files");

	tcase_add_checked_fixture(t, temp_dir_enter, temp_dir_leave);
	tcase_add_loop_test(t, rotates_by_size, 0, 2);
	tcase_add_loop_test(t, exceeds_by_one_packet, 0, 6);
	tcase_add_loop_test(t, overwrites_oldest, 0, 4);
	tcase_add_test(t, rotates_by_time);
	tcase_add_test(t, numbers_files_of_the_same_time);
	tcase_add_test(t, adds_headers);
	tcase_add_test(t, appends_trailers);
	tcase_add_loop_test(t, full_disk_leaves_a_valid_file, 0, 2);
	tcase_add_test(t, full_disk_fails_the_header);
	tcase_add_test(t, writes_chunks);
	tcase_add_loop_test(t, pads_chunks, 0, 5);
	tcase_add_test(t, rotates_chunks);
	tcase_add_loop_test(t, refuses_options, 0, 5);
	tcase_add_test(t, keeps_old_file_until_begin);
	suite_add_tcase(s, t);
	return s;
}
