// SPDX-License-Identifier: Apache-2.0
//! Which link layer a line probably has, by its network's protocol and device.
//!
//! OpenWrt's names: `dsl0`, `ptm0` carry Ethernet over PTM (VDSL2) on routers with a modem of their own, `nas0`, `atm0`
//! over ATM (ADSL); `wwan0` is a mobile modem's. Behind a modem in its own box there is Ethernet, and PPPoE alone hints
//! at a telephone line.

use super::link::{self, LinkLayer};
use super::network::{Network, Networks};
use crate::units::DeviceName;
use alloc::format;
use alloc::string::String;

/// A protocol, the beginning of a device's name (empty: any), the preset, and what it is called with a VLAN tag. The
/// first row that fits decides.
type Row = (&'static str, &'static str, &'static str, &'static str);
const ROWS: [Row; 9] = [
    ("dhcp", "wwan", "lte", "lte"),
    ("pppoa", "", "pppoa-adsl-llc", "pppoa-adsl-llc"),
    ("pppoe", "nas", "pppoe-adsl-llc", "pppoe-adsl-llc"),
    ("pppoe", "atm", "pppoe-adsl-llc", "pppoe-adsl-llc"),
    ("pppoe", "", "pppoe-vdsl2", "pppoe-vdsl2-vlan"),
    ("dhcp", "dsl", "ipoe-vdsl2", "ipoe-vdsl2-vlan"),
    ("dhcp", "ptm", "ipoe-vdsl2", "ipoe-vdsl2-vlan"),
    ("dhcp", "nas", "bridged-adsl-llc", "bridged-adsl-llc"),
    ("dhcp", "atm", "bridged-adsl-llc", "bridged-adsl-llc"),
];
/// Protocols of mobile modems.
const MOBILE: [&str; 5] = ["qmi", "mbim", "ncm", "3g", "modemmanager"];
/// Devices of a modem in the router itself; behind others PPPoE may be fibre as well.
const OWN_MODEM: [&str; 4] = ["dsl", "ptm", "nas", "atm"];

/// What a line probably is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its link layer.
    pub link: LinkLayer,
    /// Why, and what else it may be: `pppoe on dsl0.7`.
    pub why: String,
}

/// What the line on `device` probably is, if the system's networks say so.
pub fn suggest(networks: &Networks, device: DeviceName) -> Option<Suggestion> {
    networks.all.iter().filter(|network| network.device == Some(device)).find_map(of)
}

fn of(network: &Network) -> Option<Suggestion> {
    let below = network.lower.or(network.device)?;
    let (below, proto) = (below.as_str(), network.proto.as_str());
    let fits = |(of, begin, ..): &&Row| *of == proto && below.starts_with(begin);
    let (plain, tagged) = match ROWS.iter().find(fits) {
        Some((_, _, plain, tagged)) => (*plain, *tagged),
        None if MOBILE.contains(&proto) => ("lte", "lte"),
        None => return None,
    };
    let is_tagged = below.bytes().any(|byte| byte == b'.');
    let link = link::by_name(if is_tagged { tagged } else { plain })?;
    let is_open = proto == "pppoe" && !OWN_MODEM.iter().any(|begin| below.starts_with(begin));
    let but = match (is_open, is_tagged) {
        (false, _) => "",
        (true, false) => "; with fibre behind its modem it would be 'pppoe-ethernet'",
        (true, true) => "; with fibre behind its modem it would be 'pppoe-ethernet-vlan'",
    };
    Some(Suggestion { link, why: format!("{proto} on {below}{but}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_and_device_say_what_a_line_probably_is() {
        for (proto, device, lower, expected) in [
            ("pppoe", "pppoe-wan", "dsl0", Some(("pppoe-vdsl2", "pppoe on dsl0"))),
            ("pppoe", "pppoe-wan", "dsl0.7", Some(("pppoe-vdsl2-vlan", "pppoe on dsl0.7"))),
            ("pppoe", "pppoe-wan", "ptm0.101", Some(("pppoe-vdsl2-vlan", "pppoe on ptm0.101"))),
            ("pppoe", "pppoe-wan", "nas0", Some(("pppoe-adsl-llc", "pppoe on nas0"))),
            ("pppoe", "pppoe-wan", "atm0", Some(("pppoe-adsl-llc", "pppoe on atm0"))),
            ("pppoa", "pppoa-wan", "", Some(("pppoa-adsl-llc", "pppoa on pppoa-wan"))),
            (
                "pppoe",
                "pppoe-wan",
                "eth1",
                Some((
                    "pppoe-vdsl2",
                    "pppoe on eth1; with fibre behind its modem it would be 'pppoe-ethernet'",
                )),
            ),
            (
                "pppoe",
                "pppoe-wan",
                "eth1.7",
                Some((
                    "pppoe-vdsl2-vlan",
                    "pppoe on eth1.7; with fibre behind its modem it would be 'pppoe-ethernet-vlan'",
                )),
            ),
            ("dhcp", "ptm0", "ptm0", Some(("ipoe-vdsl2", "dhcp on ptm0"))),
            ("dhcp", "dsl0.8", "dsl0.8", Some(("ipoe-vdsl2-vlan", "dhcp on dsl0.8"))),
            ("dhcp", "nas0", "nas0", Some(("bridged-adsl-llc", "dhcp on nas0"))),
            ("dhcp", "wwan0", "wwan0", Some(("lte", "dhcp on wwan0"))),
            ("qmi", "wwan0", "", Some(("lte", "qmi on wwan0"))),
            ("mbim", "wwan0", "", Some(("lte", "mbim on wwan0"))),
            ("ncm", "usb0", "usb0", Some(("lte", "ncm on usb0"))),
            ("3g", "3g-umts", "", Some(("lte", "3g on 3g-umts"))),
            ("modemmanager", "wwan0", "", Some(("lte", "modemmanager on wwan0"))),
            ("dhcp", "eth1", "eth1", None),
            ("dhcp", "eth1.7", "eth1.7", None),
            ("static", "br-lan", "br-lan", None),
            ("wireguard", "vpn", "", None),
            ("", "dsl0", "dsl0", None),
        ] {
            let name = DeviceName::new(device).expect(device);
            let network = Network {
                name: "wan".into(),
                proto: proto.into(),
                device: Some(name),
                lower: DeviceName::new(lower),
                ..Network::default()
            };
            let networks = Networks { all: alloc::vec![network], ..Networks::default() };
            let found = suggest(&networks, name).map(|found| (found.link.name, found.why));
            assert_eq!(
                found,
                expected.map(|(link, why)| (link, why.into())),
                "{proto} on {device} over {lower}"
            );
            assert_eq!(suggest(&networks, DeviceName::new("eth9").expect("valid")), None);
        }
    }

    #[test]
    fn every_suggestion_is_a_preset() {
        for (.., plain, tagged) in ROWS {
            for name in [plain, tagged] {
                assert_eq!(link::by_name(name).map(|link| link.name), Some(name));
            }
        }
    }

    #[test]
    fn of_several_networks_on_a_device_one_that_tells_is_enough() {
        // OpenWrt makes `mobile_4` (DHCP) above `mobile` (QMI).
        let on_wwan = |proto: &str| Network {
            name: proto.into(),
            proto: proto.into(),
            device: DeviceName::new("rmnet0"),
            ..Network::default()
        };
        let networks = Networks { all: ["dhcp", "qmi"].map(on_wwan).into(), ..Networks::default() };
        let found = suggest(&networks, DeviceName::new("rmnet0").expect("valid"));
        assert_eq!(found.map(|found| found.link.name), Some("lte"));
    }
}
