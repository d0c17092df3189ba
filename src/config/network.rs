// SPDX-License-Identifier: Apache-2.0
//! The system's networks: which device each of them is, as netifd says (`crate::netifd`) or `/etc/config/network` tells.

use super::options::guess;
use super::uci::{Package, Section};
use crate::limits;
use crate::units::{DeviceName, Prefix};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// Protocols whose device is made by netifd and called after protocol and network.
const MADE_BY_NETIFD: [&str; 10] =
    ["pppoe", "pppoa", "ppp", "pptp", "l2tp", "3g", "6in4", "6to4", "6rd", "464xlat"];
/// Protocols that send by the very device they are configured on: it stays what the line is while they are down.
const DIRECT: [&str; 4] = ["none", "static", "dhcp", "dhcpv6"];
/// Protocols that send by another network: a default route over them says nothing of the line.
const TUNNELS: [&str; 11] =
    ["wireguard", "openvpn", "6in4", "6to4", "6rd", "464xlat", "dslite", "map", "ipip", "gre", "vti"];

/// How a network stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// A file cannot tell.
    #[default]
    Unknown,
    /// It is connected.
    Up,
    /// It is being set up: dialling, or asking for a lease.
    Connecting,
    /// The device below is not there.
    Absent,
    /// It is not connected.
    Down,
}

/// One network. What changes without meaning anything to a line (ages, lifetimes) is not kept, so that two of them
/// compare equal when nothing differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Its name.
    pub name: String,
    /// Its protocol.
    pub proto: String,
    /// How it stands.
    pub state: State,
    /// The device packets leave by, if there is one yet.
    pub device: Option<DeviceName>,
    /// The device that one stands on: the DSL device below PPPoE.
    pub lower: Option<DeviceName>,
    /// The metrics of its default routes, IPv4 and IPv6, where it has them.
    pub default_routes: [Option<u32>; 2],
    /// Its addresses, as prefixes.
    pub addresses: Vec<Prefix>,
    /// The DNS servers it was given.
    pub dns: Vec<IpAddr>,
}

impl Network {
    /// Settles by which device packets leave: the one netifd names, or the one a direct protocol is configured on.
    pub(crate) fn settle(&mut self, named: Option<DeviceName>) {
        self.device = named.or_else(|| self.lower.filter(|_| DIRECT.contains(&self.proto.as_str())));
    }

    fn is_tunnel(&self) -> bool {
        TUNNELS.contains(&self.proto.as_str())
    }

    /// Which of two default routes the kernel prefers: IPv4 is asked first, then the metric.
    fn rank(&self) -> Option<(bool, u32)> {
        let [v4, v6] = self.default_routes;
        v4.map(|metric| (false, metric)).or(v6.map(|metric| (true, metric))).filter(|_| !self.is_tunnel())
    }
}

/// The networks the system knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// Each of them, once.
    pub all: Vec<Network>,
    /// Whether netifd said so, or else a file.
    pub is_live: bool,
    /// How many there are beyond [`limits::NETWORKS`].
    pub left_out: usize,
}

impl Networks {
    /// Adds one; what is too much is counted.
    pub(crate) fn add(&mut self, network: Network) {
        if self.all.len() < limits::NETWORKS {
            self.all.push(network);
        } else {
            self.left_out += 1;
        }
    }

    /// The devices of some networks, a line each, for [`Self::recall`].
    pub fn to_text(&self, names: &mut dyn Iterator<Item = &str>) -> String {
        let mut text = String::new();
        for network in names.filter_map(|name| self.find(name)) {
            if let Some(device) = network.device {
                text.extend([&network.name, " ", device.as_str(), "\n"]);
            }
        }
        text
    }

    /// Gives networks without a device the one they had.
    pub fn recall(&mut self, text: &str) {
        for (name, device) in text.lines().filter_map(|line| line.split_once(' ')) {
            let device = DeviceName::new(device);
            match self.all.iter_mut().find(|network| network.name == name) {
                Some(network) => network.device = network.device.or(device),
                None => self.add(Network { name: name.into(), device, ..Network::default() }),
            }
        }
    }

    /// The network called `name`.
    pub fn find(&self, name: &str) -> Option<&Network> {
        self.all.iter().find(|network| network.name == name)
    }

    /// The device of the network called `name`, if it has one yet.
    pub fn device(&self, name: &str) -> Option<DeviceName> {
        self.find(name)?.device
    }

    /// Which device is the line where nothing is configured, and whose it is. `kernel` is the device of the kernel's
    /// default route, which counts unless it is a tunnel or no network's, and a network has a default route.
    pub fn default_line(&self, kernel: Option<DeviceName>) -> Option<(DeviceName, Option<&Network>)> {
        let mut best: Option<&Network> = None;
        for network in &self.all {
            if kernel.is_some() && network.device == kernel && !network.is_tunnel() {
                return kernel.map(|device| (device, Some(network)));
            }
            let is_better = |known: &Network| network.rank() < known.rank();
            if network.device.is_some() && network.rank().is_some() && best.is_none_or(is_better) {
                best = Some(network);
            }
        }
        let ours = best.and_then(|network| Some((network.device?, best)));
        ours.or(kernel.map(|device| (device, None)))
    }

    /// Why the network called `name` is no device.
    pub fn why_not(&self, name: &str) -> String {
        let mut hint = String::new();
        let why = match self.find(name).map(|network| network.state) {
            Some(State::Unknown | State::Up) => "has no device yet",
            Some(State::Connecting) => "is connecting: waiting for its device",
            Some(State::Absent) => "has nothing to connect by yet: waiting for its device",
            Some(State::Down) => "is down: waiting for its device",
            None => {
                hint = self.meant(name);
                if self.is_live { "is not known to netifd" } else { "is not known to /etc/config/network" }
            }
        };
        format!("network '{name}' {why}{hint}")
    }

    /// What somebody probably meant by `name`.
    fn meant(&self, name: &str) -> String {
        // Nobody means the LAN.
        let is_meant = |one: &&Network| one.proto != "static" || one.rank().is_some();
        let names = self.all.iter().filter(is_meant).map(|network| network.name.as_str());
        match (self.all.is_empty(), self.left_out) {
            (true, _) => "; name its device with option 'device'".into(),
            (false, 0) => guess(name, names),
            (false, _) => format!("; of its networks the first {} are read", limits::NETWORKS),
        }
    }
}

#[cfg(test)]
impl From<Vec<(String, DeviceName)>> for Networks {
    fn from(devices: Vec<(String, DeviceName)>) -> Self {
        let mut networks = Self::default();
        for (name, device) in devices {
            networks.add(Network { name, device: Some(device), ..Network::default() });
        }
        networks
    }
}

/// The networks of the file, where there is no netifd to ask.
pub fn networks(package: &Package) -> Networks {
    let mut networks = Networks::default();
    for section in package.sections.iter().filter(|section| section.kind == "interface") {
        networks.add(network(section, &networks));
    }
    networks
}

/// One network of the file. `@wan` means "the device of wan", which stands above it.
fn network(section: &Section, earlier: &Networks) -> Network {
    let text = |name| section.option(name).and_then(|option| option.value.text());
    let proto = text("proto").unwrap_or("none");
    let first = text("device").or_else(|| text("ifname")).and_then(|named| named.split_whitespace().next());
    let lower = first.and_then(|named| match named.strip_prefix('@') {
        Some(other) => earlier.device(other),
        None => DeviceName::new(named),
    });
    let device = if MADE_BY_NETIFD.contains(&proto) {
        DeviceName::new(&format!("{proto}-{}", section.name))
    } else if proto == "wireguard" {
        DeviceName::new(&section.name)
    } else {
        lower
    };
    Network { name: section.name.clone(), proto: proto.into(), device, lower, ..Network::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Networks {
        networks(&super::super::uci::parse(text.as_bytes()).expect("a good file"))
    }

    fn device(name: &str) -> Option<DeviceName> {
        Some(DeviceName::new(name).expect("valid"))
    }

    #[test]
    fn networks_are_resolved_as_netifd_names_their_devices() {
        let networks = file(
            "config interface 'lan'\n option device 'br-lan'\n\
            config interface 'wan'\n option device 'dsl0.7'\n option proto 'pppoe'\n\
            config interface 'wan6'\n option device '@wan'\n option proto 'dhcpv6'\n\
            config interface 'lost'\n option device '@nobody'\n option proto 'dhcpv6'\n\
            config interface 'lte'\n option ifname 'wwan0 extra'\n option proto 'dhcp'\n\
            config interface 'modem'\n option device '/dev/cdc-wdm0'\n option proto 'qmi'\n\
            config interface 'vpn'\n option proto 'wireguard'\n",
        );
        let found: Vec<String> = networks
            .all
            .iter()
            .map(|n| {
                let shown = |d: Option<DeviceName>| d.map_or(String::from("-"), |d| format!("{d}"));
                format!("{}={}/{}/{}", n.name, n.proto, shown(n.device), shown(n.lower))
            })
            .collect();
        let wanted = [
            "lan=none/br-lan/br-lan",
            "wan=pppoe/pppoe-wan/dsl0.7",
            "wan6=dhcpv6/pppoe-wan/pppoe-wan",
            "lost=dhcpv6/-/-",
            "lte=dhcp/wwan0/wwan0",
            "modem=qmi/-/-",
            "vpn=wireguard/vpn/-",
        ];
        assert_eq!(found, wanted);
        assert!(!networks.is_live);
    }

    #[test]
    fn a_network_without_a_device_says_what_is_missing() {
        let live = |proto: &str, state| {
            let network = Network { name: "wwan".into(), proto: proto.into(), state, ..Network::default() };
            Networks { all: alloc::vec![network], is_live: true, left_out: 0 }
        };
        let known = |state| live("qmi", state);
        let full = Networks { left_out: 3, ..known(State::Up) };
        for (networks, name, text) in [
            (known(State::Down), "wwan", "network 'wwan' is down: waiting for its device"),
            (known(State::Connecting), "wwan", "network 'wwan' is connecting: waiting for its device"),
            (
                known(State::Absent),
                "wwan",
                "network 'wwan' has nothing to connect by yet: waiting for its device",
            ),
            (known(State::Up), "wwan", "network 'wwan' has no device yet"),
            (known(State::Up), "wan", "network 'wan' is not known to netifd; did you mean 'wwan'?"),
            (known(State::Up), "dsl", "network 'dsl' is not known to netifd"),
            (live("static", State::Up), "wan", "network 'wan' is not known to netifd"),
            (full, "wan", "network 'wan' is not known to netifd; of its networks the first 64 are read"),
            (
                Networks::default(),
                "wan",
                "network 'wan' is not known to /etc/config/network; name its device with option 'device'",
            ),
            (
                file("config interface 'wwan'\n option proto 'qmi'\n"),
                "wan",
                "network 'wan' is not known to /etc/config/network; did you mean 'wwan'?",
            ),
            (
                file("config interface 'wwan'\n option proto 'qmi'\n"),
                "wwan",
                "network 'wwan' has no device yet",
            ),
        ] {
            assert_eq!(networks.why_not(name), text);
        }
    }

    #[test]
    fn what_is_too_much_is_counted_and_not_kept() {
        let text: String =
            (0..100).map(|n| format!("config interface 'n{n}'\n option device 'd{n}'\n")).collect();
        let networks = file(&text);
        assert_eq!((networks.all.len(), networks.left_out), (limits::NETWORKS, 36));
    }

    #[test]
    fn without_configuration_the_line_is_the_default_routes_unless_that_is_a_tunnel() {
        let network = |name: &str, proto: &str, on: &str, v4, v6| Network {
            name: name.into(),
            proto: proto.into(),
            device: DeviceName::new(on),
            default_routes: [v4, v6],
            ..Network::default()
        };
        let wan = || network("wan", "dhcp", "eth1", Some(10), None);
        let wan6 = || network("wan6", "dhcpv6", "eth1", None, Some(512));
        let lte = || network("lte", "qmi", "wwan0", Some(20), None);
        let vpn = || network("vpn", "wireguard", "vpn", Some(0), None);
        let six = || network("six", "dhcpv6", "eth2", None, Some(0));
        let down = || network("down", "pppoe", "", Some(0), None);
        let lan = || network("lan", "static", "br-lan", None, None);
        for (all, kernel, line, name) in [
            (alloc::vec![lan(), wan(), wan6(), lte()], "eth1", "eth1", "wan"),
            // The kernel knows better than the metrics: a route may have been moved.
            (alloc::vec![lan(), wan(), wan6(), lte()], "wwan0", "wwan0", "lte"),
            (alloc::vec![lan(), lte(), wan(), wan6()], "", "eth1", "wan"),
            (alloc::vec![lan(), lte(), wan(), vpn()], "vpn", "eth1", "wan"),
            (alloc::vec![lan(), lte(), wan()], "tun0", "eth1", "wan"),
            (alloc::vec![six(), lte()], "", "wwan0", "lte"),
            (alloc::vec![six(), lan()], "", "eth2", "six"),
            (alloc::vec![down(), lan()], "", "", ""),
            (alloc::vec![lan()], "eth9", "eth9", ""),
            (alloc::vec![lan(), vpn()], "vpn", "vpn", ""),
            // An access point: its line is the LAN.
            (alloc::vec![lan()], "br-lan", "br-lan", "lan"),
            (alloc::vec![], "eth0", "eth0", ""),
        ] {
            let networks = Networks { all, is_live: true, left_out: 0 };
            let found = networks.default_line(DeviceName::new(kernel));
            let found = found.map(|(device, network)| (device, network.map_or("", |network| &network.name)));
            let wanted = DeviceName::new(line).map(|device| (device, name));
            assert_eq!(found, wanted, "{kernel} {networks:?}");
        }
        assert_eq!(Networks { all: alloc::vec![wan()], ..Networks::default() }.device("wan"), device("eth1"));
    }
}
