# SPDX-License-Identifier: Apache-2.0
# weir's life on a router with the system bus, under its package's init script: guest-openwrt. Sourced by `run`.

# lab_bus: leaves the bus in $BUS_BIN.
lab_bus() {
	[ -n "${BUS_BIN:-}" ] && return
	say "building the lab's bus"
	# Without its symbols, which guests would have to carry.
	(cd "$ROOT" && cargo build -q --example lab-bus) && strip -o "$OUT/lab-bus" "$ROOT/target/debug/examples/lab-bus" && BUS_BIN=$OUT/lab-bus
}

part_openwrt() {
	release_weir && lab_tools && lab_bus || return 1
	local began=$SECONDS
	say "openwrt: a router boots; its network, its bus and its daemon come and go"
	guest_wall "$OUT/openwrt.log" 300 "$HERE/guest-openwrt" "$WEIR_BIN,$BUS_BIN,$FLOW_BIN,$KROOT"
	verdict openwrt "$OUT/openwrt.log" && say "openwrt took $((SECONDS - began)) s"
}

# The same on a 24Kf, with the static program routers get; the line is a veth.
part_openwrt-mipsel() {
	local extra failed=0
	extra=$(mktemp -d "$LAB/openwrt.XXXXXX")
	mkdir -p "$extra/package" "$extra/openwrt/weir"
	cp -R "$HERE/../package/root" "$extra/package/"
	cp -R "$ROOT/openwrt/weir/files" "$extra/openwrt/weir/"
	say "openwrt-mipsel: building the lab's bus"
	cp "$("$ROOT/cross/build" mipsel --example lab-bus | tail -1)" "$extra/lab-bus" &&
		FOREIGN_LOG=openwrt-mipsel FOREIGN_SCRIPT=guest-openwrt FOREIGN_ARGUMENT=/weir,/lab-bus FOREIGN_EXTRA=$extra part_mips || failed=1
	rm -rf "$extra"
	return $failed
}
