#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A stand-in for OpenWrt's /lib/functions.sh, for tests: reading UCI files, and what every package does when it is
# installed or removed. Own words and code, after "Writing config files" on openwrt.org; the real one is GPL.
#
# 'weir uci export' reads the files here: the same text as 'uci export', which is made to be read by a shell.
# shellcheck shell=dash disable=SC1090,SC2154

package() { :; }
config() {
	uci_count=$((uci_count + 1))
	uci_section=${2:-cfg$uci_count}
	uci_sections="$uci_sections $uci_section"
	eval "UCI_${uci_section}__TYPE=\$1"
}
option() { eval "UCI_${uci_section}__$1=\$2"; }
list() { eval "UCI_${uci_section}__$1=\"\${UCI_${uci_section}__$1:+\$UCI_${uci_section}__$1 }\$2\""; }

config_load() {
	uci_count=0 uci_sections=""
	eval "$(/usr/sbin/weir uci export "/etc/config/$1")"
}
# config_get VARIABLE SECTION OPTION [DEFAULT]
config_get() { eval "$1=\${UCI_$2__$3:-\$4}"; }
# config_foreach FUNCTION [TYPE [WORD…]]
config_foreach() {
	local uci_function=$1 uci_type=${2:-} uci_one uci_has
	shift
	[ $# = 0 ] || shift
	for uci_one in $uci_sections; do
		eval "uci_has=\$UCI_${uci_one}__TYPE"
		case $uci_type in
		'' | "$uci_has") "$uci_function" "$uci_one" "$@" ;;
		esac
	done
}

# Installing: users, first-boot defaults (run and removed), services. $1 is the script's own path.
default_postinst() {
	local name=${1##*/} info=/usr/lib/opkg/info pair script
	name=${name%.*}
	sed -n 's/^Require-User: //p' "$info/$name.control" | tr ' ' '\n' | while read -r pair; do
		grep -q "^${pair#*:}:" /etc/group || echo "${pair#*:}:x:32768:" >>/etc/group
		grep -q "^${pair%:*}:" /etc/passwd || echo "${pair%:*}:x:32768:32768::/var/run/${pair%:*}:/bin/false" >>/etc/passwd
	done
	grep '^/etc/uci-defaults/' "$info/$name.list" | while read -r script; do
		[ ! -e "$script" ] || if (cd /etc/uci-defaults && . "$script"); then rm -f "$script"; fi
	done
	grep '^/etc/init.d/' "$info/$name.list" | while read -r script; do
		[ "${PKG_UPGRADE:-}" = 1 ] || "$script" enable
		"$script" start </dev/null
	done
}
default_prerm() {
	local name=${1##*/} script
	name=${name%.*}
	grep '^/etc/init.d/' "/usr/lib/opkg/info/$name.list" | while read -r script; do
		[ "${PKG_UPGRADE:-}" = 1 ] || "$script" disable
		"$script" stop </dev/null
	done
}
