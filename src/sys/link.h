/* SPDX-License-Identifier: MIT */
/* Network interfaces over route netlink: lists, watches and creates them, and sets their XDP
 * program. */
#ifndef SYS_LINK_H
#define SYS_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "sys/netlink.h"

struct link_stats {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, tx_dropped;
};

/* An interface as RTM_NEWLINK describes it. xdp_*: program ids, 0 for none. */
struct link {
	int ifindex;
	char name[IF_NAMESIZE];
	char kind[IF_NAMESIZE]; /* "veth", "bridge", ...; "" for hardware and loopback */
	uint16_t type;          /* ARPHRD_* (linux/if_arp.h) */
	bool up;                /* IFF_UP: enabled, with or without a carrier */
	bool gone;              /* the message was an RTM_DELLINK */
	uint32_t mtu;
	uint32_t xdp_native, xdp_generic, xdp_offload;
	struct link_stats stats;
};

/* Returns true if packets start with an Ethernet header. Other link types (tun, wireguard, ipip,
 * ppp) pass IP packets without a header that sonde parses. */
bool link_has_ethernet(const struct link *link);

/* Parses a link message. Returns false if it is another message or malformed. */
bool link_parse(const struct nlmsghdr *hdr, struct nl_span body, struct link *link);

struct link_list {
	struct link *at;
	size_t n, room;
};

/* Lists all interfaces of the socket's namespace in one consistent snapshot. *list is zeroed or was
 * used before; the caller frees it with link_list_free(). */
int link_list(struct nl *nl, struct link_list *list);
void link_list_free(struct link_list *list);
/* Gets one interface by name, or by index if name is NULL. -ENODEV. */
int link_get(struct nl *nl, const char *name, int ifindex, struct link *link);
int link_up(struct nl *nl, int ifindex);
int link_del(struct nl *nl, int ifindex);
/* Creates a veth pair: name here, peer in the namespace netns_fd. -EEXIST; -EOPNOTSUPP: the veth
 * driver is missing or not loaded (see priv_load_module()). */
int link_add_veth(struct nl *nl, const char *name, const char *peer, int netns_fd);
/* addr: 4 or 16 bytes in network byte order. IPv6 addresses are usable at once, without duplicate
 * address detection. */
int link_add_addr(struct nl *nl, int ifindex, int family, const void *addr, uint8_t prefix_len);
/* Sets (prog_fd > 0) or removes (-1) the XDP program. flags: XDP_FLAGS_* (linux/if_link.h); old_fd:
 * the program that must be attached, for XDP_FLAGS_REPLACE. */
int link_set_xdp(struct nl *nl, int ifindex, int prog_fd, uint32_t flags, int old_fd);

#endif
