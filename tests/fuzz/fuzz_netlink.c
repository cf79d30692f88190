/* SPDX-License-Identifier: MIT */
/* Any bytes as what netlink may answer: a link's attributes, and datagrams of messages as events
 * and as the answers to requests. */
#include "tests/fuzz/fuzz.h"
#include <linux/rtnetlink.h>
#include <sanitizer/asan_interface.h>
#include <sys/socket.h>
#include "sys/link.h"
#include "sys/netlink.h"
#include "sys/tc.h"

/* Datagrams that an input is cut into at most; a socket's queue has room for that. */
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

/* Nested to the bottom: every value lies in its parent. */
static size_t walk(struct nl_span rest, int depth)
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
			sum += walk(value, depth + 1);
	}
	return sum;
}

/* A socket that has answered already. Of this kind, for it keeps datagrams apart, ignores to whom
 * a request goes, and says when there is no more. */
static bool open_answered(struct nl *nl, int *far, struct nl_span in, int pieces)
{
	static char answers[NL_BUF_MAX];
	struct nlmsghdr hdr = { .nlmsg_len = 0 };
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return false;
	*nl = (struct nl){ .fd = ends[0], .buf = answers };
	/* Nothing longer comes: what stands behind it is not to be read. */
	ASAN_UNPOISON_MEMORY_REGION(answers, sizeof(answers));
	ASAN_POISON_MEMORY_REGION(answers + in.len, sizeof(answers) - in.len);
	*far = ends[1];
	memcpy(&hdr, in.data, in.len < sizeof(hdr) ? in.len : sizeof(hdr));
	nl->seq = hdr.nlmsg_seq - 1; /* answers are to the next request */
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

/* Events, and a dump that is asked for again if it was interrupted. */
static void list(struct nl_span in)
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

/* What was learnt from one exchange: the same from one datagram and from several. */
struct learnt {
	int rc, filters, ifindex;
	bool overrun;
	char words[NL_EXT_ACK_MAX];
};

static bool learn(struct nl_span in, int pieces, bool filters, struct learnt *l)
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
	memcpy(l->words, nl.ext_ack, sizeof(l->words));
	close_answered(&nl, far);
	return true;
}

static void receive(const uint8_t *data, size_t size)
{
	struct nl_span in = { (const char *)data, size };

	if (!size || size > NL_BUF_MAX) /* one datagram holds no more */
		return;
	list(in);
	for (int filters = 0; filters < 2; filters++) {
		struct learnt one = { .rc = 0 }, many = { .rc = 0 };

		if (!learn(in, 1, filters, &one) || !learn(in, PIECES, filters, &many))
			return;
		MUST(one.rc == many.rc && !strcmp(one.words, many.words));
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
	walk(body, 0);
	walk(nl_attrs(body, sizeof(struct ifinfomsg)), 0);
	receive(data, size);
	return 0;
}
