/* SPDX-License-Identifier: MIT */
/* Interfaces over rtnetlink(7); attributes as in linux/if_link.h and linux/if_addr.h. */
#include "sys/link.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "base/array.h"

static void parse_xdp(struct nl_span xdp, struct link *link)
{
	uint32_t id = nl_u32(nl_find(xdp, IFLA_XDP_PROG_ID));

	switch (nl_u8(nl_find(xdp, IFLA_XDP_ATTACHED))) {
	case XDP_ATTACHED_DRV:
		link->xdp_native = id;
		break;
	case XDP_ATTACHED_SKB:
		link->xdp_generic = id;
		break;
	case XDP_ATTACHED_HW:
		link->xdp_offload = id;
		break;
	case XDP_ATTACHED_MULTI:
		link->xdp_native = nl_u32(nl_find(xdp, IFLA_XDP_DRV_PROG_ID));
		link->xdp_generic = nl_u32(nl_find(xdp, IFLA_XDP_SKB_PROG_ID));
		link->xdp_offload = nl_u32(nl_find(xdp, IFLA_XDP_HW_PROG_ID));
		break;
	default:
		break;
	}
}

static void parse_stats(struct nl_span v, struct link *link)
{
	struct rtnl_link_stats64 s = { 0 };

	/* Kernels append members: copy the members that both sides have. */
	if (v.len)
		memcpy(&s, v.data, v.len < sizeof(s) ? v.len : sizeof(s));
	link->stats = (struct link_stats){ s.rx_packets, s.rx_bytes, s.tx_packets, s.tx_bytes,
					   s.tx_dropped };
}

bool link_has_ethernet(const struct link *link)
{
	return link->type == ARPHRD_ETHER || link->type == ARPHRD_LOOPBACK;
}

bool link_parse(const struct nlmsghdr *hdr, struct nl_span body, struct link *link)
{
	struct nl_span attrs, value;
	struct ifinfomsg ifi;
	uint16_t type;

	if (hdr->nlmsg_type != RTM_NEWLINK && hdr->nlmsg_type != RTM_DELLINK)
		return false;
	if (body.len < sizeof(ifi))
		return false;
	memcpy(&ifi, body.data, sizeof(ifi));
	/* Messages of family AF_BRIDGE announce changes of bridge ports. */
	if (ifi.ifi_family != AF_UNSPEC)
		return false;
	*link = (struct link){
		.ifindex = ifi.ifi_index,
		.type = ifi.ifi_type,
		.up = ifi.ifi_flags & IFF_UP,
		.gone = hdr->nlmsg_type == RTM_DELLINK,
	};
	attrs = nl_attrs(body, sizeof(ifi));
	while (nl_next(&attrs, &type, &value)) {
		if (type == IFLA_IFNAME)
			nl_str(value, link->name, sizeof(link->name));
		else if (type == IFLA_MTU)
			link->mtu = nl_u32(value);
		else if (type == IFLA_XDP)
			parse_xdp(value, link);
		else if (type == IFLA_STATS64)
			parse_stats(value, link);
		else if (type == IFLA_LINKINFO)
			nl_str(nl_find(value, IFLA_INFO_KIND), link->kind, sizeof(link->kind));
	}
	return true;
}

static int add_link(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct link_list *l = arg;
	struct link link;
	void *more;

	if (!link_parse(hdr, body, &link))
		return 0;
	more = array_grow(l->at, l->n, &l->room, sizeof(*l->at));
	if (!more)
		return -ENOMEM;
	l->at = more;
	l->at[l->n++] = link;
	return 0;
}

int link_list(struct nl *nl, struct link_list *list)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nl_msg m;
	int rc, tries = 5;

	do { /* retry if interfaces changed during the dump */
		list->n = 0;
		nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
		rc = nl_dump(nl, &m, add_link, list);
	} while (!rc && nl->overrun && --tries);
	return rc;
}

void link_list_free(struct link_list *list)
{
	free(list->at);
	*list = (struct link_list){ 0 };
}

static int copy_link(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct link *link = arg;

	link_parse(hdr, body, link);
	return 0;
}

int link_get(struct nl *nl, const char *name, int ifindex, struct link *link)
{
	struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC, .ifi_index = name ? 0 : ifindex };
	struct link found = { 0 };
	struct nl_msg m;
	int rc;

	/* The kernel refuses a longer name with -ERANGE, or truncates it. */
	if (name && (!*name || strlen(name) >= IF_NAMESIZE))
		return -ENODEV;
	nl_begin(&m, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	if (name)
		nl_put_str(&m, IFLA_IFNAME, name);
	rc = nl_call(nl, &m, copy_link, &found);
	if (!rc && !found.ifindex)
		rc = -ENODEV;
	if (!rc)
		*link = found;
	return rc;
}

static int change_link(struct nl *nl, int ifindex, uint16_t type, unsigned int flags)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex, .ifi_flags = flags, .ifi_change = flags };
	struct nl_msg m;

	nl_begin(&m, type, 0, &ifi, sizeof(ifi));
	return nl_call(nl, &m, NULL, NULL);
}

int link_up(struct nl *nl, int ifindex)
{
	return change_link(nl, ifindex, RTM_NEWLINK, IFF_UP);
}

int link_del(struct nl *nl, int ifindex)
{
	return change_link(nl, ifindex, RTM_DELLINK, 0);
}

int link_add_veth(struct nl *nl, const char *name, const char *peer, int netns_fd)
{
	struct ifinfomsg ifi = { 0 };
	size_t info, data, at;
	struct nl_msg m;

	nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_put_str(&m, IFLA_IFNAME, name);
	info = nl_nest(&m, IFLA_LINKINFO);
	nl_put_str(&m, IFLA_INFO_KIND, "veth");
	data = nl_nest(&m, IFLA_INFO_DATA);
	/* VETH_INFO_PEER holds a link header followed by the peer's attributes. */
	at = m.hdr.nlmsg_len;
	nl_put(&m, VETH_INFO_PEER | NLA_F_NESTED, &ifi, sizeof(ifi));
	nl_put_str(&m, IFLA_IFNAME, peer);
	nl_put_u32(&m, IFLA_NET_NS_FD, (uint32_t)netns_fd);
	nl_nest_end(&m, at);
	nl_nest_end(&m, data);
	nl_nest_end(&m, info);
	return nl_call(nl, &m, NULL, NULL);
}

int link_add_addr(struct nl *nl, int ifindex, int family, const void *addr, uint8_t prefix_len)
{
	struct ifaddrmsg ifa = { .ifa_family = (uint8_t)family,
				 .ifa_prefixlen = prefix_len,
				 .ifa_flags = IFA_F_NODAD,
				 .ifa_index = (uint32_t)ifindex };
	size_t len = family == AF_INET ? 4 : 16;
	struct nl_msg m;

	nl_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &ifa, sizeof(ifa));
	nl_put(&m, IFA_LOCAL, addr, len);
	nl_put(&m, IFA_ADDRESS, addr, len);
	return nl_call(nl, &m, NULL, NULL);
}

int link_set_xdp(struct nl *nl, int ifindex, int prog_fd, uint32_t flags, int old_fd)
{
	struct ifinfomsg ifi = { .ifi_index = ifindex };
	struct nl_msg m;
	size_t xdp;

	nl_begin(&m, RTM_SETLINK, 0, &ifi, sizeof(ifi));
	xdp = nl_nest(&m, IFLA_XDP);
	nl_put_u32(&m, IFLA_XDP_FD, (uint32_t)prog_fd);
	nl_put_u32(&m, IFLA_XDP_FLAGS, flags);
	if (flags & XDP_FLAGS_REPLACE)
		nl_put_u32(&m, IFLA_XDP_EXPECTED_FD, (uint32_t)old_fd);
	nl_nest_end(&m, xdp);
	return nl_call(nl, &m, NULL, NULL);
}
