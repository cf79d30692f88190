/* SPDX-License-Identifier: MIT */
/* Uses two attributes that every terminal has: bold and red. */
#include "out/color.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool disabled;

void color_disable(void)
{
	disabled = true;
}

bool color_enabled(int fd)
{
	const char *none = getenv("NO_COLOR"), *term = getenv("TERM");

	return !disabled && !(none && *none) && term && strcmp(term, "dumb") != 0 && isatty(fd);
}

void color_start(struct buf *b, enum color color)
{
	static const char *const sgr[] = { [COLOR_HEADING] = "\x1b[1m", [COLOR_BAD] = "\x1b[31m" };

	buf_str(b, sgr[color]);
}

void color_end(struct buf *b)
{
	buf_str(b, "\x1b[m");
}
