/* SPDX-License-Identifier: MIT */
/* Finds installed programs again: from hooks to program ids, map ids and descriptors, without pins
 * or files. Needs CAP_SYS_ADMIN, as the kernel's lookups by id do. */
#ifndef OBJ_FIND_H
#define OBJ_FIND_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include "obj/attach.h"
#include "sys/link.h"
#include "sys/netlink.h"

enum { FIND_MAPS_MAX = 64 }; /* MAX_USED_MAPS (linux/bpf_verifier.h) */

/* A program at an interface's hook. */
struct found {
	enum hook hook;
	int ifindex;
	bool ingress;
	uint32_t prog_id;
	uint32_t link_id; /* 0: attached without a link, so it is installed */
	struct tc_filter filter;
};

/* Returns true if it belongs to a running command: it has a link or, for clsact, a live filter's
 * name. */
bool find_is_live(const struct found *f);

/* Zeroed: empty. */
struct found_list {
	struct found *at;
	size_t n, room;
};

/* Appends all programs at an interface's XDP and tc hooks, sonde's and others'. Takes the XDP
 * program ids from *link: read it just before. Returns 0 or -errno. The caller frees the list. */
int find_attached(struct nl *nl, const struct link *link, struct found_list *list);
void found_list_free(struct found_list *list);

/* The kernel's information about a program. */
struct find_prog {
	struct bpf_prog_info info;
	uint32_t maps[FIND_MAPS_MAX];
	uint32_t nmaps;
};
/* Returns -ENOENT if the program is gone. */
int find_prog(uint32_t id, struct find_prog *prog);
/* Returns true if its name is one of sonde's. */
bool find_is_ours(const struct find_prog *prog);
/* Bytes of kernel memory charged for a program and its maps; 0 if the kernel does not tell. Maps
 * that several programs share count in each. */
uint64_t find_memory(uint32_t prog_id, const struct find_prog *prog);
/* Opens the map with this name among the program's maps, and stores its information in *info.
 * Returns a descriptor, which the caller closes, or -errno; -ENOENT if there is no such map. */
int find_map(const struct find_prog *prog, const char *name, struct bpf_map_info *info);

/* Detaches a program that has no link, only if exactly that program is still there. Returns -EBUSY
 * if a link holds it, so a running process. */
int find_detach(struct nl *nl, const struct found *f);
/* Replaces the program, only if exactly that program is still there. No packet passes between the
 * two. Returns -EBUSY if a link holds it, -ENOENT or -EEXIST if another program is there now. */
int find_replace(struct nl *nl, const struct found *f, int prog_fd);

#endif
