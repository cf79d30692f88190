/* SPDX-License-Identifier: MIT */
/* Parses a packet for filters in user space, as bpf/lib/view.h does in the kernel. */
#ifndef FILTER_VIEW_H
#define FILTER_VIEW_H

#include "bpf/view.h"
#include "net/frame.h"

/* Fills in the views of a frame: its own, and that of the packet that a tunnel in it (IPIP, GRE,
 * VXLAN, GENEVE) carries, with family and type 0 if there is none. Offsets in both count from
 * frame->data. */
void view_frame(struct view views[VIEW_LAYERS], const struct frame *frame);

#endif
