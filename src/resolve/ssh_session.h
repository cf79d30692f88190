/* SPDX-License-Identifier: MIT */
/* The SSH session in which a command runs. */
#ifndef RESOLVE_SSH_SESSION_H
#define RESOLVE_SSH_SESSION_H

#include <stdbool.h>

/* The variable SSH_CONNECTION of sshd (ssh(1), ENVIRONMENT), split into its words. */
struct ssh_session {
	char text[160];
	/* They point into text. Addresses have no zone (RFC 4007). */
	char *client, *cport, *server, *sport;
};

/* Finds the session of this process or, since sudo removes the variable, of the nearest parent
 * process that has one. Returns false if none has. */
bool ssh_session_find(struct ssh_session *s);

#endif
