# SPDX-License-Identifier: Apache-2.0
# `run bench classify`: what it costs the kernel to find a packet's class. Sourced by `run`.
#
# What is told is what a packet costs more than the same packet without a filter, in the same guest; the aims are about
# that difference, and about ratios within one run.

bench_classify() {
	local failed=0
	say "classify: instructions per packet, in the same kind of guest (half a minute)"
	GUEST_MODULES=pktgen guest_exact "$OUT/classify.log" 600 guest-classify-bench 0 20000
	verdict classify "$OUT/classify.log" || failed=1
	grep -q '^NUMBER classify/' "$OUT/classify.log.txt" || return 1
	classify_json "$OUT/classify.log.txt" >"$OUT/classify.json" && classify_table && classify_aims || failed=1
	classify_chart
	say "numbers: target/lab/classify.json, picture: target/lab/classify.svg"
	return $failed
}

# classify_json LOG: rows with their costs, what making the program costs, and the aims.
classify_json() {
	jq -Rn '
		def round1: . * 10 | round / 10;
		[inputs] as $lines
		| [$lines[] | capture("^NUMBER classify/(?<packet>[^/]*)/(?<what>.*) rules=(?<rules>[0-9]+) packets=(?<packets>[0-9]+) ns=(?<ns>[0-9]+) program=(?<program>[0-9]+) valid=(?<valid>[01])$")
			| {packet, what, rules: (.rules | tonumber), instructions: ((.ns | tonumber) / (.packets | tonumber)),
				program: (.program | tonumber), valid: (.valid == "1")}] as $all
		| ($all | map(select(.valid and (.what | startswith("no filter")))) | group_by(.packet)
			| map({key: .[0].packet, value: (map(.instructions) | add / length)}) | from_entries) as $bare
		| ($all | map(. + {cost: (if .valid and $bare[.packet] then .instructions - $bare[.packet] else null end)})) as $rows
		| def cost($packet; $what; $rules): $rows | map(select(.packet == $packet and .what == $what and .rules == $rules) | .cost)[0];
		def at_most($name; $got; $limit): {name: $name, got: $got, limit: $limit, met: ($got != null and $got <= $limit)};
		def ratio($a; $b): if $a != null and $b != null and $b > 0 then $a / $b else null end;
		# Of the two costs, unless one is missing.
		def worst($costs): if $costs | any(. == null) then null else $costs | max end;
		{
			unit: "instructions per packet; cost is what is more than without a filter",
			rows: ($rows | map(.instructions |= round1 | if .cost then .cost |= round1 else . end)),
			no_filter_spread: ($rows | map(select(.packet == "udp4" and .valid and (.what | startswith("no filter"))) | .instructions)
				| if length > 1 then max - min | round1 else null end),
			making: [$lines[] | capture("^BENCH (?<what>(plan|set-up), [0-9]+ rules) (?<thousands>[0-9]+) ") | {what, instructions: (.thousands | tonumber * 1000)}],
			aims: [
				at_most("400 rules, UDP over IPv4, instructions"; worst([cost("udp4"; "weir, last rule"; 400), cost("udp4"; "weir, no match"; 400)]); 450),
				at_most("400 rules, UDP over IPv6, instructions"; worst([cost("udp6"; "weir, last rule"; 400), cost("udp6"; "weir, no match"; 400)]); 450),
				at_most("400 rules cost this times what 10 do, a match"; ratio(cost("udp4"; "weir, last rule"; 400); cost("udp4"; "weir, last rule"; 10)); 1.1),
				at_most("400 rules cost this times what 10 do, no match"; ratio(cost("udp4"; "weir, no match"; 400); cost("udp4"; "weir, no match"; 10)); 1.1)
			],
			peers: {
				u32_times: ratio(cost("udp4"; "u32, last rule"; 400); cost("udp4"; "weir, last rule"; 400)),
				flower_times: ratio(cost("udp4"; "flower, last rule"; 400); cost("udp4"; "weir, last rule"; 400))
			}
		}' "$1"
}

classify_table() {
	jq -r '.rows | sort_by(.packet != "udp4", .packet != "udp6", .packet) | .[]
		| [.packet, .what, .rules, .instructions, .cost // "void", .program] | @tsv' "$OUT/classify.json" |
		awk -F'\t' 'BEGIN { printf "\n%-9s %-31s %6s %14s %12s %14s\n", "packet", "filter", "rules", "instr/packet", "its cost", "BPF instr" }
			{ printf "%-9s %-31s %6d %14.1f %12s %14s\n", $1, $2, $3, $4, $5 == "void" ? $5 : sprintf("%.1f", $5), $6 ? $6 : "" }'
	jq -r '
		def made($what): .making | map(select(.what == $what) | .instructions)[0] // 0;
		def million: . / 10000 | round / 100 | tostring + " M instructions";
		"", "no filter, three times: they differ by \(.no_filter_spread) instructions",
		"400 rules more cost weir plan \(made("plan, 400 rules") - made("plan, 0 rules") | million), weir apply \(made("set-up, 400 rules") - made("set-up, 0 rules") | million)"
	' "$OUT/classify.json"
}

# classify_aims: against the aims of the design; one that is missed fails the run.
classify_aims() {
	jq -r '
		def short: if . == null then "void" else . * 100 | round / 100 end;
		"", (.aims[] | "aim \(if .met then "met   " else "MISSED" end)  \(.name): \(.got | short) (at most \(.limit))"),
		"with 400 rules u32 costs \(.peers.u32_times | short) times as much, flower \(.peers.flower_times | short) times"
	' "$OUT/classify.json"
	echo
	jq -e '.aims | length > 0 and all(.met)' "$OUT/classify.json" >/dev/null
}

classify_chart() {
	local title what lines=()
	while IFS='=' read -r title what; do
		jq -r --arg what "$what" '.rows[] | select(.packet == "udp4" and .what == $what and .cost) | "\(.rules) \(.cost)"' "$OUT/classify.json" >"$OUT/classify-${title// /-}"
		lines+=("$title=$OUT/classify-${title// /-}")
	done <<-'LINES'
		weir=weir, last rule
		weir without JIT=weir without JIT, last rule
		tc flower=flower, last rule
		tc u32=u32, last rule
	LINES
	"$FLOW_BIN" chart "$OUT/classify.svg" "${lines[@]}" --label "Finding a packet's class: instructions per packet" --x "rules (the last one matches)"
}
