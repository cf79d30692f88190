/* SPDX-License-Identifier: MIT */
/* Any bytes from netlink: a link's attributes, and datagrams of messages as events and as answers
 * to requests. */
#include "tests/fuzz/fuzz.h"
#include <linux/rtnetlink.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>
#include "sys/link.h"
#include "sys/netlink.h"
#include "sys/tc.h"

/* Maximum of datagrams per input; the socket's queue holds as many. */
enum { PIECES = 6 };

static void check_text(const char *s, size_t room)
{
	MUST(strnlen(s, room) < room);
}

static void check_link(const struct link *link)
{
	check_text(link->name, sizeof(link->name));
	check_text(link->kind, sizeof(link->kind));
}

static int take_link(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct link link, before;

	memset(&link, 0x5a, sizeof(link));
	before = link;
	if (link_parse(hdr, body, &link))
		check_link(&link);
	else
		MUST(!memcmp(&link, &before, sizeof(link)));
	return *(int *)arg;
}

static int take_filter(const struct tc_filter *f, void *arg)
{
	check_text(f->name, sizeof(f->name));
	MUST(f->handle && f->ifindex == 7 && f->ingress);
	++*(int *)arg;
	return 0;
}

/* Walks nested attributes: every value is within its parent. */
static size_t walk_attrs(struct nl_span rest, int depth)
{
	const char *end = rest.len ? rest.data + rest.len : NULL;
	struct nl_span value;
	uint16_t type;
	size_t sum = 0;

	while (nl_next(&rest, &type, &value)) {
		char text[8];

		MUST(value.data + value.len <= end);
		MUST(!(type & (NLA_F_NESTED | NLA_F_NET_BYTEORDER)));
		nl_str(value, text, sizeof(text));
		check_text(text, sizeof(text));
		sum += nl_u32(value) + nl_u8(value) + nl_find(value, type).len;
		if (depth < 4)
			sum += walk_attrs(value, depth + 1);
	}
	return sum;
}

/* Opens a socket with the answers already queued. SOCK_SEQPACKET keeps datagrams apart, ignores a
 * request's destination and reports the end. */
static bool open_answered(struct nl *nl, int *far, struct nl_span in, int pieces)
{
	static char answers[NL_BUF_MAX];
	struct nlmsghdr hdr = { .nlmsg_len = 0 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	*nl = (struct nl){ .fd = ends[0], .buf = answers };
	/* Reads past the longest answer are errors. */
	ASAN_UNPOISON_MEMORY_REGION(answers, sizeof(answers));
	ASAN_POISON_MEMORY_REGION(answers + in.len, sizeof(answers) - in.len);
	*far = ends[1];
	memcpy(&hdr, in.data, in.len < sizeof(hdr) ? in.len : sizeof(hdr));
	nl->seq = hdr.nlmsg_seq - 1; /* the answers match the next request */
	while (in.len) {
		size_t len = in.len;

		memcpy(&hdr, in.data, len < sizeof(hdr) ? len : sizeof(hdr));
		if (--pieces > 0 && hdr.nlmsg_len >= sizeof(hdr) && hdr.nlmsg_len < len &&
		    NLMSG_ALIGN((size_t)hdr.nlmsg_len) < len)
			len = NLMSG_ALIGN((size_t)hdr.nlmsg_len);
		MUST(write(ends[1], in.data, len) == (ssize_t)len);
		in.data += len;
		in.len -= len;
	}
	return !shutdown(ends[1], SHUT_WR);
}

static void close_answered(const struct nl *nl, int far)
{
	check_text(nl->ext_ack, sizeof(nl->ext_ack));
	close(nl->fd);
	close(far);
}

/* Reads events, and a dump that is repeated if it was interrupted. */
static void check_lists(struct nl_span in)
{
	struct link_list links = { 0 };
	int far, stop = 0;
	struct nl nl;

	if (open_answered(&nl, &far, in, PIECES)) {
		nl_read(&nl, take_link, &stop);
		close_answered(&nl, far);
	}
	if (open_answered(&nl, &far, in, PIECES)) {
		link_list(&nl, &links);
		for (size_t i = 0; i < links.n; i++)
			check_link(&links.at[i]);
		link_list_free(&links);
		close_answered(&nl, far);
	}
}

/* The result of one exchange. One datagram and several give the same. */
struct exchange {
	int rc, filters, ifindex;
	bool overrun;
	char ext_ack[NL_EXT_ACK_MAX];
};

static bool run_exchange(struct nl_span in, int pieces, bool filters, struct exchange *l)
{
	struct link link = { .ifindex = 0 };
	int far;
	struct nl nl;

	if (!open_answered(&nl, &far, in, pieces))
		return false;
	if (filters)
		l->rc = tc_filter_dump(&nl, 7, true, take_filter, &l->filters);
	else
		l->rc = link_get(&nl, "eth0", 0, &link);
	check_link(&link);
	MUST(filters || (l->rc ? !link.ifindex : link.ifindex));
	l->ifindex = link.ifindex;
	l->overrun = nl.overrun;
	memcpy(l->ext_ack, nl.ext_ack, sizeof(l->ext_ack));
	close_answered(&nl, far);
	return true;
}

static void check_datagrams(const uint8_t *data, size_t size)
{
	struct nl_span in = { (const char *)data, size };

	if (!size || size > NL_BUF_MAX) /* the maximum of one datagram */
		return;
	check_lists(in);
	for (int filters = 0; filters < 2; filters++) {
		struct exchange one = { .rc = 0 }, many = { .rc = 0 };

		if (!run_exchange(in, 1, filters, &one) ||
		    !run_exchange(in, PIECES, filters, &many))
			return;
		MUST(one.rc == many.rc && !strcmp(one.ext_ack, many.ext_ack));
		MUST(one.filters == many.filters && one.ifindex == many.ifindex);
		MUST(one.overrun == many.overrun);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr hdr = { .nlmsg_type = RTM_NEWLINK };
	struct nl_span body = { (const char *)data, size };
	int go_on = 0;

	take_link(&hdr, body, &go_on);
	walk_attrs(body, 0);
	walk_attrs(nl_attrs(body, sizeof(struct ifinfomsg)), 0);
	check_datagrams(data, size);
	return 0;
}
