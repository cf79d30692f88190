# SPDX-License-Identifier: MIT
# Builds and runs the benchmarks. Peer programs use the host's C library and libbpf. They are built
# only if libbpf is installed.
BENCH_DIR := $(B)/tests/bench
bench_o = $(patsubst %,$(BENCH_DIR)/%.o,$(1))
BENCH_PROGRAMS := $(patsubst %,$(BENCH_DIR)/%,bench capture filter guard sets trace)
$(BENCH_DIR)/bench: $(call bench_o,bench exec packet run series size)
$(BENCH_DIR)/capture: $(call bench_o,capture capture_live capture_rate capture_run capture_text flood.gen parts \
	receiver run series wire)
$(BENCH_DIR)/filter: $(call bench_o,drops.gen filter filter_load filter_methods flood.gen members parts run series wire)
$(BENCH_DIR)/guard: $(call bench_o,guard peers.gen)
$(BENCH_DIR)/sets: $(call bench_o,members sets series sets.gen)
$(BENCH_DIR)/trace: $(call bench_o,run series trace)
$(BENCH_PROGRAMS): $(TEST_LIB_O) $(LIB_O) | $(START_O)
	$(call link_program,$(call LINK_TARGET,$^))
OBJECTS += $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/bench/*.c))
bench-programs: $(BENCH_PROGRAMS)
.PHONY: bench-programs

$(BENCH_DIR)/bench.o: CFLAGS_TARGET += -DBINARY_SIZE_LIMIT=$(BINARY_SIZE_LIMIT)
$(BENCH_DIR)/bench.o: tests/tests.mk

# The benchmarks' kernel programs, and the sources that include their specs.
$(BENCH_DIR)/wire.o: | $(BENCH_DIR)/flood.gen.h
$(BENCH_DIR)/guard.o: | $(BENCH_DIR)/peers.gen.h
$(BENCH_DIR)/filter_methods.o: | $(BENCH_DIR)/drops.gen.h
$(BENCH_DIR)/sets.o: | $(BENCH_DIR)/sets.gen.h
$(BENCH_DIR)/%.bpf.o: tests/bench/%.bpf.c $(BUILD_RULES)
	$(call compile_object,BPF,$(CC_BPF))
$(BENCH_DIR)/%.gen.c $(BENCH_DIR)/%.gen.h: $(BENCH_DIR)/%.bpf.o $(GEN)
	$(generate_spec)
$(BENCH_DIR)/%.gen.o: $(BENCH_DIR)/%.gen.c $(BUILD_RULES)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
OBJECTS += $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/bench/*.bpf.c))

BENCH_PEERS := $(BENCH_DIR)/gate_xdp.bpf.o $(BENCH_DIR)/gate_both.bpf.o
ifneq ($(wildcard /usr/include/bpf/libbpf.h),)
BENCH_PEERS += $(BENCH_DIR)/peer_libbpf
ifneq ($(wildcard /usr/lib/*/libelf.a),)
BENCH_PEERS += $(BENCH_DIR)/peer_libbpf_static
endif
endif
$(BENCH_DIR)/peer_libbpf: PEER_LIBS := -lbpf
$(BENCH_DIR)/peer_libbpf_static: PEER_LIBS := -static -lbpf -lelf -lz
$(BENCH_DIR)/peer_libbpf $(BENCH_DIR)/peer_libbpf_static: tests/bench/peer_libbpf.c bpf/gate.h
	$(call link_program,$(CLANG) $(CFLAGS_HOST) -s -o $@ $< $(PEER_LIBS))

##@ Benchmarks (root)
bench: ## compare sonde with other tools: loading, packets, capture, filter
	$(call with_packages,bench,bench-now)
bench-now: $(B)/sonde $(BENCH_DIR)/bench $(BENCH_DIR)/capture $(BENCH_DIR)/filter $(BENCH_PEERS)
	$(Q)$(BENCH_DIR)/bench $(B)
	$(Q)$(BENCH_DIR)/capture $(B)
	$(Q)$(BENCH_DIR)/filter $(B)
bench-capture: ## compare capture with other tools; CAPTURE='-q -p null': options (-h lists them)
	$(call with_packages,bench,bench-capture-now)
bench-capture-now: $(B)/sonde $(BENCH_DIR)/capture
	$(Q)$(BENCH_DIR)/capture $(CAPTURE) $(B)
bench-filter: ## compare filters with other tools; FILTER='-q -p set': options (-h lists them)
	$(call with_packages,bench,bench-filter-now)
bench-filter-now: $(B)/sonde $(BENCH_DIR)/filter
	$(Q)$(BENCH_DIR)/filter $(FILTER) $(B)
bench-sets: ## compare lookups in address sets with the kernel's maps
	$(call with_packages,build,bench-sets-now)
bench-sets-now: $(BENCH_DIR)/sets
	$(Q)$<
bench-trace: ## compare tracing with libbpf-tools and bpftrace
	$(call with_packages,bench,bench-trace-now)
bench-trace-now: $(B)/sonde $(BENCH_DIR)/trace
	$(Q)$(BENCH_DIR)/trace $(TRACE) $(B)
bench-guard: ## compare the guard with other rate limits; flood it from ten million sources
	$(call with_packages,build,bench-guard-now)
bench-guard-now: $(BENCH_DIR)/guard
	$(Q)$<
bench-lines: ## measure packets as text: formatting alone, then the command on files
	$(call with_packages,bench,bench-lines-now)
bench-lines-now: $(LINES_PROGRAM) $(B)/sonde $(BENCH_DIR)/capture
	$(Q)$< -n -b 1000000 tests/data/lines/bench-tcp.pcap
	$(Q)$< -n -b 1000000 tests/data/lines/bench-dns.pcap
	$(Q)$(BENCH_DIR)/capture -p text $(B)

BENCHES := bench bench-guard bench-sets bench-trace bench-lines
bench-results: ## run all benchmarks and write the results to tests/bench/RESULTS.md
	$(Q)MAKE='$(MAKE)' sh tests/bench/keep.sh $(BENCHES)
.PHONY: bench-results $(foreach b,$(BENCHES) bench-capture bench-filter,$b $b-now)
