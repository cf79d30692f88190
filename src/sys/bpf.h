/* SPDX-License-Identifier: MIT */
/* bpf(2), a function a command: thin, 0 or a descriptor or -errno, nothing printed. */
#ifndef SYS_BPF_H
#define SYS_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Newer than the headers that the build may find (linux/bpf.h of 6.6). */
enum {
	SYS_BPF_TCX_INGRESS = 46,
	SYS_BPF_TCX_EGRESS = 47,
	SYS_BPF_LINK_TYPE_TCX = 11,
};

/* Descriptors are close-on-exec and never 0 as long as main keeps 0-2 open. */

struct bpf_map_opts {
	const char *name; /* cut at 15 characters by the caller */
	uint32_t type, key_size, value_size, max_entries, flags;
	int btf_fd; /* 0: none */
	uint32_t btf_key, btf_value;
};
int bpf_map_create(const struct bpf_map_opts *m);
int bpf_map_lookup(int fd, const void *key, void *value);
int bpf_map_update(int fd, const void *key, const void *value, uint64_t flags);
int bpf_map_delete(int fd, const void *key);
/* key NULL: the first key. -ENOENT behind the last. */
int bpf_map_next_key(int fd, const void *key, void *next);
int bpf_map_freeze(int fd);
/* n elements, one behind the other. An error where the kernel has no such command for this type of
 * map (hashes: 5.6, tries: 5.14), and if one of them is refused; some may be there then. */
int bpf_map_update_batch(int fd, const void *keys, const void *values, uint32_t n);

struct bpf_prog_opts {
	const char *name;
	uint32_t type, attach_type, flags;
	const struct bpf_insn *insns;
	uint32_t ninsns;
	const char *license;
	uint32_t attach_btf_id; /* of vmlinux, for BPF_PROG_TYPE_TRACING */
	char *log;              /* NULL: none */
	uint32_t log_size, log_level;
};
int bpf_prog_load(const struct bpf_prog_opts *p);

/* One BPF_PROG_TEST_RUN over data (and ctx, which may be NULL). ret: the program's return value;
 * ns: the mean of the runs in nanoseconds. out may be NULL. */
struct bpf_run {
	const void *data;
	uint32_t len;
	const void *ctx;
	uint32_t ctx_len;
	uint32_t repeat;
	uint32_t flags, batch;
	uint32_t ret, ns;
};
int bpf_prog_run(int fd, struct bpf_run *run);

/* target: an interface's index, 0 for tracing. */
int bpf_link_create(int prog_fd, int target, uint32_t attach_type, uint32_t flags);
/* The descriptor that an iterator's output is read from, by its link's. */
int bpf_iter_create(int link_fd);
int bpf_raw_tracepoint_open(const char *name, int prog_fd); /* name NULL: BTF-typed */

/* Without a link: stays when the process ends. target: an interface's index for tcx, a cgroup's
 * descriptor for the hooks of those. flags: BPF_F_BEFORE for the first place of tcx,
 * BPF_F_ALLOW_MULTI beside others at a cgroup. */
int bpf_prog_attach(int prog_fd, int target, uint32_t attach_type, uint32_t flags);
/* In the place of one that is there without a link; nothing passes between the two. flags: as when
 * that was attached. -ENOENT: it is not there. */
int bpf_prog_replace(int prog_fd, int target, uint32_t attach_type, uint32_t flags, int old_fd);
int bpf_prog_detach(int prog_fd, int target, uint32_t attach_type);
/* Ids of the programs at such a hook, in their order, and of their links (0: attached without one).
 * Returns their number, at most max; -errno. link_ids may be NULL, and is for tcx. */
int bpf_prog_query(int target, uint32_t attach_type, uint32_t *ids, uint32_t *link_ids,
		   uint32_t max);

enum bpf_kind { BPF_KIND_PROG, BPF_KIND_MAP, BPF_KIND_BTF, BPF_KIND_LINK };
int bpf_fd_by_id(enum bpf_kind kind, uint32_t id);
/* The next id above id, or -ENOENT. */
int bpf_next_id(enum bpf_kind kind, uint32_t id, uint32_t *next);
/* info: struct bpf_{prog,map,btf,link}_info of len bytes, zeroed but for what the caller asks for.
 */
int bpf_get_info(int fd, void *info, uint32_t len);

int bpf_btf_load(const void *btf, uint32_t len);
/* Run-time statistics of all programs are kept while the descriptor is open. */
int bpf_enable_stats(void);

/* Number of possible CPUs: how many values a per-CPU map has. 0 < n, or -errno. Asked of the kernel
 * through a map, so that neither sysfs nor procfs is needed; remembered. */
int bpf_possible_cpus(void);

#endif
