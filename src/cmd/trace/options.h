/* SPDX-License-Identifier: MIT */
/* The command line of sonde trace. */
#ifndef CMD_TRACE_OPTIONS_H
#define CMD_TRACE_OPTIONS_H

#include "cmd/common/cmd.h"
#include "trace/trace.h"

struct trace_cmd_opts {
	struct cmd_common common;
	struct opt_list tls_files;
	uint32_t text_bytes, dns_port, count, kibibytes, socks;
	bool stacks, only_new;
};

/* Traces until the end that the options define, and shows the events. Returns 0 or -errno. Reports
 * errors. */
int trace_follow(const struct trace_cmd_opts *o, const struct trace_opts *opts);

#endif
