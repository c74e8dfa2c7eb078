STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME    ?= 30s
SOAKTIME    ?= 5m
EVERY       ?= 1
MUTATED     := ./verifier ./verifier/revocation ./verifier/ssf ./jwkscache ./internal/jose
MODULES      = $(shell go list -m -f '{{.Dir}}')

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## tell the client-credentials story against net/http, Echo and Gin
	@go run ./examples/quickstart

# In a process group of its own, where there is a terminal, so that Ctrl-C
# reaches the servers alone: they end without an error, and make does.
.PHONY: run
run: ## keep the demo's servers on 127.0.0.1:8080 to 8083 (ARGS="-auth 127.0.0.1:9000 ..." moves them)
	@go build -o bin/quickstart ./examples/quickstart
	@if [ -t 0 ]; then set -m; fi; bin/quickstart -serve $(ARGS)

# With the race detector, the runtime may crash where many goroutines of a synctest bubble
# wait for timers (go.dev/issue/78156), which those of jwkscache do. Only after such a crash
# are its tests run again: a test that fails, or a race, fails at once.
.PHONY: test
test: ## run all tests with the race detector
	@for n in 1 2 3 4 5; do \
		if out=$$(go test -race -shuffle=on ./jwkscache 2>&1); then echo "$$out"; exit 0; fi; \
		echo "$$out" | tail -n 200; \
		if echo "$$out" | grep -Eq '^ *--- FAIL|DATA RACE'; then exit 1; fi; \
		echo "$$out" | grep -Eq '^(ThreadSanitizer: CHECK failed|SIGSEGV: segmentation violation)' || exit 1; \
		echo "The race detector has crashed. Again:"; \
	done; exit 1
	go test -race -shuffle=on $$(go list ./... | grep -v '/jwkscache$$') ./adapters/echov5auth/... ./adapters/grpcauth/... ./adapters/mcpauth/... ./adapters/otelauth/... ./adapters/redisstore/... ./examples/chi/... ./examples/connect/... ./examples/fleet/api/... ./examples/fleet/kubernetes/... ./examples/mcp/... ./examples/openapi/... ./examples/websocket/...

.PHONY: lint
lint: ## gofmt, vet, staticcheck, tidy, explanations of mutants that are gone
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	@set -ex; for m in $(MODULES); do \
		(cd $$m; go vet ./...; go run $(STATICCHECK) ./...; go mod tidy -diff); \
	done
	cd internal/mutate && go run . -stale $(MUTATED) && go run ./bcp -stale

# The workspace (go.work) builds all modules with one set of versions, the
# highest that any of them asks for. Users have those of the root's go.mod. The
# other targets test e2e, benchmarks and observability, which nobody else uses.
.PHONY: alone
alone: ## build every module without the workspace, and test those that are not tests themselves
	@set -ex; for m in $(MODULES); do (cd $$m; export GOWORK=off; go vet ./...; \
		case $$m in */e2e | */benchmarks | */fleet | */observability) ;; *) go test ./... ;; esac); \
	done

.PHONY: e2e
e2e: ## run against servers that others wrote (needs Node.js 20 or later, nginx, Chromium, Redis)
	npm ci --ignore-scripts --no-audit --no-fund --prefix e2e/node
	cd e2e && go test -race -shuffle=on -count=1 ./...

.PHONY: observability
observability: ## show what Prometheus sees of rotation, outage and attack (needs prometheus; ARGS="-during 10m ...")
	@go build -o bin/observability ./examples/observability
	@if [ -t 0 ]; then set -m; fi; bin/observability $(ARGS)

.PHONY: observability-test
observability-test: ## test that, the dashboard and the alerts (needs prometheus and promtool)
	cd examples/observability && go test -race -shuffle=on -count=1 ./...

.PHONY: fleet
fleet: ## show replicas that share a Redis while what they depend on fails (ARGS="-short ...")
	@command -v redis-server >/dev/null || command -v apt-get >/dev/null || { \
		echo "make fleet needs redis-server in PATH: install Redis 7 or later, or Valkey"; exit 1; }
	@go build -o bin/fleet ./examples/fleet
	@if [ -t 0 ]; then set -m; fi; .ci/redis bin/fleet -picture bin/fleet.svg $(ARGS)

.PHONY: fleet-test
fleet-test: ## test that (needs redis-server: .ci/redis make fleet-test)
	cd examples/fleet && go test -race -shuffle=on -count=1 ./...

# Before Go 1.27, go test may report the end of FUZZTIME as a failure, "context deadline
# exceeded" (go.dev/issue/75804). An input that fails is kept in testdata, and fails the
# second run, too.
.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (30s)
	@set -e; for pkg in $$(go list ./... ./adapters/grpcauth/... ./adapters/mcpauth/...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			run="go test -run ^$$ -fuzz ^$$target$$ -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg"; \
			echo "$$pkg $$target"; $$run || $$run; \
		done; \
	done

.PHONY: soak
soak: ## load the three APIs for SOAKTIME (5m) while keys rotate and the issuer fails
	cd e2e && go run ./soak -duration $(SOAKTIME)

.PHONY: mutate
mutate: ## break each check of the library, or one in EVERY, and see a test fail
	cd internal/mutate && go run . -every $(EVERY) $(MUTATED)

.PHONY: bcp
bcp: ## break each point of docs/bcp.md, and see the tests named there fail
	cd internal/mutate && go run ./bcp

.PHONY: vuln
vuln: ## look for known vulnerabilities that reach this code
	@out=$$(go run $(GOVULNCHECK) ./... 2>&1) && echo "$$out" || { echo "$$out"; \
		echo "$$out" | grep -q "^govulncheck: fetching vulnerabilities" || exit 1; \
		echo "The vulnerability database cannot be reached from here: nothing was checked."; }

.PHONY: bench
bench: ## compare with the bare cryptography and with other libraries
	cd benchmarks && go run .

.PHONY: bench-report
bench-report: ## the same, longer, into docs/performance.md and its charts
	cd benchmarks && go run . -report ../docs

.PHONY: bench-guard
bench-guard: ## fail where a verification, a remembered token or a refusal became slow
	cd benchmarks && go run . -guard

.PHONY: cover
cover: ## write coverage.html
	go test -coverpkg=./verifier,./jwkscache,./adapters/... -coverprofile=coverage.out ./...
	go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -1
