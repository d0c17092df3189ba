# SPDX-License-Identifier: Apache-2.0
# Inside a guest: a household, its line and the internet. The router is the guest itself; the rest are network namespaces.
#
#   client ──lan0── ROUTER ──wan0── isp ──── server
#   192.168.1.2     (root)     10.0.0.0/24   198.51.100.2
#   fd01::2                    fd02::/64     2001:db8::2
#
# The isp's two devices are the bottleneck (tbf) with a bloated buffer; half the round trip is on the way up to the
# server, half on the way back.

# inside NAMESPACE COMMAND...
inside() { ip netns exec "$@"; }

# plain NAMESPACE DEVICE: every packet as it is on the wire, none larger than the MTU.
plain() { ip netns exec "$1" ethtool -K "$2" tso off gso off gro off >/dev/null 2>&1; ip -n "$1" link set "$2" gso_max_segs 1; }

# household [nat] [gso] [queues]: nat: the router masquerades; gso: super-packets stay on; queues: wan0 has four queues.
household() {
	local ns words=" $* "
	local queues=
	[[ $words == *" queues "* ]] && queues="numtxqueues 4 numrxqueues 4"
	for ns in client isp server; do ip netns add $ns && ip -n $ns link set lo up; done
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 2>/dev/null ||
		{ echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding; }
	inside isp sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
	ip link add lan0 address 02:00:00:00:00:01 type veth peer name eth0 address 02:00:00:00:00:02 netns client
	ip link add wan0 address 02:00:00:00:00:03 $queues type veth peer name cpe address 02:00:00:00:00:04 netns isp
	ip -n isp link add core address 02:00:00:00:00:05 type veth peer name eth0 address 02:00:00:00:00:06 netns server
	ip -n client addr add 192.168.1.2/24 dev eth0; ip -n client addr add fd01::2/64 dev eth0 nodad
	ip addr add 192.168.1.1/24 dev lan0; ip addr add fd01::1/64 dev lan0 nodad
	ip addr add 10.0.0.2/24 dev wan0; ip addr add fd02::2/64 dev wan0 nodad
	ip -n isp addr add 10.0.0.1/24 dev cpe; ip -n isp addr add fd02::1/64 dev cpe nodad
	ip -n isp addr add 198.51.100.1/24 dev core; ip -n isp addr add 2001:db8::1/64 dev core nodad
	ip -n server addr add 198.51.100.2/24 dev eth0; ip -n server addr add 2001:db8::2/64 dev eth0 nodad
	ip link set lo up; ip link set lan0 up; ip link set wan0 up
	ip -n client link set eth0 up; ip -n isp link set cpe up; ip -n isp link set core up; ip -n server link set eth0 up
	ip -n client route add default via 192.168.1.1; ip -n client -6 route add default via fd01::1
	ip route add default via 10.0.0.1; ip -6 route add default via fd02::1
	ip -n isp route add 192.168.1.0/24 via 10.0.0.2; ip -n isp -6 route add fd01::/64 via fd02::2
	ip -n server route add default via 198.51.100.1; ip -n server -6 route add default via 2001:db8::1
	if [[ $words != *" gso "* ]]; then
		plain client eth0; plain isp cpe; plain isp core; plain server eth0
		ethtool -K lan0 tso off gso off gro off >/dev/null 2>&1; ethtool -K wan0 tso off gso off gro off >/dev/null 2>&1
	fi
	if [[ $words == *" nat "* ]]; then
		nft add table ip lab
		nft add chain ip lab post '{ type nat hook postrouting priority 100; }'
		nft add rule ip lab post oifname wan0 masquerade
	fi
}

# bottleneck DOWN UP MS: the line's speeds in kbit/s and its buffer in milliseconds, each way.
bottleneck() {
	inside isp tc qdisc replace dev cpe root tbf rate "$1kbit" burst 3028 limit $(($1 * $3 / 8))
	inside isp tc qdisc replace dev core root tbf rate "$2kbit" burst 3028 limit $(($2 * $3 / 8))
}

# distance MS: the round trip to the server.
distance() { inside server tc qdisc replace dev eth0 root netem delay "$1ms" limit 100000; }
