/* SPDX-License-Identifier: MIT */
/* Walks from hooks to programs to maps, by the kernel's ids. */
#include "obj/find.h"
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/bpf.h"
#include "sys/mnt.h"

enum { TCX_MAX = 64 }; /* BPF_MPROG_MAX (linux/bpf_mprog.h) */

/* Netlink reports the XDP program but not its link: look for a link with this program and
 * interface. Returns its id; 0 if there is none. */
static uint32_t find_xdp_link(int ifindex, uint32_t prog_id)
{
	uint32_t id = 0;

	while (!bpf_next_id(BPF_KIND_LINK, id, &id)) {
		struct bpf_link_info info = { 0 };
		int fd = bpf_fd_by_id(BPF_KIND_LINK, id);

		if (fd < 0)
			continue;
		if (bpf_get_info(fd, &info, sizeof(info)))
			info.type = BPF_LINK_TYPE_UNSPEC;
		close(fd);
		if (info.type == BPF_LINK_TYPE_XDP && info.prog_id == prog_id &&
		    info.xdp.ifindex == (uint32_t)ifindex)
			return id;
	}
	return 0;
}

static int append_found(struct found_list *l, const struct found *f)
{
	void *more = array_grow(l->at, l->n, &l->room, sizeof(*l->at));

	if (!more)
		return -ENOMEM;
	l->at = more;
	l->at[l->n++] = *f;
	return 0;
}

bool find_is_live(const struct found *f)
{
	return f->link_id || !strcmp(f->filter.name, ATTACH_LIVE);
}

void found_list_free(struct found_list *list)
{
	free(list->at);
	*list = (struct found_list){ 0 };
}

static int find_xdp(const struct link *link, struct found_list *list)
{
	const struct {
		enum hook hook;
		uint32_t id;
	} modes[] = {
		{ HOOK_XDP_NATIVE, link->xdp_native },
		{ HOOK_XDP_GENERIC, link->xdp_generic },
		{ HOOK_XDP_OFFLOAD, link->xdp_offload },
	};
	int rc = 0;

	for (int i = 0; i < 3 && !rc; i++) {
		struct found f = { .hook = modes[i].hook,
				   .ifindex = link->ifindex,
				   .ingress = true,
				   .prog_id = modes[i].id };

		if (!f.prog_id)
			continue;
		f.link_id = find_xdp_link(f.ifindex, f.prog_id);
		rc = append_found(list, &f);
	}
	return rc;
}

/* Without tcx the query fails: nothing is attached then. */
static int find_tcx(const struct link *link, bool ingress, struct found_list *list)
{
	uint32_t type = ingress ? SYS_BPF_TCX_INGRESS : SYS_BPF_TCX_EGRESS;
	uint32_t progs[TCX_MAX] = { 0 }, links[TCX_MAX] = { 0 };
	int rc = 0, n = bpf_prog_query(link->ifindex, type, progs, links, TCX_MAX);

	for (int i = 0; i < n && !rc; i++) {
		struct found f = { .hook = HOOK_TCX,
				   .ifindex = link->ifindex,
				   .ingress = ingress,
				   .prog_id = progs[i],
				   .link_id = links[i] };

		rc = append_found(list, &f);
	}
	return rc;
}

static int add_filter(const struct tc_filter *filter, void *list)
{
	struct found f = { .hook = HOOK_CLSACT,
			   .ifindex = filter->ifindex,
			   .ingress = filter->ingress,
			   .prog_id = filter->prog_id,
			   .filter = *filter };

	return f.prog_id ? append_found(list, &f) : 0;
}

int find_attached(struct nl *nl, const struct link *link, struct found_list *list)
{
	int rc = find_xdp(link, list);

	for (int ingress = 1; ingress >= 0 && !rc; ingress--) {
		rc = find_tcx(link, ingress, list);
		if (!rc)
			rc = tc_filter_dump(nl, link->ifindex, ingress, add_filter, list);
	}
	return rc;
}

int find_prog(uint32_t id, struct find_prog *prog)
{
	struct find_prog got = { 0 };
	int rc, fd = bpf_fd_by_id(BPF_KIND_PROG, id);

	if (fd < 0)
		return fd;
	got.info.nr_map_ids = FIND_MAPS_MAX;
	got.info.map_ids = (uintptr_t)got.maps;
	rc = bpf_get_info(fd, &got.info, sizeof(got.info));
	close(fd);
	if (rc)
		return rc;
	got.nmaps = got.info.nr_map_ids < FIND_MAPS_MAX ? got.info.nr_map_ids : FIND_MAPS_MAX;
	*prog = got;
	prog->info.map_ids = 0; /* it pointed into this function's stack */
	return 0;
}

bool find_is_ours(const struct find_prog *prog)
{
	return !strncmp(prog->info.name, "sonde_", 6);
}

int find_map(const struct find_prog *prog, const char *name, struct bpf_map_info *info)
{
	for (uint32_t i = 0; i < prog->nmaps; i++) {
		struct bpf_map_info got = { 0 };
		int fd = bpf_fd_by_id(BPF_KIND_MAP, prog->maps[i]);

		if (fd < 0)
			continue;
		if (!bpf_get_info(fd, &got, sizeof(got)) && !strcmp(got.name, name)) {
			*info = got;
			return fd;
		}
		close(fd);
	}
	return -ENOENT;
}

/* procfs shows the memory charged for a descriptor's object in a line "memlock:\tBYTES"
 * (proc_pid_fdinfo(5)). Returns 0 if it does not. */
static uint64_t read_memlock(int fd)
{
	char path[64], text[1024], *line;

	snprintf(path, sizeof(path), "self/fdinfo/%d", fd);
	if (mnt_read("proc", "/proc", path, text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "memlock:");
	return line ? strtoull(line + strlen("memlock:"), NULL, 10) : 0;
}

static uint64_t memlock_by_id(enum bpf_kind kind, uint32_t id)
{
	int fd = bpf_fd_by_id(kind, id);
	uint64_t bytes;

	if (fd < 0)
		return 0;
	bytes = read_memlock(fd);
	close(fd);
	return bytes;
}

uint64_t find_memory(uint32_t prog_id, const struct find_prog *prog)
{
	uint64_t bytes = memlock_by_id(BPF_KIND_PROG, prog_id);

	for (uint32_t i = 0; i < prog->nmaps; i++)
		bytes += memlock_by_id(BPF_KIND_MAP, prog->maps[i]);
	return bytes;
}

static int is_same_filter(const struct tc_filter *filter, void *arg)
{
	const struct found *f = arg;

	return filter->handle == f->filter.handle && filter->prio == f->filter.prio &&
	       filter->prog_id == f->prog_id;
}

/* 0 if the clsact filter still has that program. */
static int check_filter(struct nl *nl, const struct found *f)
{
	int rc = tc_filter_dump(nl, f->ifindex, f->ingress, is_same_filter, (void *)(uintptr_t)f);

	return rc == 1 ? 0 : rc ? rc : -ENOENT;
}

int find_detach(struct nl *nl, const struct found *f)
{
	int rc, fd;

	if (f->link_id)
		return -EBUSY;
	if (f->hook == HOOK_CLSACT) {
		rc = check_filter(nl, f);
		return rc ? rc : tc_filter_del(nl, &f->filter);
	}
	fd = bpf_fd_by_id(BPF_KIND_PROG, f->prog_id);
	if (fd < 0)
		return fd;
	if (f->hook == HOOK_TCX)
		rc = bpf_prog_detach(fd, f->ifindex, hook_tcx_type(f->ingress));
	else
		rc = link_set_xdp(nl, f->ifindex, -1, hook_xdp_mode(f->hook) | XDP_FLAGS_REPLACE,
				  fd);
	close(fd);
	return rc;
}

int find_replace(struct nl *nl, const struct found *f, int prog_fd)
{
	int rc, fd;

	if (f->link_id)
		return -EBUSY;
	if (f->hook == HOOK_CLSACT) {
		rc = check_filter(nl, f);
		return rc ? rc : tc_filter_replace(nl, &f->filter, prog_fd);
	}
	fd = bpf_fd_by_id(BPF_KIND_PROG, f->prog_id);
	if (fd < 0)
		return fd;
	if (f->hook == HOOK_TCX)
		rc = bpf_prog_replace(prog_fd, f->ifindex, hook_tcx_type(f->ingress), 0, fd);
	else
		rc = link_set_xdp(nl, f->ifindex, prog_fd,
				  hook_xdp_mode(f->hook) | XDP_FLAGS_REPLACE, fd);
	close(fd);
	return rc;
}
