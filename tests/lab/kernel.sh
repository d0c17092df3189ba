# SPDX-License-Identifier: Apache-2.0
# Kernels, from Debian's packages; downloaded and unpacked, never installed. Sourced by `run`.

# say TEXT: one line of progress with the seconds since the start.
say() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }

# packages: what the host needs; installed when missing.
packages() {
	local missing=() name
	for name in "$@"; do
		dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
	done
	[ ${#missing[@]} -eq 0 ] && return
	say "installing ${missing[*]}"
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$LAB/apt.log" 2>&1 ||
		{ tail -20 "$LAB/apt.log"; exit 1; }
}

# kernel_x86: leaves the newest Debian kernel in $KERNEL (vmlinux) and $KROOT (its modules).
kernel_x86() {
	KROOT=$LAB/kernel-x86
	if [ ! -e "$KROOT/done" ]; then
		local package
		apt-cache show linux-image-amd64 >/dev/null 2>&1 || apt-get update -qq
		package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
		say "fetching the kernel $package"
		rm -rf "$KROOT" && mkdir -p "$KROOT/deb"
		(cd "$KROOT/deb" && apt-get download -qq "$package" 2>/dev/null) || { echo "cannot download $package"; exit 1; }
		dpkg-deb -x "$KROOT"/deb/*.deb "$KROOT" && rm -rf "$KROOT/deb"
		# Unpacked once: the guest would take seconds for it at every start.
		python3 - "$KROOT" <<-'PY'
			import glob, lzma, sys
			root = sys.argv[1]
			data = open(glob.glob(root + "/boot/vmlinuz-*")[0], "rb").read()
			at = data.find(b"\xfd7zXZ\x00")
			open(root + "/vmlinux", "wb").write(lzma.LZMADecompressor().decompress(data[at:]))
		PY
		ls "$KROOT/lib/modules" >"$KROOT/version"
		/sbin/depmod -b "$KROOT" "$(cat "$KROOT/version")"
		touch "$KROOT/done"
	fi
	KERNEL=$KROOT/vmlinux
	KVERSION=$(cat "$KROOT/version")
}
