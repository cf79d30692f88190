// SPDX-License-Identifier: MIT
/* Compresses all programs of an object as one block, since they have much in common. */
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

#include "gen/gen.h"
#include "gen/read.h"

static void put_number(uint8_t *at, uint32_t value, int bytes, bool big)
{
	for (int i = 0; i < bytes; i++)
		at[big ? bytes - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

/* Writes an instruction as in the target's memory. The order of the register bit-fields depends on
 * the byte order. */
static void put_insn(uint8_t *at, const struct bpf_insn *in, bool big)
{
	at[0] = in->code;
	at[1] = big ? in->dst_reg << 4 | in->src_reg : in->src_reg << 4 | in->dst_reg;
	put_number(at + 2, (uint16_t)in->off, 2, big);
	put_number(at + 4, (uint32_t)in->imm, 4, big);
}

static uint8_t *make_plain_code(const struct gen_obj *obj)
{
	uint8_t *plain = malloc((size_t)obj->spec.ninsns * INSN_SIZE), *at = plain;

	for (uint32_t i = 0; plain && i < obj->spec.nprogs; i++)
		for (uint32_t k = 0; k < obj->spec.progs[i].ninsns; k++, at += INSN_SIZE)
			put_insn(at, &obj->layouts[i].insns[k], obj->big);
	return plain;
}

/* A stream (obj/streams.h), with room for its bytes of all instructions. */
struct stream {
	uint8_t *at;
	uint32_t len;
};

static void append_number(struct stream *f, int32_t value, int bytes)
{
	put_number(f->at + f->len, (uint32_t)value, bytes, false);
	f->len += bytes;
}

static void append_short(struct stream *f, int32_t value, int bytes)
{
	if (value > STREAM_WIDE && value <= INT8_MAX) {
		append_number(f, value, 1);
		return;
	}
	append_number(f, STREAM_WIDE, 1);
	append_number(f, value, bytes);
}

static void split_insn(struct stream f[STREAMS], const struct bpf_insn *in)
{
	append_number(&f[STREAM_OPS], in->code, 1);
	append_number(&f[STREAM_OPS], in->src_reg << 4 | in->dst_reg, 1);
	if (stream_has_jump(in->code))
		append_number(&f[STREAM_JUMPS], in->off, 2);
	else if (stream_has_off(in->code))
		append_short(&f[STREAM_OFFS], in->off, 2);
	if (stream_has_imm(in->code))
		append_short(&f[STREAM_IMMS], in->imm, 4);
}

/* Concatenates the streams of all programs, and checks them by rebuilding the instructions. NULL:
 * no memory, or the check failed. The caller frees them. */
static uint8_t *make_streams(const struct gen_obj *obj, uint32_t lens[STREAMS], uint32_t *len)
{
	enum { INSN_STREAM_MAX = 5 }; /* the most bytes of an instruction in one stream */
	uint32_t n = obj->spec.ninsns, k = 0;
	uint8_t *room = malloc((size_t)n * INSN_STREAM_MAX * STREAMS),
		*joined = malloc((size_t)n * 12);
	struct bpf_insn *insns = calloc(n, sizeof(*insns)),
			*rejoined = calloc(n, sizeof(*rejoined));
	struct stream f[STREAMS];
	bool is_same = room && joined && insns && rejoined;

	for (int i = 0; i < STREAMS; i++)
		f[i] = (struct stream){ .at = room + (size_t)n * INSN_STREAM_MAX * i };
	for (uint32_t i = 0; is_same && i < obj->spec.nprogs; k += obj->spec.progs[i++].ninsns)
		memcpy(insns + k, obj->layouts[i].insns,
		       obj->spec.progs[i].ninsns * sizeof(*insns));
	for (uint32_t i = 0; is_same && i < n; i++)
		split_insn(f, &insns[i]);
	*len = 0;
	for (int i = 0; is_same && i < STREAMS; i++) {
		memcpy(joined + *len, f[i].at, f[i].len);
		lens[i] = f[i].len;
		*len += f[i].len;
	}
	is_same = is_same && !streams_join(joined, lens, rejoined, n) &&
		  !memcmp(insns, rejoined, n * sizeof(*insns));
	free(room);
	free(insns);
	free(rejoined);
	if (!is_same) {
		free(joined);
		return NULL;
	}
	return joined;
}

uint8_t *gen_pack(const struct gen_obj *obj, uint32_t *len, uint32_t streams[STREAMS])
{
	uint32_t size = obj->spec.ninsns * INSN_SIZE, all = 0;
	uint8_t *joined = make_streams(obj, streams, &all), *packed;
	int room = LZ4_compressBound(all), n = 0;

	packed = malloc(room);
	if (joined && packed)
		n = LZ4_compress_HC((const char *)joined, (char *)packed, all, room,
				    LZ4HC_CLEVEL_MAX);
	free(joined);
	if (n > 0 && (uint32_t)n < size) {
		*len = n;
		return packed;
	}
	free(packed);
	*len = size;
	return make_plain_code(obj);
}
