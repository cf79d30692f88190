/* SPDX-License-Identifier: MIT */
/* clsact and cls_bpf by rtnetlink; attributes as in linux/pkt_cls.h and linux/pkt_sched.h. */
#include "sys/tc.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

static uint32_t parent_of(bool ingress)
{
	return TC_H_MAKE(TC_H_CLSACT, ingress ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

int tc_clsact_add(struct nl *nl, int ifindex)
{
	struct tcmsg tcm = { .tcm_ifindex = ifindex,
			     .tcm_parent = TC_H_CLSACT,
			     .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0) };
	struct nl_msg m;
	int rc;

	nl_begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &tcm, sizeof(tcm));
	nl_put_str(&m, TCA_KIND, "clsact");
	rc = nl_call(nl, &m, NULL, NULL);
	return rc == -EEXIST ? 0 : rc;
}

static void filter_begin(struct nl_msg *m, uint16_t type, uint16_t flags, const struct tc_filter *f)
{
	struct tcmsg tcm = { .tcm_ifindex = f->ifindex,
			     .tcm_parent = parent_of(f->ingress),
			     .tcm_handle = f->handle,
			     .tcm_info = TC_H_MAKE((uint32_t)f->prio << 16, htons(ETH_P_ALL)) };

	nl_begin(m, type, flags, &tcm, sizeof(tcm));
	nl_put_str(m, TCA_KIND, "bpf");
}

static int filter_put(struct nl *nl, const struct tc_filter *f, int prog_fd, uint16_t flags)
{
	struct nl_msg m;
	size_t options;

	filter_begin(&m, RTM_NEWTFILTER, flags, f);
	options = nl_nest(&m, TCA_OPTIONS);
	nl_put_u32(&m, TCA_BPF_FD, (uint32_t)prog_fd);
	nl_put_str(&m, TCA_BPF_NAME, f->name);
	nl_put_u32(&m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nl_nest_end(&m, options);
	return nl_call(nl, &m, NULL, NULL);
}

int tc_filter_add(struct nl *nl, const struct tc_filter *f, int prog_fd)
{
	return filter_put(nl, f, prog_fd, NLM_F_CREATE | NLM_F_EXCL);
}

int tc_filter_replace(struct nl *nl, const struct tc_filter *f, int prog_fd)
{
	return filter_put(nl, f, prog_fd, NLM_F_REPLACE);
}

int tc_filter_del(struct nl *nl, const struct tc_filter *f)
{
	struct nl_msg m;

	filter_begin(&m, RTM_DELTFILTER, 0, f);
	return nl_call(nl, &m, NULL, NULL);
}

struct dump_arg {
	tc_each *each;
	void *arg;
	struct tc_filter f;
};

static int dump_one(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct dump_arg *d = arg;
	struct nl_span attrs, options;
	struct tcmsg tcm;
	char kind[8];

	if (hdr->nlmsg_type != RTM_NEWTFILTER || body.len < sizeof(tcm))
		return 0;
	memcpy(&tcm, body.data, sizeof(tcm));
	attrs = nl_attrs(body, sizeof(tcm));
	nl_str(nl_find(attrs, TCA_KIND), kind, sizeof(kind));
	/* A line without a handle stands for the priority itself. */
	if (strcmp(kind, "bpf") || !tcm.tcm_handle)
		return 0;
	options = nl_find(attrs, TCA_OPTIONS);
	d->f.prio = (uint16_t)(tcm.tcm_info >> 16);
	d->f.handle = tcm.tcm_handle;
	d->f.prog_id = nl_u32(nl_find(options, TCA_BPF_ID));
	nl_str(nl_find(options, TCA_BPF_NAME), d->f.name, sizeof(d->f.name));
	return d->each(&d->f, d->arg);
}

int tc_filter_dump(struct nl *nl, int ifindex, bool ingress, tc_each *each, void *arg)
{
	struct dump_arg d = { each, arg, { .ifindex = ifindex, .ingress = ingress } };
	struct tcmsg tcm = { .tcm_ifindex = ifindex, .tcm_parent = parent_of(ingress) };
	struct nl_msg m;
	int rc;

	nl_begin(&m, RTM_GETTFILTER, 0, &tcm, sizeof(tcm));
	rc = nl_dump(nl, &m, dump_one, &d);
	/* No qdisc or no classifier at all in this kernel: no filters either. */
	return rc == -EINVAL || rc == -ENOENT || rc == -EOPNOTSUPP ? 0 : rc;
}
