/* SPDX-License-Identifier: MIT */
/* Netlink messages are parsed whole, truncated and damaged, and built. */
#include <check.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "sys/link.h"
#include "sys/netlink.h"
#include "tests/unit/sys_cases.h"
#undef fail /* check.h defines it, too */
#include "base/err.h"

/* Copies bytes to exactly allocated memory, so that the sanitizer detects reads past them. */
static struct nl_span copy_exactly(const void *data, size_t len)
{
	char *own = malloc(len ? len : 1);

	memcpy(own, data, len);
	return (struct nl_span){ own, len };
}

static void free_span(struct nl_span s)
{
	free((void *)(uintptr_t)s.data);
}

/* Numbers in attributes are in the host's byte order. */
static const struct __attribute__((packed)) {
	struct nlattr one;
	char text[4]; /* a length that needs padding */
	struct nlattr two, three;
	uint32_t number;
	struct nlattr four;
	char last; /* without padding */
	char end;
} attrs = {
	{ 6, 1 },
	"ab",
	{ 4, 2 | NLA_F_NESTED },
	{ 8, 3 | NLA_F_NET_BYTEORDER }, /* only a flag: readers know the byte order by the type */
	0x12345678,
	{ 5, 4 },
	'z',
	0,
};

START_TEST(attributes_are_walked)
{
	static const size_t ends[] = { 6, 12, 20, 25 };
	static const uint16_t lens[] = { 2, 0, 4, 1 };

	for (size_t len = 0; len < sizeof(attrs); len++) {
		struct nl_span all = copy_exactly(&attrs, len), rest = all, v = { 0 };
		uint16_t type = 0;
		size_t n = 0;

		for (; nl_next(&rest, &type, &v); n++) {
			ck_assert_uint_lt(n, 4);
			ck_assert_uint_eq(type, n + 1);
			ck_assert_uint_eq(v.len, lens[n]);
			ck_assert(v.data >= all.data);
			ck_assert(v.data + v.len <= all.data + len);
		}
		/* An attribute is complete with its last byte, without its padding. */
		ck_assert_uint_eq(n, (size_t)(len >= ends[0]) + (len >= ends[1]) +
					     (len >= ends[2]) + (len >= ends[3]));
		free_span(all);
	}
}
END_TEST

START_TEST(wrong_attribute_lengths_are_refused)
{
	for (unsigned int claim = 0; claim <= UINT16_MAX; claim++) {
		struct nlattr a = { (uint16_t)claim, 7 };
		char bytes[sizeof(a) + 5] = { 0 };
		struct nl_span all, rest, v;
		uint16_t type = 0;

		memcpy(bytes, &a, sizeof(a));
		all = rest = copy_exactly(bytes, sizeof(bytes));
		ck_assert_int_eq(nl_next(&rest, &type, &v), claim >= 4 && claim <= sizeof(bytes));
		if (claim >= 4 && claim <= sizeof(bytes)) {
			ck_assert_uint_eq(v.len, claim - 4);
			ck_assert(rest.data + rest.len == all.data + all.len);
		} else {
			ck_assert_ptr_eq(rest.data, all.data);
		}
		free_span(all);
	}
}
END_TEST

START_TEST(attribute_values_are_read)
{
	struct nl_span all = { (const char *)&attrs, sizeof(attrs) - 1 };
	char s[3];

	ck_assert_uint_eq(nl_u32(nl_find(all, 3)), 0x12345678);
	ck_assert_uint_eq(nl_u32(nl_find(all, 1)), 0);
	ck_assert_uint_eq(nl_u8(nl_find(all, 4)), 'z');
	ck_assert_uint_eq(nl_u8(nl_find(all, 2)), 0);
	ck_assert_uint_eq(nl_find(all, 5).len, 0);
	nl_str(nl_find(all, 1), s, sizeof(s));
	ck_assert_str_eq(s, "ab");
	nl_str(nl_find(all, 1), s, 2);
	ck_assert_str_eq(s, "a");
	nl_str(nl_find(all, 1), s, 1);
	ck_assert_str_eq(s, "");
	nl_str(nl_find(all, 9), s, sizeof(s));
	ck_assert_str_eq(s, "");
	nl_str((struct nl_span){ "x\0y", 3 }, s, sizeof(s));
	ck_assert_str_eq(s, "x");
	ck_assert_uint_eq(nl_attrs(all, sizeof(attrs) - 1).len, 0);
	ck_assert_uint_eq(nl_attrs(all, 1000).len, 0);
	ck_assert_ptr_eq(nl_attrs(all, 5).data, all.data + 8);
	ck_assert_uint_eq(nl_attrs(all, 5).len, all.len - 8);
}
END_TEST

static struct nl_span get_body(const struct nl_msg *m)
{
	return (struct nl_span){ m->buf + NLMSG_HDRLEN, m->hdr.nlmsg_len - NLMSG_HDRLEN };
}

START_TEST(requests_are_built)
{
	struct ifinfomsg ifi = { .ifi_index = 3 };
	struct nl_span all, outer, inner;
	size_t one, two;
	struct nl_msg m;

	memset(&m, 0xff, sizeof(m));
	nl_begin(&m, RTM_NEWLINK, NLM_F_CREATE, &ifi, sizeof(ifi));
	nl_put_str(&m, 1, "x");
	one = nl_nest(&m, 2);
	nl_put_u32(&m, 3, 77);
	two = nl_nest(&m, 4);
	nl_put(&m, 5, NULL, 0);
	nl_put(&m, 6, "abc", 3);
	nl_nest_end(&m, two);
	nl_nest_end(&m, one);
	nl_put_u32(&m, 7, 78);
	ck_assert(!m.full);
	ck_assert_uint_eq(m.hdr.nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE);
	ck_assert_uint_eq(m.hdr.nlmsg_seq, 0);
	/* Header, body, padded "x", the nests, the last attribute. */
	ck_assert_uint_eq(m.hdr.nlmsg_len, 16 + 16 + 8 + 4 + 8 + 4 + 4 + 8 + 8);
	all = nl_attrs(get_body(&m), sizeof(ifi));
	outer = nl_find(all, 2);
	inner = nl_find(outer, 4);
	ck_assert_uint_eq(outer.len, 8 + 4 + 4 + 7);
	ck_assert_uint_eq(inner.len, 4 + 7);
	ck_assert_uint_eq(nl_u32(nl_find(outer, 3)), 77);
	ck_assert_mem_eq(nl_find(inner, 6).data, "abc\0", 4); /* the padding is zero */
	ck_assert_uint_eq(nl_u32(nl_find(all, 7)), 78);
}
END_TEST

/* A request never exceeds its memory, and overflow is recorded. */
START_TEST(long_requests_are_refused)
{
	static const char big[70000];
	struct nl nl = { 0 };
	struct nl_msg *m = malloc(sizeof(*m));
	uint32_t before;
	size_t nest;

	for (size_t step = 0; step < 300; step++) {
		nl_begin(m, 1, 0, NULL, 0);
		nest = nl_nest(m, 1);
		for (int i = 0; i < 1000; i++)
			nl_put(m, 2, big, step);
		ck_assert(m->full);
		ck_assert_uint_le(m->hdr.nlmsg_len, NL_MSG_MAX);
		ck_assert_uint_gt(m->hdr.nlmsg_len + step + 4 + 4, NL_MSG_MAX);
		before = m->hdr.nlmsg_len;
		nl_nest_end(m, nl_nest(m, 3));
		nl_put(m, 4, NULL, 0);
		nl_nest_end(m, nest);
		ck_assert_uint_eq(m->hdr.nlmsg_len, before);
		ck_assert_int_eq(nl_call(&nl, m, NULL, NULL), -EMSGSIZE);
	}
	nl_begin(m, 1, 0, NULL, 0);
	nl_put(m, 2, big, sizeof(big));
	ck_assert(m->full);
	nl_begin(m, 1, 0, big, NL_MSG_MAX - NLMSG_HDRLEN);
	ck_assert(!m->full);
	ck_assert_uint_eq(m->hdr.nlmsg_len, NL_MSG_MAX);
	nl_begin(m, 1, 0, big, NL_MSG_MAX - NLMSG_HDRLEN + 1);
	ck_assert(m->full);
	free(m);
}
END_TEST

static void build_link(struct nl_msg *m, uint8_t family, uint16_t type)
{
	struct ifinfomsg ifi = {
		.ifi_family = family, .ifi_index = 5, .ifi_type = 1, .ifi_flags = IFF_UP
	};
	struct rtnl_link_stats64 stats = {
		.rx_packets = 1, .rx_bytes = 2, .tx_packets = 3, .tx_bytes = 4
	};
	size_t nest;

	nl_begin(m, type, 0, &ifi, sizeof(ifi));
	nl_put_str(m, IFLA_IFNAME, "veth12345678901");
	nl_put_u32(m, IFLA_MTU, 1500);
	nl_put(m, IFLA_STATS64, &stats, sizeof(stats));
	nest = nl_nest(m, IFLA_LINKINFO);
	nl_put_str(m, IFLA_INFO_KIND, "veth");
	nl_nest_end(m, nest);
	nest = nl_nest(m, IFLA_XDP);
	nl_put(m, IFLA_XDP_ATTACHED, &(uint8_t){ XDP_ATTACHED_MULTI }, 1);
	nl_put_u32(m, IFLA_XDP_DRV_PROG_ID, 11);
	nl_put_u32(m, IFLA_XDP_SKB_PROG_ID, 12);
	nl_put_u32(m, IFLA_XDP_HW_PROG_ID, 13);
	nl_nest_end(m, nest);
}

START_TEST(links_are_parsed)
{
	struct link link = { .ifindex = 99 };
	struct nl_msg m;

	build_link(&m, AF_BRIDGE, RTM_NEWLINK);
	ck_assert(!link_parse(&m.hdr, get_body(&m), &link));
	build_link(&m, AF_UNSPEC, RTM_NEWADDR);
	ck_assert(!link_parse(&m.hdr, get_body(&m), &link));
	ck_assert_int_eq(link.ifindex, 99);
	build_link(&m, AF_UNSPEC, RTM_DELLINK);
	ck_assert(link_parse(&m.hdr, get_body(&m), &link) && link.gone);
	build_link(&m, AF_UNSPEC, RTM_NEWLINK);
	ck_assert(link_parse(&m.hdr, get_body(&m), &link));
	ck_assert(link.up && !link.gone);
	ck_assert_int_eq(link.ifindex, 5);
	ck_assert_uint_eq(link.type, 1);
	ck_assert_str_eq(link.name, "veth12345678901");
	ck_assert_str_eq(link.kind, "veth");
	ck_assert_uint_eq(link.mtu, 1500);
	ck_assert_uint_eq(link.xdp_native, 11);
	ck_assert_uint_eq(link.xdp_generic, 12);
	ck_assert_uint_eq(link.xdp_offload, 13);
	ck_assert_uint_eq(link.stats.rx_packets, 1);
	ck_assert_uint_eq(link.stats.rx_bytes, 2);
	ck_assert_uint_eq(link.stats.tx_packets, 3);
	ck_assert_uint_eq(link.stats.tx_bytes, 4);
}
END_TEST

static void parse_exactly(const struct nlmsghdr *hdr, struct nl_span body)
{
	struct nl_span own = copy_exactly(body.data, body.len);
	struct link link;
	bool ok = link_parse(hdr, own, &link);

	ck_assert_int_eq(ok, body.len >= sizeof(struct ifinfomsg) && !own.data[0]);
	if (ok) {
		ck_assert_uint_lt(strnlen(link.name, sizeof(link.name)), sizeof(link.name));
		ck_assert_uint_lt(strnlen(link.kind, sizeof(link.kind)), sizeof(link.kind));
	}
	free_span(own);
}

/* Older kernels send fewer counters. */
START_TEST(links_may_lack_counters)
{
	static const uint64_t few[] = { 7, 8, 9 };
	struct ifinfomsg ifi = { .ifi_index = 5 };
	struct nl_span own;
	struct link link;
	struct nl_msg m;

	nl_begin(&m, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_put(&m, IFLA_STATS64, few, sizeof(few));
	own = copy_exactly(get_body(&m).data, get_body(&m).len);
	ck_assert(link_parse(&m.hdr, own, &link));
	ck_assert_uint_eq(link.stats.rx_packets, 7);
	ck_assert_uint_eq(link.stats.tx_packets, 8);
	ck_assert_uint_eq(link.stats.rx_bytes, 9);
	ck_assert_uint_eq(link.stats.tx_bytes, 0);
	free_span(own);
}
END_TEST

START_TEST(damaged_links_are_safe)
{
	struct nl_span body;
	struct nl_msg m;

	build_link(&m, AF_UNSPEC, RTM_NEWLINK);
	body = get_body(&m);
	for (size_t len = 0; len <= body.len; len++)
		parse_exactly(&m.hdr, (struct nl_span){ body.data, len });
	for (size_t at = 0; at < body.len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			m.buf[NLMSG_HDRLEN + at] ^= (char)(1 << bit);
			parse_exactly(&m.hdr, body);
			m.buf[NLMSG_HDRLEN + at] ^= (char)(1 << bit);
		}
	}
}
END_TEST

static int count_message(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	(void)hdr;
	(void)body;
	return ++*(int *)arg == 3 ? -ECANCELED : 0;
}

/* Reads a datagram from a socket pair instead of a netlink socket. */
static int read_datagram(const void *data, size_t len, struct nl *nl, int *seen)
{
	static char answers[NL_BUF_MAX];
	int ends[2], rc;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], data, len), (ssize_t)len);
	*nl = (struct nl){ .fd = ends[0], .buf = answers };
	*seen = 0;
	rc = nl_read(nl, count_message, seen);
	close(ends[0]);
	close(ends[1]);
	return rc;
}

START_TEST(datagrams_are_walked)
{
	char two[2 * sizeof(struct nl_msg)];
	struct nl_msg m;
	struct nl nl;
	size_t len;
	int seen;

	build_link(&m, AF_UNSPEC, RTM_NEWLINK);
	len = m.hdr.nlmsg_len;
	memcpy(two, m.buf, len);
	memcpy(two + len, m.buf, len);
	for (size_t n = 1; n <= 2 * len; n++) {
		int rc = read_datagram(two, n, &nl, &seen);
		/* A rest too short for a header is ignored. A truncated message is an error. */
		bool torn = n % len >= NLMSG_HDRLEN;

		ck_assert_int_eq(rc, torn ? -EBADMSG : 0);
		ck_assert_int_eq(seen, (int)(n / len));
	}
	for (uint32_t claim = 0; claim < NLMSG_HDRLEN; claim++) {
		m.hdr.nlmsg_len = claim;
		ck_assert_int_eq(read_datagram(m.buf, len, &nl, &seen), -EBADMSG);
		ck_assert_int_eq(seen, 0);
	}
}
END_TEST

START_TEST(kernel_messages_are_read)
{
	struct nlmsgerr err = { .error = -EEXIST, .msg = { .nlmsg_len = 36 } };
	struct nl_msg m;
	struct nl nl;
	int seen;

	nl_begin(&m, NLMSG_ERROR, 0, &err, sizeof(err));
	nl_put(&m, 0x3333, "the echoed part", 16); /* 20 bytes after the echoed header */
	nl_put_str(&m, NLMSGERR_ATTR_MSG, "not twice");
	m.hdr.nlmsg_flags = NLM_F_ACK_TLVS;
	ck_assert_int_eq(read_datagram(m.buf, m.hdr.nlmsg_len, &nl, &seen), -EEXIST);
	ck_assert_str_eq(nl.ext_ack, "not twice");

	nl_begin(&m, NLMSG_ERROR, 0, &err, sizeof(err));
	nl_put_str(&m, NLMSGERR_ATTR_MSG, "not thrice");
	m.hdr.nlmsg_flags = NLM_F_ACK_TLVS | NLM_F_CAPPED;
	ck_assert_int_eq(read_datagram(m.buf, m.hdr.nlmsg_len, &nl, &seen), -EEXIST);
	ck_assert_str_eq(nl.ext_ack, "not thrice");
	ck_assert_int_eq(seen, 0);
	for (uint32_t len = NLMSG_HDRLEN; len < NLMSG_HDRLEN + sizeof(err); len++) {
		m.hdr.nlmsg_len = len;
		ck_assert_int_eq(read_datagram(m.buf, len, &nl, &seen), -EBADMSG);
	}
}
END_TEST

TCase *netlink_cases(void)
{
	TCase *t = tcase_create("netlink");

	tcase_set_timeout(t, 30);
	tcase_add_test(t, attributes_are_walked);
	tcase_add_test(t, wrong_attribute_lengths_are_refused);
	tcase_add_test(t, attribute_values_are_read);
	tcase_add_test(t, requests_are_built);
	tcase_add_test(t, long_requests_are_refused);
	tcase_add_test(t, links_are_parsed);
	tcase_add_test(t, links_may_lack_counters);
	tcase_add_test(t, damaged_links_are_safe);
	tcase_add_test(t, datagrams_are_walked);
	tcase_add_test(t, kernel_messages_are_read);
	return t;
}
