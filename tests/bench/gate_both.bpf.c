/* SPDX-License-Identifier: MIT */
/* The gate as `sonde count` loads it on a veth device, for loaders that load a whole object and
 * cannot set its conf: the same source, without the guard and without the tc program for the
 * direction that XDP handles. */
#include "bpf/gate.h"
#include "bpf/lib/bpf.h"

enum { VERSION = GATE_VERSION };
#undef GATE_VERSION
#define GATE_VERSION VERSION, .ethernet = 1, .multibuf = 1

/* Without the attribute "used", unused static functions are not compiled. */
#undef SEC
#define SEC(name)       __attribute__((section(name)))
#define sonde_gate_in   static __attribute__((unused)) not_gate_in
#define sonde_guard_in  static __attribute__((unused)) not_guard_in
#define sonde_guard_xdp static __attribute__((unused)) not_guard_xdp
#include "bpf/gate.bpf.c"
