# SPDX-License-Identifier: Apache-2.0
# The programs under test and the lab's own. Sourced by `run`. WEIR_BIN and FLOW_BIN name ready ones.

# release_weir: leaves the program as routers get it in $WEIR_BIN.
release_weir() {
	[ -n "${WEIR_BIN:-}" ] && return
	say "building weir"
	(cd "$ROOT" && cargo build -q --release) && WEIR_BIN=$ROOT/target/release/weir
}

# lab_tools: leaves `flow` in $FLOW_BIN.
lab_tools() {
	[ -n "${FLOW_BIN:-}" ] && return
	say "building the lab's tools"
	cargo build -q --release --manifest-path "$HERE/tools/Cargo.toml" --target-dir "$ROOT/target/lab-tools" &&
		FLOW_BIN=$ROOT/target/lab-tools/release/flow
}

# lab_classify: leaves `classify`, which knows the rules as weir does, in $CLASSIFY_BIN.
lab_classify() {
	[ -n "${CLASSIFY_BIN:-}" ] && return
	say "building the lab's classifier"
	cargo build -q --release --manifest-path "$HERE/classify/Cargo.toml" --target-dir "$ROOT/target/lab-classify" &&
		CLASSIFY_BIN=$ROOT/target/lab-classify/release/classify
}
