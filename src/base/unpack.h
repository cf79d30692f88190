/* SPDX-License-Identifier: MIT */
/* Bytes that the build packed: one block in LZ4's block format. */
#ifndef BASE_UNPACK_H
#define BASE_UNPACK_H

#include <stddef.h>

/* Unpack a block of len bytes that holds just size bytes. 0, or -EBADMSG with anything in to. */
int unpack(const void *block, size_t len, void *to, size_t size);

#endif
