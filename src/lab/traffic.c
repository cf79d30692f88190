/* SPDX-License-Identifier: MIT */
/* Real traffic across the laboratory. One thread has the sockets of both sides, as a socket stays
 * in the namespace in which it was created. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "lab/address.h"
#include "lab/lab.h"
#include "sys/netns.h"

enum {
	TIMEOUT_MS = 2000,
	PORT = 4242,
	CHUNK = 16384, /* bytes of TCP per write: less than any socket buffer holds */
	ICMP_HEAD = 8, /* header length of echo messages, in both families */
};

struct pair {
	int near, far;
};

static void pair_close(struct pair *p)
{
	if (p->near > 0)
		close(p->near);
	if (p->far > 0)
		close(p->far);
	*p = (struct pair){ 0 };
}

static socklen_t fill_address(struct sockaddr_storage *ss, enum lab_side side, int family,
			      uint16_t port)
{
	struct sockaddr_in *v4 = (void *)ss;
	struct sockaddr_in6 *v6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_port = htons(port);
		inet_pton(AF_INET, lab_address(side, family), &v4->sin_addr);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	inet_pton(AF_INET6, lab_address(side, family), &v6->sin6_addr);
	return sizeof(*v6);
}

static int open_far_socket(const struct lab *lab, int family, int type)
{
	int fd, rc = netns_set(lab->end[LAB_FAR].netns);

	if (rc)
		return rc;
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		fd = -errno;
	rc = netns_set(lab->end[LAB_NEAR].netns);
	if (rc && fd >= 0)
		close(fd);
	return rc ? rc : fd;
}

static int bind_to(int fd, enum lab_side side, int family, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = fill_address(&ss, side, family, port);

	return bind(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

static int connect_to(int fd, enum lab_side side, int family, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = fill_address(&ss, side, family, port);

	return connect(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : 0;
}

/* Opens a socket of one type on each side. The far one is bound to the port. */
static int pair_open(const struct lab *lab, int family, int type, struct pair *p)
{
	int on = 1, rc;

	p->far = open_far_socket(lab, family, type);
	if (p->far < 0)
		return p->far;
	setsockopt(p->far, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	rc = bind_to(p->far, LAB_FAR, family, PORT);
	if (rc)
		return rc;
	p->near = socket(family, type | SOCK_CLOEXEC, 0);
	return p->near < 0 ? -errno : 0;
}

static int wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n = poll(&p, 1, TIMEOUT_MS);

	return n < 0 ? -errno : n ? 0 : -ETIMEDOUT;
}

/* Signals do not interrupt it: callers check for one between two exchanges. */
static int receive_message(int fd, void *buf, size_t len)
{
	int rc = wait_readable(fd);
	ssize_t n = rc ? rc : recv(fd, buf, len, 0);

	if (rc)
		return rc;
	return n < 0 ? -errno : (int)n;
}

static int exchange_datagrams(const struct pair *p, unsigned int n, char *buf, size_t len,
			      bool echo)
{
	struct sockaddr_storage from;
	int rc = 0;

	for (unsigned int i = 0; i < n && rc >= 0; i++) {
		socklen_t from_len = sizeof(from);

		if (send(p->near, buf, len, 0) < 0)
			return -errno;
		rc = wait_readable(p->far);
		if (rc)
			return rc;
		if (recvfrom(p->far, buf, len, 0, (struct sockaddr *)&from, &from_len) < 0)
			return -errno;
		if (!echo)
			continue;
		if (sendto(p->far, buf, len, 0, (struct sockaddr *)&from, from_len) < 0)
			return -errno;
		rc = receive_message(p->near, buf, len);
	}
	return rc < 0 ? rc : 0;
}

int lab_udp(const struct lab *lab, int family, unsigned int n, size_t len, bool echo)
{
	char *buf = calloc(1, len + 1);
	struct pair p = { 0 };
	int rc = buf ? pair_open(lab, family, SOCK_DGRAM, &p) : -ENOMEM;

	if (!rc)
		rc = connect_to(p.near, LAB_FAR, family, PORT);
	if (!rc)
		rc = exchange_datagrams(&p, n, buf, len, echo);
	pair_close(&p);
	free(buf);
	return rc;
}

/* Sends len bytes from one side to the other, at most a chunk at a time. */
static int send_through(int from, int to, char *buf, size_t len)
{
	while (len) {
		size_t part = len < CHUNK ? len : CHUNK, got = 0;

		if (send(from, buf, part, MSG_NOSIGNAL) != (ssize_t)part)
			return -errno;
		while (got < part) {
			int n = receive_message(to, buf, part - got);

			if (n <= 0)
				return n ? n : -ECONNRESET;
			got += (size_t)n;
		}
		len -= part;
	}
	return 0;
}

static int run_connection(struct pair *p, int family, size_t len)
{
	char *buf = calloc(1, CHUNK);
	int rc = buf ? 0 : -ENOMEM, conn;

	if (!rc && listen(p->far, 1) < 0)
		rc = -errno;
	if (!rc)
		rc = connect_to(p->near, LAB_FAR, family, PORT);
	if (!rc)
		rc = wait_readable(p->far);
	conn = rc ? -1 : accept4(p->far, NULL, NULL, SOCK_CLOEXEC);
	if (!rc && conn < 0)
		rc = -errno;
	if (!rc)
		rc = send_through(p->near, conn, buf, len);
	if (!rc)
		rc = send_through(conn, p->near, buf, len);
	if (!rc) { /* each side waits for the other's FIN: nothing is left in flight */
		shutdown(p->near, SHUT_WR);
		rc = receive_message(conn, buf, 1);
		shutdown(conn, SHUT_WR);
		if (!rc)
			rc = receive_message(p->near, buf, 1);
	}
	if (conn >= 0)
		close(conn);
	free(buf);
	return rc;
}

int lab_tcp(const struct lab *lab, int family, size_t len)
{
	struct pair p = { 0 };
	int rc = pair_open(lab, family, SOCK_STREAM, &p);

	if (!rc)
		rc = run_connection(&p, family, len);
	pair_close(&p);
	return rc;
}

static uint16_t internet_checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(data[i] << 8 | data[i + 1]);
	if (len & 1)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* Builds an echo message (RFC 792, RFC 4443): type, code, checksum, identifier, sequence number.
 * For IPv6 the kernel fills in the checksum. */
static void build_echo_request(uint8_t *msg, size_t len, int family, uint16_t seq)
{
	uint16_t sum;

	memset(msg, 0, len);
	msg[0] = family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	msg[6] = (uint8_t)(seq >> 8);
	msg[7] = (uint8_t)seq;
	sum = family == AF_INET ? internet_checksum(msg, len) : 0;
	memcpy(msg + 2, &sum, sizeof(sum));
}

/* Raw sockets deliver IPv4 packets with their header (raw(7)). */
static int await_reply(int fd, int family, uint16_t seq)
{
	uint8_t buf[2048] = { 0 };

	for (;;) {
		int n = receive_message(fd, buf, sizeof(buf));
		int skip = family == AF_INET && n > 0 ? (buf[0] & 0xf) * 4 : 0;
		uint8_t reply_type = family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;

		if (n < 0)
			return n;
		if (n >= skip + ICMP_HEAD && buf[skip] == reply_type &&
		    (buf[skip + 6] << 8 | buf[skip + 7]) == seq)
			return 0;
	}
}

int lab_ping(const struct lab *lab, int family, unsigned int n, size_t len)
{
	int proto = family == AF_INET ? (int)IPPROTO_ICMP : (int)IPPROTO_ICMPV6, rc;
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, proto);
	uint8_t msg[1024];

	(void)lab; /* the thread is on the near side, so the socket is too */
	if (fd < 0)
		return -errno;
	len += ICMP_HEAD;
	if (len > sizeof(msg))
		len = sizeof(msg);
	rc = connect_to(fd, LAB_FAR, family, 0);
	for (unsigned int i = 0; i < n && !rc; i++) {
		build_echo_request(msg, len, family, (uint16_t)i);
		if (send(fd, msg, len, 0) < 0)
			rc = -errno;
		else
			rc = await_reply(fd, family, (uint16_t)i);
	}
	close(fd);
	return rc;
}
