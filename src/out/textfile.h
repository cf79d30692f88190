/* SPDX-License-Identifier: MIT */
/* A file that is replaced as a whole: readers see either the old text or the new text. */
#ifndef OUT_TEXTFILE_H
#define OUT_TEXTFILE_H

#include "base/buf.h"

/* Zeroed: closed. */
struct textfile {
	int dir_fd;
	const char *path; /* owned by the caller */
	char name[256];   /* in that directory */
	char temp[280];
};

/* Opens the file's directory; the first write creates the file. Returns 0 or -errno. Does not
 * report errors. */
int textfile_open(struct textfile *f, const char *path);
/* Writes *text to a new file of mode 0644 in the same directory and renames it to path (rename(2)).
 * On failure the old file is unchanged and the new one is removed. Returns 0 or -errno. Does not
 * report errors. */
int textfile_write(const struct textfile *f, const struct buf *text);
void textfile_close(struct textfile *f);

#endif
