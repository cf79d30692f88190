/* SPDX-License-Identifier: MIT */
/* bpf(2): one function per command. Each returns 0 or a descriptor, or -errno. None reports
 * errors. */
#ifndef SYS_BPF_H
#define SYS_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Newer than the linux/bpf.h that the build may find (6.6). */
enum {
	SYS_BPF_TCX_INGRESS = 46,
	SYS_BPF_TCX_EGRESS = 47,
	SYS_BPF_LINK_TYPE_TCX = 11,
};

/* All descriptors are close-on-exec, and never 0 as long as main() keeps 0-2 open. */

struct bpf_map_opts {
	const char *name; /* at most 15 bytes are used */
	uint32_t type, key_size, value_size, max_entries, flags;
	int btf_fd; /* 0: none */
	uint32_t btf_key, btf_value;
};
int bpf_map_create(const struct bpf_map_opts *m);
int bpf_map_lookup(int fd, const void *key, void *value);
int bpf_map_update(int fd, const void *key, const void *value, uint64_t flags);
int bpf_map_delete(int fd, const void *key);
/* key NULL: gets the first key. -ENOENT: key is the last one. */
int bpf_map_next_key(int fd, const void *key, void *next);
int bpf_map_freeze(int fd);
/* Updates n elements from arrays of keys and values. Fails if the kernel lacks batches for this
 * type of map (hashes: before 5.6, tries: before 5.14) or refuses an element; some elements may
 * have been written then. */
int bpf_map_update_batch(int fd, const void *keys, const void *values, uint32_t n);

struct bpf_prog_opts {
	const char *name;
	uint32_t type, attach_type, flags;
	const struct bpf_insn *insns;
	uint32_t ninsns;
	const char *license;
	uint32_t attach_btf_id; /* in vmlinux, for BPF_PROG_TYPE_TRACING */
	char *log;              /* NULL: no log */
	uint32_t log_size, log_level;
};
int bpf_prog_load(const struct bpf_prog_opts *p);

/* One BPF_PROG_TEST_RUN with data and ctx (ctx may be NULL). Results: ret is the program's return
 * value, ns the mean duration of a run in nanoseconds. */
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

/* target: an interface index, or 0 for tracing programs. */
int bpf_link_create(int prog_fd, int target, uint32_t attach_type, uint32_t flags);
/* Returns a descriptor to read the output of an iterator from, given the iterator's link. */
int bpf_iter_create(int link_fd);
int bpf_raw_tracepoint_open(const char *name, int prog_fd); /* name NULL: a BTF-typed program */

/* Attaches without a link: the program stays after the process ends. target: an interface index for
 * tcx, a cgroup's descriptor for cgroup hooks. flags: BPF_F_BEFORE to run first (tcx),
 * BPF_F_ALLOW_MULTI to run along with others (cgroups). */
int bpf_prog_attach(int prog_fd, int target, uint32_t attach_type, uint32_t flags);
/* Atomically replaces a program that is attached without a link. flags: those it was attached with.
 * -ENOENT: old_fd is not attached there. */
int bpf_prog_replace(int prog_fd, int target, uint32_t attach_type, uint32_t flags, int old_fd);
int bpf_prog_detach(int prog_fd, int target, uint32_t attach_type);
/* Gets the ids of the programs at a hook in the order they run, and the ids of their links (0:
 * attached without a link). link_ids may be NULL; only tcx fills it. Returns the number of ids, at
 * most max, or -errno. */
int bpf_prog_query(int target, uint32_t attach_type, uint32_t *ids, uint32_t *link_ids,
		   uint32_t max);

enum bpf_kind { BPF_KIND_PROG, BPF_KIND_MAP, BPF_KIND_BTF, BPF_KIND_LINK };
int bpf_fd_by_id(enum bpf_kind kind, uint32_t id);
/* Gets the smallest id above id. -ENOENT: no larger id. */
int bpf_next_id(enum bpf_kind kind, uint32_t id, uint32_t *next);
/* info: a struct bpf_{prog,map,btf,link}_info of len bytes, zero except for the members that select
 * output. */
int bpf_get_info(int fd, void *info, uint32_t len);

int bpf_btf_load(const void *btf, uint32_t len);
/* Enables run-time statistics of all programs until the descriptor is closed (Linux 5.8). */
int bpf_enable_stats(void);

/* Returns the number of possible CPUs, which is the number of values in a per-CPU map; or -errno.
 * Determined with a map, which needs neither sysfs nor procfs; cached. */
int bpf_possible_cpus(void);

#endif
