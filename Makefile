# SPDX-License-Identifier: MIT
# sonde: `make run` shows it at work, `make test` proves it; both get what they need first.
# `make help` lists what else there is.

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
comma := ,
Q := $(if $(V),,@)
QUIET := $(V)$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(QUIET),@:,@printf '  %-6s %s\n' '$(1)' '$(2)')

# The layers, lowest first (src/layers), and the folders with sources in them. Those that handle
# packets one by one are optimized for speed, the others (SMALL) for size.
LAYERS := $(shell sed -n 's/^\([a-z]*\):.*/\1/p' src/layers)
LAYER_DIRS := $(patsubst %/,%,$(sort $(dir $(wildcard $(foreach l,$(LAYERS),src/$l/*.c src/$l/*/*.c)))))
SMALL := $(filter-out src/base src/net src/net/dissect src/net/capfile src/out src/capture,$(LAYER_DIRS))

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

all: ## the static binary: build/sonde (ARCH=arm64: build/arm64/sonde)
.PHONY: all

include gen/toolchain.mk gen/deps.mk

##@ The product
run: ## build, then count real packets in a private namespace (root)
	$(call ready,build,run-now)
run-now: all
	$(Q)if [ "$$(id -u)" = 0 ]; then $(B)/sonde demo; \
	else echo 'the demo makes network namespaces: sudo $(B)/sonde demo'; fi

HOST := build/host
GEN := $(HOST)/gen/gen
BPF_NAMES := $(patsubst bpf/%.bpf.c,%,$(wildcard bpf/*.bpf.c))
GEN_C := $(BPF_NAMES:%=$(B)/gen/%.gen.c)
GEN_H := $(GEN_C:.c=.h) $(B)/gen/syscalls.h $(B)/gen/pages.gen.h
LIB_SRCS := $(wildcard $(patsubst %,%/*.c,$(filter-out src/cmd%,$(LAYER_DIRS))))
LIB_O := $(LIB_SRCS:%.c=$(B)/%.o) $(GEN_C:.c=.o)
CMD_SRCS := $(wildcard src/cmd/*.c src/cmd/*/*.c) src/main.c
CMD_O := $(CMD_SRCS:%.c=$(B)/%.o) $(B)/gen/pages.gen.o
# gen packs with LZ4; the product unpacks by itself. What that puts together again, gen looks at too.
LZ4 := -llz4
GEN_O := $(patsubst %.c,$(HOST)/%.o,$(wildcard gen/*.c) src/obj/streams.c)
OBJECTS := $(LIB_O) $(CMD_O) $(START_O) $(BPF_NAMES:%=$(B)/bpf/%.bpf.o) $(GEN_O)

all: $(B)/sonde
$(B)/sonde: $(LIB_O) $(CMD_O) | $(START_O)
	$(call link,$(call LINK_TARGET,$^))
	$(Q)$(if $(SAN),:,$(STRIP) --strip-all $@)

$(B)/src/%.o: src/%.c $(MADE_BY) | $(GEN_H) $(SYSROOT_READY)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/gen/%.gen.o: $(B)/gen/%.gen.c $(MADE_BY) | $(SYSROOT_READY)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(MADE_BY) | $(SYSROOT_READY)
	$(call compile,BPF,$(CC_BPF))
$(B)/gen/%.gen.c $(B)/gen/%.gen.h: $(B)/bpf/%.bpf.o $(GEN)
	$(generate)
$(HOST)/%.o: %.c $(MADE_BY)
	$(call compile,CC,$(CLANG) $(CFLAGS_HOST))
$(GEN): $(GEN_O)
	$(call link,$(CLANG) -o $@ $^ $(LZ4))

# The text pages of `sonde help`, packed.
PAGES := $(wildcard src/cmd/help/pages/*.txt)
$(HOST)/gen/pages/pages: $(HOST)/gen/pages/pages.o
	$(call link,$(CLANG) -o $@ $^ $(LZ4))
$(B)/gen/pages.gen.c $(B)/gen/pages.gen.h: $(HOST)/gen/pages/pages $(PAGES)
	$(call say,GEN,$(B)/gen/pages.gen.c)
	$(Q)mkdir -p $(B)/gen
	$(Q)$< -o $(B)/gen $(PAGES)

# The names of the architecture's system calls, which the kernel's headers have as macros.
$(B)/gen/syscalls.h: $(MADE_BY) | $(SYSROOT_READY)
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)echo '#include <asm/unistd.h>' | $(CC_TARGET) $(CFLAGS_TARGET) -E -dM - | \
		sed -n 's/^#define __NR_\([a-z][a-z0-9_]*\) .*/SYSCALL(\1)/p' | \
		grep -vE '\((syscalls|arch_specific_syscall)\)' | LC_ALL=C sort >$@.new
	$(Q)mv $@.new $@

# Every architecture's binary, the same bytes wherever it is made.
DIST := build/dist
dist: ## a binary for each architecture and their SHA-256 sums: build/dist
	$(call ready,cross,SAN= dist-now)
dist-now: $(ARCHS:%=$(DIST)/sonde-linux-%)
	$(Q)cd $(DIST) && sha256sum $(ARCHS:%=sonde-linux-%) >SHA256SUMS && cat SHA256SUMS
$(ARCHS:%=$(DIST)/sonde-linux-%): $(DIST)/sonde-linux-%: $(GEN) always
	$(Q)$(MAKE) --no-print-directory ARCH=$* all
	$(Q)mkdir -p $(@D) && cp $(if $(filter $*,$(HOST_ARCH)),build,build/$*)/sonde $@

# Manual pages and completions come from the commands' own tables: a host program that has the
# commands, without their main().
MAN := build/man
ifneq ($(ARCH),$(HOST_ARCH))
man:
	$(Q)$(MAKE) --no-print-directory ARCH=$(HOST_ARCH) man
else
man: $(MAN)/man $(B)/sonde ## manual pages and shell completions: build/man
	$(Q)rm -f $(MAN)/*.[17] && $< $(MAN) $(PAGES)
	$(Q)for s in bash zsh fish; do $(B)/sonde completion $$s >$(MAN)/completion.$$s || exit 1; done
$(MAN)/main.o: src/main.c $(MADE_BY) | $(GEN_H)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET) -Dmain=sonde_main)
$(MAN)/man.o: gen/man/man.c $(MADE_BY) | $(GEN_H)
	$(call compile,CC,$(CC_TARGET) $(OPTIMIZE) $(CFLAGS_TARGET))
$(MAN)/man: $(MAN)/man.o $(MAN)/main.o $(LIB_O) $(filter-out $(B)/src/main.o,$(CMD_O)) | $(START_O)
	$(call link,$(call LINK_TARGET,$^))
endif

SHARE := $(DESTDIR)$(PREFIX)/share
install: all man ## binary, manual pages and completions to $(DESTDIR)$(PREFIX)
	install -D -m 755 $(B)/sonde $(DESTDIR)$(PREFIX)/bin/sonde
	for s in 1 7; do install -d $(SHARE)/man/man$$s && install -m 644 $(MAN)/*.$$s $(SHARE)/man/man$$s || exit 1; done
	install -D -m 644 $(MAN)/completion.bash $(SHARE)/bash-completion/completions/sonde
	install -D -m 644 $(MAN)/completion.zsh $(SHARE)/zsh/site-functions/_sonde
	install -D -m 644 $(MAN)/completion.fish $(SHARE)/fish/vendor_completions.d/sonde.fish

-include tests/tests.mk tests/bench/bench.mk

##@ This tree
help: ## this list
	@awk -f gen/help.awk $(MAKEFILE_LIST)
clean: ## remove what was made, keep what was fetched
	rm -rf $(filter-out $(FETCHED),$(wildcard build/*)) $(STAMP)
distclean: ## remove build, with what was fetched
	rm -rf build
always:
.PHONY: run run-now dist dist-now man install help clean distclean always

-include $(wildcard $(OBJECTS:.o=.d))
