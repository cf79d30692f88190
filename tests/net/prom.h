/* SPDX-License-Identifier: MIT */
/* Checks documents of Prometheus metrics (text format 0.0.4). */
#ifndef TESTS_NET_PROM_H
#define TESTS_NET_PROM_H

/* Returns what is wrong with a document, or NULL: HELP and TYPE must appear once for each family,
 * before its samples, which are consecutive and unique. */
const char *prom_mistake(const char *text);
/* The test fails if prom_mistake(), or promtool where installed, finds a mistake. */
void expect_prom(const char *text);
/* Returns the value of a sample, named with its labels as in the text; -1 if missing. */
long long prom_value(const char *text, const char *sample);

#endif
