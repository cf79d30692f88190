/* SPDX-License-Identifier: MIT */
/* A packet parsed once, in user space: what the kernel's programs do for filters there. */
#ifndef FILTER_VIEW_H
#define FILTER_VIEW_H

#include "bpf/view.h"
#include "net/frame.h"

/* Fill in the views of a frame: its own, and that of what a tunnel (IPIP, GRE, VXLAN, GENEVE)
 * carries in it, whose family and type are 0 if there is none. Offsets in both count from
 * frame->data. */
void view_frame(struct view views[VIEW_LAYERS], const struct frame *frame);

#endif
