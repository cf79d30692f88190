/* SPDX-License-Identifier: MIT */
/* A peer for the benchmark: loads the gate's XDP program and attaches it with libbpf. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "bpf/gate.h"

/* Sets the conf that sonde sets on a veth device, so that the verifier sees the same program. It is
 * at the start of .rodata. */
static int set_conf(struct bpf_object *obj, unsigned int ifindex)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, ".rodata");
	struct gate_conf *conf;
	size_t len = 0;

	conf = map ? (void *)(uintptr_t)bpf_map__initial_value(map, &len) : NULL;
	if (!conf || len < sizeof(*conf) || conf->magic != GATE_MAGIC)
		return -1;
	conf->ethernet = 1;
	conf->multibuf = 1;
	conf->ifindex = ifindex;
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_program *prog, *xdp = NULL;
	unsigned int ifindex = argc == 3 ? if_nametoindex(argv[2]) : 0;
	struct bpf_object *obj;

	if (!ifindex) {
		fprintf(stderr, "usage: peer_libbpf OBJECT IFACE\n");
		return 2;
	}
	obj = bpf_object__open_file(argv[1], NULL);
	if (!obj)
		return 1;
	bpf_object__for_each_program(prog, obj)
	{
		if (!strcmp(bpf_program__name(prog), "sonde_gate_xdp"))
			xdp = prog;
		else
			bpf_program__set_autoload(prog, false);
	}
	if (!xdp || set_conf(obj, ifindex) || bpf_program__set_flags(xdp, BPF_F_XDP_HAS_FRAGS) ||
	    bpf_object__load(obj))
		return 1;
	if (bpf_xdp_attach((int)ifindex, bpf_program__fd(xdp), XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
		return 1;
	bpf_object__close(obj);
	return 0;
}
