# SPDX-License-Identifier: Apache-2.0
# Inside a guest: verdicts, weir, and the network of a household.

[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
FAILED=0 COUNT=0
echo # the firmware leaves its line open
ok() { COUNT=$((COUNT + 1)); echo "ok $*"; }
not_ok() { COUNT=$((COUNT + 1)); FAILED=$((FAILED + 1)); echo "not ok $*"; }
# check NAME CONDITION...: the condition decides.
check() { local name=$1; shift; if "$@" >/run/check.out 2>&1; then ok "$name"; else not_ok "$name"; sed 's/^/# /' /run/check.out | head -30; fi; }
# finish [LEAST]: the line the harness looks for; fewer checks than LEAST mean that some were lost on the way.
finish() { echo "$COUNT checks, $FAILED failed"; [ "$FAILED" = 0 ] && [ $COUNT -ge "${1:-1}" ] && echo "GUEST OK"; echo o >/proc/sysrq-trigger; sleep 5; }

CONF=/run/weir.conf STATE=/run/weir
weir() { "$WEIR" --config $CONF --state-dir $STATE "$@"; }
conf() { cat >$CONF; }
# dump: everything that is there, as tc tells it, without counters and ages. One call for all classes and filters.
dump() {
	ls /sys/class/net
	{
		tc -d qdisc show
		for d in eth7 tun0 lan0 $(ls /sys/class/net | grep weir); do printf 'class show dev %s\nfilter show dev %s\nfilter show dev %s ingress\n' "$d" "$d" "$d"; done | tc -d -force -batch - 2>/dev/null
	} | sed 's/ refcnt [0-9]*//; s/direct_packets_stat [0-9]*//; s/ref [0-9]* bind [0-9]*//; s/index [0-9]*//; s/installed [0-9]* sec used [0-9]* sec//; /^class fq_codel/d; /^class cake/d; s/rule hit.*//; s/order [0-9]* key/key/'
}
# settled: what is wanted is what there is.
settled() { [ "$(weir plan --diff | tail -1)" = "nothing to change" ]; }
# until_ok SECONDS CONDITION...
until_ok() { local end=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ $SECONDS -ge $end ] && return 1; sleep 0.1; done; }

# line DEVICE: a veth pair whose other end is DEVICE's peer.
line() { ip link add "$1" type veth peer name "p-$1" && ip link set "$1" up && ip link set "p-$1" up; }
