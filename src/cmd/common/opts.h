/* SPDX-License-Identifier: MIT */
/* Option rows that several commands have. A letter means the same in each of them, except in
 * capture, which has tcpdump's letters. O is a struct with a member `struct cmd_common common`. */
#ifndef CMD_COMMON_OPTS_H
#define CMD_COMMON_OPTS_H

#include "cmd/common/cmd.h"
#include "out/sink.h"

#define OPT_ROW_IFACES(O, help) OPT_LIST('i', "interface", "IFACE", O, common.ifaces, help)
#define OPT_ROW_NETNS(O)                                     \
	OPT_STR('N', "netns", "NETNS", O, common.netns,      \
		"work in this network namespace: a name in " \
		"/run/netns, a path, or a PID")
#define OPT_ROW_DURATION(O, help) OPT_TIME('d', "duration", "TIME", O, common.duration, help)
#define OPT_ROW_INTERVAL(O, help) OPT_TIME('I', "interval", "TIME", O, common.interval, help)
#define OPT_ROW_PID(O, help)      OPT_U32('p', "pid", "PID", O, common.pid, 1, UINT32_MAX, help)
#define OPT_ROW_QUIET(O, help)    OPT_FLAG('q', "quiet", O, common.quiet, help)
#define OPT_ROW_NO_TIME(O, help)  OPT_FLAG('t', "no-time", O, common.no_time, help)
#define OPT_ROW_VERBOSE(O)                             \
	OPT_COUNT('v', "verbose", O, common.verbose,   \
		  "print the verifier's whole log if " \
		  "the kernel refuses a program")
#define OPT_ROWS_FORMAT(O, formats)                                                      \
	OPT_CHOICE('o', "output", "FORMAT", O, common.format, formats, "output format"), \
		OPT_SET(0, "json", O, common.format, SINK_JSON, "the same as -o json"),  \
		OPT_FLAG(0, "no-color", O, common.no_color,                              \
			 "no colors on a terminal (also: NO_COLOR in the environment)")
/* For commands with counters. */
#define OPT_ROWS_OUTPUT(O) OPT_ROWS_FORMAT(O, sink_formats)
/* For commands without counters. */
#define OPT_ROWS_OUTPUT_NO_PROM(O) OPT_ROWS_FORMAT(O, sink_formats_no_prom)
#define OPT_ROW_TEXTFILE(O)                                                  \
	OPT_STR(0, "textfile", "FILE", O, common.textfile,                   \
		"write Prometheus text to FILE at each interval, replacing " \
		"it atomically (implies -o prom)")

#endif
