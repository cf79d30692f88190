# SPDX-License-Identifier: MIT
# The compiler and its flags for this host, for other architectures and for kernel programs. Compiler
# versions are named only here.

# The compiler versions that all tests pass with. CLANG=NAME chooses one, ANY_CLANG=1 allows any.
CLANG_OLDEST := 14
CLANG_NEWEST := 19
# The version of clang-format and clang-tidy that defines the style. Other versions differ in details.
CLANG_STYLE := 14

# For each architecture: the CPU and ABI parts of its triple (as in clang and Debian's multiarch
# directories), and its differences: flags, the byte order of kernel programs, the linker (lld 14 does
# not support s390x), and the Debian suites for its sysroot (default: the host's suite).
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
$(error ARCH=$(ARCH) is not supported. Choose one of: $(ARCHS))
endif
GNU_TRIPLE := $(CPU)-linux-gnu$(ABI)
MUSL_TRIPLE := $(CPU)-linux-musl$(ABI)
BPF_TARGET := $(or $(BPF_$(ARCH)),bpfel)

# The toolchain found on this host, as NAME=VALUE words (gen/toolchain.sh).
CLANG_GIVEN := $(CLANG)
TOOLCHAIN := $(shell sh gen/toolchain.sh $(CLANG_NEWEST) $(CLANG_OLDEST) $(CPU_$(HOST_ARCH)) '$(ABI_$(HOST_ARCH))' $(CLANG))
get_found = $(patsubst $(1)=%,%,$(filter $(1)=%,$(TOOLCHAIN)))
MISSING_TOOLS := $(call get_found,missing)
CLANG_MAJOR := $(call get_found,major)
PROVEN := $(shell seq $(CLANG_OLDEST) $(CLANG_NEWEST))
override CLANG := $(or $(call get_found,clang),$(CLANG),clang)
STRIP := $(call get_found,strip)
export READELF := $(call get_found,readelf)
style_tool = $(shell sh gen/toolchain.sh -t $(1) $(CLANG_STYLE))
$(if $(V),$(if $(MAKELEVEL:0=),,$(info # $(TOOLCHAIN))))

# Every compile step depends on this check. It is empty if the toolchain is usable.
TOOLCHAIN_CHECK :=
ifneq ($(MISSING_TOOLS),)
TOOLCHAIN_CHECK := refuse-toolchain
TOOLCHAIN_ERROR := the build needs $(MISSING_TOOLS). $(if $(shell command -v apt-get),\
To install the packages$(comma) run as root: make deps,\
Install clang $(CLANG_OLDEST) to $(CLANG_NEWEST) with lld and llvm$(comma) and the development files of musl (static)$(comma) lz4 and the kernel)
else ifeq ($(ANY_CLANG)$(filter $(CLANG_MAJOR),$(PROVEN)),)
TOOLCHAIN_CHECK := refuse-toolchain
TOOLCHAIN_ERROR := $(CLANG) is version $(CLANG_MAJOR), but sonde is tested with $(CLANG_OLDEST) to $(CLANG_NEWEST) only. \
Choose another (CLANG=clang-$(CLANG_NEWEST)), or use this one anyway (ANY_CLANG=1)
endif
refuse-toolchain:
	@echo '$(strip $(TOOLCHAIN_ERROR))' >&2; exit 1
.PHONY: refuse-toolchain

# A change of the toolchain rebuilds everything. The stamp is written while make reads this file,
# since make regards a missing intermediate file as up to date.
TOOLCHAIN_STAMP := build/.toolchain
ifneq ($(filter-out help clean distclean deps%,$(or $(MAKECMDGOALS),all)),)
ifeq ($(TOOLCHAIN_CHECK),)
ifneq ($(TOOLCHAIN),$(file <$(TOOLCHAIN_STAMP)))
$(shell mkdir -p build && echo '$(TOOLCHAIN)' >$(TOOLCHAIN_STAMP))
endif
endif
endif
$(TOOLCHAIN_STAMP): | $(TOOLCHAIN_CHECK)
# Objects depend on these files too, since they contain the flags.
BUILD_RULES := Makefile gen/toolchain.mk $(TOOLCHAIN_STAMP)

ifeq ($(SYSROOT),)
MUSL_LIB := $(call get_found,musl_lib)
MUSL_INCLUDE := $(call get_found,musl_include)
LIBGCC := $(call get_found,libgcc)
else
MUSL_LIB := $(SYSROOT)/usr/lib/$(MUSL_TRIPLE)
MUSL_INCLUDE := $(SYSROOT)/usr/include/$(MUSL_TRIPLE)
LIBGCC = $(lastword $(sort $(wildcard $(SYSROOT)/usr/lib/gcc/$(GNU_TRIPLE)/*/libgcc.a)))
endif
KERNEL_INCLUDES := -idirafter $(SYSROOT)/usr/include -idirafter $(SYSROOT)/usr/include/$(GNU_TRIPLE)

WARNINGS := -Wall -Wextra -Wshadow
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.
COMMON_FLAGS := -std=gnu11 -g $(WARNINGS) -Werror=implicit -Werror=excess-initializers $(REPRODUCIBLE) \
	-iquote src -iquote . -iquote $(B)
# All code is optimized for size: SMALL_DIRS with -Oz, the rest with -Os, which is faster. arm64 and
# s390x have long instructions, so they use -Oz everywhere.
OPTIMIZE = $(if $(filter $(patsubst %/,%,$(dir $<)) $(ARCH),$(SMALL_DIRS) arm64 s390x),-Oz,-Os)
SANITIZE_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

ifneq ($(SAN),)
CC_TARGET := $(CLANG)
CFLAGS_TARGET := $(COMMON_FLAGS) $(SANITIZE_FLAGS)
LINK_TARGET = $(CLANG) -fsanitize=address,undefined $(LINK_FLAGS) -o $@ $(1) -lm
else
CC_TARGET := $(CLANG) --target=$(MUSL_TRIPLE)
# The C library's headers come first, then the kernel's, which musl does not include. Visibility is
# hidden: otherwise a linker leaves relocations for a dynamic loader, and a static binary has none.
CFLAGS_TARGET := $(COMMON_FLAGS) $(CFLAGS_$(ARCH)) -fPIE -fvisibility=hidden -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-fstack-protector-strong -nostdlibinc -isystem $(MUSL_INCLUDE) $(KERNEL_INCLUDES)
# Features of lld: compact relocations (applied by src/start.c), and folding of identical functions.
LINK_LLD := $(if $(LD_$(ARCH)),,$(comma)--icf=safe$(comma)--pack-dyn-relocs=relr$(comma)-e$(comma)start_here)
START_O := $(if $(LD_$(ARCH)),,$(B)/src/start.o)
# A static PIE: no interpreter and no shared library, but loaded at a random address.
LINK_TARGET = $(CC_TARGET) -nostdlib -static $(or $(LD_$(ARCH)),-fuse-ld=lld) \
	-Wl,-pie,--no-dynamic-linker,-z,text,-z,relro,-z,now,--gc-sections,--build-id=none,-O2$(LINK_LLD) $(LINK_FLAGS) -o $@ \
	$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o $(START_O) $(1) $(MUSL_LIB)/libc.a $(LIBGCC) $(MUSL_LIB)/crtn.o
endif

# Kernel programs use v3 instructions, which Linux 5.10 and later load. gen reads their BTF. They
# include the target architecture's kernel headers, for byte order, bit-fields and registers.
# From version 17 on, clang threads more jumps: verifiers walk more paths, and 5.10's JIT fails on one
# program. It also merges ends of branches: the guard's frame grows by 64 bytes, and rules with sets do
# not fit on the stack. With older versions the flags make code worse. Set lookups have their own fix
# (bpf/lib/set.h).
BPF_FLAGS := $(if $(filter-out 14 15 16,$(CLANG_MAJOR)),-mllvm -jump-threading-threshold=0 \
	-mllvm -sink-common-insts=0)
$(B)/bpf/set.bpf.o: BPF_FLAGS :=
CC_BPF = $(CLANG) -target $(BPF_TARGET) -DFOR_$(ARCH) -mcpu=v3 -O2 -g $(WARNINGS) -nostdlibinc $(BPF_FLAGS) \
	$(REPRODUCIBLE) -iquote . $(KERNEL_INCLUDES)

CFLAGS_HOST := -std=gnu11 -O2 -g $(WARNINGS) -iquote src -iquote .

# $(call compile_object,LABEL,COMMAND) compiles the first prerequisite and records its includes.
define compile_object
$(call print_step,$(1),$@)
$(Q)mkdir -p $(@D)
$(Q)$(2) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@
endef
# $(call link_program,COMMAND) links a program.
define link_program
$(call print_step,LINK,$@)
$(Q)mkdir -p $(@D)
$(Q)$(1)
endef
# Converts a compiled kernel program to C tables.
define generate_spec
$(call print_step,GEN,$(@D)/$(*F).gen.c)
$(Q)mkdir -p $(@D)
$(Q)$(GEN) -o $(@D) $<
endef
