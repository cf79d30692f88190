/* SPDX-License-Identifier: MIT */
/* What a TLS client asks for (RFC 8446, RFC 6066). */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/cursor.h"

enum {
	TLS_HANDSHAKE = 0x16, /* type of a record */
	TLS_CLIENT_HELLO = 1, /* type of a handshake message */
	TLS_HEADERS_LEN = 6,  /* bytes to behind that: a record's type, version, length; the type */
};

enum tls_name_result { TLS_CUT, TLS_NAMELESS, TLS_NAME_CUT, TLS_NAMED };

/* The server's name in a ClientHello, from behind its type on, as *name. */
enum tls_name_result tls_find_server_name(struct cursor hello, struct cursor *name);

#endif
