/* SPDX-License-Identifier: MIT */
/* Measures formatting packets of a file as text: CPU time per line, without a program's start. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"
#include "net/capfile/capfile.h"
#include "tests/bench/capture.h"
#include "tests/bench/run.h"

enum { PACKETS = 200000, SIZE = 64, SNAPLEN = 262144, ARGS = 8 };
#define LINES "tests/data/lines/"

static struct reader {
	const char *name;
	const char *argv[ARGS]; /* the last one is replaced by the file's path */
	unsigned int packets;   /* number of packets it reads: fewer for the slow one */
	double goal;            /* limit for sonde's time relative to its time */
	struct series ns;
	bool missing;
} readers[] = {
	{ "tcpdump", { "tcpdump", "-n", "-c", "200000", "-r", "FILE" }, PACKETS, 0.333, { 0 }, 0 },
	{ "tshark", { "tshark", "-n", "-c", "40000", "-r", "FILE" }, 40000, 0.1, { 0 }, 0 },
	{ "sonde", { "", "capture", "-n", "-c", "200000", "-r", "FILE" }, PACKETS, 0, { 0 }, 0 },
};
enum { TCPDUMP, TSHARK, SONDE, READERS };

/* A capture file that is being made. */
struct packet_file {
	struct buf b;
	unsigned int packets;
};

static int add_packet(const struct frame *frame, void *arg)
{
	struct packet_file *out = arg;

	capfile_put_record(&out->b, frame, false);
	out->packets++;
	return 0;
}

static int make_udp(struct packet_file *out)
{
	uint8_t data[SIZE];
	struct frame f = { .data = data, .caplen = SIZE, .len = SIZE };

	wire_make_frame(data, SIZE);
	for (unsigned int i = 0; i < PACKETS; i++) {
		data[34] = (uint8_t)(0x40 | (i >> 8 & 0x3f)); /* the source port */
		data[35] = (uint8_t)i;
		f.time_ns = UINT64_C(1700000000000000000) + i * UINT64_C(1000);
		add_packet(&f, out);
	}
	return 0;
}

static int add_file(struct packet_file *out, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	static char chunk[1 << 16];
	struct capfile in = { 0 };
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (!rc && (n = read(fd, chunk, sizeof(chunk))) > 0)
		rc = capfile_feed(&in, chunk, (size_t)n, add_packet, out);
	capfile_close(&in);
	close(fd);
	return rc;
}

/* Repeats the packets of the line tests. About half of them are plain TCP and DNS. */
static int make_mixed(struct packet_file *out)
{
	static const char *const common[] = { LINES "bench-tcp.pcap", LINES "bench-dns.pcap" };
	static const char *const others[] = { LINES "tcps.pcap", LINES "udps.pcap",
					      LINES "dnss.pcap", LINES "icmps.pcap",
					      LINES "ips.pcap" };
	struct packet_file one = { 0 };
	int rc = 0;

	for (int i = 0; i < 150 && !rc; i++)
		rc = add_file(&one, common[i % 3 == 2]);
	for (size_t i = 0; i < ARRAY_LEN(others) && !rc; i++)
		rc = add_file(&one, others[i]);
	while (!rc && out->packets < PACKETS) {
		buf_add(&out->b, one.b.data, one.b.len);
		out->packets += one.packets;
	}
	buf_free(&one.b);
	return rc;
}

static int make_empty(struct packet_file *out)
{
	(void)out;
	return 0;
}

enum { EMPTY, FLOOD, MIXED, FILES };
static const struct input {
	const char *file, *title;
	const char *goals[READERS];
	int (*make)(struct packet_file *out);
} inputs[FILES] = {
	[EMPTY] = { "empty.pcap", NULL, { NULL }, make_empty },
	[FLOOD] = { "flood.pcap",
		    "64-byte UDP",
		    { "text, 64-byte UDP: CPU time relative to tcpdump -n",
		      "text, 64-byte UDP: CPU time relative to tshark -n", NULL },
		    make_udp },
	[MIXED] = { "mixed.pcap",
		    "a mix, half of it TCP and DNS",
		    { "text, a mix: CPU time relative to tcpdump -n",
		      "text, a mix: CPU time relative to tshark -n", NULL },
		    make_mixed },
};

static int write_input(const struct input *in, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), rc;
	struct packet_file out = { 0 };

	if (fd < 0)
		return fail_errno(-errno, "%s", path);
	capfile_put_pcap(&out.b, FRAME_ETHERNET, SNAPLEN, false);
	rc = in->make(&out);
	if (rc)
		fail_errno(rc, "cannot read %s for %s (run it in the source directory)", LINES,
			   path);
	else if ((rc = buf_write(&out.b, fd)))
		fail_errno(rc, "%s", path);
	buf_free(&out.b);
	close(fd);
	return rc;
}

static int run_reader(struct reader *r, const char *path, double *cpu_ns)
{
	struct run run;
	int at = 0, rc;

	while (r->argv[at + 1])
		at++;
	r->argv[at] = path;
	rc = run_program(r->argv, false, &run);
	*cpu_ns = run.cpu_ms * 1e6;
	return rc;
}

static int measure_readers(const struct bench *b, char paths[FILES][4096], int file)
{
	int rc = 0;

	for (int i = 0; i < READERS; i++)
		readers[i].ns = (struct series){ 0 };
	for (unsigned int round = 0; round < b->opts.rounds && !rc; round++)
		for (int i = 0; i < READERS && !rc; i++) {
			struct reader *r = &readers[i];
			double start_ns = 0, all_ns = 0;

			if (!bench_is_selected(b->opts.contenders, r->name) || r->missing)
				continue;
			rc = run_reader(r, paths[EMPTY], &start_ns);
			if (!rc)
				rc = run_reader(r, paths[file], &all_ns);
			if (!rc)
				series_add(&r->ns, (all_ns - start_ns) / r->packets);
		}
	return rc;
}

static void print_readers(const struct input *in)
{
	double sonde_ns = series_median(&readers[SONDE].ns);

	printf("As text, -n, %s\n  %-14s %9s %9s %9s %8s\n", in->title, "", "CPU ns", "min", "p90",
	       "ratio");
	for (int i = 0; i < READERS; i++) {
		struct spread s = series_spread(&readers[i].ns);
		double first = series_median(&readers[TCPDUMP].ns);
		struct goal goal = { in->goals[i], GOAL_AT_MOST, readers[i].goal, "x" };

		if (i != SONDE)
			goals_add(&goal, "sonde", sonde_ns > 0 && s.median > 0,
				  sonde_ns / s.median);
		if (readers[i].ns.n)
			printf("  %-14s %9.1f %9.1f %9.1f %7.2fx\n", readers[i].name, s.median,
			       s.min, s.p90, first > 0 ? s.median / first : 0);
	}
	printf("\n");
}

int capture_text(struct bench *b)
{
	static char paths[FILES][4096];
	int rc = 0;

	/* Otherwise some C libraries look for the time zone's file for each line. */
	setenv("TZ", "UTC", 0);
	readers[SONDE].argv[0] = b->opts.sonde;
	for (int i = 0; i < READERS; i++)
		readers[i].missing = !run_in_path(readers[i].argv[0]);
	for (int i = 0; i < FILES && !rc; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", b->opts.dir, inputs[i].file);
		rc = write_input(&inputs[i], paths[i]);
	}
	for (int i = FLOOD; i < FILES && !rc; i++) {
		rc = measure_readers(b, paths, i);
		if (!rc)
			print_readers(&inputs[i]);
	}
	for (int i = 0; i < FILES; i++)
		if (*paths[i])
			unlink(paths[i]);
	return rc;
}
