/* SPDX-License-Identifier: MIT */
/* Specs of tracing programs loaded and attached, with the maps that they share. */
#ifndef TRACE_LOAD_H
#define TRACE_LOAD_H

#include "trace/trace.h"

/* Of the maps that specs share: those read here. */
enum { TRACE_SHARED_EVENTS, TRACE_SHARED_COUNTS };

/* Load some of a spec's programs (opts->progs), with the filter in its place. maps: OBJ_MAPS_MAX of
 * them, zeroed, or with sizes. 0 or -errno, said. */
int trace_load(struct trace *t, enum trace_objs which, const struct spec *spec,
	       struct obj_opts *opts, struct obj_map *maps);
/* And attach them to what their sections name. On failure nothing of it stays. */
int trace_put(struct trace *t, enum trace_objs which, const struct spec *spec,
	      struct obj_opts *opts);
/* Specs loaded later use this one's maps, where they have them, too. */
void trace_share(struct trace *t, const struct obj *o);
/* Take off all links from a number on. */
void trace_detach(struct trace *t, uint32_t from);

#endif
