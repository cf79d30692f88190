/* SPDX-License-Identifier: MIT */
/* Network interfaces over route netlink: read, watch, make, and the XDP program on them. */
#ifndef SYS_LINK_H
#define SYS_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "sys/netlink.h"

struct link_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_dropped;
};

/* What RTM_NEWLINK tells of an interface. xdp_*: program ids, 0 for none. */
struct link {
	int ifindex;
	char name[IF_NAMESIZE];
	char kind[IF_NAMESIZE]; /* "veth", "bridge", ...; "" for hardware and loopback */
	uint16_t type;          /* ARPHRD_* (linux/if_arp.h) */
	bool up;                /* IFF_UP: switched on, with or without a carrier */
	bool gone;              /* the message was an RTM_DELLINK */
	uint32_t mtu;
	uint32_t xdp_native, xdp_generic, xdp_offload;
	struct link_stats stats;
};

/* Packets begin with an Ethernet header. Other link types hand IP packets over without a header
 * that we know: tun, wireguard, ipip, ppp. */
bool link_has_ethernet(const struct link *link);

/* From a link message; false if it is something else or malformed. */
bool link_parse(const struct nlmsghdr *hdr, struct nl_span body, struct link *link);

struct link_list {
	struct link *at;
	size_t n, room;
};

/* Every interface of the socket's namespace as one consistent picture, in *list, which the caller
 * has zeroed or used before and frees with link_list_free(). */
int link_list(struct nl *nl, struct link_list *list);
void link_list_free(struct link_list *list);
/* One by name, or by index if name is NULL. -ENODEV. */
int link_get(struct nl *nl, const char *name, int ifindex, struct link *link);
int link_up(struct nl *nl, int ifindex);
int link_del(struct nl *nl, int ifindex);
/* A veth pair: name here, peer in the namespace that netns_fd refers to. -EEXIST; -EOPNOTSUPP if
 * this kernel has no veth driver (yet: see module_load()). */
int link_add_veth(struct nl *nl, const char *name, const char *peer, int netns_fd);
/* addr: 4 or 16 bytes in network byte order. IPv6 addresses are usable at once (no duplicate
 * detection). */
int link_add_addr(struct nl *nl, int ifindex, int family, const void *addr, uint8_t prefix_len);
/* Set (prog_fd > 0) or clear (-1) the XDP program. flags: XDP_FLAGS_* (linux/if_link.h); old_fd is
 * the program that has to be there, for XDP_FLAGS_REPLACE. */
int link_set_xdp(struct nl *nl, int ifindex, int prog_fd, uint32_t flags, int old_fd);

#endif
