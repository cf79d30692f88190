// SPDX-License-Identifier: MIT
/* Follows connections through the states of their sockets: established, accepted, closed.  The
 * process is known only during a system call, so the program stores it with the socket then, for
 * later events of the network. */
#include <asm-generic/errno.h>
#include "bpf/trace.h"

const volatile struct trace_conf conf = {};

#include "bpf/lib/trace_socks.h"

/* A socket of which nothing is known. Records are filled in where they are kept: programs have
 * little stack, and filters use most of it. */
static const volatile struct trace_sock empty_sock = {};

/* The states that a socket leaves and enters. Read where they are used: verifiers know the value of
 * a copy, and would walk the rest once for each value. */
static __always_inline __u32 get_old_state(__u64 *args)
{
	return *(volatile __u64 *)&args[1];
}

static __always_inline __u32 get_new_state(__u64 *args)
{
	return *(volatile __u64 *)&args[2];
}

/* Starts tracking a socket: a record with its endpoints only. 0: no room. */
static __always_inline struct trace_sock *track_sock(struct sock *sk, struct tcp_sock *tp)
{
	__u64 key = (__u64)sk;
	struct trace_counts *c;
	struct trace_sock *s;
	__u32 zero = 0;

	bpf_map_update_elem(&socks, &key, (const void *)&empty_sock, BPF_ANY);
	s = bpf_map_lookup_elem(&socks, &key);
	if (!s) {
		c = bpf_map_lookup_elem(&counts, &zero);
		if (c)
			c->untracked++;
		return 0;
	}
	describe_sock(&s->head, sk, tp);
	return s;
}

static __noinline int on_established(struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s = track_sock(sk, tp);
	struct trace_detail detail = { .new_state = ESTABLISHED };

	if (!s)
		return 0;
	detail.start_ns = s->start_ns = bpf_ktime_get_ns();
	fill_listener(&s->head);
	__sync_fetch_and_add(&s->head.bytes,
			     1); /* mark the record as seen before looking at what others wrote */
	if (conf.accept_ret && !claim_early_accept(s->head.sk, &s->head.proc))
		return 0; /* reported once a process accepts it */
	s->head.flags &= ~TRACE_NOT_ACCEPTED;
	if (conf.accept_ret)
		s->head.flags &= ~TRACE_BY_LISTENER;
	emit_event(&s->head, &detail, TRACE_ACCEPT);
	return 0;
}

static __noinline int on_connected(struct sock *sk, struct tcp_sock *tp, int before)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_detail detail = {};

	if (before == SYN_RECV && !(s && s->head.flags & TRACE_OUTGOING))
		return on_established(sk, tp);
	if (!s || !(s->head.flags & TRACE_OUTGOING))
		return 0;
	detail.start_ns = s->start_ns;
	detail.old_state = before;
	detail.new_state = ESTABLISHED;
	detail.rtt_us = tp->srtt_us >> 3;
	describe_sock(&s->head, sk, tp);
	emit_event(&s->head, &detail, TRACE_CONNECT);
	s->start_ns = bpf_ktime_get_ns();
	return 0;
}

/* The SYN and the FIN take one sequence number each. */
static __always_inline void fill_totals(struct trace_detail *detail, struct sock *sk,
					struct tcp_sock *tp, bool outgoing)
{
	__u64 acked = tp->bytes_acked, sent = tp->bytes_sent - tp->bytes_retrans;

	if (outgoing && acked)
		acked--;
	detail->sent = acked < sent ? acked : sent;
	detail->received = tp->bytes_received;
	if (detail->received && sk->__sk_common.skc_flags & 1ul << SOCK_DONE)
		detail->received--;
	detail->retransmits = tp->total_retrans;
	detail->rtt_us = tp->srtt_us >> 3;
}

/* A connection attempt ended without a connection. */
static __always_inline void on_failed(struct trace_sock *s, struct trace_detail *detail)
{
	/* connect(2) is about to return the exact error */
	if (s->connecting && !detail->error) {
		s->failed = 1;
		return;
	}
	/* e.g. the second of two sockets that one packet created: the first goes on */
	if (!detail->error && !(s->head.flags & TRACE_OUTGOING)) {
		bpf_map_delete_elem(&socks, &s->head.sk);
		return;
	}
	if (!detail->error)
		detail->error = ECANCELED;
	emit_event(&s->head, detail, s->head.flags & TRACE_OUTGOING ? TRACE_CONNECT : TRACE_ACCEPT);
	if (s->connecting)
		s->reported = 1;
	else
		bpf_map_delete_elem(&socks, &s->head.sk);
}

/* Tracks a socket that existed before the tracing, or found no room then. */
static __always_inline struct trace_sock *track_late(__u64 *args, struct sock *sk,
						     struct tcp_sock *tp)
{
	struct trace_sock *s = track_sock(sk, tp);

	if (!s)
		return 0;
	if (get_old_state(args) == SYN_RECV)
		fill_listener(&s->head);
	else
		s->head.flags =
			TRACE_EXISTED | (get_old_state(args) == SYN_SENT ? TRACE_OUTGOING : 0);
	return s;
}

static __noinline int on_closed(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_detail detail = {};
	__u32 before;

	if (!s)
		s = track_late(args, sk, tp);
	if (!s)
		return 0;
	before = get_old_state(args);
	detail.start_ns = s->start_ns;
	detail.old_state = before;
	detail.new_state = CLOSED;
	detail.error = sk->sk_err;
	detail.cause = s->cause;
	if (before == SYN_SENT || before == SYN_RECV) {
		describe_sock(&s->head, sk, tp);
		on_failed(s, &detail);
		return 0;
	}
	if (!(s->head.flags & (TRACE_INCOMING | TRACE_OUTGOING)) && has_listener(&s->head))
		s->head.flags |= TRACE_INCOMING;
	if (!detail.cause && detail.error)
		detail.cause = TRACE_END_ERROR;
	else if (!detail.cause && !(s->head.flags & TRACE_EXISTED))
		detail.cause = TRACE_END_ABORTED;
	fill_totals(&detail, sk, tp, s->head.flags & TRACE_OUTGOING);
	emit_event(&s->head, &detail, TRACE_CLOSE);
	bpf_map_delete_elem(&socks, &s->head.sk);
	return 0;
}

static __always_inline void set_close_side(struct sock *sk, int how)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (s && !s->cause)
		s->cause = how;
}

/* An incoming connection whose process is unknown: its accept(2) started before the tracing,
 * unseen. 0: the process is known. */
static __always_inline struct trace_sock *find_unowned(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (!s || !(s->head.flags & TRACE_INCOMING))
		return 0;
	if (!(s->head.flags & (TRACE_NOT_ACCEPTED | TRACE_BY_LISTENER)) && s->head.proc.pid)
		return 0;
	return s;
}

/* The process that connects, or closes an incoming connection, owns the socket. */
static __noinline int set_owner(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s =
		get_new_state(args) == SYN_SENT ? track_sock(sk, tp) : find_unowned(sk);
	struct trace_detail detail = { .new_state = ESTABLISHED };
	bool late;

	if (!s)
		return 0;
	late = s->head.flags & TRACE_NOT_ACCEPTED;
	fill_current(&s->head.proc);
	if (get_new_state(args) == SYN_SENT) {
		s->start_ns = bpf_ktime_get_ns();
		s->head.flags = TRACE_OUTGOING;
		s->connecting = conf.connect_ret;
		return 0;
	}
	s->head.flags &= ~(TRACE_NOT_ACCEPTED | TRACE_BY_LISTENER);
	return late ? emit_event(&s->head, &detail, TRACE_ACCEPT) : 0;
}

/* A socket starts or stops listening. */
static __noinline int on_listen(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	struct trace_head h = {};
	struct trace_proc *w;
	__u64 key;

	if (!describe_sock(&h, sk, tp))
		return 0;
	key = listener_key(&h);
	fill_current(&h.proc);
	if (get_new_state(args) == LISTENING) {
		bpf_map_update_elem(&listeners, &key, &h.proc, BPF_ANY);
		return 0;
	}
	/* others may listen at that port */
	w = bpf_map_lookup_elem(&listeners, &key);
	if (w && w->pid == h.proc.pid)
		bpf_map_delete_elem(&listeners, &key);
	return 0;
}

static __noinline int emit_state(struct sock *sk, struct tcp_sock *tp, int before, int after)
{
	struct trace_detail detail = { .old_state = before, .new_state = after };
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_head h = {};

	if (s && !s->head.lport)
		describe_sock(&s->head, sk, tp);
	if (s)
		return emit_event(&s->head, &detail, TRACE_STATE);
	describe_sock(&h, sk, tp);
	return emit_event(&h, &detail, TRACE_STATE);
}

/* Forgets an earlier socket at the same address whose end was missed. */
static __always_inline void forget_sock(struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&socks, &key);
	bpf_map_delete_elem(&early_accepts, &key);
}

/* State changes that only a process causes on its own socket. */
static __always_inline bool is_process_change(int before, int after)
{
	return after == SYN_SENT || after == LISTENING || after == FIN_WAIT1 || after == LAST_ACK ||
	       (before == LISTENING && after != SYN_RECV);
}

/* Kernels skip a program that already runs on a CPU, e.g. when an incoming packet interrupts a
 * system call. So there are two programs: the first handles what a process does and may be
 * interrupted, the second handles what the network does. */
static __always_inline int on_state_change(__u64 *args, const bool process)
{
	struct sock *sk = (void *)args[0];
	int before = args[1], after = args[2];
	struct tcp_sock *tp;

	if (is_process_change(before, after) != process || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (process) {
		if (after == FIN_WAIT1)
			set_close_side(sk, TRACE_END_LOCAL);
		if (after == LISTENING || before == LISTENING)
			on_listen(args, sk, tp);
		else
			set_owner(args, sk, tp);
	} else {
		if (after == ESTABLISHED)
			on_connected(sk, tp, before);
		else if (after == CLOSE_WAIT)
			set_close_side(sk, TRACE_END_REMOTE);
		else if (before == LISTENING && after == SYN_RECV)
			forget_sock(sk);
		else if (after == CLOSED && before != CLOSED)
			on_closed(args, sk, tp);
	}
	if (conf.common.kinds & 1u << TRACE_STATE)
		emit_state(sk, tp, before, after);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int sonde_sock_proc(__u64 *args)
{
	return on_state_change(args, true);
}

SEC("tp_btf/inet_sock_set_state")
int sonde_sock_net(__u64 *args)
{
	return on_state_change(args, false);
}

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} CORE;

/* Describes a socket found by the iterator. */
static __noinline int describe_found(struct trace_head *h, struct sock *sk)
{
	__u16 proto = 0, port = 0;

	GET(false, proto, sk->sk_protocol);
	if (proto != IPPROTO_TCP || !fill_endpoints(h, sk, false))
		return false;
	GET(false, port, ((struct inet_sock *)sk)->inet_sport);
	unmap_v4(h);
	h->sk = (__u64)sk;
	h->lport = be16(port);
	h->proto = proto;
	h->proc.netns = netns_of(sk, false);
	fill_iface(h, sk, false);
	return true;
}

enum { S_IFMT = 0170000, S_IFSOCK = 0140000 };

/* Lists existing connections with the first process that holds them: others inherited theirs from
 * it. */
SEC("iter/task_file")
int sonde_sock_iter(struct bpf_iter__task_file *ctx)
{
	struct trace_event e = { .head.kind = TRACE_OPEN, .head.flags = TRACE_EXISTED };
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file, *back = 0;
	struct socket *sock = 0;
	struct sock *sk = 0;
	__u16 mode = 0;
	__u64 key;

	if (!task || !file)
		return 0;
	mode = file->f_inode->i_mode;
	if ((mode & S_IFMT) != S_IFSOCK)
		return 0;
	sock = file->private_data;
	GET(false, back, sock->file);
	GET(false, sk, sock->sk);
	if (back != file || !sk || !describe_found(&e.head, sk))
		return 0;
	e.head.proc.pid = task->tgid;
	e.head.proc.tid = task->pid;
	e.head.proc.uid = task->cred->uid.val;
	e.head.proc.cgroup = task->cgroups->dfl_cgrp->kn->id;
	emit_cgroup(task, e.head.proc.cgroup);
	bpf_probe_read_kernel(e.head.proc.comm, TRACE_COMM, &task->comm);
	bpf_probe_read_kernel(&e.detail.new_state, 1, (const void *)&sk->__sk_common.skc_state);
	key = listener_key(&e.head);
	if (e.detail.new_state == LISTENING) {
		bpf_map_update_elem(&listeners, &key, &e.head.proc, BPF_NOEXIST);
		return 0;
	}
	if (e.detail.new_state == CLOSED)
		return 0;
	if (e.detail.new_state == SYN_SENT)
		e.head.flags |= TRACE_OUTGOING;
	/* an event starts with the same members as a tracked socket */
	if (bpf_map_update_elem(&socks, &e.head.sk, &e, BPF_NOEXIST))
		return 0;
	e.head.time = bpf_ktime_get_ns();
	if (conf.common.kinds & 1u << TRACE_OPEN && filter_match(&e.head))
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

LICENSE("Dual MIT/GPL");
