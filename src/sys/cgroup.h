/* SPDX-License-Identifier: MIT */
/* Control groups (version 2), mounted or not. */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

enum { CGROUP_ID_MIN = 8 }; /* hex digits that name a container */

/* The kernel's number of a cgroup: bpf_get_current_cgroup_id()'s. path: in a mounted cgroup2, or
 * from its root on ("/system.slice/ssh.service", with or without the first slash). -ENOENT;
 * -ENODEV: there is no cgroup2. */
int cgroup_id(const char *path, uint64_t *id);
/* That of a container, by the beginning of its ID. -ENOENT; -EINVAL: no ID; -ENOTUNIQ. */
int cgroup_container(const char *id, uint64_t *cgroup);

/* Whether a directory is a container's of such an ID, as runtimes name them: docker-ID.scope,
 * cri-containerd-ID.scope, ID. Then *whole is where in name the whole ID stands. */
bool cgroup_is_container(const char *name, const char *id, const char **whole);

#endif
