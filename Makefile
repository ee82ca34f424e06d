# `make help` lists the targets.

GO      ?= go
PREFIX  ?= /usr/local
BIN      = bin
FLAGS    = -trimpath -buildvcs=false -tags=urfave_cli_no_docs
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unreleased)
TOOL     = $(shell $(GO) -C integration/tools tool -n $(1))

# Static and not position independent: cgo adds 0.6 ms to every start of the
# thin binary, PIE 0.2 ms. The tag keeps a Markdown library out of rexd. What is
# compiled so for one target serves the others.
export CGO_ENABLED = 0
export GOFLAGS := $(strip $(filter-out $(FLAGS),$(GOFLAGS)) $(FLAGS))
BUILD = $(GO) build -ldflags='-s -w -X main.version=$(VERSION)'

.DEFAULT_GOAL := build
.PHONY: build launchers install uninstall check test tables needs race lint fuzz bench bench-base projects interop demo scan-corpus scan-fuzz windows test-windows clean help

# What starts the programs of a shipped toolchain on a worker, for rexd to embed.
# It says no version: its digest is part of every Action that ships one.
LAUNCHERS = linux-amd64 linux-arm64
LAUNCHER  = $(BIN)/launcher
EMPTY    :=
COMMA    := ,
SPACE    := $(EMPTY) $(EMPTY)

build: launchers ## bin/rexwrap and bin/rexd
	$(BUILD) -overlay $(LAUNCHER)/overlay.json -o $(BIN)/ ./cmd/rexwrap ./cmd/rexd

launchers:
	@mkdir -p $(LAUNCHER)
	for l in $(LAUNCHERS); do \
		GOOS=linux GOARCH=$${l#linux-} $(GO) build -ldflags='-s -w' -o $(LAUNCHER)/$$l ./cmd/rexlaunch || exit 1; \
	done
	@echo '{"Replace":{$(subst $(SPACE),$(COMMA),$(foreach l,$(LAUNCHERS),"cmd/rexd/launcher/$l":"$(LAUNCHER)/$l"))}}' > $(LAUNCHER)/overlay.json

install: build ## both binaries, man pages and completions below PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install $(BIN)/rexwrap $(BIN)/rexd $(DESTDIR)$(PREFIX)/bin
	install -m 644 cmd/rexd/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 cmd/rexd/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 cmd/rexd/completion/rexwrap.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rexwrap
	install -m 644 cmd/rexd/completion/_rexwrap $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_rexwrap
	install -m 644 cmd/rexd/completion/rexwrap.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/rexwrap.fish

uninstall: ## remove what install has put below PREFIX (and DESTDIR)
	cd $(DESTDIR)$(PREFIX) && rm -f bin/rexwrap bin/rexd \
		$(patsubst cmd/rexd/man/%,share/man/man1/%,$(wildcard cmd/rexd/man/*.1)) \
		$(patsubst cmd/rexd/man/%,share/man/man8/%,$(wildcard cmd/rexd/man/*.8)) \
		share/bash-completion/completions/rexwrap share/zsh/site-functions/_rexwrap \
		share/fish/vendor_completions.d/rexwrap.fish

check: build lint test ## what a change must pass

needs: ## the compilers and build tools that the tests use (installs them when run by root on Debian)
	@integration/tools/needs

# What lint has vetted is not vetted again. -p 3: the integration packages wait now
# and then, but more of them at once are in each other's way.
test: needs build ## everything but the large projects
	REXWRAP_TEST_BIN="$(CURDIR)/$(BIN)" $(GO) test -vet=off -p 3 -timeout 20m ./...

TABLES = differential keytable relocation faults rust remote remotescripts shipped slots msvc bench
tables: needs ## those tests whole of which test takes a part: every command line and key row with each compiler, 100 points of each fault
	REXWRAP_TEST_LONG=1 $(GO) test -p 1 -count=1 -timeout 3h $(addprefix ./integration/,$(TABLES))

race: export CGO_ENABLED = 1
race: needs ## the tests under the race detector, and long fault runs
	REXWRAP_TEST_LONG=1 $(GO) test -race -timeout 60m ./...

lint: ## formatting, vet for three systems, staticcheck, module files, modernisers
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs $(call TOOL,gofumpt) -l) && \
		test -z "$$files" || { echo "gofumpt would change:"; echo "$$files"; exit 1; }
	$(GO) vet ./...
	for s in windows darwin; do GOOS=$$s $(call TOOL,crossvet) ./... || exit 1; done
	$(call TOOL,staticcheck) -checks all ./...
	$(GO) mod tidy -diff
	$(GO) -C integration/tools mod tidy -diff
	$(GO) fix -diff ./...

FUZZTIME ?= 60s
fuzz: ## FUZZTIME for every fuzz target
	@$(GO) test -list '^Fuzz' -json ./... 2>/dev/null | \
	sed -n 's/.*"Package":"\([^"]*\)".*"Output":"\(Fuzz[A-Za-z0-9_]*\).*/\1 \2/p' | \
	while read p f; do echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$p || exit 1; done

bench: build needs ## starting, stepping aside, hits, memory, first builds, Rust; against ccache and sccache
	$(GO) run ./integration/bench -bin bin
	$(GO) test -run '^$$' -bench 'RemoteHit|DistantHits' ./integration/remote
	$(GO) test -run '^$$' -bench Session -timeout 1h ./integration/msvc
	$(GO) test -run '^$$' -bench ShipCost -benchtime 20x ./integration/shipped

COUNT ?= 10
BASE  ?= $(shell git merge-base HEAD origin/main)
bench-base: ## the Go benchmarks of this tree against those of the merge base
	@set -e; dir=$$(mktemp -d); \
	trap 'git worktree remove -f "$$dir/base" || :; rm -rf "$$dir"' EXIT; \
	trap 'exit 1' INT TERM; \
	git worktree add --detach "$$dir/base" $(BASE); \
	(cd "$$dir/base" && $(GO) test -run '^$$' -bench . -count $(COUNT) ./...) > "$$dir/old.txt"; \
	$(GO) test -run '^$$' -bench . -count $(COUNT) ./... > "$$dir/new.txt"; \
	$(call TOOL,benchstat) "$$dir/old.txt" "$$dir/new.txt"

projects: needs ## redis, xz-utils, fmtlib and protobuf by gcc and clang, ripgrep and published crates by rustc: plain, cold and warm
	REXWRAP_TEST_PROJECTS=all $(GO) test -p 1 -count=1 -v -timeout 3h ./integration/projects ./integration/shipped

INTEROP ?= small
interop: needs ## the client and rexwrap against real REv2 servers, from packages of Debian sid (INTEROP=all: redis and the cost beside recc too)
	REXWRAP_TEST_INTEROP=$(INTEROP) $(GO) test -count=1 -v -timeout 30m ./integration/interop

demo: build ## a real project built plain, through rexwrap cold, and warm
	$(GO) run ./integration/demo -bin bin

scan-corpus: ## the include scanner against the compiler over all sources at hand
	$(GO) test -count=1 -v -timeout 3h ./integration/scancorpus -corpus "$(CURDIR)/.cache/corpus"

CASES ?= 100000
SEED  ?= 1
scan-fuzz: ## the include scanner against the compilers over CASES random sources from SEED on
	$(GO) test -count=1 -v -timeout 3h -run '^TestAgainstCompilers$$' ./depscan/cpp -cases $(CASES) -seed $(SEED)

windows: ## bin/windows/rexwrap.exe and rexd.exe
	GOOS=windows GOARCH=amd64 $(BUILD) -o $(BIN)/windows/ ./cmd/rexwrap ./cmd/rexd

test-windows: needs ## such binaries under Wine (Debian's wine64)
	@if integration/tools/wine; then \
		GOOS=windows GOARCH=amd64 $(BUILD) -o $(BIN)/windows/test/ ./cmd/rexwrap ./cmd/rexd && \
		REXWRAP_TEST_WINE="$(CURDIR)/$(BIN)/windows/test" $(GO) test -count=1 -parallel 3 -timeout 10m ./integration/wine; \
	else \
		echo "NOT RUN: wine64 is not installed and cannot be had"; \
	fi

clean: ## remove what the targets above made
	rm -rf bin .cache

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14
