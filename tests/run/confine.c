/* SPDX-License-Identifier: MIT */
/* Confinement with the product's C library: the calls that a live command needs still work. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/clock.h"
#include "sys/bpf.h"
#include "sys/confine.h"
#include "sys/link.h"
#include "sys/priv.h"
#include "tests/run/run.h"

enum { ROUNDS = 200, LARGE = 3 << 20, POLL_MS = 300 };

/* Stops this process in poll(2) and continues it: the kernel restarts the call by another system
 * call. */
static void stop_soon(void)
{
	pid_t to = getpid(), pid = fork();

	CHECK(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return;
	usleep(POLL_MS / 6 * 1000);
	kill(to, SIGSTOP);
	usleep(POLL_MS / 6 * 1000);
	kill(to, SIGCONT);
	_exit(0);
}

/* Small and large buffers, growing and shrinking: all ways in which the allocator gets memory from
 * the kernel. */
static void use_memory(void)
{
	struct buf bufs[ROUNDS] = { 0 };
	char *large = malloc(LARGE);

	for (size_t i = 0; i < ROUNDS; i++)
		buf_fill(&bufs[i], 'x', i * i);
	for (size_t i = 0; i < ROUNDS; i++)
		CHECK(!bufs[i].nomem && bufs[i].len == i * i, "no memory for buffer %zu", i);
	for (size_t i = 0; i < ROUNDS; i++)
		buf_free(&bufs[i]);
	for (size_t n = 2; large && n < 6; n++)
		large = realloc(large, n * LARGE);
	CHECK(large, "no memory for a large buffer");
	free(large);
}

static void use_clock(void)
{
	uint64_t before = clock_mono(), took;
	int n, err;

	n = poll(NULL, 0, POLL_MS);
	err = errno;
	took = clock_mono() - before;
	CHECK(!n, "poll: %s", strerror(err));
	CHECK(took / 1000000 >= POLL_MS && took / 1000000 < 20 * POLL_MS, "%llu ns passed",
	      (unsigned long long)took);
	CHECK(clock_real() > NS_PER_S, "cannot read the time of day");
}

static void require_own_calls(void)
{
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
	SKIP("sanitizers make system calls of their own");
#endif
#endif
}

/* Confines this process (sys/confine.h). Skips the test where the kernel does not support it. */
static void confine_self(uint64_t caps, bool files)
{
	int rc = confine_apply(caps, files);

	CHECK(!rc, "confine: %s", strerror(-rc));
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EPERM)
		SKIP("this kernel has no seccomp filters");
}

TEST(confine_leaves_enough, "sys: a confined process can still do what live commands need",
     TEST_ROOT, 10)
{
	struct bpf_map_opts m = { .name = "some",
				  .type = BPF_MAP_TYPE_ARRAY,
				  .key_size = 4,
				  .value_size = 4,
				  .max_entries = 1 };
	uint32_t zero = 0, value = 1;
	struct nl nl = { 0 };
	struct link lo;
	int map;

	require_own_calls();
	CHECK(!nl_open(&nl, 0), "cannot open netlink");
	priv_lift_memlock();
	stop_soon(); /* forks, which a confined process cannot */
	confine_self(PRIV(CAP_BPF) | PRIV(CAP_NET_ADMIN) | PRIV(CAP_PERFMON), false);
	CHECK(open("/", O_RDONLY) < 0 && errno == EPERM, "can open a file");
	CHECK(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM, "can open a socket");
	use_clock();
	use_memory();
	CHECK(!link_get(&nl, "lo", 0, &lo), "netlink does not answer");
	map = bpf_map_create(&m);
	CHECK(map > 0 && !bpf_map_lookup(map, &zero, &value) && !value, "cannot read the map: %d",
	      map);
	CHECK(write(STDOUT_FILENO, "", 0) == 0, "write: %s", strerror(errno));
	close(map);
	nl_close(&nl);
}

/* A process that rotates files may open files, by open(2) and openat(2), and nothing else. */
TEST(confine_leaves_files, "sys: a confined process can open files if it rotates them", TEST_ROOT,
     10)
{
	require_own_calls();
	confine_self(0, true);
	CHECK(open("/", O_RDONLY) >= 0, "open: %s", strerror(errno));
	CHECK(openat(AT_FDCWD, "/", O_RDONLY) >= 0, "openat: %s", strerror(errno));
	CHECK(socket(AF_INET, SOCK_DGRAM, 0) < 0 && errno == EPERM, "can open a socket");
	use_clock();
	use_memory();
}
