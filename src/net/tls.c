/* SPDX-License-Identifier: MIT */
/* Parses a ClientHello up to its server_name extension. */
#include "net/tls.h"

enum { EXTENSIONS_MAX = 64, SERVER_NAME = 0, HOST_NAME = 0 };

enum tls_name_result tls_find_server_name(struct cursor hello, struct cursor *name)
{
	struct cursor c = hello, data;

	cursor_skip(&c, 3 + 2 + 32);      /* length, version, random */
	cursor_skip(&c, cursor_u8(&c));   /* session id */
	cursor_skip(&c, cursor_be16(&c)); /* cipher suites */
	cursor_skip(&c, cursor_u8(&c));   /* compression methods */
	cursor_be16(&c);                  /* length of the extensions */
	if (c.cut)
		return TLS_CUT;
	for (int i = 0; c.left && i < EXTENSIONS_MAX; i++) {
		uint16_t kind = cursor_be16(&c), len = cursor_be16(&c);

		data = cursor_sub(&c, len);
		if (kind != SERVER_NAME)
			continue;
		cursor_be16(&data); /* length of the list; only its first entry is in use */
		if (cursor_u8(&data) != HOST_NAME)
			return TLS_NAMELESS;
		len = cursor_be16(&data);
		*name = cursor_sub(&data, len);
		return name->cut || !name->at ? TLS_NAME_CUT : TLS_NAMED;
	}
	return TLS_NAMELESS;
}
