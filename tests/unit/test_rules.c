/* SPDX-License-Identifier: MIT */
/* The gate's rules as text: parsing, errors and their positions, decisions about packets. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/array.h"
#include "filter/view.h"
#include "gate/rules.h"
#include "resolve/ssh_session.h"
#include "tests/lib/draw.h"
#include "tests/lib/exprs.h"
#include "tests/unit/suites.h"

enum { ROUNDS = 300 / UNIT_STRIDE, RULES_MAX = 12, PACKETS = 20, TEXT_MAX = 1000 };

static void parse_rules(struct rules *r, const char *text, enum gate_dir dir)
{
	struct diag diag = { 0 };

	ck_assert_msg(!rules_parse(r, text, strlen(text), dir, NULL, &diag), "'%s': %s", text,
		      diag.msg);
}

/* Prints both directions, incoming first. */
static void print_rules(const struct rules *r, struct buf *out)
{
	rules_print(r, GATE_IN, out);
	rules_print(r, GATE_OUT, out);
	buf_char(out, '\0');
	ck_assert(!out->nomem);
}

/* A text, and how it is printed. */
static const struct {
	const char *text, *printed;
} texts[] = {
	{ "", "" },
	{ "\n \n\t\r\n# nothing\n  # drop all", "" },
	{ "drop", "in drop\n" },
	{ "drop\n", "in drop\n" },
	{ "drop\r\nallow udp\r\n", "in drop\nin allow udp\n" },
	{ "  drop \t tcp  and port 80\t ", "in drop tcp  and port 80\n" },
	{ "drop tcp # and port 80\n#x\nallow", "in drop tcp\nin allow\n" },
	{ "pass ip6", "in allow ip6\n" },
	{ "out drop\nin drop udp", "in drop udp\nout drop\n" },
	{ "7 drop\n3 out allow name x\ndrop", "7 in drop\nin drop\n3 out allow name x\n" },
	{ "1023 drop name abcdefghijklmnopqrstuvw arp",
	  "1023 in drop name abcdefghijklmnopqrstuvw arp\n" },
	{ "default drop\ndrop tcp", "in drop tcp\nin default drop\n" },
	{ "default drop\nout default drop\ndefault allow", "out default drop\n" },
	{ "in default allow\nout default pass", "" },
	{ "drop name name name\\: = 1 or udp", NULL },
	{ "drop name in out", NULL },
	{ "drop name default", "in drop name default\n" },
	{ "00012 drop", "12 in drop\n" },
	{ "drop\0allow", "in drop\n" },
};

START_TEST(rules_are_parsed_and_printed)
{
	struct rules r = { 0 };
	struct diag diag = { 0 };
	struct buf out = { 0 };
	int rc = rules_parse(&r, texts[_i].text, strlen(texts[_i].text), GATE_IN, NULL, &diag);

	if (!texts[_i].printed) {
		ck_assert_int_eq(rc, -EINVAL);
		return;
	}
	ck_assert_msg(!rc, "'%s': %s", texts[_i].text, diag.msg);
	print_rules(&r, &out);
	ck_assert_str_eq(out.data, texts[_i].printed);
	buf_free(&out);
	rules_close(&r);
}
END_TEST

#define LONG "abcdefghijklmnopqrstuvwx"

static const struct {
	const char *text, *message;
} wrong[] = {
	{ "block", "1:1: block: unknown action: use allow or drop" },
	{ "allow\n\n  deny tcp", "3:3: deny: unknown action" },
	{ "in", "1:3: missing action: allow or drop" },
	{ "in out drop", "1:4: out: unknown action" },
	{ "out # drop", "1:5: missing action: allow or drop" },
	{ "7", "1:2: missing action: allow or drop" },
	{ "0 drop", "1:1: a rule's id is a number from 1 to 1023" },
	{ " 1024 drop", "1:2: a rule's id is" },
	{ "99999999999 drop", "1:1: a rule's id is" },
	{ "00000001 drop", "1:1: a rule's id is" },
	{ "5x drop", "1:1: a rule's id is" },
	{ "-5 drop", "1:1: -5: unknown action" },
	{ "drop name", "1:10: missing name" },
	{ "drop name  # x", "1:12: missing name" },
	{ "drop name 5th",
	  "1:11: a rule's name has at most 23 bytes and does not start with a digit" },
	{ "drop name " LONG, "1:11: a rule's name has at most 23 bytes" },
	{ "3 drop\n3 allow", "2:1: rule 3 already exists" },
	{ "3 drop\n  3 out allow", "2:3: rule 3 already exists" },
	{ "drop name a\nout drop name a", "2:1: rule a already exists" },
	{ "default", "1:8: missing action: allow or drop" },
	{ "default reject", "1:9: reject: unknown action" },
	{ "default drop tcp", "1:14: tcp: unexpected word after the default" },
	{ "default drop default drop", "1:14: default: unexpected word" },
	{ "drop tcp and", "1:13: " },
	{ "allow\r\n\tdrop name x  prot 7", "2:15: " },
	{ "drop tcp\n drop host 10.0.0.256", "2:12: " },
	{ "drop pid 7", "1:6: rules cannot match processes" },
	{ "drop udp or comm x", "1:6: rules cannot match processes" },
	{ "drop dns example.com", "1:6: rules cannot match names in packets (dns, sni)" },
	{ "drop tcp and not sni example.com", "1:6: rules cannot match names in packets" },
	{ "drop inner (tcp and sni example.com)", "1:6: rules cannot match names in packets" },
	{ "drop verdict drop", "1:6: rules cannot match the verdict" },
	{ "drop set nowhere.txt", "1:10: " },
};

START_TEST(errors_have_positions)
{
	const char *text = wrong[_i].text;
	struct rules r = { 0 };
	struct diag diag = { 0 };
	struct buf out = { 0 };
	unsigned int line, column;
	const char *at = text;

	parse_rules(&r, "500 drop name there\nout default drop", GATE_IN);
	ck_assert_int_eq(rules_parse(&r, text, strlen(text), GATE_IN, NULL, &diag), -EINVAL);
	ck_assert_msg(!strncmp(diag.msg, wrong[_i].message, strlen(wrong[_i].message)), "'%s': %s",
		      text, diag.msg);
	/* pos is the byte that the message names. */
	ck_assert_int_eq(sscanf(diag.msg, "%u:%u: ", &line, &column), 2);
	while (--line)
		at = strchr(at, '\n') + 1;
	ck_assert_uint_eq(diag.pos, (size_t)(at - text) + column - 1);
	/* No rules are left. */
	print_rules(&r, &out);
	ck_assert_str_eq(out.data, "500 in drop name there\nout default drop\n");
	buf_free(&out);
	rules_close(&r);
}
END_TEST

START_TEST(zero_bytes_are_refused)
{
	static const struct {
		const char *text;
		size_t len;
		const char *message;
	} texts[] = {
		{ "\0", 1, "1:1: " },
		{ "drop\0", 5, "1:1: " },
		{ "drop\ndrop tcp\0 and udp\n", 22, "2:1: " },
		{ "drop # \0\n", 9, "1:1: " },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct rules r = { 0 };
		struct diag diag = { 0 };

		ck_assert_int_eq(rules_parse(&r, texts[i].text, texts[i].len, GATE_IN, NULL, &diag),
				 -EINVAL);
		ck_assert_msg(!strncmp(diag.msg, texts[i].message, 5), "%s", diag.msg);
		ck_assert_uint_eq(r.n, 0);
		rules_close(&r);
	}
}
END_TEST

/* Text without a terminator, allocated exactly for the sanitizer. */
START_TEST(text_needs_no_terminator)
{
	static const char text[] = "3 out drop name a tcp and port 80";

	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = malloc(len ? len : 1);
		struct rules r = { 0 };
		struct diag diag = { 0 };

		memcpy(copy, text, len);
		if (rules_parse(&r, copy, len, GATE_IN, NULL, &diag))
			ck_assert_uint_le(diag.pos, len);
		rules_close(&r);
		free(copy);
	}
}
END_TEST

static uint64_t state = 4711;
static uint32_t draw(uint32_t below)
{
	return draw_below(&state, below);
}

static const char *pick_space(void)
{
	static const char *const spaces[] = { " ", "  ", "\t", " \t " };

	return spaces[draw(4)];
}

/* A rule in one of all spellings. Some lines have none. */
static void random_line(struct buf *text, unsigned int number)
{
	char expr[TEXT_MAX];

	if (!draw(4))
		buf_str(text, pick_space());
	if (!draw(10)) {
		buf_printf(text, "%sdefault %s",
			   draw(2)   ? ""
			   : draw(2) ? "in "
				     : "out ",
			   draw(2) ? "drop" : "allow");
	} else {
		if (!draw(3))
			buf_printf(text, "%u%s", 100 + number, pick_space());
		if (draw(2))
			buf_printf(text, "%s%s", draw(2) ? "in" : "out", pick_space());
		buf_printf(text, "%s", draw(2) ? "drop" : draw(2) ? "allow" : "pass");
		if (!draw(4))
			buf_printf(text, "%sname%sr%u", pick_space(), pick_space(), number);
		exprs_draw_ext_text(expr, sizeof(expr));
		if (draw(8) && !strstr(expr, "dns") && !strstr(expr, "sni"))
			buf_printf(text, "%s%s", pick_space(), expr);
	}
	buf_str(text, draw(5) ? "" : " # a comment");
	buf_str(text, draw(3) ? "\n" : "\r\n");
}

static void random_rules(struct rules *r)
{
	struct buf text = { 0 };
	struct diag diag;

	for (unsigned int n = draw(RULES_MAX), i = 0; i < n; i++) {
		size_t before = text.len;
		struct rules alone = { 0 };

		random_line(&text, i);
		/* Some expressions are refused, such as constant conditions. */
		if (rules_parse(&alone, text.data + before, text.len - before, GATE_IN,
				&exprs_names, &diag))
			text.len = before;
		rules_close(&alone);
	}
	ck_assert_msg(
		!rules_parse(r, text.len ? text.data : "", text.len, GATE_IN, &exprs_names, &diag),
		"%s", diag.msg);
	buf_free(&text);
}

/* Printed rules parse to the same rules. */
START_TEST(printed_rules_parse_to_the_same)
{
	struct diag diag;

	exprs_seed(42);
	for (int round = 0; round < ROUNDS; round++) {
		struct rules r = { 0 }, again = { 0 };
		struct buf once = { 0 }, twice = { 0 };

		random_rules(&r);
		ck_assert(!rules_assign_ids(&r, 0));
		for (int dir = 0; dir < GATE_DIRS; dir++) {
			struct buf text = { 0 };

			rules_print(&r, (enum gate_dir)dir, &text);
			/* A line that names its direction is refused for the other one. */
			ck_assert_msg(!rules_parse(&again, text.len ? text.data : "", text.len,
						   (enum gate_dir) !dir, &exprs_names, &diag),
				      "%s", diag.msg);
			buf_free(&text);
		}
		ck_assert_uint_eq(r.n, again.n);
		print_rules(&r, &once);
		print_rules(&again, &twice);
		ck_assert_str_eq(once.data, twice.data);
		buf_free(&once);
		buf_free(&twice);
		rules_close(&again);
		rules_close(&r);
	}
}
END_TEST

/* Finds the first match by other means than the code. */
START_TEST(the_first_match_decides)
{
	unsigned int by_rule = 0, by_default = 0, exempt = 0;

	exprs_seed(43);
	for (int round = 0; round < ROUNDS; round++) {
		struct rules r = { 0 };

		random_rules(&r);
		for (int i = 0; i < PACKETS; i++) {
			enum gate_dir dir = draw(2) ? GATE_OUT : GATE_IN;
			const struct rule *rule, *want = NULL;
			struct exprs_packet e;
			struct filter_packet p = { e.views, e.data, 0 };
			bool dropped, neighbours;

			exprs_draw_packet(&e);
			p.caplen = e.frame.caplen;
			for (size_t k = r.n; k-- > 0;)
				if (r.at[k].dir == dir && filter_match(&r.at[k].filter, &p))
					want = &r.at[k];
			dropped = rules_drops_packet(&r, dir, &p, &rule);
			ck_assert_ptr_eq(rule, want);
			/* Types 133 to 137 of ICMPv6, and all packets that are not IP. */
			neighbours = !e.views->family ||
				     (e.views->family == 6 && e.views->proto == 58 &&
				      e.views->trans < p.caplen && e.data[e.views->trans] >= 133 &&
				      e.data[e.views->trans] <= 137);
			ck_assert_int_eq(dropped, rule ? rule->drops : r.drops[dir] && !neighbours);
			by_rule += rule != NULL;
			by_default += !rule && dropped;
			exempt += !rule && r.drops[dir] && neighbours;
		}
		rules_close(&r);
	}
	ck_assert_msg(by_rule > ROUNDS && by_default > 3 && exempt, "%u %u %u", by_rule, by_default,
		      exempt);
}
END_TEST

/* Frames that pass a default of drop, and similar ones that do not. */
START_TEST(default_drop_has_exemptions)
{
	static const struct {
		uint8_t type[2], first, next, icmp;
		bool dropped;
	} frames[] = {
		{ { 0x08, 0x06 }, 0, 0, 0, false },       { { 0x88, 0xcc }, 0, 0, 0, false },
		{ { 0x08, 0x00 }, 0x45, 0, 0, true },     { { 0x86, 0xdd }, 0x60, 6, 135, true },
		{ { 0x86, 0xdd }, 0x60, 58, 128, true },  { { 0x86, 0xdd }, 0x60, 58, 132, true },
		{ { 0x86, 0xdd }, 0x60, 58, 133, false }, { { 0x86, 0xdd }, 0x60, 58, 135, false },
		{ { 0x86, 0xdd }, 0x60, 58, 137, false }, { { 0x86, 0xdd }, 0x60, 58, 138, true },
	};

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		uint8_t data[80] = { [12] = frames[i].type[0], frames[i].type[1], frames[i].first };
		struct frame frame = {
			.data = data, .caplen = 80, .len = 80, .link = FRAME_ETHERNET
		};
		struct view views[VIEW_LAYERS];
		struct filter_packet p = { views, data, 80 };
		const struct rule *rule;
		struct rules r = { 0 };

		data[20] = frames[i].next;
		data[54] = frames[i].icmp;
		view_frame(views, &frame);
		parse_rules(&r, "default drop", GATE_OUT);
		ck_assert_msg(rules_drops_packet(&r, GATE_OUT, &p, &rule) == frames[i].dropped,
			      "%zu", i);
		ck_assert(!rule);
		ck_assert(!rules_drops_packet(&r, GATE_IN, &p, &rule));
		/* A rule overrides the exemption. */
		parse_rules(&r, "allow ip\ndrop", GATE_OUT);
		ck_assert(rules_drops_packet(&r, GATE_OUT, &p, &rule) == (frames[i].first != 0x45));
		ck_assert_ptr_nonnull(rule);
		rules_close(&r);
	}
}
END_TEST

START_TEST(ids_are_assigned_once)
{
	struct rules r = { 0 };

	parse_rules(&r, "drop\n5 drop\nout drop\n3 drop", GATE_IN);
	ck_assert(!rules_assign_ids(&r, 0));
	ck_assert_uint_eq(r.at[0].id, 6);
	ck_assert_uint_eq(r.at[2].id, 7);
	/* 1, 2 and 4 were never assigned. 6 is free but was assigned before. */
	rules_remove(&r, 0);
	parse_rules(&r, "drop", GATE_IN);
	ck_assert(!rules_assign_ids(&r, 0));
	ck_assert_uint_eq(r.at[3].id, 8);
	rules_close(&r);
	/* Reused only if no other is left. */
	parse_rules(&r, "1023 drop\ndrop\ndrop\n2 drop\ndrop", GATE_IN);
	ck_assert(!rules_assign_ids(&r, 0));
	ck_assert_uint_eq(r.at[1].id, 1);
	ck_assert_uint_eq(r.at[2].id, 3);
	ck_assert_uint_eq(r.at[4].id, 4);
	rules_close(&r);
}
END_TEST

START_TEST(all_ids_can_be_assigned)
{
	bool seen[GATE_RULES_MAX] = { false };
	struct rules r = { 0 };

	parse_rules(&r, "1000 drop name first", GATE_OUT);
	for (int i = 1; i < GATE_RULES_MAX - 1; i++)
		parse_rules(&r, i % 2 ? "drop" : "out allow", GATE_IN);
	ck_assert(!rules_assign_ids(&r, 0));
	for (size_t i = 0; i < r.n; i++) {
		ck_assert_uint_ge(r.at[i].id, 1);
		ck_assert_uint_lt(r.at[i].id, GATE_RULES_MAX);
		ck_assert(!seen[r.at[i].id]);
		seen[r.at[i].id] = true;
	}
	ck_assert_uint_eq(r.n, GATE_RULES_MAX - 1);
	ck_assert_uint_eq(rules_count(&r, GATE_IN) + rules_count(&r, GATE_OUT), r.n);
	parse_rules(&r, "drop", GATE_IN);
	ck_assert_int_eq(rules_assign_ids(&r, 0), -E2BIG);
	rules_remove(&r, 500);
	ck_assert(!rules_assign_ids(&r, 0));
	rules_close(&r);
}
END_TEST

/* Compares the rules' ids in their order. */
static void expect_ids(const struct rules *r, const char *want)
{
	char text[64] = "";
	size_t len = 0;

	for (size_t i = 0; i < r->n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u ", r->at[i].id);
	ck_assert_str_eq(text, want);
}

START_TEST(rules_are_found_and_moved)
{
	struct rules r = { 0 };

	parse_rules(&r, "1 drop name a tcp\n2 drop\n30 out drop name b\n4 drop name c udp",
		    GATE_IN);
	ck_assert_ptr_eq(rules_find(&r, "1"), &r.at[0]);
	ck_assert_ptr_eq(rules_find(&r, "30"), &r.at[2]);
	ck_assert_ptr_eq(rules_find(&r, "c"), &r.at[3]);
	ck_assert_ptr_null(rules_find(&r, "3"));
	ck_assert_ptr_null(rules_find(&r, "A"));
	ck_assert_ptr_null(rules_find(&r, "1x"));
	ck_assert_ptr_null(rules_find(&r, "0"));
	ck_assert_ptr_null(rules_find(&r, "1024"));
	ck_assert_ptr_null(rules_find(&r, ""));
	rules_move_last(&r, 0);
	expect_ids(&r, "4 1 2 30 ");
	rules_move_last(&r, 3);
	expect_ids(&r, "4 1 2 30 ");
	rules_move_last(&r, 2);
	expect_ids(&r, "4 1 30 2 ");
	rules_remove(&r, 3);
	expect_ids(&r, "4 1 30 ");
	rules_remove(&r, 0);
	expect_ids(&r, "1 30 ");
	ck_assert_uint_eq(rules_count(&r, GATE_IN), 1);
	ck_assert_uint_eq(rules_count(&r, GATE_OUT), 1);
	rules_close(&r);
	ck_assert_ptr_null(rules_find(&r, "1"));
}
END_TEST

/* For this process. Reading other processes needs privileges. */
START_TEST(the_ssh_session_is_found)
{
	struct ssh_session s;
	char many[sizeof(s.text) + 1];

	setenv("SSH_CONNECTION", "fe80::1%eth0 50000 192.0.2.2 22", 1);
	ck_assert(ssh_session_find(&s));
	ck_assert_str_eq(s.client, "fe80::1");
	ck_assert_str_eq(s.cport, "50000");
	ck_assert_str_eq(s.server, "192.0.2.2");
	ck_assert_str_eq(s.sport, "22");
	setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2", 1);
	ck_assert(!ssh_session_find(&s));
	setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22 1", 1);
	ck_assert(!ssh_session_find(&s));
	/* A session name that does not fit is refused, not cut. */
	memset(many, ' ', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	setenv("SSH_CONNECTION", many, 1);
	if (ssh_session_find(&s))
		ck_assert_str_ne(s.client, "");
}
END_TEST

#define N(array) (sizeof(array) / sizeof(*(array)))

Suite *rules_suite(void)
{
	Suite *s = suite_create("rules");
	TCase *t = tcase_create("rules");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, rules_are_parsed_and_printed, 0, N(texts));
	tcase_add_loop_test(t, errors_have_positions, 0, N(wrong));
	tcase_add_test(t, zero_bytes_are_refused);
	tcase_add_test(t, text_needs_no_terminator);
	tcase_add_test(t, printed_rules_parse_to_the_same);
	tcase_add_test(t, the_first_match_decides);
	tcase_add_test(t, default_drop_has_exemptions);
	tcase_add_test(t, ids_are_assigned_once);
	tcase_add_test(t, all_ids_can_be_assigned);
	tcase_add_test(t, rules_are_found_and_moved);
	tcase_add_test(t, the_ssh_session_is_found);
	suite_add_tcase(s, t);
	return s;
}
