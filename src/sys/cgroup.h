/* SPDX-License-Identifier: MIT */
/* Control groups (version 2); their file system need not be mounted. */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

enum { CGROUP_ID_MIN = 8 }; /* minimum hex digits that name a container */

/* Finds the id of a cgroup as bpf_get_current_cgroup_id() returns it. path: a directory in a
 * mounted cgroup2, or a path from its root ("/system.slice/ssh.service", also without the first
 * slash). -ENOENT; -ENODEV: the kernel has no cgroup2. */
int cgroup_find_id(const char *path, uint64_t *id);
/* Finds the cgroup id of a container by a prefix of its ID. -ENOENT; -EINVAL: not an ID; -ENOTUNIQ:
 * the prefix matches several containers. */
int cgroup_find_container(const char *id, uint64_t *cgroup);

/* Returns true if name is a cgroup directory name that runtimes give to a container whose ID starts
 * with id: docker-ID.scope, cri-containerd-ID.scope, ID. Then *full_id points to the whole ID in
 * name. */
bool cgroup_is_container(const char *name, const char *id, const char **full_id);

#endif
