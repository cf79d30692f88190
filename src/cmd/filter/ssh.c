/* SPDX-License-Identifier: MIT */
/* Prevents users from locking themselves out: keeps the SSH session in which they add rules. */
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "cmd/filter/filter.h"
#include "filter/view.h"
#include "resolve/ssh_session.h"

/* Tests a packet of the session, incoming or outgoing. */
static bool is_dropped(const struct gate_txn *txn, const struct ssh_session *s, enum gate_dir dir)
{
	bool brackets = strchr(s->client, ':') != NULL;
	const char *format = brackets ? "[%s]:%s" : "%s:%s";
	char client[sizeof(s->text) + 8], server[sizeof(s->text) + 8], proto[] = "tcp",
								       flags[] = ".";
	char *words[] = { proto, dir == GATE_IN ? client : server, dir == GATE_IN ? server : client,
			  flags };
	struct view views[VIEW_LAYERS];
	uint8_t data[128];
	struct frame frame = { .data = data, .link = FRAME_ETHERNET };
	struct filter_packet p = { views, data, 0 };
	const struct rule *rule;
	int len;

	snprintf(client, sizeof(client), format, s->client, s->cport);
	snprintf(server, sizeof(server), format, s->server, s->sport);
	len = filter_packet_make(words, 4, data);
	if (len < 0)
		return false;
	p.caplen = frame.caplen = frame.len = (uint32_t)len;
	view_frame(views, &frame);
	views[0].dir = dir == GATE_IN ? VIEW_IN : VIEW_OUT;
	views[0].ifindex = (uint32_t)txn->link.ifindex;
	return rules_drops_packet(&txn->rules, dir, &p, &rule);
}

static int put_first(struct gate_txn *txn, const struct ssh_session *s, enum gate_dir dir)
{
	const char *name = dir == GATE_IN ? "ssh-session" : "ssh-session-out";
	const struct rule *old = rules_find(&txn->rules, name);
	char line[512];
	int rc;

	/* The rule is of an earlier session. */
	if (old)
		rules_remove(&txn->rules, (size_t)(old - txn->rules.at));
	snprintf(line, sizeof(line), "allow name %s tcp and %s host %s and %s port %s", name,
		 dir == GATE_IN ? "src" : "dst", s->client, dir == GATE_IN ? "dst" : "src",
		 s->sport);
	rc = filter_parse_rules(&txn->rules, NULL, line, strlen(line), dir, NULL);
	if (rc)
		return rc;
	rules_move_last(&txn->rules, 0);
	note("%s: %s: the SSH session from %s is allowed first by rule %s "
	     "(--no-ssh: no such rule)",
	     txn->link.name, dir == GATE_IN ? "in" : "out", s->client, name);
	return 0;
}

int filter_allow_ssh(struct gate_txn *txn)
{
	struct ssh_session s;
	int rc = 0;

	if (!txn->rules.n && !txn->rules.drops[GATE_IN] && !txn->rules.drops[GATE_OUT])
		return 0;
	if (!ssh_session_find(&s))
		return 0;
	for (int dir = 0; dir < GATE_DIRS && !rc; dir++)
		if (is_dropped(txn, &s, (enum gate_dir)dir))
			rc = put_first(txn, &s, (enum gate_dir)dir);
	return rc;
}
