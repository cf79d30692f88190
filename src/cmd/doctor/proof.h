/* SPDX-License-Identifier: MIT */
/* The second half of sonde doctor. */
#ifndef CMD_DOCTOR_PROOF_H
#define CMD_DOCTOR_PROOF_H

#include "out/sink.h"

/* Send datagrams across a private veth pair past one hook after the other, and put a row for each:
 * what was sent, what the hook saw. -EIO, said, if one miscounts; one that this kernel does not
 * have is shown with the reason and is no error. */
extern const struct schema doctor_proof_schema;
int doctor_prove(struct sink *sink);

#endif
