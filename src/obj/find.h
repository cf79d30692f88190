/* SPDX-License-Identifier: MIT */
/* Finding again what is in the kernel: hooks -> program ids -> map ids -> descriptors, with no pins
 * and no files. Needs CAP_SYS_ADMIN, as the kernel's lookups by id do. */
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
	uint32_t link_id; /* 0: attached without a link, so installed */
	struct tc_filter filter;
};

/* It belongs to a running command: by a link, or, for clsact, by its name. */
bool find_is_live(const struct found *f);

/* Zeroed: empty. */
struct found_list {
	struct found *at;
	size_t n, room;
};

/* Append everything at an interface's XDP and tc hooks, ours or not. The XDP ids are those in
 * *link: read it just before. */
int find_on(struct nl *nl, const struct link *link, struct found_list *list);
void find_free(struct found_list *list);

/* What is known of a program. */
struct find_prog {
	struct bpf_prog_info info;
	uint32_t maps[FIND_MAPS_MAX];
	uint32_t nmaps;
};
/* -ENOENT if it is gone. */
int find_prog(uint32_t id, struct find_prog *prog);
/* Its name says that it is one of sonde's. */
bool find_is_ours(const struct find_prog *prog);
/* Bytes of kernel memory that a program and its maps are charged for; 0 if the kernel does not
 * tell. Maps that several programs share count in each. */
uint64_t find_memory(uint32_t prog_id, const struct find_prog *prog);
/* Open the map called name among a program's; its info is stored. -ENOENT. The caller closes. */
int find_map(const struct find_prog *prog, const char *name, struct bpf_map_info *info);

/* Take a program off that has no link; only if that very program is still there. -EBUSY: it is held
 * by a link, so by a running process. */
int find_detach(struct nl *nl, const struct found *f);
/* Put another program in its place, if that very program is still there; no packet passes between
 * the two. -EBUSY: it is held by a link; -ENOENT or -EEXIST: something else is there now. */
int find_replace(struct nl *nl, const struct found *f, int prog_fd);

#endif
