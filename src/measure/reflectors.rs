// SPDX-License-Identifier: Apache-2.0
//! Whom to ask when the user names nobody: public resolvers, which are near almost everywhere (anycast), answer pings
//! and DNS, and are made for many. Each provider once before any of them a second time, as they fail together.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

/// The first three groups and the last two; what lies between is zero.
const fn v6(a: u16, b: u16, c: u16, g: u16, h: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, g, h))
}

/// Their addresses, in the order in which they are tried; those of IPv6 come in where the others fail.
pub const BUILT_IN: [IpAddr; 24] = [
    v4(9, 9, 9, 9),                        // Quad9, which tells the time: sqm-autorate asks it so
    v4(1, 1, 1, 1),                        // Cloudflare
    v4(8, 8, 8, 8),                        // Google
    v4(208, 67, 222, 222),                 // OpenDNS
    v4(94, 140, 14, 14),                   // AdGuard
    v4(149, 112, 112, 112),                // Quad9, another prefix
    v4(76, 76, 2, 0),                      // Control D
    v4(185, 228, 168, 9),                  // CleanBrowsing
    v4(64, 6, 64, 6),                      // Vercara, once Verisign
    v4(1, 0, 0, 1),                        // Cloudflare
    v4(8, 8, 4, 4),                        // Google
    v4(208, 67, 220, 220),                 // OpenDNS
    v4(94, 140, 15, 15),                   // AdGuard
    v4(76, 76, 10, 0),                     // Control D
    v6(0x2620, 0xfe, 0, 0, 0xfe),          // Quad9
    v6(0x2606, 0x4700, 0x4700, 0, 0x1111), // Cloudflare
    v6(0x2001, 0x4860, 0x4860, 0, 0x8888), // Google
    v6(0x2620, 0x119, 0x35, 0, 0x35),      // OpenDNS
    v6(0x2a10, 0x50c0, 0, 0xad1, 0xff),    // AdGuard
    v6(0x2606, 0x1a40, 0, 0, 0),           // Control D
    v6(0x2a0d, 0x2a00, 1, 0, 2),           // CleanBrowsing
    v6(0x2620, 0x74, 0x1b, 1, 1),          // Vercara
    v6(0x2606, 0x4700, 0x4700, 0, 0x1001), // Cloudflare
    v6(0x2001, 0x4860, 0x4860, 0, 0x8844), // Google
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn there_is_room_for_all_and_none_is_there_twice() {
        assert!(BUILT_IN.len() <= crate::limits::REFLECTORS);
        for (n, address) in BUILT_IN.iter().enumerate() {
            assert!(!BUILT_IN[..n].contains(address), "{address}");
        }
    }

    #[test]
    fn addresses_are_what_their_owners_publish() {
        let written =
            ["9.9.9.9", "2620:fe::fe", "2606:4700:4700::1111", "2001:4860:4860::8888", "2620:119:35::35"];
        let more = ["2a10:50c0::ad1:ff", "2606:1a40::", "2a0d:2a00:1::2", "2620:74:1b::1:1"];
        for text in written.iter().chain(&more) {
            assert!(BUILT_IN.iter().any(|address| address.to_string() == **text), "{text}");
        }
    }
}
