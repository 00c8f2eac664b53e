# git-dvx: one Makefile for the whole tree (GNU make).  `make help` lists the targets.
#
# Sources are found by directory.  Everything that is built goes below $(BUILD): objects in obj/, one archive per
# folder of lib/ in lib/, programs in bin/.  A variant (another compiler, sanitizers) is another $(BUILD).

VERSION := 0.1.0
BUILD   := build
prefix  := /usr/local

bindir  = $(prefix)/bin
mandir  = $(prefix)/share/man

CC        := gcc
CXX        = $(if $(findstring clang,$(CC)),clang++,g++)
CFLAGS    := -O2 -g
LDFLAGS   := -Wl,-z,relro,-z,now
SANITIZE  :=
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	     -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Werror

dvx_cppflags := -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DDVX_VERSION='"$(VERSION)"'
dvx_cflags   := -std=gnu11 -pthread -ffunction-sections -fdata-sections $(WARNINGS)
dvx_cxxflags := -std=gnu++17 -pthread -ffunction-sections -fdata-sections -Wall -Wextra -Wshadow -Werror
compile       = $(CC) $(dvx_cppflags) $(CPPFLAGS) $(dvx_cflags) $(CFLAGS) $(SANITIZE)
compile_cxx   = $(CXX) $(dvx_cppflags) $(CPPFLAGS) $(dvx_cxxflags) $(CFLAGS) $(SANITIZE) $(if $(and $(SANITIZE),$(findstring clang,$(CC))),-fno-sanitize=function -fno-sanitize=vptr)
link          = $(CC) -pthread $(CFLAGS) $(SANITIZE) -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)

# Folders of lib/ in link order: each one only needs those that follow (lib/DEPS).
LAYERS := lineage registry metrics pipeline repo worktree wire store tensor table yaml setup base
ifeq ($(origin LAYERS),file)
unplaced := $(filter-out $(LAYERS),$(notdir $(patsubst %/,%,$(wildcard lib/*/))))
$(if $(unplaced),$(error lib/$(unplaced): not in LAYERS (and lib/DEPS)))
endif

# Static crypto, zstd and zlib: the dynamic loader would cost more than the programs' own work at start.
libs_filter   := -l:libcrypto.a -l:libzstd.a
libs_transfer := $(libs_filter) -l:libz.a -l:libexpat.a -lcjson
# lib/yaml's one file of C++ (toml++).
libs_cxx      := -l:libstdc++.a -l:libgcc_eh.a
libs_commands := $(libs_filter) -l:libminizip.a -l:libz.a -l:libyaml.a -l:libcsv.a -lcjson $(libs_cxx) -lm
libs_server   := $(libs_transfer) -lmicrohttpd -lcrypt
libs_unit     := -lcmocka -l:libyaml.a -l:libcsv.a $(libs_filter) -l:libminizip.a -l:libz.a -l:libexpat.a -lcjson -lcrypt $(libs_cxx) -lm

# --- what there is -----------------------------------------------------------------------------------------------

lib_srcs      := $(sort $(wildcard lib/*/*.c))
commands_srcs := $(sort $(wildcard commands/*.c commands/*/*.c hooks/*.c))
filter_srcs   := $(sort $(wildcard filter/*.c))
transfer_srcs := $(sort $(wildcard transfer/*.c transfer/*/*.c))
server_srcs   := $(sort $(wildcard server/*.c))
unit_srcs     := $(sort $(wildcard tests/unit/test_*.c))
fuzz_srcs     := $(sort $(wildcard tests/fuzz/fuzz_*.c))
man_srcs      := $(sort $(wildcard docs/man/*.1.scd))

objs     = $(addprefix $(BUILD)/obj/,$(addsuffix .o,$(basename $(1))))
archives = $(patsubst %,$(BUILD)/lib/%.a,$(1))

# The HTTP server is built where its library is (libmicrohttpd-dev).
have_microhttpd := $(wildcard /usr/include/microhttpd.h /usr/local/include/microhttpd.h)
programs := git-dvx git-dvx-filter git-dvx-transfer $(if $(and $(have_microhttpd),$(server_srcs)),git-dvx-server)
bins     := $(addprefix $(BUILD)/bin/,$(programs))
tool_bins := $(foreach d,tools perf,$(patsubst tests/$(d)/%.c,$(BUILD)/tools/%,$(wildcard tests/$(d)/*.c)))
tool_bins := $(patsubst %/faultline,%/faultline.so,$(tool_bins))
unit_bins := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_srcs))
fuzz_bins := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(fuzz_srcs))
replays   := $(patsubst tests/fuzz/fuzz_%.c,$(BUILD)/unit/replay_%,$(fuzz_srcs))
shell_tests := $(sort $(wildcard tests/t[0-9]*.sh))
mans     := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(man_srcs))

.PHONY: all test unit check demo install install-lfs uninstall bench asan fuzz dist clean deps format help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

all: $(bins)

# --- compile -----------------------------------------------------------------------------------------------------

# Outputs appear by rename, so that two makes at once in one tree never see half of a file.
# V=1 prints the commands in full.
short = $(if $(V),,@echo '  $(1)' $@;)
into = -o $@.$$$$ $(1) && mv -f $@.$$$$ $@

# Holds the compile command, so that other flags or another version rebuild what they must.
$(BUILD)/flags $(BUILD)/flags-cxx: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$DVX_COMPILE" | cmp -s - $@ || printf '%s\n' "$$DVX_COMPILE" >$@
$(BUILD)/flags: export DVX_COMPILE = $(compile) / $(link)
$(BUILD)/flags-cxx: export DVX_COMPILE = $(compile_cxx)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,CC  )$(compile) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $(call into,$<)

$(BUILD)/obj/%.o: %.cc $(BUILD)/flags-cxx
	@mkdir -p $(@D)
	$(call short,CXX )$(compile_cxx) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $(call into,$<)

# Holds the page's script and style (by .incbin).
$(BUILD)/obj/lib/metrics/plots_page.o: lib/metrics/page/plots.css lib/metrics/page/plots.js

define archive_rule
$(BUILD)/lib/$(1).a: $(call objs,$(sort $(wildcard lib/$(1)/*.c lib/$(1)/*.cc)))
	@mkdir -p $$(@D)
	$$(call short,AR  )ar rcs $$@.$$$$$$$$ $$^ && mv -f $$@.$$$$$$$$ $$@
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

# --- link --------------------------------------------------------------------------------------------------------

$(BUILD)/bin/git-dvx: $(call objs,$(commands_srcs)) $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_commands))

$(BUILD)/bin/git-dvx-filter: $(call objs,$(filter_srcs)) $(call archives,$(filter-out lineage registry metrics pipeline repo tensor table yaml,$(LAYERS)))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_filter))

# All of git-dvx-transfer but its main(): the server and the tests are made of it, too.
transfer_libs := $(BUILD)/lib/transfer.a $(call archives,$(filter-out lineage registry metrics pipeline repo worktree tensor table yaml,$(LAYERS)))
$(BUILD)/lib/transfer.a: $(call objs,$(filter-out transfer/main.c,$(transfer_srcs)))
	@mkdir -p $(@D)
	$(call short,AR  )rm -f $@.$$$$ && ar rcs $@.$$$$ $^ && mv -f $@.$$$$ $@

$(BUILD)/bin/git-dvx-transfer: $(call objs,transfer/main.c) $(transfer_libs)
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_transfer))

$(BUILD)/bin/git-dvx-server: $(call objs,$(server_srcs)) $(transfer_libs)
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_server))

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/lib/transfer.a $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_unit))

# What shell tests and benchmarks call; in their PATH.
$(BUILD)/tools/%: $(BUILD)/obj/tests/tools/%.o $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_unit))

# Calls remotes by themselves.
$(BUILD)/tools/remote-tool: $(BUILD)/obj/tests/tools/remote-tool.o $(transfer_libs)
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_transfer))

$(BUILD)/tools/%: $(BUILD)/obj/tests/perf/%.o $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_unit))

# Preloaded into the programs by tests; never with sanitizers of its own.
$(BUILD)/tools/faultline.so: tests/tools/faultline.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call short,LINK)$(CC) $(dvx_cppflags) $(dvx_cflags) $(CFLAGS) -fPIC -shared $(call into,$<)

# The saved inputs of a fuzzer, run again as a test; and the fuzzer itself (built by `make fuzz` with clang).
$(BUILD)/unit/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(BUILD)/lib/transfer.a $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) $(call into,$^ $(libs_unit))

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/%.o $(BUILD)/lib/transfer.a $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(call short,LINK)$(link) -fsanitize=fuzzer $(call into,$^ $(libs_unit))

$(BUILD)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	$(call short,MAN )scdoc <$< >$@.$$$$ && mv -f $@.$$$$ $@

# --- test --------------------------------------------------------------------------------------------------------

# The tests to run; T='tests/t0000*.sh build/unit/test_pack' runs these alone.
T = $(unit_bins) $(replays) $(shell_tests)
test_env = DVX_BIN='$(abspath $(BUILD)/bin)' DVX_TRASH='$(abspath $(BUILD)/trash)'

deps:
	@scripts/install-deps build test check

# Packages first, then a make that can rely on them.
test:
	@scripts/install-deps build test
	@+$(MAKE) --no-print-directory $(BUILD)/tested

demo:
	@scripts/install-deps build
	@+$(MAKE) --no-print-directory all
	@$(test_env) tests/demo.sh

bench: all $(tool_bins)
	@$(test_env) tests/perf/bench.sh

$(BUILD)/tested: all $(unit_bins) $(replays) $(tool_bins) FORCE
	@$(test_env) scripts/run-tests $(BUILD)/tap $(T)

unit: $(unit_bins) $(replays)
	@$(test_env) scripts/run-tests $(BUILD)/tap-unit $(unit_bins) $(replays)

check: all
	@BUILD='$(BUILD)' scripts/check

# All tests again under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.  (The last one is linked
# statically: gcc's shared one does not write its reports to files beside the first.)
asan:
	@scripts/install-deps build test
	@+BUILD=build/asan scripts/with-sanitizers $(MAKE) --no-print-directory BUILD=build/asan CFLAGS='-O1 -g' LDFLAGS=-static-libubsan \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' \
		build/asan/tested

# Each fuzzer for FUZZ_SECONDS, two at once.  What they find of interest stays in build/fuzz/corpus.
FUZZ_SECONDS := 60
fuzz:
	@scripts/install-deps build test check
	@+$(MAKE) --no-print-directory BUILD=build/fuzz CC=clang CFLAGS='-O1 -g' LDFLAGS= \
		SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer' \
		build/fuzz/built
	@scripts/run-fuzzers $(FUZZ_SECONDS) $(patsubst build/%,build/fuzz/%,$(fuzz_bins))

$(BUILD)/built: $(fuzz_bins)
	@touch $@

# --- install -----------------------------------------------------------------------------------------------------

# By this name Git LFS looks for its server at the other end of ssh.  Another program of this name stays.
lfs_transfer = $(DESTDIR)$(bindir)/git-lfs-transfer
ours = test "$$(readlink '$(lfs_transfer)')" = git-dvx-transfer

install: all $(mans)
	install -d '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1'
	install -m 755 $(bins) '$(DESTDIR)$(bindir)'
	$(ours) || test -e '$(lfs_transfer)' || ln -s git-dvx-transfer '$(lfs_transfer)'
	$(if $(mans),install -m 644 $(mans) '$(DESTDIR)$(mandir)/man1')

# git-dvx by the name git-lfs (docs/git-lfs.md): not by default, another Git LFS may be there.
git_lfs = $(DESTDIR)$(bindir)/git-lfs
install-lfs: install
	ln -sf git-dvx '$(git_lfs)'

uninstall:
	! $(ours) || rm -f '$(lfs_transfer)'
	test "$$(readlink '$(git_lfs)')" != git-dvx || rm -f '$(git_lfs)'
	rm -f $(patsubst %,'$(DESTDIR)$(bindir)/%',$(programs))
	$(if $(mans),rm -f $(patsubst %,'$(DESTDIR)$(mandir)/man1/%',$(notdir $(mans))))

dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=git-dvx-$(VERSION)/ -o build/git-dvx-$(VERSION).tar.gz HEAD
	@echo build/git-dvx-$(VERSION).tar.gz

# --- care --------------------------------------------------------------------------------------------------------

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf build

help:
	@echo 'all         build the programs into build/bin (default)'
	@echo 'test        install what is missing, build, run every test; T="tests/t0000*.sh" runs these'
	@echo 'unit        build and run the unit tests and the saved inputs of the fuzzers'
	@echo 'check       layers, headers, formatting, needed libraries, help against man pages, linters'
	@echo 'asan        every test with address, leak and undefined-behaviour sanitizers'
	@echo 'fuzz        each fuzzer for FUZZ_SECONDS (60)'
	@echo 'demo        install what is missing, build, show git-dvx at work on real files'
	@echo 'bench       print the figures beside their floors'
	@echo 'install     into prefix ($(prefix)), below DESTDIR; uninstall removes what it put there'
	@echo 'install-lfs the same, and git-dvx by the name git-lfs'
	@echo 'dist        a source archive'
	@echo 'deps        install the Debian packages that development needs'
	@echo 'format      clang-format all sources'
	@echo 'clean       remove build/'

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
