/* SPDX-License-Identifier: MIT */
/* Programs put on an interface's hooks, each by the best way that this kernel has. */
#ifndef OBJ_ATTACH_H
#define OBJ_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "sys/link.h"
#include "sys/netlink.h"
#include "sys/tc.h"

enum hook { HOOK_NONE, HOOK_XDP_NATIVE, HOOK_XDP_GENERIC, HOOK_XDP_OFFLOAD, HOOK_TCX, HOOK_CLSACT };

/* "xdp native", "tcx", ...: as status, doctor and notes show it. */
const char *hook_name(enum hook hook);
static inline bool hook_is_xdp(enum hook hook)
{
	return hook >= HOOK_XDP_NATIVE && hook <= HOOK_XDP_OFFLOAD;
}

/* What the kernel calls them: XDP_FLAGS_* of a mode (linux/if_link.h), BPF_TCX_* of a direction. */
uint32_t hook_xdp_mode(enum hook hook);
uint32_t hook_tcx_type(bool ingress);

#define HOOK_BIT(hook) (1u << (hook))
enum {
	HOOKS_XDP = HOOK_BIT(HOOK_XDP_NATIVE) | HOOK_BIT(HOOK_XDP_GENERIC),
	HOOKS_TC = HOOK_BIT(HOOK_TCX) | HOOK_BIT(HOOK_CLSACT),
};

/* The names of clsact filters, which tell an installed one from a running command's. */
#define ATTACH_INSTALLED "sonde"
#define ATTACH_LIVE      "sonde live"

/* One program at one hook. Zeroed: none. */
struct attach {
	enum hook hook;
	int ifindex;
	bool ingress;
	bool stays;  /* outlives the process; attach_close() leaves it */
	int link_fd; /* the kernel detaches when it is closed */
	int prog_fd; /* the caller's */
	struct tc_filter filter;
};

/* What a try of a ladder's step came to, for the caller to say. */
struct attach_try {
	enum hook hook;
	int rc;
	char words[NL_EXT_ACK_MAX]; /* the kernel's own, or "" */
};
struct attach_report {
	struct attach_try tries[4];
	unsigned int n;
};

/* The kernel's words, or those for its error number. */
const char *attach_why(const struct attach_try *t);
/* Append the steps that failed and why: "xdp native: WHY; xdp generic: WHY". */
void attach_words(const struct attach_report *r, struct buf *out);

/* Attach at the first of hooks (HOOK_BIT()s; native before generic, tcx before clsact) that works.
 * With stays it outlives the process, else the kernel takes it off when the process ends however it
 * ends (clsact has no such thing: a keeper process does it). Each failed step is in *report, in
 * order. -EBUSY or -EEXIST: another program is there; -ENODEV: no such interface (any more).
 * Nothing stays attached on failure. */
int attach_open(struct attach *a, struct nl *nl, int ifindex, bool ingress, int prog_fd,
		unsigned int hooks, bool stays, struct attach_report *report);
/* To be called before a process gives up its privileges, if it is to attach to hooks later on: what
 * that may take and cannot be had then. */
int attach_prepare(unsigned int hooks);
/* Take off what does not stay. */
void attach_close(struct attach *a, struct nl *nl);
/* Take off what does: the way back when an installation cannot be completed. */
int attach_undo(struct attach *a, struct nl *nl);

#endif
