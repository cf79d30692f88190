# SPDX-License-Identifier: MIT
# Builds and tests sonde. `make run` shows a demo, `make test` runs the tests; both install the
# packages that they need first. `make help` lists all goals.

.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
# Runs one job per CPU, unless the user gives -j, or several goals, whose order may matter.
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS))$(word 2,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

HOST_ARCH := $(patsubst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
PREFIX ?= /usr/local
comma := ,
Q := $(if $(V),,@)
QUIET := $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
print_step = $(if $(QUIET),@:,@printf '  %-6s %s\n' '$(1)' '$(2)')

# The layers, lowest first (src/layers), and the directories with their sources. Directories that
# handle each packet are optimized for speed, the others (SMALL_DIRS) for size.
LAYERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' src/layers)
LAYER_DIRS := $(patsubst %/,%,$(sort $(dir $(wildcard $(foreach l,$(LAYERS),src/$l/*.c src/$l/*/*.c)))))
SMALL_DIRS := $(filter-out src/base src/net src/net/dissect src/net/capfile src/out src/capture,$(LAYER_DIRS))

B := build
FETCHED := build/fetched
ifneq ($(ARCH),$(HOST_ARCH))
B := build/$(ARCH)
SYSROOT := $(FETCHED)/sysroot/$(ARCH)
SYSROOT_READY := $(SYSROOT)/.ready
endif
ifneq ($(SAN),)
ifneq ($(ARCH),$(HOST_ARCH))
$(error SAN=1 is for $(HOST_ARCH) only)
endif
B := build/san
endif

all: ## build the static binary build/sonde (ARCH=arm64: build/arm64/sonde)
.PHONY: all

include gen/toolchain.mk gen/deps.mk

##@ The product
run: ## build, then run the demo: count real packets in private namespaces (root)
	$(call with_packages,build,run-now)
run-now: all
	$(Q)if [ "$$(id -u)" = 0 ]; then $(B)/sonde demo; \
	else echo 'The demo needs root, since it makes network namespaces. Run: sudo $(B)/sonde demo'; fi

HOST_DIR := build/host
GEN := $(HOST_DIR)/gen/gen
BPF_NAMES := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c))
GEN_C := $(BPF_NAMES:%=$(B)/gen/%.gen.c)
GEN_H := $(GEN_C:.c=.h) $(B)/gen/syscalls.h $(B)/gen/pages.gen.h
LIB_SRCS := $(wildcard $(patsubst %,%/*.c,$(filter-out src/cmd%,$(LAYER_DIRS))))
LIB_O := $(LIB_SRCS:%.c=$(B)/%.o) $(GEN_C:.c=.o)
CMD_SRCS := $(wildcard src/cmd/*.c src/cmd/*/*.c) src/main.c
CMD_O := $(CMD_SRCS:%.c=$(B)/%.o) $(B)/gen/pages.gen.o
# gen compresses with liblz4; sonde decompresses with its own code. gen checks its output with
# src/obj/streams.c, which sonde uses to read it.
LZ4_LIBS := -llz4
GEN_O := $(patsubst %.c,$(HOST_DIR)/%.o,$(wildcard gen/*.c) src/obj/streams.c)
OBJECTS := $(LIB_O) $(CMD_O) $(START_O) $(BPF_NAMES:%=$(B)/bpf/%.bpf.o) $(GEN_O)

all: $(B)/sonde
$(B)/sonde: $(LIB_O) $(CMD_O) | $(START_O)
	$(call link_program,$(call LINK_TARGET,$^))
	$(Q)$(if $(SAN),:,$(STRIP) --strip-all $@)

$(B)/src/%.o: src/%.c $(BUILD_RULES) | $(GEN_H) $(SYSROOT_READY)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/gen/%.gen.o: $(B)/gen/%.gen.c $(BUILD_RULES) | $(SYSROOT_READY)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(BUILD_RULES) | $(SYSROOT_READY)
	$(call compile_object,BPF,$(CC_BPF))
$(B)/gen/%.gen.c $(B)/gen/%.gen.h: $(B)/bpf/%.bpf.o $(GEN)
	$(generate_spec)
$(HOST_DIR)/%.o: %.c $(BUILD_RULES)
	$(call compile_object,CC,$(CLANG) $(CFLAGS_HOST))
$(GEN): $(GEN_O)
	$(call link_program,$(CLANG) -o $@ $^ $(LZ4_LIBS))

# The text pages of `sonde help`, compressed.
PAGES := $(wildcard src/cmd/help/pages/*.txt)
$(HOST_DIR)/gen/pages/pages: $(HOST_DIR)/gen/pages/pages.o
	$(call link_program,$(CLANG) -o $@ $^ $(LZ4_LIBS))
$(B)/gen/pages.gen.c $(B)/gen/pages.gen.h: $(HOST_DIR)/gen/pages/pages $(PAGES)
	$(call print_step,GEN,$(B)/gen/pages.gen.c)
	$(Q)mkdir -p $(B)/gen
	$(Q)$< -o $(B)/gen $(PAGES)

# The names of the architecture's system calls, from the macros in the kernel's headers.
$(B)/gen/syscalls.h: $(BUILD_RULES) | $(SYSROOT_READY)
	$(call print_step,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC_TARGET) $(CFLAGS_TARGET) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z][a-z0-9_]*\) .*/SYSCALL(\1)/p' | \
		grep -vE '\((syscalls|arch_specific_syscall)\)' | LC_ALL=C sort >$@.new
	$(Q)mv $@.new $@

# Binaries of all architectures. They are reproducible: the build directory does not change them.
DIST_DIR := build/dist
dist: ## build a binary for each architecture, and SHA-256 sums, in build/dist
	$(call with_packages,cross,SAN= dist-now)
dist-now: $(ARCHS:%=$(DIST_DIR)/sonde-linux-%)
	$(Q)cd $(DIST_DIR) && sha256sum $(ARCHS:%=sonde-linux-%) >SHA256SUMS && cat SHA256SUMS
$(ARCHS:%=$(DIST_DIR)/sonde-linux-%): $(DIST_DIR)/sonde-linux-%: $(GEN) always
	$(Q)$(MAKE) --no-print-directory ARCH=$* all
	$(Q)mkdir -p $(@D) && cp $(if $(filter $*,$(HOST_ARCH)),build,build/$*)/sonde $@

# Manual pages and completions are made from the commands' option tables. The program that writes
# them links all commands, and renames sonde's main().
MAN_DIR := build/man
ifneq ($(ARCH),$(HOST_ARCH))
man:
	$(Q)$(MAKE) --no-print-directory ARCH=$(HOST_ARCH) man
else
man: $(MAN_DIR)/man $(B)/sonde ## write manual pages and shell completions to build/man
	$(Q)rm -f $(MAN_DIR)/*.[17] && $< $(MAN_DIR) $(PAGES)
	$(Q)for s in bash zsh fish; do $(B)/sonde completion $$s >$(MAN_DIR)/completion.$$s || exit 1; done
$(MAN_DIR)/main.o: src/main.c $(BUILD_RULES) | $(GEN_H)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) -Dmain=sonde_main)
$(MAN_DIR)/man.o: gen/man/man.c $(BUILD_RULES) | $(GEN_H)
	$(call compile_object,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(MAN_DIR)/man: $(MAN_DIR)/man.o $(MAN_DIR)/main.o $(LIB_O) $(filter-out $(B)/src/main.o,$(CMD_O)) | $(START_O)
	$(call link_program,$(call LINK_TARGET,$^))
endif

SHARE_DIR := $(DESTDIR)$(PREFIX)/share
install: all man ## install binary, manual pages and completions in $(DESTDIR)$(PREFIX)
	install -D -m 755 $(B)/sonde $(DESTDIR)$(PREFIX)/bin/sonde
	for s in 1 7; do install -d $(SHARE_DIR)/man/man$$s && install -m 644 $(MAN_DIR)/*.$$s $(SHARE_DIR)/man/man$$s || exit 1; done
	install -D -m 644 $(MAN_DIR)/completion.bash $(SHARE_DIR)/bash-completion/completions/sonde
	install -D -m 644 $(MAN_DIR)/completion.zsh $(SHARE_DIR)/zsh/site-functions/_sonde
	install -D -m 644 $(MAN_DIR)/completion.fish $(SHARE_DIR)/fish/vendor_completions.d/sonde.fish

-include tests/tests.mk tests/bench/bench.mk

##@ Source tree
help: ## list the goals
	@awk -f gen/help.awk $(MAKEFILE_LIST)
clean: ## remove build results, keep downloads
	rm -rf $(filter-out $(FETCHED),$(wildcard build/*)) $(TOOLCHAIN_STAMP)
distclean: ## remove the directory build, with downloads
	rm -rf build
always:
.PHONY: run run-now dist dist-now man install help clean distclean always

-include $(wildcard $(OBJECTS:.o=.d))
