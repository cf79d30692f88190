/* SPDX-License-Identifier: MIT */
/* What this kernel's BPF can do, each found out by trying it on a program of a few instructions. */
#ifndef OBJ_FEATURE_H
#define OBJ_FEATURE_H

#include <stdbool.h>

/* XDP programs for frames in several buffers, and with them bpf_xdp_get_buff_len() (5.18). Asked
 * once, then remembered. */
bool feature_xdp_frags(void);

/* A row of the table of all features: tried when asked. 0 if it is there, else the kernel's -errno.
 */
struct feature {
	const char *name;
	int (*try)(void);
};
extern const struct feature features[];
extern const unsigned int nfeatures;

#endif
