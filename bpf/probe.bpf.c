// SPDX-License-Identifier: MIT
/* One probe: at the entry and return of a function of the kernel or a program, at a tracepoint, or
 * at a system call. Conf selects what to count, time and report. */
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

/* LRU: a thread that ends inside a function never returns from it. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, PROBE_CALLS);
	MAP_TYPE(key, struct probe_call_key);
	MAP_TYPE(value, struct probe_call);
} open_calls MAP;

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

/* Decides whether to record hits of the current process. Fills in the head where it is used. */
static __always_inline bool is_wanted(struct trace_head *h)
{
	__u64 id = bpf_get_current_pid_tgid();

	h->proc.pid = id >> 32;
	h->proc.tid = id;
	if (h->proc.pid == conf.own_pid)
		return false;
	if (!conf.events && !conf.common.filter)
		return true;
	h->proc.uid = bpf_get_current_uid_gid();
	h->proc.cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(h->proc.comm, sizeof(h->proc.comm));
	return filter_match(h);
}

static __always_inline struct probe_val *get_val(const struct probe_key *key)
{
	struct probe_val *v = bpf_map_lookup_elem(&hits, key), none = {};

	if (v)
		return v;
	bpf_get_current_comm(none.comm, sizeof(none.comm));
	bpf_map_update_elem(&hits, key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hits, key);
}

/* Preemption is possible here, hence atomic increments. */
static __always_inline void count_hit(const struct trace_head *h, bool failed)
{
	struct probe_key key = { conf.probe, h->proc.pid };
	struct probe_val *v = get_val(&key);

	if (!v) {
		count_missed(PROBE_MISSED_HITS);
		return;
	}
	/* the process may run another program by now (execve(2)) */
	if (conf.events || conf.common.filter)
		__builtin_memcpy(v->comm, h->proc.comm, sizeof(v->comm));
	__sync_fetch_and_add(&v->hits, 1);
	if (failed)
		__sync_fetch_and_add(&v->failed, 1);
}

static __always_inline __u32 log2_of(__u64 v)
{
	__u32 n = 0;

#pragma clang loop unroll(full)
	for (int bits = 32; bits; bits /= 2) {
		bool high = v >> bits != 0;

		n += high ? bits : 0;
		v = high ? v >> bits : v;
	}
	return n;
}

/* The map is per CPU, but a task may be preempted here: additions are atomic. The maximum is not:
 * it may miss a slower call of the preempting task. */
static __always_inline void count_time(__u64 ns)
{
	__u32 probe = conf.probe;
	struct probe_times *t = bpf_map_lookup_elem(&times, &probe);

	if (!t)
		return;
	__sync_fetch_and_add(&t->calls[log2_of(ns) & (PROBE_BUCKETS - 1)], 1);
	__sync_fetch_and_add(&t->total_ns, ns);
	if (ns > t->max_ns)
		t->max_ns = ns;
}

static __always_inline void count_value(__u64 value)
{
	struct probe_value key = { .value = value, .probe = conf.probe };

	if (!increment_count(&values, &key))
		count_missed(PROBE_MISSED_VALUES);
}

static __always_inline void save_stacks(void *ctx, struct probe_call *call)
{
	call->kernel_stack = call->user_stack = -1;
	if (!conf.stacks)
		return;
	if (conf.kernel_stacks)
		call->kernel_stack = bpf_get_stackid(ctx, &stacks, 0);
	call->user_stack = bpf_get_stackid(ctx, &stacks, USER_STACK);
	if (call->kernel_stack == COLLISION || call->user_stack == COLLISION)
		count_missed(PROBE_MISSED_STACKS);
}

static __always_inline void count_path(__u32 pid, const struct probe_call *call)
{
	struct probe_path path = { conf.probe, pid, call->kernel_stack, call->user_stack,
				   call->caller };

	if (!increment_count(&paths, &path))
		count_missed(PROBE_MISSED_PATHS);
}

/* Returns false if the text is unreadable. The kernel's own functions take strings from either
 * memory. */
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
	if (!conf.user_memory && bpf_probe_read_kernel_str(to, PROBE_TEXT, (const void *)from) > 0)
		return true;
	return bpf_probe_read_user_str(to, PROBE_TEXT, (const void *)from) > 0;
}

static __always_inline void emit_hit(const struct trace_head *h, const struct probe_call *call,
				     __u64 value, __u64 now)
{
	struct probe_hit *hit = reserve_record(conf.text_args[0] ? sizeof(*hit) : PROBE_HIT_SIZE);

	if (!hit)
		return;
	__builtin_memcpy(&hit->head, h, sizeof(*h));
	hit->head.time = now;
	hit->head.kind = TRACE_HIT;
	__builtin_memcpy(hit->args, call->args, sizeof(hit->args));
	hit->value = value;
	hit->duration_ns = call->start_ns ? now - call->start_ns : 0;
	hit->probe = conf.probe;
	hit->kernel_stack = call->kernel_stack;
	hit->user_stack = call->user_stack;
	hit->caller = call->caller;
	hit->texts_read = 0;
	if (conf.text_args[0]) {
		hit->texts_read = read_text(hit->text[0], call->args, conf.text_args[0]);
		hit->texts_read |= read_text(hit->text[1], call->args, conf.text_args[1]) << 1;
	}
	bpf_ringbuf_submit(hit, 0);
}

static __always_inline bool is_error(__u64 value)
{
	if (conf.errors == PROBE_NO_ERRORS)
		return false;
	return ((__s64)value < 0 && (__s64)value >= -PROBE_ERROR_LAST) ||
	       (conf.errors == PROBE_INT_ERRORS && value >> 12 == 0xfffff && (value & 0xfff));
}

/* Records a hit. call->start_ns: when the returning call started; 0: an entry, or unknown. */
static __always_inline void record_hit(const struct trace_head *h, const struct probe_call *call,
				       __u64 value, bool returns)
{
	__u64 now = conf.events || call->start_ns ? bpf_ktime_get_ns() : 0;

	count_hit(h, returns && is_error(value));
	if (returns && call->start_ns)
		count_time(now - call->start_ns);
	if (returns && conf.values)
		count_value(value);
	if (conf.stacks)
		count_path(h->proc.pid, call);
	if (conf.events)
		emit_hit(h, call, value, now);
}

/* Identifies a call by its thread's stack pointer at entry: the same when it returns, and different
 * for every nested call. */
static __always_inline struct probe_call_key key_of(const struct trace_head *h, __u64 stack)
{
	struct probe_call_key key = { .stack = conf.no_ret_sp ? 0 : stack,
				      .tid = h->proc.tid,
				      .probe = conf.probe };

	return key;
}

/* At an entry: records a hit, or saves the call for its return. Stacks are taken here: at a return
 * older kernels do not see the caller. */
static __always_inline void on_entry(void *ctx, const struct trace_head *h, __u64 stack,
				     struct probe_call *call)
{
	struct probe_call_key key = key_of(h, stack);

	save_stacks(ctx, call);
	if (!conf.has_return) {
		record_hit(h, call, 0, false);
		return;
	}
	count_missed(PROBE_ENTRIES);
	call->start_ns = bpf_ktime_get_ns();
	bpf_map_update_elem(&open_calls, &key, call, BPF_ANY);
}

static __always_inline void on_return(const struct trace_head *h, __u64 stack, __u64 value)
{
	struct probe_call_key key = key_of(h, stack);
	struct probe_call entry = { .kernel_stack = -1, .user_stack = -1 };
	struct probe_call *call = bpf_map_lookup_elem(&open_calls, &key);

	/* the upper bits of a narrow type are undefined */
	value <<= conf.value_shift;
	value = conf.value_signed ? (__s64)value >> conf.value_shift : value >> conf.value_shift;
	if (call)
		entry = *call;
	record_hit(h, &entry, value, true);
	if (call)
		bpf_map_delete_elem(&open_calls, &key);
}

/* Returns the address to which a program's function returns, at its entry. */
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
	if (conf.stacks && conf.user_memory)
		call.caller = caller_of(regs);
	on_entry(regs, &h, SP(regs), &call);
	return 0;
}

SEC("kretprobe")
int sonde_probe_ret(void *regs)
{
	struct trace_head h = {};

	if (is_wanted(&h))
		on_return(&h, SP(regs) - conf.ret_pops, RET(regs));
	return 0;
}

/* A tracepoint's arguments. The verifier refuses reads beyond the last one. */
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
	on_entry(ctx, &h, 0, &call);
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
	on_entry(ctx, &h, 0, &call);
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
		on_return(&h, 0, ctx->args[1]);
	return 0;
}

LICENSE("Dual MIT/GPL");
