/* SPDX-License-Identifier: MIT */
/* Calls bpf(2) directly. Attributes are zeroed first: the kernel refuses nonzero unknown bytes
 * (EINVAL). */
#include "sys/bpf.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sys/priv.h"

static uint64_t ptr_to_u64(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int call_bpf_sized(int cmd, void *attr, size_t len)
{
	long rc = syscall(__NR_bpf, cmd, attr, len);

	return rc < 0 ? -errno : (int)rc;
}

/* The kernel sets O_CLOEXEC on all descriptors that bpf(2) returns. */
static int call_bpf(int cmd, union bpf_attr *attr)
{
	return call_bpf_sized(cmd, attr, sizeof(*attr));
}

/* Kernels before 5.11 charge maps and programs to RLIMIT_MEMLOCK and return -EPERM: raise the limit
 * and retry. */
static int call_bpf_charged(int cmd, union bpf_attr *attr)
{
	int rc = call_bpf(cmd, attr);

	if (rc != -EPERM)
		return rc;
	priv_lift_memlock();
	return call_bpf(cmd, attr);
}

static void copy_name(char *dst, const char *name)
{
	if (name)
		strncpy(dst, name, BPF_OBJ_NAME_LEN - 1);
}

int bpf_map_create(const struct bpf_map_opts *m)
{
	union bpf_attr a = {};

	a.map_type = m->type;
	a.key_size = m->key_size;
	a.value_size = m->value_size;
	a.max_entries = m->max_entries;
	a.map_flags = m->flags;
	copy_name(a.map_name, m->name);
	if (m->btf_fd) {
		a.btf_fd = (uint32_t)m->btf_fd;
		a.btf_key_type_id = m->btf_key;
		a.btf_value_type_id = m->btf_value;
	}
	return call_bpf_charged(BPF_MAP_CREATE, &a);
}

static int call_map_elem(int cmd, int fd, const void *key, const void *value, uint64_t flags)
{
	union bpf_attr a = {};

	a.map_fd = (uint32_t)fd;
	a.key = ptr_to_u64(key);
	a.value = ptr_to_u64(value);
	a.flags = flags;
	return call_bpf(cmd, &a);
}

int bpf_map_lookup(int fd, const void *key, void *value)
{
	return call_map_elem(BPF_MAP_LOOKUP_ELEM, fd, key, value, 0);
}

int bpf_map_update(int fd, const void *key, const void *value, uint64_t flags)
{
	return call_map_elem(BPF_MAP_UPDATE_ELEM, fd, key, value, flags);
}

int bpf_map_delete(int fd, const void *key)
{
	return call_map_elem(BPF_MAP_DELETE_ELEM, fd, key, NULL, 0);
}

int bpf_map_next_key(int fd, const void *key, void *next)
{
	return call_map_elem(BPF_MAP_GET_NEXT_KEY, fd, key, next, 0);
}

int bpf_map_freeze(int fd)
{
	union bpf_attr a = {};

	a.map_fd = (uint32_t)fd;
	return call_bpf(BPF_MAP_FREEZE, &a);
}

int bpf_map_update_batch(int fd, const void *keys, const void *values, uint32_t n)
{
	union bpf_attr a = {};

	a.batch.map_fd = (uint32_t)fd;
	a.batch.keys = ptr_to_u64(keys);
	a.batch.values = ptr_to_u64(values);
	a.batch.count = n;
	return call_bpf(BPF_MAP_UPDATE_BATCH, &a);
}

int bpf_prog_load(const struct bpf_prog_opts *p)
{
	union bpf_attr a = {};

	a.prog_type = p->type;
	a.expected_attach_type = p->attach_type;
	a.prog_flags = p->flags;
	a.insns = ptr_to_u64(p->insns);
	a.insn_cnt = p->ninsns;
	a.license = ptr_to_u64(p->license);
	a.attach_btf_id = p->attach_btf_id;
	copy_name(a.prog_name, p->name);
	if (p->log) {
		a.log_buf = ptr_to_u64(p->log);
		a.log_size = p->log_size;
		a.log_level = p->log_level;
	}
	return call_bpf_charged(BPF_PROG_LOAD, &a);
}

int bpf_prog_run(int fd, struct bpf_run *run)
{
	union bpf_attr a = {};
	int rc;

	a.test.prog_fd = (uint32_t)fd;
	a.test.data_in = ptr_to_u64(run->data);
	a.test.data_size_in = run->len;
	a.test.ctx_in = ptr_to_u64(run->ctx);
	a.test.ctx_size_in = run->ctx_len;
	a.test.repeat = run->repeat;
	a.test.flags = run->flags;
	a.test.batch_size = run->batch;
	rc = call_bpf(BPF_PROG_TEST_RUN, &a);
	run->ret = a.test.retval;
	run->ns = a.test.duration;
	return rc;
}

int bpf_link_create(int prog_fd, int target, uint32_t attach_type, uint32_t flags)
{
	union bpf_attr a = {};

	a.link_create.prog_fd = (uint32_t)prog_fd;
	a.link_create.target_ifindex = (uint32_t)target;
	a.link_create.attach_type = attach_type;
	a.link_create.flags = flags;
	return call_bpf(BPF_LINK_CREATE, &a);
}

int bpf_iter_create(int link_fd)
{
	union bpf_attr a = {};

	a.iter_create.link_fd = (uint32_t)link_fd;
	return call_bpf(BPF_ITER_CREATE, &a);
}

int bpf_raw_tracepoint_open(const char *name, int prog_fd)
{
	union bpf_attr a = {};

	a.raw_tracepoint.name = ptr_to_u64(name);
	a.raw_tracepoint.prog_fd = (uint32_t)prog_fd;
	return call_bpf(BPF_RAW_TRACEPOINT_OPEN, &a);
}

static int call_attach(int cmd, int prog_fd, int target, uint32_t attach_type, uint32_t flags,
		       int old_fd)
{
	union bpf_attr a = {};

	a.target_fd = (uint32_t)target; /* a union with target_ifindex */
	a.attach_bpf_fd = (uint32_t)prog_fd;
	a.attach_type = attach_type;
	a.attach_flags = flags;
	a.replace_bpf_fd = (uint32_t)old_fd;
	return call_bpf(cmd, &a);
}

int bpf_prog_attach(int prog_fd, int target, uint32_t attach_type, uint32_t flags)
{
	return call_attach(BPF_PROG_ATTACH, prog_fd, target, attach_type, flags, 0);
}

int bpf_prog_replace(int prog_fd, int target, uint32_t attach_type, uint32_t flags, int old_fd)
{
	return call_attach(BPF_PROG_ATTACH, prog_fd, target, attach_type, flags | BPF_F_REPLACE,
			   old_fd);
}

int bpf_prog_detach(int prog_fd, int target, uint32_t attach_type)
{
	return call_attach(BPF_PROG_DETACH, prog_fd, target, attach_type, 0, 0);
}

/* The attributes of BPF_PROG_QUERY in Linux 6.6 (linux/bpf.h). Older kernels have the members up to
 * attach_flags2. */
struct prog_query_attr {
	uint32_t target, attach_type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t count, pad;
	uint64_t attach_flags2, link_ids, link_flags, revision;
};

int bpf_prog_query(int target, uint32_t attach_type, uint32_t *ids, uint32_t *link_ids,
		   uint32_t max)
{
	struct prog_query_attr a = {
		.target = (uint32_t)target,
		.attach_type = attach_type,
		.prog_ids = ptr_to_u64(ids),
		.count = max,
		.link_ids = ptr_to_u64(link_ids),
	};
	int rc = call_bpf_sized(BPF_PROG_QUERY, &a, sizeof(a));

	/* -ENOSPC: more than max programs are attached; the first max ids were written. */
	if (rc < 0 && rc != -ENOSPC)
		return rc;
	return (int)(a.count < max ? a.count : max);
}

int bpf_fd_by_id(enum bpf_kind kind, uint32_t id)
{
	static const int cmds[] = {
		[BPF_KIND_PROG] = BPF_PROG_GET_FD_BY_ID,
		[BPF_KIND_MAP] = BPF_MAP_GET_FD_BY_ID,
		[BPF_KIND_BTF] = BPF_BTF_GET_FD_BY_ID,
		[BPF_KIND_LINK] = BPF_LINK_GET_FD_BY_ID,
	};
	union bpf_attr a = {};

	a.prog_id = id; /* a union with map_id, btf_id and link_id */
	return call_bpf(cmds[kind], &a);
}

int bpf_next_id(enum bpf_kind kind, uint32_t id, uint32_t *next)
{
	static const int cmds[] = {
		[BPF_KIND_PROG] = BPF_PROG_GET_NEXT_ID,
		[BPF_KIND_MAP] = BPF_MAP_GET_NEXT_ID,
		[BPF_KIND_BTF] = BPF_BTF_GET_NEXT_ID,
		[BPF_KIND_LINK] = BPF_LINK_GET_NEXT_ID,
	};
	union bpf_attr a = {};
	int rc;

	a.start_id = id;
	rc = call_bpf(cmds[kind], &a);
	if (!rc)
		*next = a.next_id;
	return rc;
}

int bpf_get_info(int fd, void *info, uint32_t len)
{
	union bpf_attr a = {};

	a.info.bpf_fd = (uint32_t)fd;
	a.info.info_len = len;
	a.info.info = ptr_to_u64(info);
	return call_bpf(BPF_OBJ_GET_INFO_BY_FD, &a);
}

int bpf_btf_load(const void *btf, uint32_t len)
{
	union bpf_attr a = {};

	a.btf = ptr_to_u64(btf);
	a.btf_size = len;
	return call_bpf(BPF_BTF_LOAD, &a);
}

int bpf_enable_stats(void)
{
	union bpf_attr a = {};

	a.enable_stats.type = BPF_STATS_RUN_TIME;
	return call_bpf(BPF_ENABLE_STATS, &a);
}

/* Looks up a new per-CPU map into memory filled with a pattern. The values are zero, so the first
 * word that still has the pattern is past the last CPU. */
static int count_cpus(void)
{
	enum { CPUS_MAX = 8192 }; /* largest CONFIG_NR_CPUS */
	struct bpf_map_opts m = { .name = "sonde_cpus",
				  .type = BPF_MAP_TYPE_PERCPU_ARRAY,
				  .key_size = 4,
				  .value_size = 8,
				  .max_entries = 1 };
	uint64_t *values;
	uint32_t zero = 0;
	int fd, rc, n;

	values = malloc(CPUS_MAX * sizeof(*values));
	if (!values)
		return -ENOMEM;
	memset(values, 0xa5, CPUS_MAX * sizeof(*values));
	fd = bpf_map_create(&m);
	rc = fd < 0 ? fd : bpf_map_lookup(fd, &zero, values);
	for (n = 0; !rc && n < CPUS_MAX && !values[n]; n++)
		;
	if (fd >= 0)
		close(fd);
	free(values);
	return rc < 0 ? rc : n;
}

int bpf_possible_cpus(void)
{
	static int cpus;

	if (cpus <= 0)
		cpus = count_cpus();
	return cpus;
}
