# SPDX-License-Identifier: Apache-2.0
# Routers with another processor: the cross-built program on a real mipsel (24Kf) and a real arm64 (Cortex-A53) kernel.
# Sourced by `run`. Everything is in the initramfs: a 9p root passes this machine's error numbers, which MIPS has otherwise.

# foreign_apt ARCH COMMAND...: apt for another architecture in a directory of its own; this machine's dpkg is not touched.
# Debian 12 is the last release with mipsel, so its packages are taken whatever this machine runs.
foreign_apt() {
	local dir=$LAB/apt-$1 arch=$1 uri
	shift
	mkdir -p "$dir"/{state/lists/partial,cache/archives/partial,etc}
	if [ ! -e "$dir/etc/sources.list" ]; then
		: >"$dir/state/status"
		uri=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep '/debian/*$' | head -1)
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri bookworm main" >"$dir/etc/sources.list"
	fi
	"$1" -o Dir::State="$dir/state" -o Dir::State::status="$dir/state/status" -o Dir::Cache="$dir/cache" \
		-o Dir::Etc::sourcelist="$dir/etc/sources.list" -o Dir::Etc::sourceparts=- \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Install-Recommends=false "${@:2}"
}

# foreign_root ARCH META: leaves a kernel (by Debian's META package) in $LAB/ARCH/kernel and programs in $LAB/ARCH/root.
foreign_root() {
	local arch=$1 meta=$2 dir=$LAB/$1 package deb
	[ -e "$dir/done" ] && return
	say "fetching a kernel and programs for $arch (about 80 MB, once)"
	rm -rf "$dir" && mkdir -p "$dir/kernel" "$dir/root" "$dir/debs"
	foreign_apt "$arch" apt-get -qq update || { echo "apt cannot list packages for $arch"; return 1; }
	package=$(foreign_apt "$arch" apt-cache depends "$meta" | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
	(cd "$dir/debs" && foreign_apt "$arch" apt-get -qq -o APT::Sandbox::User=root download "$package" busybox-static) || { echo "cannot download $package for $arch"; return 1; }
	foreign_apt "$arch" apt-get -qq -y -d install bash iproute2 iperf3 iputils-ping ethtool >"$LAB/apt.log" 2>&1 || { tail -5 "$LAB/apt.log"; return 1; }
	dpkg-deb -x "$dir"/debs/linux-image-*.deb "$dir/kernel"
	for deb in "$LAB/apt-$arch"/cache/archives/*.deb "$dir"/debs/busybox-static*.deb; do dpkg-deb -x "$deb" "$dir/root"; done
	# One directory of programs: busybox puts its own tc into /bin, which must not come first.
	for deb in bin sbin usr/sbin; do cp -an "$dir/root/$deb/." "$dir/root/usr/bin/" 2>/dev/null; done
	cp "$dir/root/bin/busybox" "$dir/busybox"
	rm -rf "$dir"/root/{bin,sbin,usr/sbin,usr/share,usr/include,var} "$dir/debs" "$LAB/apt-$arch/cache"
	find "$dir/root/usr/bin" -type f | grep -vE '/(bash|ip|tc|iperf3|ping|ethtool)$' | xargs rm -f
	ls "$dir/kernel/lib/modules" >"$dir/version"
	/sbin/depmod -b "$dir/kernel" "$(cat "$dir/version")"
	touch "$dir/done"
}

# foreign NAME ARCH META TARGET CONSOLE QEMU...: builds, boots and judges one. FOREIGN_SCRIPT, FOREIGN_ARGUMENT, FOREIGN_LOG:
# another script than guest-foreign, what it is told, and its log's name; FOREIGN_EXTRA: a directory of files for the guest.
foreign() {
	local name=$1 arch=$2 meta=$3 target=$4 console=$5 log=${FOREIGN_LOG:-$1} began=$SECONDS KROOT KVERSION BUSYBOX root image
	shift 5
	packages busybox-static kmod cpio gzip debian-archive-keyring "qemu-system-${name}"
	foreign_root "$arch" "$meta" || return 1
	KROOT=$LAB/$arch/kernel KVERSION=$(cat "$LAB/$arch/version") BUSYBOX=$LAB/$arch/busybox
	root=$(mktemp -d "$LAB/foreign.XXXXXX") image=$root.gz
	cp -a "$LAB/$arch/root/." "$root/"
	say "$name: building weir"
	cp "$("$ROOT/cross/build" "$target" | tail -1)" "$root/weir" || { rm -rf "$root"; return 1; }
	mkdir -p "$root/lab" && find "$HERE" -maxdepth 1 -type f -exec cp {} "$root/lab/" \;
	[ -z "${FOREIGN_EXTRA:-}" ] || cp -a "$FOREIGN_EXTRA/." "$root/"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	initramfs "$image" "$HERE/init-exact" "$TEST_MODULES" "$root"
	rm -rf "$root"
	say "$name: starting Linux $KVERSION"
	timeout -k 5 400 "$@" -nodefaults -display none -serial stdio -no-reboot -nic none -kernel "$KROOT"/boot/vmlinu?-* -initrd "$image" \
		-append "console=$console rdinit=/init panic=-1 quiet guest=/lab/${FOREIGN_SCRIPT:-guest-foreign} arg=${FOREIGN_ARGUMENT:-}" \
		</dev/null >"$OUT/$log.log" 2>&1
	rm -f "$image"
	verdict "$log" "$OUT/$log.log" && say "$log took $((SECONDS - began)) s"
}

part_mips() { foreign mips mipsel linux-image-4kc-malta mipsel ttyS0 qemu-system-mipsel -M malta -cpu 24Kf -m 512; }
part_arm() { foreign arm arm64 linux-image-arm64 aarch64 ttyAMA0 qemu-system-aarch64 -M virt -cpu cortex-a53 -m 512; }
