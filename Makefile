# Everything a developer or CI runs. `make help` lists the targets.
SHELL       := /bin/bash -o pipefail
.DEFAULT_GOAL := help

GO        ?= go
MODULES   := proto services e2e
BIN       := $(CURDIR)/.bin
OUT       := $(CURDIR)/out
VALIDATE  := v1.2.2
# Where the competitions' series are, unless DATA says.
FORECASTS := $(or $(SETPOINT_DATA),../shared/data)/m4 $(or $(SETPOINT_DATA),../shared/data)/m3
LISTEN    ?= 127.0.0.1:8080
PROTO_SRC := $(shell find proto -name '*.proto')

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build the setpoint binary into bin/
	@mkdir -p bin
	$(GO) build -trimpath -o bin/setpoint ./services/cmd/setpoint

.PHONY: dev
dev: build ## Run the whole service in one process (data in ./.setpoint)
	./bin/setpoint dev --data .setpoint --listen $(LISTEN)

.PHONY: demo
demo: build ## Declare and load GSA's published plan, report its gaps, keep serving (ONCE=1 exits)
	@OUT="$(OUT)" LISTEN="$(LISTEN)" ONCE="$(ONCE)" bash deploy/demo.sh

$(BIN)/buf $(BIN)/staticcheck $(BIN)/protoc-gen-connect-go: .tools/go.mod
	@mkdir -p $(BIN)
	cd .tools && GOWORK=off $(GO) build -o $(BIN)/ github.com/bufbuild/buf/cmd/buf \
		connectrpc.com/connect/cmd/protoc-gen-connect-go honnef.co/go/tools/cmd/staticcheck
	@touch $(BIN)/buf $(BIN)/staticcheck $(BIN)/protoc-gen-connect-go

# The generator is the one of the runtime that the generated code is linked with.
$(BIN)/protoc-gen-go: proto/go.mod
	@mkdir -p $(BIN)
	cd proto && GOWORK=off $(GO) build -o $(BIN)/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go

# buf refuses paths outside the workspace, so protovalidate's schema is copied in.
.bufdeps/buf/validate/validate.proto:
	@mkdir -p $(dir $@)
	@dir=$$(cd proto && GOWORK=off $(GO) mod download -json github.com/bufbuild/protovalidate@$(VALIDATE) | \
		sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p') && \
		install -m 0644 "$$dir/proto/protovalidate/buf/validate/validate.proto" $@

.PHONY: generate
generate: $(BIN)/buf $(BIN)/protoc-gen-go $(BIN)/protoc-gen-connect-go .bufdeps/buf/validate/validate.proto ## Generate the Go code of the protos
	$(BIN)/buf format -w proto
	$(BIN)/buf generate

.PHONY: check-generate
check-generate: generate ## Fail if generated code is not what the protos give
	@git diff --exit-code --stat -- proto && test -z "$$(git ls-files --others --exclude-standard proto)" || \
		{ echo "generated code differs: run make generate and commit"; exit 1; }

.PHONY: lint
lint: $(BIN)/staticcheck $(BIN)/buf .bufdeps/buf/validate/validate.proto ## gofmt, vet, staticcheck, buf lint
	@test -z "$$(gofmt -l services e2e)" || { echo "gofmt:"; gofmt -l services e2e; exit 1; }
	@for m in $(MODULES); do (cd $$m && $(GO) vet ./... && $(BIN)/staticcheck ./...) || exit 1; done
	@cd services/bench && GOWORK=off $(GO) vet . && GOWORK=off $(BIN)/staticcheck .
	$(BIN)/buf lint

.PHONY: test
test: ## Run every test with the race detector
	@bash deploy/test.sh

.PHONY: properties
properties: ## Check every property on many new cases (CHECKS=… RAPID_SEED=… PKG=./gap/...)
	cd services && RAPID_CHECKS=$(or $(CHECKS),1000) RAPID_SEED=$(or $(RAPID_SEED),0) $(GO) test -count 1 -timeout 0 \
		$(or $(PKG),$$(grep -rl --include='*_test.go' pgregory.net/rapid . | xargs -n1 dirname | sort -u))

.PHONY: race
race: test ## The same as test: the race detector is always on

.PHONY: chaos
chaos: ## Kill, stop and cut off servers under load and check every answer (SEED=… ROUNDS=…)
	@SEED="$(SEED)" ROUNDS="$(ROUNDS)" bash deploy/chaos.sh

.PHONY: bench
bench: build ## Benchmarks beside the raw limit, in one run
	cd services/bench && GOWORK=off $(GO) run . $(BENCH)
	cd services && $(GO) test -run '^$$' -bench Evaluate -benchtime 1s -count 1 ./gap

.PHONY: bench-forecast
bench-forecast: ## Forecasts beside the published results of competitions (DATA=DIR, default ../shared/data/m4 and m3)
	$(GO) run ./services/gap/forecast/yardstick $(or $(DATA),$(FORECASTS))

.PHONY: clean
clean: ## Remove build output
	rm -rf bin out .bin .bufdeps
