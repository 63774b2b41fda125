# Sluice on a laptop. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.PHONY: help setup up down status env run sql job events check test lint mutants benchmark slow package \
	emergency-stop emergency-undo compose tools lint-files hooks security \
	deploy rollback destroy terraform-check terraform-scan terraform-state terraform-plan terraform-apply \
	policies policies-record policies-enforce policies-relax \
	changed-tests airflow-tests flow-tests job-tests dq-tests mutant-tests stand-in-tests \
	kernel-mutants steps-mutants platform-mutants

JOBS    := .venv/jobs/bin/python
AIRFLOW := .venv/airflow/bin/python
export PYTHONDONTWRITEBYTECODE = 1

# What a person gives reaches a command by its environment, as it was typed. In a recipe's text the shell would run
# its $( ), and make would do so before.
unexport Q STEP N BROKEN WHO WHY ENV TO DATA

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make the Python environments and download the jars (run and test do it too)
	@python3 -m infra.setup

up: setup ## start the local platform and wait until it is healthy
	@$(JOBS) -m infra.local up

down: ## stop the local platform
	@$(JOBS) -m infra.local down

status: ## show the parts of the platform, their memory and addresses
	@$(JOBS) -m infra.local status

env: ## print what clients need to reach the platform: eval "$(make env)"
	@$(JOBS) -m infra.local env

run: setup ## run the daily DAG for three days in Airflow and print gold
	@$(JOBS) -m infra.local run

sql: export STATEMENT = $(value Q)
sql: ## run a statement through the Athena API: make sql Q="SELECT ..."
	@$(JOBS) -m infra.local sql -- "$$STATEMENT"

job: export ARGUMENTS = $(value STEP)
job: setup ## run one step as a job run: make job STEP="quarantine.replay silver.orders"
	@$(JOBS) -m infra.local job "$$ARGUMENTS"

events: export NUMBER = $(value N)
events: export PER_CENT = $(value BROKEN)
events: setup ## send order events to Kafka, 5 per cent of them broken: make events N=2000 BROKEN=5
	@$(JOBS) -m infra.local events "$${NUMBER:-2000}" --broken "$${PER_CENT:-0}"

emergency-stop emergency-undo: export DECIDED_BY = $(value WHO)
emergency-stop emergency-undo: export REASON = $(value WHY)
emergency-stop: ## pause all DAGs and end all job runs: make emergency-stop WHO="Ann" WHY="strange rows"
	@$(JOBS) -m infra.local emergency stop "--who=$$DECIDED_BY" "--why=$$REASON"

emergency-undo: ## let exactly that run again which ran before the emergency stop; WHO and WHY as there
	@$(JOBS) -m infra.local emergency undo "--who=$$DECIDED_BY" "--why=$$REASON"

package: setup ## build what a deployment uploads; its name is a hash of its content
	@$(JOBS) -m infra.package build

terraform-check: setup ## check infra/terraform: format, validity, tests of the modules; no AWS is asked
	@$(JOBS) -m infra.provision check

terraform-scan: setup ## look for weak spots in infra/terraform with checkov, offline
	@$(JOBS) -m infra.provision scan

deploy: setup ## build the release, put it on AWS, try it, and go back if it fails: make deploy ENV=dev
	@$(JOBS) -m infra.deploy deploy "$$TARGET"

rollback: setup ## go to an earlier release, and try it: make rollback ENV=dev TO=0123456789ab
	@$(JOBS) -m infra.deploy rollback "$$TARGET" "$$RELEASE"

destroy: setup ## remove what runs on AWS and keep the data: make destroy ENV=dev; DATA=<the lake's bucket> takes it too
	@$(JOBS) -m infra.provision destroy "$$TARGET" "data=$$LAKE"

rollback: export RELEASE = $(value TO)
destroy: export LAKE = $(value DATA)
deploy rollback destroy terraform-state terraform-plan terraform-apply: export TARGET = $(value ENV)
terraform-state: setup ## make the bucket of Terraform's state: make terraform-state ENV=dev
	@$(JOBS) -m infra.provision state "$$TARGET"

terraform-plan: setup ## show what an apply would change: make terraform-plan ENV=dev
	@$(JOBS) -m infra.provision plan "$$TARGET" || [ $$? -eq 2 ]  # 2: something would change

terraform-apply: setup ## change what the last plan showed, and nothing else: make terraform-apply ENV=dev
	@$(JOBS) -m infra.provision apply "$$TARGET"

policies: setup ## compare what each role may do with what it does in the recorded flow; no AWS is asked
	@$(JOBS) -m infra.policies report

policies-record: setup ## run the whole flow under the policies, and keep what each role used: some ten minutes
	@SLUICE_RECORD=1 $(JOBS) -m pytest -s -m slow tests/flow/test_policies.py

policies-enforce: setup ## let the running platform refuse what the policies do not allow
	@$(JOBS) -m infra.policies enforce

policies-relax: ## let the running platform allow everything again
	@$(JOBS) -m infra.policies relax

slow: setup tools ## run the tests that take minutes: racing drivers, backfills in any order, kills, a stream to gold
	@$(JOBS) -m pytest -s -m slow --timeout 900 tests/dq tests/faults tests/upgrade tests/jobs tests/flow tests/github tests/infra
	@python3 -m infra.setup.browser
	@$(AIRFLOW) -m pytest -s -m slow --timeout 900 tests/dags tests/plugins

benchmark: setup ## measure silver and gold as their table grows, and compare the stream with others
	@$(JOBS) -m benchmarks.table_size
	@$(JOBS) -m benchmarks.orders_stream

lint: setup ## run ruff and mypy
	@.venv/jobs/bin/ruff check . && .venv/jobs/bin/ruff format --check .
	@.venv/jobs/bin/mypy --exclude '^tests/(dags|plugins)/' jobs dq infra tests
	@.venv/jobs/bin/mypy --python-executable .venv/airflow/bin/python plugins dags tests/dags tests/plugins

tools: ## make the environment of the tools that look at the project's own files
	@python3 -m infra.setup.tools

TOOLS := .venv/tools/bin
lint-files: tools ## check workflows, Dockerfile and docker-compose.yaml
	@$(TOOLS)/hadolint infra/containers/Dockerfile
	@$(TOOLS)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yaml
	@$(TOOLS)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(TOOLS)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	@$(TOOLS)/actionlint
	@$(TOOLS)/zizmor --offline --quiet .github

hooks: setup tools ## let git run the linters before each commit
	@$(TOOLS)/pre-commit install

security: setup tools ## look for secrets in tree and history, for known vulnerabilities, and at licences
	@$(TOOLS)/python -m infra.security

compose: setup ## write docker-compose.yaml again, from the platform's list of parts
	@$(JOBS) -m infra.containers.compose

mutants: setup ## put each known fault into the code, and check that its test fails
	@$(MAKE) --no-print-directory -k -j 2 kernel-mutants steps-mutants platform-mutants

kernel-mutants steps-mutants platform-mutants: setup
	@$(JOBS) -m tests.mutants $(@:-mutants=)

check: setup ## between two commits: lint, types and the tests of changed modules
	@$(MAKE) --no-print-directory -j 2 lint changed-tests

changed-tests: setup
	@$(JOBS) -m tests.changed

test: setup ## run every check: lint, types, all tests but the slow ones, and the quick mutants
	@$(MAKE) --no-print-directory -j 3 job-tests dq-tests flow-tests stand-in-tests airflow-tests mutant-tests lint

# Three at a time for two cores, as tests of whole processes often wait. The long ones come first.
airflow-tests: setup
	@$(AIRFLOW) -m pytest tests/dags tests/plugins

flow-tests: setup
	@$(JOBS) -m pytest tests/flow

job-tests: setup
	@$(JOBS) -m pytest tests/jobs

# All tests that have no target of their own: rules, broken sources and others.
dq-tests: setup
	@$(JOBS) -m pytest tests $(addprefix --ignore tests/,dags plugins flow infra jobs)

stand-in-tests: setup
	@$(JOBS) -m pytest tests/infra

mutant-tests: setup
	@$(JOBS) -m tests.mutants quick
