/* SPDX-License-Identifier: MIT */
/* Finds cgroups in their file system, through a temporary detached mount if it is not mounted. */
#define _GNU_SOURCE
#include "sys/cgroup.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "base/array.h"
#include "sys/mnt.h"

enum {
	FULL_ID_MIN = 32,  /* hex digits of a container's ID; runs in a pod's UID are shorter */
	FULL_ID_MAX = 128, /* bytes of an ID, with its NUL */
	DEPTH_MAX = 32,    /* levels of directories that are searched */
	OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
};

/* Returns fd if it is in a cgroup2; else closes it and returns -errno. */
static int require_cgroup2(int fd)
{
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (!fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return fd;
	close(fd);
	return -ENOENT;
}

static int open_root(void)
{
	static const char *const mount_points[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(mount_points); i++) {
		fd = require_cgroup2(open(mount_points[i], OPEN_DIR));
		if (fd >= 0)
			return fd;
	}
	return mnt_open_dir("cgroup2", mount_points[0], CGROUP2_SUPER_MAGIC);
}

/* The root of a detached mount is its own parent, so ".." would be ignored there. */
static bool has_dotdot(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")) != NULL; at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

static int open_path(const char *path)
{
	int fd = -ENOENT, root;

	if (*path == '/')
		fd = require_cgroup2(open(path, OPEN_DIR));
	if (fd >= 0)
		return fd;
	if (has_dotdot(path))
		return -ENOENT;
	root = open_root();
	if (root < 0)
		return root;
	path += strspn(path, "/");
	fd = require_cgroup2(openat(root, *path ? path : ".", OPEN_DIR));
	close(root);
	return fd;
}

/* Reads the 64-bit id from the file handle: where inode numbers have 32 bits, they are only its
 * lower half. */
static int read_id(int fd, uint64_t *id)
{
	union {
		struct file_handle handle;
		uint8_t bytes[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle.handle_bytes = sizeof(uint64_t) };
	struct stat st;
	int mount_id;

	if (!name_to_handle_at(fd, "", &h.handle, &mount_id, AT_EMPTY_PATH) &&
	    h.handle.handle_bytes == sizeof(uint64_t)) {
		memcpy(id, h.handle.f_handle, sizeof(*id));
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	*id = st.st_ino;
	return 0;
}

int cgroup_find_id(const char *path, uint64_t *id)
{
	int fd = open_path(path), rc;

	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	rc = read_id(fd, id);
	close(fd);
	return rc;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_word_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool cgroup_is_container(const char *name, const char *id, const char **full_id)
{
	if (strstr(name, "conmon")) /* the monitor process of a container has a cgroup of its own */
		return false;
	for (const char *at = name; *at; at++) {
		size_t n = 0;

		if ((at > name && is_word_char(at[-1])) || strncmp(at, id, strlen(id)))
			continue;
		while (is_hex(at[n]))
			n++;
		if (n < FULL_ID_MIN || is_word_char(at[n]))
			continue;
		*full_id = at;
		return true;
	}
	return false;
}

/* A search for a container, and its result. */
struct container_search {
	const char *id;
	char full_id[FULL_ID_MAX];
	uint64_t cgroup;
	bool matched, ambiguous;
};

static int add_match(struct container_search *s, int fd, const char *full_id)
{
	size_t n = 0;
	char copy[FULL_ID_MAX] = "";

	for (; n < sizeof(copy) - 1 && is_hex(full_id[n]); n++)
		copy[n] = full_id[n];
	if (s->matched) {
		s->ambiguous |= strcmp(s->full_id, copy) != 0;
		return 0;
	}
	s->matched = true;
	memcpy(s->full_id, copy, sizeof(copy));
	return read_id(fd, &s->cgroup);
}

/* Searches a directory, and closes fd. A directory that vanishes meanwhile is skipped. */
static int walk_dir(struct container_search *s, int fd, int depth)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!rc && (e = readdir(dir))) {
		const char *full_id;
		int child;

		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		child = openat(fd, e->d_name, OPEN_DIR | O_NOFOLLOW);
		if (child >= 0 && cgroup_is_container(e->d_name, s->id, &full_id)) {
			rc = add_match(s, child, full_id);
			close(child);
		} else if (child >= 0 && depth < DEPTH_MAX) {
			rc = walk_dir(s, child, depth + 1);
		} else if (child >= 0) {
			close(child);
		}
	}
	closedir(dir);
	return rc;
}

int cgroup_find_container(const char *id, uint64_t *cgroup)
{
	struct container_search s = { .id = id };
	size_t len = 0;
	int root, rc;

	while (is_hex(id[len]))
		len++;
	if (id[len] || len < CGROUP_ID_MIN || len >= FULL_ID_MAX)
		return -EINVAL;
	root = open_root();
	if (root < 0)
		return root;
	rc = walk_dir(&s, root, 0);
	if (rc)
		return rc;
	if (s.ambiguous)
		return -ENOTUNIQ;
	if (!s.matched)
		return -ENOENT;
	*cgroup = s.cgroup;
	return 0;
}
