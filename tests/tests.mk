# SPDX-License-Identifier: MIT
# Builds and runs the tests.
TEST_RULES := $(BUILD_RULES) tests/tests.mk

# The limit on the size of the binary on every architecture, in bytes: 1 MiB for the whole tool, also
# with the commands that are planned. check-product, check-cross and the benchmark fail from here on.
BINARY_SIZE_LIMIT := 1048576

# Test programs that run on any machine: static like sonde, and linked with its library.
TEST_LIB_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
RUN_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/run/*.c))
NET_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/net/*.c))
PEER_PROGRAMS := $(B)/tests/peers/capfile $(B)/tests/peers/flood
LINES_PROGRAM := $(B)/tests/lines/lines
OBJECTS += $(TEST_LIB_O) $(RUN_O) $(NET_O) $(PEER_PROGRAMS:=.o) $(LINES_PROGRAM).o $(B)/tests/vm/init.o
$(B)/tests/%.o: tests/%.c $(BUILD_RULES) | $(GEN_H) $(SYSROOT_READY)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/tests/run/run: $(RUN_O) $(TEST_LIB_O) $(LIB_O)
$(B)/tests/run/run: LINK_FLAGS := -Wl,--wrap=bpf_prog_load # tests/run/jit.c checks loaded programs
$(B)/tests/net/net: $(NET_O) $(TEST_LIB_O) $(LIB_O)
$(PEER_PROGRAMS): %: %.o $(LIB_O)
$(LINES_PROGRAM): %: %.o $(LIB_O)
$(B)/tests/vm/init: %: %.o # process 1 of a test machine
$(B)/tests/run/run $(B)/tests/net/net $(PEER_PROGRAMS) $(LINES_PROGRAM) $(B)/tests/vm/init: | $(START_O)
	$(call link_program,$(call LINK_TARGET,$^))
# The programs that a test machine runs.
vm-programs: $(B)/tests/vm/init $(B)/tests/run/run $(B)/tests/net/net $(B)/sonde

# Unit tests use the host's C library, libcheck and sanitizers. For another ARCH they use its glibc and
# run under emulation; there UBSan traps, since its runtime library is not available.
UNIT_DIR := build/unit
UNIT_DATA := $(UNIT_DIR)/data
UNIT_CC := $(CLANG)
UNIT_SAN := $(SANITIZE_FLAGS)
UNIT_LIBS := $$(pkg-config --libs check) $(LZ4_LIBS)
ifneq ($(ARCH),$(HOST_ARCH))
UNIT_DIR := $(B)/unit
UNIT_ROOT := $(SYSROOT)-glibc
UNIT_CC := $(CLANG) --target=$(GNU_TRIPLE) --sysroot=$(UNIT_ROOT) $(CFLAGS_$(ARCH)) \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 # as musl has them
UNIT_SAN := -fsanitize=undefined -fsanitize-trap=undefined -DUNIT_STRIDE=16
UNIT_LIBS := -static $(or $(LD_$(ARCH)),-fuse-ld=lld) -lcheck -lsubunit -lm $(LZ4_LIBS)
UNIT_EMU := CK_TIMEOUT_MULTIPLIER=10 qemu-$(CPU)
endif
GEN_SRCS := $(filter-out gen/main.c,$(wildcard gen/*.c))
UNIT_SRCS := $(wildcard tests/unit/*.c) tests/lib/exprs.c $(GEN_SRCS) $(LIB_SRCS)
UNIT_O := $(UNIT_SRCS:%.c=$(UNIT_DIR)/%.o)
UNIT_FLAGS := -std=gnu11 -g -Wall -Wextra -iquote src -iquote . -iquote $(B) $(UNIT_SAN) \
	-DGEN_DATA='"$(UNIT_DATA)"'
OBJECTS += $(UNIT_O)
$(UNIT_DIR)/%.o: %.c $(TEST_RULES) | $(GEN_H) $(UNIT_ROOT:%=%/.ready)
	$(call compile_object,CC,$(UNIT_CC) $(if $(filter tests/%,$<),-O0,-O1) $(UNIT_FLAGS))
$(UNIT_DIR)/unit: $(UNIT_O) $(GEN_C)
	$(call link_program,$(UNIT_CC) $(UNIT_FLAGS) -Wno-unused -o $@ $^ $(UNIT_LIBS))
# Objects for the tests of gen: each source in both byte orders. Debugging information, which gen does
# not read, is stripped: it is half of the file, and some tests repeat for every byte.
GEN_DATA_SRCS := $(wildcard tests/data/gen/*.bpf.c)
GEN_DATA := $(foreach e,bpfel bpfeb,$(GEN_DATA_SRCS:tests/data/gen/%.bpf.c=$(UNIT_DATA)/$e/%.bpf.o))
$(UNIT_DATA)/bpfel/%.bpf.o $(UNIT_DATA)/bpfeb/%.bpf.o: tests/data/gen/%.bpf.c $(TEST_RULES)
	$(Q)mkdir -p $(UNIT_DATA)/bpfel $(UNIT_DATA)/bpfeb
	$(Q)for e in bpfel bpfeb; do \
		$(CLANG) -target $$e -mcpu=v3 -O2 -g -c $< -o $(UNIT_DATA)/$$e/$*.bpf.o && \
		$(STRIP) -g $(UNIT_DATA)/$$e/$*.bpf.o || exit 1; done

# Fuzzers: one for each parser, with seeds.
ifneq ($(filter fuzz%,$(MAKECMDGOALS)),)
ifneq ($(ARCH),$(HOST_ARCH))
$(error Fuzzing works with ARCH=$(HOST_ARCH) only)
endif
endif
FUZZ_DIR := build/fuzz
FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -O1 $(subst -fsanitize=address,-fsanitize=fuzzer-no-link$(comma)address,$(UNIT_FLAGS))
FUZZ_LIB_O := $(patsubst %.c,$(FUZZ_DIR)/%.o,$(GEN_SRCS) $(LIB_SRCS))
OBJECTS += $(FUZZ_LIB_O) $(FUZZERS:%=$(FUZZ_DIR)/tests/fuzz/fuzz_%.o)
$(FUZZ_DIR)/%.o: %.c $(TEST_RULES) | $(GEN_H)
	$(call compile_object,CC,$(CLANG) $(FUZZ_FLAGS))
$(FUZZ_DIR)/fuzz_%: $(FUZZ_DIR)/tests/fuzz/fuzz_%.o $(FUZZ_LIB_O) $(GEN_C)
	$(call link_program,$(CLANG) $(UNIT_FLAGS) -fsanitize=fuzzer -Wno-unused -o $@ $^ $(LZ4_LIBS))
$(FUZZ_DIR)/seeds/gen: $(GEN_DATA) $(TEST_RULES)
	$(Q)rm -rf $@ && mkdir -p $@ && for f in $(GEN_DATA); do \
		cp $$f $@/$$(basename $$(dirname $$f))-$$(basename $$f) || exit 1; done

# Comparisons with libpcap, built with the host's C library.
build/peers/filter: tests/lib/exprs.c
build/peers/differ: tests/lib/packet.c tests/lib/test.c
build/peers/filter build/peers/differ: build/peers/%: tests/peers/%.c $(wildcard src/filter/*.[ch] src/base/*.[ch]) \
		$(foreach n,services dns tls,src/net/$n.c src/net/$n.h) bpf/view.h
	$(call link_program,$(CLANG) $(CFLAGS_HOST) -o $@ $(filter %.c,$^) -lpcap)

##@ Tests
# The last line printed is the sums of all stages. The recipes do not contain $(MAKE), since make runs
# such a line even with -n.
SUBMAKE := $(MAKE)
STAGES := check lint check-product check-run check-net check-upgrade check-help check-peers check-lines check-cross check-endian
test: ## run all tests that a change has to pass (less than 20 minutes)
	$(call install_packages,$(PKGS_all))
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) fuzz-seeds check-fresh-test check-vm-test
test-all: ## run all tests: also all machines, longer fuzzing, two fresh systems
	$(call install_packages,$(PKGS_all))
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) check-dist fuzz check-fresh check-vm

check: check-rules unit bench-programs ## run the tests that need no privileges: rules, unit tests
unit: ## run unit tests; T=dissect: one suite, or one test case of any suite
	$(call with_packages,unit,unit-now)
unit-now: $(UNIT_DIR)/unit $(GEN_DATA)
	$(Q)$(UNIT_EMU) $< $(if $(T),'$(T)')
check-rules: ## check the sources: layers, sizes, licence lines, format
	$(Q)CLANG_FORMAT='$(call style_tool,clang-format)' STYLE_VERSION=$(CLANG_STYLE) sh tests/rules.sh
lint: ## run clang-tidy
	$(call with_packages,lint,lint-now)
lint-now: $(GEN_H)
	$(Q)CLANG_TIDY='$(call style_tool,clang-tidy)' STYLE_VERSION=$(CLANG_STYLE) sh tests/lint.sh $(CC_TARGET:$(CLANG)%=%) $(CFLAGS_TARGET)
check-product: $(B)/sonde ## check the binary: static, small, reproducible
	$(Q)SAN=$(SAN) sh tests/product.sh $< $(BINARY_SIZE_LIMIT)
check-run: $(B)/tests/run/run ## run kernel programs on crafted packets (root); T='rules: many'
	$(Q)$< $(if $(T),'$(T)')
check-net: $(B)/tests/net/net $(B)/sonde ## test commands in private namespaces (root); T=trace_dns
	$(Q)SAN=$(SAN) SONDE=$(B)/sonde $< $(if $(T),'$(T)')
check-upgrade: $(B)/tests/net/net $(B)/sonde ## test with gates that the previous version installed (root)
	$(Q)SAN=$(SAN) sh tests/upgrade.sh $^
check-help: ## check help, manual pages and completions of every command
	$(call with_packages,help,check-help-now)
check-help-now: $(B)/sonde man
	$(Q)sh tests/help.sh $< $(MAN_DIR)
check-peers: ## compare capture files and filters with tshark, tcpdump and libpcap (root)
	$(call with_packages,peers,check-peers-now)
check-peers-now: $(PEER_PROGRAMS) build/peers/filter build/peers/differ $(B)/sonde
	$(Q)rc=0; sh tests/peers.sh $< || rc=1; \
	sh tests/peers/live.sh $(B)/sonde $(B)/tests/peers/flood || rc=1; \
	build/peers/filter || rc=1; build/peers/differ || rc=1; exit $$rc
check-lines: ## compare packets as text with tcpdump's
	$(call with_packages,peers,check-lines-now)
check-lines-now: $(LINES_PROGRAM)
	$(Q)sh tests/lines/oracle.sh $<
# A 32-bit and a big-endian architecture, in parallel.
ENDIAN_ARCHS := $(filter-out $(HOST_ARCH),armhf s390x)
check-endian: ## run unit tests on 32-bit and big-endian architectures under emulation
	$(call with_packages,emulate,check-endian-now)
check-endian-now: $(GEN) $(GEN_DATA)
	$(Q)rc=0; for a in $(ENDIAN_ARCHS); do \
		$(MAKE) --no-print-directory ARCH=$$a unit-now >build/unit-$$a.log 2>&1 & pids="$$pids $$!"; done; \
	for p in $$pids; do wait $$p || rc=1; done; cat $(ENDIAN_ARCHS:%=build/unit-%.log); exit $$rc
check-cross: ## check binaries for other architectures: static, small, start under emulation
	$(call with_packages,emulate,check-cross-now)
check-cross-now:
	$(Q)sh tests/cross.sh $(BINARY_SIZE_LIMIT) $(filter-out $(HOST_ARCH),$(ARCHS))
check-dist: ## check that binaries of all architectures are reproducible
	$(Q)sh tests/dist.sh
VM_CHECK := MAKE='$(SUBMAKE)' HOST_ARCH=$(HOST_ARCH) sh tests/vm/check.sh
check-fresh: ## test the README's first commands on fresh Debian 12 and 13 (root)
	$(call install_packages,$(PKGS_vm) debootstrap)
	$(Q)rc=0; sh tests/fresh.sh none bookworm || rc=1; sh tests/fresh.sh all trixie || rc=1; \
	$(VM_CHECK) -b build/fresh/trixie -k '5.10-some sid-some' || rc=1; exit $$rc
check-fresh-test:
	$(call install_packages,debootstrap)
	$(Q)sh tests/fresh.sh some trixie
fuzz: ## fuzz every parser (FUZZ_SECONDS=60 each)
	$(call with_packages,unit,fuzz-now)
fuzz-seeds: ## fuzz every parser from its seeds for a few seconds
	$(call with_packages,unit,fuzz-now FUZZ_SECONDS=5)
fuzz-now: $(FUZZERS:%=$(FUZZ_DIR)/fuzz_%) $(FUZZ_DIR)/seeds/gen
	$(Q)sh tests/fuzz/run.sh $(FUZZ_DIR) $(FUZZ_SECONDS) $(FUZZERS)
# Runs all machines of tests/vm/matrix, or those of a kernel (K), an architecture or a set.
check-vm: ## test on other kernels under QEMU; K=6.1, ARCH=arm64, SET=test: only those
	$(call install_packages,$(PKGS_vm))
	$(Q)$(VM_CHECK) -k '$(K)' -s '$(SET)' \
		-a '$(if $(findstring command line,$(origin ARCH)),$(ARCH))'
check-vm-test:
	$(Q)$(MAKE) --no-print-directory check-vm SET=test
vm-results: ## write the results of the last check-vm to tests/vm/RESULTS.md
	$(Q)sh tests/vm/keep.sh

.PHONY: vm-programs test test-all check unit unit-now check-rules lint lint-now check-product check-run check-net check-upgrade \
	check-help check-help-now \
	check-peers check-peers-now check-lines check-lines-now check-endian check-endian-now check-cross check-cross-now \
	check-dist check-fresh check-fresh-test fuzz fuzz-seeds fuzz-now check-vm check-vm-test vm-results
