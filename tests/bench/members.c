/* SPDX-License-Identifier: MIT */
/* Members of sets by number: as keys, as text, and in maps of the kernel. */
#include "tests/bench/members.h"
#include <arpa/inet.h>
#include <string.h>
#include "sys/bpf.h"

enum { BATCH = 4096 };

/* Shares of prefix lengths per thousand, as in lists of bad addresses: mostly /24 and single
 * addresses. Short prefixes are so rare that most of a million members are in no other one. */
static const struct prefix_share {
	uint8_t bits;
	uint16_t of_1000;
} prefix_shares[SET_FAMILIES][13] = {
	{ { 16, 2 },
	  { 18, 3 },
	  { 19, 5 },
	  { 20, 20 },
	  { 21, 20 },
	  { 22, 60 },
	  { 23, 60 },
	  { 24, 400 },
	  { 25, 30 },
	  { 27, 30 },
	  { 28, 20 },
	  { 30, 20 },
	  { 32, 330 } },
	{ { 32, 100 },
	  { 36, 50 },
	  { 40, 50 },
	  { 44, 50 },
	  { 48, 300 },
	  { 56, 100 },
	  { 64, 200 },
	  { 128, 150 } },
};

static unsigned int draw_prefix_len(const struct members *m, uint32_t i)
{
	const struct prefix_share *share = prefix_shares[m->family];
	uint32_t n = sets_mix(~i) % 1000;

	if (m->addresses)
		return 8 * (unsigned int)set_addr_len(m->family);
	for (; n >= share->of_1000; share++)
		n -= share->of_1000;
	return share->bits;
}

void member_make_key(const struct members *m, uint32_t i, struct sets_key *key)
{
	uint8_t *bytes = (uint8_t *)key->addr;

	sets_address(i, key->addr);
	key->bits = draw_prefix_len(m, i);
	for (size_t bit = key->bits; bit < 8 * sizeof(key->addr); bit++)
		bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

void members_put_text(const struct members *m, const char *separator, struct buf *out)
{
	for (uint32_t i = 0; i < m->n; i++) {
		char text[INET6_ADDRSTRLEN];
		struct sets_key key;

		member_make_key(m, i, &key);
		inet_ntop(m->family == SET_IPV4 ? AF_INET : AF_INET6, key.addr, text, sizeof(text));
		buf_printf(out, "%s%s", i ? separator : "", text);
		if (!m->addresses)
			buf_printf(out, "/%u", key.bits);
	}
}

int members_fill(const struct members *m, int fd, bool trie)
{
	static uint8_t keys[BATCH * sizeof(struct sets_key)], values[BATCH];
	size_t skip = trie ? 0 : sizeof(uint32_t), size = sizeof(uint32_t) - skip;
	int rc = 0;

	size += set_addr_len(m->family);
	for (uint32_t at = 0; at < m->n && !rc; at += BATCH) {
		uint32_t n = m->n - at < BATCH ? m->n - at : BATCH;

		for (uint32_t i = 0; i < n; i++) {
			struct sets_key key;

			member_make_key(m, at + i, &key);
			memcpy(keys + i * size, (uint8_t *)&key + skip, size);
		}
		rc = bpf_map_update_batch(fd, keys, values, n);
	}
	return rc;
}
