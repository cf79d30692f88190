/* SPDX-License-Identifier: MIT */
/* Any frames as text: each line ends once, is bounded and has no control characters. The same
 * frames give the same text. No byte past the captured ones is read. */
#include "base/array.h"
#include "tests/fuzz/fuzz.h"
#include <stdbool.h>
#include <stddef.h>
#include "net/dissect/dissect.h"

enum { FRAMES_MAX = 16, FRAME_MAX = 4096 };

static struct dissect_state states[2];

static const uint16_t links[] = {
	FRAME_ETHERNET, FRAME_ETHERNET, FRAME_RAW_IP, FRAME_LINUX_SLL, FRAME_LINUX_SLL2,
	FRAME_IPV4,     FRAME_IPV6,     FRAME_NULL,   FRAME_LOOP,      9999
};

/* One line, optionally followed by a dump whose lines start with a tab. */
static void check_text(const struct buf *b, bool dump)
{
	const char *end = memchr(b->data, '\n', b->len);

	MUST(!b->nomem && end && end - b->data < DISSECT_LINE_MAX);
	MUST(dump || end == b->data + b->len - 1);
	MUST(b->data[b->len - 1] == '\n');
	for (size_t i = 0; i < b->len; i++) {
		uint8_t c = (uint8_t)b->data[i];

		MUST(c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f));
		if (b->data + i <= end)
			MUST(c != '\t');
		else if (b->data[i - 1] == '\n')
			MUST(c == '\t');
	}
}

static void set_opts(struct dissect_opts *o, struct feed *f)
{
	static const char *const names[] = { "eth0", "a\nb" };
	uint8_t a = feed_u8(f), b = feed_u8(f);

	*o = (struct dissect_opts){
		.time = a % 6,
		.verbose = (a >> 3) % 4,
		.numeric = a & 0x20,
		.link = a & 0x40,
		.quiet = (a & 0x98) == 0x98,
		.nanos = b & 1,
		.dump = (b >> 1) % 4,
		.dump_link = b & 8,
		.absolute = b & 0x10,
		.utc_offset = ((b >> 5) - 4) * 3600,
		.ifaces = b & 0x10 ? names : NULL,
		.ifaces_n = 2,
	};
}

/* Both states have seen the same frames, so both lines are the same. */
static void check_frame(struct frame *f, const struct dissect_opts *o)
{
	struct buf one = { 0 }, two = { 0 };
	uint8_t *own = malloc(f->caplen ? f->caplen : 1);

	MUST(own);
	if (f->caplen)
		memcpy(own, f->data, f->caplen);
	f->data = own; /* allocated exactly, so that the sanitizer detects reads past it */
	dissect_line(&one, f, o, &states[0]);
	dissect_line(&two, f, o, &states[1]);
	check_text(&one, o->dump);
	MUST(one.len == two.len && !memcmp(one.data, two.data, one.len));
	buf_free(&one);
	buf_free(&two);
	free(own);
}

/* Most of the state is connections, used by TCP only. */
static void reset_state(struct dissect_state *s)
{
	memset(s, 0, s->uses ? sizeof(*s) : offsetof(struct dissect_state, conn));
}

/* An input is options, a link type, frames: two bytes of length, one of metadata, data. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	struct dissect_opts o;
	uint8_t link;

	set_opts(&o, &f);
	link = feed_u8(&f);
	for (int i = 0; i < 2; i++)
		reset_state(&states[i]);
	for (int i = 0; f.left && i < FRAMES_MAX; i++) {
		uint32_t len = (uint32_t)feed_u8(&f) << 8, what;
		struct frame frame = { .link = links[link % (ARRAY_LEN(links))] };

		len |= feed_u8(&f);
		what = feed_u8(&f);
		len = len > FRAME_MAX ? FRAME_MAX : len;
		frame.len = len + (what & 0x80 ? 1000 : 0);
		frame.data = f.at;
		frame.caplen = (uint32_t)(f.left < len ? f.left : len);
		frame.time_ns = UINT64_C(1700000000123456789) + (uint64_t)i * (what << 20);
		frame.dir = what & 3;
		frame.verdict = what >> 2 & 3;
		frame.pid = what & 0x10 ? 1234 : 0;
		memcpy(frame.comm, "a\x1b[31m\nb", what & 0x20 ? 8 : 0);
		frame.iface = what >> 6 & 3;
		f.at += frame.caplen;
		f.left -= frame.caplen;
		check_frame(&frame, &o);
	}
	return 0;
}
