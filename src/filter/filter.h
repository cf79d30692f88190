/* SPDX-License-Identifier: MIT */
/* The filter language: pcap-filter(7) as tcpdump's users type it, and sonde's extensions (ext.h).
 *
 * A filter is parsed into a tree of operators (ops.h), which read a packet as a struct view and its
 * bytes. The same tree is evaluated in user space, for files, and compiled to BPF, for the kernel:
 * each is the test of the other. */
#ifndef FILTER_FILTER_H
#define FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/diag.h"
#include "bpf/view.h"
#include "filter/ops.h"
#include "filter/set.h"
#include "net/dns.h"

enum { FILTER_SETS_MAX = 16 }; /* in one filter: a kernel program may use 64 maps */

enum filter_cmp { FILTER_EQ, FILTER_NE, FILTER_GT, FILTER_GE, FILTER_LT, FILTER_LE };

struct filter_node {
	uint8_t op;     /* enum filter_op */
	uint8_t cmp;    /* enum filter_cmp */
	uint8_t size;   /* bytes of the field or of the packet: 1, 2, 4, 8 */
	uint16_t field; /* offset in struct view */
	uint32_t a, b;  /* numbers of nodes */
	uint64_t mask, value;
};

/* What programs have to fill in for a filter, besides the packet's own view. */
enum filter_need {
	FILTER_NEED_INNER = 1, /* the view of the packet that a tunnel carries */
	FILTER_NEED_OWNER = 2, /* pid, comm, cgroup, netns */
};

/* Zeroed: every packet matches; may be closed. */
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

/* Callbacks that resolve the names in a filter. Each returns 0 or -errno and may write a message
 * into why->msg; without one, the parser reports that the name does not exist. A NULL callback
 * knows no names. */
struct filter_names {
	/* Writes up to max addresses of a host, and returns their number. */
	int (*host)(void *arg, const char *name, struct filter_addr *addrs, int max,
		    struct diag *why);
	int (*iface)(void *arg, const char *name, uint32_t *ifindex, struct diag *why);
	int (*cgroup)(void *arg, const char *path, uint64_t *id, struct diag *why);
	int (*container)(void *arg, const char *id, uint64_t *cgroup, struct diag *why);
	int (*netns)(void *arg, const char *name, uint32_t *inode, struct diag *why);
	/* Gets a set that is already loaded: returns 1 with *set, except for its name; 0 if no set
	 * of this file is loaded, or -ENOMEM. */
	int (*known_set)(void *arg, const char *file, struct filter_set *set);
	/* Appends the text of a set's file. */
	int (*set)(void *arg, const char *file, struct buf *text, struct diag *why);
	void *arg;
	uint32_t netmask; /* of the interface's IPv4 address, host byte order; 0: unknown */
};

/* Parses text. names may be NULL. Returns 0, -EINVAL with *diag, or -ENOMEM. *f is unchanged on
 * failure; the caller closes it after success. */
int filter_parse(struct filter *f, const char *text, const struct filter_names *names,
		 struct diag *diag);
void filter_close(struct filter *f);

/* A packet. views[0] is its own view, views[1] that of the packet that a tunnel in it carries (with
 * family and type 0 if there is none). Offsets in both count from data. */
struct filter_packet {
	const struct view *views;
	const uint8_t *data;
	uint32_t caplen;
};

/* Returns the parts of a view that the filter reads: a mask of enum view_group. */
unsigned int filter_groups(const struct filter *f);
/* Returns true if the filter reads nothing but length, interface, direction, protocols and
 * addresses of the packet itself. */
bool filter_is_addr_only(const struct filter *f);

/* Returns true if the packet matches. As in libpcap, it does not match if the filter reads a byte
 * that it does not have, whatever the other conditions are. */
bool filter_match(const struct filter *f, const struct filter_packet *p);
/* Returns true if a packet matches that code which is not exact (struct filter_code) let through in
 * the kernel. Conditions on interface, verdict and owner, which the kernel knew and user space does
 * not, count as met. */
bool filter_recheck(const struct filter *f, const struct filter_packet *p);

#endif
