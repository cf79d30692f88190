/* SPDX-License-Identifier: MIT */
/* The Internet checksum (RFC 1071). */
#include "net/dissect/internal.h"

uint16_t compute_checksum(const uint8_t *p, size_t n, uint32_t start)
{
	uint64_t sum = start;

	for (; n > 1; p += 2, n -= 2)
		sum += be16_at(p);
	if (n)
		sum += (uint32_t)*p << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

uint16_t compute_pseudo_checksum(const struct line *l, uint8_t proto, const uint8_t *p,
				 uint32_t len)
{
	uint32_t start = proto + (len >> 16) + (len & 0xffff);

	start += (uint16_t)~compute_checksum(l->src, l->addr_len, 0);
	start += (uint16_t)~compute_checksum(l->dst, l->addr_len, 0);
	return compute_checksum(p, len, start);
}

uint16_t correct_checksum(uint16_t sum, uint16_t wrong)
{
	return compute_checksum(NULL, 0, (uint32_t)(uint16_t)~sum + (uint16_t)~wrong);
}
