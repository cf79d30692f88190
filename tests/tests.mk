# SPDX-License-Identifier: MIT
# The tests: their programs, and the goals that run them.
TESTS_BY := $(MADE_BY) tests/tests.mk

# Programs that run anywhere: static like the product, linked with its library.
TEST_LIB_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
RUN_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/run/*.c))
NET_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/net/*.c))
PEERS := $(B)/tests/peers/capfile $(B)/tests/peers/flood
LINES := $(B)/tests/lines/lines
OBJECTS += $(TEST_LIB_O) $(RUN_O) $(NET_O) $(PEERS:=.o) $(LINES).o $(B)/tests/vm/init.o
$(B)/tests/%.o: tests/%.c $(MADE_BY) | $(GEN_H) $(SYSROOT_READY)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/tests/run/run: $(RUN_O) $(TEST_LIB_O) $(LIB_O)
$(B)/tests/run/run: LINK_FLAGS := -Wl,--wrap=bpf_prog_load # tests/run/jit.c looks at what is loaded
$(B)/tests/net/net: $(NET_O) $(TEST_LIB_O) $(LIB_O)
$(PEERS): %: %.o $(LIB_O)
$(LINES): %: %.o $(LIB_O)
$(B)/tests/vm/init: %: %.o # the first process of a test machine
$(B)/tests/run/run $(B)/tests/net/net $(PEERS) $(LINES) $(B)/tests/vm/init: | $(START_O)
	$(call link,$(call LINK_TARGET,$^))
# All that runs in a test machine.
vm-programs: $(B)/tests/vm/init $(B)/tests/run/run $(B)/tests/net/net $(B)/sonde

# Unit tests: with the host's C library, libcheck and the sanitizers, always. For another ARCH with
# that one's glibc, by emulation, and traps where a sanitizer would have a library.
U := build/unit
UNIT_DATA := $(U)/data
UNIT_CC := $(CLANG)
UNIT_SAN := $(SANITIZE)
UNIT_LIBS := $$(pkg-config --libs check) $(LZ4)
ifneq ($(ARCH),$(HOST_ARCH))
U := $(B)/unit
UNIT_ROOT := $(SYSROOT)-glibc
UNIT_CC := $(CLANG) --target=$(GNU) --sysroot=$(UNIT_ROOT) $(CFLAGS_$(ARCH))
UNIT_SAN := -fsanitize=undefined -fsanitize-trap=undefined -DUNIT_STRIDE=16
UNIT_LIBS := -static $(or $(LD_$(ARCH)),-fuse-ld=lld) -lcheck -lsubunit -lm $(LZ4)
UNIT_EMU := CK_TIMEOUT_MULTIPLIER=10 qemu-$(CPU)
endif
GEN_SRCS := $(filter-out gen/main.c,$(wildcard gen/*.c))
UNIT_SRCS := $(wildcard tests/unit/*.c) tests/lib/exprs.c $(GEN_SRCS) $(LIB_SRCS)
UNIT_O := $(UNIT_SRCS:%.c=$(U)/%.o)
UNIT_FLAGS := -std=gnu11 -g -Wall -Wextra -iquote src -iquote . -iquote $(B) $(UNIT_SAN) \
	-DGEN_DATA='"$(UNIT_DATA)"'
OBJECTS += $(UNIT_O)
$(U)/%.o: %.c $(TESTS_BY) | $(GEN_H) $(UNIT_ROOT:%=%/.ready)
	$(call compile,CC,$(UNIT_CC) $(if $(filter tests/%,$<),-O0,-O1) $(UNIT_FLAGS))
$(U)/unit: $(UNIT_O) $(GEN_C)
	$(call link,$(UNIT_CC) $(UNIT_FLAGS) -Wno-unused -o $@ $^ $(UNIT_LIBS))
# What gen is tested on: every source in both byte orders, without the debugging information that gen
# does not read: half of the bytes of tests that take every one.
GEN_DATA_SRCS := $(wildcard tests/data/gen/*.bpf.c)
GEN_DATA := $(foreach e,bpfel bpfeb,$(GEN_DATA_SRCS:tests/data/gen/%.bpf.c=$(UNIT_DATA)/$e/%.bpf.o))
$(UNIT_DATA)/bpfel/%.bpf.o $(UNIT_DATA)/bpfeb/%.bpf.o: tests/data/gen/%.bpf.c $(TESTS_BY)
	$(Q)mkdir -p $(UNIT_DATA)/bpfel $(UNIT_DATA)/bpfeb
	$(Q)for e in bpfel bpfeb; do \
		$(CLANG) -target $$e -mcpu=v3 -O2 -g -c $< -o $(UNIT_DATA)/$$e/$*.bpf.o && \
		$(STRIP) -g $(UNIT_DATA)/$$e/$*.bpf.o || exit 1; done

# Fuzzing: each parser from its seeds. fuzz-seeds only runs the seeds and a few seconds on top.
ifneq ($(filter fuzz%,$(MAKECMDGOALS)),)
ifneq ($(ARCH),$(HOST_ARCH))
$(error fuzzing is for $(HOST_ARCH) only)
endif
endif
F := build/fuzz
FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -O1 $(subst -fsanitize=address,-fsanitize=fuzzer-no-link$(comma)address,$(UNIT_FLAGS))
FUZZ_LIB_O := $(patsubst %.c,$(F)/%.o,$(GEN_SRCS) $(LIB_SRCS))
OBJECTS += $(FUZZ_LIB_O) $(FUZZERS:%=$(F)/tests/fuzz/fuzz_%.o)
$(F)/%.o: %.c $(TESTS_BY) | $(GEN_H)
	$(call compile,CC,$(CLANG) $(FUZZ_FLAGS))
$(F)/fuzz_%: $(F)/tests/fuzz/fuzz_%.o $(FUZZ_LIB_O) $(GEN_C)
	$(call link,$(CLANG) $(UNIT_FLAGS) -fsanitize=fuzzer -Wno-unused -o $@ $^ $(LZ4))
$(F)/seeds/gen: $(GEN_DATA) $(TESTS_BY)
	$(Q)rm -rf $@ && mkdir -p $@ && for f in $(GEN_DATA); do \
		cp $$f $@/$$(basename $$(dirname $$f))-$$(basename $$f) || exit 1; done

# Beside other programs: capture files, live captures, and filters judged by libpcap (with the host's
# C library).
build/peers/filter: tests/lib/exprs.c
build/peers/differ: tests/lib/packet.c tests/lib/test.c
build/peers/filter build/peers/differ: build/peers/%: tests/peers/%.c $(wildcard src/filter/*.[ch] src/base/*.[ch]) \
		$(foreach n,services dns tls,src/net/$n.c src/net/$n.h) bpf/view.h
	$(call link,$(CLANG) $(CFLAGS_HOST) -o $@ $(filter %.c,$^) -lpcap)

##@ Tests
# Everything a change has to pass, and its sums as the last line. test-all: the slow rest too.
# (Not $(MAKE): make would run that line even to show what it would do.)
SUBMAKE := $(MAKE)
STAGES := check lint check-product check-run check-net check-upgrade check-help check-peers check-lines check-cross check-endian
test: ## every check below, but of the machines some, of the fuzzing a few seconds
	$(call need,$(PKGS_all))
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) fuzz-seeds check-fresh-test check-vm-test
test-all: ## all of it, but the benchmarks
	$(call need,$(PKGS_all))
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) check-dist fuzz check-fresh check-vm

check: check-rules unit bench-programs ## unit tests, layer rules, format: no privilege needed
unit: ## unit tests; T=dissect: one suite, or one case of any
	$(call ready,unit,unit-now)
unit-now: $(U)/unit $(GEN_DATA)
	$(Q)$(UNIT_EMU) $< $(if $(T),'$(T)')
check-rules: ## what the sources have to keep to: layers, sizes, format
	$(Q)CLANG_FORMAT='$(call style_tool,clang-format)' STYLE=$(CLANG_STYLE) sh tests/rules.sh
lint: ## clang-tidy
	$(call ready,lint,lint-now)
lint-now: $(GEN_H)
	$(Q)CLANG_TIDY='$(call style_tool,clang-tidy)' STYLE=$(CLANG_STYLE) sh tests/lint.sh $(CC_TARGET:$(CLANG)%=%) $(CFLAGS_TARGET)
check-product: $(B)/sonde ## the binary: static, small, the same bytes twice
	$(Q)SAN=$(SAN) sh tests/product.sh $<
check-run: $(B)/tests/run/run ## kernel programs on crafted packets (root); T='rules: many'
	$(Q)$< $(if $(T),'$(T)')
check-net: $(B)/tests/net/net $(B)/sonde ## the commands in private namespaces (root); T=trace_dns
	$(Q)SAN=$(SAN) SONDE=$(B)/sonde $< $(if $(T),'$(T)')
check-upgrade: $(B)/tests/net/net $(B)/sonde ## what the version before installed, under this one (root)
	$(Q)SAN=$(SAN) sh tests/upgrade.sh $^
check-help: ## help, manual pages and completions of every command
	$(call ready,help,check-help-now)
check-help-now: $(B)/sonde man
	$(Q)sh tests/help.sh $< $(MAN)
check-peers: ## captures and files as tshark and tcpdump have them (root)
	$(call ready,peers,check-peers-now)
check-peers-now: $(PEERS) build/peers/filter build/peers/differ $(B)/sonde
	$(Q)rc=0; sh tests/peers.sh $< || rc=1; \
	sh tests/peers/live.sh $(B)/sonde $(B)/tests/peers/flood || rc=1; \
	build/peers/filter || rc=1; build/peers/differ || rc=1; exit $$rc
check-lines: ## packets as text beside tcpdump's
	$(call ready,peers,check-lines-now)
check-lines-now: $(LINES)
	$(Q)sh tests/lines/oracle.sh $<
# 32-bit words, and the other byte order; side by side.
ENDIAN := $(filter-out $(HOST_ARCH),armhf s390x)
check-endian: ## unit tests with 32-bit words and big-endian, by emulation
	$(call ready,emulate,check-endian-now)
check-endian-now: $(GEN) $(GEN_DATA)
	$(Q)rc=0; for a in $(ENDIAN); do \
		$(MAKE) --no-print-directory ARCH=$$a unit-now >build/unit-$$a.log 2>&1 & pids="$$pids $$!"; done; \
	for p in $$pids; do wait $$p || rc=1; done; cat $(ENDIAN:%=build/unit-%.log); exit $$rc
check-cross: ## the other architectures' binaries: static, start under emulation
	$(call ready,emulate,check-cross-now)
check-cross-now:
	$(Q)sh tests/cross.sh $(filter-out $(HOST_ARCH),$(ARCHS))
check-dist: ## their bytes are the same from another directory
	$(Q)sh tests/dist.sh
VM_CHECK := MAKE='$(SUBMAKE)' HOST_ARCH=$(HOST_ARCH) sh tests/vm/check.sh
check-fresh: ## the first two commands on fresh Debian 12 and 13, and what 13 makes on other kernels (root)
	$(call need,$(PKGS_vm) debootstrap)
	$(Q)rc=0; sh tests/fresh.sh none bookworm || rc=1; sh tests/fresh.sh all trixie || rc=1; \
	$(VM_CHECK) -b build/fresh/trixie -k '5.10-some sid-some' || rc=1; exit $$rc
check-fresh-test:
	$(call need,debootstrap)
	$(Q)sh tests/fresh.sh some trixie
fuzz: ## libFuzzer on every parser (FUZZ_SECONDS=60 each)
	$(call ready,unit,fuzz-now)
fuzz-seeds: ## a few seconds of that
	$(call ready,unit,fuzz-now FUZZ_SECONDS=5)
fuzz-now: $(FUZZERS:%=$(F)/fuzz_%) $(F)/seeds/gen
	$(Q)sh tests/fuzz/run.sh $(F) $(FUZZ_SECONDS) $(FUZZERS)
# Of tests/vm/matrix all, or a kernel (K=6.1), an architecture (ARCH=arm64), a set (SET=test).
check-vm: ## other kernels under QEMU; K=6.1, ARCH=arm64: only those
	$(call need,$(PKGS_vm))
	$(Q)$(VM_CHECK) -k '$(K)' -s '$(SET)' \
		-a '$(if $(findstring command line,$(origin ARCH)),$(ARCH))'
check-vm-test:
	$(Q)$(MAKE) --no-print-directory check-vm SET=test
vm-results: ## keep the table of the last run of all machines: tests/vm/RESULTS.md
	$(Q)sh tests/vm/keep.sh

.PHONY: vm-programs test test-all check unit unit-now check-rules lint lint-now check-product check-run check-net check-upgrade \
	check-help check-help-now \
	check-peers check-peers-now check-lines check-lines-now check-endian check-endian-now check-cross check-cross-now \
	check-dist check-fresh check-fresh-test fuzz fuzz-seeds fuzz-now check-vm check-vm-test vm-results
