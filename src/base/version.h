/* SPDX-License-Identifier: MIT */
/* The version, here and nowhere else. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define SONDE_VERSION "0.1"
#define SONDE_DATE    "November 30, 2026" /* as mdoc(7) writes it */

#endif
