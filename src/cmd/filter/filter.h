/* SPDX-License-Identifier: MIT */
/* Shared by the parts of sonde filter. */
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

/* Option rows of several subcommands. */
#define FILTER_ROWS_DIR(O)                                          \
	OPT_FLAG(0, "in", O, in, "incoming packets (the default)"), \
		OPT_FLAG(0, "out", O, out, "outgoing packets")
#define FILTER_ROWS_PUT(O)                                                                     \
	GATE_ROWS_PUT(O, "; tc for outgoing packets"), CONFIRM_ROW(O, "sonde filter confirm"), \
		OPT_FLAG(0, "no-ssh", O, no_ssh, "do not add a rule that allows this SSH session")

/* A transaction for each interface of -i. Zeroed: closed. */
struct filter_txns {
	struct nl nl;
	struct gate_txn *at;
	unsigned int n;
};

/* Gets the direction of the options. Returns 0, or -E_USAGE if it is both. Reports errors. */
int filter_dir(const struct filter_opts *o, enum gate_dir *dir);
/* Parses options into *o, checks the privileges and enters the namespace. Returns 0; 1 if help was
 * printed; -E_USAGE or -errno. Reports errors. */
int filter_begin(const struct opt_spec *spec, struct filter_opts *o, int argc, char **argv,
		 char ***rest, int *nrest);
int filter_txns_begin(struct filter_txns *s, const struct filter_opts *o, enum gate_txn_mode mode);
/* Commits all transactions or none. Adds a rule for the SSH session, and waits for confirmation if
 * the options require it. */
int filter_txns_commit(struct filter_txns *s, const struct filter_opts *o, bool reload);
int filter_txns_rollback(struct filter_txns *s);
void filter_txns_close(struct filter_txns *s);

/* Runs a subcommand that changes the rules of each interface in the same way. what: a name for the
 * operands, of which it takes at least `least`. reload: load the rules again even if their text is
 * unchanged. */
typedef int filter_change_fn(struct gate_txn *s, const struct filter_opts *o, char **words, int n);
int filter_change(const struct opt_spec *spec, int argc, char **argv, const char *what, int least,
		  bool reload, filter_change_fn *fn);

/* Parses the rules in a text. Reports mistakes, with the line number if the text is from a file. */
int filter_parse_rules(struct rules *r, const char *file, const char *text, size_t len,
		       enum gate_dir dir, const struct filter_names *names);

/* ssh.c: prepends rules that allow the packets of this SSH session, if the rules drop
 * them. */
int filter_allow_ssh(struct gate_txn *s);

/* packet.c: builds an Ethernet frame with a protocol's headers in out from words: "tcp
 * ADDR[:PORT] ADDR[:PORT]". Returns its length in bytes, or -errno. Reports errors. */
int filter_packet_make(char **words, int n, uint8_t out[128]);

extern const struct command filter_list_command, filter_test_command, filter_set_command;

#endif
