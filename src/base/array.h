/* SPDX-License-Identifier: MIT */
/* Arrays: the length of a fixed array, growth of one on the heap. */
#ifndef BASE_ARRAY_H
#define BASE_ARRAY_H

#include <stdlib.h>

/* Returns the number of elements of an array. Does not compile for a pointer. */
#define ARRAY_LEN(array)                                                                \
	(sizeof(array) / sizeof(*(array)) +                                             \
	 0 * sizeof(struct {                                                            \
		 _Static_assert(!__builtin_types_compatible_p(__typeof__(array),        \
							      __typeof__(&(array)[0])), \
				"ARRAY_LEN of a pointer");                              \
		 int unused;                                                            \
	 }))

/* Ensures room for one more element in an array of n elements of size bytes; *cap is its capacity
 * in elements. Returns the array, which may have moved, or NULL if memory ran out: then the old
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
