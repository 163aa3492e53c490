# What can be done here: make help. Tools are brought by `go run tool@version`
# and, for tests with other people's programs, from Debian's packages.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
GO          ?= go
FUZZTIME    ?= 30s
# What make run starts, and what make bench passes on.
CONFIG      ?= config.toml.example
BENCHFLAGS  ?=

.PHONY: help build run test dot1x wifi race vet lint fuzz bench golden cover check tools

help: ## says what there is
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## builds bin/memberradius
	$(GO) build -o bin/memberradius ./cmd/memberradius

run: build ## builds and starts the server on config.toml.example and says what to try
	@internal/tools/try.sh bin/memberradius $(CONFIG)

test: tools ## brings its own test tools and runs every test
	$(GO) test ./...

dot1x: tools ## real 802.1X: hostapd, wpa_supplicant and our server in network namespaces; needs root
	@if [[ $$EUID -ne 0 ]]; then \
		echo "make dot1x makes network namespaces, which takes root: sudo make dot1x"; \
		echo "It needs hostapd, wpa_supplicant (Debian: wpasupplicant), ip (iproute2) and nsenter (util-linux)."; exit 1; fi
	$(GO) test -count=1 -v -run TestDot1X ./internal/supplicant

wifi: ## real WPA2- and WPA3-Enterprise between simulated radios, in a virtual machine; a minute or two
	@internal/tools/debian.sh wifi
	@GO=$(GO) internal/tools/wifi.sh

race: ## runs every test under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race ./...

vet: ## go vet
	$(GO) vet ./...

lint: ## golangci-lint by .golangci.yml, and shellcheck where it is installed
	@internal/tools/lint.sh

fuzz: ## runs every fuzz target for FUZZTIME (30s) each
	@internal/tools/fuzz.sh $(FUZZTIME)

bench: ## the echo floor, FreeRADIUS and ours in one run; writes docs/benchmarks.md
	@internal/tools/debian.sh bench
	$(GO) run ./internal/bench $(BENCHFLAGS)

golden: ## writes the golden files anew: read the difference before you commit it
	@for dir in $$(grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r -n1 dirname | sort -u); do \
		echo "$(GO) test $$dir -update"; $(GO) test -count=1 $$dir -update; done

cover: ## how much of each function the tests run
	$(GO) test -coverprofile=cover.out ./...
	$(GO) tool cover -func=cover.out | tail -n 1

check: ## what CI runs
	@.ci/run

tools: ## installs the test tools that are missing, or says what it would need
	@internal/tools/debian.sh test
