// SPDX-License-Identifier: MIT
/* Records the process that creates an IPv4 or IPv6 socket, in the context of that process. */
#include "bpf/lib/owner.h"

enum {
	OPT_COMMENT = 1,
	OPT_PROCESS = 8, /* epb_processid_threadid, as in net/capfile/internal.h */
	PROCESS_LEN = 8,
	OPT_HEADER = 4,
	DIGITS = 10,
	COMMENT_AT = OPT_HEADER + PROCESS_LEN + OPT_HEADER,
};

/* Appends a character, or drops it if there is no room. The position is kept in the map, whose
 * values the verifier does not track: else it would walk through every length of a name. */
static __always_inline void append_char(struct owner *o, char c)
{
	__u32 at = *(volatile __u32 *)&o->len;

	if (at >= OWNER_OPTIONS)
		return;
	o->options[at] = c;
	*(volatile __u32 *)&o->len = at + 1;
}

static __always_inline char hex_digit(__u32 digit)
{
	return digit < 10 ? '0' + digit : 'a' + digit - 10;
}

/* Writes bytes that are not printable as \xNN, which the reader of capture files knows
 * (net/capfile/capfile.h). */
static __always_inline void append_name(struct owner *o)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < OWNER_COMM - 1; i++) {
		__u8 c = *(volatile __u8 *)&o->comm[i];

		if (!c)
			break;
		if (c >= 0x20 && c < 0x7f && c != '\\') {
			append_char(o, c);
			continue;
		}
		append_char(o, '\\');
		append_char(o, 'x');
		append_char(o, hex_digit(c >> 4));
		append_char(o, hex_digit(c & 15));
	}
}

static __always_inline void append_number(struct owner *o, __u32 n)
{
	__u32 power = 1000000000;
	bool started = false;

#pragma clang loop unroll(disable)
	for (int i = 0; i < DIGITS; i++) {
		__u32 digit = n / power;

		n -= digit * power;
		power /= 10;
		if (!digit && !started && power)
			continue;
		started = true;
		append_char(o, '0' + digit);
	}
}

static __always_inline void write_option_header(struct owner *o, __u32 at, __u16 code, __u16 len)
{
	__u16 *label = (__u16 *)(o->options + at);

	label[0] = code;
	label[1] = len;
}

static __always_inline void write_options(struct owner *o)
{
	static const char label[] = "process: ";
	__u32 end;

	write_option_header(o, 0, OPT_PROCESS, PROCESS_LEN);
	*(__u32 *)(o->options + OPT_HEADER) = o->pid;
	*(__u32 *)(o->options + OPT_HEADER + 4) = 0;
#pragma clang loop unroll(full)
	for (__u32 i = 0; i < sizeof(label) - 1; i++)
		o->options[COMMENT_AT + i] = label[i];
	o->len = COMMENT_AT + sizeof(label) - 1;
	append_name(o);
	append_char(o, '[');
	append_number(o, o->pid);
	append_char(o, ']');
	end = *(volatile __u32 *)&o->len;
	write_option_header(o, OPT_HEADER + PROCESS_LEN, OPT_COMMENT, end - COMMENT_AT);
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
	write_options(o);
	return 1;
}

LICENSE("Dual MIT/GPL");
