// SPDX-License-Identifier: MIT
/* Reports the plain text of TLS connections, at OpenSSL's SSL_read, SSL_write and their _ex
 * variants (SSL_read(3), SSL_write(3)), in whatever file these are. */
#include "bpf/lib/regs.h"
#include "bpf/trace.h"

const volatile struct tls_conf conf = {};

#include "bpf/lib/trace.h"

/* LRU: a thread that ends inside such a function never returns from it. */
struct {
	MAP_UINT(type, BPF_MAP_TYPE_LRU_HASH);
	MAP_UINT(max_entries, TRACE_CALLS);
	MAP_TYPE(key, __u64);
	MAP_TYPE(value, struct tls_call);
} tls_calls MAP;

/* int SSL_write(SSL *, const void *, int), int SSL_write_ex(SSL *, const void *, size_t, size_t *);
 * the reading ones alike. */
SEC("uprobe/SSL_write")
int sonde_tls_enter(void *regs)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_call t = { .ssl = ARG(regs, 0), .buffer = ARG(regs, 1), .count = ARG(regs, 3) };

	bpf_map_update_elem(&tls_calls, &id, &t, BPF_ANY);
	return 0;
}

/* The network namespace of the current process. */
static __always_inline __u32 current_netns(void)
{
	struct task_struct *task = bpf_get_current_task();
	struct nsproxy *proxy = 0;
	struct net *net = 0;
	__u32 inum = 0;

	if (!conf.common.can_read_kernel)
		return 0;
	GET(false, proxy, task->nsproxy);
	GET(false, net, proxy->net_ns);
	GET(false, inum, net->ns.inum);
	return inum;
}

static __noinline int emit_piece(const struct trace_head *h, __u64 from, __u32 at, __u32 total)
{
	__u32 n = (total < conf.max_bytes ? total : conf.max_bytes) - at;
	struct trace_text *text;

	if (n > TRACE_TEXT)
		n = TRACE_TEXT;
	text = reserve_record(sizeof(*text));
	if (!text)
		return 0;
	__builtin_memcpy(&text->head, h, sizeof(*h));
	text->offset = at;
	text->total = total;
	asm volatile("" : "+r"(n));
	if (n > TRACE_TEXT || bpf_probe_read_user(text->bytes, n, (const void *)(from + at)))
		n = 0;
	text->head.bytes = n;
	bpf_ringbuf_submit(text, 0);
	return 0;
}

static __always_inline int on_return(void *regs, bool sent, bool ex)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_call *t = bpf_map_lookup_elem(&tls_calls, &id);
	struct trace_head h = { .kind = TRACE_TLS, .flags = sent ? TRACE_SENT : 0 };
	int rc = RET(regs);
	__u64 total = rc;

	if (!t)
		return 0;
	h.sk = t->ssl;
	if (rc > 0 && ex && bpf_probe_read_user(&total, sizeof(reg_t), (const void *)t->count))
		total = 0;
	if (rc > 0 && total) {
		fill_current(&h.proc);
		h.proc.netns = current_netns();
		h.time = bpf_ktime_get_ns();
		if (filter_match(&h)) {
#pragma clang loop unroll(full)
			for (__u32 i = 0; i < TRACE_PIECES; i++)
				if (i * TRACE_TEXT < total && i * TRACE_TEXT < conf.max_bytes)
					emit_piece(&h, t->buffer, i * TRACE_TEXT, total);
		}
	}
	bpf_map_delete_elem(&tls_calls, &id);
	return 0;
}

SEC("uretprobe/SSL_write")
int sonde_tls_write(void *regs)
{
	return on_return(regs, true, false);
}

SEC("uretprobe/SSL_read")
int sonde_tls_read(void *regs)
{
	return on_return(regs, false, false);
}

SEC("uretprobe/SSL_write_ex")
int sonde_tls_wr_ex(void *regs)
{
	return on_return(regs, true, true);
}

SEC("uretprobe/SSL_read_ex")
int sonde_tls_rd_ex(void *regs)
{
	return on_return(regs, false, true);
}

LICENSE("Dual MIT/GPL");
