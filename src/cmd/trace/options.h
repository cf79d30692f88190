/* SPDX-License-Identifier: MIT */
/* sonde trace's command line, and the trace that follows it. */
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

/* Traces until the end that the options give, and shows what happens. Returns 0 or -errno. Reports
 * errors. */
int trace_follow(const struct trace_cmd_opts *o, const struct trace_opts *opts);

#endif
