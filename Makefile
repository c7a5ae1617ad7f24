# The commands of this repository. Needed: Rust (rustup picks the toolchain), a C compiler and make.
# `make` alone lists them. Anything else is optional, and what is left out for want of it says SKIP.

CARGO = cargo
# The committed Cargo.lock is what is built and tested; `make CARGO_FLAGS=` lets cargo change it.
CARGO_FLAGS = --locked

# The crates that are meant to be depended on; their features are read from their manifests.
CRATES = stockpulse-core stockpulse-sql stockpulse-kafka stockpulse-redis
# FEATURES is all of them, without those that want a library of the system which is not there.
features_of = $(shell awk '/^\[/ { on = ($$0 == "[features]") } on && /^[a-z]/ && $$1 != "default" { print $$1 }' $(1)/Cargo.toml)
HAS_OPENSSL := $(shell pkg-config --exists openssl 2>/dev/null && echo yes)
LEFT_OUT := $(if $(HAS_OPENSSL),,stockpulse-kafka/ssl)
comma := ,
empty :=
NAMED := $(filter-out $(LEFT_OUT),$(foreach crate,$(CRATES),$(addprefix $(crate)/,$(call features_of,$(crate)))))
# These only pass something on to another crate, which would be built once more for each: all features together have them.
PASSED_ON := stockpulse-sql/tls stockpulse-kafka/ssl stockpulse-kafka/zstd stockpulse-redis/tls
FEATURES := --features $(subst $(empty) $(empty),$(comma),$(strip $(NAMED)))
SAMPLE = examples/replay/data/online-retail-2010-12-01_2010-12-03.csv.xz \
         examples/replay/data/online-retail-2011-01-27_2011-01-28.csv.xz

# For `make sim`: how many seeds, and the first of them.
SEEDS = 1000
FIRST = 1

# Real servers for as long as a command runs, all or those named; .ci/services says where they come from.
SERVERS = .ci/services run

.PHONY: help demo sim test lint fmt clippy doc-lint deny bench docs services-up services-down

help:
	@echo 'make demo    replay five real days of a shop, with scarce stock, and report'
	@echo 'make sim     the simulator over SEEDS=1000 seeds from FIRST=1 on, on all cores'
	@echo 'make test    every test of the workspace: unit, property, integration, how-to programs, documentation;'
	@echo '             with real servers beside it, where they can be had'
	@echo 'make lint    format, clippy for every feature set, rustdoc, licences; warnings are errors'
	@echo 'make bench   the benchmarks of benches/, and their table'
	@echo 'make docs    the documentation of the crates, and the book if mdbook is installed'
	@echo 'make services-up, make services-down    the servers by themselves, for work by hand'

# On the embedded default: stores and bus in one SQLite file, which goes when the report is there.
demo:
	@folder="$$(mktemp -d)"; trap 'rm -rf "$$folder"' EXIT; set -x; \
	$(CARGO) run $(CARGO_FLAGS) --release -p stockpulse-replay --no-default-features -- \
	    --store "sqlite:$$folder/shop.db" --opening-stock 50 $(SAMPLE)

sim:
	$(CARGO) run $(CARGO_FLAGS) --release -p stockpulse-sim -- --seeds $(SEEDS) --first $(FIRST)

# One start of the servers for all of it.
test:
	@$(SERVERS) -- sh -exc ' \
	    $(CARGO) test $(CARGO_FLAGS) --workspace $(FEATURES); \
	    $(CARGO) test $(CARGO_FLAGS) -p stockpulse-core --lib; \
	    $(CARGO) test $(CARGO_FLAGS) -p stockpulse-core --no-default-features --lib'

lint: fmt clippy doc-lint deny

fmt:
	$(CARGO) fmt --all -- --check

# All features with every target; then each library without features, and with each feature alone.
clippy:
	$(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets $(FEATURES) -- -D warnings
	@set -eu; for crate in $(CRATES); do \
	    for feature in '' $(filter-out $(PASSED_ON),$(NAMED)); do \
	        case "$$feature" in ''|"$$crate"/*) ;; *) continue ;; esac; \
	        feature="$${feature#*/}"; \
	        echo "$(CARGO) clippy $(CARGO_FLAGS) -p $$crate --lib --no-default-features --features '$$feature' -- -D warnings"; \
	        $(CARGO) clippy $(CARGO_FLAGS) -p $$crate --lib --no-default-features --features "$$feature" -- -D warnings; \
	    done; \
	done
	@if [ -n '$(LEFT_OUT)' ]; then \
	    if [ "$${STOCKPULSE_REQUIRE:-}" = all ]; then echo 'FAIL $(LEFT_OUT) wants OpenSSL and pkg-config'; exit 1; fi; \
	    echo 'SKIP $(LEFT_OUT): no OpenSSL; apt-get install -y --no-install-recommends libssl-dev pkg-config'; \
	fi

doc-lint:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(CARGO_FLAGS) --workspace --no-deps $(FEATURES)
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(CARGO_FLAGS) --workspace --no-deps

# cargo-deny would take minutes to build, so it is used where it is installed. .ci/run installs it.
deny:
	@if command -v cargo-deny >/dev/null 2>&1; then \
	    set -x; cargo-deny --all-features $(CARGO_FLAGS) check --hide-inclusion-graph bans licenses sources; \
	else \
	    if [ "$${STOCKPULSE_REQUIRE:-}" = all ]; then echo 'FAIL cargo-deny is required and not installed'; exit 1; fi; \
	    echo 'SKIP cargo deny: not installed; cargo install --locked cargo-deny'; \
	fi

# `make bench BENCH='--save-baseline before'`, later `make bench BENCH='--baseline before'`: criterion says what changed.
# Without them each run is compared with the one before.
bench: export BENCH := $(BENCH)
bench:
	@$(SERVERS) -- sh -exc ' \
	    $(CARGO) bench $(CARGO_FLAGS) -p stockpulse-benches -- $$BENCH; \
	    $(CARGO) run $(CARGO_FLAGS) --release -p stockpulse-benches --bin stockpulse-bench-memory; \
	    $(CARGO) run $(CARGO_FLAGS) --release -p stockpulse-benches --bin stockpulse-bench-table'

docs:
	$(CARGO) doc $(CARGO_FLAGS) --workspace --no-deps $(FEATURES)
	@if command -v mdbook >/dev/null 2>&1; then \
	    set -x; mdbook build docs; \
	else \
	    echo 'SKIP the book: mdbook is not installed; it reads as well as plain Markdown, from docs/SUMMARY.md on'; \
	fi

services-up:
	@.ci/services up

services-down:
	@.ci/services down
