/* SPDX-License-Identifier: MIT */
/* The proofs of sonde doctor --deep. */
#ifndef CMD_DOCTOR_PROOF_H
#define CMD_DOCTOR_PROOF_H

#include "out/sink.h"

/* Sends datagrams across a private veth pair through each hook, and prints a row per hook: packets
 * sent and packets seen. Returns -EIO if a hook miscounts, after reporting it. A hook that this
 * kernel lacks is no error; its row has the reason. */
extern const struct schema doctor_proof_schema;
int doctor_prove(struct sink *sink);

#endif
