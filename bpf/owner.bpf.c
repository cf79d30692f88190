// SPDX-License-Identifier: MIT
/* Writes down who makes an IPv4 or IPv6 socket, in the maker's own context. */
#include "bpf/lib/owner.h"

enum {
	OPT_COMMENT = 1,
	OPT_PROCESS = 8, /* epb_processid_threadid, as net/capfile_parts.h has it */
	PROCESS_LEN = 8,
	HEAD = 4,
	DIGITS = 10,
	TEXT_AT = HEAD + PROCESS_LEN + HEAD,
};

/* Text is put behind what is there; what would not fit is left out. The place is kept in the map,
 * where the verifier does not follow it: else it would walk through every length of a name. */
static __always_inline void put(struct owner *o, char c)
{
	__u32 at = *(volatile __u32 *)&o->len;

	if (at >= OWNER_OPTIONS)
		return;
	o->options[at] = c;
	*(volatile __u32 *)&o->len = at + 1;
}

static __always_inline char hex(__u32 digit)
{
	return digit < 10 ? '0' + digit : 'a' + digit - 10;
}

/* Bytes that are not plain are \xNN: the reader knows them so (net/capfile.h). */
static __always_inline void put_name(struct owner *o)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < OWNER_COMM - 1; i++) {
		__u8 c = *(volatile __u8 *)&o->comm[i];

		if (!c)
			break;
		if (c >= 0x20 && c < 0x7f && c != '\\') {
			put(o, c);
			continue;
		}
		put(o, '\\');
		put(o, 'x');
		put(o, hex(c >> 4));
		put(o, hex(c & 15));
	}
}

static __always_inline void put_number(struct owner *o, __u32 n)
{
	__u32 power = 1000000000;
	bool begun = false;

#pragma clang loop unroll(disable)
	for (int i = 0; i < DIGITS; i++) {
		__u32 digit = n / power;

		n -= digit * power;
		power /= 10;
		if (!digit && !begun && power)
			continue;
		begun = true;
		put(o, '0' + digit);
	}
}

static __always_inline void put_option(struct owner *o, __u32 at, __u16 code, __u16 len)
{
	__u16 *head = (__u16 *)(o->options + at);

	head[0] = code;
	head[1] = len;
}

static __always_inline void put_options(struct owner *o)
{
	static const char head[] = "process: ";
	__u32 end;

	put_option(o, 0, OPT_PROCESS, PROCESS_LEN);
	*(__u32 *)(o->options + HEAD) = o->pid;
	*(__u32 *)(o->options + HEAD + 4) = 0;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < sizeof(head) - 1; i++)
		o->options[TEXT_AT + i] = head[i];
	o->len = TEXT_AT + sizeof(head) - 1;
	put_name(o);
	put(o, '[');
	put_number(o, o->pid);
	put(o, ']');
	end = *(volatile __u32 *)&o->len;
	put_option(o, HEAD + PROCESS_LEN, OPT_COMMENT, end - TEXT_AT);
	o->len = (end + 3) & ~3u;
}

SEC("cgroup/sock_create")
int sonde_owner(struct bpf_sock *sk)
{
	struct owner *o = bpf_sk_storage_get(&owners, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (!o)
		return 1;
	o->pid = bpf_get_current_pid_tgid() >> 32;
	o->cgroup = bpf_get_current_cgroup_id();
	bpf_get_current_comm(o->comm, sizeof(o->comm));
	put_options(o);
	return 1;
}

LICENSE("Dual MIT/GPL");
