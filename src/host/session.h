/* SPDX-License-Identifier: MIT */
/* The remote session that a command is typed in. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <stdbool.h>

/* As sshd puts it into the environment (sshd(8), SSH_CONNECTION). */
struct session {
	char text[160];
	/* Words in it; addresses have no zone. */
	char *client, *cport, *server, *sport;
};

/* That of this process or, as sudo takes it out, of the nearest parent that has one. False: there
 * is none. */
bool session_ssh(struct session *s);

#endif
