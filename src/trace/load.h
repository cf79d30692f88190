/* SPDX-License-Identifier: MIT */
/* Loads and attaches tracing programs, which share some maps. */
#ifndef TRACE_LOAD_H
#define TRACE_LOAD_H

#include "trace/trace.h"

/* Maps that are one map in all programs that have a map of this name. */
extern const char *const trace_shared_names[TRACE_SHARED];
/* Indexes of those read here. */
enum { TRACE_SHARED_EVENTS, TRACE_SHARED_COUNTS };

/* Loads some of a spec's programs (opts->progs) with the filter spliced in. maps: OBJ_MAPS_MAX of
 * them, zeroed or with sizes. Returns 0 or -errno. Reports errors. */
int trace_load(struct trace *t, enum trace_objs which, const struct spec *spec,
	       struct obj_opts *opts, struct obj_map *maps);
/* Loads the programs and attaches them to what their sections name. Returns 0 or -errno, with
 * nothing left attached. Reports errors. */
int trace_load_attach(struct trace *t, enum trace_objs which, const struct spec *spec,
		      struct obj_opts *opts);
/* Makes specs loaded later use this one's shared maps. */
void trace_share_maps(struct trace *t, const struct obj *o);
/* Closes all links from number `from` on. */
void trace_detach(struct trace *t, uint32_t from);

#endif
