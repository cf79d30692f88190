/* SPDX-License-Identifier: MIT */
/* Replaces each separator by a NUL that ends the piece before it. */
#include "base/split.h"
#include <string.h>

size_t split_text(char *text, const char *separator, const char **at, size_t max)
{
	size_t n = 0;

	while (*text && n < max) {
		char *end = strstr(text, separator);

		at[n++] = text;
		if (!end)
			break;
		*end = '\0';
		text = end + strlen(separator);
	}
	return n;
}
