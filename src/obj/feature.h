/* SPDX-License-Identifier: MIT */
/* Finds out what this kernel's BPF supports, by trying a program of a few instructions. */
#ifndef OBJ_FEATURE_H
#define OBJ_FEATURE_H

/* Tries a feature, by its name in the table in feature.c. Returns 0 if the kernel has it, else the
 * kernel's -errno; -ENOENT for a name that is not in the table. */
int feature_try(const char *name);

#endif
