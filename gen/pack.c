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

uint8_t *gen_pack(const struct gen_obj *obj, uint32_t *len)
{
	int size = (int)obj->spec.ninsns * INSN_SIZE, room = LZ4_compressBound(size), n = 0;
	uint8_t *plain = plain_code(obj), *packed = malloc(room);

	if (plain && packed)
		n = LZ4_compress_HC((const char *)plain, (char *)packed, size, room,
				    LZ4HC_CLEVEL_MAX);
	if (n > 0 && n >= size) {
		memcpy(packed, plain, size);
		n = size;
	}
	free(plain);
	if (n <= 0) {
		free(packed);
		return NULL;
	}
	*len = n;
	return packed;
}
