/* SPDX-License-Identifier: MIT */
/* The SSH session that a command runs in. */
#ifndef RESOLVE_SSH_SESSION_H
#define RESOLVE_SSH_SESSION_H

#include <stdbool.h>

/* The variable SSH_CONNECTION that sshd sets (ssh(1), ENVIRONMENT), split into its words. */
struct ssh_session {
	char text[160];
	/* Point into text. Addresses have no zone (RFC 4007). */
	char *client, *cport, *server, *sport;
};

/* The session of this process or, since sudo removes the variable, of the nearest parent process
 * that has one. False: none. */
bool ssh_session_find(struct ssh_session *s);

#endif
