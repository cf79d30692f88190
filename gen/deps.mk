# SPDX-License-Identifier: MIT
# Dependencies of the build: packages of this host, and sysroots of other architectures.

# Debian's names of packages. gen/deps.sh explains %N, %S, %G and ?.
PKGS_build := clang-%N lld-%N llvm-%N libgcc-%G-dev linux-libc-dev libc6-dev musl-dev liblz4-dev
PKGS_cross := $(PKGS_build) binutils-s390x-linux-gnu
PKGS_unit := $(PKGS_build) check pkg-config libclang-rt-%N-dev clang-format-%S?
PKGS_lint := $(PKGS_build) clang-tidy-%S?
PKGS_help := $(PKGS_build) mandoc bash bash-completion fish zsh
PKGS_peers := $(PKGS_build) libpcap-dev tcpdump tshark wireshark-common iproute2
PKGS_emulate := $(PKGS_cross) qemu-user
PKGS_vm := $(PKGS_cross) qemu-system-x86 qemu-system-arm qemu-system-misc qemu-system-s390x? qemu-system-riscv? \
	opensbi cpio xz-utils zstd
PKGS_net := $(PKGS_build) prometheus?
PKGS_all := $(sort $(PKGS_unit) $(PKGS_lint) $(PKGS_help) $(PKGS_net) $(PKGS_peers) $(PKGS_emulate) $(PKGS_vm) debootstrap)
PKGS_bench := $(PKGS_all) bpftool libbpf-dev libelf-dev zlib1g-dev xdp-tools nftables netsniff-ng \
	libbpf-tools bpftrace

# $(call with_packages,PACKAGES,GOAL) installs packages, then makes the goal in a new make, which finds
# the installed tools. Packages cannot be a prerequisite, since make would compile in parallel with it.
install_packages = $(Q)CLANG_FOUND='$(if $(MISSING_TOOLS),,$(CLANG_MAJOR))' CLANG_GIVEN='$(CLANG_GIVEN)' CLANG_STYLE=$(CLANG_STYLE) \
	CLANG_NEWEST=$(CLANG_NEWEST) CLANG_OLDEST=$(CLANG_OLDEST) sh gen/deps.sh $(1)
define with_packages
$(call install_packages,$(PKGS_$(1)))
+$(Q)$(MAKE) --no-print-directory $(2)
endef

deps: ## install the packages that the build needs; without root, print the command
	$(call install_packages,$(PKGS_build))
deps-all: ## install the packages that all tests need
	$(call install_packages,$(PKGS_all))
.PHONY: deps deps-all

ifdef SYSROOT
$(SYSROOT)-glibc/.ready: SYSROOT_PKGS := libc6-dev check libsubunit-dev liblz4-dev
$(SYSROOT)/.ready $(SYSROOT)-glibc/.ready: gen/sysroot.sh gen/debian.sh
	$(call print_step,SYSROOT,$(@D))
	$(Q)STRIP='$(STRIP)' sh gen/sysroot.sh $(ARCH) $(@D) '$(SUITE_$(ARCH))' $(SYSROOT_PKGS)
endif
