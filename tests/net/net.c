/* SPDX-License-Identifier: MIT */
/* Runs sonde under test: pipes, conditions instead of sleeps, and the kernel's own statistics. */
#define _GNU_SOURCE
#include "tests/net/net.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "lab/address.h"
#include "obj/find.h"
#include "sys/bpf.h"
#include "sys/mnt.h"
#include "sys/netns.h"
#include "tests/lib/cpu.h"

enum { TIMEOUT_MS = 8000 };

void nap_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, NULL);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static _Noreturn void exec_sonde(const char *const *argv, void (*before)(void), int out, int err)
{
	const char *path = getenv("SONDE");

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (before)
		before();
	execv(path ? path : "build/sonde", (char *const *)(uintptr_t)argv);
	_exit(127);
}

void sonde_start(struct sonde *s, void (*before)(void), const char *const *argv)
{
	int out[2], err[2];

	memset(s, 0, sizeof(*s));
	CHECK(!pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC), "pipe: %s", strerror(errno));
	s->pid = fork();
	CHECK(s->pid >= 0, "fork: %s", strerror(errno));
	if (!s->pid)
		exec_sonde(argv, before, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	s->fd[0] = out[0];
	s->fd[1] = err[0];
}

bool sonde_poll(struct sonde *s, int ms)
{
	struct pollfd p[2] = { { s->fd[0], POLLIN, 0 }, { s->fd[1], POLLIN, 0 } };
	char *bufs[2] = { s->out, s->err };
	size_t rooms[2] = { sizeof(s->out), sizeof(s->err) };

	if (s->fd[0] < 0 && s->fd[1] < 0)
		return false;
	poll(p, 2, ms);
	for (int i = 0; i < 2; i++) {
		ssize_t n;

		if (s->fd[i] < 0 || !p[i].revents)
			continue;
		CHECK(s->len[i] + 1 < rooms[i], "the output exceeds the test's buffer");
		n = read(s->fd[i], bufs[i] + s->len[i], rooms[i] - 1 - s->len[i]);
		if (n > 0) {
			s->len[i] += (size_t)n;
			continue;
		}
		close(s->fd[i]);
		s->fd[i] = -1;
	}
	return true;
}

static void await_text(struct sonde *s, const char *text, const char *words)
{
	uint64_t end = now_ms() + TIMEOUT_MS * test_slow();

	while (!strstr(text, words)) {
		CHECK(now_ms() < end, "no \"%s\" in time; output: %s errors: %s", words, s->out,
		      s->err);
		CHECK(sonde_poll(s, 50), "sonde ended without \"%s\"; output: %s errors: %s", words,
		      s->out, s->err);
	}
}

void sonde_await_err(struct sonde *s, const char *text)
{
	await_text(s, s->err, text);
}

void sonde_await_out(struct sonde *s, const char *text)
{
	await_text(s, s->out, text);
}

int sonde_wait(struct sonde *s)
{
	int status;

	while (sonde_poll(s, 1000))
		;
	CHECK(waitpid(s->pid, &status, 0) == s->pid, "waitpid: %s", strerror(errno));
	s->pid = 0;
	s->rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return s->rc;
}

int sonde_stop(struct sonde *s, int sig)
{
	kill(s->pid, sig);
	return sonde_wait(s);
}

void sonde_expect_line(const struct sonde *s, int rc, const char *text)
{
	CHECK(s->rc == rc, "exit code %d, expected %d: %s", s->rc, rc, s->err);
	CHECK(lines_of(s->err) == 1 && strstr(s->err, text), "no single line with \"%s\": %s", text,
	      s->err);
}

void sonde_expect_confined(const struct sonde *s, uint64_t caps)
{
	char path[64], text[4096] = "", *at;

	snprintf(path, sizeof(path), "%d/status", s->pid);
	CHECK(mnt_read("proc", "/proc", path, text, sizeof(text)) > 0, "%s", path);
	at = strstr(text, "CapEff:");
	CHECK(at, "%s", text);
	CHECK(strtoull(at + 7, NULL, 16) == caps, "%.40s", at);
	CHECK(strstr(text, "NoNewPrivs:\t1"), "%s", text);
	CHECK(strstr(text, "Seccomp:\t2"), "%s", text);
}

uint64_t sonde_number(const struct sonde *s, const char *text)
{
	const char *at = strstr(s->err, text);

	while (at && at > s->err && at[-1] != '\n')
		at--;
	return at ? strtoull(at, NULL, 10) : 0;
}

unsigned int lines_of(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* Finds the next line that contains all words; its length in *len. */
static const char *next_line(const char *text, const char *const *words, size_t *len)
{
	for (; *text; text += *len + (text[*len] == '\n')) {
		bool all = true;

		*len = strcspn(text, "\n");
		for (int i = 0; words[i] && all; i++)
			all = memmem(text, *len, words[i], strlen(words[i])) != NULL;
		if (all)
			return text;
	}
	return NULL;
}

unsigned int lines_with(const char *text, const char *const *words)
{
	unsigned int n = 0;
	size_t len;

	for (; (text = next_line(text, words, &len)); n++)
		text += len + (text[len] == '\n');
	return n;
}

uint64_t json_sum(const char *text, const char *member, const char *const *words)
{
	uint64_t sum = 0;
	char key[64];
	size_t len;

	snprintf(key, sizeof(key), "\"%s\":", member);
	for (; (text = next_line(text, words, &len)); text += len + (text[len] == '\n')) {
		const char *at = memmem(text, len, key, strlen(key));

		if (at)
			sum += strtoull(at + strlen(key), NULL, 10);
	}
	return sum;
}

struct hooks hooks_of(struct lab_end *end)
{
	struct found_list list = { 0 };
	struct hooks h = { 0 };
	struct link now;
	int home = netns_current();

	CHECK(!netns_set(end->netns), "cannot enter the namespace");
	CHECK(!link_get(&end->nl, NULL, end->link.ifindex, &now), "%s is gone", end->link.name);
	CHECK(!find_attached(&end->nl, &now, &list), "cannot list the programs");
	for (size_t i = 0; i < list.n; i++) {
		struct find_prog prog;

		if (!find_prog(list.at[i].prog_id, &prog) && find_is_ours(&prog))
			h.ours++;
		else
			h.others++;
	}
	found_list_free(&list);
	netns_set(home);
	close(home);
	return h;
}

static bool is_clean(struct lab *lab)
{
	return !hooks_of(&lab->end[LAB_NEAR]).ours && !hooks_of(&lab->end[LAB_FAR]).ours;
}

void expect_clean(struct lab *lab)
{
	AWAIT(is_clean(lab), "a program of sonde is still at a hook");
}

void lab_ready(struct lab *lab)
{
	CHECK(!lab_open(lab), "cannot create the lab");
	CHECK(!lab_up(lab), "cannot bring the lab up");
	CHECK(!lab_udp(lab, AF_INET, 1, 1, true), "cannot send the first packet");
}

enum { BURST = 32 };

/* Each CPU's queue of a veth pair holds 256 packets: a short pause after each burst empties it. */
static _Noreturn void flood_from(int cpu, int far_port, unsigned int n, size_t len)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)far_port) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[1500] = "";

	cpu_pin(cpu);
	inet_pton(AF_INET, lab_address(LAB_FAR, AF_INET), &to.sin_addr);
	for (unsigned int i = 0; i < n; i++) {
		if (sendto(fd, buf, len, 0, (struct sockaddr *)&to, sizeof(to)) != (ssize_t)len)
			_exit(1);
		if (i % BURST == BURST - 1)
			usleep(100);
	}
	_exit(0);
}

/* A socket that nobody reads: the datagrams are dropped after all hooks, without an answer. */
static int sink_socket(const struct lab *lab, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd;

	lab_enter(lab, LAB_FAR);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)), "%s", strerror(errno));
	lab_enter(lab, LAB_NEAR);
	return fd;
}

void lab_flood(const struct lab *lab, unsigned int n, size_t len)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), port = 7777, status;
	int fd = sink_socket(lab, port);
	pid_t pids[64];

	if (cpus > 64)
		cpus = 64;
	for (int c = 0; c < cpus; c++) {
		unsigned int part = n / (unsigned int)cpus + (c < (int)(n % (unsigned int)cpus));

		pids[c] = fork();
		CHECK(pids[c] >= 0, "fork");
		if (!pids[c])
			flood_from(c, port, part, len);
	}
	for (int c = 0; c < cpus; c++)
		CHECK(waitpid(pids[c], &status, 0) == pids[c] && !status, "cannot send");
	close(fd);
}

uint64_t count_arrived(struct lab *lab, uint64_t before)
{
	struct lab_end *far = &lab->end[LAB_FAR];
	struct link now;

	CHECK(!link_get(&far->nl, NULL, far->link.ifindex, &now), "cannot read the statistics");
	return now.stats.rx_packets - before;
}

uint64_t count_dropped(struct lab *lab)
{
	struct lab_end *near = &lab->end[LAB_NEAR];
	struct link now;

	CHECK(!link_get(&near->nl, NULL, near->link.ifindex, &now), "cannot read the statistics");
	return now.stats.tx_dropped;
}

uint64_t all_arrived(struct lab *lab, uint64_t before, uint64_t sent, uint64_t dropped_before)
{
	int tries = 100 * (int)test_slow();

	while (count_arrived(lab, before) + count_dropped(lab) - dropped_before < sent && --tries)
		nap_ms(10);
	return count_arrived(lab, before);
}

uint64_t flood_across(struct lab *lab, unsigned int n, size_t len)
{
	uint64_t before = count_arrived(lab, 0), lost = count_dropped(lab);

	lab_flood(lab, n, len);
	return all_arrived(lab, before, n, lost);
}

/* A detached procfs shows this thread's namespace, mounted or not. */
void set_sysctl(const char *name, const char *value)
{
	char path[96];
	int dir = mnt_create_detached("proc"), fd;

	CHECK(dir >= 0, "procfs: %s", strerror(-dir));
	snprintf(path, sizeof(path), "sys/%s", name);
	fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	CHECK(fd < 0 || write(fd, value, strlen(value)) > 0, "%s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
	close(dir);
}

/* Without IPv6 the kernel sends no packets by itself. */
static void silence_ipv6(void)
{
	set_sysctl("net/ipv6/conf/all/disable_ipv6", "1");
}

void lab_mac(const struct lab *lab, enum lab_side side, uint8_t *mac)
{
	int fd, home = netns_current();
	struct ifreq req = { 0 };

	lab_enter(lab, side);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	strcpy(req.ifr_name, lab->end[side].link.name);
	CHECK(!ioctl(fd, SIOCGIFHWADDR, &req), "SIOCGIFHWADDR: %s", strerror(errno));
	memcpy(mac, req.ifr_hwaddr.sa_data, 6);
	close(fd);
	netns_set(home);
	close(home);
}

/* ARP resolves again five seconds after the first packet, during a slow machine's flood. A
 * permanent entry prevents that. */
static void pin_neighbour(const struct lab *lab, enum lab_side side)
{
	struct arpreq arp = { .arp_flags = ATF_PERM | ATF_COM };
	struct sockaddr_in *other = (void *)&arp.arp_pa;
	int fd;

	lab_mac(lab, !side, (uint8_t *)arp.arp_ha.sa_data);
	arp.arp_ha.sa_family = ARPHRD_ETHER;
	lab_enter(lab, side);
	other->sin_family = AF_INET;
	inet_pton(AF_INET, lab_address(!side, AF_INET), &other->sin_addr);
	strcpy(arp.arp_dev, lab->end[side].link.name);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(!ioctl(fd, SIOCSARP, &arp), "SIOCSARP: %s", strerror(errno));
	close(fd);
}

void lab_silence(const struct lab *lab)
{
	for (int side = 0; side < LAB_SIDES; side++) {
		pin_neighbour(lab, side);
		silence_ipv6();
	}
	lab_enter(lab, LAB_NEAR);
}

int foreign_prog(uint32_t type, const char *name)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K,
		  .imm = type == BPF_PROG_TYPE_XDP ? XDP_PASS : -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_opts p = { .name = name,
				   .type = type,
				   .attach_type = type == BPF_PROG_TYPE_XDP ? BPF_XDP : 0,
				   .insns = insns,
				   .ninsns = 2,
				   .license = "GPL" };
	int fd = bpf_prog_load(&p);

	CHECK(fd > 0, "cannot load a foreign program: %s", strerror(-fd));
	return fd;
}

socklen_t far_address(struct sockaddr_storage *ss, int family, int port)
{
	struct sockaddr_in *v4 = (void *)ss;
	struct sockaddr_in6 *v6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		v4->sin_port = htons((uint16_t)port);
		inet_pton(family, lab_address(LAB_FAR, family), &v4->sin_addr);
		return sizeof(*v4);
	}
	v6->sin6_port = htons((uint16_t)port);
	inet_pton(family, lab_address(LAB_FAR, family), &v6->sin6_addr);
	return sizeof(*v6);
}

int far_listener(const struct lab *lab, int family, int port, int backlog)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	struct sockaddr_in any4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	bool six = family == AF_INET6;
	int fd;

	lab_enter(lab, LAB_FAR);
	fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(fd, six ? (struct sockaddr *)&any : (struct sockaddr *)&any4,
		    six ? sizeof(any) : sizeof(any4)) &&
		      !listen(fd, backlog),
	      "cannot listen: %s", strerror(errno));
	lab_enter(lab, LAB_NEAR);
	return fd;
}

void foreign_xdp(struct lab *lab)
{
	struct lab_end *near = &lab->end[LAB_NEAR];
	int fd = foreign_prog(BPF_PROG_TYPE_XDP, "their_firewall");

	CHECK(!link_set_xdp(&near->nl, near->link.ifindex, fd, XDP_FLAGS_SKB_MODE, 0),
	      "cannot attach a foreign program");
	close(fd);
}
