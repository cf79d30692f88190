/* SPDX-License-Identifier: MIT */
/* What this kernel's BPF can do, each found out by trying it on a program of a few instructions. */
#ifndef OBJ_FEATURE_H
#define OBJ_FEATURE_H

/* Try a feature by its name in the table in feature.c. 0 if it is there, else the kernel's -errno;
 * -ENOENT for a name that is not in the table. */
int feature_try(const char *name);

#endif
