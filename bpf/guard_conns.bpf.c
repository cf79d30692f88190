// SPDX-License-Identifier: MIT
/* Counts the connections that this host's sockets accept, for the guard's limits on them. A
 * connection takes a whole handshake, so its source is not forged. It runs at the root cgroup. */
#include "bpf/lib/bpf.h"
#include "bpf/guard_conns.h"

const volatile struct guard_conns_conf conf = {};

#include "bpf/lib/guard_table.h"

#define FAMILY_INET 2 /* AF_INET: kernel programs cannot include sys/socket.h */
#define FIND_TRIES  4

struct {
	MAP_UINT(type, BPF_MAP_TYPE_SK_STORAGE);
	MAP_UINT(map_flags, BPF_F_NO_PREALLOC);
	MAP_TYPE(key, int);
	MAP_TYPE(value, struct conns_sock);
} conns_socks MAP;

/* The kernel allows only 4-byte loads here. */
static __always_inline __u64 load_two_words(const volatile __u32 *at)
{
	union {
		__u32 word[2];
		__u64 both;
	} w = { .word = { at[0], at[1] } };

	return w.both;
}

/* Reads the connection's addresses and ports, as in its packets, in network byte order. A socket
 * for IPv6 may have an IPv4 peer, in ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
static __always_inline void read_peer(struct guard_pkt *g, struct bpf_sock_ops *ops)
{
	g->sport = be16((__u16)be32(ops->remote_port));
	g->dport = be16((__u16)ops->local_port);
	g->family = 6;
	g->src[0] = load_two_words(&ops->remote_ip6[0]);
	g->src[1] = load_two_words(&ops->remote_ip6[2]);
	if (ops->family == FAMILY_INET ||
	    (!g->src[0] && *(volatile __u32 *)&ops->remote_ip6[2] == be32(0xffff))) {
		g->family = 4;
		g->src[0] = ops->remote_ip4;
		g->src[1] = 0;
		g->dst[0] = ops->local_ip4;
		return;
	}
	g->dst[0] = load_two_words(&ops->local_ip6[0]);
	g->dst[1] = load_two_words(&ops->local_ip6[2]);
}

/* Finds or makes a key's entry. Retries a few times while another CPU is making it. */
static __always_inline enum guard_verdict find_entry(const struct guard_pkt *g,
						     const volatile struct guard_scope *scope,
						     struct guard_slot *at)
{
	enum guard_verdict verdict = GUARD_DROPS;

#pragma clang loop unroll(disable)
	for (int i = 0; i < FIND_TRIES && verdict == GUARD_DROPS; i++)
		verdict = guard_find_entry(g, scope, at, true);
	return verdict;
}

/* Charges the limits of new connections. Returns true if open connections are limited too, and
 * counts this one. */
static __always_inline bool charge_limits(const struct guard_pkt *g,
					  const volatile struct guard_scope *scope,
					  struct guard_rec *rec)
{
	bool open = false;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_SCOPE_LIMITS; i++) {
		const volatile struct guard_limit *limit = &scope->limits[i];

		if (i >= scope->nlimits)
			break;
		open |= limit->unit == GUARD_OPEN;
		if (i < GUARD_OPEN_INDEX && limit->unit == GUARD_CONNS &&
		    (limit->action != GUARD_COUNT ||
		     !guard_exceeds(limit, rec->tat[i], g->now, limit->cost)))
			guard_charge(&rec->tat[i], g->now, limit->cost);
	}
	if (open)
		__sync_fetch_and_add(&rec->open, 1);
	return open;
}

static __always_inline bool has_conns(const volatile struct guard_scope *scope)
{
	bool has = false;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < GUARD_SCOPE_LIMITS; i++)
		has |= i < scope->nlimits && scope->limits[i].unit >= GUARD_CONNS;
	return has;
}

static __always_inline void count_missed(void)
{
	struct guard_sums *sums = guard_find_sums();

	if (sums)
		sums->sum[GUARD_SUM_UNCOUNTED].packets++;
}

/* Counts a connection in one scope. Returns true if it has to be counted again when it closes. */
static __always_inline bool count_open(const struct guard_pkt *g, __u32 s, struct conns_sock *sock)
{
	const volatile struct guard_scope *scope = &GUARD_CONF.scopes[s];
	struct guard_slot at = {};
	enum guard_verdict verdict = find_entry(g, scope, &at);

	if (verdict == GUARD_FULL || verdict == GUARD_DROPS)
		count_missed();
	if (verdict != GUARD_PASSES || !at.rec)
		return false;
	guard_pin_entry(&at);
	if (!charge_limits(g, scope, at.rec))
		return false;
	sock->hash[s] = at.hash;
	sock->entry[s] = at.entry;
	return true;
}

static __always_inline void on_established(struct bpf_sock_ops *ops, struct conns_sock *sock)
{
	struct guard_pkt g = { .now = guard_now() };
	bool any = false;

	read_peer(&g, ops);
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++)
		if (s < GUARD_CONF.nscopes && has_conns(&GUARD_CONF.scopes[s]))
			any |= count_open(&g, s, sock);
	if (any)
		bpf_sock_ops_cb_flags_set(
			ops, (int)(ops->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG));
}

/* An entry with open connections is not replaced. But the table may be a new one. */
static __always_inline void on_closed(struct conns_sock *sock)
{
#pragma clang loop unroll(disable)
	for (__u32 s = 0; s < GUARD_SCOPES_MAX; s++) {
		__u32 entry = sock->entry[s];
		struct guard_line *line = guard_table_at(entry / GUARD_WAYS);
		struct guard_rec *rec = guard_table_at(GUARD_RECS(GUARD_CONF.lines) + entry);

		if (sock->hash[s] && line && rec &&
		    !guard_word_differs(line->way[entry % GUARD_WAYS], sock->hash[s]) &&
		    *(volatile __s64 *)&rec->open > 0)
			__sync_fetch_and_add(&rec->open, -1);
		sock->hash[s] = 0;
	}
}

SEC("sockops")
int sonde_conns(struct bpf_sock_ops *ops)
{
	bool opens = ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB;
	struct bpf_sock *sk = ops->sk;
	struct conns_sock *sock;

	if (!sk || (!opens && (ops->op != BPF_SOCK_OPS_STATE_CB || ops->args[1] != BPF_TCP_CLOSE)))
		return 1;
	sock = bpf_sk_storage_get(&conns_socks, sk, 0, opens ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!sock)
		return 1;
	if (opens)
		on_established(ops, sock);
	else
		on_closed(sock);
	return 1;
}

LICENSE("Dual MIT/GPL");
