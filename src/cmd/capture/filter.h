/* SPDX-License-Identifier: MIT */
/* The filter of a capture as the user wrote it. */
#ifndef CMD_CAPTURE_FILTER_H
#define CMD_CAPTURE_FILTER_H

#include <stdbool.h>
#include "filter/filter.h"
#include "net/capfile/capfile.h"

enum { CAPTURE_FILTER_IFACES = 16 };

/* Zeroed: everything matches. */
struct capture_filter {
	bool of_file; /* to be set before: `iface` names one of a capture file's interfaces */
	struct filter filter;
	char *text;
	/* Those names: their place is their number. */
	char names[CAPTURE_FILTER_IFACES][CAPFILE_NAME_MAX];
	uint32_t nnames;
};

/* From the command's operands, or from a file whose lines are one text. 0, -E_USAGE or -errno,
 * said, with the place of the mistake. */
int capture_filter_parse(struct capture_filter *f, char **words, int n);
int capture_filter_read(struct capture_filter *f, const char *file);
/* Of a packet out of a file; iface may be NULL. */
bool capture_filter_match(const struct capture_filter *f, const struct frame *frame,
			  const struct capfile_iface *iface);
/* Its program for the kernel, as text to standard output. 0 or -errno, said. */
int capture_filter_print(const struct capture_filter *f);
void capture_filter_close(struct capture_filter *f);

#endif
