/* SPDX-License-Identifier: MIT */
/* Control groups (version 2); their file system need not be mounted. */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

enum { CGROUP_ID_MIN = 8 }; /* least hex digits to name a container by */

/* Finds the id of a cgroup as bpf_get_current_cgroup_id() returns it. path: a directory in a
 * mounted cgroup2, or a path from its root ("/system.slice/ssh.service", also without the first
 * slash). -ENOENT; -ENODEV: the kernel has no cgroup2. */
int cgroup_find_id(const char *path, uint64_t *id);
/* Finds the cgroup id of a container by a prefix of its ID. -ENOENT; -EINVAL: not an ID; -ENOTUNIQ:
 * several containers match. */
int cgroup_find_container(const char *id, uint64_t *cgroup);

/* Returns true if a cgroup directory's name is one that runtimes give a container whose ID starts
 * with id: docker-ID.scope, cri-containerd-ID.scope, ID. *full_id then points to the whole ID in
 * name. */
bool cgroup_is_container(const char *name, const char *id, const char **full_id);

#endif
