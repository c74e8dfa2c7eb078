STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 30s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## tell the client-credentials story against net/http, Echo and Gin
	@go run ./examples/quickstart

.PHONY: run
run: ## keep the demo's servers on 127.0.0.1:8080 to 8083 (ARGS="-auth 127.0.0.1:9000 ..." moves them)
	@go run ./examples/quickstart -serve $(ARGS)

.PHONY: test
test: ## run all tests with the race detector
	go test -race -shuffle=on ./...

.PHONY: lint
lint: ## gofmt, vet, staticcheck, tidy
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	go vet ./...
	go run $(STATICCHECK) ./...
	go mod tidy -diff
	cd e2e && go vet ./... && go run $(STATICCHECK) ./... && go mod tidy -diff

.PHONY: e2e
e2e: ## run against authorization servers that others wrote (needs Node.js 20 or later)
	npm ci --ignore-scripts --no-audit --no-fund --prefix e2e/node
	cd e2e && go test -race -shuffle=on -count=1 ./...

.PHONY: fuzz
fuzz: ## run each fuzz target for FUZZTIME (30s)
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg; \
		done; \
	done

.PHONY: bench
bench: ## benchmark a verification beside the bare cryptography
	go test -run '^$$' -bench . -benchmem ./verifier

.PHONY: cover
cover: ## write coverage.html
	go test -coverpkg=./verifier,./jwkscache,./adapters/... -coverprofile=coverage.out ./...
	go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -1
