/* SPDX-License-Identifier: MIT */
/* Finds the counting program by its name and by the table that it writes to. */
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

static bool is_conns_prog(const struct find_prog *prog)
{
	return !strcmp(prog->info.name, guard_conns_spec.progs[GUARD_CONNS_PROG_SONDE_CONNS].name);
}

uint32_t conns_table_id(const struct find_prog *prog)
{
	struct bpf_map_info info = { 0 };
	int fd = find_map(prog, guard_conns_spec.maps[GUARD_CONNS_MAP_GUARD].name, &info);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? 0 : info.id;
}

/* Returns a program's table id; 0 also if the program is no connection counter, or is gone. */
static uint32_t read_table_id(uint32_t id, struct find_prog *prog)
{
	return find_prog(id, prog) || !is_conns_prog(prog) ? 0 : conns_table_id(prog);
}

/* Finds the program that counts for a table. Returns a descriptor, which the caller closes; 0 if
 * there is none; -errno. */
static int find_counter(int root, uint32_t table, struct find_prog *prog)
{
	uint32_t ids[PROGS_MAX];
	int n = bpf_prog_query(root, BPF_CGROUP_SOCK_OPS, ids, NULL, PROGS_MAX);

	for (int i = 0; i < n; i++)
		if (read_table_id(ids[i], prog) == table)
			return bpf_fd_by_id(BPF_KIND_PROG, ids[i]);
	return n < 0 && n != -EINVAL
		       ? n
		       : 0; /* -EINVAL: this kernel has no such programs, so none counts */
}

/* Attaches, replaces or detaches in one step. Descriptor 0: no program. */
static int swap_progs(int root, int from_fd, int to_fd)
{
	if (from_fd && to_fd)
		return bpf_prog_replace(to_fd, root, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI,
					from_fd);
	if (to_fd)
		return bpf_prog_attach(to_fd, root, BPF_CGROUP_SOCK_OPS, BPF_F_ALLOW_MULTI);
	return from_fd ? bpf_prog_detach(from_fd, root, BPF_CGROUP_SOCK_OPS) : 0;
}

/* old_prog: the program being replaced. Its map of counted sockets is kept with the table. */
static int load_counter(struct conns_change *c, const struct conns_opts *opts,
			const struct find_prog *old_prog)
{
	struct guard_conns_conf conf = { .guard = *opts->guard };
	struct obj_map maps[GUARD_CONNS_NMAPS] = { 0 };
	struct obj_opts load = { .maps = maps, .conf = &conf };
	struct bpf_map_info info = { 0 };
	int socks = c->old_fd && opts->same_table
			    ? find_map(old_prog,
				       guard_conns_spec.maps[GUARD_CONNS_MAP_CONNS_SOCKS].name,
				       &info)
			    : 0,
	    rc;

	maps[GUARD_CONNS_MAP_GUARD].fd = opts->table_fd;
	maps[GUARD_CONNS_MAP_GUARD_SUMS].fd = opts->sums_fd;
	maps[GUARD_CONNS_MAP_CONNS_SOCKS].fd = socks > 0 ? socks : 0;
	rc = obj_open(&c->obj, &guard_conns_spec, &load);
	if (socks > 0)
		close(socks);
	c->new_fd = rc ? 0 : c->obj.prog_fd[GUARD_CONNS_PROG_SONDE_CONNS];
	return rc;
}

static int replace_counter(struct conns_change *c, int root, uint32_t old_table,
			   const struct conns_opts *opts)
{
	struct find_prog old_prog;
	int rc = old_table ? find_counter(root, old_table, &old_prog) : 0;

	if (rc < 0)
		return fail_errno(rc, "finding the program that counts connections");
	c->old_fd = rc;
	if (opts && !opts->guard->conns && !(c->old_fd && opts->same_table))
		opts = NULL;
	rc = opts ? load_counter(c, opts, &old_prog) : 0;
	if (rc)
		return rc;
	c->lost_conns = c->old_fd && !(opts && opts->same_table);
	rc = swap_progs(root, c->old_fd, c->new_fd);
	return rc ? fail_errno(rc, "attaching the connection counter to the root cgroup") : 0;
}

int conns_replace(struct conns_change *c, uint32_t old_table, const struct conns_opts *opts)
{
	struct conns_change got = { 0 };
	int root = open_root(), rc;

	if (root < 0) /* without the cgroup file system nothing has counted either */
		return opts ? fail_errno(
				      root,
				      "opening the root cgroup, which limits of connections need")
			    : 0;
	rc = replace_counter(&got, root, old_table, opts);
	close(root);
	if (rc)
		conns_close(&got);
	else
		*c = got;
	return rc;
}

int conns_stop(uint32_t table)
{
	struct conns_change c = { 0 };
	int rc = conns_replace(&c, table, NULL);

	conns_close(&c);
	return rc;
}

int conns_rollback(struct conns_change *c)
{
	int root = c->old_fd || c->new_fd ? open_root() : 0, rc;

	if (root <= 0)
		return root;
	rc = swap_progs(root, c->new_fd, c->old_fd);
	close(root);
	return rc;
}

void conns_close(struct conns_change *c)
{
	if (c->old_fd)
		close(c->old_fd);
	obj_close(&c->obj);
	*c = (struct conns_change){ 0 };
}

/* Returns true if another program uses the table. */
static bool has_gate(uint32_t table)
{
	uint32_t id = 0;

	while (!bpf_next_id(BPF_KIND_PROG, id, &id)) {
		struct find_prog prog;

		if (!find_prog(id, &prog) && uses_map(&prog, table) && !is_conns_prog(&prog))
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
		uint32_t table = read_table_id(ids[i], &prog);
		int fd = table && !has_gate(table) ? bpf_fd_by_id(BPF_KIND_PROG, ids[i]) : -1;

		if (fd < 0)
			continue;
		off += !swap_progs(root, fd, 0);
		close(fd);
	}
	if (root >= 0)
		close(root);
	return n < 0 ? n : off;
}
