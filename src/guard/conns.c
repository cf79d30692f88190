/* SPDX-License-Identifier: MIT */
/* Found again by its name and by the table that it writes to. */
#include "guard/conns.h"
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "gen/guard_conns.gen.h"
#include "obj/find.h"
#include "sys/bpf.h"
#include "sys/mnt.h"

enum { PROGS_MAX = 64 };

static int open_root(void)
{
	return mnt_open_dir("cgroup2", "/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);
}

static bool uses_map(const struct find_prog *prog, uint32_t map)
{
	for (uint32_t i = 0; i < prog->nmaps; i++)
		if (prog->maps[i] == map)
			return true;
	return false;
}

static bool is_counter(const struct find_prog *prog)
{
	return !strcmp(prog->info.name, guard_conns_spec.progs[GUARD_CONNS_PROG_SONDE_CONNS].name);
}

uint32_t conns_table(const struct find_prog *prog)
{
	struct bpf_map_info info = { 0 };
	int fd = find_map(prog, guard_conns_spec.maps[GUARD_CONNS_MAP_GUARD].name, &info);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? 0 : info.id;
}

/* The same of a counter; 0 also if the program is none, or gone. */
static uint32_t table_of(uint32_t id, struct find_prog *prog)
{
	return find_prog(id, prog) || !is_counter(prog) ? 0 : conns_table(prog);
}

/* What counts for a table. Its descriptor, 0: nothing does. */
static int find_for(int root, uint32_t table, struct find_prog *prog)
{
	uint32_t ids[PROGS_MAX];
	int n = bpf_prog_query(root, BPF_CGROUP_SOCK_OPS, ids, NULL, PROGS_MAX);

	for (int i = 0; i < n; i++)
		if (table_of(ids[i], prog) == table)
			return bpf_fd_by_id(BPF_KIND_PROG, ids[i]);
	return n < 0 && n != -EINVAL ? n : 0; /* a kernel without such programs has none */
}

/* from_fd, to_fd 0: nothing. */
static int exchange(int root, int from_fd, int to_fd)
{
	if (from_fd && to_fd)
		return bpf_prog_replace(to_fd, root, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI,
					from_fd);
	if (to_fd)
		return bpf_prog_attach(to_fd, root, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI);
	return from_fd ? bpf_prog_detach(from_fd, root, BPF_CGROUP_SOCK_OPS) : 0;
}

/* before: what the sockets that it counted are known by. */
static int load(struct conns *c, const struct conns_opts *want, const struct find_prog *before)
{
	struct guard_conns_conf conf = { .guard = *want->guard };
	struct obj_map maps[GUARD_CONNS_NMAPS] = { 0 };
	struct obj_opts opts = { .maps = maps, .conf = &conf };
	struct bpf_map_info info = { 0 };
	int socks = c->was_fd && want->same
			    ? find_map(before,
				       guard_conns_spec.maps[GUARD_CONNS_MAP_CONNS_SOCKS].name,
				       &info)
			    : 0,
	    rc;

	maps[GUARD_CONNS_MAP_GUARD].fd = want->table_fd;
	maps[GUARD_CONNS_MAP_GUARD_SUMS].fd = want->sums_fd;
	maps[GUARD_CONNS_MAP_CONNS_SOCKS].fd = socks > 0 ? socks : 0;
	rc = obj_open(&c->obj, &guard_conns_spec, &opts);
	if (socks > 0)
		close(socks);
	c->now_fd = rc ? 0 : c->obj.prog_fd[GUARD_CONNS_PROG_SONDE_CONNS];
	return rc;
}

static int put(struct conns *c, int root, uint32_t was_table, const struct conns_opts *want)
{
	struct find_prog before;
	int rc = was_table ? find_for(root, was_table, &before) : 0;

	if (rc < 0)
		return fail_errno(rc, "looking for what counts connections");
	c->was_fd = rc;
	if (want && !want->guard->conns && !(c->was_fd && want->same))
		want = NULL;
	rc = want ? load(c, want, &before) : 0;
	if (rc)
		return rc;
	c->lost = c->was_fd && !(want && want->same);
	rc = exchange(root, c->was_fd, c->now_fd);
	return rc ? fail_errno(rc, "counting connections at the root of the cgroups") : 0;
}

int conns_replace(struct conns *c, uint32_t was_table, const struct conns_opts *want)
{
	struct conns got = { 0 };
	int root = open_root(), rc;

	if (root < 0) /* nor has anything counted */
		return want ? fail_errno(root, "limits of connections: cgroup2") : 0;
	rc = put(&got, root, was_table, want);
	close(root);
	if (rc)
		conns_close(&got);
	else
		*c = got;
	return rc;
}

int conns_stop(uint32_t table)
{
	struct conns c = { 0 };
	int rc = conns_replace(&c, table, NULL);

	conns_close(&c);
	return rc;
}

int conns_rollback(struct conns *c)
{
	int root = c->was_fd || c->now_fd ? open_root() : 0, rc;

	if (root <= 0)
		return root;
	rc = exchange(root, c->now_fd, c->was_fd);
	close(root);
	return rc;
}

void conns_close(struct conns *c)
{
	if (c->was_fd)
		close(c->was_fd);
	obj_close(&c->obj);
	*c = (struct conns){ 0 };
}

/* Some other program has the table. */
static bool has_gate(uint32_t table)
{
	uint32_t id = 0;

	while (!bpf_next_id(BPF_KIND_PROG, id, &id)) {
		struct find_prog prog;

		if (!find_prog(id, &prog) && uses_map(&prog, table) && !is_counter(&prog))
			return true;
	}
	return false;
}

int conns_sweep(void)
{
	uint32_t ids[PROGS_MAX];
	int root = open_root(), off = 0;
	int n = root < 0 ? 0 : bpf_prog_query(root, BPF_CGROUP_SOCK_OPS, ids, NULL, PROGS_MAX);

	for (int i = 0; i < n; i++) {
		struct find_prog prog;
		uint32_t table = table_of(ids[i], &prog);
		int fd = table && !has_gate(table) ? bpf_fd_by_id(BPF_KIND_PROG, ids[i]) : -1;

		if (fd < 0)
			continue;
		off += !exchange(root, fd, 0);
		close(fd);
	}
	if (root >= 0)
		close(root);
	return n < 0 ? n : off;
}
