# SPDX-License-Identifier: Apache-2.0
# Inside a guest: a household behind a line whose speed follows a trace. The router is the guest itself.
#
#   client ──lan0── ROUTER ──wan0·cpe── modem ──line·line── dslam ──core·eth0── server
#   192.168.1.2     10.0.0.2            10.0.1.1  10.0.1.2             198.51.100.2, reflectors .11 to .16
#
# The modem's end of the line is its upload, the dslam's its download: a tbf over a queue counted in bytes, which
# `flow play` changes. Each of the two echoes the markers of the other, so that they pass the line and no shaper. The
# round trip is the server's: there and back for everybody, with JITTER for those who are pinged alone.

REFLECTORS="198.51.100.11 198.51.100.12 198.51.100.13 198.51.100.14 198.51.100.15 198.51.100.16"

# street MS [JITTER]: all of it, for a round trip of so many milliseconds.
street() {
	local ns far
	for ns in client modem dslam server; do ip netns add $ns && ip -n $ns link set lo up; done
	for ns in "" "ip netns exec modem" "ip netns exec dslam"; do $ns sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'; done
	ip link add lan0 type veth peer name eth0 netns client
	ip link add wan0 type veth peer name cpe netns modem
	ip -n modem link add line type veth peer name line netns dslam
	ip -n dslam link add core type veth peer name eth0 netns server
	ip -n client addr add 192.168.1.2/24 dev eth0; ip addr add 192.168.1.1/24 dev lan0
	ip addr add 10.0.0.2/24 dev wan0; ip -n modem addr add 10.0.0.1/24 dev cpe
	ip -n modem addr add 10.0.1.1/24 dev line; ip -n dslam addr add 10.0.1.2/24 dev line
	ip -n dslam addr add 198.51.100.1/24 dev core; ip -n server addr add 198.51.100.2/24 dev eth0
	for far in $REFLECTORS; do ip -n server addr add $far/24 dev eth0; done
	ip link set lo up; ip link set lan0 up; ip link set wan0 up
	ip -n client link set eth0 up; ip -n modem link set cpe up; ip -n modem link set line up
	ip -n dslam link set line up; ip -n dslam link set core up; ip -n server link set eth0 up
	ip -n client route add default via 192.168.1.1; ip route add default via 10.0.0.1
	ip -n modem route add default via 10.0.1.2; ip -n modem route add 192.168.1.0/24 via 10.0.0.2
	ip -n dslam route add 10.0.0.0/24 via 10.0.1.1; ip -n dslam route add 192.168.1.0/24 via 10.0.1.1
	ip -n server route add default via 198.51.100.1
	plain client eth0; plain modem cpe; plain modem line; plain dslam line; plain dslam core; plain server eth0
	ethtool -K lan0 tso off gso off gro off >/dev/null 2>&1; ethtool -K wan0 tso off gso off gro off >/dev/null 2>&1
	if [ "${2:-0}" = 0 ]; then
		inside server tc qdisc add dev eth0 root netem delay "$1ms" limit 100000
	else
		inside server tc qdisc add dev eth0 root handle 1: prio bands 2 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
		inside server tc qdisc add dev eth0 parent 1:1 netem delay "$1ms" limit 100000
		inside server tc qdisc add dev eth0 parent 1:2 netem delay "$1ms" "$2ms" limit 100000
		inside server tc filter add dev eth0 parent 1: protocol ip u32 match ip protocol 1 0xff flowid 1:2
	fi
	inside modem "$FLOW" serve 5001 & inside dslam "$FLOW" serve 5001 & inside server "$FLOW" serve 5000 &
	sleep 0.3
}

# ample WAY KBIT: the direction nobody limits.
ample() {
	local end=modem
	[ "$1" = up ] || end=dslam
	inside $end tc qdisc replace dev line root tbf rate "$2kbit" burst 3028 limit $(($2 * 500 / 8))
}

# limited WAY: where that direction begins, and whose echo is behind it.
limited() { if [ "$1" = up ]; then END=modem ECHO=10.0.1.2:5001; else END=dslam ECHO=10.0.1.1:5001; fi; }

# asked: echo and timestamp requests that reached the reflectors.
asked() { inside server awk '$1 == "Icmp:" && !n { for (i = 2; i <= NF; i++) name[i] = $i; n = 1; next }
	$1 == "Icmp:" { for (i = 2; i <= NF; i++) if (name[i] == "InEchos" || name[i] == "InTimestamps") sum += $i; print sum + 0 }' /proc/net/snmp; }
