/* SPDX-License-Identifier: MIT */
/* A program at the root cgroup records which process creates a socket. A walk over all processes
 * finds the owners of existing sockets. Both fill one map. */
#include "owner/owner.h"
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/err.h"
#include "bpf/owner.h"
#include "gen/owner.gen.h"
#include "net/capfile/capfile.h"
#include "sys/bpf.h"
#include "sys/mnt.h"
#include "sys/procs.h"

static int attach_root(struct owners *o)
{
	int root = mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC), fd;

	if (root < 0)
		return root;
	fd = bpf_link_create(o->obj.prog_fd[OWNER_PROG_SONDE_OWNER], root,
			     BPF_CGROUP_INET_SOCK_CREATE, 0);
	close(root);
	if (fd < 0)
		return fd;
	o->link_fd = fd;
	return 0;
}

int owners_open(struct owners *o)
{
	struct obj_opts opts = { 0 };
	struct owners got = { 0 };
	char why[128];
	struct err_capture before = err_capture_begin(why, sizeof(why));
	int rc = obj_open(&got.obj, &owner_spec, &opts);

	err_capture_end(before);
	if (!rc)
		rc = attach_root(&got);
	if (rc) {
		owners_close(&got);
		return rc;
	}
	got.map_fd = got.obj.map_fd[OWNER_MAP_OWNERS];
	*o = got;
	return 0;
}

/* Records one owner per socket. Several processes may hold a socket; the first one found is
 * recorded, as the others usually inherited it. */
static int store_owner(const struct proc *p, int socket, void *arg)
{
	const struct owners *o = arg;
	struct frame frame = { .pid = p->pid };
	struct owner value = { .pid = p->pid, .cgroup = p->cgroup };
	struct buf options = { 0 };

	memcpy(value.comm, p->comm, sizeof(value.comm));
	memcpy(frame.comm, p->comm, sizeof(frame.comm));
	capfile_put_owner(&options, &frame);
	if (options.len && options.len <= sizeof(value.options)) {
		value.len = (uint32_t)options.len;
		memcpy(value.options, options.data, options.len);
		bpf_map_update(o->map_fd, &socket, &value, BPF_NOEXIST);
	}
	buf_free(&options);
	return 0;
}

int owners_scan(const struct owners *o)
{
	return procs_walk_sockets(store_owner, (void *)(uintptr_t)o);
}

void owners_close(struct owners *o)
{
	if (o->link_fd)
		close(o->link_fd);
	obj_close(&o->obj);
	*o = (struct owners){ 0 };
}
