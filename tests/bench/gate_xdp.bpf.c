/* SPDX-License-Identifier: MIT */
/* The same as gate_both.bpf.c, but with only the XDP program. */
#define sonde_gate_out static __attribute__((unused)) not_out
#include "tests/bench/gate_both.bpf.c"
