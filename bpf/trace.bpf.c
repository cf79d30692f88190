// SPDX-License-Identifier: MIT
/* Connections as they are made, taken, ended: by the states that their sockets go through.
 *
 * The process is known where a system call is at work, so it is written down there, with the
 * socket, for what the network's end of the kernel does to that later. */
#include "bpf/lib/regs.h"
#include "bpf/trace.h"

const volatile struct trace_conf conf = {};

#include "bpf/lib/trace_socks.h"

enum { EALREADY = 114, EINPROGRESS = 115, EISCONN = 106, EINTR = 4 };
enum { ECONNRESET = 104, ETIMEDOUT = 110, ECONNREFUSED = 111, EHOSTUNREACH = 113 };

struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_CALLS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_call);
} calls MAP;

/* Who took a connection that was not one yet. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_EARLY);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_who);
} early MAP;

/* What is not known yet. It is filled in where it is kept: programs have little stack, and filters
 * want most of it. */
static const volatile struct trace_sock nothing = {};

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
			c->blind++;
		return 0;
	}
	describe(&s->head, sk, tp);
	return s;
}

static __always_inline void asked(struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s = remember(sk, tp);

	if (!s)
		return;
	who_now(&s->head.who);
	s->began = bpf_ktime_get_ns();
	s->head.flags = TRACE_OUTGOING | (conf.returns ? TRACE_CALLING : 0);
}

/* Whoever meets the other one last has seen both halves, and only one of them takes this away. */
static __always_inline bool claim(__u64 sk, struct trace_who *who)
{
	struct trace_who *w = bpf_map_lookup_elem(&early, &sk);

	if (!w)
		return false;
	*who = *w;
	return !bpf_map_delete_elem(&early, &sk);
}

static __noinline int came_in(struct sock *sk, struct tcp_sock *tp)
{
	struct trace_sock *s = remember(sk, tp);
	struct trace_detail is = { .after = ESTABLISHED };

	if (!s)
		return 0;
	is.began = s->began = bpf_ktime_get_ns();
	by_listener(&s->head);
	__sync_fetch_and_add(&s->head.bytes, 1); /* seen, before a look at what others wrote */
	if (conf.returns && !claim(s->head.sk, &s->head.who))
		return 0; /* it is told when a process takes it */
	s->head.flags &= ~TRACE_NOT_TAKEN;
	if (conf.returns)
		s->head.flags &= ~TRACE_BY_LISTENER;
	tell(&s->head, &is, TRACE_ACCEPT);
	return 0;
}

static __noinline int made(struct sock *sk, struct tcp_sock *tp, int before)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_detail is = {};

	if (before == SYN_RECV && !(s && s->head.flags & TRACE_OUTGOING))
		return came_in(sk, tp);
	if (!s || !(s->head.flags & TRACE_OUTGOING))
		return 0;
	is.began = s->began;
	is.before = before;
	is.after = ESTABLISHED;
	is.rtt_us = tp->srtt_us >> 3;
	describe(&s->head, sk, tp);
	tell(&s->head, &is, TRACE_CONNECT);
	s->began = bpf_ktime_get_ns();
	return 0;
}

/* Of the stream's numbers one is the SYN's, and one the FIN's. */
static __always_inline void measure(struct trace_detail *is, struct sock *sk, struct tcp_sock *tp,
				    bool outgoing)
{
	__u64 acked = tp->bytes_acked, sent = tp->bytes_sent - tp->bytes_retrans;

	if (outgoing && acked)
		acked--;
	is->sent = acked < sent ? acked : sent;
	is->received = tp->bytes_received;
	if (is->received && sk->__sk_common.skc_flags & 1ul << SOCK_DONE)
		is->received--;
	is->retransmits = tp->total_retrans;
	is->rtt_us = tp->srtt_us >> 3;
}

/* It never was a connection. */
static __always_inline void failed(struct trace_sock *s, struct trace_detail *is)
{
	/* connect(2) knows better: it is about to say so. */
	if (s->head.flags & TRACE_CALLING && !is->error) {
		s->failed = 1;
		return;
	}
	tell(&s->head, is, s->head.flags & TRACE_OUTGOING ? TRACE_CONNECT : TRACE_ACCEPT);
	if (s->head.flags & TRACE_CALLING)
		s->head.flags |= TRACE_TOLD;
	else
		bpf_map_delete_elem(&socks, &s->head.sk);
}

static __noinline int end(struct trace_sock *s, struct sock *sk, struct tcp_sock *tp, int before)
{
	struct trace_detail is = { .began = s->began,
				   .before = before,
				   .after = CLOSED,
				   .error = sk->sk_err,
				   .how = s->how };

	if (before == SYN_SENT || before == SYN_RECV) {
		describe(&s->head, sk, tp);
		failed(s, &is);
		return 0;
	}
	if (!is.how && is.error)
		is.how = TRACE_BROKEN;
	else if (!is.how && !(s->head.flags & TRACE_EXISTED))
		is.how = TRACE_ABORTED;
	measure(&is, sk, tp, s->head.flags & TRACE_OUTGOING);
	tell(&s->head, &is, TRACE_CLOSE);
	bpf_map_delete_elem(&socks, &s->head.sk);
	return 0;
}

static __always_inline void ended(struct sock *sk, struct tcp_sock *tp, int before)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (s) {
		end(s, sk, tp, before);
		return;
	}
	s = remember(sk, tp);
	if (!s)
		return;
	if (before == SYN_RECV)
		by_listener(&s->head);
	else
		s->head.flags = TRACE_EXISTED | (before == SYN_SENT ? TRACE_OUTGOING : 0);
	end(s, sk, tp, before);
}

static __always_inline void closing(struct sock *sk, int how)
{
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);

	if (s && !s->how)
		s->how = how;
}

/* A socket that listens, or does no longer. */
static __noinline int listens(struct sock *sk, struct tcp_sock *tp, bool now)
{
	struct trace_head h = {};
	__u64 key;

	if (!describe(&h, sk, tp))
		return 0;
	key = listener_key(&h);
	who_now(&h.who);
	if (now)
		bpf_map_update_elem(&listeners, &key, &h.who, BPF_ANY);
	else
		bpf_map_delete_elem(&listeners, &key);
	return 0;
}

static __noinline int show_state(struct sock *sk, struct tcp_sock *tp, int before, int after)
{
	struct trace_detail is = { .before = before, .after = after };
	__u64 key = (__u64)sk;
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &key);
	struct trace_head h = {};

	if (s)
		return tell(&s->head, &is, TRACE_STATE);
	describe(&h, sk, tp);
	return tell(&h, &is, TRACE_STATE);
}

/* A new socket, where another one may have been whose end was missed. */
static __always_inline void forget(struct sock *sk)
{
	__u64 key = (__u64)sk;

	bpf_map_delete_elem(&socks, &key);
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
static __always_inline int state(__u64 *args, const bool process)
{
	struct sock *sk = (void *)args[0];
	int before = args[1], after = args[2];
	struct tcp_sock *tp;

	if (by_process(before, after) != process || sk->sk_protocol != IPPROTO_TCP)
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return 0;
	if (process && after == SYN_SENT)
		asked(sk, tp);
	if (!process && after == ESTABLISHED)
		made(sk, tp, before);
	if (conf.all.kinds & 1u << TRACE_STATE)
		show_state(sk, tp, before, after);
	if (process && after == FIN_WAIT1)
		closing(sk, TRACE_LOCAL);
	else if (process && after == LISTENING)
		listens(sk, tp, true);
	else if (process && before == LISTENING && after == CLOSED)
		listens(sk, tp, false);
	else if (!process && before == LISTENING && after == SYN_RECV)
		forget(sk);
	else if (!process && after == CLOSE_WAIT)
		closing(sk, TRACE_REMOTE);
	else if (!process && after == CLOSED && before != CLOSED)
		ended(sk, tp, before);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int sonde_tr_own(__u64 *args)
{
	return state(args, true);
}

SEC("tp_btf/inet_sock_set_state")
int sonde_tr_state(__u64 *args)
{
	return state(args, false);
}

/* connect(2) has returned. What is refused before there is a SYN is seen by no state. */
static __always_inline void returned(const struct trace_call *call, int rc)
{
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &call->sk);
	struct trace_detail is = { .error = -rc };
	struct trace_head h = {};

	if (call->proto != IPPROTO_TCP)
		return;
	if (s) {
		if (!(s->head.flags & TRACE_CALLING))
			return;
		s->head.flags &= ~TRACE_CALLING;
		is.began = s->began;
		if (s->failed && !(s->head.flags & TRACE_TOLD))
			tell(&s->head, &is, TRACE_CONNECT);
		if (s->failed || s->head.flags & TRACE_TOLD)
			bpf_map_delete_elem(&socks, &call->sk);
		return;
	}
	/* What a connection came to that was asked for before was told when it came to that. */
	if (rc >= 0 || rc == -EINPROGRESS || rc == -EALREADY || rc == -EISCONN || rc == -EINTR ||
	    rc == -ECONNREFUSED || rc == -ETIMEDOUT || rc == -ECONNRESET || rc == -EHOSTUNREACH)
		return;
	h.sk = call->sk;
	h.flags = TRACE_OUTGOING;
	h.proto = IPPROTO_TCP;
	h.family = call->family == AF_INET ? 4 : 6;
	h.rport = be16(call->port_be);
	copy_bytes(h.remote, call->addr, 16);
	who_now(&h.who);
	h.who.netns = netns_of((void *)call->sk, false);
	unmap(&h);
	tell(&h, &is, TRACE_CONNECT);
}

/* A process took a connection; before it is one, it may be, for it waits in the queue a little
 * earlier. */
static __always_inline void taken(__u64 sk)
{
	struct trace_detail is = { .after = ESTABLISHED };
	struct trace_who who = {};
	struct trace_sock *s;
	__u8 state = 0;

	who_now(&who);
	who.netns = netns_of((void *)sk, false);
	/* What is told of a state is told before a socket is in it. */
	bpf_probe_read_kernel(&state, 1,
			      (const void *)&((struct sock *)sk)->__sk_common.skc_state);
	s = bpf_map_lookup_elem(&socks, &sk);
	if (!s || !(s->head.flags & TRACE_NOT_TAKEN)) {
		if (state != SYN_RECV)
			return; /* it was there before */
		bpf_map_update_elem(&early, &sk, &who, BPF_ANY);
		s = bpf_map_lookup_elem(&socks, &sk);
		if (!s || !(s->head.flags & TRACE_NOT_TAKEN) || !claim(sk, &who))
			return;
	}
	is.began = s->began;
	s->head.who = who;
	s->head.flags &= ~(TRACE_NOT_TAKEN | TRACE_BY_LISTENER);
	tell(&s->head, &is, TRACE_ACCEPT);
}

struct socket {
	__u16 type;
	struct sock *sk;
	struct file *file;
} CORE;

/* struct sockaddr_in, and the begin of struct sockaddr_in6. */
struct address {
	__u16 family, port;
	__u32 v4;
	__u8 v6[16];
};

/* Of IPv4 and IPv6 only. False: of something else. */
static __always_inline bool put_call(struct trace_call *call, struct socket *sock, const void *addr,
				     bool user)
{
	struct address a = {};
	struct sock *sk = 0;
	__u16 proto = 0;

	GET(false, sk, sock->sk);
	if (!sk)
		return false;
	GET(false, proto, sk->sk_protocol);
	if (user)
		bpf_probe_read_user(&a, sizeof(a), addr);
	else
		bpf_probe_read_kernel(&a, sizeof(a), addr);
	if (a.family != AF_INET && a.family != AF_INET6)
		return false;
	call->sk = (__u64)sk;
	call->proto = proto;
	call->family = a.family;
	call->port_be = a.port;
	if (a.family == AF_INET)
		*(__u32 *)call->addr = a.v4;
	else
		__builtin_memcpy(call->addr, a.v6, 16);
	return true;
}

/* bind(2) has returned. */
static __always_inline void bound(const struct trace_call *call, int rc)
{
	struct trace_detail is = { .error = -rc };
	struct sock *sk = (void *)call->sk;
	struct trace_head h = {};
	__u16 port = call->port_be;

	h.sk = call->sk;
	h.proto = call->proto;
	h.family = call->family == AF_INET ? 4 : 6;
	who_now(&h.who);
	h.who.netns = netns_of(sk, false);
	copy_bytes(h.local, call->addr, 16);
	if (!rc)
		GET(false, port, ((struct inet_sock *)sk)->inet_sport);
	h.lport = be16(port);
	unmap(&h);
	tell(&h, &is, TRACE_BIND);
}

/* The best way to hear what functions return; kernels lose none, and it costs little. */
SEC("fexit/inet_stream_connect")
int sonde_tr_xask(__u64 *args)
{
	struct trace_call call = {};

	if (put_call(&call, (void *)args[0], (void *)args[1], false))
		returned(&call, args[4]);
	return 0;
}

SEC("fexit/inet_bind")
int sonde_tr_xbind(__u64 *args)
{
	struct trace_call call = {};

	if (put_call(&call, (void *)args[0], (void *)args[1], false))
		bound(&call, args[3]);
	return 0;
}

SEC("fexit/inet6_bind")
int sonde_tr_xbind6(__u64 *args)
{
	struct trace_call call = {};

	if (put_call(&call, (void *)args[0], (void *)args[1], false))
		bound(&call, args[3]);
	return 0;
}

/* It had more arguments before 6.10. A compiler would load from a sum, which verifiers refuse. */
SEC("fexit/inet_csk_accept")
int sonde_tr_xtake(__u64 *args)
{
	__u64 sk;

	if (conf.accept_args > 2)
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(args));
	else
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(args));
	taken(sk);
	return 0;
}

SEC("kprobe/inet_stream_connect")
int sonde_tr_ask(void *regs)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct trace_call call = {};

	if (put_call(&call, (void *)ARG(regs, 0), (void *)ARG(regs, 1), false))
		bpf_map_update_elem(&calls, &id, &call, BPF_ANY);
	return 0;
}

SEC("kretprobe/inet_stream_connect")
int sonde_tr_asked(void *regs)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct trace_call *call = bpf_map_lookup_elem(&calls, &id);

	if (!call)
		return 0;
	returned(call, RET(regs));
	bpf_map_delete_elem(&calls, &id);
	return 0;
}

/* Of inet6_bind, too. */
SEC("kretprobe/inet_bind")
int sonde_tr_bound(void *regs)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct trace_call *call = bpf_map_lookup_elem(&calls, &id);

	if (!call)
		return 0;
	bound(call, RET(regs));
	bpf_map_delete_elem(&calls, &id);
	return 0;
}

SEC("kretprobe/inet_csk_accept")
int sonde_tr_take(void *regs)
{
	taken(RET(regs));
	return 0;
}

/* Where the kernel has no kprobes: every system call's end. */
struct file {
	void *private_data;
	struct inode *f_inode;
} CORE;

struct inode {
	__u16 i_mode;
} CORE;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;

struct files_struct {
	struct fdtable *fdt;
} CORE;

struct pt_regs {
#if defined(FOR_x86_64)
	unsigned long orig_ax, di, si;
#elif defined(FOR_arm64)
	int syscallno;
	unsigned long orig_x0, regs[31];
#elif defined(FOR_riscv64)
	unsigned long a7, orig_a0, a1;
#elif defined(FOR_s390x)
	unsigned int int_code;
	unsigned long orig_gpr2, gprs[16];
#else
	unsigned long uregs[18];
#endif
} CORE;

#if defined(FOR_x86_64)
#define CALL_NR(r, to)   GET(false, to, (r)->orig_ax)
#define CALL_ARG0(r, to) GET(false, to, (r)->di)
#define CALL_ARG1(r, to) GET(false, to, (r)->si)
enum { NR_CONNECT = 42, NR_BIND = 49, NR_ACCEPT = 43, NR_ACCEPT4 = 288 };
#elif defined(FOR_arm64)
#define CALL_NR(r, to)   GET(false, *(int *)&(to), (r)->syscallno)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_x0)
#define CALL_ARG1(r, to) GET(false, to, (r)->regs[1])
enum { NR_CONNECT = 203, NR_BIND = 200, NR_ACCEPT = 202, NR_ACCEPT4 = 242 };
#elif defined(FOR_riscv64)
#define CALL_NR(r, to)   GET(false, to, (r)->a7)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_a0)
#define CALL_ARG1(r, to) GET(false, to, (r)->a1)
enum { NR_CONNECT = 203, NR_BIND = 200, NR_ACCEPT = 202, NR_ACCEPT4 = 242 };
#elif defined(FOR_s390x)
#define CALL_NR(r, to)                                                \
	do {                                                          \
		unsigned int code_ = 0;                               \
		GET(false, code_, (r)->int_code);                     \
		(to) = code_ & 0xffff;                                \
	} while (0)
#define CALL_ARG0(r, to) GET(false, to, (r)->orig_gpr2)
#define CALL_ARG1(r, to) GET(false, to, (r)->gprs[3])
enum { NR_CONNECT = 362, NR_BIND = 361, NR_ACCEPT = -1, NR_ACCEPT4 = 364 };
#else
#define CALL_NR(r, to)   GET(false, to, (r)->uregs[7])
#define CALL_ARG0(r, to) GET(false, to, (r)->uregs[17])
#define CALL_ARG1(r, to) GET(false, to, (r)->uregs[1])
enum { NR_CONNECT = 283, NR_BIND = 282, NR_ACCEPT = 285, NR_ACCEPT4 = 366 };
#endif

/* What a descriptor of the current process is of, if that is a socket. */
static __always_inline struct socket *socket_at(__u64 fd)
{
	struct task_struct *task = bpf_get_current_task();
	struct files_struct *files = 0;
	struct file **fds = 0, *file = 0, *back = 0;
	struct fdtable *table = 0;
	struct socket *sock = 0;
	unsigned int max = 0;

	GET(false, files, task->files);
	GET(false, table, files->fdt);
	GET(false, max, table->max_fds);
	if (fd >= max)
		return 0;
	GET(false, fds, table->fd);
	bpf_probe_read_kernel(&file, sizeof(file), fds + fd);
	GET(false, sock, file->private_data);
	GET(false, back, sock->file);
	return back == file ? sock : 0;
}

SEC("raw_tp/sys_exit")
int sonde_tr_exit(__u64 *args)
{
	struct pt_regs *regs = (void *)args[0];
	unsigned long nr = 0, fd = 0, addr = 0;
	struct trace_call call = {};
	struct socket *sock;
	struct sock *sk = 0;

	CALL_NR(regs, nr);
	if (nr == NR_CONNECT || (nr == NR_BIND && conf.binds)) {
		CALL_ARG0(regs, fd);
		CALL_ARG1(regs, addr);
		sock = socket_at(fd);
		if (!sock || !put_call(&call, sock, (void *)addr, true))
			return 0;
		if (nr == NR_CONNECT)
			returned(&call, args[1]);
		else
			bound(&call, args[1]);
	} else if ((nr == NR_ACCEPT || nr == NR_ACCEPT4) && (__s64)args[1] >= 0) {
		sock = socket_at(args[1]);
		if (!sock)
			return 0;
		GET(false, sk, sock->sk);
		taken((__u64)sk);
	}
	return 0;
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
int sonde_tr_there(struct bpf_iter__task_file *ctx)
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
	meet(task, e.head.who.cgroup);
	bpf_probe_read_kernel(e.head.who.comm, TRACE_COMM, &task->comm);
	bpf_probe_read_kernel(&e.is.after, 1, (const void *)&sk->__sk_common.skc_state);
	key = listener_key(&e.head);
	if (e.is.after == LISTENING) {
		bpf_map_update_elem(&listeners, &key, &e.head.who, BPF_NOEXIST);
		return 0;
	}
	if (e.is.after == CLOSED)
		return 0;
	if (e.is.after == SYN_SENT)
		e.head.flags |= TRACE_OUTGOING;
	/* Its begin is what is known of a socket. */
	if (bpf_map_update_elem(&socks, &e.head.sk, &e, BPF_NOEXIST))
		return 0;
	e.head.time = bpf_ktime_get_ns();
	if (conf.all.kinds & 1u << TRACE_OPEN && chosen(&e.head))
		bpf_seq_write(ctx->meta->seq, &e, sizeof(e));
	return 0;
}

LICENSE("Dual MIT/GPL");
