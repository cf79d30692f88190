/* SPDX-License-Identifier: MIT */
/* Bytes with a length and a byte order. All reads from an object go through these functions. */
#ifndef GEN_SLICE_H
#define GEN_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Limit of a name's length; those in sonde's own objects are much shorter. */
#define SLICE_STR_MAX 511

struct slice {
	const uint8_t *at;
	size_t len;
	bool big;
};

static inline bool slice_has(struct slice s, uint64_t off, uint64_t len)
{
	return off <= s.len && len <= s.len - off;
}

static inline bool slice_cut(struct slice s, uint64_t off, uint64_t len, struct slice *out)
{
	if (!slice_has(s, off, len))
		return false;
	*out = (struct slice){ .at = s.at ? s.at + off : NULL, .len = len, .big = s.big };
	return true;
}

/* Reads an unsigned number of n bytes, at most 8. *v is 0 if it lies outside: if the size of a
 * header was checked before, its numbers can be read without checking each result. */
static inline bool slice_read_num(struct slice s, uint64_t off, unsigned int n, uint64_t *v)
{
	*v = 0;
	if (!slice_has(s, off, n))
		return false;
	for (unsigned int i = 0; i < n; i++)
		*v = *v << 8 | s.at[off + (s.big ? i : n - 1 - i)];
	return true;
}

static inline bool slice_read_u16(struct slice s, uint64_t off, uint16_t *v)
{
	uint64_t n;
	bool ok = slice_read_num(s, off, 2, &n);

	*v = n;
	return ok;
}

static inline bool slice_read_u32(struct slice s, uint64_t off, uint32_t *v)
{
	uint64_t n;
	bool ok = slice_read_num(s, off, 4, &n);

	*v = n;
	return ok;
}

static inline bool slice_read_u64(struct slice s, uint64_t off, uint64_t *v)
{
	return slice_read_num(s, off, 8, v);
}

/* Returns the string at off; NULL if it is longer than SLICE_STR_MAX or does not end in the
 * slice. */
static inline const char *slice_read_str(struct slice s, uint64_t off)
{
	size_t most;

	if (off >= s.len)
		return NULL;
	most = s.len - off < SLICE_STR_MAX + 1 ? s.len - off : SLICE_STR_MAX + 1;
	return memchr(s.at + off, 0, most) ? (const char *)s.at + off : NULL;
}

#endif
