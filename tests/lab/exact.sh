# SPDX-License-Identifier: Apache-2.0
# The parts that run in virtual time, in a guest that does not depend on how busy this machine is. Sourced by `run`.

# exact NAME SECONDS SCRIPT ARGUMENT: runs a guest of shift 1 (500 million instructions a second) and judges it.
exact() {
	local name=$1 limit=$2 script=$3 argument=$4 began=$SECONDS
	guest_exact "$OUT/$name.log" "$limit" "$script" 1 "$argument"
	verdict "$name" "$OUT/$name.log" && say "$name took $((SECONDS - began)) s"
}
part_goodput() { release_weir && lab_tools && say "goodput: TCP, both ways, IPv4 and IPv6" && exact goodput "${LIMIT:-900}" guest-goodput "${1:-1,10,50}"; }
part_gso() { release_weir && lab_tools && say "goodput with super-packets left on" && exact gso "${LIMIT:-900}" guest-goodput "${1:-10,gso}"; }
part_presets() { release_weir && lab_tools && say "presets: small and large packets through each" && exact "presets-${1:-all}" "${LIMIT:-900}" guest-presets "${1:-htb,cake}"; }
part_latency() { release_weir && lab_tools && say "latency and shares under saturation" && exact latency "${LIMIT:-900}" guest-latency ""; }
part_change() { release_weir && lab_tools && say "changes under load" && exact change "${LIMIT:-900}" guest-change ""; }
part_rules() { release_weir && lab_tools && say "rules: a call beside a backup, over every kind of device" && GUEST_MODULES=pppoe GUEST_PROGRAMS=nft exact rules "${LIMIT:-900}" guest-rules ""; }
part_autorate() { release_weir && lab_tools && say "autorate: rates that follow the line" && exact autorate "${LIMIT:-900}" guest-autorate "${1:-}"; }
