/* SPDX-License-Identifier: MIT */
/* Addresses of the laboratory. */
#ifndef LAB_ADDRESS_H
#define LAB_ADDRESS_H

#include <sys/socket.h>
#include "lab/lab.h"

static inline const char *lab_address(enum lab_side side, int family)
{
	if (family == AF_INET)
		return side == LAB_NEAR ? "192.0.2.1" : "192.0.2.2";
	return side == LAB_NEAR ? "2001:db8::1" : "2001:db8::2";
}

#endif
