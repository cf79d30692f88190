/* SPDX-License-Identifier: MIT */
/* Makes the laboratory's namespaces, interfaces and addresses, by system calls alone. */
#include "lab/lab.h"
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
#include "base/err.h"
#include "lab/address.h"
#include "sys/netns.h"
#include "sys/priv.h"

static const char *const names[LAB_SIDES] = { "sonde0", "sonde1" };

static int open_side(struct lab_end *end)
{
	int rc = netns_unshare();

	if (rc)
		return fail_errno(rc, "creating a private network namespace");
	end->netns = netns_current();
	if (end->netns < 0) {
		rc = end->netns;
		end->netns = 0;
		return fail_errno(rc, "opening the private namespace");
	}
	rc = nl_open(&end->nl, 0);
	return rc ? fail_errno(rc, "opening a route netlink socket") : 0;
}

static int add_pair(struct lab *lab)
{
	struct lab_end *near = &lab->end[LAB_NEAR], *far = &lab->end[LAB_FAR];
	int rc = link_add_veth(&near->nl, names[LAB_NEAR], names[LAB_FAR], far->netns);

	if (rc == -EOPNOTSUPP && !priv_load_module("drivers/net/veth"))
		rc = link_add_veth(&near->nl, names[LAB_NEAR], names[LAB_FAR], far->netns);
	if (rc == -EOPNOTSUPP)
		return fail(rc, "this kernel has no veth driver loaded: modprobe veth");
	return rc ? fail_errno(rc, "creating a veth pair") : 0;
}

static int add_addresses(struct lab *lab, enum lab_side side)
{
	struct lab_end *end = &lab->end[side];
	struct in6_addr a6;
	struct in_addr a4;
	int rc;

	rc = link_get(&end->nl, names[side], 0, &end->link);
	if (rc)
		return fail_errno(rc, "reading interface %s", names[side]);
	inet_pton(AF_INET, lab_address(side, AF_INET), &a4);
	rc = link_add_addr(&end->nl, end->link.ifindex, AF_INET, &a4, 24);
	if (rc)
		return fail_errno(rc, "adding address %s", lab_address(side, AF_INET));
	inet_pton(AF_INET6, lab_address(side, AF_INET6), &a6);
	lab->ipv6 = !link_add_addr(&end->nl, end->link.ifindex, AF_INET6, &a6, 64);
	return 0;
}

int lab_open(struct lab *lab)
{
	struct lab got = { .home = netns_current() };
	char missing[64];
	int rc;

	if (*priv_missing(PRIV(CAP_SYS_ADMIN), missing, sizeof(missing)))
		return fail(-EPERM, "creating a private network needs %s: run as root", missing);
	if (got.home < 0)
		return fail_errno(got.home, "opening this network namespace");
	/* The far side first, so that the thread ends up on the near side. */
	rc = open_side(&got.end[LAB_FAR]);
	if (!rc)
		rc = open_side(&got.end[LAB_NEAR]);
	if (!rc)
		rc = add_pair(&got);
	for (int side = 0; side < LAB_SIDES && !rc; side++)
		rc = add_addresses(&got, side);
	if (rc)
		lab_close(&got);
	else
		*lab = got;
	return rc;
}

int lab_up(struct lab *lab)
{
	for (int side = 0; side < LAB_SIDES; side++) {
		struct lab_end *end = &lab->end[side];
		int rc = link_up(&end->nl, end->link.ifindex);

		if (rc)
			return fail_errno(rc, "setting %s up", names[side]);
	}
	return 0;
}

int lab_enter(const struct lab *lab, enum lab_side side)
{
	int rc = netns_set(lab->end[side].netns);

	return rc ? fail_errno(rc, "entering the private namespace") : 0;
}

void lab_close(struct lab *lab)
{
	for (int side = 0; side < LAB_SIDES; side++) {
		struct lab_end *end = &lab->end[side];

		nl_close(&end->nl);
		if (end->netns)
			close(end->netns);
	}
	if (lab->home > 0) {
		netns_set(lab->home);
		close(lab->home);
	}
	*lab = (struct lab){ 0 };
}
