# SPDX-License-Identifier: MIT
# What things are made with: the compiler and how it is called for this host, for another
# architecture and for the kernel. Nothing else names a version of it.

# The compilers that all tests were run with. CLANG=NAME chooses one, ANY_CLANG=1 takes any.
CLANG_OLDEST := 14
CLANG_NEWEST := 19
# Whose judgement of format and of lint is the style's: others differ in details.
CLANG_STYLE := 14

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
MUSL := $(CPU)-linux-musl$(ABI)
BPF_TARGET := $(or $(BPF_$(ARCH)),bpfel)

# What of it is here.
CLANG_TOLD := $(CLANG)
FOUND := $(shell sh gen/toolchain.sh $(CLANG_NEWEST) $(CLANG_OLDEST) $(CPU_$(HOST_ARCH)) '$(ABI_$(HOST_ARCH))' $(CLANG))
found = $(patsubst $(1)=%,%,$(filter $(1)=%,$(FOUND)))
MISSING := $(call found,missing)
CLANG_MAJOR := $(call found,major)
PROVEN := $(shell seq $(CLANG_OLDEST) $(CLANG_NEWEST))
override CLANG := $(or $(call found,clang),$(CLANG),clang)
STRIP := $(call found,strip)
export READELF := $(call found,readelf)
style_tool = $(shell sh gen/toolchain.sh -t $(1) $(CLANG_STYLE))
$(if $(V),$(if $(MAKELEVEL:0=),,$(info # $(FOUND))))

# Everything that is compiled waits for this, which is nothing if all is well.
TOOLCHAIN_READY :=
ifneq ($(MISSING),)
TOOLCHAIN_READY := refuse-toolchain
TOOLCHAIN_WORDS := missing for the build: $(MISSING): $(if $(shell command -v apt-get),\
make deps installs the packages (root),\
install clang $(CLANG_OLDEST) to $(CLANG_NEWEST) with lld and llvm$(comma) and the development files of musl (static)$(comma) lz4 and the kernel)
else ifeq ($(ANY_CLANG)$(filter $(CLANG_MAJOR),$(PROVEN)),)
TOOLCHAIN_READY := refuse-toolchain
TOOLCHAIN_WORDS := $(CLANG) is version $(CLANG_MAJOR), but sonde is tested with $(CLANG_OLDEST) to $(CLANG_NEWEST) only: name another \
(CLANG=clang-$(CLANG_NEWEST)), or take this one all the same (ANY_CLANG=1)
endif
refuse-toolchain:
	@echo '$(strip $(TOOLCHAIN_WORDS))' >&2; exit 1
.PHONY: refuse-toolchain

# Another compiler makes everything anew. (Written here: make takes a file that is missing but only
# leads to others for up to date.)
STAMP := build/.toolchain
ifneq ($(filter-out help clean distclean deps%,$(or $(MAKECMDGOALS),all)),)
ifeq ($(TOOLCHAIN_READY),)
ifneq ($(FOUND),$(file <$(STAMP)))
$(shell mkdir -p build && echo '$(FOUND)' >$(STAMP))
endif
endif
endif
$(STAMP): | $(TOOLCHAIN_READY)
# Flags are part of what objects are made of.
MADE_BY := Makefile gen/toolchain.mk $(STAMP)

ifeq ($(SYSROOT),)
MUSL_LIB := $(call found,musl_lib)
MUSL_INCLUDE := $(call found,musl_include)
LIBGCC := $(call found,libgcc)
else
MUSL_LIB := $(SYSROOT)/usr/lib/$(MUSL)
MUSL_INCLUDE := $(SYSROOT)/usr/include/$(MUSL)
LIBGCC = $(lastword $(sort $(wildcard $(SYSROOT)/usr/lib/gcc/$(GNU)/*/libgcc.a)))
endif
KERNEL_INCLUDES := -idirafter $(SYSROOT)/usr/include -idirafter $(SYSROOT)/usr/include/$(GNU)

WARNINGS := -Wall -Wextra -Wshadow
SAME_ANYWHERE := -ffile-prefix-map=$(CURDIR)=.
COMMON := -std=gnu11 -g $(WARNINGS) -Werror=implicit -Werror=excess-initializers $(SAME_ANYWHERE) \
	-iquote src -iquote . -iquote $(B)
# For size, and where packets are not handled one by one, for nothing else; where instructions
# are long, nowhere.
OPTIMIZE = $(if $(filter $(patsubst %/,%,$(dir $<)) $(ARCH),$(SMALL) arm64 s390x),-Oz,-Os)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

ifneq ($(SAN),)
CC_TARGET := $(CLANG)
CFLAGS_TARGET := $(COMMON) $(SANITIZE)
LINK_TARGET = $(CLANG) -fsanitize=address,undefined $(LINK_FLAGS) -o $@ $(1) -lm
else
CC_TARGET := $(CLANG) --target=$(MUSL)
# The C library's headers first; the kernel's, which musl does not have, behind them.
# Hidden, or a linker leaves an address to a dynamic loader that there is not.
CFLAGS_TARGET := $(COMMON) $(CFLAGS_$(ARCH)) -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fstack-protector-strong -nostdlibinc -isystem $(MUSL_INCLUDE) $(KERNEL_INCLUDES)
# What lld knows: relocations in a few bytes (src/start.c), and functions that are the same.
LINK_LLD := $(if $(LD_$(ARCH)),,$(comma)--icf=safe$(comma)--pack-dyn-relocs=relr$(comma)-e$(comma)start_here)
START_O := $(if $(LD_$(ARCH)),,$(B)/src/start.o)
# A static-PIE by hand: no interpreter, no needed library, yet loaded at a random address.
LINK_TARGET = $(CC_TARGET) -nostdlib -static $(or $(LD_$(ARCH)),-fuse-ld=lld) \
	-Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,--gc-sections,--build-id=none,-O2$(LINK_LLD) $(LINK_FLAGS) -o $@ \
	$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(START_O) $(1) $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o
endif

# Kernel programs: v3 instructions load from 5.10 on; the BTF in them is read by gen. The kernel's
# headers are those of the architecture: byte order and bit-fields are in them. So are registers.
# From 17 on the compiler threads jumps so that verifiers walk more ways, and 5.10's JIT gives a program
# up; before, the flag makes it worse. Lookups in sets have their own mend (bpf/lib/set.h).
BPF_FLAGS := $(if $(filter-out 14 15 16,$(CLANG_MAJOR)),-mllvm -jump-threading-threshold=0)
$(B)/bpf/set.bpf.o: BPF_FLAGS :=
CC_BPF = $(CLANG) -target $(BPF_TARGET) -DFOR_$(ARCH) -mcpu=v3 -O2 -g $(WARNINGS) -nostdlibinc $(BPF_FLAGS) \
	$(SAME_ANYWHERE) -iquote . $(KERNEL_INCLUDES)

CFLAGS_HOST := -std=gnu11 -O2 -g $(WARNINGS) -iquote src -iquote .

# $(call compile,LABEL,COMMAND) makes an object of the first prerequisite, and notes what it includes.
define compile
$(call say,$(1),$@)
$(Q)mkdir -p $(@D)
$(Q)$(2) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
endef
# $(call link,COMMAND): all of a program.
define link
$(call say,LINK,$@)
$(Q)mkdir -p $(@D)
$(Q)$(1)
endef
# Kernel programs as C tables.
define generate
$(call say,GEN,$(@D)/$(*F).gen.c)
$(Q)mkdir -p $(@D)
$(Q)$(GEN) -o $(@D) $<
endef
