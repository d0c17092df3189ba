# SPDX-License-Identifier: Apache-2.0
# A household behind a line: client (lan) — router (this namespace) — provider — server. Sourced in a guest.

SERVER4=10.3.0.2 SERVER6=fd03::2
IN_CLIENT="ip netns exec client" IN_SERVER="ip netns exec server" IN_ISP="ip netns exec isp"

# household DELAY: builds it, with DELAY ms of distance to the server.
household() {
	local name
	for name in client isp server; do ip netns add $name; ip -n $name link set lo up; done
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 2>/dev/null
	$IN_ISP sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 2>/dev/null
	for name in client isp server; do ip netns exec $name sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0; done
	ip link add lan0 type veth peer name c0 netns client
	ip link add wan0 type veth peer name i0 netns isp
	ip -n isp link add i1 type veth peer name s0 netns server
	ip addr add 10.1.0.1/24 dev lan0; ip addr add fd01::1/64 dev lan0 nodad; ip link set lan0 up
	ip addr add 10.2.0.1/24 dev wan0; ip addr add fd02::1/64 dev wan0 nodad; ip link set wan0 up
	ip -n client addr add 10.1.0.2/24 dev c0; ip -n client addr add fd01::2/64 dev c0 nodad; ip -n client link set c0 up
	ip -n isp addr add 10.2.0.2/24 dev i0; ip -n isp addr add fd02::2/64 dev i0 nodad; ip -n isp link set i0 up
	ip -n isp addr add 10.3.0.1/24 dev i1; ip -n isp addr add fd03::1/64 dev i1 nodad; ip -n isp link set i1 up
	ip -n server addr add 10.3.0.2/24 dev s0; ip -n server addr add fd03::2/64 dev s0 nodad; ip -n server link set s0 up
	ip -n client route add default via 10.1.0.1; ip -n client -6 route add default via fd01::1
	ip route add default via 10.2.0.2; ip -6 route add default via fd02::2
	ip -n isp route add 10.1.0.0/24 via 10.2.0.1; ip -n isp -6 route add fd01::/64 via fd02::1
	ip -n server route add default via 10.3.0.1; ip -n server -6 route add default via fd03::1
	tc -n server qdisc add dev s0 root netem delay "$1"ms limit 20000
	superpackets off
}

# superpackets on|off: whether the ends send packets larger than the line's.
superpackets() {
	local segs=65535; [ "$1" = on ] || segs=1
	$IN_CLIENT ethtool -K c0 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1; ip -n client link set c0 gso_max_segs $segs
	$IN_SERVER ethtool -K s0 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1; ip -n server link set s0 gso_max_segs $segs
	$IN_ISP ethtool -K i0 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1; $IN_ISP ethtool -K i1 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1
	ethtool -K lan0 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1; ethtool -K wan0 tso "$1" gso "$1" gro "$1" >/dev/null 2>&1
}

# bottleneck UP DOWN (kbit/s): the line, each way with a buffer of half a second; 0 0 removes it.
bottleneck() {
	tc -n isp qdisc del dev i1 root 2>/dev/null; tc -n isp qdisc del dev i0 root 2>/dev/null
	[ "$1" = 0 ] && return
	tc -n isp qdisc add dev i1 root tbf rate "$1"kbit burst 5000 limit $(($1 * 1000 / 16))
	tc -n isp qdisc add dev i0 root tbf rate "$2"kbit burst 5000 limit $(($2 * 1000 / 16))
}
