/* SPDX-License-Identifier: MIT */
/* Shared by all kernel programs: sections, map declarations, and helper functions. */
#ifndef BPF_LIB_BPF_H
#define BPF_LIB_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#define SEC(name) __attribute__((section(name), used))
#undef __always_inline /* linux/stddef.h has a weaker one */
#define __always_inline inline __attribute__((always_inline))
#define __noinline      __attribute__((noinline))
#define LICENSE(text)   char _license[] SEC("license") = text

/* The types of a struct describe a map. gen reads them from BTF: an int as the length of an array,
 * a type as a pointer's target. */
#define MAP_UINT(name, val)  int(*name)[val]
#define MAP_TYPE(name, type) __typeof__(type) *name
#define MAP                  SEC(".maps")

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define be16(x) __builtin_bswap16(x)
#define be32(x) __builtin_bswap32(x)
#else
#define be16(x) (x)
#define be32(x) (x)
#endif

/* Returns the answer of a stub, a function whose code the loader replaces: value until then. The
 * value comes from the assembler, which gets all arguments: a compiler that knows the value or its
 * range (clang from 15 on, noinline or not) optimizes the callers accordingly. */
static __always_inline int stub_answer(int value, const void *a, const void *b, const void *c)
{
	asm volatile("" : "+r"(value) : "r"(a), "r"(b), "r"(c) : "memory");
	return value;
}

/* CO-RE: members accessed through such a pointer have their offsets in the running kernel. */
#define CORE __attribute__((preserve_access_index))

/* Helpers, by their number in linux/bpf.h (enum bpf_func_id). */
static void *(*const bpf_map_lookup_elem)(void *map,
					  const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value,
					 __u64 flags) = (void *)BPF_FUNC_map_update_elem;
static long (*const bpf_map_delete_elem)(void *map,
					 const void *key) = (void *)BPF_FUNC_map_delete_elem;
static long (*const bpf_skb_pull_data)(struct __sk_buff *skb,
				       __u32 len) = (void *)BPF_FUNC_skb_pull_data;
static long (*const bpf_skb_load_bytes)(const struct __sk_buff *skb, __u32 off, void *to,
					__u32 len) = (void *)BPF_FUNC_skb_load_bytes;
static long (*const bpf_skb_load_bytes_relative)(const struct __sk_buff *skb, __u32 off, void *to,
						 __u32 len, __u32 from) = (void *)
	BPF_FUNC_skb_load_bytes_relative;
static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *ctx) = (void *)BPF_FUNC_xdp_get_buff_len;
static long (*const bpf_probe_read_kernel)(void *dst, __u32 size,
					   const void *from) = (void *)BPF_FUNC_probe_read_kernel;
static long (*const bpf_probe_read_user)(void *dst, __u32 size,
					 const void *from) = (void *)BPF_FUNC_probe_read_user;
static long (*const bpf_probe_read_kernel_str)(void *dst, __u32 size, const void *from) = (void *)
	BPF_FUNC_probe_read_kernel_str;
static long (*const bpf_probe_read_user_str)(void *dst, __u32 size, const void *from) = (void *)
	BPF_FUNC_probe_read_user_str;
static void *(*const bpf_get_current_task)(void) = (void *)BPF_FUNC_get_current_task;
static long (*const bpf_get_stackid)(void *ctx, void *map,
				     __u64 flags) = (void *)BPF_FUNC_get_stackid;
static long (*const bpf_seq_write)(void *seq, const void *data,
				   __u32 len) = (void *)BPF_FUNC_seq_write;
static void *(*const bpf_ringbuf_reserve)(void *map, __u64 size,
					  __u64 flags) = (void *)BPF_FUNC_ringbuf_reserve;
static void (*const bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)BPF_FUNC_ringbuf_submit;
static long (*const bpf_ringbuf_output)(void *map, void *data, __u64 size,
					__u64 flags) = (void *)BPF_FUNC_ringbuf_output;
static long (*const bpf_xdp_load_bytes)(struct xdp_md *xdp, __u32 off, void *to,
					__u32 len) = (void *)BPF_FUNC_xdp_load_bytes;
static __u64 (*const bpf_get_current_pid_tgid)(void) = (void *)BPF_FUNC_get_current_pid_tgid;
static __u64 (*const bpf_get_current_cgroup_id)(void) = (void *)BPF_FUNC_get_current_cgroup_id;
static __u64 (*const bpf_get_current_uid_gid)(void) = (void *)BPF_FUNC_get_current_uid_gid;
static long (*const bpf_get_current_comm)(void *to, __u32 size) = (void *)BPF_FUNC_get_current_comm;
static struct tcp_sock *(*const bpf_skc_to_tcp_sock)(void *sk) = (void *)BPF_FUNC_skc_to_tcp_sock;
static void *(*const bpf_sk_storage_get)(void *map, void *sk, void *value,
					 __u64 flags) = (void *)BPF_FUNC_sk_storage_get;
static struct bpf_sock *(*const bpf_sk_fullsock)(struct bpf_sock *sk) = (void *)
	BPF_FUNC_sk_fullsock;
static struct bpf_sock *(*const bpf_get_listener_sock)(struct bpf_sock *sk) = (void *)
	BPF_FUNC_get_listener_sock;
static struct bpf_sock *(*const bpf_sk_lookup_tcp)(void *ctx, struct bpf_sock_tuple *tuple,
						   __u32 size, __u64 netns,
						   __u64 flags) = (void *)BPF_FUNC_sk_lookup_tcp;
static struct bpf_sock *(*const bpf_sk_lookup_udp)(void *ctx, struct bpf_sock_tuple *tuple,
						   __u32 size, __u64 netns,
						   __u64 flags) = (void *)BPF_FUNC_sk_lookup_udp;
static long (*const bpf_sk_release)(struct bpf_sock *sk) = (void *)BPF_FUNC_sk_release;
static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)BPF_FUNC_tail_call;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static __u64 (*const bpf_jiffies64)(void) = (void *)BPF_FUNC_jiffies64;
static struct bpf_sock *(*const bpf_skc_lookup_tcp)(void *ctx, struct bpf_sock_tuple *tuple,
						    __u32 size, __u64 netns,
						    __u64 flags) = (void *)BPF_FUNC_skc_lookup_tcp;
static long (*const bpf_tcp_check_syncookie)(void *sk, void *ip, __u32 ip_len, void *tcp,
					     __u32 tcp_len) = (void *)BPF_FUNC_tcp_check_syncookie;
static __s64 (*const bpf_tcp_gen_syncookie)(void *sk, void *ip, __u32 ip_len, void *tcp,
					    __u32 tcp_len) = (void *)BPF_FUNC_tcp_gen_syncookie;
static long (*const bpf_sock_ops_cb_flags_set)(struct bpf_sock_ops *ops,
					       int flags) = (void *)BPF_FUNC_sock_ops_cb_flags_set;
static long (*const bpf_xdp_adjust_tail)(struct xdp_md *xdp,
					 int delta) = (void *)BPF_FUNC_xdp_adjust_tail;

#endif
