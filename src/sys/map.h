/* SPDX-License-Identifier: MIT */
/* Maps of the kernel read as a whole. */
#ifndef SYS_MAP_H
#define SYS_MAP_H

#include <stddef.h>
#include <stdint.h>

enum { MAP_KEY_MAX = 64 };

/* Called with a key of a hash and what the kernel has for it (of per-CPU maps that of each possible
 * CPU, one behind the other). A value other than 0 ends the walk and is returned. */
typedef int map_each(const void *key, void *value, void *arg);

/* All of a hash, in no order. Nothing may be taken out of it meanwhile: the walk would start over.
 * key_len: MAP_KEY_MAX at most. value: room for what is looked up. fd 0: there is nothing. 0, what
 * each() returned, or -errno. */
int map_walk(int fd, size_t key_len, void *value, map_each *each, void *arg);

/* The same of a hash that counts in a word of 64 bits: n. */
typedef int map_each_count(const void *key, uint64_t n, void *arg);
int map_walk_counts(int fd, size_t key_len, map_each_count *each, void *arg);

/* What a per-CPU map has of a key, n words each, added up. fd 0: nothing. 0 or -errno, and sums are
 * untouched. */
int map_read_sums(int fd, const void *key, uint64_t *sums, size_t n);

/* Addresses of one of a map of stacks, innermost first, max at most. Their number. fd 0, or a
 * negative number of a stack: 0. */
uint32_t map_read_stack(int fd, int32_t stack, uint64_t *frames, uint32_t max);

#endif
