/* SPDX-License-Identifier: MIT */
/* Names in a filter as this host resolves them: cgroups and containers made by the test, its
 * namespace, its interfaces, files. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/array.h"
#include "base/err.h"
#include "resolve/names.h"
#include "sys/mnt.h"
#include "sys/netns.h"
#include "tests/run/run.h"

#define ID    "5dd00123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
#define OTHER "5dd00123456789abcdef0123456789abcdef0123456789abcdef0123456789ac"

/* Parses a filter of one comparison. Returns its value, or 0 with *diag set. */
static uint64_t value_of(const char *text, struct diag *diag)
{
	struct filter f = { 0 };
	uint64_t value = 0;

	*diag = (struct diag){ 0 };
	if (!filter_parse(&f, text, &resolve_names, diag))
		value = f.nodes[f.root].value;
	filter_close(&f);
	return value;
}

static void expect_error(const char *text, size_t pos, const char *message)
{
	struct diag diag;

	CHECK(!value_of(text, &diag), "'%s' is accepted", text);
	CHECK(diag.pos == pos && strstr(diag.msg, message), "'%s': at %llu: %s", text,
	      (unsigned long long)diag.pos, diag.msg);
}

#define CONMON "sonde-test/libpod-conmon-" ID ".scope"
#define SECOND "sonde-test/" OTHER
#define DOCKER "sonde-test/docker-" ID ".scope"
static const char *const groups[] = { "sonde-test", DOCKER, DOCKER "/init", CONMON, SECOND };
enum { GROUPS = ARRAY_LEN(groups) };

static void remove_groups(int root)
{
	for (int i = GROUPS; i-- > 0;)
		unlinkat(root, groups[i], AT_REMOVEDIR);
}

static void check_groups(int root)
{
	struct diag diag;
	struct stat st;
	uint64_t id;

	CHECK(!fstatat(root, groups[1], &st, 0), "%s", strerror(errno));
	id = value_of("cgroup " DOCKER, &diag);
	/* Where inode numbers have 32 bits, they are the lower half of the id. */
	CHECK((uint32_t)id == (uint32_t)st.st_ino, "%llu, not %llu: %s", (unsigned long long)id,
	      (unsigned long long)st.st_ino, diag.msg);
	CHECK(value_of("cgroup /" DOCKER, &diag) == id, "%s", diag.msg);
	CHECK(value_of("container " ID, &diag) == id, "%s", diag.msg);
	CHECK(value_of("container " OTHER, &diag), "%s", diag.msg);
	expect_error("container 5dd00123", 10, "more than one container ID starts with 5dd00123");
	expect_error("container 5dd00124", 10, "no container 5dd00124");
	expect_error("container 5dd0012", 10, "8 hex digits");
	expect_error("cgroup /sonde-test/nothing", 7, "no cgroup /sonde-test/nothing");
	expect_error("cgroup ../..", 7, "no cgroup");
}

TEST(names_cgroups, "names: cgroups and containers have their kernel ids", TEST_ROOT, 10)
{
	int root = mnt_create_detached("cgroup2");

	if (root < 0)
		SKIP("cgroup2 is unavailable: %s", strerror(-root));
	remove_groups(root);
	for (int i = 0; i < GROUPS; i++)
		if (mkdirat(root, groups[i], 0755) < 0) {
			remove_groups(root);
			SKIP("cannot create cgroups: %s", strerror(errno));
		}
	check_groups(root);
	remove_groups(root);
}

TEST(names_places, "names: namespaces and interfaces have their kernel ids", TEST_ROOT, 10)
{
	char text[64];
	struct diag diag;
	struct stat st;
	int fd = netns_current();

	CHECK(fd > 0 && !fstat(fd, &st), "cannot open the namespace");
	snprintf(text, sizeof(text), "netns %d", (int)getpid());
	CHECK(value_of(text, &diag) == st.st_ino, "'%s': %s", text, diag.msg);
	CHECK(value_of("iface lo", &diag) == 1, "%s", diag.msg);
	expect_error("netns 0", 6, "no process 0");
	expect_error("netns 4194305", 6, "no process 4194305");
	expect_error("netns nowhere", 6, "no network namespace nowhere");
	expect_error("netns /", 6, "is not a network namespace");
	expect_error("tcp and iface nowhere0", 14, "no interface nowhere0");
	expect_error("iface 0123456789abcdef", 6, "no interface");
	expect_error("host nobody.invalid", 5, "hosts file");
	close(fd);
}

TEST(names_files, "names: files of addresses are read, and mistakes located", TEST_ROOT, 10)
{
	static const char file[] = "sonde-test-set", text[] = "10.0.0.1\n  10.0.0.0/33 # wrong\n";
	struct filter f = { 0 };
	struct diag diag = { 0 };
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) > 0, "%s: %s", file, strerror(errno));
	expect_error("tcp and set sonde-test-set", 12,
		     "sonde-test-set:2:12: expected a prefix length");
	CHECK(!ftruncate(fd, 9), "%s", strerror(errno));
	CHECK(!filter_parse(&f, "src set sonde-test-set", &resolve_names, &diag), "%s", diag.msg);
	CHECK(f.nsets == 1 && f.sets->of[SET_IPV4].n == 1 && !f.sets->of[SET_IPV6].n,
	      "another set");
	filter_close(&f);
	unlink(file);
	expect_error("set sonde-test-set", 4, "sonde-test-set: not found");
	expect_error("set -", 4, "cannot be standard input");
	expect_error("set /", 4, "/: ");
	close(fd);
}
