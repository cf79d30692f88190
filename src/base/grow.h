/* SPDX-License-Identifier: MIT */
/* Room for one more element in an array on the heap. */
#ifndef BASE_GROW_H
#define BASE_GROW_H

#include <stdlib.h>

/* at holds n elements of size bytes and has room for *room. Returns it, moved if it had to grow, or
 * NULL with everything as it was if there is no memory. */
static inline void *array_grow(void *at, size_t n, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 16;
	void *moved;

	if (n < *room)
		return at;
	moved = realloc(at, more * size);
	if (moved)
		*room = more;
	return moved;
}

#endif
