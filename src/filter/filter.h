/* SPDX-License-Identifier: MIT */
/* The filter language: pcap-filter(7) as tcpdump's users type it, and sonde's own words beyond it.
 *
 * A filter is parsed into a tree of few kinds of nodes, which know a packet only as a struct view
 * and its bytes. Evaluated here for files, emitted as BPF for the kernel: the same tree, so that
 * either is the other's test. */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "bpf/view.h"
#include "filter/set.h"
#include "net/dns.h"

enum { FILTER_SETS_MAX = 16 }; /* in one filter: a kernel program uses 64 maps at most */

enum filter_op {
	FILTER_FALSE,
	FILTER_TRUE,
	FILTER_NOT,   /* a */
	FILTER_AND,   /* a, b */
	FILTER_OR,    /* a, b */
	FILTER_FIELD, /* (field & mask) compared with value; unsigned */
	FILTER_REL,   /* a compared with b, both numbers of 32 bits */
	FILTER_INNER, /* a, judged of what a tunnel carries; false if there is none */
	FILTER_SET,   /* the address at field is in set number value */
	FILTER_DNS,   /* the message at the payload asks for name number value, or below it */
	FILTER_SNI,   /* a TLS client at the payload names it, or what is below it */
	/* Numbers, modulo 2^32 as in classic BPF. */
	FILTER_NUM,  /* value */
	FILTER_LOAD, /* the field as a number */
	FILTER_BYTE, /* size bytes of the packet, big-endian, at (header at field) + a */
	FILTER_NEG,  /* a */
	FILTER_ADD,
	FILTER_SUB,
	FILTER_MUL,
	FILTER_DIV, /* by 0: the packet does not match at all */
	FILTER_MOD,
	FILTER_BAND,
	FILTER_BOR,
	FILTER_XOR,
	FILTER_LSH,
	FILTER_RSH,
};

enum filter_cmp { FILTER_EQ, FILTER_NE, FILTER_GT, FILTER_GE, FILTER_LT, FILTER_LE };

struct filter_node {
	uint8_t op;     /* enum filter_op */
	uint8_t cmp;    /* enum filter_cmp */
	uint8_t size;   /* bytes of the field or of the packet: 1, 2, 4, 8 */
	uint16_t field; /* offset in struct view */
	uint32_t a, b;  /* nodes */
	uint64_t mask, value;
};

/* What a filter looks at, for the programs that fill in a view. */
enum filter_need {
	FILTER_NEED_INNER = 1, /* the view of a tunnel's packet */
	FILTER_NEED_OWNER = 2, /* pid, comm, cgroup, netns */
};

/* Zeroed: everything matches. */
struct filter {
	struct filter_node *nodes;
	size_t n, room;
	uint32_t root;
	unsigned int needs; /* FILTER_NEED_* */
	struct filter_set *sets;
	size_t nsets, set_room;
	struct dns_name *names;
	size_t nnames, name_room;
};

struct filter_addr {
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[16];
};

/* What a name in a filter means on this host. Each gives 0 or -errno, and may write into why->msg
 * what is wrong, if that is more than that there is no such thing. NULL: there is none here. */
struct filter_names {
	/* Addresses of a host, up to max: their number. */
	int (*host)(void *arg, const char *name, struct filter_addr *addrs, int max,
		    struct diag *why);
	int (*iface)(void *arg, const char *name, uint32_t *ifindex, struct diag *why);
	int (*cgroup)(void *arg, const char *path, uint64_t *id, struct diag *why);
	int (*container)(void *arg, const char *id, uint64_t *cgroup, struct diag *why);
	int (*netns)(void *arg, const char *name, uint32_t *inode, struct diag *why);
	/* A set that is known without a file: 1 and *set, but for its name; 0: it is not. -ENOMEM
	 */
	int (*known)(void *arg, const char *file, struct filter_set *set);
	/* Append the text of a set's file. */
	int (*set)(void *arg, const char *file, struct buf *text, struct diag *why);
	void *arg;
	uint32_t netmask; /* of the interface's IPv4 address, host byte order; 0: not known */
};

/* Parse text. names may be NULL. 0, -EINVAL with *diag filled, or -ENOMEM. *f is untouched on
 * failure; close it after success. */
int filter_parse(struct filter *f, const char *text, const struct filter_names *names,
		 struct diag *diag);
void filter_close(struct filter *f);

/* A packet as filters see it: views[0] is its own, views[1] that of what a tunnel in it carries
 * (its family and type 0 if there is none); offsets in both count from data. */
struct filter_packet {
	const struct view *views;
	const uint8_t *data;
	uint32_t caplen;
};

/* The parts of a view that it looks at: enum view_group. */
unsigned int filter_groups(const struct filter *f);
/* It looks at nothing but addresses, families and protocols of the packet itself. */
bool filter_is_addr_only(const struct filter *f);

/* Whether it matches. A byte asked for that is not there: it does not, whatever else is said, as in
 * libpcap. */
bool filter_match(const struct filter *f, const struct filter_packet *p);
/* The last word on a packet that the kernel let through by code that is not exact. What a packet
 * does not say (interface, verdict, owner) the kernel knew, and it is taken for what lets the
 * packet through. */
bool filter_recheck(const struct filter *f, const struct filter_packet *p);

#endif
