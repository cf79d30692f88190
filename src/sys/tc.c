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

static uint32_t make_parent(bool ingress)
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

static void begin_filter(struct nl_msg *m, uint16_t type, uint16_t flags, const struct tc_filter *f)
{
	struct tcmsg tcm = { .tcm_ifindex = f->ifindex,
			     .tcm_parent = make_parent(f->ingress),
			     .tcm_handle = f->handle,
			     .tcm_info = TC_H_MAKE((uint32_t)f->prio << 16, htons(ETH_P_ALL)) };

	nl_begin(m, type, flags, &tcm, sizeof(tcm));
	nl_put_str(m, TCA_KIND, "bpf");
}

static int put_filter(struct nl *nl, const struct tc_filter *f, int prog_fd, uint16_t flags)
{
	struct nl_msg m;
	size_t options;

	begin_filter(&m, RTM_NEWTFILTER, flags, f);
	options = nl_nest(&m, TCA_OPTIONS);
	nl_put_u32(&m, TCA_BPF_FD, (uint32_t)prog_fd);
	nl_put_str(&m, TCA_BPF_NAME, f->name);
	nl_put_u32(&m, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	nl_nest_end(&m, options);
	return nl_call(nl, &m, NULL, NULL);
}

int tc_filter_add(struct nl *nl, const struct tc_filter *f, int prog_fd)
{
	return put_filter(nl, f, prog_fd, NLM_F_CREATE | NLM_F_EXCL);
}

int tc_filter_replace(struct nl *nl, const struct tc_filter *f, int prog_fd)
{
	return put_filter(nl, f, prog_fd, NLM_F_REPLACE);
}

int tc_filter_del(struct nl *nl, const struct tc_filter *f)
{
	struct nl_msg m;

	begin_filter(&m, RTM_DELTFILTER, 0, f);
	return nl_call(nl, &m, NULL, NULL);
}

struct filter_walk {
	tc_each *each;
	void *arg;
	struct tc_filter f;
};

static int parse_filter(const struct nlmsghdr *hdr, struct nl_span body, void *arg)
{
	struct filter_walk *d = arg;
	struct nl_span attrs, options;
	struct tcmsg tcm;
	char kind[8];

	if (hdr->nlmsg_type != RTM_NEWTFILTER || body.len < sizeof(tcm))
		return 0;
	memcpy(&tcm, body.data, sizeof(tcm));
	attrs = nl_attrs(body, sizeof(tcm));
	nl_str(nl_find(attrs, TCA_KIND), kind, sizeof(kind));
	/* A reply without a handle describes the priority itself. */
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
	struct filter_walk d = { each, arg, { .ifindex = ifindex, .ingress = ingress } };
	struct tcmsg tcm = { .tcm_ifindex = ifindex, .tcm_parent = make_parent(ingress) };
	struct nl_msg m;
	int rc;

	nl_begin(&m, RTM_GETTFILTER, 0, &tcm, sizeof(tcm));
	rc = nl_dump(nl, &m, parse_filter, &d);
	/* The qdisc or the classifier is missing: no filters. */
	return rc == -EINVAL || rc == -ENOENT || rc == -EOPNOTSUPP ? 0 : rc;
}
