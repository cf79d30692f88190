/* SPDX-License-Identifier: MIT */
/* Reads whole maps. */
#ifndef SYS_MAP_H
#define SYS_MAP_H

#include <stddef.h>
#include <stdint.h>

enum { MAP_KEY_MAX = 64 };

/* Called with each key of a hash map and its value (for per-CPU maps, the values of all possible
 * CPUs in an array). A value other than 0 ends the walk and is returned. */
typedef int map_each(const void *key, void *value, void *arg);

/* Walks a hash map in no particular order. Do not delete entries meanwhile: the walk would start
 * over. key_len: at most MAP_KEY_MAX. value: a buffer for one value. fd 0: an empty map. Returns 0,
 * what each() returned, or -errno. */
int map_walk(int fd, size_t key_len, void *value, map_each *each, void *arg);

/* Like map_walk(), for a map whose values are one uint64_t count. */
typedef int map_each_count(const void *key, uint64_t n, void *arg);
int map_walk_counts(int fd, size_t key_len, map_each_count *each, void *arg);

/* Sums the values of all CPUs for a key of a per-CPU map; a value is n words. fd 0: all sums are 0.
 * Returns 0, or -errno with sums untouched. */
int map_read_sums(int fd, const void *key, uint64_t *sums, size_t n);

/* Reads the addresses of a stack, innermost first, at most max. Returns their number; 0 for fd 0 or
 * a negative stack id. */
uint32_t map_read_stack(int fd, int32_t stack, uint64_t *frames, uint32_t max);

#endif
