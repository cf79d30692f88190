/* SPDX-License-Identifier: MIT */
/* The clsact qdisc and its BPF filters over route netlink, for kernels without tcx. */
#ifndef SYS_TC_H
#define SYS_TC_H

#include <stdbool.h>
#include <stdint.h>
#include "sys/netlink.h"

struct tc_filter {
	int ifindex;
	bool ingress;
	uint16_t prio; /* host byte order */
	uint32_t handle;
	uint32_t prog_id; /* set when read; 0 for classic BPF */
	char name[64];    /* label, for display only */
};

/* Adds the clsact qdisc to an interface if it is missing. Nothing deletes it: that would also
 * delete other programs' filters. -ENOENT: the kernel has no such qdisc, or it is not loaded
 * yet. */
int tc_clsact_add(struct nl *nl, int ifindex);
/* Adds a direct-action filter for all protocols. -EEXIST: prio and handle are in use. */
int tc_filter_add(struct nl *nl, const struct tc_filter *f, int prog_fd);
/* Atomically replaces the program of the filter with f's prio and handle. -ENOENT: no such
 * filter. */
int tc_filter_replace(struct nl *nl, const struct tc_filter *f, int prog_fd);
int tc_filter_del(struct nl *nl, const struct tc_filter *f);

typedef int tc_each(const struct tc_filter *f, void *arg);
/* Walks the BPF filters of one direction; without a clsact qdisc it finds none. */
int tc_filter_dump(struct nl *nl, int ifindex, bool ingress, tc_each *each, void *arg);

#endif
