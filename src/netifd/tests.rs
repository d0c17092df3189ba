// SPDX-License-Identifier: Apache-2.0
//! What the real netifd said (`tests/netifd`), and the same spoilt.

use super::*;
use crate::config::Config;
use crate::tc::plan::{World, plan};
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

const RECORDINGS: [&str; 2] =
    [include_str!("../../tests/netifd/dhcp.hex"), include_str!("../../tests/netifd/pppoe.hex")];

/// The recorded lines: what it is, its name, its fields.
fn lines() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let line = |line: &'static str| {
        let mut words = line.split(' ');
        let mut word = || words.next().expect("three words");
        let (what, name, digits) = (word(), word(), word());
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
        (what, name, (0..digits.len()).step_by(2).map(byte).collect())
    };
    RECORDINGS.iter().flat_map(|text| text.lines()).map(line).collect()
}

fn dump(name: &str) -> Vec<u8> {
    let is_it = |(what, known, _): &(&str, &str, Vec<u8>)| (*what, *known) == ("dump", name);
    lines().into_iter().find(is_it).expect("a recording").2
}

/// The networks after this dump.
pub(crate) fn networks(name: &str) -> Networks {
    let mut networks = Networks::default();
    assert!(networks.take_dump(Fields::new(&dump(name))));
    networks
}

fn shown(network: &Network) -> String {
    let device = |device: Option<DeviceName>| device.map_or("-".into(), |device| device.to_string());
    let (on, lower) = (device(network.device), device(network.lower));
    let mut text = format!("{} {} {:?} {on}/{lower}", network.name, network.proto, network.state);
    for (family, metric) in ["v4", "v6"].into_iter().zip(network.default_routes) {
        if let Some(metric) = metric {
            text += &format!(" {family}:{metric}");
        }
    }
    network.addresses.iter().for_each(|prefix| text += &format!(" {prefix}"));
    network.dns.iter().for_each(|server| text += &format!(" dns:{server}"));
    text
}

#[test]
fn the_networks_are_what_netifd_said() {
    for (name, wanted) in [
        (
            "begun",
            &[
                "bare none Up eth7/eth7",
                "gone dhcp Absent eth9/eth9",
                "iptv static Up eth1.8/eth1.8 10.8.0.0/24",
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "mobile qmi Up wwan0/-",
                "mobile_4 dhcp Connecting wwan0/wwan0",
                "off dhcp Down eth8/eth8",
                "vpn wireguard Up vpn/- 10.9.0.0/24",
                "wan dhcp Connecting eth1/eth1",
                "wan6 dhcpv6 Absent -/-",
            ][..],
        ),
        (
            "mobile-up",
            &[
                "bare none Up eth7/eth7",
                "gone dhcp Absent eth9/eth9",
                "iptv static Up eth1.8/eth1.8 10.8.0.0/24",
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "mobile qmi Up wwan0/-",
                "mobile_4 dhcp Up wwan0/wwan0 v4:20 100.64.9.8/30 dns:100.64.0.1",
                "off dhcp Down eth8/eth8",
                "vpn wireguard Up vpn/- 10.9.0.0/24",
                "wan dhcp Up eth1/eth1 v4:0 203.0.113.0/24 dns:203.0.113.53 dns:203.0.113.54",
                "wan6 dhcpv6 Up eth1/eth1 v6:512 2001:db8:7::2/128 dns:2001:db8::53",
            ],
        ),
        (
            "pending",
            &[
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "wan pppoe Connecting -/dsl0.7",
                "wan6 dhcpv6 Absent -/-",
            ],
        ),
        (
            "wan6-up",
            &[
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "wan pppoe Up pppoe-wan/dsl0.7 v4:0 198.51.100.9/32 dns:198.51.100.53",
                "wan6 dhcpv6 Up pppoe-wan/pppoe-wan v6:512 2001:db8:7::2/128 dns:2001:db8::53",
            ],
        ),
        (
            "down",
            &[
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "wan pppoe Down -/dsl0.7",
                "wan6 dhcpv6 Absent -/-",
            ],
        ),
        (
            "renamed",
            &[
                "dsl pppoe Up pppoe-dsl/dsl0.7 v4:0 198.51.100.9/32 dns:198.51.100.53",
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "wan6 dhcpv6 Connecting pppoe-dsl/pppoe-dsl",
            ],
        ),
        (
            "disabled",
            &[
                "lan static Up br-lan/br-lan 192.168.1.0/24",
                "loopback static Up lo/lo 127.0.0.0/8",
                "wan6 dhcpv6 Absent -/-",
            ],
        ),
    ] {
        let networks = networks(name);
        assert!(networks.is_live && networks.left_out == 0);
        assert_eq!(networks.all.iter().map(shown).collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn a_lease_renewed_is_no_difference_and_another_dns_server_is() {
    let mut known = networks("mobile-up");
    let (before, renewed) = (dump("mobile-up"), dump("renewed"));
    assert_ne!(before, renewed, "netifd counts on, and tells what it updated");
    assert!(!known.take_dump(Fields::new(&renewed)));
    assert!(!known.take_dump(Fields::new(&before)));
    assert!(known.take_dump(Fields::new(&dump("other-dns"))));
    assert!(!known.take_dump(Fields::new(&dump("other-dns"))));
}

#[test]
fn a_line_that_was_down_is_what_it_was_when_it_is_up_again() {
    let mut known = networks("up");
    assert!(known.take_dump(Fields::new(&dump("down"))));
    assert!(known.take_dump(Fields::new(&dump("pending-again"))));
    assert_eq!(known, networks("pending"));
    assert!(known.take_dump(Fields::new(&dump("up-again"))));
    assert_eq!(known, networks("up"));
}

#[test]
fn ifdown_leaves_a_direct_network_its_device_and_takes_it_from_its_alias() {
    let networks = networks("wan-down");
    assert_eq!(networks.device("wan").map(|d| d.to_string()), Some("eth1".into()));
    assert_eq!(networks.device("wan6"), None);
    // What is left has the default route.
    let (device, network) = networks.default_line(None).expect("the modem's");
    assert_eq!((device.as_str(), network.map(|n| n.name.as_str())), ("wwan0", Some("mobile_4")));
}

#[test]
fn a_notification_carries_one_interface_as_a_dump_does() {
    let mut last = Vec::new();
    let mut compared = 0;
    for (what, name, fields) in lines() {
        let fields = Fields::new(&fields);
        if what == "notify" {
            assert!(["interface.update", "interface.down"].contains(&name), "{name}");
            let name = fields.text("interface").expect("whose it is");
            last.push(network(name.into(), fields));
            continue;
        }
        let mut dumped = Networks::default();
        dumped.take_dump(fields);
        // The last word about an interface that is still what it said: others went on, silently.
        for told in last.drain(..).filter(|told: &Network| told.state == State::Up) {
            compared += usize::from(dumped.find(&told.name) == Some(&told));
        }
    }
    assert!(compared >= 7, "{compared}");
}

#[test]
fn what_is_no_dump_changes_nothing() {
    let mut known = networks("up");
    let wrong =
        [0x83, 0, 0, 0x14, 0, 9, b'i', b'n', b't', b'e', b'r', b'f', b'a', b'c', b'e', 0, b'x', 0, 0, 0];
    for bytes in [&[][..], &wrong, &[0xff; 64]] {
        assert!(!known.take_dump(Fields::new(bytes)));
        assert_eq!(known, networks("up"));
    }
}

/// A field with a name: `blobmsg.h`.
fn field(kind: u8, name: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = (name.len() as u16).to_be_bytes().to_vec();
    body.extend(name.as_bytes());
    body.push(0);
    body.resize(body.len().next_multiple_of(4), 0);
    body.extend(payload);
    let mut all = (4 + body.len() as u32).to_be_bytes().to_vec();
    all[0] = 0x80 | kind;
    all.extend(body);
    all.resize(all.len().next_multiple_of(4), 0);
    all
}

fn text(name: &str, value: &str) -> Vec<u8> {
    field(3, name, &[value.as_bytes(), b"\0"].concat())
}

fn answer(interfaces: &[Vec<u8>]) -> Vec<u8> {
    field(1, "interface", &interfaces.concat())
}

#[test]
fn a_thousand_networks_are_cut_and_a_thousand_addresses_too() {
    let table =
        |n: u32| field(2, "", &[text("interface", &format!("n{n}")), text("l3_device", "eth0")].concat());
    let many: Vec<Vec<u8>> = (0..1000).map(table).collect();
    let mut networks = Networks::default();
    assert!(networks.take_dump(Fields::new(&answer(&many))));
    assert_eq!((networks.all.len(), networks.left_out), (limits::NETWORKS, 1000 - limits::NETWORKS));
    assert_eq!(
        networks.why_not("n999"),
        "network 'n999' is not known to netifd; of its networks the first 64 are read"
    );

    let address = |n: u32| {
        let mask = field(5, "mask", &24u32.to_be_bytes());
        field(2, "", &[text("address", &format!("10.{}.{}.1", n / 256, n % 256)), mask].concat())
    };
    let rows: Vec<u8> = (0..1000).flat_map(address).collect();
    let servers: Vec<u8> =
        (0..1000).flat_map(|n| text("", &format!("10.0.{}.{}", n / 256, n % 256))).collect();
    let fields =
        [text("interface", "wan"), field(1, "ipv4-address", &rows), field(1, "dns-server", &servers)];
    assert!(networks.take_dump(Fields::new(&answer(&[field(2, "", &fields.concat())]))));
    let wan = networks.find("wan").expect("it is there");
    assert_eq!((wan.addresses.len(), wan.dns.len()), (limits::NETWORK_ADDRESSES, limits::NETWORK_DNS));
}

#[test]
fn names_nobody_could_have_given_are_left_out() {
    let mut networks = Networks::default();
    let long = "x".repeat(65);
    for (name, device, is_kept, is_device) in [
        ("wan", "eth0", true, true),
        ("wan", "a device's name too long", true, false),
        ("wan", "../../etc", true, false),
        ("wan", "", true, false),
        ("", "eth0", false, false),
        ("w\u{1b}[2Jan", "eth0", false, false),
        (long.as_str(), "eth0", false, false),
    ] {
        let fields = [text("interface", name), text("l3_device", device)].concat();
        networks.take_dump(Fields::new(&answer(&[field(2, "", &fields)])));
        assert_eq!(networks.all.len(), usize::from(is_kept), "{name:?}");
        assert_eq!(networks.device(name).is_some(), is_device, "{name:?} {device:?}");
    }
}

#[test]
fn hints_are_gathered_for_a_moment_and_a_shower_without_end_does_not_put_the_dump_off() {
    let mut follow = Follow::default();
    assert_eq!((follow.deadline(), follow.is_due(Time(1_000_000))), (None, false));
    let mut dumps = 0;
    for n in 0..1000 {
        let now = Time(n * 1000); // one each millisecond
        follow.hint(now);
        dumps += u32::from(follow.is_due(now));
    }
    assert_eq!(dumps, 9);
    let at = follow.deadline().expect("one is outstanding");
    assert!(follow.is_due(at) && !follow.is_due(at) && follow.deadline().is_none());
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn a_hundred_thousand_spoilt_dumps_neither_panic_nor_grow_anything() {
    let dumps: Vec<Vec<u8>> =
        lines().into_iter().filter(|(what, ..)| *what == "dump").map(|(.., fields)| fields).collect();
    let mut dice = Dice(11);
    let mut networks = Networks::default();
    let [mut changed, mut planned, mut nothing] = [0u32; 3];
    let config = Config::default();
    for n in 0..100_000 {
        let mut bytes = dumps[dice.roll(dumps.len())].clone();
        for _ in 0..1 + dice.roll(4) {
            // The heads of fields, mostly: what lies there decides what all the rest means.
            let at = if dice.roll(2) == 0 { dice.roll(bytes.len()) } else { dice.roll(bytes.len()) & !3 };
            match dice.roll(6) {
                0 => bytes[at] ^= 1 << dice.roll(8),
                1 => bytes[at] = [0, 1, 3, 4, 5, 8, 0x7f, 0x80, 0x82, 0xff][dice.roll(10)],
                2 => bytes.truncate(at.max(1)),
                3 => bytes.insert(at, dice.roll(256) as u8),
                4 => bytes.extend_from_within(at..),
                _ => drop(bytes.drain(at..bytes.len().min(at + 4))),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        changed += u32::from(networks.take_dump(Fields::new(&bytes)));
        assert!(networks.all.len() <= limits::NETWORKS);
        for network in &networks.all {
            assert!(
                network.addresses.len() <= limits::NETWORK_ADDRESSES
                    && network.dns.len() <= limits::NETWORK_DNS
            );
            assert!(
                network.name.len() <= limits::NETWORK_NAME && network.proto.len() <= limits::NETWORK_NAME
            );
        }
        nothing += u32::from(networks.device("wan").is_none());
        if n % 16 == 0 {
            let world = World { networks: networks.clone(), ..World::default() };
            planned += plan(&config, &world).lines.len() as u32;
            drop(networks.why_not("wan"));
        }
    }
    for (what, count) in [("changed", changed), ("planned", planned), ("without", nothing)] {
        assert!(count > 1000, "{what}: {count}");
    }
}
