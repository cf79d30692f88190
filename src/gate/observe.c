/* SPDX-License-Identifier: MIT */
/* The gate's observer: the only entry of a program array. */
#include "gate/observe.h"
#include <errno.h>
#include <unistd.h>
#include "base/err.h"
#include "gate/load.h"
#include "gen/gate.gen.h"
#include "obj/find.h"
#include "sys/bpf.h"

static int find_gate(struct nl *nl, const struct link *link, struct find_prog *prog)
{
	struct found_list list = { 0 };
	int rc = find_attached(nl, link, &list);

	if (!rc && (!list.n || !hook_is_xdp(list.at[0].hook)))
		rc = -ENOENT;
	if (!rc)
		rc = find_prog(list.at[0].prog_id, prog);
	found_list_free(&list);
	return rc;
}

int observe_open(struct observe *o, struct nl *nl, const struct link *link)
{
	struct bpf_map_info info = { 0 };
	struct observe got = { 0 };
	struct gate_conf conf;
	struct find_prog prog;
	uint32_t zero = 0, id;
	int rc = find_gate(nl, link, &prog);

	if (rc)
		return rc;
	rc = gate_find_conf(&prog, &conf);
	if (rc)
		return rc;
	/* Some kernels refuse tail calls beside subprograms: a gate with rules has no observer
	 * there. */
	if (!conf.has_observer) {
		note("%s: rules are installed at xdp, and this kernel cannot capture "
		     "after them: use --at tc",
		     link->name);
		return -EOPNOTSUPP;
	}
	rc = gate_find_map(&prog, GATE_MAP_OBSERVER, &info);
	if (rc < 0)
		return rc;
	got.slot_fd = rc;
	rc = gate_find_map(&prog, GATE_MAP_DECISION, &info);
	if (rc > 0) {
		got.decision_fd = rc;
		rc = bpf_map_lookup(got.slot_fd, &zero, &id) ? 0 : -EBUSY;
	}
	if (rc == -EBUSY)
		fail(rc, "%s: another capture (program %u) already uses --at xdp: use --at tc",
		     link->name, id);
	if (rc)
		observe_close(&got);
	else
		*o = got;
	return rc;
}

int observe_set(const struct observe *o, int prog_fd)
{
	uint32_t zero = 0;

	return bpf_map_update(o->slot_fd, &zero, &prog_fd, BPF_ANY);
}

/* Another process may hold the map: it must not keep the program. */
void observe_close(struct observe *o)
{
	uint32_t zero = 0;

	if (o->slot_fd) {
		bpf_map_delete(o->slot_fd, &zero);
		close(o->slot_fd);
	}
	if (o->decision_fd)
		close(o->decision_fd);
	*o = (struct observe){ 0 };
}
