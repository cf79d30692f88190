/* SPDX-License-Identifier: MIT */
/* Random packets and filter expressions that often hit each other; the same for the same seed. */
#ifndef TESTS_LIB_EXPRS_H
#define TESTS_LIB_EXPRS_H

#include <stddef.h>
#include "filter/view.h"

struct exprs_packet {
	uint8_t data[256];
	struct frame frame;
	struct view views[VIEW_LAYERS];
};

void exprs_seed(uint64_t seed); /* not 0 */
void exprs_packet(struct exprs_packet *p);
void exprs_text(char *text, size_t room);

#endif
