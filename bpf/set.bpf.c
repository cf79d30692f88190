// SPDX-License-Identifier: MIT
/* Membership in sets of addresses, as code that is put behind filters: never loaded by itself. */
#include "bpf/lib/bpf.h"
#include "bpf/set.h"

/* Its size is the set's. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct set_line);
} lines MAP;

static __always_inline const struct set_line *set_line_at(__u32 index)
{
	return bpf_map_lookup_elem(&lines, &index);
}

/* An immediate that the loader puts the number in place of: the verifier knows it, and drops what
 * it excludes. */
#define set_load_param(name, var) asm("%0 = %1" : "=r"(var) : "i"(name))

#include "bpf/lib/set.h"

/* An IPv4 address as it is in memory. */
SEC("code")
int set4(__u32 addr_be)
{
	return set4_find(be32(addr_be));
}

static __always_inline __u64 load_half(const __be32 *at)
{
	return (__u64)be32(at[0]) << 32 | be32(at[1]);
}

/* The bytes of an IPv6 address, a multiple of 4 into what is theirs. */
SEC("code")
int set6(const __be32 *addr)
{
	return set6_find(load_half(addr), load_half(addr + 2));
}

LICENSE("Dual MIT/GPL");
