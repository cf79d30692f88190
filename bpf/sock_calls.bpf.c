// SPDX-License-Identifier: MIT
/* Reports what connect(2), accept(2) and bind(2) return, in the process that called them, by the
 * best method the kernel has. */
#include <asm-generic/errno.h>
#include "bpf/lib/regs.h"
#include "bpf/trace.h"

const volatile struct sock_calls_conf conf = {};

#include "bpf/lib/syscall.h"
#include "bpf/lib/trace_socks.h"

enum { ERESTARTSYS = 512 }; /* the kernel's linux/errno.h */

struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_CALLS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct trace_call);
} calls MAP;

/* Fills in the calling process and its socket. */
static __always_inline void fill_caller(struct trace_head *h, const struct trace_call *call)
{
	h->sk = call->sk;
	h->proto = call->proto;
	h->family = call->family == AF_INET ? 4 : 6;
	fill_current(&h->proc);
	h->proc.netns = netns_of((void *)call->sk, false);
}

/* connect(2) has returned. A connection refused before its SYN never changes state, so it is
 * reported here. */
static __always_inline void on_connect_return(const struct trace_call *call, int rc)
{
	struct trace_sock *s = bpf_map_lookup_elem(&socks, &call->sk);
	struct trace_detail detail = { .error = -rc };
	struct trace_head h = {};

	if (call->proto != IPPROTO_TCP)
		return;
	if (s) {
		if (!s->connecting)
			return;
		s->connecting = 0;
		detail.start_ns = s->start_ns;
		if (s->failed && !s->reported)
			emit_event(&s->head, &detail, TRACE_CONNECT);
		if (s->failed || s->reported)
			bpf_map_delete_elem(&socks, &call->sk);
		return;
	}
	/* The outcome of an earlier connect(2) on this socket was reported when it came. */
	if (rc >= 0 || rc == -EINPROGRESS || rc == -EALREADY || rc == -EISCONN || rc == -EINTR ||
	    rc == -ECONNREFUSED || rc == -ETIMEDOUT || rc == -ECONNRESET || rc == -EHOSTUNREACH ||
	    rc == -ECONNABORTED || rc == -ERESTARTSYS)
		return;
	fill_caller(&h, call);
	h.flags = TRACE_OUTGOING;
	h.rport = be16(call->port_be);
	copy_bytes(h.remote, call->addr, 16);
	unmap_v4(&h);
	emit_event(&h, &detail, TRACE_CONNECT);
}

/* A process accepted a connection, possibly before the connection is established: it enters the
 * queue slightly earlier. */
static __always_inline void on_accepted(__u64 sk)
{
	struct trace_detail detail = { .new_state = ESTABLISHED };
	struct trace_proc proc = {};
	struct trace_sock *s;
	__u8 state = 0;

	fill_current(&proc);
	proc.netns = netns_of((void *)sk, false);
	/* events of a state are reported before the socket enters it */
	bpf_probe_read_kernel(&state, 1, (const void *)&((struct sock *)sk)->__sk_common.skc_state);
	s = bpf_map_lookup_elem(&socks, &sk);
	if (!s || !(s->head.flags & TRACE_NOT_ACCEPTED)) {
		if (state != SYN_RECV)
			return; /* it existed before the tracing */
		bpf_map_update_elem(&early_accepts, &sk, &proc, BPF_ANY);
		s = bpf_map_lookup_elem(&socks, &sk);
		if (!s || !(s->head.flags & TRACE_NOT_ACCEPTED) || !claim_early_accept(sk, &proc))
			return;
	}
	detail.start_ns = s->start_ns;
	s->head.proc = proc;
	s->head.flags &= ~(TRACE_NOT_ACCEPTED | TRACE_BY_LISTENER);
	emit_event(&s->head, &detail, TRACE_ACCEPT);
}

/* struct sockaddr_in, and the start of struct sockaddr_in6. */
struct sockaddr_head {
	__u16 family, port;
	__u32 v4;
	__u8 v6[16];
};

/* Fills in a call on an IPv4 or IPv6 socket. Returns false for another family. */
static __always_inline bool fill_call(struct trace_call *call, struct socket *sock,
				      const void *addr, bool user)
{
	struct sockaddr_head a = {};
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
static __always_inline void on_bind_return(const struct trace_call *call, int rc)
{
	struct trace_detail detail = { .error = -rc };
	struct trace_head h = {};
	__u16 port = call->port_be;

	fill_caller(&h, call);
	copy_bytes(h.local, call->addr, 16);
	if (!rc)
		GET(false, port, ((struct inet_sock *)call->sk)->inet_sport);
	h.lport = be16(port);
	unmap_v4(&h);
	emit_event(&h, &detail, TRACE_BIND);
}

/* The best method for return values: never misses one, and costs little. */
SEC("fexit/inet_stream_connect")
int sonde_conn_fx(__u64 *args)
{
	struct trace_call call = {};

	if (fill_call(&call, (void *)args[0], (void *)args[1], false))
		on_connect_return(&call, args[4]);
	return 0;
}

static __always_inline int on_bind_exit(__u64 *args)
{
	struct trace_call call = {};

	if (fill_call(&call, (void *)args[0], (void *)args[1], false))
		on_bind_return(&call, args[3]);
	return 0;
}

SEC("fexit/inet_bind")
int sonde_bind_fx(__u64 *args)
{
	return on_bind_exit(args);
}

SEC("fexit/inet6_bind")
int sonde_bind6_fx(__u64 *args)
{
	return on_bind_exit(args);
}

/* It had more arguments before Linux 6.10. In assembly, since the compiler would load from a
 * computed address, which verifiers refuse. */
SEC("fexit/inet_csk_accept")
int sonde_accept_fx(__u64 *args)
{
	__u64 sk;

	if (conf.accept_args > 2)
		asm volatile("%0 = *(u64 *)(%1 + 32)" : "=r"(sk) : "r"(args));
	else
		asm volatile("%0 = *(u64 *)(%1 + 16)" : "=r"(sk) : "r"(args));
	on_accepted(sk);
	return 0;
}

SEC("kprobe/inet_stream_connect")
int sonde_conn(void *regs)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct trace_call call = {};

	if (fill_call(&call, (void *)ARG(regs, 0), (void *)ARG(regs, 1), false))
		bpf_map_update_elem(&calls, &id, &call, BPF_ANY);
	return 0;
}

/* The call that this thread made has returned. */
static __always_inline int on_return(void *regs, const bool bind)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct trace_call *call = bpf_map_lookup_elem(&calls, &id);

	if (!call)
		return 0;
	if (bind)
		on_bind_return(call, RET(regs));
	else
		on_connect_return(call, RET(regs));
	bpf_map_delete_elem(&calls, &id);
	return 0;
}

SEC("kretprobe/inet_stream_connect")
int sonde_conn_ret(void *regs)
{
	return on_return(regs, false);
}

/* Attached to inet6_bind, too. */
SEC("kretprobe/inet_bind")
int sonde_bind_ret(void *regs)
{
	return on_return(regs, true);
}

SEC("kretprobe/inet_csk_accept")
int sonde_accept_rt(void *regs)
{
	on_accepted(RET(regs));
	return 0;
}

/* Returns the socket of a descriptor of the current process; 0: not a socket. */
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

/* For kernels with neither fexit nor kprobes: the end of every system call. */
SEC("raw_tp/sys_exit")
int sonde_call_exit(__u64 *args)
{
	struct pt_regs *regs = (void *)args[0];
	unsigned long nr = 0, fd = 0, addr = 0;
	bool connects, binds, accepts;
	struct trace_call call = {};
	struct socket *sock;
	struct sock *sk = 0;

	CALL_NR(regs, nr);
	connects = conf.connect_ret && nr == NR_CONNECT;
	binds = conf.bind_ret && nr == NR_BIND;
	accepts = conf.accept_ret && (nr == NR_ACCEPT || nr == NR_ACCEPT4);
	if (!(connects || binds || accepts) || is_compat(regs))
		return 0;
	if (accepts) {
		sock = (__s64)args[1] < 0 ? 0 : socket_at(args[1]);
		if (!sock)
			return 0;
		GET(false, sk, sock->sk);
		on_accepted((__u64)sk);
		return 0;
	}
	CALL_ARG0(regs, fd);
	CALL_ARG1(regs, addr);
	sock = socket_at(fd);
	if (!sock || !fill_call(&call, sock, (void *)addr, true))
		return 0;
	if (connects)
		on_connect_return(&call, args[1]);
	else
		on_bind_return(&call, args[1]);
	return 0;
}

LICENSE("Dual MIT/GPL");
