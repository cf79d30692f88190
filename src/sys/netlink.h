/* SPDX-License-Identifier: MIT */
/* Netlink: builds, sends and parses messages, and checks every length. */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NL_MSG_MAX = 2048,    /* of a request; those of this program are far smaller */
	NL_EXT_ACK_MAX = 160, /* of the kernel's error message */
	NL_BUF_MAX = 32768,   /* the kernel fills at most this much at a time (netlink(7)) */
};

/* A route netlink socket. Zeroed: closed. Do not start a call from a callback of the same
 * socket. */
struct nl {
	int fd;
	uint32_t seq;
	char *buf;                    /* NL_BUF_MAX bytes for replies */
	char ext_ack[NL_EXT_ACK_MAX]; /* the kernel's message for the last error, or "" */
	bool overrun;                 /* the last dump was inconsistent, or events were lost */
};

/* A request under construction. */
struct nl_msg {
	union {
		struct nlmsghdr hdr;
		char buf[NL_MSG_MAX];
	};
	bool full; /* the message is too long: nl_call() will return -EMSGSIZE */
};

/* The unread part of a received message or attribute. */
struct nl_span {
	const char *data;
	size_t len;
};

/* groups: RTMGRP_* whose events to receive; 0: for requests only. */
int nl_open(struct nl *nl, uint32_t groups);
void nl_close(struct nl *nl);

/* Starts a request. body: the family header of len bytes (such as struct ifinfomsg). */
void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *body, size_t len);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t value);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *s);
/* Starts a nested attribute. Pass the returned offset to nl_nest_end(). */
size_t nl_nest(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, size_t at);

/* Called for each message; a value other than 0 ends the walk and is returned. */
typedef int nl_each(const struct nlmsghdr *hdr, struct nl_span body, void *arg);

/* Sends a request and waits for its acknowledgement. Passes replies to each, which may be NULL.
 * Returns 0 or -errno, with the kernel's message in nl->ext_ack. */
int nl_call(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg);
/* Sends a dump request and walks all replies. If the kernel reports that the data changed
 * meanwhile, completes the walk and sets nl->overrun. */
int nl_dump(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg);
/* Reads the events that have arrived, without waiting. -ENOBUFS: events were lost; read the whole
 * state again. */
int nl_read(struct nl *nl, nl_each *each, void *arg);
/* Like nl_read(), but discards the events. */
int nl_drain(struct nl *nl);

/* Gets the next attribute of *attrs. Returns false at the end or if the attribute is incomplete. */
bool nl_next(struct nl_span *attrs, uint16_t *type, struct nl_span *value);
/* Returns the first attribute of a type; an empty span if the type is missing. */
struct nl_span nl_find(struct nl_span attrs, uint16_t type);
/* Returns the attributes after a family header of len bytes; empty if the body is shorter. */
struct nl_span nl_attrs(struct nl_span body, size_t len);
uint32_t nl_u32(struct nl_span value);                    /* 0 if too short */
uint8_t nl_u8(struct nl_span value);                      /* 0 if too short */
void nl_str(struct nl_span value, char *dst, size_t len); /* always NUL-terminated */

#endif
