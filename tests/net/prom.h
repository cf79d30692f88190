/* SPDX-License-Identifier: MIT */
/* Checks documents of Prometheus metrics (text format 0.0.4). */
#ifndef TESTS_NET_PROM_H
#define TESTS_NET_PROM_H

/* What is wrong with a document: HELP and TYPE appear once for each family and before its samples,
 * which follow each other, each once. Returns NULL if nothing is. */
const char *prom_mistake(const char *text);
/* The test fails if prom_mistake() or promtool, where it is installed, finds a mistake. */
void expect_prom(const char *text);
/* The value of a sample, named as in the text with its labels; -1: there is none. */
long long prom_value(const char *text, const char *sample);

#endif
