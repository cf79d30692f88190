// SPDX-License-Identifier: MIT
/* Lookups in sets of addresses: code templates that are linked into filter programs, never loaded
 * on their own. */
#include "bpf/lib/bpf.h"
#include "bpf/set.h"

/* Placeholder for a set's map, whose size depends on the set. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_ARRAY);
	MAP_UINT(max_entries, 1);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct set_line);
} table MAP;

static __always_inline const struct set_line *set_line_at(__u32 index)
{
	return bpf_map_lookup_elem(&table, &index);
}

/* Loads an immediate that user space replaces by the set's number: the verifier then knows it, and
 * skips the code that it rules out. */
#define set_load_param(name, var) asm("%0 = %1" : "=r"(var) : "i"(name))

#include "bpf/lib/set.h"

SEC("code")
int set4_lookup(__u32 addr_be)
{
	return set4_find(be32(addr_be));
}

static __always_inline __u64 load_half(const __be32 *at)
{
	return (__u64)be32(at[0]) << 32 | be32(at[1]);
}

/* addr: 16 bytes, aligned to 4. */
SEC("code")
int set6_lookup(const __be32 *addr)
{
	return set6_find(load_half(addr), load_half(addr + 2));
}

LICENSE("Dual MIT/GPL");
