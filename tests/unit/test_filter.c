/* SPDX-License-Identifier: MIT */
/* The filter language: equivalent filters, errors and their positions, names of the host. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "filter/emit.h"
#include "filter/filter.h"
#include "filter/restrict.h"
#include "tests/lib/exprs.h"
#include "tests/unit/suites.h"

enum { PACKETS = 2000 };

static int resolve_host(void *arg, const char *name, struct filter_addr *addrs, int max,
			struct diag *why)
{
	(void)arg;
	(void)why;
	if (strcmp(name, "server") || max < 2)
		return -ENOENT;
	addrs[0] = (struct filter_addr){ 4, { 10, 0, 0, 1 } };
	addrs[1] = (struct filter_addr){ 6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
	return 2;
}

static int resolve_iface(void *arg, const char *name, uint32_t *ifindex, struct diag *why)
{
	(void)arg;
	(void)why;
	*ifindex = 7;
	return strcmp(name, "eth0") ? -ENODEV : 0;
}

static int resolve_cgroup(void *arg, const char *path, uint64_t *id, struct diag *why)
{
	(void)arg;
	(void)why;
	*id = 42;
	return strcmp(path, "/system.slice/ssh.service") ? -ENOENT : 0;
}

/* A resolver may set its own message. */
static int resolve_container(void *arg, const char *id, uint64_t *number, struct diag *why)
{
	(void)arg;
	(void)id;
	*number = 0;
	strcpy(why->msg, "more than one container");
	return -EINVAL;
}

static int read_set(void *arg, const char *file, struct buf *text, struct diag *why)
{
	(void)arg;
	(void)why;
	if (!strcmp(file, "list"))
		buf_str(text, "10.0.0.1 # one\n10.1.0.0/16\n2001:db8::1");
	else if (!strcmp(file, "bad"))
		buf_str(text, "10.0.0.1\n  10.0.0\n");
	else if (strncmp(file, "some", 4))
		return -ENOENT;
	return 0;
}

static const struct filter_names names = { .host = resolve_host,
					   .iface = resolve_iface,
					   .cgroup = resolve_cgroup,
					   .container = resolve_container,
					   .set = read_set,
					   .netmask = 0xffff0000 };

static struct filter parse_text(const char *text)
{
	struct diag diag = { 0 };
	struct filter f = { 0 };

	ck_assert_msg(!filter_parse(&f, text, &names, &diag), "'%s': at %llu: %s", text,
		      (unsigned long long)diag.pos, diag.msg);
	return f;
}

static const struct {
	const char *a, *b;
} equivalents[] = {
	{ "port 80 or 443", "port 80 or port 443" },
	{ "tcp port 80 or 443 or 22", "tcp port 80 or tcp port 443 or tcp port 22" },
	{ "port (80 or 443)", "port 80 or port 443" },
	{ "not port 80 and 443", "(not port 80) and port 443" },
	{ "src or dst port 80", "src port 80 or dst port 80" },
	{ "dst or src port 80", "port 80" },
	{ "src and dst net 10.0.0.0/16", "src net 10.0.0.0/16 and dst net 10.0.0.0/16" },
	{ "net 10.0", "net 10.0.0.0/16" },
	{ "net 10", "net 10.0.0.0 mask 255.0.0.0" },
	{ "host 10.0", "net 10.0.0.0/16" },
	{ "10.0.0.1", "host 10.0.0.1" },
	{ "host 10.0.0.1 or 10.0.0.2 and tcp", "(host 10.0.0.1 or host 10.0.0.2) and tcp" },
	{ "tcp or udp and ip6", "(tcp or udp) and ip6" },
	{ "ip && ! tcp || arp", "(ip and not tcp) or arp" },
	{ "port http or https", "port 80 or port 443" },
	{ "port domain", "port 53" },
	{ "portrange 80-443", "portrange 443-80" },
	{ "portrange http-https", "portrange 80-443" },
	{ "portrange 80", "port 80" },
	{ "ip proto \\tcp", "ip and proto 6" },
	{ "ip proto tcp", "ip and tcp" },
	{ "ether proto 0x806", "arp" },
	{ "ether proto \\ip", "ip" },
	{ "tcp[13] & 2 != 0", "tcp[tcpflags] & tcp-syn != 0" },
	{ "tcp[0:2] = 80", "tcp src port 80" },
	{ "ip[12:4] = 0x0a000001", "ip src 10.0.0.1" },
	{ "ip[9] == 6 and ip", "ip proto 6" },
	{ "1 + 2 * 3 = 7", "ip or not ip" },
	{ "(1 + 2) * 3 = 9 and tcp", "tcp" },
	{ "7 - 2 - 1 = 4", "ip or not ip" },
	{ "6 & 3 << 1 = 6", "ip or not ip" },
	{ "1 | 2 ^ 3 & 2 = 1", "ip or not ip" },
	{ "-1 > 4294967294", "ip or not ip" },
	{ "len >= 60", "greater 60" },
	{ "host server", "host 10.0.0.1 or host 2001:db8::1" },
	{ "ip host server", "ip host 10.0.0.1" },
	{ "ether host 02-00-00-00-00-01", "ether host 2:0:0:0:0:1" },
	{ "ip broadcast", "ip[18:2] = 0 or ip[18:2] = 65535" },
	{ "", "ip or not ip" },
	{ "icmp6", "ip6 proto 58" },
	{ "inner tcp", "not (ip or not ip)" },
	{ "iface eth0", "not (ip or not ip)" },
	{ "comm sshd or pid 5", "not (ip or not ip)" },
	{ "cgroup /system.slice/ssh.service", "not (ip or not ip)" },
	{ "set list", "host 10.0.0.1 or net 10.1.0.0/16 or host 2001:db8::1" },
	{ "src set list", "src host 10.0.0.1 or src net 10.1.0.0/16 or src host 2001:db8::1" },
	{ "src and dst set list", "src set list and dst set list" },
	{ "dst or src set list", "src set list or dst set list" },
	{ "ip dst set list", "ip dst host 10.0.0.1 or ip dst net 10.1.0.0/16" },
	{ "ip6 set list", "ip6 host 2001:db8::1" },
	{ "arp set list", "arp host 10.0.0.1 or arp net 10.1.0.0/16" },
	{ "not (set list and tcp) and set some", "ip and not ip" },
	{ "verdict drop or inbound", "not (ip or not ip)" },
};

START_TEST(equivalent_filters_match_alike)
{
	struct filter a = parse_text(equivalents[_i].a), b = parse_text(equivalents[_i].b);

	exprs_seed(1 + (uint64_t)_i);
	for (int i = 0; i < PACKETS; i++) {
		struct exprs_packet p;
		struct filter_packet q = { p.views, p.data, 0 };

		exprs_draw_packet(&p);
		q.caplen = p.frame.caplen;
		ck_assert_msg(filter_match(&a, &q) == filter_match(&b, &q),
			      "'%s' and '%s' differ at packet %d", equivalents[_i].a,
			      equivalents[_i].b, i);
	}
	filter_close(&a);
	filter_close(&b);
}
END_TEST

static const struct {
	const char *text;
	size_t pos;
	const char *message;
} errors[] = {
	{ "tcp port", 8, "missing port number" },
	{ "port 65536", 5, "expected port number or service name, not '65536'" },
	{ "port nonesuch", 5, "'nonesuch'" },
	{ "host 10.0.0.1 or", 16, "missing filter expression" },
	{ "host nowhere", 5, "hosts file" },
	{ "icmp port 80", 10, "no ports" },
	{ "ip host 2001:db8::1", 8, "IPv6" },
	{ "tcp host 10.0.0.1", 9, "no addresses" },
	{ "(tcp or udp", 11, "missing ')'" },
	{ "(port 80 udp", 9, "expected ')', not 'udp'" },
	{ "tcp) or udp", 3, "expected 'and', 'or' or end of filter, not ')'" },
	{ "tcp[13", 6, "missing ']'" },
	{ "tcp[13:3] = 1", 7, "1, 2 or 4" },
	{ "tcp[13]", 7, "comparison" },
	{ "tcp[13] =", 9, "missing number" },
	{ "net 10.0.0.1/8", 4, "outside the network mask" },
	{ "net 10.0.0.0/33", 4, "32 bits" },
	{ "net 2001:db8::/129", 15, "prefix length" },
	{ "ether host 10.0.0.1", 11, "02:00" },
	{ "tpc port 80", 0, "unknown filter keyword 'tpc'" },
	{ "port 80 and tpc", 12, "'tpc'" },
	{ "vlan 5000", 5, "4095" },
	{ "iface eth9", 6, "eth9" },
	{ "verdict maybe", 8, "'drop' or 'pass', not 'maybe'" },
	{ "ip proto 300", 9, "IP protocol" },
	{ "arp proto 6", 10, "no protocols" },
	{ "ip6 broadcast", 0, "broadcast" },
	{ "port 80 \x01", 8, "'and', 'or'" },
	{ "comm \"no end", 5, "name" },
	{ "ifname eth9", 7, "no interface eth9" },
	{ "netns blue", 6, "no network namespace blue" },
	{ "container abc", 10, "more than one container" },
	{ "host 10.0.0.1 and container abc", 28, "more than one container" },
	{ "set /nowhere", 4, "no set of addresses /nowhere" },
	{ "tcp or set bad", 11, "bad:2:3: expected an IPv4 or IPv6 address" },
	{ "src set bad", 8, "bad:2:3" },
	{ "tcp dst set list", 8, "'tcp and set" },
	{ "set", 3, "missing name" },
	{ "set \"\"", 4, "name" },
	{ "host \"\"", 5, "hosts file" },
	{ "dns", 3, "name" },
	{ "tcp and dns a..b", 12, "empty label" },
	{ "dns *.example.com", 4, "'*'" },
	{ "sni b\xc3\xbc.example", 4, "xn--" },
	{ "(sni .)", 5, "empty label" },
	{ "port 80 or set list or 443", 23, "'443'" },
};

START_TEST(errors_have_positions)
{
	struct diag diag = { 0 };
	struct filter f = { 0 };

	ck_assert_int_eq(filter_parse(&f, errors[_i].text, &names, &diag), -EINVAL);
	ck_assert_msg(diag.pos == errors[_i].pos && strstr(diag.msg, errors[_i].message),
		      "'%s': at %llu: %s", errors[_i].text, (unsigned long long)diag.pos, diag.msg);
	ck_assert_ptr_null(f.nodes);
}
END_TEST

/* Repeats before and after n times each around middle. */
static char *repeat_text(const char *before, const char *middle, const char *after, size_t n)
{
	size_t nb = strlen(before), nm = strlen(middle), na = strlen(after);
	char *text = calloc(1, n * (nb + na) + nm + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text + n * nb, middle, nm);
	for (size_t i = 0; i < n; i++) {
		memcpy(text + i * nb, before, nb);
		memcpy(text + n * nb + nm + i * na, after, na);
	}
	return text;
}

START_TEST(nesting_is_limited)
{
	static const char *const nests[][2] = { { "(", ")" }, { "not ", "" }, { "-", "" } };
	struct diag diag = { 0 };
	struct filter f = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(nests); i++) {
		const char *middle = i == 2 ? "1 = 1" : "tcp";
		char *fits = repeat_text(nests[i][0], middle, nests[i][1], 150);
		char *not = repeat_text(nests[i][0], middle, nests[i][1], 5000);

		ck_assert_msg(!filter_parse(&f, fits, NULL, &diag), "%zu: %s", i, diag.msg);
		filter_close(&f);
		ck_assert_int_eq(filter_parse(&f, not, NULL, &diag), -EINVAL);
		free(fits);
		free(not );
	}
}
END_TEST

/* Hundreds of terms fit. Tens of thousands are refused with a message before anything is loaded. */
START_TEST(length_is_limited)
{
	struct filter_code code = { 0 };
	struct diag diag = { 0 };
	struct filter f = { 0 };
	char *text = repeat_text("port 80 or ", "tcp", "", 800);

	ck_assert_int_eq(filter_parse(&f, text, NULL, &diag), 0);
	ck_assert_int_eq(filter_emit(&f, FILTER_SKB, &code, &diag), 0);
	ck_assert_uint_lt(code.n, 8000);
	filter_code_close(&code);
	filter_close(&f);
	free(text);
	text = repeat_text("port 80 or ", "tcp", "", 5500);
	ck_assert_int_eq(filter_parse(&f, text, NULL, &diag), 0);
	ck_assert_int_eq(filter_emit(&f, FILTER_SKB, &code, &diag), -E2BIG);
	ck_assert_ptr_nonnull(strstr(diag.msg, "too long"));
	filter_close(&f);
	free(text);
	text = repeat_text("port 80 or ", "tcp", "", 30000);
	ck_assert_int_eq(filter_parse(&f, text, NULL, &diag), -EINVAL);
	free(text);
}
END_TEST

/* Restrictions by options apply in addition to any filter. One of the interfaces is enough. */
static const struct {
	const char *text;
	struct filter_restriction r;
	bool matches; /* a TCP packet of process 7 in namespace 5 on interface 3 */
} restrictions[] = {
	{ "", { 0 }, true },
	{ "", { (const uint32_t[]){ 3 }, 1, 5, 7 }, true },
	{ "", { (const uint32_t[]){ 2, 3, 4 }, 3, 0, 0 }, true },
	{ "", { (const uint32_t[]){ 2, 4 }, 2, 0, 0 }, false },
	{ "", { NULL, 0, 6, 0 }, false },
	{ "", { NULL, 0, 0, 8 }, false },
	{ "tcp", { (const uint32_t[]){ 3 }, 1, 5, 7 }, true },
	{ "udp", { (const uint32_t[]){ 3 }, 1, 5, 7 }, false },
	{ "udp or tcp", { NULL, 0, 0, 8 }, false },
	{ "udp or tcp", { (const uint32_t[]){ 4 }, 1, 0, 7 }, false },
	{ "tcp or udp", { NULL, 0, 4, 7 }, false },
	{ "not udp", { NULL, 0, 5, 7 }, true },
};

START_TEST(options_restrict_filters)
{
	struct view views[2] = { { .ifindex = 3,
				   .netns = 5,
				   .pid = 7,
				   .type = 0x800,
				   .proto = 6,
				   .family = 4,
				   .addrs = 4 } };
	const struct filter_packet p = { views, NULL, 0 };
	struct filter_code code = { 0 };
	struct diag diag = { 0 };
	struct filter f = { 0 };

	if (*restrictions[_i].text)
		ck_assert_int_eq(filter_parse(&f, restrictions[_i].text, NULL, &diag), 0);
	ck_assert_int_eq(filter_restrict(&f, &restrictions[_i].r), 0);
	if (f.nodes) {
		ck_assert_int_eq(filter_match(&f, &p), restrictions[_i].matches);
		ck_assert_int_eq(filter_emit(&f, FILTER_XDP, &code, &diag), 0);
	}
	ck_assert_int_eq(!!f.nodes, *restrictions[_i].text || restrictions[_i].r.nifaces ||
					    restrictions[_i].r.netns || restrictions[_i].r.pid);
	ck_assert_int_eq(!!(f.needs & FILTER_NEED_OWNER),
			 restrictions[_i].r.netns || restrictions[_i].r.pid);
	filter_code_close(&code);
	filter_close(&f);
}
END_TEST

Suite *filter_suite(void)
{
	Suite *s = suite_create("filter");
	TCase *t = tcase_create("filter");

	tcase_add_loop_test(t, equivalent_filters_match_alike, 0, ARRAY_LEN(equivalents));
	tcase_add_loop_test(t, errors_have_positions, 0, ARRAY_LEN(errors));
	tcase_add_test(t, nesting_is_limited);
	tcase_add_test(t, length_is_limited);
	tcase_add_loop_test(t, options_restrict_filters, 0, ARRAY_LEN(restrictions));
	suite_add_tcase(s, t);
	return s;
}
