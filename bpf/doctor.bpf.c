// SPDX-License-Identifier: MIT
/* The doctor's tracing programs: each reports the same received packets by another hook. */
#include "bpf/lib/bpf.h"
#include "bpf/doctor.h"

const volatile struct doctor_conf conf = {};

struct {
	MAP_UINT(type, BPF_MAP_TYPE_RINGBUF);
	MAP_UINT(max_entries, DOCTOR_RING_SIZE);
} events MAP;

/* The members that are read here. CO-RE finds their offsets in the running kernel. */
struct net_device {
	int ifindex;
} CORE;

struct sk_buff {
	struct net_device *dev;
	unsigned int len;
} CORE;

static __always_inline int report_packet(__u32 ifindex, __u32 len)
{
	struct doctor_event *e;

	if (ifindex != conf.ifindex || len != conf.len)
		return 0;
	e = bpf_ringbuf_reserve(&events, sizeof(*e), 0);
	if (!e)
		return 0;
	e->time = bpf_ktime_get_ns();
	e->ifindex = ifindex;
	e->len = len;
	bpf_ringbuf_submit(e, 0);
	return 0;
}

/* Arguments are typed by BTF: plain loads, which lockdown does not forbid. */
SEC("tp_btf/netif_receive_skb")
int sonde_doc_btf(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];

	return report_packet(skb->dev->ifindex, skb->len);
}

SEC("raw_tp/netif_receive_skb")
int sonde_doc_raw(__u64 *args)
{
	struct sk_buff *skb = (void *)args[0];
	struct net_device *dev = 0;
	__u32 len = 0;
	int ifindex = 0;

	bpf_probe_read_kernel(&dev, sizeof(dev), &skb->dev);
	bpf_probe_read_kernel(&len, sizeof(len), &skb->len);
	bpf_probe_read_kernel(&ifindex, sizeof(ifindex), &dev->ifindex);
	return report_packet(ifindex, len);
}

LICENSE("Dual MIT/GPL");
