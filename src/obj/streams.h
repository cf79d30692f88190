/* SPDX-License-Identifier: MIT */
/* Instructions taken apart into streams of like numbers, without those that are 0 for all of a
 * kind: they pack a quarter better than whole ones. What gen takes apart, obj puts together. */
#ifndef OBJ_STREAMS_H
#define OBJ_STREAMS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One behind the other, in this order. Numbers are little-endian wherever they are. */
enum {
	STREAM_OPS,   /* of each: its code, its registers (the source's in the upper half) */
	STREAM_OFFS,  /* of memory accesses: a signed byte, or STREAM_WIDE and two bytes */
	STREAM_JUMPS, /* of jumps: two bytes */
	STREAM_IMMS,  /* a signed byte, or STREAM_WIDE and four bytes */
	STREAMS
};
#define STREAM_WIDE INT8_MIN

/* Which of them an instruction with this code has a part in (BPF's standardization documents,
 * "Instruction encoding"). */
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

/* Put n instructions together; lens: of each stream, in bytes. 0, or -EBADMSG if there is too
 * little or too much in one. */
int streams_join(const uint8_t *at, const uint32_t lens[STREAMS], struct bpf_insn *insns,
		 uint32_t n);

#endif
