// SPDX-License-Identifier: MIT
/* Any bytes as an object: read, and written to memory if they are taken. */
#include <stdlib.h>

#include "gen/gen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen_text text = { 0 };
	struct gen_obj obj = { 0 };
	struct diag d;

	/* The name of the one seed (tests/data/gen, compiled) that has a conf. */
	if (gen_read(data, size, "maps", &obj, &d)) {
		/* A refusal has words. */
		if (!d.msg[0])
			abort();
		return 0;
	}
	if (gen_emit_source(&obj, &text) || gen_emit_header(&obj, &text))
		abort();
	gen_text_close(&text);
	gen_obj_close(&obj);
	return 0;
}
