/* SPDX-License-Identifier: MIT */
/* pidfd_open(2), and the number of this process's PID namespace. */
#include "sys/pidfd.h"
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "sys/mnt.h"

enum { INITIAL_INODE = 0xEFFFFFFC }; /* PROC_PID_INIT_INO of the kernel's linux/proc_ns.h */

int pidfd_open_process(uint32_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -EINVAL : -errno; /* newer kernels refuse threads with ENOENT */
}

bool pidfd_has_ended(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

bool pidfd_is_initial_namespace(void)
{
	int fd = mnt_open("proc", "/proc", "self/ns/pid");
	struct stat st;
	bool other;

	if (fd < 0)
		return true;
	other = !fstat(fd, &st) && st.st_ino != INITIAL_INODE;
	close(fd);
	return !other;
}
