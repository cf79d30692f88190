/* SPDX-License-Identifier: MIT */
/* What the parts of sonde filter share. */
#ifndef CMD_FILTER_FILTER_H
#define CMD_FILTER_FILTER_H

#include "cmd/common/confirm.h"
#include "cmd/common/gate.h"
#include "gate/transaction.h"

struct filter_opts {
	struct cmd_common common;
	const char *name, *before, *file;
	uint64_t confirm;
	int at;
	bool in, out, first, no_ssh, read, exit_code;
};

/* Rows that several of its commands have. */
#define FILTER_ROWS_DIR(O)                                          \
	OPT_FLAG(0, "in", O, in, "incoming packets (the default)"), \
		OPT_FLAG(0, "out", O, out, "outgoing packets")
#define FILTER_ROWS_PUT(O)                                                                     \
	GATE_ROWS_PUT(O, "; tc for outgoing packets"), CONFIRM_ROW(O, "sonde filter confirm"), \
		OPT_FLAG(0, "no-ssh", O, no_ssh, "do not add a rule that allows this SSH session")

/* The interfaces of -i, opened to be changed. Zeroed: closed. */
struct filter_txns {
	struct nl nl;
	struct gate_txn *at;
	unsigned int n;
};

/* The direction that was asked for; -E_USAGE, said, if it is both. */
int filter_dir(const struct filter_opts *o, enum gate_dir *dir);
/* Parse into *o, enter the namespace, see that there is an interface and what privilege it takes.
 * 0; 1: help was given. operands: the least number of them. */
int filter_begin(const struct opt_spec *spec, struct filter_opts *o, int argc, char **argv,
		 char ***rest, int *nrest);
int filter_txns_begin(struct filter_txns *s, const struct filter_opts *o, enum gate_txn_mode mode);
/* Make all of them hold, or none: with the way back for the SSH session, and confirmation. */
int filter_txns_commit(struct filter_txns *s, const struct filter_opts *o, bool reload);
int filter_txns_rollback(struct filter_txns *s);
void filter_txns_close(struct filter_txns *s);

/* What several commands are: a change by operands, on every interface alike. what names the
 * operands, of which there must be `least`; reload: load the rules again even if their text is the
 * same. */
typedef int filter_change_fn(struct gate_txn *s, const struct filter_opts *o, char **words, int n);
int filter_change(const struct opt_spec *spec, int argc, char **argv, const char *what, int least,
		  bool reload, filter_change_fn *fn);

/* Rules of a text; the mistake is said, with the line if it is a file's. */
int filter_parse_rules(struct rules *r, const char *file, const char *text, size_t len,
		       enum gate_dir dir, const struct filter_names *names);

/* filter_ssh.c: rules in front that let this SSH session's packets pass, if they would not. */
int filter_allow_ssh(struct gate_txn *s);

/* filter_packet.c: an Ethernet frame with a protocol's headers, from words: "tcp ADDR[:PORT]
 * ADDR[:PORT]". Said on failure. Bytes of the frame, which is in out. */
int filter_packet_make(char **words, int n, uint8_t out[128]);

extern const struct command filter_list_command, filter_test_command, filter_set_command;

#endif
