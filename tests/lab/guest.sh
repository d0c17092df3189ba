# SPDX-License-Identifier: Apache-2.0
# Guests: a script on a real kernel under QEMU. Sourced by `run`.

# Modules the tests need beside those that boot the guest.
TEST_MODULES="veth ifb dummy 8021q bridge tun wireguard sch_htb sch_fq_codel sch_cake sch_sfq sch_netem sch_tbf sch_ingress cls_u32 cls_bpf cls_matchall cls_flower act_mirred act_gact act_skbedit act_pedit act_csum nf_tables nft_masq nft_chain_nat nf_conntrack"
QUICK="quiet cryptomgr.notests apparmor=0 audit=0 mitigations=off nokaslr no_timer_check 8250.nr_uarts=1 random.trust_cpu=on"

# initramfs OUT INIT "MODULES" [DIR]: busybox, the modules in the order they load, INIT as /init, and what is in DIR.
initramfs() {
	local out=$1 init=$2 modules=$3 extra=${4:-} root n=0 file
	root=$(mktemp -d "$LAB/ird.XXXXXX")
	mkdir -p "$root"/{bin,dev,host,new,proc,sys,tmp,mods,run,root,etc}
	cp "${BUSYBOX:-/bin/busybox}" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	for file in $(for m in $modules; do /sbin/modprobe -d "$KROOT" -S "$KVERSION" --show-depends "$m" 2>/dev/null | awk '/^insmod/{print $2}'; done | awk '!seen[$0]++'); do
		n=$((n + 1))
		cp "$file" "$root/mods/$(printf %03d $n)-$(basename "$file")"
	done
	[ -z "$extra" ] || cp -a "$extra/." "$root/"
	cp "$init" "$root/init" && chmod 755 "$root/init"
	(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --reproducible --owner 0:0 2>/dev/null) | gzip -n -1 >"$out"
	rm -rf "$root"
}

# guest_wall LOG SECONDS SCRIPT [ARGUMENT]: runs SCRIPT in a guest that sees this machine's files, read-only, by the wall clock.
# GUEST_TERMINAL=1: its console is this terminal. GUEST_DATA=FILE: what it writes to /dev/ttyS1.
guest_wall() {
	local log=$1 limit=$2 script=$3 argument=${4:-}
	local image=$LAB/wall.gz input=/dev/null
	[ -z "${GUEST_TERMINAL:-}" ] || input=/dev/tty
	if [ ! -e "$image" ] || [ "$HERE/init-wall" -nt "$image" ] || [ "$HERE/guest.sh" -nt "$image" ]; then
		initramfs "$image.$$" "$HERE/init-wall" "virtio_pci 9pnet_virtio 9p overlay $TEST_MODULES"
		mv "$image.$$" "$image"
	fi
	timeout ${GUEST_TERMINAL:+--foreground} -k 5 "$limit" qemu-system-x86_64 -M q35 -accel tcg -smp 1 -m 1024 -nodefaults -display none -serial stdio -no-reboot \
		-nic none -vga none -kernel "$KERNEL" -initrd "$image" \
		-append "console=ttyS0 panic=-1 rdinit=/init guest=$script arg=$argument $QUICK${GUEST_DATA:+ 8250.nr_uarts=2}" \
		-fsdev "local,id=fs,path=/,security_model=none,readonly=on,multidevs=remap" -device virtio-9p-pci,fsdev=fs,mount_tag=root \
		${GUEST_DATA:+-serial "file:$GUEST_DATA"} \
		<"$input" >"$log" 2>&1
}

# tool_root DIR: with GUEST_PROGRAMS, the programs a guest without the host's files needs, with their libraries.
tool_root() {
	local dir=$1 program lib
	mkdir -p "$dir/usr/bin" "$dir/etc"
	for program in bash ip tc iperf3 ping ethtool jq; do
		cp -L "$(command -v $program || echo /usr/sbin/$program)" "$dir/usr/bin/"
	done
	for program in ${GUEST_PROGRAMS:-}; do
		cp -L "$(command -v "$program" || echo "/usr/sbin/$program")" "$dir/usr/bin/"
	done
	for program in "$dir"/usr/bin/* "$@"; do
		[ -f "$program" ] || continue
		for lib in $(ldd "$program" 2>/dev/null | grep -o '/[^ ]*'); do
			mkdir -p "$dir$(dirname "$lib")" && cp -Ln "$lib" "$dir$lib"
		done
	done
	echo 'root:x:0:0:root:/root:/bin/sh' >"$dir/etc/passwd"
	# The bus serves nobody whose group has no name.
	echo 'root:x:0:' >"$dir/etc/group"
}

# guest_exact LOG SECONDS SCRIPT SHIFT [ARGUMENT]: runs SCRIPT in virtual time that depends on nothing outside the guest:
# with SHIFT 0 a nanosecond is an instruction. GUEST_MODULES: modules beside those of the tests; GUEST_EXTRA: a directory
# that is /extra there. The processor has a source
# of random numbers (always the same ones): without one every number the kernel draws costs it some thousand instructions,
# and CAKE draws one in each round of its flows: 16 flows took a router's whole processor.
guest_exact() {
	local log=$1 limit=$2 script=$3 shift_=$4 argument=${5:-} root image
	root=$(mktemp -d "$LAB/exact.XXXXXX")
	image=$root.gz
	cp "$WEIR_BIN" "$root/weir" && cp "$FLOW_BIN" "$root/flow"
	tool_root "$root" "$root/weir" "$root/flow"
	[ -z "${GUEST_EXTRA:-}" ] || cp -rL "$GUEST_EXTRA" "$root/extra"
	mkdir -p "$root/lab" && find "$HERE" -maxdepth 1 -type f -exec cp {} "$root/lab/" \;
	initramfs "$image" "$HERE/init-exact" "$TEST_MODULES ${GUEST_MODULES:-}" "$root"
	rm -rf "$root"
	timeout -k 5 "$limit" qemu-system-x86_64 -M q35 -accel tcg,thread=single -cpu qemu64,+rdrand,+rdseed -smp 1 -m 1024 \
		-nodefaults -display none -serial stdio -no-reboot -nic none -vga none -kernel "$KERNEL" -initrd "$image" \
		-icount "shift=$shift_,sleep=off" -seed 1 -rtc base=2024-01-01T00:00:00,clock=vm \
		-append "console=ttyS0 panic=-1 rdinit=/init guest=/lab/$script arg=$argument $QUICK" </dev/null >"$log" 2>&1
	rm -f "$image"
}
