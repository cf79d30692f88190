/* SPDX-License-Identifier: MIT */
/* The remote session that a command is typed in. */
#ifndef RESOLVE_SSH_SESSION_H
#define RESOLVE_SSH_SESSION_H

#include <stdbool.h>

/* As sshd puts it into the environment (sshd(8), SSH_CONNECTION). */
struct ssh_session {
	char text[160];
	/* Words in it; addresses have no zone. */
	char *client, *cport, *server, *sport;
};

/* That of this process or, as sudo takes it out, of the nearest parent that has one. False: there
 * is none. */
bool ssh_session_find(struct ssh_session *s);

#endif
