/* SPDX-License-Identifier: MIT */
/* Decompression of data that was compressed at build time: one block in LZ4's block format. */
#ifndef BASE_UNPACK_H
#define BASE_UNPACK_H

#include <stddef.h>

/* Decompresses a block of len bytes into exactly size bytes. Returns 0, or -EBADMSG with undefined
 * contents in to. Format: lz4_Block_format.md of the LZ4 project. */
int unpack_lz4(const void *block, size_t len, void *to, size_t size);

#endif
