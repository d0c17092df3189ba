#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A stand-in for procd and its functions, for tests: keeps services in files, starts, stops and respawns them.
#
# As procd does: 'set' stops instances that are not named again, leaves alone those that are named with the same words,
# and starts or restarts the others and those whose files have changed; nothing waits for a process to end. Every message is a line of /tmp/procd.log.
# shellcheck shell=dash disable=SC2034,SC2154

PROCD=/tmp/procd
procd_log() { echo "$*" >>/tmp/procd.log; }

procd_open_service() {
	procd_service=$1 procd_script=$2 procd_new=$PROCD/new.$$ procd_count=0
	rm -rf "$procd_new"
	mkdir -p "$procd_new/instances"
}
procd_open_instance() {
	procd_count=$((procd_count + 1))
	procd_instance=$procd_new/instances/${1:-instance$procd_count}
	: >"$procd_instance"
}
# One line for each word, so that words with blanks stay whole.
procd_set_param() {
	local type=$1 word
	shift
	for word; do echo "$type=$word" >>"$procd_instance"; done
}
procd_append_param() { procd_set_param "$@"; }
procd_close_instance() { :; }
procd_add_jail() {
	local word
	echo "jail=$1" >>"$procd_instance"
	shift
	for word; do echo "jail.$word=1" >>"$procd_instance"; done
}
procd_add_jail_mount() {
	local word
	for word; do echo "mount=$word" >>"$procd_instance"; done
}
procd_add_jail_mount_rw() {
	local word
	for word; do echo "mount_rw=$word" >>"$procd_instance"; done
}
procd_add_reload_trigger() {
	local word
	for word; do echo "config.change $word $procd_script reload" >>"$procd_new/triggers"; done
}

# procd_stop DIR: tells the process to end, and does not wait.
procd_stop() {
	: >"$1/halt"
	[ ! -e "$1/pid" ] || kill -TERM "$(cat "$1/pid")" 2>/dev/null
	rm -rf "$1.old.$$"
	mv "$1" "$1.old.$$"
}
# Files that an instance names count as part of it: another content is another instance.
procd_sums() { sed -n 's/^file=//p' "$1" | xargs -r md5sum; }
procd_start() {
	mkdir -p "$1"
	procd_sums "$2" >"$1/sums"
	cp "$2" "$1/definition"
	setsid sh /lib/functions/procd-instance "$1" </dev/null >/dev/null 2>&1 &
	# procd forks before it answers.
	while [ ! -e "$1/pid" ]; do sleep 0.02; done
}
procd_close_service() {
	local home=$PROCD/$procd_service name
	service_triggers
	procd_log "$1 $procd_service: $procd_count instances"
	mkdir -p "$home/instances"
	rm -f "$home/triggers"
	[ ! -e "$procd_new/triggers" ] || cp "$procd_new/triggers" "$home/triggers"
	for name in "$home/instances"/*; do
		name=${name##*/}
		case $name in
		'*' | *.old.*) ;;
		*) [ -e "$procd_new/instances/$name" ] || procd_stop "$home/instances/$name" ;;
		esac
	done
	for name in "$procd_new/instances"/*; do
		[ -e "$name" ] || continue
		name=${name##*/}
		if [ -e "$home/instances/$name" ]; then
			cmp -s "$procd_new/instances/$name" "$home/instances/$name/definition" &&
				[ "$(procd_sums "$procd_new/instances/$name")" = "$(cat "$home/instances/$name/sums")" ] && continue
			procd_stop "$home/instances/$name"
		fi
		procd_start "$home/instances/$name" "$procd_new/instances/$name"
	done
	rm -rf "$procd_new"
}

procd_pid() { cat "$PROCD/$1/instances/${2:-instance1}/pid" 2>/dev/null; }
procd_running() {
	local pid
	pid=$(procd_pid "$1") && kill -0 "$pid" 2>/dev/null
}
procd_kill() {
	local dir
	procd_log "delete $1"
	for dir in "$PROCD/$1/instances"/*; do
		case $dir in *.old.*) continue ;; esac
		[ ! -e "$dir" ] || procd_stop "$dir"
	done
	rm -f "$PROCD/$1/triggers"
}
# procd_send_signal SERVICE [INSTANCE] [SIGNAL]: its name or number; without one SIGHUP.
procd_send_signal() {
	local number=${3:-1} pid
	case $number in
	[A-Z]*) number=$(kill -l "$number") ;;
	esac
	procd_log "signal $1 $number"
	pid=$(procd_pid "$1") && kill "-$number" "$pid"
}

# procd_event EVENT PACKAGE: what procd does on an event; the tests' own. The real one waits a second first.
procd_event() {
	local event package script action
	cat "$PROCD"/*/triggers 2>/dev/null | while read -r event package script action; do
		[ "$event $package" != "$1 $2" ] || "$script" "$action"
	done
}
