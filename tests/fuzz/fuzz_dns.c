/* SPDX-License-Identifier: MIT */
/* Any bytes as a message of DNS. */
#include "net/dns.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_summary says;

	if (!dns_parse_message(&says, cursor_of(data, size)))
		return 0;
	MUST(size >= 12);
	MUST(strlen(says.name) < sizeof(says.name));
	MUST(strlen(says.answers) < sizeof(says.answers));
	for (const char *c = says.name; *c; c++)
		MUST(*c > ' ' && *c < 0x7f);
	for (const char *c = says.answers; *c; c++)
		MUST(*c >= ' ' && *c < 0x7f);
	return 0;
}
