/* SPDX-License-Identifier: MIT */
/* The remote session that a command is typed in. */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include <stdbool.h>
#include <stddef.h>

/* "CLIENT CPORT SERVER SPORT", as sshd puts it into the environment (sshd(8), SSH_CONNECTION), of
 * this process or, as sudo takes it out, the nearest parent that has it. False: there is none. */
bool session_ssh(char *buf, size_t len);

#endif
