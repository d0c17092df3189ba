# SPDX-License-Identifier: Apache-2.0
# Inside a guest where a nanosecond is an instruction: what commands cost. Sourced after guest-lib.sh.

mkdir -p /run/cg && mount -t cgroup2 cg /run/cg

# used GROUP: microseconds of processor time, which are thousands of instructions.
used() { sed -n 's/^usage_usec //p' "/run/cg/$1/cpu.stat"; }
# cost NAME COMMAND...: processor time of the command and all it starts, in thousands of instructions, and virtual time.
cost() {
	local name=$1 group=g$RANDOM$RANDOM began ended
	shift
	mkdir "/run/cg/$group"
	began=${EPOCHREALTIME/./}
	(echo $BASHPID >"/run/cg/$group/cgroup.procs"; exec "$@" >/run/out 2>&1) || { not_ok "bench/$name: $(head -2 /run/out)"; return; }
	ended=${EPOCHREALTIME/./}
	echo "BENCH $name $(used "$group") $((ended - began))"
}
