# SPDX-License-Identifier: Apache-2.0
# `run bench`: what weir costs, in instructions. Sourced by `run`.

# part_bench [classify | autorate]: what weir costs, or what finding a packet's class costs alone, or how it follows a line.
part_bench() {
	local failed=0
	# The program as routers get it: static, with musl.
	[ -n "${WEIR_BIN:-}" ] || WEIR_BIN=$("$ROOT/cross/build" x86_64 | tail -1)
	[ -x "$WEIR_BIN" ] && lab_tools || return 1
	case ${1:-} in
	classify) bench_classify ;;
	autorate) shift && bench_autorate "$@" ;;
	'') bench_program || failed=1; bench_classify || failed=1; return $failed ;;
	*) echo "usage: bench [classify | autorate [TRACE…]]"; return 64 ;;
	esac
}

bench_program() {
	packages strace
	say "bench: a guest where a nanosecond is an instruction (six minutes, most of them for two days of its own)"
	lab_bus || return 1
	GUEST_PROGRAMS="strace $BUS_BIN" guest_exact "$OUT/bench.log" 1500 guest-bench 0
	local failed=0
	verdict bench "$OUT/bench.log" || failed=1
	sed -n 's/^BENCH //p' "$OUT/bench.log.txt" | awk 'BEGIN { printf "\n%-42s %14s %12s\n", "", "M instructions", "virtual ms" }
		{ us = $NF; k = $(NF - 1); NF -= 2; printf "%-42s %14.2f %12s\n", $0, k / 1000, us == "-" ? "" : sprintf("%.1f", us / 1000) }'
	echo
	sed -n 's/^BENCH-COUNT //p' "$OUT/bench.log.txt"
	echo
	echo "what the daemon keeps: the static program of \`./dev cross x86_64\`, $(stat -c %s "$WEIR_BIN") bytes. All of it is measured, nothing"
	echo "added: two days are two days of the guest's time, each second of which was read, so that history is as large as it gets."
	sed -n 's/^NUMBER \(.*\) got=\([0-9]*\) most=\([0-9]*\)$/\1|\2|\3/p' "$OUT/bench.log.txt" | awk -F'|' '
		BEGIN { printf "\n%-58s%10s%10s  %s\n", "", "measured", "budget", "verdict" }
		{ printf "%-58s%10d%10d  %s\n", $1, $2, $3, $2 <= $3 ? "ok" : "over budget" }'
	bench_aims
	return $failed
}

# bench_value NAME: thousands of instructions.
bench_value() { sed -n "s/^BENCH $1 \([0-9]*\) [0-9-]*$/\1/p" "$OUT/bench.log.txt"; }

# bench_aims: against the aims of the design; sqm-scripts' simple.qos took 384 M in the same kind of guest.
bench_aims() {
	local ours theirs
	ours=$(bench_value "set-up from nothing") theirs=$(bench_value "tc -batch doing the set-up")
	[ -n "$ours" ] && [ -n "$theirs" ] || return
	echo
	echo "set-up: $((ours * 100 / theirs)) % of tc -batch (aim: 33 %), $((384000 / ours)) times less than sqm-scripts' 384 M (aim: 100)"
}
