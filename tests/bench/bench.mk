# SPDX-License-Identifier: MIT
# Benchmarks: peers are of the host (its C library, its libbpf) and made only where they can be.
BENCH := $(B)/tests/bench
bench_o = $(patsubst %,$(BENCH)/%.o,$(1))
BENCH_PROGRAMS := $(patsubst %,$(BENCH)/%,bench capture filter guard sets trace)
$(BENCH)/bench: $(call bench_o,bench exec packet run series size)
$(BENCH)/capture: $(call bench_o,capture capture_live capture_rate capture_run capture_text flood.gen parts \
	receiver run series wire)
$(BENCH)/filter: $(call bench_o,drops.gen filter filter_load filter_way flood.gen members parts run series wire)
$(BENCH)/guard: $(call bench_o,guard peers.gen)
$(BENCH)/sets: $(call bench_o,members sets series sets.gen)
$(BENCH)/trace: $(call bench_o,run series trace)
$(BENCH_PROGRAMS): $(TEST_LIB_O) $(LIB_O) | $(START_O)
	$(call link,$(call LINK_TARGET,$^))
OBJECTS += $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/bench/*.c))
bench-programs: $(BENCH_PROGRAMS)
.PHONY: bench-programs

# Their own kernel programs, and what includes those.
$(BENCH)/wire.o: | $(BENCH)/flood.gen.h
$(BENCH)/guard.o: | $(BENCH)/peers.gen.h
$(BENCH)/filter_way.o: | $(BENCH)/drops.gen.h
$(BENCH)/sets.o: | $(BENCH)/sets.gen.h
$(BENCH)/%.bpf.o: tests/bench/%.bpf.c $(MADE_BY)
	$(call compile,BPF,$(CC_BPF))
$(BENCH)/%.gen.c $(BENCH)/%.gen.h: $(BENCH)/%.bpf.o $(GEN)
	$(generate)
$(BENCH)/%.gen.o: $(BENCH)/%.gen.c $(MADE_BY)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
OBJECTS += $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/bench/*.bpf.c))

BENCH_PEERS := $(BENCH)/gate_xdp.bpf.o $(BENCH)/gate_both.bpf.o
ifneq ($(wildcard /usr/include/bpf/libbpf.h),)
BENCH_PEERS += $(BENCH)/peer_libbpf
ifneq ($(wildcard /usr/lib/*/libelf.a),)
BENCH_PEERS += $(BENCH)/peer_libbpf_static
endif
endif
$(BENCH)/peer_libbpf: PEER_LIBS := -lbpf
$(BENCH)/peer_libbpf_static: PEER_LIBS := -static -lbpf -lelf -lz
$(BENCH)/peer_libbpf $(BENCH)/peer_libbpf_static: tests/bench/peer_libbpf.c bpf/gate.h
	$(call link,$(CLANG) $(CFLAGS_HOST) -s -o $@ $< $(PEER_LIBS))

##@ Benchmarks (root)
bench: ## side by side with other tools
	$(call ready,bench,bench-now)
bench-now: $(B)/sonde $(BENCH)/bench $(BENCH)/capture $(BENCH)/filter $(BENCH_PEERS)
	$(Q)$(BENCH)/bench $(B)
	$(Q)$(BENCH)/capture $(B)
	$(Q)$(BENCH)/filter $(B)
bench-capture: ## that of capture alone; CAPTURE='-q -p null': some of it, CAPTURE=-h lists
	$(call ready,bench,bench-capture-now)
bench-capture-now: $(B)/sonde $(BENCH)/capture
	$(Q)$(BENCH)/capture $(CAPTURE) $(B)
bench-filter: ## that of filter alone; FILTER='-q -p set': some of it, FILTER=-h lists
	$(call ready,bench,bench-filter-now)
bench-filter-now: $(B)/sonde $(BENCH)/filter
	$(Q)$(BENCH)/filter $(FILTER) $(B)
bench-sets: ## lookups in sets of addresses alone, beside the kernel's maps
	$(call ready,build,bench-sets-now)
bench-sets-now: $(BENCH)/sets
	$(Q)$<
bench-trace: ## tracing beside libbpf-tools and bpftrace, as far as the kernel has hooks
	$(call ready,bench,bench-trace-now)
bench-trace-now: $(B)/sonde $(BENCH)/trace
	$(Q)$(BENCH)/trace $(TRACE) $(B)
bench-guard: ## the guard's time a packet beside other limits, and ten million strangers
	$(call ready,build,bench-guard-now)
bench-guard-now: $(BENCH)/guard
	$(Q)$<
bench-lines: ## how long packets as text take: by themselves, then the command on files
	$(call ready,bench,bench-lines-now)
bench-lines-now: $(LINES) $(B)/sonde $(BENCH)/capture
	$(Q)$< -n -b 1000000 tests/data/lines/bench-tcp.pcap
	$(Q)$< -n -b 1000000 tests/data/lines/bench-dns.pcap
	$(Q)$(BENCH)/capture -p text $(B)

.PHONY: $(foreach b,bench bench-capture bench-filter bench-sets bench-trace bench-guard bench-lines,$b $b-now)
