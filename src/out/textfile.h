/* SPDX-License-Identifier: MIT */
/* A file that is replaced as a whole each time: readers see the old text or the new one. */
#ifndef OUT_TEXTFILE_H
#define OUT_TEXTFILE_H

#include "base/buf.h"

/* Zeroed: closed. */
struct textfile {
	int dir_fd;
	const char *path; /* the caller's */
	char name[256];   /* in that directory */
	char temp[280];
};

/* Open the file's directory; the file itself is made by the first write. 0 or -errno. Does not
 * report errors. */
int textfile_open(struct textfile *f, const char *path);
/* Write *text to a new file of mode 0644 beside it and rename it over the file (rename(2)). On
 * failure the file stays as it was and nothing else is left. 0 or -errno. Does not report errors.
 */
int textfile_write(const struct textfile *f, const struct buf *text);
void textfile_close(struct textfile *f);

#endif
