/* SPDX-License-Identifier: MIT */
/* Scenarios of sonde trace: drops, resets, full queues, DNS, TLS, bind. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/btf.h"
#include "sys/mnt.h"
#include "tests/lib/require.h"
#include "tests/net/net.h"
#include "tests/net/trace.h"

enum { PORT = 7777, CLOSED = 7779, DATAGRAMS = 40 };

static struct sonde a;

/* Reads a counter of this namespace from /proc/net/snmp: a line of names, then one of numbers. */
static uint64_t read_counter(const char *proto, const char *name)
{
	static char text[1 << 13];
	char *names, *numbers, *n, *v, *save_n, *save_v;

	CHECK(mnt_read("proc", "/proc", "thread-self/net/snmp", text, sizeof(text)) > 0, "snmp");
	names = strstr(text, proto);
	CHECK(names, "no %s in snmp", proto);
	numbers = strchr(names, '\n') + 1;
	n = strtok_r(names, " \n", &save_n);
	v = strtok_r(numbers, " \n", &save_v);
	while (n && v && strcmp(n, name)) {
		n = strtok_r(NULL, " \n", &save_n);
		v = strtok_r(NULL, " \n", &save_v);
	}
	CHECK(n && v, "no %s in snmp", name);
	return strtoull(v, NULL, 10);
}

static int far_datagram_socket(const struct lab *lab, int port)
{
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, AF_INET, port);
	int fd;

	lab_enter(lab, LAB_FAR);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(fd, (struct sockaddr *)&ss, len), "bind: %s", strerror(errno));
	lab_enter(lab, LAB_NEAR);
	return fd;
}

static void send_to_far(int port, unsigned int n)
{
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, AF_INET, port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char word[512] = "";

	/* not connected, so that ICMP errors are not returned */
	while (n--)
		CHECK(sendto(fd, word, sizeof(word), 0, (struct sockaddr *)&ss, len) > 0, "sendto");
	close(fd);
}

/* Sends datagrams with a wrong checksum. */
static void send_broken(unsigned int n)
{
	struct {
		struct udphdr udp;
		char text[16];
	} packet = { .udp = { .source = htons(1000),
			      .dest = htons(PORT),
			      .len = htons(sizeof(packet)),
			      .check = htons(0xbad) } };
	struct sockaddr_storage ss;
	socklen_t len = far_address(&ss, AF_INET, 0);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	while (n--)
		CHECK(sendto(fd, &packet, sizeof(packet), 0, (struct sockaddr *)&ss, len) > 0,
		      "sendto: %s", strerror(errno));
	close(fd);
}

static void refuse_all(int fd)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog prog = { 1, &none };

	CHECK(!setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), "filter");
}

/* Returns the summary's packets for a reason. */
static uint64_t drops_for(const char *text, const char *reason)
{
	char word[64];

	snprintf(word, sizeof(word), "\"reason\":\"%s\"", reason);
	return JSON_SUM(text, "packets", "\"record\":\"trace_drops\"", word);
}

/* Drops are counted by reason, equal to the kernel's own counters. */
SCENARIO(trace_dropped, 60)
{
	uint64_t no_port, broken, full, small = 1;
	struct lab lab = { 0 };
	int filtered, slow;
	char *text;

	require_memory();
	lab_ready(&lab);
	slow = far_datagram_socket(&lab, PORT);
	filtered = far_datagram_socket(&lab, PORT + 1);
	refuse_all(filtered);
	setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(int));
	trace_file();
	sonde_start(&a, trace_into_file,
		    (const char *const[]){ "sonde", "trace", "drop", "--json",
					   "host 192.0.2.1 and udp and", trace_lab_filter(&lab),
					   NULL });
	sonde_await_err(&a, "tracing");
	send_to_far(CLOSED, DATAGRAMS);
	send_broken(DATAGRAMS);
	send_to_far(PORT, DATAGRAMS);
	send_to_far(PORT + 1, DATAGRAMS);
	lab_enter(&lab, LAB_FAR);
	AWAIT((no_port = read_counter("Udp:", "NoPorts")) == DATAGRAMS, "%u without a port",
	      (unsigned int)no_port);
	broken = read_counter("Udp:", "InCsumErrors");
	full = read_counter("Udp:", "RcvbufErrors");
	CHECK(broken == DATAGRAMS && full, "broken %u, full %u", (unsigned int)broken,
	      (unsigned int)full);
	nap_ms(50 * test_slow());
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	text = trace_read_file(trace_file());
	CHECK(sonde_number(&a, "events traced") == no_port + broken + full + DATAGRAMS, "%s %s",
	      a.err, text);
	/* before 5.17 the kernel reports only the location */
	if (strstr(text, "\"reason\":\"")) {
		CHECK(drops_for(text, "NO_SOCKET") == no_port, "%s", text);
		CHECK(drops_for(text, "UDP_CSUM") == broken, "%s", text);
		CHECK(drops_for(text, "SOCKET_RCVBUFF") == full, "%s", text);
		CHECK(drops_for(text, "SOCKET_FILTER") == DATAGRAMS, "%s", text);
		CHECK(LINES_WITH(text, "\"record\":\"drop\"",
				 "192.0.2.1.1000 > 192.0.2.2.7777: UDP") == broken,
		      "%s", text);
	}
	free(text);
}

/* A stack starts where the packet was dropped; functions have names. */
SCENARIO(trace_drop_stacks, 60)
{
	struct lab lab = { 0 };

	require_memory();
	lab_ready(&lab);
	SONDE_START(&a, "trace", "drop", "--stack", "-c", "1", "port 7779 and",
		    trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	send_to_far(CLOSED, 1);
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(lines_of(a.out) > 3 && strstr(a.out, "udp") && strstr(a.out, "+0x"), "%s", a.out);
	SONDE_RUN(&a, "trace", "drop", "--stack", "-d", "1s", "-q", "port 9");
	CHECK(!a.rc && !*a.out, "%s%s", a.out, a.err);
}

static bool has_reset_reasons(void)
{
	struct btf_lookup want = { .name = "sk_rst_reason", .kinds = BTF_KIND_BIT(ENUM) };
	struct btf btf = { 0 };

	CHECK(!btf_open_kernel(&btf), "cannot read the kernel's types");
	btf_resolve(&btf, &want, 1);
	btf_close(&btf);
	return want.id != 0;
}

/* A reset is reported at both ends. */
SCENARIO(trace_resets, 60)
{
	struct sockaddr_storage ss;
	struct lab lab = { 0 };
	socklen_t len;
	int fd;

	require_memory();
	lab_ready(&lab);
	SONDE_START(&a, "trace", "reset", "--json", "port 7779 and", trace_lab_filter(&lab));
	sonde_await_err(&a, "tracing");
	len = far_address(&ss, AF_INET, CLOSED);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(connect(fd, (struct sockaddr *)&ss, len) && errno == ECONNREFUSED, "not refused");
	sonde_await_out(&a, "received");
	nap_ms(50 * test_slow());
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	/* before 6.10 resets sent without a socket are not reported */
	CHECK(!has_reset_reasons() ||
		      LINES_WITH(a.out, "\"how\":\"sent\"", "\"reason\":\"NO_SOCKET\"",
				 "\"local\":\"192.0.2.2\",\"local_port\":7779",
				 "\"remote\":\"192.0.2.1\"") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, "\"how\":\"received\"", "SYN_SENT", "\"remote_port\":7779") == 1,
	      "%s", a.out);
}

/* A listener whose connections nobody accepts. */
SCENARIO(trace_full_queue, 60)
{
	struct sockaddr_storage ss;
	struct lab lab = { 0 };
	socklen_t len = far_address(&ss, AF_INET, PORT);
	int listener;

	require_memory();
	lab_ready(&lab);
	listener = far_listener(&lab, AF_INET, PORT, 1);
	SONDE_START(&a, "trace", "listen", "--json", "port 7777 and", trace_lab_filter(&lab));
	while (sonde_poll(&a, 20) || !*a.err)
		if (strstr(a.err, "tracing") || strstr(a.err, "queues are unavailable"))
			break;
	if (strstr(a.err, "queues are unavailable"))
		SKIP("this kernel has no kprobes");
	for (int i = 0; i < 6; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		CHECK(connect(fd, (struct sockaddr *)&ss, len) && errno == EINPROGRESS, "connect");
	}
	sonde_await_out(&a, "\"queue_length\":2,\"queue_limit\":1");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	CHECK(strstr(a.out, "\"local\":\"192.0.2.2\",\"local_port\":7777,\"remote\":\"192.0.2.1\""),
	      "%s", a.out);
	CHECK(strstr(a.out, "\"process\":\"net\""), "%s", a.out);
	close(listener);
}

SCENARIO(trace_binds, 60)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	const char *pid = trace_pid_word(getpid());
	struct lab lab = { 0 };
	int tcp, second, udp;

	require_memory();
	lab_ready(&lab);
	SONDE_START(&a, "trace", "bind", "--json", "-c", "3", "-p", trace_own_pid());
	sonde_await_err(&a, "tracing");
	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(tcp, (struct sockaddr *)&any, sizeof(any)) && !listen(tcp, 1), "bind");
	CHECK(bind(second, (struct sockaddr *)&any, sizeof(any)) && errno == EADDRINUSE, "bind");
	CHECK(!bind(udp, (struct sockaddr *)&any, sizeof(any)), "bind");
	CHECK(!sonde_wait(&a), "%s", a.err);
	CHECK(LINES_WITH(a.out, pid, "\"local_port\":7777", "\"protocol\":\"tcp\"",
			 "\"result\":\"ok\"") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, pid, "\"protocol\":\"tcp\"", "\"error\":\"EADDRINUSE\"") == 1, "%s",
	      a.out);
	CHECK(LINES_WITH(a.out, pid, "\"protocol\":\"udp\"", "\"result\":\"ok\"") == 1, "%s",
	      a.out);
}

/* Starts a resolver at the far side: one address; NXDomain for "no"; no answer for "silent". */
static pid_t start_resolver(int fd)
{
	static const uint8_t record[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 99 };
	uint8_t message[512];
	struct sockaddr_storage ss;
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		socklen_t len = sizeof(ss);
		ssize_t n = recvfrom(fd, message, sizeof(message) - sizeof(record), 0,
				     (struct sockaddr *)&ss, &len);
		bool no = n > 14 && message[12] == 2;

		if (n < 14)
			_exit(1);
		if (message[12] == 6)
			continue;
		message[2] |= 0x80;
		message[3] = no ? 3 : 0;
		if (!no) {
			message[7] = 1;
			memcpy(message + n, record, sizeof(record));
			n += (ssize_t)sizeof(record);
		}
		sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&ss, len);
	}
}

static void send_query(int fd, const char *name, uint8_t type, bool wait)
{
	uint8_t message[128] = { name[0], name[1], 1, 0, 0, 1 };
	size_t at = 12;
	char answer[512];

	for (const char *word = name; *word;
	     word += strcspn(word, ".") + (strchr(word, '.') != NULL)) {
		size_t len = strcspn(word, ".");

		message[at++] = (uint8_t)len;
		memcpy(message + at, word, len);
		at += len;
	}
	message[at + 2] = type;
	message[at + 4] = 1;
	CHECK(send(fd, message, at + 5, 0) == (ssize_t)at + 5, "send");
	CHECK(!wait || recv(fd, answer, sizeof(answer), 0) > 0, "no answer");
}

SCENARIO(trace_dns, 60)
{
	struct sockaddr_storage ss;
	const char *pid = trace_pid_word(getpid());
	struct lab lab = { 0 };
	socklen_t len;
	int server, fd;
	pid_t resolver;

	require_types();
	lab_ready(&lab);
	SONDE_START(&a, "trace", "dns", "--json", "-p", trace_own_pid());
	sonde_await_err(&a, "tracing");
	server = far_datagram_socket(&lab, 53);
	resolver = start_resolver(server);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	len = far_address(&ss, AF_INET, 53);
	CHECK(!connect(fd, (struct sockaddr *)&ss, len), "connect");
	send_query(fd, "www.example.org", 1, true);
	send_query(fd, "no.example.org", 28, true);
	send_query(fd, "silent.example.org", 1, false);
	sonde_await_out(&a, "\"result\":\"no answer\"");
	CHECK(!sonde_stop(&a, SIGINT), "%s", a.err);
	kill(resolver, SIGKILL);
	expect_documented(a.out, "trace");
	CHECK(LINES_WITH(a.out, pid, "\"direction\":\"out\"", "\"name\":\"www.example.org\"",
			 "\"type\":\"A\"", "\"result\":\"NoError\"", "\"rcode\":0",
			 "\"answers\":[\"192.0.2.99\"]") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, pid, "\"direction\":\"out\"", "\"name\":\"no.example.org\"",
			 "\"type\":\"AAAA\"", "\"result\":\"NXDomain\"", "\"rcode\":3",
			 "\"answers\":[]") == 1,
	      "%s", a.out);
	CHECK(LINES_WITH(a.out, pid, "\"direction\":\"out\"", "silent.example.org",
			 "\"result\":\"no answer\"", "\"rcode\":null", "\"answers\":null",
			 "\"latency_seconds\":5") == 1,
	      "%s", a.out);
	/* the resolver's side */
	CHECK(LINES_WITH(a.out, "\"direction\":\"in\"", "www.example.org", "\"local_port\":53") ==
		      1,
	      "%s", a.out);
}

/* Messages are filtered by the namespace and the interface of their socket. */
SCENARIO(trace_dns_netns, 60)
{
	struct sockaddr_storage ss;
	struct lab lab = { 0 };
	socklen_t len;
	int server, fd;
	pid_t resolver;

	require_memory();
	lab_ready(&lab);
	SONDE_START(&a, "trace", "dns", "--json", "-N", trace_own_pid(), "-i", "sonde0", "-c", "2");
	sonde_await_err(&a, "tracing");
	server = far_datagram_socket(&lab, 53);
	resolver = start_resolver(server);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	len = far_address(&ss, AF_INET, 53);
	CHECK(!connect(fd, (struct sockaddr *)&ss, len), "connect");
	send_query(fd, "www.example.org", 1, true);
	send_query(fd, "no.example.org", 1, true);
	CHECK(!sonde_wait(&a), "%s", a.err);
	kill(resolver, SIGKILL);
	CHECK(LINES_WITH(a.out, "\"record\":\"dns\"", "\"direction\":\"out\"") == 2 &&
		      !LINES_WITH(a.out, "\"netns\":null") &&
		      !LINES_WITH(a.out, "\"direction\":\"in\""),
	      "%s", a.out);
}

/* Functions with the names of OpenSSL's. */
int SSL_write(void *ssl, const void *text, int n);
int SSL_read(void *ssl, void *text, int n);
int SSL_write_ex(void *ssl, const void *text, size_t n, size_t *written);

__attribute__((noinline, used)) int SSL_write(void *ssl, const void *text, int n)
{
	asm volatile("" : "+r"(ssl), "+r"(text), "+r"(n) : : "memory");
	return n;
}

__attribute__((noinline, used)) int SSL_read(void *ssl, void *text, int n)
{
	asm volatile("" : "+r"(ssl), "+r"(text), "+r"(n) : : "memory");
	strcpy(text, "an answer");
	return n < 9 ? n : 9;
}

__attribute__((noinline, used)) int SSL_write_ex(void *ssl, const void *text, size_t n,
						 size_t *written)
{
	asm volatile("" : "+r"(ssl), "+r"(text), "+r"(n) : : "memory");
	*written = n;
	return 1;
}

/* Plain text of a program with OpenSSL linked in; long text is split. */
SCENARIO(trace_tls, 60)
{
	const char *pid = trace_pid_word(getpid());
	char text[64], *large = malloc(9000);
	const char *sonde = getenv("SONDE");
	size_t written;

	require_memory();
	CHECK(large, "malloc");
	memset(large, 'x', 9000);
	SONDE_RUN(&a, "trace", "tls", "--json", "--tls-file", sonde ? sonde : "build/sonde", "-d",
		  "1ms");
	sonde_expect_line(&a, 1, "has no SSL_read or SSL_write");
	SONDE_START(&a, "trace", "tls", "--json", "-c", "5", "-p", trace_own_pid(), "-N",
		    trace_own_pid());
	sonde_await_err(&a, "tracing");
	CHECK(SSL_write(&a, "a question", 10) == 10, "-");
	CHECK(SSL_read(&a, text, sizeof(text)) == 9, "-");
	CHECK(SSL_write_ex(&a, large, 9000, &written) == 1, "-");
	CHECK(!sonde_wait(&a), "%s", a.err);
	expect_documented(a.out, "trace");
	CHECK(LINES_WITH(a.out, pid, "\"how\":\"sent\"", "\"text\":\"a question\"") == 1, "%s",
	      a.out);
	CHECK(LINES_WITH(a.out, pid, "\"how\":\"received\"", "\"text\":\"an answer\"") == 1, "%s",
	      a.out);
	CHECK(LINES_WITH(a.out, pid, "\"length_bytes\":9000,\"offset_bytes\":0,") == 1 &&
		      LINES_WITH(a.out, pid, "\"length_bytes\":9000,\"offset_bytes\":4096,") == 1 &&
		      LINES_WITH(a.out, pid, "\"length_bytes\":9000,\"offset_bytes\":8192,") == 1,
	      "wrong pieces");
	SONDE_RUN(&a, "trace", "tls", "--tls-file", "/nowhere");
	sonde_expect_line(&a, 1, "not found");
	free(large);
}
