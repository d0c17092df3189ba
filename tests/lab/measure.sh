# SPDX-License-Identifier: Apache-2.0
# Inside a guest: numbers, and judging them. There is no jq where time is counted in instructions.

# field KEY: the number of that name in a JSON line on standard input.
field() { sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" | head -1; }

# within NAME GOT WANT PERMILLE: GOT is off by PERMILLE thousandths of WANT at most.
within() {
	local name=$1 got=${2:-0} want=$3 most=$4 off
	off=$(((got - want) * 1000 / want))
	echo "NUMBER $name got=$got want=$want permille=$off"
	if [ ${off#-} -le "$most" ]; then ok "$name"; else not_ok "$name: got $got, want $want, off by $off in 1000, allowed $most"; fi
}
# at_most NAME GOT LIMIT; at_least NAME GOT LIMIT
at_most() {
	echo "NUMBER $1 got=$2 most=$3"
	if [ "${2:-999999999}" -le "$3" ]; then ok "$1"; else not_ok "$1: $2, more than $3"; fi
}
at_least() {
	echo "NUMBER $1 got=$2 least=$3"
	if [ "${2:-0}" -ge "$3" ]; then ok "$1"; else not_ok "$1: $2, less than $3"; fi
}

# shaped KBIT-DOWN KBIT-UP OPTION...: a line on wan0 with these options, applied.
shaped() {
	printf "config wan 'w'\n option device 'wan0'\n option download '%s'\n option upload '%s'\n" "$1" "$2" >$CONF
	shift 2
	[ $# = 0 ] || printf ' option %s\n' "$@" >>$CONF
	weir apply || not_ok "apply of $*"
	sleep 0.2
}

# wire_bytes IP-BYTES OVERHEAD MPU CELLS: what a packet takes on the line, by the book and not by weir's code.
wire_bytes() {
	local n=$(($1 + $2))
	[ $n -ge "$3" ] || n=$3
	case $4 in
	atm) n=$(((n + 47) / 48 * 53)) ;;
	ptm) n=$((n + (n + 63) / 64)) ;;
	esac
	echo $n
}
