/* SPDX-License-Identifier: MIT */
/* Route netlink over plain sockets (netlink(7), rtnetlink(7)). */
#include "sys/netlink.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int nl_open(struct nl *nl, uint32_t groups)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = groups };
	struct nl opened = { .fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE) };
	int on = 1, err;

	if (opened.fd < 0)
		return -errno;
	/* Both only add error messages; kernels without them work, too. */
	setsockopt(opened.fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(opened.fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	err = bind(opened.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ? -errno : 0;
	opened.buf = err ? NULL : malloc(NL_BUF_MAX);
	if (!err && !opened.buf)
		err = -ENOMEM;
	if (err)
		nl_close(&opened);
	else
		*nl = opened;
	return err;
}

void nl_close(struct nl *nl)
{
	if (nl->fd)
		close(nl->fd);
	free(nl->buf);
	*nl = (struct nl){ 0 };
}

static void *reserve_bytes(struct nl_msg *m, size_t len)
{
	size_t at = NLMSG_ALIGN(m->hdr.nlmsg_len);

	if (m->full || len > NL_MSG_MAX || at + NLMSG_ALIGN(len) > NL_MSG_MAX) {
		m->full = true;
		return NULL;
	}
	memset(m->buf + at, 0, NLMSG_ALIGN(len));
	m->hdr.nlmsg_len = (uint32_t)(at + len);
	return m->buf + at;
}

void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	void *at;

	memset(&m->hdr, 0, sizeof(m->hdr));
	m->full = false;
	m->hdr.nlmsg_len = NLMSG_HDRLEN;
	m->hdr.nlmsg_type = type;
	m->hdr.nlmsg_flags = NLM_F_REQUEST | flags;
	at = reserve_bytes(m, len);
	if (at && len)
		memcpy(at, body, len);
}

void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = reserve_bytes(m, NLA_HDRLEN + len);

	if (!a)
		return;
	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
}

void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t value)
{
	nl_put(m, type, &value, sizeof(value));
}

void nl_put_str(struct nl_msg *m, uint16_t type, const char *s)
{
	nl_put(m, type, s, strlen(s) + 1);
}

size_t nl_nest(struct nl_msg *m, uint16_t type)
{
	size_t at = NLMSG_ALIGN(m->hdr.nlmsg_len);

	nl_put(m, type | NLA_F_NESTED, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_msg *m, size_t at)
{
	struct nlattr *a = (void *)(m->buf + at);

	if (!m->full)
		a->nla_len = (uint16_t)(m->hdr.nlmsg_len - at);
}

bool nl_next(struct nl_span *attrs, uint16_t *type, struct nl_span *value)
{
	struct nlattr a;
	size_t step;

	if (attrs->len < NLA_HDRLEN)
		return false;
	memcpy(&a, attrs->data, sizeof(a));
	if (a.nla_len < NLA_HDRLEN || a.nla_len > attrs->len)
		return false;
	*type = a.nla_type & NLA_TYPE_MASK;
	*value = (struct nl_span){ attrs->data + NLA_HDRLEN, a.nla_len - (size_t)NLA_HDRLEN };
	step = NLA_ALIGN((size_t)a.nla_len);
	if (step > attrs->len)
		step = attrs->len;
	attrs->data += step;
	attrs->len -= step;
	return true;
}

struct nl_span nl_find(struct nl_span attrs, uint16_t type)
{
	struct nl_span value;
	uint16_t t;

	while (nl_next(&attrs, &t, &value))
		if (t == type)
			return value;
	return (struct nl_span){ 0 };
}

struct nl_span nl_attrs(struct nl_span body, size_t len)
{
	len = NLMSG_ALIGN(len);
	if (body.len <= len)
		return (struct nl_span){ 0 };
	return (struct nl_span){ body.data + len, body.len - len };
}

uint32_t nl_u32(struct nl_span value)
{
	uint32_t v = 0;

	if (value.len >= sizeof(v))
		memcpy(&v, value.data, sizeof(v));
	return v;
}

uint8_t nl_u8(struct nl_span value)
{
	return value.len ? (uint8_t)value.data[0] : 0;
}

void nl_str(struct nl_span value, char *dst, size_t len)
{
	size_t n = value.len ? strnlen(value.data, value.len) : 0;

	if (n >= len)
		n = len - 1;
	if (n)
		memcpy(dst, value.data, n);
	dst[n] = '\0';
}

/* Returns the error of an NLMSG_ERROR and keeps the kernel's message, if any. With NLM_F_CAPPED,
 * the kernel echoes only the header of the request before it. */
static int parse_error(struct nl *nl, const struct nlmsghdr *hdr, struct nl_span body)
{
	struct nlmsgerr e;
	size_t skip = sizeof(e);

	if (body.len < sizeof(e))
		return -EBADMSG;
	memcpy(&e, body.data, sizeof(e));
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED) && e.msg.nlmsg_len > NLMSG_HDRLEN)
		skip += NLMSG_ALIGN(e.msg.nlmsg_len) - NLMSG_HDRLEN;
	if (hdr->nlmsg_flags & NLM_F_ACK_TLVS)
		nl_str(nl_find(nl_attrs(body, skip), NLMSGERR_ATTR_MSG), nl->ext_ack,
		       sizeof(nl->ext_ack));
	return e.error;
}

static ssize_t receive_datagram(struct nl *nl, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { nl->buf, NL_BUF_MAX };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do
		n = recvmsg(nl->fd, &msg, flags);
	while ((n < 0 && errno == EINTR && !(flags & MSG_DONTWAIT)) || (n >= 0 && from.nl_pid));
	if (n < 0)
		return -errno;
	return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

enum { WALK_CONTINUE, WALK_DONE };

/* Walks the messages of a datagram. seq: only replies to the request with this number; 0: all. */
static int walk_messages(struct nl *nl, struct nl_span in, uint32_t seq, nl_each *each, void *arg,
			 int *rc)
{
	while (in.len >= NLMSG_HDRLEN) {
		struct nlmsghdr hdr;
		struct nl_span body;
		size_t step;

		memcpy(&hdr, in.data, sizeof(hdr));
		if (hdr.nlmsg_len < NLMSG_HDRLEN || hdr.nlmsg_len > in.len) {
			*rc = -EBADMSG;
			return WALK_DONE;
		}
		body = (struct nl_span){ in.data + NLMSG_HDRLEN, hdr.nlmsg_len - NLMSG_HDRLEN };
		step = NLMSG_ALIGN((size_t)hdr.nlmsg_len);
		in.data += step < in.len ? step : in.len;
		in.len -= step < in.len ? step : in.len;
		if (seq && hdr.nlmsg_seq != seq)
			continue;
		if (hdr.nlmsg_flags & NLM_F_DUMP_INTR)
			nl->overrun = true;
		if (hdr.nlmsg_type == NLMSG_ERROR) {
			int err = parse_error(nl, &hdr, body);

			if (!*rc)
				*rc = err;
			return WALK_DONE;
		}
		if (hdr.nlmsg_type == NLMSG_DONE) { /* carries the error of the dump, or 0 */
			int32_t err = (int32_t)nl_u32(body);

			if (!*rc)
				*rc = err;
			return WALK_DONE;
		}
		if (hdr.nlmsg_type >= NLMSG_MIN_TYPE && each && !*rc)
			*rc = each(&hdr, body, arg);
	}
	return WALK_CONTINUE;
}

static int send_and_receive(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	ssize_t n;
	int rc = 0;

	if (m->full)
		return -EMSGSIZE;
	m->hdr.nlmsg_seq = ++nl->seq;
	nl->ext_ack[0] = '\0';
	nl->overrun = false;
	if (sendto(nl->fd, m->buf, m->hdr.nlmsg_len, 0, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return -errno;
	do
		n = receive_datagram(nl, 0);
	while (n > 0 && walk_messages(nl, (struct nl_span){ nl->buf, (size_t)n }, nl->seq, each,
				      arg, &rc) == WALK_CONTINUE);
	return n < 0 ? (int)n : rc;
}

int nl_call(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg)
{
	m->hdr.nlmsg_flags |= NLM_F_ACK;
	return send_and_receive(nl, m, each, arg);
}

int nl_dump(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg)
{
	m->hdr.nlmsg_flags |= NLM_F_DUMP;
	return send_and_receive(nl, m, each, arg);
}

int nl_read(struct nl *nl, nl_each *each, void *arg)
{
	ssize_t n = 0;
	int rc = 0;

	while (!rc && (n = receive_datagram(nl, MSG_DONTWAIT)) > 0)
		walk_messages(nl, (struct nl_span){ nl->buf, (size_t)n }, 0, each, arg, &rc);
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		return (int)n;
	return rc;
}

static int ignore_message(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	(void)hdr;
	(void)body;
	(void)arg;
	return 0;
}

int nl_drain(struct nl *nl)
{
	return nl_read(nl, ignore_message, NULL);
}
