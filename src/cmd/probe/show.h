/* SPDX-License-Identifier: MIT */
/* What probes have counted and told, as lines, tables and JSON. */
#ifndef CMD_PROBE_SHOW_H
#define CMD_PROBE_SHOW_H

#include "base/buf.h"
#include "out/sink.h"
#include "probe/probe.h"
#include "probe/user.h"
#include "trace/symbols.h"

struct probe_show {
	const struct probe *probe;
	struct symbols symbols; /* of the kernel */
	struct users users;
	uint64_t epoch; /* of the kernel's clock, in nanoseconds since 1970 */
	int32_t utc_offset;
	bool no_time;
};

int probe_show_open(struct probe_show *s, const struct probe *probe);
void probe_show_close(struct probe_show *s);

/* One hit, as a line and the stacks below it, or as a JSON object. */
void probe_show_line(struct probe_show *s, const struct probe_hit *hit, struct buf *out);
int probe_show_row(struct probe_show *s, const struct probe_hit *hit, struct sink *sink);

/* Tables: the processes' counts, rates over so many seconds; how long it took; what was returned;
 * where from. text: for people, who are shown the first of many. 0 or -errno, unsaid. */
int probe_show_counts(struct probe_show *s, double seconds, struct sink *sink, bool text);
int probe_show_times(const struct probe_show *s, struct sink *sink, bool text);
int probe_show_values(struct probe_show *s, struct sink *sink, bool text);
int probe_show_paths(struct probe_show *s, struct sink *sink, bool text);

#endif
