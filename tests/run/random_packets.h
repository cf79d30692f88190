/* SPDX-License-Identifier: MIT */
/* Random packets that contain every protocol the parsers know: tags, labels, options, extension
 * headers, fragments, tunnels. Equal seeds give equal packets. */
#ifndef TESTS_RUN_RANDOM_PACKETS_H
#define TESTS_RUN_RANDOM_PACKETS_H

#include "tests/lib/packet.h"

void random_packets_seed(uint64_t seed); /* not 0 */
/* Makes a packet of at least 14 bytes; some have modified bytes, some are truncated. */
void random_packets_next(struct packet *p);

#endif
