/* SPDX-License-Identifier: MIT */
/* Attaches programs to an interface, at the best hook that this kernel and driver offer. */
#ifndef OBJ_ATTACH_H
#define OBJ_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "sys/link.h"
#include "sys/netlink.h"
#include "sys/tc.h"

enum hook { HOOK_NONE, HOOK_XDP_NATIVE, HOOK_XDP_GENERIC, HOOK_XDP_OFFLOAD, HOOK_TCX, HOOK_CLSACT };

/* "xdp native", "tcx", ...: as printed by status, doctor and notes. */
const char *hook_name(enum hook hook);
static inline bool hook_is_xdp(enum hook hook)
{
	return hook >= HOOK_XDP_NATIVE && hook <= HOOK_XDP_OFFLOAD;
}

/* Return the kernel's constants: XDP_FLAGS_* of an XDP mode (linux/if_link.h), BPF_TCX_* of a
 * direction (linux/bpf.h). */
uint32_t hook_xdp_mode(enum hook hook);
uint32_t hook_tcx_type(bool ingress);

#define HOOK_BIT(hook) (1u << (hook))
enum {
	HOOKS_XDP = HOOK_BIT(HOOK_XDP_NATIVE) | HOOK_BIT(HOOK_XDP_GENERIC),
	HOOKS_TC = HOOK_BIT(HOOK_TCX) | HOOK_BIT(HOOK_CLSACT),
};

/* Names of clsact filters. They distinguish an installed filter from a running command's. */
#define ATTACH_INSTALLED "sonde"
#define ATTACH_LIVE      "sonde live"

/* One program at one hook. Zeroed: closed. */
struct attach {
	enum hook hook;
	int ifindex;
	bool ingress;
	bool persistent; /* outlives the process; attach_close() does not detach it */
	int link_fd;     /* the kernel detaches the program when this is closed */
	int prog_fd;     /* owned by the caller */
	struct tc_filter filter;
};

/* A hook that was tried and failed. The caller reports it. */
struct attach_try {
	enum hook hook;
	int rc;
	char msg[NL_EXT_ACK_MAX]; /* the kernel's own message (extended ack), or "" */
};
struct attach_report {
	struct attach_try tries[4];
	unsigned int n;
};

/* Returns the kernel's message, or the text for its error number. */
const char *attach_try_reason(const struct attach_try *t);
/* Appends the hooks that failed, with the reasons: "xdp native: WHY; xdp generic: WHY". */
void attach_format_report(const struct attach_report *r, struct buf *out);

/* Attaches prog_fd at the first hook of hooks (HOOK_BIT()s) that works: native before generic, tcx
 * before clsact. A persistent program outlives the process. Otherwise the kernel detaches it when
 * the process ends, in whatever way; for clsact, which has no links, a keeper process does that.
 * Stores each failed hook in *report, in order. Returns 0 or -errno: -EBUSY or -EEXIST if another
 * program is there, -ENODEV if the interface does not exist (any more). On failure nothing stays
 * attached. Does not report errors. */
int attach_open(struct attach *a, struct nl *nl, int ifindex, bool ingress, int prog_fd,
		unsigned int hooks, bool persistent, struct attach_report *report);
/* Prepares for attaching to these hooks later. Call it before the process gives up its privileges:
 * it does what is no longer possible then. Returns 0 or -errno. Does not report errors. */
int attach_prepare(unsigned int hooks);
/* Detaches, unless the program is persistent. */
void attach_close(struct attach *a, struct nl *nl);
/* Detaches, persistent programs too, when an installation cannot be completed. Returns 0 or
 * -errno. */
int attach_undo(struct attach *a, struct nl *nl);

#endif
