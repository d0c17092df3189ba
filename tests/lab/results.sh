# SPDX-License-Identifier: Apache-2.0
# What the guests said, as target/lab/results.json and as a table. Sourced by `run`.

# results: of every part whose log is there; `part_ci` removes old logs first.
results() {
	local log
	for log in "$OUT"/*.log.txt; do
		[ -e "$log" ] || continue
		jq -Rn --arg part "$(basename "$log" .log.txt)" '
			[inputs] as $lines
			| {
				part: $part,
				finished: ($lines | any(. == "GUEST OK")),
				# The guest switches itself off: the time on its own clock, virtual or not.
				seconds: ([$lines[] | capture("^\\[ *(?<at>[0-9]+)\\.[0-9]+\\] sysrq: Power Off") | .at | tonumber][0]),
				checks: [$lines[] | capture("^(?<word>ok|not ok) (?<name>.*)$") | {name, ok: (.word == "ok")}],
				numbers: [$lines[] | capture("^NUMBER (?<name>.*?) (?<values>[a-z0-9_]+=.*)$")
					| {name, values: (.values | [scan("([a-z0-9_]+)=(-?[0-9]+)") | {(.[0]): (.[1] | tonumber)}] | add)}]
			}' "$log"
	done | jq -s . >"$OUT/results.json"
	jq -r '.[] | [.part, ([.checks[] | select(.ok)] | length), ([.checks[] | select(.ok | not)] | length), .seconds // "-",
		(if .finished then "" else "did not finish" end)] | @tsv' "$OUT/results.json" |
		awk -F'\t' 'BEGIN { printf "\n%-16s%8s%8s%10s\n", "part", "passed", "failed", "seconds" } { printf "%-16s%8s%8s%10s  %s\n", $1, $2, $3, $4, $5 }'
	say "numbers: target/lab/results.json"
}
