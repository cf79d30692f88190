/* SPDX-License-Identifier: MIT */
/* The gate as `sonde count` loads it on a veth, for loaders that take a whole object and cannot set
 * its conf: the same source, without the guard, and without the program for the direction that XDP
 * has. */
#include "bpf/gate.h"
#include "bpf/lib/bpf.h"

enum { VERSION = GATE_VERSION };
#undef GATE_VERSION
#define GATE_VERSION VERSION, .ethernet = 1, .multibuf = 1

/* Sections without "used": a static function that nobody calls is not compiled. */
#undef SEC
#define SEC(name)       __attribute__((section(name)))
#define sonde_gate_in   static __attribute__((unused)) not_gate_in
#define sonde_guard_in  static __attribute__((unused)) not_guard_in
#define sonde_guard_xdp static __attribute__((unused)) not_guard_xdp
#include "bpf/gate.bpf.c"
