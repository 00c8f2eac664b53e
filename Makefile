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
CFLAGS    := -O2 -g
LDFLAGS   :=
SANITIZE  :=
WARNINGS  := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	     -Wformat=2 -Wundef -Wpointer-arith -Wcast-qual -Werror

dvx_cppflags := -I. -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DDVX_VERSION='"$(VERSION)"'
dvx_cflags   := -std=gnu11 -pthread -ffunction-sections -fdata-sections $(WARNINGS)
compile       = $(CC) $(dvx_cppflags) $(CPPFLAGS) $(dvx_cflags) $(CFLAGS) $(SANITIZE)
link          = $(CC) -pthread $(CFLAGS) $(SANITIZE) -Wl,--gc-sections -Wl,--as-needed $(LDFLAGS)

# Folders of lib/ in link order: each one only needs those that follow (lib/DEPS).
LAYERS := repo worktree wire store setup base

# Static crypto, zstd and zlib: the dynamic loader would cost more than the programs' own work at start.
libs_filter   := -l:libcrypto.a -l:libzstd.a
libs_transfer := $(libs_filter) -l:libz.a -lcjson
libs_commands := $(libs_filter) -l:libz.a
libs_unit     := -lcmocka $(libs_filter) -l:libz.a -lcjson

# --- what there is -----------------------------------------------------------------------------------------------

lib_srcs      := $(sort $(wildcard lib/*/*.c))
commands_srcs := $(sort $(wildcard commands/*.c hooks/*.c))
filter_srcs   := $(sort $(wildcard filter/*.c))
transfer_srcs := $(sort $(wildcard transfer/*.c))
unit_srcs     := $(sort $(wildcard tests/unit/test_*.c))
man_srcs      := $(sort $(wildcard docs/man/*.1.scd))

objs     = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
archives = $(foreach l,$(1),$(if $(wildcard lib/$(l)/*.c),$(BUILD)/lib/$(l).a))

programs := $(if $(commands_srcs),git-dvx) $(if $(filter_srcs),git-dvx-filter) $(if $(transfer_srcs),git-dvx-transfer)
bins     := $(addprefix $(BUILD)/bin/,$(programs))
unit_bins := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_srcs))
mans     := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(man_srcs))

.PHONY: all unit clean
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

all: $(bins) $(foreach l,$(LAYERS),$(call archives,$(l)))

# --- compile -----------------------------------------------------------------------------------------------------

# Holds the compile command, so that other flags or another version rebuild what they must.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' "$$DVX_COMPILE" | cmp -s - $@ || printf '%s\n' "$$DVX_COMPILE" >$@
$(BUILD)/flags: export DVX_COMPILE = $(compile) / $(link)
.PHONY: FORCE

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(compile) -MMD -MP -c -o $@ $<

define archive_rule
$(BUILD)/lib/$(1).a: $(call objs,$(sort $(wildcard lib/$(1)/*.c)))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

# --- link --------------------------------------------------------------------------------------------------------

$(BUILD)/bin/git-dvx: $(call objs,$(commands_srcs)) $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(libs_commands)

$(BUILD)/bin/git-dvx-filter: $(call objs,$(filter_srcs)) $(call archives,$(filter-out repo,$(LAYERS)))
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(libs_filter)

$(BUILD)/bin/git-dvx-transfer: $(call objs,$(transfer_srcs)) $(call archives,$(filter-out repo worktree,$(LAYERS)))
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(libs_transfer)

$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(call archives,$(LAYERS))
	@mkdir -p $(@D)
	$(link) -o $@ $^ $(libs_unit)

# --- test --------------------------------------------------------------------------------------------------------

unit: $(unit_bins)
	CMOCKA_MESSAGE_OUTPUT=TAP prove -e '' $(unit_bins)

clean:
	rm -rf build

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
