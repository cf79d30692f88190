/* SPDX-License-Identifier: MIT */
/* Any bytes as what netlink may answer: a link's attributes, and datagrams of messages. */
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "sys/link.h"
#include "sys/netlink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t room)
{
	if (strnlen(s, room) == room)
		abort();
}

static int take_link(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct link link;

	if (link_parse(hdr, body, &link)) {
		check_text(link.name, sizeof(link.name));
		check_text(link.kind, sizeof(link.kind));
	}
	return *(int *)arg;
}

/* Nested to the bottom: every value lies in its parent. */
static size_t walk(struct nl_span rest, int depth)
{
	const char *end = rest.len ? rest.data + rest.len : NULL;
	struct nl_span value;
	uint16_t type;
	size_t sum = 0;

	while (nl_next(&rest, &type, &value)) {
		char text[8];

		if (value.data + value.len > end || type & (NLA_F_NESTED | NLA_F_NET_BYTEORDER))
			abort();
		nl_str(value, text, sizeof(text));
		check_text(text, sizeof(text));
		sum += nl_u32(value) + nl_u8(value) + nl_find(value, type).len;
		if (depth < 4)
			sum += walk(value, depth + 1);
	}
	return sum;
}

/* The library reads from any socket; who wrote there it cannot know. */
static void receive(const uint8_t *data, size_t size)
{
	static char answers[NL_BUF_MAX];
	struct nl nl = { 0 };
	int ends[2], stop = 0;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends) < 0)
		return;
	nl.fd = ends[0];
	nl.buf = answers;
	if (write(ends[1], data, size) == (ssize_t)size)
		nl_read(&nl, take_link, &stop);
	check_text(nl.words, sizeof(nl.words));
	close(ends[0]);
	close(ends[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr hdr = { .nlmsg_type = RTM_NEWLINK };
	struct nl_span body = { (const char *)data, size };
	int go_on = 0;

	take_link(&hdr, body, &go_on);
	walk(body, 0);
	walk(nl_attrs(body, sizeof(struct ifinfomsg)), 0);
	if (size)
		receive(data, size);
	return 0;
}
