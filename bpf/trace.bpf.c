// SPDX-License-Identifier: MIT
/* Connections as they are made, taken, ended: by the states that their sockets go through.
 *
 * The process is known where a system call is at work, so it is written down there, with the
 * socket, for what the network's end of the kernel does to that later. */
#include <asm-generic/errno.h>
#include "bpf/trace.h"

const volatile struct trace_conf conf = {};

#include "bpf/lib/trace_socks.h"

/* What is not known yet. It is filled in where it is kept: programs have little stack, and filters
 * want most of it. */
static const volatile struct trace_sock nothing = {};

/* The states that a socket leaves and goes to. They are read where they are asked for: of a copy
 * verifiers know which one it is, and walk what follows once for each. */
static __always_inline __u32 before_of(__u64 *args)
{
	return *(volatile __u64 *)&args[1];
}

static __always_inline __u32 after_of(__u64 *args)
{
	return *(volatile __u64 *)&args[2];
}

/* A socket's place, with no more in it than its ends. 0: there is none. */
static __always_inline struct trace_sock *remember(struct sock *sk, struct tcp_sock *tp)
{
	__u64 key = (__u64)sk;
	struct trace_counts *c;
	struct trace_sock *s;
	__u32 zero = 0;

	bpf_map_update_elem(&socks, &key, (const void *)&nothing, BPF_ANY);
	s = bpf_map_lookup_elem(&socks, &key);
	if (!s) {
		c = bpf_map_lookup_elem(&counts, &zero);
		if (c)
			c->untracked++;
		return 0;
	}
	describe(&s->head, sk, tp);
	return s;
}

static __noinline int on_established(struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s = remember(sk, tp);
	struct trace_detail detail = { .after = ESTABLISHED };

	if (!s)
		return 0;
	detail.began = s->began = bpf_ktime_get_ns();
	by_listener(&s->head);
	__sync_fetch_and_add(&s->head.bytes, 1); /* seen, before a look at what others wrote */
	if (conf.accepts && !claim(s->head.sk, &s->head.who))
		return 0; /* it is told when a process takes it */
	s->head.flags &= ~TRACE_NOT_TAKEN;
	if (conf.accepts)
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
	detail.began = s->began;
	detail.before = before;
	detail.after = ESTABLISHED;
	detail.rtt_us = tp->srtt_us >> 3;
	describe(&s->head, sk, tp);
	emit_event(&s->head, &detail, TRACE_CONNECT);
	s->began = bpf_ktime_get_ns();
	return 0;
}

/* Of the stream's numbers one is the SYN's, and one the FIN's. */
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

/* It never was a connection. */
static __always_inline void on_failed(struct trace_sock *s, struct trace_detail *detail)
{
	/* connect(2) knows better: it is about to say so. */
	if (s->calling && !detail->error) {
		s->failed = 1;
		return;
	}
	/* Of two that the same packet made, say: the other one goes on. */
	if (!detail->error && !(s->head.flags & TRACE_OUTGOING)) {
		bpf_map_delete_elem(&socks, &s->head.sk);
		return;
	}
	if (!detail->error)
		detail->error = ECANCELED;
	emit_event(&s->head, detail, s->head.flags & TRACE_OUTGOING ? TRACE_CONNECT : TRACE_ACCEPT);
	if (s->calling)
		s->told = 1;
	else
		bpf_map_delete_elem(&socks, &s->head.sk);
}

/* What began before the tracing, or had no room then. */
static __always_inline struct trace_sock *remember_late(__u64 *args, struct sock *sk,
							struct tcp_sock *tp)
{
	struct trace_sock *s = remember(sk, tp);

	if (!s)
		return 0;
	if (before_of(args) == SYN_RECV)
		by_listener(&s->head);
	else
		s->head.flags = TRACE_EXISTED | (before_of(args) == SYN_SENT ? TRACE_OUTGOING : 0);
	return s;
}

static __noinline int on_closed(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_detail detail = {};
	__u32 before;

	if (!s)
		s = remember_late(args, sk, tp);
	if (!s)
		return 0;
	before = before_of(args);
	detail.began = s->began;
	detail.before = before;
	detail.after = CLOSED;
	detail.error = sk->sk_err;
	detail.how = s->how;
	if (before == SYN_SENT || before == SYN_RECV) {
		describe(&s->head, sk, tp);
		on_failed(s, &detail);
		return 0;
	}
	if (!(s->head.flags & (TRACE_INCOMING | TRACE_OUTGOING)) && has_listener(&s->head))
		s->head.flags |= TRACE_INCOMING;
	if (!detail.how && detail.error)
		detail.how = TRACE_BROKEN;
	else if (!detail.how && !(s->head.flags & TRACE_EXISTED))
		detail.how = TRACE_ABORTED;
	fill_totals(&detail, sk, tp, s->head.flags & TRACE_OUTGOING);
	emit_event(&s->head, &detail, TRACE_CLOSE);
	bpf_map_delete_elem(&socks, &s->head.sk);
	return 0;
}

static __always_inline void set_close_side(struct sock *sk, int how)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (s && !s->how)
		s->how = how;
}

/* A socket that came in, if who has it is not known: its accept(2) had begun before the tracing,
 * and was not heard of. 0: it is known. */
static __always_inline struct trace_sock *find_unowned(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (!s || !(s->head.flags & TRACE_INCOMING))
		return 0;
	if (!(s->head.flags & (TRACE_NOT_TAKEN | TRACE_BY_LISTENER)) && s->head.who.pid)
		return 0;
	return s;
}

/* Who connects, or closes what came in, has that socket. */
static __noinline int set_owner(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s = after_of(args) == SYN_SENT ? remember(sk, tp) : find_unowned(sk);
	struct trace_detail detail = { .after = ESTABLISHED };
	bool late;

	if (!s)
		return 0;
	late = s->head.flags & TRACE_NOT_TAKEN;
	fill_current(&s->head.who);
	if (after_of(args) == SYN_SENT) {
		s->began = bpf_ktime_get_ns();
		s->head.flags = TRACE_OUTGOING;
		s->calling = conf.connects;
		return 0;
	}
	s->head.flags &= ~(TRACE_NOT_TAKEN | TRACE_BY_LISTENER);
	return late ? emit_event(&s->head, &detail, TRACE_ACCEPT) : 0;
}

/* A socket that listens, or does no longer. */
static __noinline int on_listen(__u64 *args, struct sock *sk, struct tcp_sock *tp)
{
	struct trace_head h = {};
	struct trace_who *w;
	__u64 key;

	if (!describe(&h, sk, tp))
		return 0;
	key = listener_key(&h);
	fill_current(&h.who);
	if (after_of(args) == LISTENING) {
		bpf_map_update_elem(&listeners, &key, &h.who, BPF_ANY);
		return 0;
	}
	/* There may be others at that port. */
	w = bpf_map_lookup_elem(&listeners, &key);
	if (w && w->pid == h.who.pid)
		bpf_map_delete_elem(&listeners, &key);
	return 0;
}

static __noinline int emit_state(struct sock *sk, struct tcp_sock *tp, int before, int after)
{
	struct trace_detail detail = { .before = before, .after = after };
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_head h = {};

	if (s && !s->head.lport)
		describe(&s->head, sk, tp);
	if (s)
		return emit_event(&s->head, &detail, TRACE_STATE);
	describe(&h, sk, tp);
	return emit_event(&h, &detail, TRACE_STATE);
}

/* A new socket, where another one may have been whose end was missed. */
static __always_inline void forget_sock(struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&socks, &key);
	bpf_map_delete_elem(&early_accepts, &key);
}

/* What only a process does to its own socket. */
static __always_inline bool by_process(int before, int after)
{
	return after == SYN_SENT || after == LISTENING || after == FIN_WAIT1 || after == LAST_ACK ||
	       (before == LISTENING && after != SYN_RECV);
}

/* Kernels pass over a program that is at work on a CPU already, as when what the network brings
 * interrupts a system call. So there are two: the first may be interrupted, the second is what
 * the network does. What the first misses, is the second's. */
static __always_inline int on_state_change(__u64 *args, const bool process)
{
	struct sock *sk = (void *)args[0];
	int before = args[1], after = args[2];
	struct tcp_sock *tp;

	if (by_process(before, after) != process || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (process) {
		if (after == FIN_WAIT1)
			set_close_side(sk, TRACE_LOCAL);
		if (after == LISTENING || before == LISTENING)
			on_listen(args, sk, tp);
		else
			set_owner(args, sk, tp);
	} else {
		if (after == ESTABLISHED)
			on_connected(sk, tp, before);
		else if (after == CLOSE_WAIT)
			set_close_side(sk, TRACE_REMOTE);
		else if (before == LISTENING && after == SYN_RECV)
			forget_sock(sk);
		else if (after == CLOSED && before != CLOSED)
			on_closed(args, sk, tp);
	}
	if (conf.all.kinds & 1u << TRACE_STATE)
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

/* A socket as it is found. */
static __noinline int find(struct trace_head *h, struct sock *sk)
{
	__u16 proto = 0, port = 0;

	GET(false, proto, sk->sk_protocol);
	if (proto != IPPROTO_TCP || !put_ends(h, sk, false))
		return false;
	GET(false, port, ((struct inet_sock *)sk)->inet_sport);
	unmap(h);
	h->sk = (__u64)sk;
	h->lport = be16(port);
	h->proto = proto;
	h->who.netns = netns_of(sk, false);
	put_iface(h, sk, false);
	return true;
}

enum { S_IFMT = 0170000, S_IFSOCK = 0140000 };

/* Connections that there are, with the first process that has them: the others got them from it. */
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
	if (back != file || !sk || !find(&e.head, sk))
		return 0;
	e.head.who.pid = task->tgid;
	e.head.who.tid = task->pid;
	e.head.who.uid = task->cred->uid.val;
	e.head.who.cgroup = task->cgroups->dfl_cgrp->kn->id;
	emit_cgroup(task, e.head.who.cgroup);
	bpf_probe_read_kernel(e.head.who.comm, TRACE_COMM, &task->comm);
	bpf_probe_read_kernel(&e.detail.after, 1, (const void *)&sk->__sk_common.skc_state);
	key = listener_key(&e.head);
	if (e.detail.after == LISTENING) {
		bpf_map_update_elem(&listeners, &key, &e.head.who, BPF_NOEXIST);
		return 0;
	}
	if (e.detail.after == CLOSED)
		return 0;
	if (e.detail.after == SYN_SENT)
		e.head.flags |= TRACE_OUTGOING;
	/* Its begin is what is known of a socket. */
	if (bpf_map_update_elem(&socks, &e.head.sk, &e, BPF_NOEXIST))
		return 0;
	e.head.time = bpf_ktime_get_ns();
	if (conf.all.kinds & 1u << TRACE_OPEN && filter_match(&e.head))
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

LICENSE("Dual MIT/GPL");
