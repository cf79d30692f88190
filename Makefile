# SPDX-License-Identifier: MIT
# sonde: `make run` shows it at work, `make test` proves it; both get what they need first.
#
#   make [all]        the static binary: build/sonde (ARCH=arm64: build/arm64/sonde)
#   make run          build, then count real packets in a private namespace
#   make test         every check below, but of the machines some, of the fuzzing a few seconds
#   make test-all     all of it, but the benchmarks
#   make check        unit tests, layer rules, format: no privilege needed
#   make check-product  the binary: static, small, the same bytes twice
#   make check-lines  packets as text beside tcpdump's
#   make check-run    kernel programs on crafted packets (root)
#   make check-net    the commands in private namespaces (root)
#   make check-upgrade  what the version before installed, under this one (root)
#   make check-peers  captures and files as tshark and tcpdump have them (root)
#   make check-endian unit tests with 32-bit words and big-endian, by emulation
#   make check-cross  the binaries of the other architectures: static, start under emulation
#   make check-vm     other kernels and architectures under QEMU; K=6.1, ARCH=arm64: only those
#   make dist         a binary for each architecture and their SHA-256 sums: build/dist
#   make fuzz         libFuzzer on every parser (FUZZ_SECONDS=60 each)
#   make bench        side by side with other tools (root)
#   make bench-sets   lookups in sets of addresses alone, beside the kernel's maps (root)
#   make bench-filter  that of filter alone; FILTER='-q -p set' for some of it, FILTER=-h lists
#   make bench-capture  that of capture alone; CAPTURE='-q -p null' for some of it, CAPTURE=-h lists
#   make bench-guard  the guard's time a packet (root)
#   make lint         clang-tidy and cppcheck
#   make deps         install missing packages (root), or say how
#   make install      to $(DESTDIR)$(PREFIX)/bin
#   make clean
# V=1 shows the commands, SAN=1 builds with ASan and UBSan in build/san.

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
# As many jobs as there are CPUs, unless somebody says otherwise or names several goals, whose order
# may matter.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS))$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
comma := ,
Q := $(if $(V),,@)
QUIET := $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(QUIET),@:,@printf '  %-6s %s\n' '$(1)' '$(2)')

CLANG := clang-14
STRIP := llvm-strip-14

# Of each architecture: the triple's parts as clang and as Debian's multiarch directories have them,
# and what differs: flags, the kernel programs' byte order, the linker (lld 14 does not know s390x),
# the suites whose packages make its sysroot (the host's, if that has the architecture).
ARCHS := x86_64 arm64 riscv64 armhf s390x
CPU_x86_64 := x86_64
CPU_arm64 := aarch64
CPU_riscv64 := riscv64
CPU_armhf := arm
CPU_s390x := s390x
ABI_armhf := eabihf
CFLAGS_arm64 := -mno-outline-atomics
CFLAGS_armhf := -march=armv7-a -mfpu=vfpv3-d16
BPF_s390x := bpfeb
LD_s390x := --ld-path=s390x-linux-gnu-ld
SUITE_riscv64 := trixie forky

CPU := $(CPU_$(ARCH))
ABI := $(ABI_$(ARCH))
ifeq ($(CPU),)
$(error ARCH=$(ARCH): known are $(ARCHS))
endif
GNU := $(CPU)-linux-gnu$(ABI)
BPF_TARGET := $(or $(BPF_$(ARCH)),bpfel)

B := build
ifneq ($(ARCH),$(HOST_ARCH))
B := build/$(ARCH)
SYSROOT := build/sysroot/$(ARCH)
SYSROOT_READY := $(SYSROOT)/.ready
endif
ifneq ($(SAN),)
ifneq ($(ARCH),$(HOST_ARCH))
$(error SAN=1 is for $(HOST_ARCH) only)
endif
B := build/san
endif

HOST := build/host
GEN := $(HOST)/gen/gen
# gen packs with it; the product unpacks by itself.
LZ4 := -llz4
# What the product puts together again, gen looks at too.
GEN_HOST_O := $(patsubst %.c,$(HOST)/%.o,$(wildcard gen/*.c) src/obj/streams.c)
COMMON := -std=gnu11 -g -Wall -Wextra -Wshadow -Werror=implicit -Werror=excess-initializers -ffile-prefix-map=$(CURDIR)=. \
	-iquote src -iquote . -iquote $(B)
DEPFLAGS = -MMD -MP -MT $@ -MF $(@:.o=.d)
# The layers, lowest first (src/layers), and the folders with sources in them.
LAYERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' src/layers)
LAYER_DIRS := $(patsubst %/,%,$(sort $(dir $(wildcard $(foreach l,$(LAYERS),src/$l/*.c src/$l/*/*.c)))))
# For size, and where packets are not handled one by one, for nothing else; where instructions
# are long, nowhere.
SMALL := $(filter-out src/base src/net src/net/dissect src/net/capfile src/out src/capture,$(LAYER_DIRS))
OPTIMIZE = $(if $(filter $(patsubst %/,%,$(dir $<)) $(ARCH),$(SMALL) arm64 s390x),-Oz,-Os)

ifneq ($(SAN),)
CC_TARGET := $(CLANG)
CFLAGS_TARGET := $(COMMON) -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LINK = $(CLANG) -fsanitize=address,undefined -o $@ $(1) -lm
else
MUSL := $(CPU)-linux-musl$(ABI)
MUSL_LIB := $(SYSROOT)/usr/lib/$(MUSL)
LIBGCC = $(lastword $(sort $(wildcard $(SYSROOT)/usr/lib/gcc/$(GNU)/*/libgcc.a)))
CC_TARGET := $(CLANG) --target=$(MUSL)
# The C library's headers first; the kernel's, which musl does not have, behind them.
# Hidden, or a linker leaves an address to a dynamic loader that there is not.
CFLAGS_TARGET := $(COMMON) $(CFLAGS_$(ARCH)) -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fstack-protector-strong -nostdlibinc -isystem $(SYSROOT)/usr/include/$(MUSL) \
	-idirafter $(SYSROOT)/usr/include -idirafter $(SYSROOT)/usr/include/$(GNU)
# What lld knows: relocations in a few bytes (src/start.c), and functions that are the same.
LINK_LLD := $(if $(LD_$(ARCH)),,$(comma)--icf=safe$(comma)--pack-dyn-relocs=relr$(comma)-e$(comma)start_here)
START_O := $(if $(LD_$(ARCH)),,$(B)/src/start.o)
# A static-PIE by hand: no interpreter, no needed library, yet loaded at a random address.
LINK = $(CC_TARGET) -nostdlib -static $(or $(LD_$(ARCH)),-fuse-ld=lld) \
	-Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,--gc-sections,--build-id=none,-O2$(LINK_LLD) -o $@ \
	$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(START_O) $(1) $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o
endif

BPF_SRCS := $(wildcard bpf/*.bpf.c)
BPF_NAMES := $(patsubst bpf/%.bpf.c,%,$(BPF_SRCS))
GEN_C := $(BPF_NAMES:%=$(B)/gen/%.gen.c)
GEN_H := $(GEN_C:.c=.h) $(B)/gen/syscalls.h $(B)/gen/pages.gen.h
GEN_O := $(GEN_C:.c=.o)
# Everything but the commands and main: what the tests link too.
LIB_SRCS := $(wildcard $(patsubst %,%/*.c,$(filter-out src/cmd%,$(LAYER_DIRS))))
LIB_O := $(LIB_SRCS:%.c=$(B)/%.o) $(GEN_O)
CMD_SRCS := $(wildcard src/cmd/*.c src/cmd/*/*.c) src/main.c
CMD_O := $(CMD_SRCS:%.c=$(B)/%.o) $(B)/gen/pages.gen.o

all: $(B)/sonde

$(B)/sonde: $(LIB_O) $(CMD_O) | $(START_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)
	$(Q)$(if $(SAN),:,$(STRIP) --strip-all $@)

# Objects depend on the Makefile too: its flags are part of what they are made of.
$(B)/src/%.o: src/%.c Makefile | $(GEN_H) $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@

$(B)/gen/%.o: $(B)/gen/%.c | $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@

# Kernel programs: v3 instructions load from 5.10 on; the BTF in them is read by gen. The kernel's
# headers are those of the architecture: byte order and bit-fields are in them. So are registers.
CC_BPF := $(CLANG) -target $(BPF_TARGET) -DFOR_$(ARCH) -mcpu=v3 -O2 -g -Wall -Wextra -Wshadow -nostdlibinc \
	-ffile-prefix-map=$(CURDIR)=. -iquote . -idirafter $(SYSROOT)/usr/include \
	-idirafter $(SYSROOT)/usr/include/$(GNU)
$(B)/bpf/%.bpf.o: bpf/%.bpf.c Makefile | $(SYSROOT_READY)
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_BPF) $(DEPFLAGS) -c $< -o $@

$(B)/gen/%.gen.c $(B)/gen/%.gen.h: $(B)/bpf/%.bpf.o $(GEN)
	$(call say,GEN,$(B)/gen/$*.gen.c)
	$(Q)mkdir -p $(B)/gen
	$(Q)$(GEN) -o $(B)/gen $<

# The text pages of `sonde help`, packed.
PAGES := $(wildcard src/cmd/help/pages/*.txt)
$(HOST)/gen/pages/pages: $(HOST)/gen/pages/pages.o
	$(call say,LINK,$@)
	$(Q)$(CLANG) -o $@ $^ $(LZ4)
$(B)/gen/pages.gen.c $(B)/gen/pages.gen.h: $(HOST)/gen/pages/pages $(PAGES)
	$(call say,GEN,$(B)/gen/pages.gen.c)
	$(Q)mkdir -p $(B)/gen
	$(Q)$< -o $(B)/gen $(PAGES)

# The names of the architecture's system calls, which the kernel's headers have as macros.
$(B)/gen/syscalls.h: Makefile | $(SYSROOT_READY)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC_TARGET) $(CFLAGS_TARGET) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z][a-z0-9_]*\) .*/SYSCALL(\1)/p' | \
		grep -vE '\((syscalls|arch_specific_syscall)\)' | LC_ALL=C sort >$@.new
	$(Q)mv $@.new $@

CFLAGS_HOST := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -iquote src -iquote .
$(HOST)/%.o: %.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_HOST) $(DEPFLAGS) -c $< -o $@
$(GEN): $(GEN_HOST_O)
	$(call say,LINK,$@)
	$(Q)$(CLANG) -o $@ $^ $(LZ4)

# Test programs that run anywhere: static like the product, linked with its library.
TEST_LIB_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
RUN_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/run/*.c))
NET_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/net/*.c))
PEERS := $(B)/tests/peers/capfile $(B)/tests/peers/flood
PEERS_O := $(PEERS:=.o)
$(B)/tests/%.o: tests/%.c Makefile | $(GEN_H) $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@
$(B)/tests/run/run: $(RUN_O) $(TEST_LIB_O) $(LIB_O)
$(B)/tests/net/net: $(NET_O) $(TEST_LIB_O) $(LIB_O)
$(PEERS): %: %.o $(LIB_O)
$(B)/tests/lines/lines: $(B)/tests/lines/lines.o $(LIB_O)
$(B)/tests/run/run $(B)/tests/net/net $(PEERS) $(B)/tests/lines/lines: | $(START_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)

# The first process of a test machine, and all that runs there.
$(B)/tests/vm/init: $(B)/tests/vm/init.o | $(START_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)
vm-programs: $(B)/tests/vm/init $(B)/tests/run/run $(B)/tests/net/net $(B)/sonde

# Other kernels and architectures, under emulation: all of tests/vm/matrix, or of a kernel (K=6.1), an
# architecture (ARCH=arm64), a set (SET=test).
check-vm: deps-vm
	$(Q)MAKE='$(SUBMAKE)' HOST_ARCH=$(HOST_ARCH) sh tests/vm/check.sh -k '$(K)' -s '$(SET)' \
		-a '$(if $(findstring command line,$(origin ARCH)),$(ARCH))'
check-vm-test:
	$(Q)$(MAKE) --no-print-directory check-vm SET=test
# The last run's table, if it was of all machines, into the README.
readme-vm:
	$(Q)sh tests/vm/readme.sh

# Unit tests: with the host's C library, libcheck and the sanitizers, always. For another ARCH with
# that one's glibc, by emulation, and traps where a sanitizer would have a library.
U := build/unit
UNIT_DATA := $(U)/data
UNIT_CC := $(CLANG)
UNIT_SAN := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
UNIT_LIBS := $$(pkg-config --libs check) $(LZ4)
ifneq ($(ARCH),$(HOST_ARCH))
U := $(B)/unit
UNIT_ROOT := $(SYSROOT)-glibc
UNIT_CC := $(CLANG) --target=$(GNU) --sysroot=$(UNIT_ROOT) $(CFLAGS_$(ARCH))
UNIT_SAN := -fsanitize=undefined -fsanitize-trap=undefined -DUNIT_STRIDE=16
UNIT_LIBS := -static $(or $(LD_$(ARCH)),-fuse-ld=lld) -lcheck -lsubunit -lm $(LZ4)
UNIT_EMU := CK_TIMEOUT_MULTIPLIER=10 qemu-$(CPU)
endif
UNIT_SRCS := $(wildcard tests/unit/*.c) tests/lib/exprs.c \
	$(filter-out gen/main.c,$(wildcard gen/*.c)) $(LIB_SRCS)
UNIT_O := $(UNIT_SRCS:%.c=$(U)/%.o)
UNIT_FLAGS := -std=gnu11 -g -Wall -Wextra -iquote src -iquote . -iquote $(B) $(UNIT_SAN) \
	-DGEN_DATA='"$(UNIT_DATA)"'
$(U)/%.o: %.c Makefile | $(GEN_H) $(UNIT_ROOT:%=%/.ready)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(UNIT_CC) $(if $(filter tests/%,$<),-O0,-O1) $(UNIT_FLAGS) $(DEPFLAGS) -c $< -o $@
$(U)/unit: $(UNIT_O) $(GEN_C)
	$(call say,LINK,$@)
	$(Q)$(UNIT_CC) $(UNIT_FLAGS) -Wno-unused -o $@ $^ $(UNIT_LIBS)
# What gen is tested on: every source in both byte orders, without the debugging information that gen
# does not read: half of the bytes of tests that take every one.
GEN_DATA_SRCS := $(wildcard tests/data/gen/*.bpf.c)
GEN_DATA := $(foreach e,bpfel bpfeb,$(GEN_DATA_SRCS:tests/data/gen/%.bpf.c=$(UNIT_DATA)/$e/%.bpf.o))
$(UNIT_DATA)/bpfel/%.bpf.o $(UNIT_DATA)/bpfeb/%.bpf.o: tests/data/gen/%.bpf.c Makefile
	$(Q)mkdir -p $(UNIT_DATA)/bpfel $(UNIT_DATA)/bpfeb
	$(Q)for e in bpfel bpfeb; do \
		$(CLANG) -target $$e -mcpu=v3 -O2 -g -c $< -o $(UNIT_DATA)/$$e/$*.bpf.o && \
		$(STRIP) -g $(UNIT_DATA)/$$e/$*.bpf.o || exit 1; done

unit: $(U)/unit $(GEN_DATA)
	$(Q)$(UNIT_EMU) $<
# 32-bit words, and the other byte order; side by side.
ENDIAN := $(filter-out $(HOST_ARCH),armhf s390x)
check-endian: $(GEN) $(GEN_DATA)
	$(Q)rc=0; for a in $(ENDIAN); do \
		$(MAKE) --no-print-directory ARCH=$$a unit >build/unit-$$a.log 2>&1 & pids="$$pids $$!"; done; \
	for p in $$pids; do wait $$p || rc=1; done; cat $(ENDIAN:%=build/unit-%.log); exit $$rc

check-rules:
	$(Q)sh tests/rules.sh
check: check-rules unit
check-product: $(B)/sonde
	$(Q)SAN=$(SAN) sh tests/product.sh $<
check-run: $(B)/tests/run/run
	$(Q)$<
check-net: $(B)/tests/net/net $(B)/sonde
	$(Q)SAN=$(SAN) SONDE=$(B)/sonde $<
check-upgrade: $(B)/tests/net/net $(B)/sonde
	$(Q)SAN=$(SAN) sh tests/upgrade.sh $^

# Beside other programs: capture files, live captures, and filters judged by libpcap (with the host's
# C library).
check-peers: $(PEERS) build/peers/filter build/peers/differ $(B)/sonde
	$(Q)rc=0; sh tests/peers.sh $< || rc=1; \
	sh tests/peers/live.sh $(B)/sonde $(B)/tests/peers/flood || rc=1; \
	build/peers/filter || rc=1; build/peers/differ || rc=1; exit $$rc
build/peers/filter: tests/lib/exprs.c
build/peers/differ: tests/lib/packet.c tests/lib/test.c
build/peers/filter build/peers/differ: build/peers/%: tests/peers/%.c $(wildcard src/filter/*.[ch] src/base/*.[ch]) \
		$(foreach n,services dns tls,src/net/$n.c src/net/$n.h) bpf/view.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_HOST) -o $@ $(filter %.c,$^) -lpcap
# The lines of packets beside tcpdump's.
check-lines: $(B)/tests/lines/lines
	$(Q)sh tests/lines/oracle.sh $<

check-dist:
	$(Q)sh tests/dist.sh
check-cross:
	$(Q)sh tests/cross.sh $(filter-out $(HOST_ARCH),$(ARCHS))

# Everything a change has to pass, and its sums as the last line. test-all: the slow rest too.
# (Not $(MAKE): make would run that line even to show what it would do.)
SUBMAKE := $(MAKE)
STAGES := check check-product check-run check-net check-upgrade check-peers check-lines check-cross check-endian
test: deps-all
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) fuzz-seeds check-vm-test
test-all: deps-all
	$(Q)MAKE='$(SUBMAKE)' sh tests/all.sh $(STAGES) check-dist fuzz check-vm

run: deps all
	$(Q)if [ "$$(id -u)" = 0 ]; then $(B)/sonde demo; \
	else echo 'the demo makes network namespaces: sudo $(B)/sonde demo'; fi

# Fuzzing: each parser from its seeds. fuzz-seeds only runs the seeds and a few seconds on top.
ifneq ($(filter fuzz%,$(MAKECMDGOALS)),)
ifneq ($(ARCH),$(HOST_ARCH))
$(error fuzzing is for $(HOST_ARCH) only)
endif
endif
F := build/fuzz
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_FLAGS := -O1 $(subst -fsanitize=address,-fsanitize=fuzzer-no-link$(comma)address,$(UNIT_FLAGS))
FUZZ_LIB_O := $(patsubst %.c,$(F)/%.o,$(filter-out gen/main.c,$(wildcard gen/*.c)) $(LIB_SRCS))
$(F)/%.o: %.c Makefile | $(GEN_H)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(FUZZ_FLAGS) $(DEPFLAGS) -c $< -o $@
$(F)/fuzz_%: $(F)/tests/fuzz/fuzz_%.o $(FUZZ_LIB_O) $(GEN_C)
	$(call say,LINK,$@)
	$(Q)$(CLANG) $(UNIT_FLAGS) -fsanitize=fuzzer -Wno-unused -o $@ $^ $(LZ4)
$(F)/seeds/gen: $(GEN_DATA) Makefile
	$(Q)rm -rf $@ && mkdir -p $@ && for f in $(GEN_DATA); do \
		cp $$f $@/$$(basename $$(dirname $$f))-$$(basename $$f) || exit 1; done
fuzz: deps-test
	$(Q)$(MAKE) --no-print-directory fuzz-run FUZZ_SECONDS=$(FUZZ_SECONDS)
fuzz-seeds:
	$(Q)$(MAKE) --no-print-directory fuzz-run FUZZ_SECONDS=5
fuzz-run: $(FUZZERS:%=$(F)/fuzz_%) $(F)/seeds/gen
	$(Q)sh tests/fuzz/run.sh $(F) $(FUZZ_SECONDS) $(FUZZERS)

# Benchmarks: peers are of the host (its C library, its libbpf) and made only where they can be.
BENCH := $(B)/tests/bench
bench_o = $(patsubst %,$(BENCH)/%.o,$(1))
BENCH_O := $(call bench_o,bench exec packet run series size)
BENCH_CAPTURE_O := $(call bench_o,capture capture_live capture_rate capture_run capture_text flood.gen parts \
	receiver run series wire)
BENCH_FILTER_O := $(call bench_o,drops.gen filter filter_load filter_way flood.gen members parts run \
	series wire)
BENCH_SETS_O := $(call bench_o,members sets series sets.gen)
BENCH_GUARD_O := $(call bench_o,guard peers.gen)
BENCH_TRACE_O := $(call bench_o,run series trace)
BENCH_PEERS := $(BENCH)/gate_xdp.bpf.o $(BENCH)/gate_both.bpf.o
ifneq ($(wildcard /usr/include/bpf/libbpf.h),)
BENCH_PEERS += $(BENCH)/peer_libbpf
ifneq ($(wildcard /usr/lib/*/libelf.a),)
BENCH_PEERS += $(BENCH)/peer_libbpf_static
endif
endif
$(BENCH)/%.bpf.o: tests/bench/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_BPF) $(DEPFLAGS) -c $< -o $@
$(BENCH)/peer_libbpf: PEER_LIBS := -lbpf
$(BENCH)/peer_libbpf_static: PEER_LIBS := -static -lbpf -lelf -lz
$(BENCH)/peer_libbpf $(BENCH)/peer_libbpf_static: tests/bench/peer_libbpf.c bpf/gate.h
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_HOST) -s -o $@ $< $(PEER_LIBS)
$(BENCH)/%.gen.c $(BENCH)/%.gen.h: $(BENCH)/%.bpf.o $(GEN)
	$(call say,GEN,$(BENCH)/$*.gen.c)
	$(Q)$(GEN) -o $(BENCH) $<
$(BENCH)/%.gen.o: $(BENCH)/%.gen.c
	$(call say,CC,$@)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@
$(BENCH)/wire.o: | $(BENCH)/flood.gen.h
$(BENCH)/guard.o: | $(BENCH)/peers.gen.h
$(BENCH)/filter_way.o: | $(BENCH)/drops.gen.h
$(BENCH)/bench: $(BENCH_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/capture: $(BENCH_CAPTURE_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/guard: $(BENCH_GUARD_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/sets.o: | $(BENCH)/sets.gen.h
$(BENCH)/sets: $(BENCH_SETS_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/filter: $(BENCH_FILTER_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/trace: $(BENCH_TRACE_O) $(TEST_LIB_O) $(LIB_O)
$(BENCH)/bench $(BENCH)/capture $(BENCH)/filter $(BENCH)/sets $(BENCH)/guard $(BENCH)/trace: | $(START_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)
# In two steps: the peers can be made only once their packages are there.
bench: deps-bench
	$(Q)$(MAKE) --no-print-directory bench-run
bench-run: $(B)/sonde $(BENCH)/bench $(BENCH)/capture $(BENCH)/filter $(BENCH_PEERS)
	$(Q)$(BENCH)/bench $(B)
	$(Q)$(BENCH)/capture $(B)
	$(Q)$(BENCH)/filter $(B)
# The part of capture alone; CAPTURE='-q -p null -r tcpdump,sonde': quickly, and some of it.
bench-capture: deps-bench
	$(Q)$(MAKE) --no-print-directory bench-capture-run
bench-capture-run: $(B)/sonde $(BENCH)/capture
	$(Q)$(BENCH)/capture $(CAPTURE) $(B)
# That of filter; FILTER='-q -p set -r hash,sonde': quickly, and some of it.
bench-filter: deps-bench
	$(Q)$(MAKE) --no-print-directory bench-filter-run
bench-filter-run: $(B)/sonde $(BENCH)/filter
	$(Q)$(BENCH)/filter $(FILTER) $(B)
bench-sets: deps $(BENCH)/sets
	$(Q)$(BENCH)/sets
# Tracing beside libbpf-tools and bpftrace, of which it takes what the kernel has hooks for.
bench-trace: deps-bench
	$(Q)$(MAKE) --no-print-directory bench-trace-run
bench-trace-run: $(B)/sonde $(BENCH)/trace
	$(Q)$(BENCH)/trace $(TRACE) $(B)
# The guard's time a packet beside other ways to limit, and ten million strangers.
bench-guard: $(BENCH)/guard
	$(Q)$<
# How long packets as text take: four of them by themselves, then the command on files.
bench-lines: $(B)/tests/lines/lines $(B)/sonde $(BENCH)/capture
	$(Q)$< -n -b 1000000 tests/data/lines/bench-tcp.pcap
	$(Q)$< -n -b 1000000 tests/data/lines/bench-dns.pcap
	$(Q)$(BENCH)/capture -p text $(B)

lint: $(GEN_C)
	$(Q)clang-tidy-14 --quiet $(LIB_SRCS) $(CMD_SRCS) -- $(CFLAGS_TARGET)
	$(Q)cppcheck --quiet --error-exitcode=1 --enable=warning,portability --inline-suppr \
		--suppressions-list=.cppcheck -I src -I . -I $(B) src gen

# What the host needs, by Debian's names.
PKGS := clang-14 llvm-14 lld-14 libgcc-12-dev linux-libc-dev libc6-dev musl-dev liblz4-dev
PKGS_CROSS := $(PKGS) binutils-s390x-linux-gnu
PKGS_TEST := $(PKGS_CROSS) check pkg-config libclang-rt-14-dev clang-format-14 iproute2 qemu-user libpcap-dev \
	tcpdump tshark wireshark-common
PKGS_VM := $(PKGS_CROSS) qemu-system-x86 qemu-system-arm qemu-system-misc opensbi cpio xz-utils zstd
PKGS_BENCH := $(PKGS_TEST) bpftool libbpf-dev libelf-dev zlib1g-dev xdp-tools nftables netsniff-ng \
	libbpf-tools bpftrace
define need
	$(Q)missing=; for p in $(1); do \
		dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ]; then apt-get update -q && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	else echo "missing packages; type: sudo apt-get install$$missing"; exit 1; fi
endef
deps:
	$(call need,$(PKGS))
deps-cross:
	$(call need,$(PKGS_CROSS))
deps-test:
	$(call need,$(PKGS_TEST))
deps-bench:
	$(call need,$(PKGS_BENCH))
deps-all:
	$(call need,$(sort $(PKGS_TEST) $(PKGS_VM)))
deps-vm:
	$(call need,$(PKGS_VM))

ifdef SYSROOT
$(SYSROOT)-glibc/.ready: SYSROOT_PKGS := libc6-dev check libsubunit-dev liblz4-dev
$(SYSROOT)/.ready $(SYSROOT)-glibc/.ready: gen/sysroot.sh gen/debian.sh
	$(call say,SYSROOT,$(@D))
	$(Q)sh gen/sysroot.sh $(ARCH) $(@D) '$(SUITE_$(ARCH))' $(SYSROOT_PKGS)
endif

# Every architecture's binary, the same bytes wherever it is made.
DIST := build/dist
dist: deps-cross
	$(Q)$(MAKE) --no-print-directory SAN= dist-all
dist-all: $(ARCHS:%=$(DIST)/sonde-linux-%)
	$(Q)cd $(DIST) && sha256sum $(ARCHS:%=sonde-linux-%) >SHA256SUMS && cat SHA256SUMS
$(ARCHS:%=$(DIST)/sonde-linux-%): $(DIST)/sonde-linux-%: $(GEN) always
	$(Q)$(MAKE) --no-print-directory ARCH=$* all
	$(Q)mkdir -p $(@D) && cp $(if $(filter $*,$(HOST_ARCH)),build,build/$*)/sonde $@
always:

# Manual pages from the tables of the commands: the commands linked without their main().
MAN := build/man
$(MAN)/main.o: src/main.c Makefile | $(GEN_H) $(SYSROOT_READY)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) -Dmain=sonde_main $(DEPFLAGS) -c $< -o $@
$(MAN)/man.o: gen/man/man.c Makefile | $(GEN_H) $(SYSROOT_READY)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@
$(MAN)/man: $(MAN)/man.o $(MAN)/main.o $(LIB_O) $(filter-out $(B)/src/main.o,$(CMD_O)) | $(START_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)
man: $(MAN)/man
	$(Q)rm -f $(MAN)/*.[17] && $< $(MAN) $(PAGES)

install: all
	install -D -m 755 $(B)/sonde $(DESTDIR)$(PREFIX)/bin/sonde

clean:
	rm -rf build

-include $(wildcard $(LIB_O:.o=.d) $(CMD_O:.o=.d) $(BPF_NAMES:%=$(B)/bpf/%.bpf.d) \
	$(GEN_HOST_O:.o=.d) $(TEST_LIB_O:.o=.d) $(RUN_O:.o=.d) $(NET_O:.o=.d) $(PEERS_O:.o=.d) \
	$(UNIT_O:.o=.d) $(FUZZ_LIB_O:.o=.d) $(FUZZERS:%=$(F)/tests/fuzz/fuzz_%.d) $(BENCH_O:.o=.d) \
	$(BENCH_CAPTURE_O:.o=.d) $(BENCH_FILTER_O:.o=.d) $(BENCH_SETS_O:.o=.d) $(BENCH_GUARD_O:.o=.d) \
	$(patsubst %,$(BENCH)/%.bpf.d,drops flood peers sets) \
	$(patsubst %.o,%.d,$(filter %.o,$(BENCH_PEERS))))

.PHONY: all run unit test test-all check check-run check-net check-upgrade check-peers check-lines check-cross \
	check-endian check-dist bench-guard bench-lines bench-trace bench-trace-run \
	check-vm check-vm-test vm-programs readme-vm fuzz fuzz-run fuzz-seeds bench bench-run \
	bench-capture bench-capture-run bench-filter bench-filter-run bench-sets lint \
	deps deps-cross deps-test deps-bench deps-vm deps-all dist dist-all always install clean
