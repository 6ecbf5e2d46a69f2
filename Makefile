# `make` lists what there is. Everything works from a fresh clone: Python 3.11 or newer, git, make.

# The first interpreter on the PATH that is new enough; `make PYTHON=…` names another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$python; break; }; done)
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help setup run test outage crash lint fuzz clauses data-map bench-quote mutate prove prove-bugs steps check-stripe-cli report-stripe lock build
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | awk -F'|' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: ## make the two Python environments (.venv and .local/emulator) from the locked sets
ifeq ($(PYTHON),)
	@echo "Python 3.11 or newer is needed, and none is on the PATH; name one: make PYTHON=/path/to/python3" >&2; exit 1
else
	@$(PYTHON) infrastructure/environments.py setup
endif

run: setup ## start the embedded AWS and Stripe, deploy, play the story (ONCE=1 SEED=n FAULTS=1 BREAK=effects PORTS=a,s,m)
	@ONCE="$(ONCE)" SEED="$(SEED)" FAULTS="$(FAULTS)" BREAK="$(BREAK)" PORTS="$(PORTS)" \
		$(BIN)/python -m infrastructure.local run

test: setup ## lint, then every test: unit, application, contract, handlers, infrastructure, scenarios
	@$(BIN)/python -m infrastructure.local test $(ARGS)

lint: setup ## ruff, mypy --strict, import-linter, cfn-lint
	@$(BIN)/python -m infrastructure.local lint

fuzz: setup ## the API from its own document: FUZZ_CASES a route (100), no 5xx, no change on a refusal
	@FUZZ_CASES=$(or $(FUZZ_CASES),100) $(BIN)/python -m pytest -q -s -p no:randomly tests/handlers/test_fuzz.py

clauses: setup ## what each policy obliges to, and what proves it
	@$(BIN)/python -m infrastructure.clauses

data-map: setup ## write docs/data-map.md from the data map
	@$(BIN)/python -m infrastructure.data_map

check-stripe-cli: setup ## the official Stripe CLI (from npm) triggers its events at the local Stripe
	@PYTHONPATH=. $(BIN)/python tests/contract/stripe/check_stripe_cli.py

report-stripe: setup ## what the local Stripe covers and holds, its fault audit, requests a second
	@PYTHONPATH=. $(BIN)/python tests/contract/stripe/report.py $(ARGS)
outage: setup ## an outage of 500 subscriptions, proposed, approved and paid though workers die (minutes)
	@OUTAGE="$(or $(N),500)" $(BIN)/python -m pytest -s -p no:randomly tests/scenarios/test_intake.py -k outage $(ARGS)
crash: setup ## kill a function before and after every change that it makes, in every flow (minutes)
	@CRASH=1 $(BIN)/python -m pytest -rP -p no:randomly tests/scenarios/test_crashes.py $(ARGS)

bench-quote: setup ## decisions a second, and a million cases through the command (CASES=n)
	@CASES="$(CASES)" $(BIN)/python -m infrastructure.bench

mutate: ## mutation score of the arithmetic of money (minutes), survivors with their reasons
	@$(PYTHON) infrastructure/environments.py mutate
	@.local/mutation/bin/python -m infrastructure.mutation

prove: setup ## our own code through simulated lifetimes with every fault, about 20 minutes (SECONDS=n for less)
	@$(BIN)/python -m infrastructure.proof prove $(SECONDS)

prove-bugs: setup ## bugs planted in a copy of the code, by hand and read off it: each must be noticed (half an hour)
	@$(BIN)/python -m infrastructure.proof bugs

steps: setup ## write tests/fixtures/steps anew: what each use case asks and writes, to be reviewed in the diff
	@rm -rf tests/fixtures/steps
	@ADD_STEPS=1 $(BIN)/python -m pytest -q -p no:cacheprovider tests/application tests/handlers

lock: ## renew requirements/*.txt and shared/requirements.txt from requirements/*.in
	@$(PYTHON) infrastructure/environments.py lock

build: ## build the deployable artefact with SAM (for `sam deploy`)
	@$(PYTHON) infrastructure/environments.py build
	@SAM_CLI_TELEMETRY=0 .local/build/bin/sam build
