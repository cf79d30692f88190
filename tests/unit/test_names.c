/* SPDX-License-Identifier: MIT */
/* Names in packets: read from DNS and TLS, and matched by filters. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "filter/filter.h"
#include "filter/view.h"
#include "net/dns.h"
#include "net/tls.h"
#include "tests/unit/suites.h"

static const struct {
	const char *name, *zone;
	bool within;
} pairs[] = {
	{ "example.com", "example.com", true },
	{ "www.example.com", "example.com", true },
	{ "a.b.c.example.com.", "EXAMPLE.com", true },
	{ "example.com", "example.com.", true },
	{ "badexample.com", "example.com", false },
	{ "com", "example.com", false },
	{ "example.org", "example.com", false },
	{ "example.com.org", "example.com", false },
	{ "com", "com", true },
	{ "x.com", "com", true },
};

START_TEST(names_are_within_zones)
{
	struct dns_name name, zone;

	ck_assert_ptr_null(dns_parse_name(&name, pairs[_i].name, strlen(pairs[_i].name)));
	ck_assert_ptr_null(dns_parse_name(&zone, pairs[_i].zone, strlen(pairs[_i].zone)));
	ck_assert_int_eq(dns_name_within(&name, &zone), pairs[_i].within);
}
END_TEST

START_TEST(invalid_names_are_refused)
{
	static const char *const wrong[] = { "", ".", "a..b", ".a", "a.." };
	char longest[260],
		label[] = "012345678901234567890123456789012345678901234567890123456789012";
	struct dns_name name;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_msg(dns_parse_name(&name, wrong[i], strlen(wrong[i])), "'%s'", wrong[i]);
	ck_assert_uint_eq(strlen(label), 63);
	ck_assert_ptr_null(dns_parse_name(&name, label, 63));
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 64 == 63 ? '.' : 'a';
	ck_assert_ptr_nonnull(dns_parse_name(&name,
					     "0123456789012345678901234567890123456789"
					     "012345678901234567890123",
					     64));
	ck_assert_ptr_null(dns_parse_name(&name, longest, 253));
	ck_assert_uint_eq(name.len, 254);
	ck_assert_ptr_nonnull(dns_parse_name(&name, longest, 254 + 1));
}
END_TEST

#define HEAD(questions) "\x12\x34\1\0\0" questions "\0\0\0\0\0\0"
#define MESSAGE(bytes)  bytes, sizeof(bytes) - 1
static const struct {
	const char *bytes;
	size_t len;
	bool is_match; /* whether it asks for example.com */
} messages[] = {
	{ MESSAGE(HEAD("\1") "\7example\3com\0\0\1\0\1"), true },
	{ MESSAGE(HEAD("\1") "\3www\7eXample\3COM\0\0\1\0\1"), true },
	{ MESSAGE(HEAD("\0") "\7example\3com\0\0\1\0\1"), false },
	{ MESSAGE(HEAD("\1") "\7example\3com\0"), true },
	{ MESSAGE(HEAD("\1") "\7example\3com"), false },
	{ MESSAGE(HEAD("\1") "\7example\3com\3org\0\0\1\0\1"), false },
	{ MESSAGE(HEAD("\1") "\013example.com\0\0\1\0\1"), false }, /* a dot in a label */
	{ MESSAGE(HEAD("\1") "\0\0\1\0\1"), false },
	{ MESSAGE(HEAD("\2") "\3com\0\0\1\0\1\7example\xc0\x0c\0\1\0\1"), true },
	{ MESSAGE(HEAD("\2") "\3com\0\0\1\0\1\7example\xc0\x40\0\1\0\1"), false }, /* forward */
	{ MESSAGE(HEAD("\1") "\xc0\x0c\0\1\0\1"), false },                         /* to itself */
	{ MESSAGE(HEAD("\3") "\3org\0\0\1\0\1\xc0\x0c\0\1\0\1\7example\3com\0\0\1\0\1"), true },
	{ MESSAGE(HEAD("\1") "\x47"
			     "example\3com\0\0\1\0\1"),
	  false }, /* an unknown kind of label */
	{ MESSAGE("\x12\x34"), false },
};

/* Messages in exactly allocated memory, whole and truncated at every length. */
START_TEST(questions_match)
{
	struct dns_name zone;

	ck_assert_ptr_null(dns_parse_name(&zone, "example.com", 11));
	for (size_t len = 0; len <= messages[_i].len; len++) {
		uint8_t *copy = malloc(len + !len);
		bool is_match;

		memcpy(copy, messages[_i].bytes, len);
		is_match = dns_message_asks(cursor_of(copy, len), &zone);
		ck_assert(!is_match || messages[_i].is_match);
		if (len == messages[_i].len)
			ck_assert_int_eq(is_match, messages[_i].is_match);
		free(copy);
	}
}
END_TEST

#define ZEROS32 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
/* Length, version, random, session, ciphers, compression. */
#define HELLO "\0\0\0\3\3" ZEROS32 "\2ab\0\2\x13\1\1\0"
static const struct {
	const char *bytes;
	size_t len;
	enum tls_name_result found;
} hellos[] = {
	{ MESSAGE(HELLO "\0\x14\0\0\0\x10\0\x0e\0\0\x0b"
			"example.com"),
	  TLS_NAMED },
	{ MESSAGE(HELLO "\0\x1a\0\x17\0\2xx\0\0\0\x10\0\x0e\0\0\x0b"
			"example.com"),
	  TLS_NAMED },
	{ MESSAGE(HELLO "\0\x14\0\0\0\x10\0\x0e\0\0\x0b"
			"example.co"),
	  TLS_NAME_CUT },
	{ MESSAGE(HELLO "\0\x14\0\0\0\x10\0\x0e\0\0\xff"
			"example.com"),
	  TLS_NAME_CUT },
	{ MESSAGE(HELLO "\0\x14\0\0\0\x10\0\x0e\1\0\x0b"
			"example.com"),
	  TLS_NAMELESS },
	{ MESSAGE(HELLO "\0\6\0\x17\0\2xx"), TLS_NAMELESS },
	{ MESSAGE(HELLO "\0\0"), TLS_NAMELESS },
	{ MESSAGE(HELLO), TLS_CUT },
	{ MESSAGE("\0"), TLS_CUT },
};

START_TEST(client_hellos_match)
{
	for (size_t len = 0; len <= hellos[_i].len; len++) {
		uint8_t *copy = malloc(len + !len);
		struct cursor name = { 0 };
		enum tls_name_result found;

		memcpy(copy, hellos[_i].bytes, len);
		found = tls_find_server_name(cursor_of(copy, len), &name);
		if (len == hellos[_i].len)
			ck_assert_int_eq(found, hellos[_i].found);
		if (found == TLS_NAMED)
			ck_assert(name.left == 11 && !memcmp(name.at, "example.com", 11));
		free(copy);
	}
}
END_TEST

#define ETH         "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0"
#define IPV4(proto) "\x45\0\0\0\0\0\0\0\x40" proto "\0\0\12\0\0\1\12\0\0\2"
#define TCP(ports)  ports "\0\0\0\1\0\0\0\1\x60\x18\1\0\0\0\0\0\1\1\1\1" /* with options */
#define QUESTION    HEAD("\1") "\3www\7example\3com\0\0\1\0\1"           /* 33 bytes */
#define CLIENT      "\x16\3\1\0\x4a\1" HELLO "\0\x18\0\0\0\x14\0\x12\0\0\x0fwww.example.com"

static const struct {
	const char *bytes;
	size_t len;
	const char *text;
	bool match;
} packets[] = {
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION), "dns example.com", true },
	{ MESSAGE(ETH IPV4("\x11") "\0\x35\x80\0\0\x29\0\0" QUESTION), "dns www.EXAMPLE.com.",
	  true },
	{ MESSAGE(ETH IPV4("\x11") "\x14\xe9\x14\xe9\0\x29\0\0" QUESTION), "dns com", true },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\x14\xeb\0\x29\0\0" QUESTION), "dns com", true },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x36\0\x29\0\0" QUESTION), "dns com", false },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION), "dns www", false },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION), "not dns org", true },
	/* UDP fields that are missing are padding. */
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x35\0\x18\0\0" QUESTION), "dns com", false },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\0\x35\0\0\0\0" QUESTION), "dns com", true },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\0\x35") "\0\x21" QUESTION), "dns example.com", true },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\0\x35") "\0\2ab\0\x21" QUESTION), "dns com", true },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\0\x35") "\0\x14" QUESTION), "dns com", false },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\1\xbb") CLIENT), "sni example.com", true },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\x30\x39") CLIENT), "tcp and sni WWW.example.com",
	  true },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\1\xbb") CLIENT), "sni ample.com", false },
	{ MESSAGE(ETH IPV4("\6") TCP("\x80\0\1\xbb") CLIENT), "dns example.com", false },
	{ MESSAGE(ETH IPV4("\x11") "\x80\0\1\xbb\0\0\0\0" CLIENT), "sni example.com", false },
	{ MESSAGE(ETH IPV4("\4") IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION), "dns com",
	  false },
	{ MESSAGE(ETH IPV4("\4") IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION), "inner dns com",
	  true },
	{ MESSAGE(ETH IPV4("\4") IPV4("\6") TCP("\0\1\0\2") CLIENT), "inner sni com", true },
};

START_TEST(packets_match_filters)
{
	struct diag diag = { 0 };
	struct filter f = { 0 };

	ck_assert_int_eq(filter_parse(&f, packets[_i].text, NULL, &diag), 0);
	for (size_t len = 0; len <= packets[_i].len; len++) {
		uint8_t *copy = malloc(len + !len);
		struct frame frame = { .data = copy,
				       .caplen = (uint32_t)len,
				       .len = (uint32_t)len,
				       .link = FRAME_ETHERNET };
		struct view views[VIEW_LAYERS];
		struct filter_packet p = { views, copy, frame.caplen };
		bool match;

		memcpy(copy, packets[_i].bytes, len);
		view_frame(views, &frame);
		match = filter_match(&f, &p);
		ck_assert_msg(len < packets[_i].len || match == packets[_i].match, "'%s'",
			      packets[_i].text);
		free(copy);
	}
	filter_close(&f);
}
END_TEST

/* A question for www.example.com that the kernel's program passed, for several clients. */
static const struct {
	const char *text;
	bool recheck, match;
} seconds[] = {
	{ "dns example.com", true, true },
	{ "dns example.org", false, false },
	{ "pid 5 and dns example.com", true, false },
	{ "pid 5 and dns example.org", false, false },
	{ "not pid 5 and dns example.com", true, true },
	{ "not (comm sshd or not dns example.com)", true, true },
	{ "not (pid 5 and dns example.com)", true, true },
	{ "verdict drop and dns com and udp", true, false },
	{ "(pid 5 and ip[200] = 0) or dns example.com", true, true },
	{ "ip[200] = 0 or dns example.com", false, false },
	{ "cgroup /a and tcp or dns example.com", true, true },
};

static int resolve_cgroup(void *arg, const char *path, uint64_t *id, struct diag *why)
{
	(void)arg;
	(void)path;
	(void)why;
	*id = 42;
	return 0;
}

START_TEST(recheck_completes_the_match)
{
	static const uint8_t bytes[] = ETH IPV4("\x11") "\x80\0\0\x35\0\x29\0\0" QUESTION;
	static const struct filter_names names = { .cgroup = resolve_cgroup };
	struct frame frame = { .data = bytes,
			       .caplen = sizeof(bytes) - 1,
			       .len = sizeof(bytes) - 1,
			       .link = FRAME_ETHERNET };
	struct view views[VIEW_LAYERS];
	struct filter_packet p = { views, bytes, frame.caplen };
	struct filter f = { 0 };
	struct diag diag = { 0 };

	ck_assert_int_eq(filter_parse(&f, seconds[_i].text, &names, &diag), 0);
	view_frame(views, &frame);
	ck_assert_int_eq(filter_recheck(&f, &p), seconds[_i].recheck);
	ck_assert_int_eq(filter_match(&f, &p), seconds[_i].match);
	filter_close(&f);
}
END_TEST

#define HEADER(flags, rcode, answers) "\x12\x34" flags rcode "\0\1\0" answers "\0\0\0\0"
#define WWW_A                         "\3www\7example\3org\0\0\1\0\1"
#define BYTES(s)                      s, sizeof(s) - 1
static const struct {
	const char *bytes;
	size_t len;
	const char *name, *answers;
	uint16_t type;
	uint8_t rcode;
	bool response, good;
} summaries[] = {
	{ BYTES(HEADER("\1", "\0", "\0") WWW_A), "www.example.org", "", 1, 0, false, true },
	{ BYTES(HEADER("\x81", "\x83", "\0") WWW_A), "www.example.org", "", 1, 3, true, true },
	/* An alias and its target, with pointers. */
	{ BYTES(HEADER("\x81", "\x80", "\2") WWW_A "\xc0\x0c\0\5\0\1\0\0\0\1\0\4\1a\xc0\x10"
						   "\xc0\x2d\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"),
	  "www.example.org", "a.example.org, 192.0.2.1", 1, 0, true, true },
	/* Bytes that are not text; a truncated answer. */
	{ BYTES(HEADER("\x81", "\x80", "\1") "\4a.\x1b\x80\0\0\x1c\0\1\xc0\x0c\0\x1c\0\1\0\0"),
	  "a\\046\\027\\128", "", 28, 0, true, true },
	/* The root servers. */
	{ BYTES(HEADER("\1", "\0", "\0") "\0\0\2\0\1"), ".", "", 2, 0, false, true },
	{ BYTES("\x12\x34\1\0\0\1"), "", "", 0, 0, false, false },
	/* A pointer to itself. */
	{ BYTES(HEADER("\1", "\0", "\0") "\xc0\x0c\0\1\0\1"), "", "", 0, 0, false, false },
};

START_TEST(messages_are_parsed)
{
	struct dns_summary got;

	ck_assert_int_eq(dns_parse_message(&got, cursor_of(summaries[_i].bytes, summaries[_i].len)),
			 summaries[_i].good);
	if (!summaries[_i].good)
		return;
	ck_assert_uint_eq(got.id, 0x1234);
	ck_assert_str_eq(got.name, summaries[_i].name);
	ck_assert_str_eq(got.answers, summaries[_i].answers);
	ck_assert_uint_eq(got.type, summaries[_i].type);
	ck_assert_uint_eq(got.rcode, summaries[_i].rcode);
	ck_assert_int_eq(got.response, summaries[_i].response);
}
END_TEST

Suite *names_suite(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");

	tcase_add_loop_test(t, names_are_within_zones, 0, ARRAY_LEN(pairs));
	tcase_add_test(t, invalid_names_are_refused);
	tcase_add_loop_test(t, questions_match, 0, ARRAY_LEN(messages));
	tcase_add_loop_test(t, client_hellos_match, 0, ARRAY_LEN(hellos));
	tcase_add_loop_test(t, packets_match_filters, 0, ARRAY_LEN(packets));
	tcase_add_loop_test(t, messages_are_parsed, 0, ARRAY_LEN(summaries));
	tcase_add_loop_test(t, recheck_completes_the_match, 0, ARRAY_LEN(seconds));
	suite_add_tcase(s, t);
	return s;
}
