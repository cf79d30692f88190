/* SPDX-License-Identifier: MIT */
/* The version, defined only here. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SONDE_VERSION "0.1"
#define SONDE_DATE    "November 30, 2026" /* in the format of mdoc(7) */

#endif
