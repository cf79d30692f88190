/* SPDX-License-Identifier: MIT */
#include "obj/streams.h"
#include <errno.h>

/* The unread rest of a stream. */
struct stream {
	const uint8_t *at, *end;
	bool bad; /* it was too short */
};

/* Reads a signed little-endian number of 1 to 4 bytes. */
static int32_t take_int(struct stream *s, int bytes)
{
	uint32_t n = 0;

	if (s->end - s->at < bytes) {
		s->bad = true;
		return 0;
	}
	for (int i = 0; i < bytes; i++)
		n |= (uint32_t)*s->at++ << 8 * (4 - bytes + i);
	return (int32_t)n >> 8 * (4 - bytes);
}

static int32_t take_packed(struct stream *s, int bytes)
{
	int32_t n = take_int(s, 1);

	return n == STREAM_WIDE ? take_int(s, bytes) : n;
}

int streams_join(const uint8_t *at, const uint32_t lens[STREAMS], struct bpf_insn *insns,
		 uint32_t n)
{
	struct stream s[STREAMS];
	bool bad = false;

	for (int i = 0; i < STREAMS; at = s[i++].end)
		s[i] = (struct stream){ .at = at, .end = at + lens[i] };
	for (uint32_t i = 0; i < n; i++) {
		uint8_t code = (uint8_t)take_int(&s[STREAM_OPS], 1);
		uint8_t regs = (uint8_t)take_int(&s[STREAM_OPS], 1);
		struct bpf_insn insn = { .code = code, .dst_reg = regs & 15, .src_reg = regs >> 4 };

		if (stream_has_jump(code))
			insn.off = (int16_t)take_int(&s[STREAM_JUMPS], 2);
		else if (stream_has_off(code))
			insn.off = (int16_t)take_packed(&s[STREAM_OFFS], 2);
		if (stream_has_imm(code))
			insn.imm = take_packed(&s[STREAM_IMMS], 4);
		insns[i] = insn;
	}
	for (int i = 0; i < STREAMS; i++)
		bad |= s[i].bad || s[i].at != s[i].end;
	return bad ? -EBADMSG : 0;
}
