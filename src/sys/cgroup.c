/* SPDX-License-Identifier: MIT */
/* Control groups: found in their file system, which is mounted for the occasion where it is not. */
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
	WHOLE_MIN = 32,  /* digits of a container's whole ID: a pod's UID has fewer in one piece */
	WHOLE_MAX = 128, /* bytes of it that are compared */
	DEPTH_MAX = 32,  /* directories within each other that are looked into */
	DIRECTORY = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
};

/* fd if it is of a cgroup2, else an error, and it is closed. */
static int checked(int fd)
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
	static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		fd = checked(open(usual[i], DIRECTORY));
		if (fd >= 0)
			return fd;
	}
	return mnt_open_dir("cgroup2", usual[0], CGROUP2_SUPER_MAGIC);
}

/* Above a mount that stands nowhere there is nothing but itself. */
static bool goes_up(const char *path)
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
		fd = checked(open(path, DIRECTORY));
	if (fd >= 0)
		return fd;
	if (goes_up(path))
		return -ENOENT;
	root = open_root();
	if (root < 0)
		return root;
	path += strspn(path, "/");
	fd = checked(openat(root, *path ? path : ".", DIRECTORY));
	close(root);
	return fd;
}

/* A file handle holds the number whole; the inode's is its lower half where that has 32 bits. */
static int number_of(int fd, uint64_t *id)
{
	union {
		struct file_handle handle;
		uint8_t room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h = { .handle.handle_bytes = sizeof(uint64_t) };
	struct stat st;
	int mount;

	if (!name_to_handle_at(fd, "", &h.handle, &mount, AT_EMPTY_PATH) &&
	    h.handle.handle_bytes == sizeof(uint64_t)) {
		memcpy(id, h.handle.f_handle, sizeof(*id));
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return -errno;
	*id = st.st_ino;
	return 0;
}

int cgroup_id(const char *path, uint64_t *id)
{
	int fd = open_path(path), rc;

	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	rc = number_of(fd, id);
	close(fd);
	return rc;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool cgroup_is_container(const char *name, const char *id, const char **whole)
{
	if (strstr(name, "conmon")) /* the container's monitor has a cgroup beside it */
		return false;
	for (const char *at = name; *at; at++) {
		size_t n = 0;

		if ((at > name && is_word(at[-1])) || strncmp(at, id, strlen(id)))
			continue;
		while (is_hex(at[n]))
			n++;
		if (n < WHOLE_MIN || is_word(at[n]))
			continue;
		*whole = at;
		return true;
	}
	return false;
}

/* Containers found so far. */
struct search {
	const char *id;
	char whole[WHOLE_MAX];
	uint64_t number;
	bool found, many;
};

static int found(struct search *s, int fd, const char *whole)
{
	size_t n = 0;
	char copy[WHOLE_MAX] = "";

	for (; n < sizeof(copy) - 1 && is_hex(whole[n]); n++)
		copy[n] = whole[n];
	if (s->found) {
		s->many |= strcmp(s->whole, copy) != 0;
		return 0;
	}
	s->found = true;
	memcpy(s->whole, copy, sizeof(copy));
	return number_of(fd, &s->number);
}

/* Look through a directory, which is closed. One that vanishes meanwhile is none. */
static int walk(struct search *s, int fd, int depth)
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
		const char *whole;
		int below;

		if (e->d_type != DT_DIR || *e->d_name == '.')
			continue;
		below = openat(fd, e->d_name, DIRECTORY | O_NOFOLLOW);
		if (below >= 0 && cgroup_is_container(e->d_name, s->id, &whole)) {
			rc = found(s, below, whole);
			close(below);
		} else if (below >= 0 && depth < DEPTH_MAX) {
			rc = walk(s, below, depth + 1);
		} else if (below >= 0) {
			close(below);
		}
	}
	closedir(dir);
	return rc;
}

int cgroup_container(const char *id, uint64_t *cgroup)
{
	struct search s = { .id = id };
	size_t len = 0;
	int root, rc;

	while (is_hex(id[len]))
		len++;
	if (id[len] || len < CGROUP_ID_MIN || len >= WHOLE_MAX)
		return -EINVAL;
	root = open_root();
	if (root < 0)
		return root;
	rc = walk(&s, root, 0);
	if (rc)
		return rc;
	if (s.many)
		return -ENOTUNIQ;
	if (!s.found)
		return -ENOENT;
	*cgroup = s.number;
	return 0;
}
