/* SPDX-License-Identifier: MIT */
/* The clsact qdisc and its BPF filters over route netlink: tc for kernels without tcx. */
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
	uint32_t prog_id; /* as read back; 0 for classic BPF */
	char name[64];    /* the filter's own note, for a human reader */
};

/* Make sure that the interface has the clsact qdisc. 0 also if one was there already (another's: it
 * is never deleted, for that would take everybody's filters along). -ENOENT: no such qdisc in this
 * kernel (yet). */
int tc_clsact_add(struct nl *nl, int ifindex);
/* Add a direct-action filter for all protocols; -EEXIST: prio and handle are taken. */
int tc_filter_add(struct nl *nl, const struct tc_filter *f, int prog_fd);
/* Another program in the place of the one that has f's prio and handle; no packet passes between
 * the two. -ENOENT: there is none. */
int tc_filter_replace(struct nl *nl, const struct tc_filter *f, int prog_fd);
int tc_filter_del(struct nl *nl, const struct tc_filter *f);

typedef int tc_each(const struct tc_filter *f, void *arg);
/* The BPF filters in one direction; nothing where there is no clsact qdisc. */
int tc_filter_dump(struct nl *nl, int ifindex, bool ingress, tc_each *each, void *arg);

#endif
