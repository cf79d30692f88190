/* SPDX-License-Identifier: MIT */
/* The filter of a capture. */
#ifndef CMD_CAPTURE_FILTER_H
#define CMD_CAPTURE_FILTER_H

#include <stdbool.h>
#include "filter/filter.h"
#include "net/capfile/capfile.h"

enum { CAPTURE_FILTER_IFACES = 16 };

/* Zeroed: matches every packet. */
struct capture_filter {
	bool of_file; /* set before parsing: `iface` names an interface of a capture file */
	struct filter filter;
	char *text;
	/* These names; an interface's number is its index here plus 1. */
	char names[CAPTURE_FILTER_IFACES][CAPFILE_NAME_MAX];
	uint32_t nnames;
};

/* Parse a filter from the command's operands, or from a file whose lines form one filter. Return 0,
 * -E_USAGE or -errno. Report errors, with the position of a mistake. */
int capture_filter_parse(struct capture_filter *f, char **words, int n);
int capture_filter_read(struct capture_filter *f, const char *file);
/* Returns true if a packet of a file matches. iface may be NULL. */
bool capture_filter_match(const struct capture_filter *f, const struct frame *frame,
			  const struct capfile_iface *iface);
/* Prints the filter's BPF program to standard output. Returns 0 or -errno. Reports errors. */
int capture_filter_print(const struct capture_filter *f);
void capture_filter_close(struct capture_filter *f);

#endif
