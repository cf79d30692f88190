/* SPDX-License-Identifier: MIT */
/* Numbers for people, scaled to a unit that keeps them short. */
#ifndef OUT_SCALE_H
#define OUT_SCALE_H

#include "base/buf.h"
#include "out/schema.h"

/* Appends v, which is not below 0, in its unit (not COL_PLAIN): 21.6KiB, 1.5k, 340us. */
void scale_put(struct buf *out, enum col_unit unit, double v);

#endif
