/* SPDX-License-Identifier: MIT */
/* Any bytes as a DNS message. */
#include "net/dns.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_summary summary;

	if (!dns_parse_message(&summary, cursor_of(data, size)))
		return 0;
	MUST(size >= 12);
	MUST(strlen(summary.name) < sizeof(summary.name));
	MUST(strlen(summary.answers) < sizeof(summary.answers));
	for (const char *c = summary.name; *c; c++)
		MUST(*c > ' ' && *c < 0x7f);
	for (const char *c = summary.answers; *c; c++)
		MUST(*c >= ' ' && *c < 0x7f);
	return 0;
}
