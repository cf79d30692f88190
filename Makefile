# SPDX-License-Identifier: MIT
# sonde: `make run` shows it at work, `make test` proves it; both get what they need first.
#
#   make [all]        the static binary: build/sonde (ARCH=arm64: build/arm64/sonde)
#   make run          build, then count real packets in a private namespace
#   make test         every check below but the long fuzzing and the benchmarks
#   make check        unit tests, layer rules, format, determinism: no privilege needed
#   make check-run    kernel programs on crafted packets (root)
#   make check-net    the commands in private namespaces (root)
#   make fuzz         libFuzzer on every parser (FUZZ_SECONDS=60 each)
#   make bench        side by side with other tools (root)
#   make lint         clang-tidy and cppcheck
#   make deps         install missing packages (root), or say how
#   make install      to $(DESTDIR)$(PREFIX)/bin
#   make clean
# V=1 shows the commands, SAN=1 builds with ASan and UBSan in build/san.

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-6s %s\n' '$(1)' '$(2)')

CLANG := clang-14
STRIP := llvm-strip-14

# The triple's parts, as clang and as Debian's multiarch directories have them.
CPU_x86_64 := x86_64
CPU_arm64 := aarch64
CFLAGS_arm64 := -mno-outline-atomics
CPU := $(CPU_$(ARCH))
ifeq ($(CPU),)
$(error ARCH=$(ARCH): only x86_64 and arm64 are known)
endif

B := build
ifneq ($(ARCH),$(HOST_ARCH))
B := build/$(ARCH)
SYSROOT := build/sysroot/$(ARCH)
SYSROOT_READY := $(SYSROOT)/.ready
endif
ifdef SAN
B := build/san
endif

HOST := build/host
GEN := $(HOST)/gen/gen
GEN_HOST_O := $(patsubst %.c,$(HOST)/%.o,$(wildcard gen/*.c))
COMMON := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -ffile-prefix-map=$(CURDIR)=. \
	-iquote src -iquote . -iquote $(B)
DEPFLAGS = -MMD -MP -MT $@ -MF $(@:.o=.d)

ifdef SAN
CC_TARGET := $(CLANG)
CFLAGS_TARGET := $(COMMON) -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
LINK = $(CLANG) -fsanitize=address,undefined -o $@ $(1) -lm
else
MUSL_LIB := $(SYSROOT)/usr/lib/$(CPU)-linux-musl
LIBGCC = $(lastword $(sort $(wildcard $(SYSROOT)/usr/lib/gcc/$(CPU)-linux-gnu/*/libgcc.a)))
CC_TARGET := $(CLANG) --target=$(CPU)-linux-musl
# The C library's headers first; the kernel's, which musl does not have, behind them.
CFLAGS_TARGET := $(COMMON) $(CFLAGS_$(ARCH)) -fPIE -ffunction-sections -fdata-sections \
	-fstack-protector-strong -nostdlibinc -isystem $(SYSROOT)/usr/include/$(CPU)-linux-musl \
	-idirafter $(SYSROOT)/usr/include -idirafter $(SYSROOT)/usr/include/$(CPU)-linux-gnu
# A static-PIE by hand: no interpreter, no needed library, yet loaded at a random address.
LINK = $(CC_TARGET) -nostdlib -static -fuse-ld=lld \
	-Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,--gc-sections,--build-id=none -o $@ \
	$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(1) $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o
endif

BPF_SRCS := $(wildcard bpf/*.bpf.c)
BPF_NAMES := $(patsubst bpf/%.bpf.c,%,$(BPF_SRCS))
GEN_C := $(BPF_NAMES:%=$(B)/gen/%.gen.c)
GEN_H := $(GEN_C:.c=.h)
GEN_O := $(GEN_C:.c=.o)
# Everything but the commands and main: what the tests link too.
LIB_SRCS := $(wildcard $(patsubst %,src/%/*.c,base sys net out obj gate lab))
LIB_O := $(LIB_SRCS:%.c=$(B)/%.o) $(GEN_O)
CMD_O := $(patsubst %.c,$(B)/%.o,$(wildcard src/cmd/*.c) src/main.c)

all: $(B)/sonde

$(B)/sonde: $(LIB_O) $(CMD_O)
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)
	$(Q)$(if $(SAN),:,$(STRIP) --strip-all $@)

$(B)/src/%.o: src/%.c | $(GEN_H) $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@

$(B)/gen/%.o: $(B)/gen/%.c | $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)$(CC_TARGET) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@

# Kernel programs: v3 instructions load from 5.10 on; the BTF in them is read by gen.
BPF_INCLUDE := -iquote . -idirafter /usr/include -idirafter /usr/include/$(CPU_$(HOST_ARCH))-linux-gnu
$(B)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -target bpfel -mcpu=v3 -O2 -g -Wall -Wextra -Wshadow -nostdlibinc \
		-ffile-prefix-map=$(CURDIR)=. $(BPF_INCLUDE) $(DEPFLAGS) -c $< -o $@

# The header is renewed only when it changes, so that its users are rebuilt only then.
$(B)/gen/%.gen.c: $(B)/bpf/%.bpf.o $(GEN)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)/new
	$(Q)$(GEN) -o $(@D)/new $<
	$(Q)cmp -s $(@D)/new/$*.gen.h $(@D)/$*.gen.h || mv $(@D)/new/$*.gen.h $(@D)/$*.gen.h
	$(Q)mv $(@D)/new/$*.gen.c $@
$(B)/gen/%.gen.h: $(B)/gen/%.gen.c ;

CFLAGS_HOST := -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -iquote src -iquote .
$(HOST)/gen/%.o: gen/%.c
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS_HOST) $(DEPFLAGS) -c $< -o $@
$(GEN): $(GEN_HOST_O)
	$(call say,LINK,$@)
	$(Q)$(CLANG) -o $@ $^

# Test programs that run anywhere: static like the product, linked with its library.
TEST_LIB_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c))
RUN_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/run/*.c))
NET_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/net/*.c))
$(B)/tests/%.o: tests/%.c | $(GEN_H) $(SYSROOT_READY)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(CFLAGS_TARGET) $(DEPFLAGS) -c $< -o $@
$(B)/tests/run/run: $(RUN_O) $(TEST_LIB_O) $(LIB_O)
$(B)/tests/net/net: $(NET_O) $(TEST_LIB_O) $(LIB_O)
$(B)/tests/run/run $(B)/tests/net/net:
	$(call say,LINK,$@)
	$(Q)$(call LINK,$^)

check-run: $(B)/tests/run/run
	$(Q)$<
check-net: $(B)/tests/net/net $(B)/sonde
	$(Q)SONDE=$(B)/sonde $<

$(SYSROOT)/.ready: gen/sysroot.sh
	$(call say,SYSROOT,$(@D))
	$(Q)sh gen/sysroot.sh $(ARCH) $(@D)

install: all
	install -D -m 755 $(B)/sonde $(DESTDIR)$(PREFIX)/bin/sonde

clean:
	rm -rf build

-include $(wildcard $(LIB_O:.o=.d) $(CMD_O:.o=.d) $(BPF_NAMES:%=$(B)/bpf/%.bpf.d) \
	$(GEN_HOST_O:.o=.d) $(TEST_LIB_O:.o=.d) $(RUN_O:.o=.d) $(NET_O:.o=.d))

.PHONY: all run test check check-run check-net fuzz bench lint deps install clean
