/* SPDX-License-Identifier: MIT */
/* Capture times across steps of the clock, on a machine of its own. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"
#include "tests/net/file.h"
#include "tests/net/net.h"

enum { PACKETS = 20, STEPS = 3, LEN = 100 };

static struct sonde a;

/* When the packets between two steps were sent, by the clock of that time. */
struct span {
	uint64_t from, to;
};
struct spans {
	struct span at[STEPS];
	unsigned int n; /* packets so far */
};

/* Steps the clock forward or back. */
static void step_clock(int64_t seconds)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += (time_t)seconds;
	CHECK(!clock_settime(CLOCK_REALTIME, &ts), "cannot set the clock: %s", strerror(errno));
}

static void expect_span(const struct frame *f, const struct capfile_iface *i, void *arg)
{
	struct spans *s = arg;
	const struct span *span = &s->at[s->n / PACKETS];

	(void)i;
	CHECK(s->n < STEPS * PACKETS, "more packets than sent");
	CHECK(f->time_ns >= span->from && f->time_ns <= span->to,
	      "packet %u at %llu, expected %llu to %llu", s->n, (unsigned long long)f->time_ns,
	      (unsigned long long)span->from, (unsigned long long)span->to);
	s->n++;
}

/* Each packet has the clock's time: an hour ahead, and two hours back. Packets in flight while the
 * clock is set may have either. */
TEST(live_clock_step, "live_clock_step", TEST_ROOT | TEST_MACHINE, 60)
{
	static const int64_t steps[STEPS] = { 0, 3600, -7200 };
	const char *path = file_path("clock.pcapng");
	struct spans spans = { .n = 0 };
	struct lab lab = { 0 };

	lab_ready(&lab);
	SONDE_START(&a, "capture", "-i", "sonde0", "-Q", "out", "-w", path, "udp");
	sonde_await_err(&a, "out: ");
	for (int i = 0; i < STEPS; i++) {
		step_clock(steps[i]);
		nap_ms(500 * test_slow()); /* the kernel notifies sonde of the step */
		spans.at[i].from = clock_real();
		CHECK(!lab_udp(&lab, AF_INET, PACKETS, LEN, false), "cannot send");
		spans.at[i].to = clock_real();
	}
	step_clock(3600);
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(file_read(path, expect_span, &spans) == STEPS * PACKETS, "%s", a.err);
	expect_clean(&lab);
}
