/* SPDX-License-Identifier: MIT */
/* Tries the hooks in order: XDP native before generic, tcx before clsact. Attaches by bpf_link for
 * a running command, without a link for an installation. */
#include "obj/attach.h"
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "obj/feature.h"
#include "obj/keeper.h"
#include "sys/bpf.h"
#include "sys/priv.h"

enum {
	FILTER_PRIO = 1, /* before others' filters, whose verdict may end the walk */
	FILTER_HANDLE = 0x50de0000,
	FILTER_TRIES = 16,
};

#ifndef BPF_F_BEFORE
#define BPF_F_BEFORE (1u << 3) /* linux/bpf.h since Linux 6.6: attach before all others */
#endif

const char *hook_name(enum hook hook)
{
	static const char *const names[] = {
		[HOOK_NONE] = "none",
		[HOOK_XDP_NATIVE] = "xdp native",
		[HOOK_XDP_GENERIC] = "xdp generic",
		[HOOK_XDP_OFFLOAD] = "xdp offload",
		[HOOK_TCX] = "tcx",
		[HOOK_CLSACT] = "clsact",
	};

	return names[hook];
}

uint32_t hook_xdp_mode(enum hook hook)
{
	return hook == HOOK_XDP_NATIVE    ? XDP_FLAGS_DRV_MODE
	       : hook == HOOK_XDP_GENERIC ? XDP_FLAGS_SKB_MODE
					  : XDP_FLAGS_HW_MODE;
}

uint32_t hook_tcx_type(bool ingress)
{
	return ingress ? SYS_BPF_TCX_INGRESS : SYS_BPF_TCX_EGRESS;
}

static int open_xdp(struct attach *a, struct nl *nl)
{
	uint32_t mode = hook_xdp_mode(a->hook);

	if (a->persistent)
		return link_set_xdp(nl, a->ifindex, a->prog_fd, mode | XDP_FLAGS_UPDATE_IF_NOEXIST,
				    0);
	a->link_fd = bpf_link_create(a->prog_fd, a->ifindex, BPF_XDP, mode);
	return a->link_fd < 0 ? a->link_fd : 0;
}

static int open_tcx(struct attach *a)
{
	if (a->persistent)
		return bpf_prog_attach(a->prog_fd, a->ifindex, hook_tcx_type(a->ingress),
				       BPF_F_BEFORE);
	a->link_fd =
		bpf_link_create(a->prog_fd, a->ifindex, hook_tcx_type(a->ingress), BPF_F_BEFORE);
	return a->link_fd < 0 ? a->link_fd : 0;
}

/* The qdisc and the classifier may be modules that are not loaded yet. Returns true if a retry
 * makes sense. Else stores which module is missing in nl->ext_ack. */
static bool load_module(struct nl *nl, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "net/sched/%s", name);
	if (!priv_load_module(path))
		return true;
	snprintf(nl->ext_ack, sizeof(nl->ext_ack), "this kernel has no %s loaded: modprobe %s",
		 name, name);
	return false;
}

static int add_clsact(struct nl *nl, int ifindex)
{
	int rc = tc_clsact_add(nl, ifindex);

	if (rc == -ENOENT && load_module(nl, "sch_ingress"))
		rc = tc_clsact_add(nl, ifindex);
	return rc;
}

/* Another sonde may hold the handle, another classifier the priority: tries the next ones. */
static int add_to_free_slot(struct attach *a, struct nl *nl)
{
	int rc = 0;

	for (int i = 0; i < FILTER_TRIES; i++) {
		rc = tc_filter_add(nl, &a->filter, a->prog_fd);
		if (rc == -EEXIST)
			a->filter.handle++;
		else if (rc == -EINVAL)
			a->filter.prio++;
		else
			break;
	}
	return rc;
}

static int add_filter(struct attach *a, struct nl *nl)
{
	int rc = add_clsact(nl, a->ifindex);

	if (rc)
		return rc;
	rc = add_to_free_slot(a, nl);
	if (rc == -ENOENT && load_module(nl, "cls_bpf"))
		rc = add_to_free_slot(a, nl);
	return rc;
}

static int open_clsact(struct attach *a, struct nl *nl)
{
	struct bpf_prog_info info = { 0 };
	int rc = bpf_get_info(a->prog_fd, &info, sizeof(info));

	a->filter = (struct tc_filter){
		.ifindex = a->ifindex,
		.ingress = a->ingress,
		.prio = FILTER_PRIO,
		.handle = FILTER_HANDLE,
		.prog_id = info.id,
	};
	strcpy(a->filter.name, a->persistent ? ATTACH_INSTALLED : ATTACH_LIVE);
	if (!rc && !a->persistent)
		rc = keeper_add(&a->filter);
	if (rc)
		return rc;
	rc = add_filter(a, nl);
	if (rc && !a->persistent)
		keeper_forget(&a->filter);
	return rc;
}

static int open_hook(struct attach *a, struct nl *nl)
{
	nl->ext_ack[0] = '\0';
	if (hook_is_xdp(a->hook))
		return open_xdp(a, nl);
	return a->hook == HOOK_TCX ? open_tcx(a) : open_clsact(a, nl);
}

/* Another hook would fail in the same way. */
static bool is_final(int rc)
{
	return rc == -EBUSY || rc == -EEXIST || rc == -EPERM || rc == -ENODEV || rc == -EBADF;
}

const char *attach_try_reason(const struct attach_try *t)
{
	return *t->msg ? t->msg : err_message(t->rc);
}

void attach_format_report(const struct attach_report *r, struct buf *out)
{
	for (unsigned int i = 0; i < r->n; i++)
		buf_printf(out, "%s%s: %s", i ? "; " : "", hook_name(r->tries[i].hook),
			   attach_try_reason(&r->tries[i]));
}

int attach_open(struct attach *a, struct nl *nl, int ifindex, bool ingress, int prog_fd,
		unsigned int hooks, bool persistent, struct attach_report *report)
{
	static const enum hook order[] = { HOOK_XDP_NATIVE, HOOK_XDP_GENERIC, HOOK_TCX,
					   HOOK_CLSACT };
	int rc = -EOPNOTSUPP;

	report->n = 0;
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct attach got = { .hook = order[i],
				      .ifindex = ifindex,
				      .ingress = ingress,
				      .persistent = persistent,
				      .prog_fd = prog_fd };
		struct attach_try *try;

		if (!(hooks & HOOK_BIT(order[i])))
			continue;
		rc = open_hook(&got, nl);
		if (!rc) {
			*a = got;
			return 0;
		}
		try = &report->tries[report->n++];
		try->hook = order[i];
		try->rc = rc;
		snprintf(try->msg, sizeof(try->msg), "%s", nl->ext_ack);
		if (is_final(rc))
			break;
	}
	return rc;
}

int attach_prepare(unsigned int hooks)
{
	priv_lift_memlock();
	if (!(hooks & HOOK_BIT(HOOK_CLSACT)) || (hooks & HOOK_BIT(HOOK_TCX) && !feature_try("tcx")))
		return 0;
	return keeper_start();
}

void attach_close(struct attach *a, struct nl *nl)
{
	if (a->link_fd)
		close(a->link_fd);
	if (a->hook == HOOK_CLSACT && !a->persistent) {
		tc_filter_del(nl, &a->filter);
		keeper_forget(&a->filter);
	}
	*a = (struct attach){ 0 };
}

int attach_undo(struct attach *a, struct nl *nl)
{
	int rc = 0;

	if (!a->persistent)
		attach_close(a, nl);
	else if (hook_is_xdp(a->hook))
		rc = link_set_xdp(nl, a->ifindex, -1, hook_xdp_mode(a->hook) | XDP_FLAGS_REPLACE,
				  a->prog_fd);
	else if (a->hook == HOOK_TCX)
		rc = bpf_prog_detach(a->prog_fd, a->ifindex, hook_tcx_type(a->ingress));
	else if (a->hook == HOOK_CLSACT)
		rc = tc_filter_del(nl, &a->filter);
	*a = (struct attach){ 0 };
	return rc;
}
