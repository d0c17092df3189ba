// SPDX-License-Identifier: Apache-2.0
//! The devices of OpenWrt's networks, as far as `/etc/config/network` tells.

use super::uci::Package;
use crate::units::DeviceName;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Protocols whose device is made by netifd and called after protocol and network.
const MADE_BY_NETIFD: [&str; 10] =
    ["pppoe", "pppoa", "ppp", "pptp", "l2tp", "3g", "6in4", "6to4", "6rd", "464xlat"];

/// The device of each network.
pub fn devices(package: &Package) -> Vec<(String, DeviceName)> {
    let interfaces = package.sections.iter().filter(|section| section.kind == "interface");
    let of = |section: &super::uci::Section| {
        let text = |name| section.option(name).and_then(|option| option.value.text());
        let proto = text("proto").unwrap_or("none");
        let device = if MADE_BY_NETIFD.contains(&proto) {
            DeviceName::new(&format!("{proto}-{}", section.name))
        } else if proto == "wireguard" {
            DeviceName::new(&section.name)
        } else {
            let named = text("device").or_else(|| text("ifname"))?;
            // `@wan` means "the device of wan", which is what the other network resolves to.
            DeviceName::new(named.split_whitespace().next()?).filter(|_| !named.starts_with('@'))
        };
        Some((section.name.clone(), device?))
    };
    interfaces.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_resolved_as_netifd_names_their_devices() {
        let file = b"config interface 'lan'\n option device 'br-lan'\n\
            config interface 'wan'\n option device 'dsl0.7'\n option proto 'pppoe'\n\
            config interface 'wan6'\n option device '@wan'\n option proto 'dhcpv6'\n\
            config interface 'lte'\n option ifname 'wwan0 extra'\n option proto 'dhcp'\n\
            config interface 'vpn'\n option proto 'wireguard'\n";
        let package = super::super::uci::parse(file).expect("a good file");
        let found: Vec<String> = devices(&package).iter().map(|(n, d)| format!("{n}={d}")).collect();
        assert_eq!(found, ["lan=br-lan", "wan=pppoe-wan", "lte=wwan0", "vpn=vpn"]);
    }
}
