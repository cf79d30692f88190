/* SPDX-License-Identifier: MIT */
/* Any bytes as instruction streams. */
#include "tests/fuzz/fuzz.h"
#include <errno.h>
#include "obj/streams.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed f = { data, size };
	uint32_t n = feed_u8(&f), lens[STREAMS], sum = 0;
	struct bpf_insn *insns = malloc((n + 1) * sizeof(*insns));
	uint8_t *own;
	int rc;

	for (int i = 0; i < STREAMS; sum += lens[i++])
		lens[i] = feed_u8(&f);
	own = malloc(sum + 1);
	MUST(insns && own);
	/* Up to the end of the allocation, so that the sanitizer detects reads past it. */
	for (uint32_t i = 0; i < sum; i++)
		own[1 + i] = feed_u8(&f);
	rc = streams_join(own + 1, lens, insns, n);
	MUST(!rc || rc == -EBADMSG);
	MUST(rc || lens[STREAM_OPS] == 2 * n);
	for (uint32_t i = 0; i < n && !rc; i++) {
		MUST(stream_has_imm(insns[i].code) || !insns[i].imm);
		MUST(stream_has_jump(insns[i].code) || stream_has_off(insns[i].code) ||
		     !insns[i].off);
	}
	free(own);
	free(insns);
	return 0;
}
