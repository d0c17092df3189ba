# SPDX-License-Identifier: Apache-2.0
# `run demo`: the main job, live. Sourced by `run`. DEMO_SECONDS is how long each half takes.

# part_demo [--keep]: the household without weir and with it; with --keep a shell on the router follows.
part_demo() {
	local data=$OUT/demo.data arguments
	release_weir && lab_tools || return 1
	arguments=$WEIR_BIN,$FLOW_BIN,${DEMO_SECONDS:-25},
	rm -f "$data"
	say "starting the virtual router"
	if [ "${1:-}" = --keep ]; then
		GUEST_TERMINAL=1 GUEST_DATA=$data guest_wall /dev/stdout 7200 "$HERE/guest-demo" "${arguments}keep"
	else
		GUEST_DATA=$data guest_wall /dev/stdout 240 "$HERE/guest-demo" "$arguments" | tr -d '\r' | tee "$OUT/demo.log" | grep --line-buffered -v '^\['
	fi
	demo_table "$data"
}

# demo_table DATA: before and after, and the picture.
demo_table() {
	local text=$OUT/demo.txt
	tr -d '\r' <"$1" >"$text"
	grep -q '^DONE' "$text" || { echo "the demonstration did not reach its end; see $OUT/demo.log"; return 1; }
	for when in before after; do
		sed -n "s/^SERIES $when //p" "$text" >"$OUT/series-$when"
		sed -n "s/^RESULT $when //p" "$text" | jq -c ". + {when: \"$when\"}"
	done | jq -s . >"$OUT/demo.json"
	"$FLOW_BIN" svg "$OUT/demo.svg" "without weir=$OUT/series-before" "with weir=$OUT/series-after" \
		--label "Round trip of a call while the house is busy (20/5 Mbit/s, 400 ms of buffer)"
	jq -r '
		def ms: if . == null then "-" else "\(. / 1000 | round) ms" end;
		def mbit: "\(. / 100 | round / 10) Mbit/s";
		def at($w; $s): map(select(.when == $w and .stream == $s))[0];
		def row($title; $s; f): [$title, (at("before"; $s) | f), (at("after"; $s) | f)];
		["", "without weir", "with weir"],
		row("backup, upload"; "backup"; .kbit | mbit),
		row("downloads"; "download"; .kbit | mbit),
		(("call", "game") as $s | row("\($s), round trip p50"; $s; .p50_us | ms), row("\($s), p95"; $s; .p95_us | ms),
			row("\($s), p99"; $s; .p99_us | ms), row("\($s), lost"; $s; "\(.lost * 1000 / .sent | round / 10) %")),
		row("web page of 60 kB p50"; "web"; .p50_us | ms), row("web page, p95"; "web"; .p95_us | ms),
		row("web page, p99"; "web"; .p99_us | ms)
		| @tsv' "$OUT/demo.json" | awk -F'\t' 'BEGIN { print "" } { printf "%-26s %16s %16s\n", $1, $2, $3 }'
	echo
	judge_pace "$OUT/demo.json"
	say "numbers: target/lab/demo.json, picture: target/lab/demo.svg"
}

# judge_pace JSON: says so if the guest stood still for more than BUSY_PERMILLE of the time, as this machine did other
# work. With the machine to itself that is 3 to 7 per mille; at 50 downloads lose a seventh, from 120 on a call's round trip
# with weir is twice to twenty times what it should be.
BUSY_PERMILLE=10
judge_pace() {
	jq -r --argjson most $BUSY_PERMILLE '
		[.[] | select(.stream == "pace") | .stalled_permille] | max
		| if . == null then "It is not known whether this machine was busy: the figures may not be valid."
		elif . > $most then "THIS MACHINE WAS BUSY (the router stood still for \(. / 10) % of the time): the figures are not valid; run it again."
		else empty end' "$1"
}
