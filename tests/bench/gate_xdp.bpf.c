/* SPDX-License-Identifier: MIT */
/* The same, with the XDP program alone. */
#define sonde_gate_out static __attribute__((unused)) not_out
#include "tests/bench/gate_both.bpf.c"
