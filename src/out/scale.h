/* SPDX-License-Identifier: MIT */
/* Numbers for people: in the unit that leaves them short. */
#ifndef OUT_SCALE_H
#define OUT_SCALE_H

#include "base/buf.h"
#include "out/schema.h"

/* Append 21.6KiB, 1.5k, 340us: v, not below 0, in its unit (not COL_PLAIN). */
void scale_put(struct buf *out, enum col_unit unit, double v);

#endif
