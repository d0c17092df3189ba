// SPDX-License-Identifier: Apache-2.0
//! Every capacity of the program, with its reason. What is full has a decision and a counter where it is used.
//!
//! Imports nothing of ours. A router has 64 MB; weir may keep 640 KB of them.

/// Lines (WANs) one router can have: two fixed lines, two modems and their backups.
pub const WANS: usize = 8;
/// Who can be asked how long an answer takes, for each line: half a dozen at a time, the others in reserve.
pub const REFLECTORS: usize = 24;
/// Traffic classes per direction; each is an HTB class and a leaf, and a row people must be able to read.
pub const CLASSES: usize = 12;
/// Rules, built-in ones among them: more than anybody has written by hand, few enough to compile in a moment.
pub const RULES: usize = 640;
/// Schedules: two for each day of the week, and two to spare; each is looked at every minute.
pub const SCHEDULES: usize = 16;
/// Service levels of a file, besides two of each class: each has a state for every line and direction.
pub const THRESHOLDS: usize = 24;
/// Alerts at once; nobody reads sixteen, and one of them is the cause of the others.
pub const ALERTS: usize = 16;
/// Entries of one list option (ports, addresses): a blocklist is not a rule.
pub const ENTRIES: usize = 256;
/// Lines of one decision list: a rule has one for each way its conditions can be met.
pub const LINES: usize = 4096;
/// Steps of work to make programs for one direction of a line (`classify/steps`): thirty times what 560 rules for ports
/// take, twice what a thousand prefixes do; 40 ms on a PC, half a second or so on an old router.
pub const STEPS: usize = 16_000_000;
/// IPv6 extension headers that are stepped over; real packets have one or two.
pub const EXTENSIONS: usize = 6;
/// Pairs of class and DSCP packets are marked with, for each direction: each is two small HTB classes. With CAKE, filters
/// in all: one for each tin, two for each DSCP.
pub const MARKS: usize = 16;
/// Ports without a rule that are counted at once; the frequent ones stay, whatever comes.
pub const UNMATCHED: usize = 64;
/// Packets looked at in a second on each line while somebody watches rules: enough to see a rule at work, too few to be felt.
pub const SAMPLES: u32 = 2000;
/// Flows of a class whose delays are compared: more do not change what half of them wait. The kernel tells of all, up to 1024
/// that are in use; the rest is read past.
pub const FLOWS: usize = 64;
/// Packets the daemon looks at in a second, on all lines together, while somebody asks it for the rules' hits: a hundredth of
/// what an old router does, and a tenth of a second's worth never waits in one piece.
pub const HITS: u32 = 500;
/// Bytes of each packet that are looked at: link, tags, IPv6 with extension headers, TCP.
pub const SAMPLE_BYTES: usize = 256;
/// Bytes of a configuration file: a hundred times a large one; more is not a weir file.
pub const CONFIG_BYTES: usize = 256 * 1024;
/// Faults and warnings kept of one file; the rest is counted, nobody reads 64 faults. `weir check` adds one for each rule
/// that several others leave nothing.
pub const FAULTS: usize = 64;
/// Faults and warnings of the file that status tells; a page shows what was refused, `check` has all of them.
pub const TOLD_FAULTS: usize = 8;
/// Connected prefixes that stay unshaped with `download_on 'lan'`.
pub const LOCAL_PREFIXES: usize = 32;
/// Instructions of one classifier: the kernel takes 4096 (`BPF_MAXINSNS`), but dumps none over 4030 (EMSGSIZE).
pub const PROGRAM: usize = 4000;
/// Bytes of one netlink receive: what the kernel fills at most per `recvmsg` of a dump (NLMSG_GOODSIZE rounds to this).
pub const NETLINK_RECEIVE: usize = 32 * 1024;
/// Bytes of requests behind which no other joins the batch that is sent at once: the socket's default send buffer is
/// 208 KiB, half of it is safe.
pub const NETLINK_SEND: usize = 96 * 1024;
/// How many dumps are made at most until two agree; then the last one is taken as it is.
pub const DUMP_TRIES: usize = 3;
/// Nodes of one u32 classifier, each a kilobyte of the kernel's memory (measured on x86_64, Linux 6.1): two megabytes.
pub const U32_NODES: usize = 2000;
/// Probes under way at once: six seconds of twenty in a second. A power of two, as it divides the sequence numbers.
pub const PROBES: usize = 128;
/// Connections under way at once on a line: each is waited for a second, and there are twenty in a second at most.
pub const HANDSHAKES: usize = 32;
/// Bytes of one message on the bus, without its header: `UBUS_MAX_MSGLEN`, beyond which `ubusd` hangs up.
pub const UBUS_MESSAGE: usize = 1024 * 1024;
/// Bytes kept of one message: `network.interface dump` of fifty interfaces. The rest of a larger one is read past, and
/// netifd asked for the networks of lines one by one.
pub const UBUS_KEPT: usize = 64 * 1024;
/// Bytes that wait to be written to the bus. A question is answered only while less than half of it waits, so that the
/// other half is what every answer has room in; `ubusd` reads at once unless it is stuck.
pub const UBUS_OUTPUT: usize = 96 * 1024;
/// Bytes of fields in one answer: half of what may wait, less what goes around them and what ends the document. Eight
/// lines with the usual classes under short names, or two with all classes under the longest.
pub const UBUS_ANSWER: usize = UBUS_OUTPUT / 2 - 1024;
/// Bytes a buffer of the bus keeps while it is empty: what nearly all messages fit in.
pub const UBUS_IDLE: usize = 4096;
/// Requests that wait for an answer: weir's name, three at once for each neighbour (where it is, news of it, to hear it),
/// and the rest for calls, of which the daemon makes one at a time.
pub const UBUS_PENDING: usize = 12;
/// Objects of others that weir could follow; netifd's is the one it does.
pub const UBUS_NEIGHBOURS: usize = 2;
/// Things said that are kept for those who ask later: a page of them, some 8 KB, of 1600 bytes each at most.
pub const EVENTS: usize = 64;
/// Bytes of the file that keeps histories over a reboot: a router with 8 MB of flash has a few hundred KB to spare, and needs
/// twice as much while it is written. A line takes 58 KB after two days of a household (`watch/archive`).
pub const HISTORY_BYTES: usize = 128 * 1024;
/// Networks of the system that are known; a router has half a dozen, one with many VLANs two dozen.
pub const NETWORKS: usize = 64;
/// Bytes of a network's or protocol's name: devices are called after them, in 15.
pub const NETWORK_NAME: usize = 64;
/// Bytes of the name of a line, class or rule: a column people can read, in an answer that fits.
pub const NAME: usize = 64;
/// Addresses kept of a network: one of IPv4, and a handful of IPv6.
pub const NETWORK_ADDRESSES: usize = 8;
/// DNS servers kept of a network: two of each family.
pub const NETWORK_DNS: usize = 4;
