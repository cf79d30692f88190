/* SPDX-License-Identifier: MIT */
/* Arrays: the length of a fixed one, growth of one on the heap. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdlib.h>

/* The number of elements of an array; does not compile for a pointer. */
#define ARRAY_LEN(array)                                                                \
	(sizeof(array) / sizeof(*(array)) +                                             \
	 0 * sizeof(struct {                                                            \
		 _Static_assert(!__builtin_types_compatible_p(__typeof__(array),        \
							      __typeof__(&(array)[0])), \
				"ARRAY_LEN of a pointer");                              \
		 int unused;                                                            \
	 }))

/* Makes sure that an array of n elements of size bytes has room for one more; *cap is how many it
 * has room for. Returns the array, which may have moved, or NULL if memory ran out: then the old
 * array and *cap are unchanged. */
static inline void *array_grow(void *array, size_t n, size_t *cap, size_t size)
{
	size_t new_cap = *cap ? *cap * 2 : 16;
	void *moved;

	if (n < *cap)
		return array;
	moved = realloc(array, new_cap * size);
	if (moved)
		*cap = new_cap;
	return moved;
}

#endif
