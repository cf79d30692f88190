/* SPDX-License-Identifier: MIT */
/* Netlink: messages built, sent, and taken apart with every length checked. */
#ifndef SYS_NETLINK_H
#define SYS_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NL_MSG_MAX = 2048,    /* of a request; the ones we make are far smaller */
	NL_EXT_ACK_MAX = 160, /* of the kernel's own error message */
	NL_BUF_MAX = 32768,   /* the kernel fills up to this much at a time (netlink(7)) */
};

/* A route netlink socket. Zeroed: closed. Calls on one do not nest. */
struct nl {
	int fd;
	uint32_t seq;
	char *buf;                  /* NL_BUF_MAX bytes for answers */
	char words[NL_EXT_ACK_MAX]; /* what the kernel said of the last error (ext-ack), or "" */
	bool overrun;               /* the last dump was interrupted, or watched events were lost */
};

/* A request under construction. */
struct nl_msg {
	union {
		struct nlmsghdr hdr;
		char buf[NL_MSG_MAX];
	};
	bool full; /* something did not fit: nl_call() answers -EMSGSIZE */
};

/* A received attribute or message payload, as a range that cursors walk. */
struct nl_span {
	const char *data;
	size_t len;
};

/* groups: RTMGRP_* to watch, 0 for requests. */
int nl_open(struct nl *nl, uint32_t groups);
void nl_close(struct nl *nl);

/* Begin a request; body (len bytes) is the family header (struct ifinfomsg or the like). */
void nl_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const void *body, size_t len);
void nl_put(struct nl_msg *m, uint16_t type, const void *data, size_t len);
void nl_put_u32(struct nl_msg *m, uint16_t type, uint32_t value);
void nl_put_str(struct nl_msg *m, uint16_t type, const char *s);
/* Open a nested attribute; close it with the offset that was returned. */
size_t nl_nest(struct nl_msg *m, uint16_t type);
void nl_nest_end(struct nl_msg *m, size_t at);

/* Called for each message; a value other than 0 ends the walk and is returned. */
typedef int nl_each(const struct nlmsghdr *hdr, struct nl_span body, void *arg);

/* Send and wait for the acknowledgement; the answer of a get is given to each (may be NULL).
 * 0 or -errno; nl->words has the kernel's explanation. */
int nl_call(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg);
/* Send a dump request and walk all of its messages; a dump that the kernel says changed under way
 * is completed and sets nl->overrun. */
int nl_dump(struct nl *nl, struct nl_msg *m, nl_each *each, void *arg);
/* Read what has arrived on a watching socket without waiting. -ENOBUFS: events were lost, look at
 * everything again. */
int nl_read(struct nl *nl, nl_each *each, void *arg);
/* The same for those to whom it is enough that something has arrived. */
int nl_drain(struct nl *nl);

/* Cursor over attributes: true and *type, *value as long as a whole one is there. */
bool nl_next(struct nl_span *rest, uint16_t *type, struct nl_span *value);
/* The first attribute of a type; an empty span if there is none. */
struct nl_span nl_find(struct nl_span attrs, uint16_t type);
/* Behind a family header of len bytes; empty if the body is shorter. */
struct nl_span nl_attrs(struct nl_span body, size_t len);
uint32_t nl_u32(struct nl_span value);                    /* 0 if it is too short */
uint8_t nl_u8(struct nl_span value);                      /* 0 if it is too short */
void nl_str(struct nl_span value, char *dst, size_t len); /* always ended with a NUL */

#endif
