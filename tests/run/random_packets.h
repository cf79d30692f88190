/* SPDX-License-Identifier: MIT */
/* Random packets of everything that is parsed: tags, labels, options, extension headers, fragments,
 * tunnels; the same for the same seed. */
#ifndef TESTS_RUN_RANDOM_PACKETS_H
#define TESTS_RUN_RANDOM_PACKETS_H

#include "tests/lib/packet.h"

void deep_seed(uint64_t seed); /* not 0 */
/* Some with a few bytes turned into others, some cut short; 14 bytes at least. */
void deep_packet(struct packet *p);

#endif
