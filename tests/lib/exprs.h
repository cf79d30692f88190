/* SPDX-License-Identifier: MIT */
/* Random packets and filter expressions that often match each other, the same for a seed. */
#ifndef TESTS_LIB_EXPRS_H
#define TESTS_LIB_EXPRS_H

#include <stddef.h>
#include "filter/filter.h"
#include "filter/view.h"

struct exprs_packet {
	uint8_t data[256];
	struct frame frame;
	struct view views[VIEW_LAYERS];
};

void exprs_seed(uint64_t seed); /* not 0 */
void exprs_draw_packet(struct exprs_packet *p);
void exprs_draw_text(char *text, size_t room);
/* Includes sonde's extensions to the filter language. exprs_names resolves their names. */
void exprs_draw_ext_text(char *text, size_t room);
extern const struct filter_names exprs_names;

#endif
