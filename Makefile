# Thin targets: what they run is the plain go command. "make" lists them.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help deps build lint unit e2e test generate catalogue packages bench drill soak clean up deploy down

# A container or chroot may start us with no home, and go needs one for its caches.
ifeq ($(HOME),)
export HOME := $(or $(shell getent passwd $$(id -u) | cut -d: -f6),/tmp)
endif

# The version comes from git below and not from go, which gives up on a work tree of another user.
export GOFLAGS := $(strip $(GOFLAGS) -buildvcs=false)
export CGO_ENABLED ?= 0

VERSION ?= $(or $(shell git describe --tags --always --dirty 2>/dev/null),devel)
TOOL := go tool -modfile=tools/go.mod
GO_FOLDERS := $(wildcard cmd conf docs internal packages rules test bench)
# Go modules apart: what the recipes compile besides upstream's modules.
MODULES := packages/promtail/go-systemd
# And one whose needs are not to become part of the product.
RULES_TEST := cd rules/test &&
# The packages whose tests write what they compare with when told to -update.
UPDATERS = $(sort $(addprefix ./,$(dir $(shell grep -rlE 'flag.Bool."update"|"pigsty/internal/golden"' --include='*_test.go' $(GO_FOLDERS)))))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## Install what a bare Debian lacks besides Go and make
	@if ! command -v git >/dev/null || ! test -s /etc/ssl/certs/ca-certificates.crt; then \
		apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends git ca-certificates; \
	fi

build: ## Build bin/pigsty, one static binary
	go build -trimpath -ldflags '-s -w -X pigsty/internal/cli.version=$(VERSION)' -o bin/pigsty ./cmd/pigsty

lint: ## Run go vet, staticcheck and gofumpt
	go vet -tags e2e,soak ./...
	for module in $(MODULES); do go vet -C $$module ./... || exit 1; done
	$(TOOL) staticcheck -tags e2e,soak ./...
	$(RULES_TEST) go vet ./... && go tool -modfile=../../tools/go.mod staticcheck ./...
	@unformatted=$$($(TOOL) gofumpt -l $(GO_FOLDERS)) && \
		if [ -n "$$unformatted" ]; then echo "not in gofumpt's form; run: $(TOOL) gofumpt -w $(GO_FOLDERS)"; echo "$$unformatted"; exit 1; fi

unit: ## Run the tests that need no nodes, among them those for drift of generated files
	go test ./...
	for module in $(MODULES); do go test -C $$module ./... || exit 1; done
	$(RULES_TEST) go test -count 1 ./... # go's cache does not see that files of another module changed

e2e: build ## Run the tests on real nodes in the sandbox; needs root
	go test -tags e2e -count 1 -timeout 80m -v ./test/e2e/...

test: build lint unit e2e ## All of the above, in this order: what CI runs

generate: ## Rewrite every generated and golden file
	go test $(UPDATERS) -update

catalogue: build ## Ask Debian anew which extensions it packages; needs root and the network
	go run ./internal/distro/catalogue

packages: ## Build the packages that Debian lacks, and our own, into bin/packages; ARCH=amd64,arm64 for both
	go run ./packages/build -version $(VERSION) $(if $(ARCH),-arch $(ARCH))

bench: ## Run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

drill: build ## Repeat every drill N times (5) and write bench/results/drill.md; needs root
	go run ./bench/drill -n $(or $(N),5)

soak: build ## Hold for half an hour (FOR=2h) that a healthy system raises no alert; needs root
	go test -tags e2e,soak -count 1 -timeout 0 -run '^TestSoak$$' -v ./test/e2e -args -for $(or $(FOR),30m)

clean: ## Remove what was built
	rm -rf bin

# The first time, what has to be compiled for minutes comes after a look at what is there without.
up: build ## Bring up the sandbox and deploy conf/sandbox.yml on it
	bin/pigsty sandbox up --packages-mode downloaded --packages-of conf/sandbox.yml
	@lacking=$$(go run ./packages/build -lacking | xargs) && if [ -n "$$lacking" ]; then \
		$(MAKE) --no-print-directory deploy BUILT=pigsty WITHOUT='-e loki_enabled=false -e promtail_enabled=false' && \
		printf '\n%s\n%s\n\n' "All but the logs is up: look at http://10.10.10.10/" \
			"Next, to be compiled once, for a quarter of an hour on two cores: $$lacking. Then come the logs."; fi
	@$(MAKE) --no-print-directory deploy
	@echo
	@bin/pigsty status -i conf/sandbox.yml
	@printf '\nConnect (the password of test is test):\n'
	@bin/pigsty connect -i conf/sandbox.yml
	@printf '\nLook (what is up and what is wrong): http://10.10.10.10/\n'
	@printf '\nTry next:\n%s\n%s\n%s\n%s\n' \
		'  bin/pigsty plan -i conf/sandbox.yml      nothing to do; edit conf/sandbox.yml and plan again' \
		'  bin/pigsty pg switchover pg-test -i conf/sandbox.yml --plan   who would take over, and what it costs' \
		'  bin/pigsty sandbox kill node-1           cut the power of the primary of pg-test, then status' \
		'  make down                                remove the sandbox'

# BUILT limits which recipes are built, WITHOUT is what apply is told besides.
deploy:
	go run ./packages/build -version $(VERSION) $(BUILT)
	bin/pigsty repo build -i conf/sandbox.yml --packages bin/packages --yes $(WITHOUT)
	bin/pigsty apply -i conf/sandbox.yml --yes $(WITHOUT)

down: ## Take the sandbox down
	bin/pigsty sandbox down
