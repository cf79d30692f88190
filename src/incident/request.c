/* SPDX-License-Identifier: MIT */
/* Makes and checks requests for samples. Needs no privilege and opens nothing. */
#include "incident/request.h"
#include <stdio.h>
#include <time.h>
#include "base/clock.h"

struct sample_request sample_request_of(size_t view, const struct guard_busy *busy, size_t n)
{
	struct sample_request r = { .view = (uint32_t)view,
				    .n = (uint32_t)(n < GUARD_BUSIEST ? n : GUARD_BUSIEST) };

	for (uint32_t i = 0; i < r.n; i++)
		r.entry[i] = busy[i].entry;
	return r;
}

bool sample_request_is_valid(const struct sample_request *r, const struct guard_views *views)
{
	bool valid = r->view < views->n && r->n <= GUARD_BUSIEST;

	for (uint32_t i = 0; valid && i < r->n; i++)
		valid = r->entry[i] < views->at[r->view].table.entries;
	return valid;
}

void sample_name(char name[SAMPLE_NAME], const char *iface, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	char when[32];
	struct tm tm;

	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", gmtime_r(&seconds, &tm));
	snprintf(name, SAMPLE_NAME, "%s-%s.pcapng", iface, when);
}

void sample_append_filter(const struct guard_view *v, const uint32_t *entries, uint32_t n,
			  struct buf *expr)
{
	const char *joint = "";

	if (hook_is_xdp(v->install.current.hook) && v->install.conf.guard.enforce &&
	    v->install.conf.has_observer) {
		buf_str(expr, "verdict drop");
		buf_char(expr, '\0');
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct guard_name *name = guard_table_name(&v->table, entries[i]);

		if (name->key != GUARD_SRC)
			continue;
		buf_str(expr, joint);
		buf_str(expr, "src net ");
		guard_print_name(name, expr);
		joint = " or ";
	}
	buf_char(expr, '\0');
}
