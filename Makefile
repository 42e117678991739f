# Two commands matter: `make up` runs everything, `make test` tests it. Both need Python 3.11+ and nothing else.
.DEFAULT_GOAL := help
.PHONY: help site up down status shell clean test test-unit prove chaos load check hooks format docs migration bench release release-verify seed images sbom
PRODUCTS ?= 1000
WORKERS ?= 2
ARGS ?=
# Without compiled modules each start of a process costs twice the processor time.
unexport PYTHONDONTWRITEBYTECODE

help: ## list all commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.complete: pyproject.toml uv.lock deploy/local/uv.txt deploy/local/bootstrap.sh
	@sh deploy/local/bootstrap.sh

up: .venv/.complete ## run the whole system; Ctrl-C stops it, the data stays in .local/ (ARGS="--without projector", "--secure", "--observe")
	@exec .venv/bin/python -m deploy.local up $(ARGS)

down: .venv/.complete ## stop a running `make up` from another terminal
	@.venv/bin/python -m deploy.local down

status: .venv/.complete ## show what runs and whether it is ready
	@.venv/bin/python -m deploy.local status

shell: .venv/.complete ## open a shell whose commands use the running stack (ARGS="-c '...'" for one command)
	@.venv/bin/python -m deploy.local shell $(ARGS)

clean: .venv/.complete ## remove .local/: the data and logs of `make up`
	@.venv/bin/python -m deploy.local clean

test: .venv/.complete ## run all tests but `make prove`, against real servers (ARGS="-k slug" chooses, ARGS="-n 0 --pdb" debugs)
	.venv/bin/python -m pytest -m "not prove" -n $(WORKERS) --dist loadfile $(ARGS)

test-unit: .venv/.complete ## run the tests that need no server, in seconds
	.venv/bin/python -m pytest -m "not prove and not servers" -n $(WORKERS) --dist loadfile tests/unit tests/contract tests/architecture $(ARGS)

prove: .venv/.complete ## run the long tests: random faults, whole matrices of requests, the last release, the container engine
	.venv/bin/python -m pytest -m prove $(ARGS)

chaos: .venv/.complete ## break everything at random, then check that nothing was lost (ARGS="--minutes 30 --seed 42")
	.venv/bin/python -m tests.chaos $(ARGS)

load: .venv/.complete ## send a realistic mix to a running `make up` and report (ARGS="--minutes 2 --commands 50 --reads 500")
	@.venv/bin/python -m tests.load $(ARGS)

check: .venv/.complete ## format, lint, types, import contracts, Dockerfiles, secrets, known weaknesses, CI workflows
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy deploy docs
	.venv/bin/lint-imports
	.venv/bin/hadolint Dockerfile.* deploy/compose/servers/Dockerfile
	.venv/bin/python -m deploy.security
	.venv/bin/python -m deploy.workflows

hooks: ## run `make check` before each commit (git config core.hooksPath)
	@git config core.hooksPath .githooks

format: .venv/.complete ## format the code and fix what can be fixed
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

docs: .venv/.complete ## write the generated pages, schemas, asyncapi.yaml and the boards of Grafana from the code
	.venv/bin/python -m docs.generate

site: .venv/.complete ## build the site of the documentation in site/ (needs npm, for the program that draws the pictures)
	.venv/bin/python -m docs.site

migration: .venv/.complete ## write a migration with the changed SQL functions (OF=projector TITLE=faster_differences)
	@.venv/bin/python -m deploy.sql_functions $(OF) $(TITLE)

images: .venv/.complete ## build the three container images (IMAGE_TAG=dev; PYTHON_IMAGE=... pins the base, ARGS=--release asks for that)
	@.venv/bin/python -m deploy.images build $(ARGS)

sbom: .venv/.complete ## write what is in the images to build/sbom/ (CycloneDX; from the images too, if Syft is installed)
	@.venv/bin/python -m deploy.images sbom $(ARGS)

bench: .venv/.complete ## run the benchmarks (they start their own servers)
	UV_PYTHON_DOWNLOADS=never .venv/bin/uv sync --quiet --locked --inexact --group bench
	.venv/bin/python -m tests.benchmarks $(ARGS)

release: .venv/.complete ## cut a release: version, changelog, upgrade notes, commit, tag (VERSION=1.2.3 or minor, ARGS=--dry-run)
	@.venv/bin/python -m deploy.release cut $(VERSION) $(ARGS)

release-verify: .venv/.complete ## check that a tag is a release that was cut on main (TAG=v1.2.3)
	@.venv/bin/python -m deploy.release verify $(TAG)

seed: .venv/.complete ## load a realistic catalogue into a running system (PRODUCTS=1000)
	@.venv/bin/python -m deploy.local shell -c "python -m command_api seed --count $(PRODUCTS)"
