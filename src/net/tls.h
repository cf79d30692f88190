/* SPDX-License-Identifier: MIT */
/* The server name in a TLS ClientHello (RFC 8446, RFC 6066). */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/cursor.h"

enum {
	TLS_HANDSHAKE = 0x16, /* content type of a record */
	TLS_CLIENT_HELLO = 1, /* type of a handshake message */
	TLS_HEADERS_LEN = 6,  /* record type, version, length (RFC 8446, 5.1); message type */
};

enum tls_name_result { TLS_CUT, TLS_NAMELESS, TLS_NAME_CUT, TLS_NAMED };

/* Finds the server name in a ClientHello. hello starts after the message type. TLS_NAMELESS: it has
 * none; TLS_CUT, TLS_NAME_CUT: cut off before or within the name, *name being the captured part. */
enum tls_name_result tls_find_server_name(struct cursor hello, struct cursor *name);

#endif
