# SPDX-License-Identifier: Apache-2.0
# `run bench autorate`: shapers on lines that follow a trace, on a real kernel. Sourced by `run`.
#
# WHO="weir none": those shapers alone, of: weir weir-max (up to a ceiling) fixed none cake-autorate. The last one needs
# CAKE_AUTORATE_DIR, a folder with its scripts, which are only copied into the guest, and `fping`.
# WAY=up|down  LENGTH=90 (seconds)  ENGINE=htb|cake  RTT=40 (milliseconds)  JITTER=0 (of the answers, milliseconds)
# Below each is what the simulator says of the same trace. Its reflectors have 2 ms of noise and clocks of their own, its
# flows round trips within a quarter of RTT; here all are as far, and answers are as even as JITTER makes them.

# bench_autorate [TRACE…]
bench_autorate() {
	local trace who failed=0 way=${WAY:-up} length=${LENGTH:-90} engine=${ENGINE:-htb} rtt=${RTT:-40} jitter=${JITTER:-0} name
	[ $# -gt 0 ] || set -- "$ROOT/tests/traces/synth__steps-50-10-50.csv" "$ROOT/tests/traces/starlink-autobahn__up-seg0.csv"
	simulator || return 1
	local whos=${WHO:-weir fixed none ${CAKE_AUTORATE_DIR:+cake-autorate}}
	for trace in "$@"; do
		name=$(basename "$trace" .csv)-$way
		for who in $whos; do
			say "$name: $who for $length s of virtual time"
			autorate_guest "$trace" "$who" "$OUT/autorate-$name-$who.log" "$who,$way,$length,$engine,$rtt,$jitter" || failed=1
		done
		autorate_table "$name" "$trace" $whos
	done
	return $failed
}

# autorate_guest TRACE WHO LOG ARGUMENT
autorate_guest() {
	local extra programs=
	extra=$(mktemp -d "$LAB/extra.XXXXXX")
	cp "$1" "$extra/trace.csv"
	if [ "$2" = cake-autorate ]; then
		packages fping
		cp -r "${CAKE_AUTORATE_DIR:?names the folder of its scripts}" "$extra/cake-autorate" && programs=fping
	fi
	GUEST_EXTRA=$extra GUEST_PROGRAMS=$programs guest_exact "$3" 1800 guest-autorate-bench 0 "$4"
	rm -rf "$extra"
	tr -d '\r' <"$3" >"$3.txt"
	grep -q '^GUEST OK' "$3.txt" && return
	echo "the guest did not reach its end, log $3.txt"; grep -v '^SERIES' "$3.txt" | tail -5
	return 1
}

# autorate_json WHO LOG: one object.
autorate_json() {
	local what
	{
		sed -n 's/^SCORE //p' "$2"
		for what in idle light loaded memory changes; do sed -n "s/^COST $what \(.*\)/{\"$what\":\1}/p" "$2"; done
	} | jq -sc --arg who "$1" 'add + {who: $who}'
}

# simulator: leaves the simulator in $WEIR_SIM, if it is not there.
simulator() {
	[ -n "${WEIR_SIM:-}" ] && return
	say "building the simulator"
	(cd "$ROOT" && cargo build -q --profile sim --features sim --bin weir-sim) && WEIR_SIM=$ROOT/target/sim/weir-sim
}

# autorate_simulated WHO TRACE: what the simulator says of the same, one object in the lab's units; nothing if it cannot.
autorate_simulated() {
	local pilot=$1
	case $1 in weir-max) pilot=weir ;; fixed) pilot=fixed-0.8mean ;; esac
	"$WEIR_SIM" run --pilot "$pilot" --way "${WAY:-up}" --seconds "${LENGTH:-90}" --engine "${ENGINE:-htb}" --rtt "${RTT:-40}" --json "$2" 2>/dev/null |
		jq -c --arg who "$1" '.[0] | {who: $who, simulated: true, used_permille: (.used * 1000 | round), p50_us: (.p50_ms * 1000 | round),
			p95_us: (.p95_ms * 1000 | round), p99_us: (.p99_ms * 1000 | round), above_30_permille: (.above_30_ms * 1000 | round),
			above_100_permille: (.above_100_ms * 1000 | round), peak_us: [.peak_ms // empty | . * 1000], drain_ms: [.drain_s // empty | . * 1000],
			rise_ms: [.rise_s // empty | . * 1000], changes: {changes: (.changes_per_s * 100), seconds: 100}, loaded: {probes_per_100s: (.probes_per_s * 100)}}'
}

# autorate_table NAME TRACE WHO…
autorate_table() {
	local name=$1 trace=$2 who
	shift 2
	for who in "$@"; do
		autorate_json "$who" "$OUT/autorate-$name-$who.log.txt"
		autorate_simulated "$who" "$trace"
	done | jq -s . >"$OUT/autorate-$name.json"
	jq -r --arg name "$name" '
		def ms: if . == null then "-" else . / 100 | round / 10 end;
		def tenth: if . == null then "-" else . * 10 | round / 10 end;
		def list(f): if length == 0 then "-" else map(f) | join(" ") end;
		[$name, "use %", "p50 ms", "p95", "p99", "max", ">30 %", ">100 %", "peak ms", "calm s", "rise s", "changes/s", "probes/s", "M instr/s", "light", "idle", "wakes/s", "light", "idle", "RSS kB", "anon"],
		(.[] | [(if .simulated then "    simulated" else .who end), .used_permille / 10, (.p50_us | ms), (.p95_us | ms), (.p99_us | ms), (.max_us | ms),
			.above_30_permille / 10, .above_100_permille / 10, (.peak_us | list(. / 1000 | round)), (.drain_ms | list(. / 1000 | tenth)), (.rise_ms | list(. / 1000 | tenth)),
			(.changes.changes / .changes.seconds | tenth), (.loaded.probes_per_100s / 100 | tenth)]
			+ if .simulated then [] else [(.loaded.instructions_per_s / 1000000 | tenth), ((.light.instructions_per_s // 0) / 1000000 | tenth), (.idle.instructions_per_s / 1000000 | tenth),
			(.loaded.switches_per_100s / 100 | tenth), ((.light.switches_per_100s // 0) / 100 | tenth), (.idle.switches_per_100s / 100 | tenth), .memory.rss_kb, .memory.anon_kb] end)
		| @tsv' "$OUT/autorate-$name.json" | awk -F'\t' 'BEGIN { print "" } { printf "%-34s", $1; for (i = 2; i <= NF; i++) printf "%10s", $i; print "" } END { print "" }'
	jq -r '.[] | select((.refill_permille // 0) > 5) | "\(.who): a bucket refilled at each change of the line adds up to \(.refill_permille / 10) % to its capacity"' "$OUT/autorate-$name.json"
	# Apart by a tenth, and by more than one run of either differs from the next.
	jq -r '
		def apart($what; $a; $b; $least): ([$a, $b] | max - min) as $off | select($off > $least and $off * 10 > ([$a, $b] | max))
			| "\($what): \(($a | round) / 10) in the lab, \(($b | round) / 10) simulated";
		group_by(.who)[] | select(length == 2) | . as [$x, $y] | (if $x.simulated then [$y, $x] else [$x, $y] end) as [$real, $simulated]
		| (apart("use %"; $real.used_permille; $simulated.used_permille; 10),
			apart("p50 ms"; $real.p50_us / 100; $simulated.p50_us / 100; 20),
			apart(">30 ms %"; $real.above_30_permille; $simulated.above_30_permille; 20)) | "differs: \($real.who), \(.)"' "$OUT/autorate-$name.json"
}

# part_allocations: the run loop asks for no memory. The program is the build with the lines' numbers, without them in the guest.
part_allocations() {
	local extra stripped
	debug_weir && lab_tools || return 1
	cargo build -q --release --manifest-path "$HERE/allocations/Cargo.toml" --target-dir "$ROOT/target/lab-tools" || return 1
	packages binutils
	say "allocations: a daemon that steers asks for no memory"
	extra=$(mktemp -d "$LAB/extra.XXXXXX") stripped=$extra/weir
	cp "$ROOT/target/lab-tools/release/liballocations.so" "$extra/"
	objcopy --strip-debug "$WEIR_DEBUG" "$stripped"
	WEIR_BIN=$stripped GUEST_EXTRA=$extra guest_exact "$OUT/allocations.log" 600 guest-allocations 1
	rm -rf "$extra"
	verdict allocations "$OUT/allocations.log" && return
	allocations_where "$OUT/allocations.log.txt"
	return 1
}

# allocations_where LOG: the places, by function and line, of weir's own frames.
allocations_where() {
	local engine base count size stack address
	grep '^STACK ' "$1" | while read -r _ engine base count size stack; do
		printf '\n%s: %s times %s bytes\n' "$engine" "$count" "$size"
		for address in $stack; do
			printf '0x%x\n' $((16#$address - 16#$base - 1))
		done | addr2line -C -f -e "$WEIR_DEBUG" | paste - - | grep -v '??' | grep "$ROOT/src\| src/\|alloc::" | head -12
	done
}
