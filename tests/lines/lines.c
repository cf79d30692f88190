/* SPDX-License-Identifier: MIT */
/* Prints the packets of a pcap file as lines: lines [-nevqStxXAN] [-b ROUNDS] FILE. With -b,
 * dissects each frame that many times and prints the time. For oracle.sh and the benchmark. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "net/dissect/dissect.h"
#include "tests/lines/pcap.h"

static struct dissect_state state;
static struct buf out;

enum { FLUSH = 1 << 16 };

static uint64_t read_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int flush_output(void)
{
	int err = out.nomem ? -1 : buf_write(&out, 1);

	buf_clear(&out);
	return err;
}

static int print_lines(struct pcap_file *p, const struct dissect_opts *o)
{
	struct frame f;
	int err = 0;

	while (!err && pcap_next(p, &f)) {
		dissect_line(&out, &f, o, &state);
		if (out.len >= FLUSH)
			err = flush_output();
	}
	return err ? err : flush_output();
}

/* Measures each frame separately, so that each kind has its own result. */
static void measure_frames(struct pcap_file *p, const struct dissect_opts *o, unsigned long rounds)
{
	struct frame f;

	while (pcap_next(p, &f)) {
		uint64_t start = read_cpu_ns();

		for (unsigned long i = 0; i < rounds; i++) {
			f.time_ns += 1000;
			buf_clear(&out);
			dissect_line(&out, &f, o, &state);
		}
		printf("%7.1f ns  %.*s", (double)(read_cpu_ns() - start) / (double)rounds,
		       (int)out.len, out.data);
	}
}

int main(int argc, char **argv)
{
	struct dissect_opts o = { 0 };
	unsigned long rounds = 0;
	struct pcap_file p;
	int c, err = 0;

	while ((c = getopt(argc, argv, "nevqStxXANb:")) != -1) {
		o.numeric |= c == 'n';
		o.link |= c == 'e';
		o.verbose += c == 'v';
		o.quiet |= c == 'q';
		o.absolute |= c == 'S';
		o.time += c == 't';
		o.nanos |= c == 'N';
		if (c == 'x' || c == 'X' || c == 'A') {
			o.dump_link = o.dump != DISSECT_NO_DUMP;
			o.dump = c == 'x'   ? DISSECT_HEX
				 : c == 'X' ? DISSECT_HEX_ASCII
					    : DISSECT_ASCII;
		}
		if (c == 'b')
			rounds = strtoul(optarg, NULL, 10);
		if (c == '?')
			return 2;
	}
	if (optind != argc - 1 || !pcap_load(&p, argv[optind])) {
		fprintf(stderr, "usage: lines [-nevqStxXAN] [-b ROUNDS] FILE.pcap\n");
		return 2;
	}
	if (rounds)
		measure_frames(&p, &o, rounds);
	else
		err = print_lines(&p, &o);
	free(p.data);
	buf_free(&out);
	return err != 0;
}
