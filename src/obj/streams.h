/* SPDX-License-Identifier: MIT */
/* Instructions split into streams of similar numbers, without those that are 0 for all instructions
 * of a kind. They compress a quarter better than whole instructions. gen splits them, obj joins
 * them. */
#ifndef OBJ_STREAMS_H
#define OBJ_STREAMS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One stream follows the other, in this order. All numbers are little-endian. */
enum {
	STREAM_OPS, /* of each instruction: its code and its registers (source in the upper half) */
	STREAM_OFFS,  /* of memory accesses: a signed byte, or STREAM_WIDE and two bytes */
	STREAM_JUMPS, /* of jumps: two bytes */
	STREAM_IMMS,  /* a signed byte, or STREAM_WIDE and four bytes */
	STREAMS
};
#define STREAM_WIDE INT8_MIN

/* Which streams an instruction with this code has a number in (BPF Instruction Set Architecture,
 * RFC 9669). */
static inline bool stream_has_jump(uint8_t code)
{
	uint8_t class = BPF_CLASS(code);

	return (class == BPF_JMP || class == BPF_JMP32) && BPF_OP(code) != BPF_CALL &&
	       BPF_OP(code) != BPF_EXIT;
}
static inline bool stream_has_off(uint8_t code)
{
	uint8_t class = BPF_CLASS(code);

	return class == BPF_LDX || class == BPF_ST || class == BPF_STX;
}
static inline bool stream_has_imm(uint8_t code)
{
	switch (BPF_CLASS(code)) {
	case BPF_LDX:
		return false;
	case BPF_STX:
		return BPF_MODE(code) == BPF_ATOMIC;
	case BPF_LD:
	case BPF_ST:
		return true;
	case BPF_JMP:
	case BPF_JMP32:
		return BPF_SRC(code) == BPF_K && BPF_OP(code) != BPF_EXIT && BPF_OP(code) != BPF_JA;
	default:
		return BPF_SRC(code) == BPF_K || BPF_OP(code) == BPF_END;
	}
}

/* Joins the streams into n instructions. lens: bytes of each stream. Returns 0, or -EBADMSG if a
 * stream is too short or too long. */
int streams_join(const uint8_t *at, const uint32_t lens[STREAMS], struct bpf_insn *insns,
		 uint32_t n);

#endif
