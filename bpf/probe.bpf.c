// SPDX-License-Identifier: MIT
/* One probe: at a function of the kernel or of a program, where it begins and where it returns, at
 * a tracepoint, or at a system call. What is counted, timed and told, conf says. */
#include "bpf/probe.h"
#include "bpf/lib/regs.h"

const volatile struct probe_conf conf = {};

#include "bpf/lib/syscall.h"
#include "bpf/lib/trace.h"

enum { COLLISION = -17 /* -EEXIST */, USER_STACK = 256 /* BPF_F_USER_STACK */ };

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_HASH);
	MAP_UINT(max_entries, PROBE_PROCESSES);
	MAP_TYPE(key, struct probe_key);
	MAP_TYPE(value, struct probe_val);
} hits MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, PROBE_MAX);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, struct probe_times);
} times MAP;

/* LRU: a thread may end in a function, and then never returns. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, PROBE_CALLS);
	MAP_TYPE(key, struct probe_call_key);
	MAP_TYPE(value, struct probe_call);
} begun MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, PROBE_PATHS);
	MAP_TYPE(key, struct probe_path);
	MAP_TYPE(value, __u64);
} paths MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_HASH);
	MAP_UINT(max_entries, PROBE_VALUES);
	MAP_TYPE(key, struct probe_value);
	MAP_TYPE(value, __u64);
} values MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_STACK_TRACE);
	MAP_UINT(max_entries, PROBE_STACKS);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64[PROBE_FRAMES]);
} stacks MAP;

struct {
	MAP_UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	MAP_UINT(max_entries, PROBE_MISSES);
	MAP_TYPE(key, __u32);
	MAP_TYPE(value, __u64);
} missed MAP;

static __always_inline void count_missed(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&missed, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* The process at work is one that is asked for; its head is filled in where that is of use. */
static __always_inline bool is_wanted(struct trace_head *h)
{
	__u64 id = bpf_get_current_pid_tgid();

	h->who.pid = id >> 32;
	h->who.tid = id;
	if (h->who.pid == conf.self)
		return false;
	if (!conf.events && !conf.all.filter)
		return true;
	h->who.uid = bpf_get_current_uid_gid();
	h->who.cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(h->who.comm, sizeof(h->who.comm));
	return filter_match(h);
}

static __always_inline struct probe_val *val_of(const struct probe_key *key)
{
	struct probe_val *v = bpf_map_lookup_elem(&hits, key), none = {};

	if (v)
		return v;
	bpf_get_current_comm(none.comm, sizeof(none.comm));
	bpf_map_update_elem(&hits, key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hits, key);
}

/* Tasks may be taken off a CPU here: its values are changed in one step. */
static __always_inline void count(const struct trace_head *h, bool failed)
{
	struct probe_key key = { conf.probe, h->who.pid };
	struct probe_val *v = val_of(&key);

	if (!v) {
		count_missed(PROBE_MISSED_HITS);
		return;
	}
	/* It may be another program by now (execve(2)). */
	if (conf.events || conf.all.filter)
		__builtin_memcpy(v->comm, h->who.comm, sizeof(v->comm));
	__sync_fetch_and_add(&v->hits, 1);
	if (failed)
		__sync_fetch_and_add(&v->failed, 1);
}

static __always_inline __u32 log2_of(__u64 v)
{
	__u32 n = 0;

#pragma clang loop unroll(full)
	for (int bits = 32; bits; bits /= 2) {
		bool more = v >> bits != 0;

		n += more ? bits : 0;
		v = more ? v >> bits : v;
	}
	return n;
}

static __always_inline void count_time(__u64 ns)
{
	__u32 probe = conf.probe;
	struct probe_times *t = bpf_map_lookup_elem(&times, &probe);

	if (!t)
		return;
	__sync_fetch_and_add(&t->calls[log2_of(ns) & (PROBE_BUCKETS - 1)], 1);
	__sync_fetch_and_add(&t->ns, ns);
	if (ns > t->most)
		t->most = ns;
}

static __always_inline void count_value(__u64 value)
{
	struct probe_value key = { .value = value, .probe = conf.probe };

	if (!count_one(&values, &key))
		count_missed(PROBE_MISSED_VALUES);
}

static __always_inline void look_back(void *ctx, struct probe_call *call)
{
	call->kernel = call->user = -1;
	if (!conf.stacks)
		return;
	if (conf.kernel)
		call->kernel = bpf_get_stackid(ctx, &stacks, 0);
	call->user = bpf_get_stackid(ctx, &stacks, USER_STACK);
	if (call->kernel == COLLISION || call->user == COLLISION)
		count_missed(PROBE_MISSED_STACKS);
}

static __always_inline void count_path(__u32 pid, const struct probe_call *call)
{
	struct probe_path path = { conf.probe, pid, call->kernel, call->user, call->caller };

	if (!count_one(&paths, &path))
		count_missed(PROBE_MISSED_PATHS);
}

/* False: it cannot be read. The kernel's own functions get strings of both. */
static __always_inline bool read_text(__u8 to[PROBE_TEXT], const __u64 args[PROBE_ARGS], __u8 which)
{
	__u64 from = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < PROBE_ARGS; i++)
		if (which == i + 1)
			from = args[i];
	to[0] = 0;
	if (!which)
		return false;
	if (!conf.user && bpf_probe_read_kernel_str(to, PROBE_TEXT, (const void *)from) > 0)
		return true;
	return bpf_probe_read_user_str(to, PROBE_TEXT, (const void *)from) > 0;
}

static __always_inline void emit_hit(const struct trace_head *h, const struct probe_call *call,
				     __u64 value, __u64 now)
{
	struct probe_hit *hit = record_new(conf.text[0] ? sizeof(*hit) : PROBE_HIT);

	if (!hit)
		return;
	__builtin_memcpy(&hit->head, h, sizeof(*h));
	hit->head.time = now;
	hit->head.kind = TRACE_HIT;
	__builtin_memcpy(hit->args, call->args, sizeof(hit->args));
	hit->value = value;
	hit->ns = call->ns ? now - call->ns : 0;
	hit->probe = conf.probe;
	hit->kernel = call->kernel;
	hit->user = call->user;
	hit->caller = call->caller;
	hit->read = 0;
	if (conf.text[0]) {
		hit->read = read_text(hit->text[0], call->args, conf.text[0]);
		hit->read |= read_text(hit->text[1], call->args, conf.text[1]) << 1;
	}
	bpf_ringbuf_submit(hit, 0);
}

static __always_inline bool is_error(__u64 value)
{
	if (conf.errors == PROBE_NO_ERRORS)
		return false;
	return ((__s64)value < 0 && (__s64)value >= -PROBE_ERROR_LAST) ||
	       (conf.errors == PROBE_GUESSED && value >> 12 == 0xfffff && (value & 0xfff));
}

/* A hit that is counted; call->ns: when what returns here began, 0: it is none, or unknown. */
static __always_inline void come(const struct trace_head *h, const struct probe_call *call,
				 __u64 value, bool returns)
{
	__u64 now = conf.events || call->ns ? bpf_ktime_get_ns() : 0;

	count(h, returns && is_error(value));
	if (returns && call->ns)
		count_time(now - call->ns);
	if (returns && conf.values)
		count_value(value);
	if (conf.stacks)
		count_path(h->who.pid, call);
	if (conf.events)
		emit_hit(h, call, value, now);
}

/* Of what a call's thread has below it on its stack: the same where it begins and returns, and
 * another one for each call inside of a call. */
static __always_inline struct probe_call_key key_of(const struct trace_head *h, __u64 stack)
{
	struct probe_call_key key = { .stack = conf.flat ? 0 : stack,
				      .tid = h->who.tid,
				      .probe = conf.probe };

	return key;
}

/* It begins: that is a hit, or what its return is to know. Where from is looked at here: behind a
 * return older kernels see no caller. */
static __always_inline void start(void *ctx, const struct trace_head *h, __u64 stack,
				  struct probe_call *call)
{
	struct probe_call_key key = key_of(h, stack);

	look_back(ctx, call);
	if (!conf.starts) {
		come(h, call, 0, false);
		return;
	}
	count_missed(PROBE_BEGUN);
	call->ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&begun, &key, call, BPF_ANY);
}

static __always_inline void end(const struct trace_head *h, __u64 stack, __u64 value)
{
	struct probe_call_key key = key_of(h, stack);
	struct probe_call here = { .kernel = -1, .user = -1 };
	struct probe_call *call = bpf_map_lookup_elem(&begun, &key);

	/* A narrow type's other bits may be anything. */
	value <<= conf.shift;
	value = conf.is_signed ? (__s64)value >> conf.shift : value >> conf.shift;
	if (call)
		here = *call;
	come(h, &here, value, true);
	if (call)
		bpf_map_delete_elem(&begun, &key);
}

/* Where a program's function that begins here returns to. */
static __always_inline __u64 caller_of(void *regs)
{
#ifdef FOR_x86_64
	__u64 caller = 0;

	bpf_probe_read_user(&caller, sizeof(caller), (const void *)SP(regs));
	return caller;
#else
	return LINK(regs);
#endif
}

SEC("kprobe")
int sonde_probe(void *regs)
{
	struct probe_call call = {};
	struct trace_head h = {};

	if (!is_wanted(&h))
		return 0;
	call.args[0] = ARG(regs, 0);
	call.args[1] = ARG(regs, 1);
	call.args[2] = ARG(regs, 2);
	call.args[3] = ARG(regs, 3);
	if (REG_ARGS > 4)
		call.args[4] = ARG(regs, 4);
	if (REG_ARGS > 5)
		call.args[5] = ARG(regs, 5);
	if (conf.stacks && conf.user)
		call.caller = caller_of(regs);
	start(regs, &h, SP(regs), &call);
	return 0;
}

SEC("kretprobe")
int sonde_probe_ret(void *regs)
{
	struct trace_head h = {};

	if (is_wanted(&h))
		end(&h, SP(regs) - conf.pops, RET(regs));
	return 0;
}

/* A tracepoint's arguments; more than it has may not be looked at. */
SEC("raw_tp/probe")
int sonde_probe_raw(struct bpf_raw_tracepoint_args *ctx)
{
	struct probe_call call = {};
	struct trace_head h = {};

	if (!is_wanted(&h))
		return 0;
#pragma clang loop unroll(full)
	for (int i = 0; i < PROBE_ARGS; i++)
		if (conf.nargs > i)
			call.args[i] = ctx->args[i];
	start(ctx, &h, 0, &call);
	return 0;
}

/* (struct pt_regs *, long number) */
SEC("raw_tp/sys_enter")
int sonde_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *r = (void *)ctx->args[0];
	struct probe_call call = {};
	struct trace_head h = {};
	unsigned long arg = 0;

	if ((int)ctx->args[1] != conf.call || is_compat(r) || !is_wanted(&h))
		return 0;
	CALL_ARG0(r, arg);
	call.args[0] = arg;
	CALL_ARG1(r, arg);
	call.args[1] = arg;
	CALL_ARG2(r, arg);
	call.args[2] = arg;
	CALL_ARG3(r, arg);
	call.args[3] = arg;
	CALL_ARG4(r, arg);
	call.args[4] = arg;
	CALL_ARG5(r, arg);
	call.args[5] = arg;
	start(ctx, &h, 0, &call);
	return 0;
}

/* (struct pt_regs *, long result) */
SEC("raw_tp/sys_exit")
int sonde_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct pt_regs *r = (void *)ctx->args[0];
	struct trace_head h = {};
	unsigned long number = 0;

	CALL_NR(r, number);
	if ((int)number == conf.call && !is_compat(r) && is_wanted(&h))
		end(&h, 0, ctx->args[1]);
	return 0;
}

LICENSE("Dual MIT/GPL");
