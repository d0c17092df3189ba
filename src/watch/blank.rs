// SPDX-License-Identifier: Apache-2.0
//! Addresses and names out of a text that others will read: each becomes `<ipv4-1>`, equal ones the same.
//!
//! What may be an address is taken for one; times, versions, handles and numbers stay. Integers are not looked at: nothing
//! that weir prints writes an address as one, but for programs and u32 keys, which a bundle does not show.

use crate::config::uci::{Package, Value};
use crate::config::value;
use crate::text;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

/// What was taken out: its kind and a text that is the same for equal ones.
type Seen = Vec<(&'static str, String)>;

/// One kind of word that is looked for: of which bytes it is made, and what it is with this text before it.
type Pass = (fn(u8) -> bool, fn(&str, &str) -> Option<&'static str>);

/// In this order: what one pass leaves the next cannot mistake.
const PASSES: [Pass; 4] = [
    (|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'), of_colons),
    (|byte| byte.is_ascii_digit() || byte == b'.', of_dots),
    (|byte| byte.is_ascii_hexdigit() || byte == b'-', of_dashes),
    (|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'@'), of_names),
];

/// Takes out every IPv4, IPv6 and hardware address, and every name with a dot.
pub fn blank(text: &str) -> String {
    let mut seen = Seen::new();
    let mut text = String::from(text);
    for (is_part, kind) in PASSES {
        let (mut out, mut at) = (String::new(), 0);
        // Parts are ASCII, so that a text is cut between characters.
        while let Some((before, rest)) = text.split_at_checked(at).filter(|(_, rest)| !rest.is_empty()) {
            let is_run = rest.bytes().next().is_some_and(is_part);
            let end = rest.bytes().position(|byte| is_part(byte) != is_run).unwrap_or(rest.len());
            let (run, _) = rest.split_at(end);
            at += end;
            let (front, word, back) = trimmed(run);
            match kind(before, word).filter(|_| is_run) {
                Some(kind) => {
                    out.push_str(front);
                    named(kind, word, &mut seen, &mut out);
                    out.push_str(back);
                }
                None => out.push_str(run),
            }
        }
        text = out;
    }
    text
}

/// A word between the marks of the sentence around it: dots, dashes, one colon at each end.
fn trimmed(run: &str) -> (&str, &str, &str) {
    let bytes = run.as_bytes();
    let (mut start, mut end) = (0, bytes.len());
    let is_mark = |at: usize, next: usize| match bytes.get(at) {
        Some(b'.' | b'-') => true,
        Some(b':') => bytes.get(next) != Some(&b':'),
        _ => false,
    };
    while start < end && is_mark(start, start + 1) {
        start += 1;
    }
    while end > start && is_mark(end - 1, end.wrapping_sub(2)) {
        end -= 1;
    }
    let (rest, back) = run.split_at(end);
    let (front, word) = rest.split_at(start);
    (front, word, back)
}

/// IPv6 and hardware addresses. Less than five colons are a time or a handle.
fn of_colons(_: &str, word: &str) -> Option<&'static str> {
    let count = |mark| word.bytes().filter(|byte| *byte == mark).count();
    let (colons, dots) = (count(b':'), count(b'.'));
    let is_short = text::find(word, "::").is_some() && word.len() > 2;
    match (colons, dots) {
        (5, 0) if !is_short => Some("mac"),
        (0, 2) if word.len() == 14 && word.split('.').all(|group| group.len() == 4) => Some("mac"),
        (0, 0) if word.len() == 12 && !word.bytes().all(|byte| byte.is_ascii_digit()) => Some("mac"),
        _ => (is_short || colons >= 5).then_some("ipv6"),
    }
}

fn groups(word: &str, mark: char) -> usize {
    word.split(mark).filter(|group| !group.is_empty()).count()
}

/// IPv4 addresses; versions have three numbers.
fn of_dots(_: &str, word: &str) -> Option<&'static str> {
    (groups(word, '.') >= 4).then_some("ipv4")
}

/// Hardware addresses with dashes; dates have three groups.
fn of_dashes(_: &str, word: &str) -> Option<&'static str> {
    (groups(word, '-') >= 6).then_some("mac")
}

/// Names of hosts: with a dot, letters alone behind the last, and no part of a path.
fn of_names(before: &str, word: &str) -> Option<&'static str> {
    let is_path = before.ends_with('/') && !before.ends_with("//");
    let (_, last) = word.rsplit_once('.')?;
    let is_top = last.starts_with("xn--") || last.bytes().all(|byte| byte.is_ascii_alphabetic());
    (!is_path && is_top && last.len() > 1).then_some("name")
}

/// Writes what stands for it: the same for equal ones, and `-private` behind those that no other house can tell apart.
fn named(kind: &'static str, word: &str, seen: &mut Seen, out: &mut String) {
    let prefix = value::prefix(word).ok();
    let key = prefix.map_or_else(|| word.to_ascii_lowercase(), |prefix| prefix.to_string());
    let mut number = 1;
    let is_known = seen.iter().any(|(other, text)| {
        let is_it = *other == kind && *text == key;
        number += usize::from(*other == kind && !is_it);
        is_it
    });
    if !is_known {
        seen.push((kind, key));
    }
    let class = if prefix.is_some_and(|prefix| prefix.is_of_a_site()) { "-private" } else { "" };
    let _ = write!(out, "<{kind}-{number}{class}>");
}

/// What an option's name has in it whose value is nobody else's business.
const SECRETS: [&str; 7] = ["pass", "token", "secret", "key", "user", "ssid", "host"];

/// Takes passwords and the like out of a file.
pub fn secrets(package: &mut Package) {
    for option in package.sections.iter_mut().flat_map(|section| &mut section.options) {
        let name = option.name.to_ascii_lowercase();
        if SECRETS.iter().any(|secret| text::find(&name, secret).is_some()) {
            option.value = Value::Text(b"<blanked>".to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{options, uci};
    use alloc::format;
    use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    #[test]
    fn addresses_and_names_are_replaced_and_equal_ones_stay_recognisable() {
        for (given, wanted) in [
            ("from 192.0.2.1 to 192.0.2.7, then 192.0.2.1.", "from <ipv4-1> to <ipv4-2>, then <ipv4-1>."),
            ("local 192.168.1.0/24 and 10.1.2.3:53", "local <ipv4-1-private>/24 and <ipv4-2-private>:53"),
            ("[2001:db8::1]:443 is 2001:DB8:0:0:0:0:0:1", "[<ipv6-1>]:443 is <ipv6-1>"),
            (
                "fe80::1%eth0 ::ffff:192.0.2.1 64:ff9b:1:2:3:4:192.0.2.1",
                "<ipv6-1-private>%eth0 <ipv6-2> <ipv6-3>",
            ),
            ("lladdr aa:bb:cc:dd:ee:ff, AA-BB-CC-DD-EE-FF aabb.ccdd.eeff", "lladdr <mac-1>, <mac-3> <mac-2>"),
            ("eth0:aa:bb:cc:dd:ee:ff", "eth<ipv6-1>"),
            ("x192.0.2.1y", "x<ipv4-1>y"),
            ("1.2.0.192.in-addr.arpa", "<ipv4-1>.<name-1>"),
            ("asks dns.example.net:53, me@nas.lan", "asks <name-1>:53, <name-2>"),
            ("https://dns.example.net/dns-query", "https://<name-1>/dns-query"),
            ("::1 and ::/0", "<ipv6-1> and ::/0"),
        ] {
            assert_eq!(blank(given), wanted, "{given}");
        }
    }

    #[test]
    fn harmless_text_is_kept() {
        for text in [
            "12:34:56",
            "2026-11-21 12:34:56.789+01:00",
            "tc qdisc add dev eth0.7 parent 57e1:10 handle 57e2: fq_codel target 5.0ms",
            "tc filter add dev eth0 parent ffff:fff2 pref 22497 bpf bytecode '2,…'",
            "weir 0.1.2, kernel 6.6.73, OpenWrt 24.10.0 r28427-6df0e3d02a",
            "6.1.0-49-amd64 123456789012 bytes",
            "/usr/share/rpcd/acl.d/weir.json and /etc/rc.d",
            "20 Mbit/s; waits 1.5 ms (aim 4 ms) …",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(blank(text), text);
        }
    }

    #[test]
    fn no_address_of_any_notation_survives_wherever_it_stands() {
        const AROUND: [&str; 16] = [
            "", " ", "x", "a", "9", ":", ".", "-", "/", "[", "%eth0", "12:34:", "57e1:10 ", "1.2.", "::", "é",
        ];
        let mut state = 22_497u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        };
        for _ in 0..3_000 {
            let v4 = Ipv4Addr::from(random());
            // Zeros make the notation short.
            let groups: [u16; 8] =
                core::array::from_fn(|_| if random() % 2 == 0 { 0 } else { random() as u16 });
            let v6 = Ipv6Addr::from(groups);
            let [g0, g1, g2, g3, g4, g5, ..] = groups;
            let octets = v4.octets();
            let texts = [
                v4.to_string(),
                format!("{v4}/24"),
                v6.to_string(),
                v6.to_string().to_uppercase(),
                format!("{g0:04x}:{g1:x}:{g2:x}:{g3:x}:{g4:x}:{g5:x}:{v4}"),
                format!("::ffff:{v4}"),
                format!("{v6}%eth0"),
                format!("{g0:x}:{g1:x}::/32"),
            ];
            let pick = |n: u32| AROUND[n as usize % AROUND.len()];
            let text = &texts[random() as usize % texts.len()];
            let given = format!("{}{text}{}", pick(random()), pick(random()));
            let out = blank(&given);
            let starts = out.char_indices().map(|(at, _)| at).chain([out.len()]).collect::<Vec<_>>();
            for (n, start) in starts.iter().enumerate() {
                for end in &starts[n..] {
                    let part = &out[*start..*end];
                    assert!(part == "::" || part.parse::<IpAddr>().is_err(), "{given} became {out}: {part}");
                }
            }
            for mark in [':', '-'] {
                let mac: Vec<String> =
                    octets.iter().chain(&octets[..2]).map(|byte| format!("{byte:02x}")).collect();
                let mac = mac.join(&mark.to_string());
                let given = format!("{}{mac}{}", pick(random()), pick(random()));
                assert!(!blank(&given).contains(&mac), "{given}");
            }
        }
    }

    #[test]
    fn passwords_are_taken_out_and_no_option_of_weirs_is() {
        let file = b"config x 'y'\n option WPA_Key 'abc\ndef'\n list username 'anna'\n option enabled '1'\n";
        let mut package = uci::parse(file).expect("a good file");
        secrets(&mut package);
        let mut out = Vec::new();
        uci::export(&package, "x", &mut out);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "package x\n\nconfig x 'y'\n\toption WPA_Key '<blanked>'\n\toption username '<blanked>'\n\
             \toption enabled '1'\n\n"
        );
        for row in options::OPTIONS {
            assert!(!SECRETS.iter().any(|secret| row.name.contains(secret)), "{}", row.name);
        }
    }
}
