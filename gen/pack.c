// SPDX-License-Identifier: MIT
/* All programs of an object as one packed block: they repeat each other. */
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

#include "gen/gen.h"
#include "gen/read.h"

static void put(uint8_t *at, uint32_t value, int bytes, bool big)
{
	for (int i = 0; i < bytes; i++)
		at[big ? bytes - 1 - i : i] = (uint8_t)(value >> 8 * i);
}

/* As the target has it in memory, where its bit-fields follow its byte order. */
static void put_insn(uint8_t *at, const struct bpf_insn *in, bool big)
{
	at[0] = in->code;
	at[1] = big ? in->dst_reg << 4 | in->src_reg : in->src_reg << 4 | in->dst_reg;
	put(at + 2, (uint16_t)in->off, 2, big);
	put(at + 4, (uint32_t)in->imm, 4, big);
}

static uint8_t *plain_code(const struct gen_obj *obj)
{
	uint8_t *plain = malloc((size_t)obj->spec.ninsns * INSN_SIZE), *at = plain;

	for (uint32_t i = 0; plain && i < obj->spec.nprogs; i++)
		for (uint32_t k = 0; k < obj->spec.progs[i].ninsns; k++, at += INSN_SIZE)
			put_insn(at, &obj->layouts[i].insns[k], obj->big);
	return plain;
}

/* A stream being filled; it has room for what a whole program may put there. */
struct filled {
	uint8_t *at;
	uint32_t len;
};

static void add(struct filled *f, int32_t value, int bytes)
{
	put(f->at + f->len, (uint32_t)value, bytes, false);
	f->len += bytes;
}

static void add_short(struct filled *f, int32_t value, int bytes)
{
	if (value > STREAM_WIDE && value <= INT8_MAX) {
		add(f, value, 1);
		return;
	}
	add(f, STREAM_WIDE, 1);
	add(f, value, bytes);
}

static void take_apart(struct filled f[STREAMS], const struct bpf_insn *in)
{
	add(&f[STREAM_OPS], in->code, 1);
	add(&f[STREAM_OPS], in->src_reg << 4 | in->dst_reg, 1);
	if (stream_has_jump(in->code))
		add(&f[STREAM_JUMPS], in->off, 2);
	else if (stream_has_off(in->code))
		add_short(&f[STREAM_OFFS], in->off, 2);
	if (stream_has_imm(in->code))
		add_short(&f[STREAM_IMMS], in->imm, 4);
}

/* The streams one behind the other, and that they come to the same instructions; NULL: no memory,
 * or they do not. */
static uint8_t *streams_of(const struct gen_obj *obj, uint32_t lens[STREAMS], uint32_t *len)
{
	enum { MOST = 5 }; /* bytes of one instruction in one stream */
	uint32_t n = obj->spec.ninsns, k = 0;
	uint8_t *room = malloc((size_t)n * MOST * STREAMS), *whole = malloc((size_t)n * 12);
	struct bpf_insn *insns = calloc(n, sizeof(*insns)), *again = calloc(n, sizeof(*again));
	struct filled f[STREAMS];
	bool same = room && whole && insns && again;

	for (int i = 0; i < STREAMS; i++)
		f[i] = (struct filled){ .at = room + (size_t)n * MOST * i };
	for (uint32_t i = 0; same && i < obj->spec.nprogs; k += obj->spec.progs[i++].ninsns)
		memcpy(insns + k, obj->layouts[i].insns,
		       obj->spec.progs[i].ninsns * sizeof(*insns));
	for (uint32_t i = 0; same && i < n; i++)
		take_apart(f, &insns[i]);
	*len = 0;
	for (int i = 0; same && i < STREAMS; i++) {
		memcpy(whole + *len, f[i].at, f[i].len);
		lens[i] = f[i].len;
		*len += f[i].len;
	}
	same = same && !streams_join(whole, lens, again, n) &&
	       !memcmp(insns, again, n * sizeof(*insns));
	free(room);
	free(insns);
	free(again);
	if (!same) {
		free(whole);
		return NULL;
	}
	return whole;
}

uint8_t *gen_pack(const struct gen_obj *obj, uint32_t *len, uint32_t streams[STREAMS])
{
	uint32_t size = obj->spec.ninsns * INSN_SIZE, all = 0;
	uint8_t *whole = streams_of(obj, streams, &all), *packed;
	int room = LZ4_compressBound(all), n = 0;

	packed = malloc(room);
	if (whole && packed)
		n = LZ4_compress_HC((const char *)whole, (char *)packed, all, room,
				    LZ4HC_CLEVEL_MAX);
	free(whole);
	if (n > 0 && (uint32_t)n < size) {
		*len = n;
		return packed;
	}
	free(packed);
	*len = size;
	return plain_code(obj);
}
