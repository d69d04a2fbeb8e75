# SPDX-License-Identifier: BSD-3-Clause
#
# make            the four programs, in build/release/bin/
# make help       every target and knob

# ---- what exists, and who may look at whom ---------------------------------
# A folder may include itself and what stands here, nothing else.  These lines
# give the link order, and scripts/check-includes enforces them.
STAGES       := sensor formula bench fl
USES_lib     :=
USES_sensor  := lib
USES_formula := sensor lib
USES_bench   := formula sensor lib
USES_fl      := bench formula sensor lib

# External libraries: pkg-config names, and flags where Debian has no .pc.
PC_lib      := json-c zlib liblzma libmd libzstd libzmq libmicrohttpd libcurl $(if $(filter 0,$(MONGO)),,libmongoc-1.0)
PC_sensor   := powercap
FLAGS_sensor := -lpfm -ldl
PC_formula  := lapacke ncursesw
PC_bench    := openblas libzip
FLAGS_bench := -ldnnl -lpthread
FLAGS_lib   := -lm -lpthread

# The files through which a library may be entered (header-prefix=files).
DOORS := json-c/=lib/doc.c  zstd.h=lib/frames.c  Random123/=lib/rng.c  zlib.h=lib/unpack.c,lib/spool.c,lib/tags.c lzma.h=lib/unpack.c \
	mongoc/=lib/cli_again.c,lib/sink_mongo.c,lib/source_mongo.c,lib/mongo_client.c,lib/mongo_client.h \
	zmq.h=lib/sink_zmq.c,lib/source_zmq.c,lib/curve.c  microhttpd.h=lib/sink_prometheus.c  curl/=lib/http.c \
	sha2.h=lib/doc.c  sha1.h=formula/smartwatts_layer.c  perfmon/=sensor/event.c  linux/perf_event.h=sensor/counter.c,sensor/counter.h \
	bpf/=sensor/tally.c,sensor/tally.bpf.c  linux/bpf.h=sensor/tally.bpf.c \
	powercap/=sensor/meter_powercap.c  lapacke.h=formula/lstsq.c  ncurses.h=formula/terminal.c  term.h=formula/terminal.c \
	zip.h=bench/dataset_npz.c  cblas.h=bench/mat_openblas.c  dnnl.h=bench/mat_onednn.c,bench/conv_onednn.c,bench/narrow_onednn.c,tests/bench/bare_conv.h \
	dlfcn.h=sensor/meter_nvml.c  linux/capability.h=sensor/privilege.c

# ---- knobs -----------------------------------------------------------------
# SAN=address,undefined   build/asan, with those sanitizers
# SAN=thread              build/tsan
# COV=1                   build/coverage
# WERROR=1                warnings are errors
# MONGO=0                 without mongodb:// and libmongoc (a build folder of its own)
# BPF=0                   without the engine `tally`; the default where clang, bpftool or libbpf are missing
# V=1                     show the commands
# CC, CFLAGS, LDFLAGS, PKG_CONFIG; PREFIX, DESTDIR, PROGRAM_PREFIX for install
CC         ?= cc
PKG_CONFIG ?= pkg-config
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
MANDIR     ?= $(PREFIX)/share/man
DOCDIR     ?= $(PREFIX)/share/doc/fedwatts
COMPDIR    ?= $(PREFIX)/share/bash-completion/completions
PROGRAM_PREFIX ?=

FLAVOUR := $(if $(COV),coverage,$(if $(findstring thread,$(SAN)),tsan,$(if $(SAN),asan,release)))$(if $(filter 0,$(MONGO)),-nomongo)
BUILD   ?= build/$(FLAVOUR)

CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wundef -Wformat=2 -Wpointer-arith \
	-Wwrite-strings -Wcast-qual -Wdouble-promotion -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE -I. $(WARNINGS) $(if $(WERROR),-Werror) \
	$(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer) \
	$(if $(COV),--coverage -O0) $(EXTRA_CFLAGS)
ALL_LDFLAGS = $(LDFLAGS) -Wl,--as-needed $(if $(SAN),-fsanitize=$(SAN)) $(if $(COV),--coverage)
# Loops over samples and weights are worth vectorising.
$(BUILD)/obj/bench/%.o: EXTRA_CFLAGS := -O3 -fno-math-errno -fno-trapping-math
$(BUILD)/obj/fl/%.o: EXTRA_CFLAGS := -O3 -fno-math-errno -fno-trapping-math
$(if $(COV),$(eval EXTRA_CFLAGS :=))

# The engine `tally`: a BPF program, compiled for the kernel that will load it,
# whatever kernel runs here.
CLANG   ?= clang
BPFTOOL := $(or $(BPFTOOL),$(firstword $(wildcard /usr/sbin/bpftool /sbin/bpftool) bpftool))
BPF     := $(or $(BPF),$(shell { $(CLANG) --version && $(BPFTOOL) version && $(PKG_CONFIG) --exists libbpf; } >/dev/null 2>&1 && echo 1 || echo 0))
.DEFAULT_GOAL := all
ifneq ($(BPF),0)
PC_sensor += libbpf
$(BUILD)/obj/sensor/engine.o: EXTRA_CFLAGS += -DFEDWATTS_BPF
$(BUILD)/obj/sensor/tally.o: EXTRA_CFLAGS += -isystem $(BUILD)/gen
$(BUILD)/obj/sensor/tally.o: $(BUILD)/gen/tally.skel.h
WITHOUT := %.bpf.c tests/bench/hwpc_preload.c
else
WITHOUT := %.bpf.c sensor/tally.c sensor/engine_tally.c tests/bench/floor_sensor.c tests/bench/hwpc_preload.c
endif
$(BUILD)/obj/sensor/engine.o $(BUILD)/sensor.a: $(BUILD)/gen/bpf
$(BUILD)/gen/bpf: FORCE
	@mkdir -p $(@D); echo '$(BPF)' | cmp -s - $@ || echo '$(BPF)' >$@

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' '$1' '$2')

# ---- the programs ----------------------------------------------------------
.PHONY: all
all: $(STAGES:%=$(BUILD)/bin/%) ## the four programs (default)

VERSION := $(shell git describe --always --dirty --match 'v*' 2>/dev/null || echo unknown)
$(BUILD)/version: FORCE
	@mkdir -p $(@D); echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@
$(BUILD)/obj/lib/cli.o: EXTRA_CFLAGS += -DFEDWATTS_GIT='"$(VERSION)"'
$(BUILD)/obj/lib/cli.o: $(BUILD)/version
.PHONY: FORCE
FORCE:

$(BUILD)/obj/%.o: %.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(PC_CFLAGS) -MMD -MP -c -o $@ $<

# <asm/types.h> is the same on all machines that we know.
$(BUILD)/gen/%.bpf.o: sensor/%.bpf.c $(wildcard sensor/tally_*.h) Makefile
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall $(if $(WERROR),-Werror) -I. \
		$(patsubst %/asm/types.h,-idirafter %,$(firstword $(wildcard /usr/include/*/asm/types.h))) -c -o $@ $<
	$(Q)$(BPFTOOL) gen object $@.small $@ && mv $@.small $@
$(BUILD)/gen/%.skel.h: $(BUILD)/gen/%.bpf.o
	$(Q){ echo '/* NOLINTBEGIN */' && $(BPFTOOL) gen skeleton $< name $*_bpf && echo '/* NOLINTEND */'; } >$@ || { rm -f $@; exit 1; }

PC_ALL := $(foreach f,lib $(STAGES),$(PC_$f))
PC_CFLAGS := $(patsubst -I%,-isystem%,$(shell $(PKG_CONFIG) --cflags $(PC_ALL) 2>/dev/null))
# Which files go with MongoDB: their names say so.
without_mongo = $(if $(filter 0,$(MONGO)),$(foreach f,$1,$(if $(findstring mongo,$f),,$f)),$1)
libs = $(foreach f,$1,$(if $(PC_$f),$(shell $(PKG_CONFIG) --libs $(PC_$f))) $(FLAGS_$f))

ifeq ($(MONGO),0)
$(BUILD)/obj/lib/cli_again.o $(BUILD)/obj/lib/sink.o $(BUILD)/obj/lib/source.o: EXTRA_CFLAGS += -DWITHOUT_MONGO
endif

# $1: a folder; its archive is everything but the program itself.
define folder
SRC_$1 := $$(call without_mongo,$$(filter-out $1/$1.c $(WITHOUT),$$(wildcard $1/*.c)))
$(BUILD)/$1.a: $$(SRC_$1:%.c=$(BUILD)/obj/%.o)
	$$(call say,AR,$$@)
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$(filter %.o,$$^)
endef
define program
$(BUILD)/bin/$1: $(BUILD)/obj/$1/$1.o $(BUILD)/$1.a $(USES_$1:%=$(BUILD)/%.a)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$(Q)$(CC) -o $$@ $$^ $(ALL_LDFLAGS) $$(call libs,$1 $(USES_$1))
endef
$(foreach f,lib $(STAGES),$(eval $(call folder,$f)))
$(foreach p,$(STAGES),$(eval $(call program,$p)))

# ---- tests -----------------------------------------------------------------
# tests/unit/test_NAME.c defines `Suite *NAME_suite(void)`; nothing else is to
# be registered anywhere.
ARCHIVES := $(BUILD)/fl.a $(BUILD)/bench.a $(BUILD)/formula.a $(BUILD)/sensor.a $(BUILD)/lib.a
UNIT := $(call without_mongo,$(wildcard tests/unit/*.c))
$(BUILD)/gen/suites.h: FORCE
	@mkdir -p $(@D)
	@for f in $(sort $(patsubst tests/unit/test_%.c,%,$(filter tests/unit/test_%.c,$(UNIT)))); do \
		echo "SUITE($$f)"; done >$@.new; cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(BUILD)/obj/tests/unit/main.o: $(BUILD)/gen/suites.h
$(BUILD)/obj/tests/unit/main.o: EXTRA_CFLAGS += -I$(BUILD)/gen
$(BUILD)/bin/unit: $(UNIT:%.c=$(BUILD)/obj/%.o) $(ARCHIVES)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(call libs,fl bench formula sensor lib) $(shell $(PKG_CONFIG) --libs check)

# A library of NVIDIA's that tests can script, opened at run time like theirs.
FAKE_NVML := $(abspath $(BUILD))/fake/libnvidia-ml.so.1
$(FAKE_NVML): tests/fake/nvml.c Makefile
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu17 -I. $(WARNINGS) $(if $(WERROR),-Werror) -g -fPIC -shared -o $@ $<
$(BUILD)/obj/tests/unit/%.o: EXTRA_CFLAGS += -DFAKE_NVML='"$(FAKE_NVML)"'
$(BUILD)/bin/unit: | $(FAKE_NVML)

# Fuzz targets: tests/fuzz/fuzz_NAME.c has LLVMFuzzerTestOneInput; `make check`
# replays tests/fuzz/corpus/NAME with any compiler.
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(call without_mongo,$(wildcard tests/fuzz/fuzz_*.c)))
$(FUZZ:%=$(BUILD)/bin/replay_%): $(BUILD)/bin/replay_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/obj/tests/fuzz/replay.o $(ARCHIVES)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(call libs,fl bench formula sensor lib)

# Benchmarks and test tools: tests/bench/NAME.c becomes build/…/bin/NAME.
# One that measures others beside us needs their libraries.
TOOLS := $(patsubst tests/bench/%.c,%,$(call without_mongo,$(filter-out $(WITHOUT),$(wildcard tests/bench/*.c))))
PC_bench_encode := libbson-1.0
$(foreach t,$(TOOLS),$(if $(PC_$t),$(eval $(BUILD)/obj/tests/bench/$t.o: \
	EXTRA_CFLAGS += $(shell $(PKG_CONFIG) --cflags $(PC_$t) 2>/dev/null | sed 's/-I/-isystem /g'))))
$(TOOLS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/obj/tests/bench/%.o $(ARCHIVES)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -o $@ $^ $(ALL_LDFLAGS) $(call libs,$(notdir $@) fl bench formula sensor lib)

.PHONY: check check-unit check-fuzz check-e2e check-build lint fuzz coverage
check-build: all $(BUILD)/bin/unit $(FUZZ:%=$(BUILD)/bin/replay_%) $(TOOLS:%=$(BUILD)/bin/%) ## build everything that tests need
check: check-build ## every test of this flavour, with one closing count
	scripts/run-tests $(BUILD)
check-unit: $(BUILD)/bin/unit ## unit suites only (S=NAME: one of them)
	scripts/run-tests $(BUILD) unit $(S)
check-fuzz: check-build ## replay the fuzz corpora
	scripts/run-tests $(BUILD) fuzz
check-e2e: check-build ## end-to-end scripts only (T=NAME: one of them)
	scripts/run-tests $(BUILD) e2e $(T)
fuzz: ## fuzz one target with libFuzzer: make fuzz F=doc TIME=60
	scripts/fuzz $(F) $(or $(TIME),60)
coverage: ## line coverage of the tests, by file
	$(MAKE) COV=1 check
	scripts/coverage build/coverage
lint: ## format, clang-tidy, cppcheck, shellcheck, man pages, include directions
	scripts/lint

# ---- benchmarks ------------------------------------------------------------
.PHONY: bench-step bench-sensor bench-encode bench-mongo bench-formula bench-attribution mongo-kill
STEP_MLP := mlp:784-256-256-10
STEP_CNN := cnn:1x28x28,c32k3,p2,c64k3,p2,d128,10
bench-step: $(BUILD)/bin/bench_step ## a step beside its bare products and convolutions, one thread and two (TORCH=python3: and beside PyTorch)
	$(BUILD)/bin/bench_step $(STEP_MLP)
	$(BUILD)/bin/bench_step $(STEP_CNN) 31
	$(if $(TORCH),OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(TORCH) tests/bench/torch_step.py $(BUILD)/bin/bench_step)
bench-encode: $(BUILD)/bin/bench_encode ## ticks as JSON, CSV and BSON, beside json-c, fprintf and libbson
	$(BUILD)/bin/bench_encode

$(BUILD)/hwpc_preload.so: tests/bench/hwpc_preload.c
	$(Q)$(CC) $(ALL_CFLAGS) -shared -fPIC -o $@ $<
bench-sensor: all $(BUILD)/bin/floor_sensor $(BUILD)/bin/switch_cost $(BUILD)/hwpc_preload.so ## the sensor beside the bare floor, and beside HWPC_SENSOR=path
	tests/bench/bench_sensor.py $(BUILD) $(BENCH_ARGS)

# For scripts/lint and scripts/fuzz, which call compilers themselves.
.PHONY: print-cflags print-libs
print-cflags:
	@echo -std=gnu17 -D_GNU_SOURCE -I. $(PC_CFLAGS) $(if $(filter 0,$(BPF)),,-DFEDWATTS_BPF -isystem $(BUILD)/gen)
print-libs:
	@echo $(call libs,fl bench formula sensor lib)

bench-mongo: $(BUILD)/bin/bench_mongo ## the MongoDB sink beside bare bulk inserts and insert_one
	scripts/with-mongo $(BUILD)/bin/bench_mongo

mongo-kill: all $(BUILD)/bin/mongo_feed ## kill the MongoDB server, and ourselves, CYCLES=100 times each
	folder=$$(mktemp -d) && cd $$folder && CYCLES=$(or $(CYCLES),100) BIN=$(CURDIR)/$(BUILD)/bin SRC=$(CURDIR) \
		bash -eu $(CURDIR)/tests/e2e/mongo_kill.sh && rm -rf $$folder

bench-formula: $(BUILD)/bin/formula ## reports a second beside SmartWatts 2.4.1 itself (from PyPI)
	p=$$(scripts/smartwatts-venv build/smartwatts-venv) || p=; python3 tests/bench/bench_formula.py $< $$p

bench-attribution: $(BUILD)/bin/formula ## watts per target beside a known truth and SmartWatts, on machines not seen before (3 min)
	python3 tests/bench/bench_attribution.py $<

# ---- install ---------------------------------------------------------------
.PHONY: install uninstall clean format help
MANS := $(wildcard docs/man/*.1)
MANS7 := $(wildcard docs/man/*.7)
install: all ## into $(DESTDIR)$(PREFIX); PROGRAM_PREFIX=fedwatts- for distributions
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man7 $(DESTDIR)$(DOCDIR)/schema $(DESTDIR)$(DOCDIR)/deploy $(DESTDIR)$(COMPDIR)
	for p in $(STAGES); do install -m 755 $(BUILD)/bin/$$p $(DESTDIR)$(BINDIR)/$(PROGRAM_PREFIX)$$p; done
	for m in $(MANS); do install -m 644 $$m $(DESTDIR)$(MANDIR)/man1/$(PROGRAM_PREFIX)$$(basename $$m); done
	install -m 644 $(MANS7) $(DESTDIR)$(MANDIR)/man7
	install -m 644 README.md LICENSE CHANGELOG.md docs/ARCHITECTURE.md $(DESTDIR)$(DOCDIR)
	install -m 644 docs/schema/*.json $(DESTDIR)$(DOCDIR)/schema
	install -m 644 docs/deploy/* $(DESTDIR)$(DOCDIR)/deploy
	for p in $(STAGES); do install -m 644 docs/completion/fedwatts.bash $(DESTDIR)$(COMPDIR)/$(PROGRAM_PREFIX)$$p; done
uninstall: ## what install put there
	for p in $(STAGES); do rm -f $(DESTDIR)$(BINDIR)/$(PROGRAM_PREFIX)$$p; done
	for m in $(MANS); do rm -f $(DESTDIR)$(MANDIR)/man1/$(PROGRAM_PREFIX)$$(basename $$m); done
	for m in $(MANS7); do rm -f $(DESTDIR)$(MANDIR)/man7/$$(basename $$m); done
	for p in $(STAGES); do rm -f $(DESTDIR)$(COMPDIR)/$(PROGRAM_PREFIX)$$p; done
	rm -rf $(DESTDIR)$(DOCDIR)
format: ## clang-format every source
	clang-format -i $$(git ls-files '*.c' '*.h')
clean: ## remove build/
	rm -rf build
help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'
	@echo; sed -n '/^# SAN=/,/^# CC,/s/^# /  /p' Makefile

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
