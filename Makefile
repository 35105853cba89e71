# Everything a newcomer needs is `make run` and `make test`; both do their own
# set-up. `make help` lists the rest.

export CGO_ENABLED = 0
CACHE   ?= $(or $(ZHIBAN_CACHE),.cache)
LISTEN  ?= 127.0.0.1:8080
DATA    ?= data
GOLANGCI = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULN   = golang.org/x/vuln/cmd/govulncheck@latest

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: build
build: assets ## build bin/zhiban
	go build -trimpath -o bin/zhiban .

.PHONY: run
run: engine build ## start everything with a demo province and print the dashboard's address
	bin/zhiban standalone --listen $(LISTEN) --data $(DATA)

.PHONY: test
test: engine build chromium kafka ## run all tests on the real engines
	go vet ./...
	go test -timeout 14m ./...

.PHONY: test-fault
test-fault: engine kafka ## run the whole fault suite, on Apache Kafka too
	ZHIBAN_FAULTS=all go test -count=1 -timeout 30m -v -run 'Killed|Lost|Rebalance|Wakes|Offsets|Restored|Full|Leader|Stalled|Twice|Parked|Interrupted|Damage|Older|Rebuild' ./projector ./deploy/kafka

.PHONY: check
check: ## lint and look for known vulnerabilities
	go run $(GOLANGCI) run ./...
	go run $(GOVULN) ./...

.PHONY: engine
engine: ## fetch the ClickHouse library once
	@bash deploy/engine/fetch.sh $(CACHE)/clickhouse

.PHONY: assets
assets: ## fetch and build the static files once
	@bash dashboard/assets/build.sh

.PHONY: chromium
chromium: ## make sure a headless Chromium for the page tests is there
	@bash deploy/engine/chromium.sh

.PHONY: kafka
kafka: ## fetch Apache Kafka for the tests once; it runs on Java 17 or later
	@bash deploy/kafka/fetch.sh $(CACHE)/kafka

.PHONY: golden
golden: build ## write the golden files anew, to be read with git diff
	go test ./schemas ./ingest ./ingest/ledger ./ingest/simulate ./dashboard ./dashboard/export -update

.PHONY: bench
bench: engine build ## measure; prints commands and figures
	go test -run '^$$' -bench . -benchmem -timeout 60m ./schemas/... ./projector/... ./ingest/... ./deploy/proof .

.PHONY: clean
clean: ## remove what was built; the cache and data stay
	rm -rf bin dashboard/assets/dist/* dashboard/assets/node_modules
