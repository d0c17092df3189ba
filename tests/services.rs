// SPDX-License-Identifier: Apache-2.0
//! The built-in services against each other, in the default configuration: who decides what, and who stands in whose way.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use weir::classify::packet::{Packet, Seen};
use weir::classify::scheme::{Reason, Scheme};
use weir::config::rule::{Match, of_service};
use weir::config::service::{self, Service};
use weir::config::{Config, Rule};
use weir::door::load;
use weir::tc::classifier::scheme;
use weir::units::Way;

/// Rows of different classes that share ports at the same end: the first of a pair has them, and why that is right.
const SHARED: &[(&str, &str, &str)] = &[
    ("zoom", "playstation", "3478-3479 are STUN's: a console's few packets to it may go first, too"),
    ("teams", "playstation", "3478-3480, as with zoom"),
    ("meet", "playstation", "3478, as with zoom"),
    ("whatsapp", "playstation", "3478, as with zoom"),
    ("facetime", "playstation", "3478-3479, as with zoom"),
    ("stun", "playstation", "3478-3479, as with zoom"),
    ("sip", "riot", "5060-5061: telephones would wait, a game with 500 ports rarely has these two"),
    ("stun", "riot", "5349: STUN's own port, one of 500 for the game"),
    ("webex", "riot", "5004: a call's only port, one of 500 for the game"),
    ("rtp", "riot", "7078-7109: telephones' only ports, 32 of 1000 for the game"),
];

/// The default configuration's scheme.
fn with_scheme<T>(config: &Config, way: Way, ask: impl Fn(&Scheme<'_>) -> T) -> T {
    let wan = config.wans.first().expect("a line");
    ask(&scheme(config, wan, way, 14, None, true))
}

/// A packet that meets `one`, its port `port` if it asks for any; else all of it is what nobody else asks for.
fn packet(one: &Match, port: u16, protocol: u8, way: Way) -> Packet {
    const NOBODY: u16 = 30_000;
    let remote = if one.remote_ports.is_empty() { NOBODY } else { port };
    let local = if one.local_ports.is_empty() { NOBODY } else { port };
    let has_ports = [6, 17].contains(&protocol);
    Packet {
        is_v6: protocol == 58,
        protocol,
        ports: has_ports.then_some(if way == Way::Up { (local, remote) } else { (remote, local) }),
        source: [10; 16],
        destination: [11; 16],
        dscp: 0,
        length: 100,
        is_bare: Some(one.is_bare),
    }
}

/// Every packet a service is about, as far as its ports tell packets apart.
fn packets(service: &Service, way: Way) -> Vec<Packet> {
    let mut all = Vec::new();
    for one in of_service(service) {
        let ranges = if one.local_ports.is_empty() { &one.remote_ports } else { &one.local_ports };
        let ranges = if ranges.is_empty() { &[(0, 0)][..] } else { ranges };
        for protocol in &one.protocols {
            let ports = ranges.iter().flat_map(|(low, high)| *low..=*high);
            all.extend(ports.map(|port| packet(&one, port, *protocol, way)));
        }
    }
    all
}

fn decider<'a>(scheme: &Scheme<'a>, packet: Packet) -> Option<&'a Rule> {
    match scheme.decide(&Seen::Ip(packet)).1 {
        Reason::Rule(rule) => Some(rule),
        Reason::Default | Reason::Control | Reason::Odd | Reason::Local => None,
    }
}

#[test]
fn every_service_decides_some_packet_and_none_of_its_packets_goes_unplaced() {
    let config = Config::default();
    for way in Way::ALL {
        with_scheme(&config, way, |scheme| {
            for service in service::services() {
                let deciders: Vec<&Rule> = packets(&service, way)
                    .into_iter()
                    .map(|packet| decider(scheme, packet).unwrap_or_else(|| panic!("{packet:?} is nobody's")))
                    .collect();
                assert!(
                    deciders.iter().any(|rule| rule.name == service.name),
                    "{} is out of reach",
                    service.name
                );
                assert!(deciders.iter().all(|rule| {
                    rule.name == service.name
                        || rule.class == service.class
                        || SHARED
                            .iter()
                            .any(|(first, second, _)| (*first, *second) == (&rule.name, service.name))
                }));
            }
        });
    }
}

#[test]
fn services_of_different_classes_share_only_what_is_listed_with_its_reason() {
    let meet =
        |a: &[(u16, u16)], b: &[(u16, u16)]| a.iter().any(|x| b.iter().any(|y| x.0 <= y.1 && y.0 <= x.1));
    let mut shared = Vec::new();
    let all: Vec<(Service, Vec<Match>)> = service::services().map(|one| (one, of_service(&one))).collect();
    for (n, (second, theirs)) in all.iter().enumerate() {
        for (first, ours) in all[..n].iter().filter(|(first, _)| first.class != second.class) {
            let is_shared = ours.iter().any(|a| {
                theirs.iter().any(|b| {
                    a.protocols.iter().any(|protocol| b.protocols.contains(protocol))
                        && (meet(&a.remote_ports, &b.remote_ports) || meet(&a.local_ports, &b.local_ports))
                })
            });
            if is_shared {
                shared.push((first.name, second.name));
            }
        }
    }
    let listed: Vec<(&str, &str)> = SHARED.iter().map(|(first, second, _)| (*first, *second)).collect();
    shared.sort_by_key(|pair| listed.iter().position(|known| known == pair));
    assert_eq!(shared, listed);
}

#[test]
fn acknowledgements_stay_with_bulk_and_go_ahead_of_the_web() {
    let config = Config::default();
    let class = |name: &str, is_bare| {
        let all = packets(&service::find(name).expect("there"), Way::Up);
        let first = *all.iter().find(|packet| packet.protocol == 6).expect("it has TCP");
        with_scheme(&config, Way::Up, |scheme| {
            decider(scheme, Packet { is_bare: Some(is_bare), ..first }).expect("a rule").class.clone()
        })
    };
    for bulk in service::services().filter(|service| service.class == "low") {
        assert_eq!([class(bulk.name, false), class(bulk.name, true)], ["low", "low"], "{}", bulk.name);
    }
    for rest in ["web", "mail", "vpn"] {
        assert_eq!([class(rest, false), class(rest, true)], ["normal", "high"], "{rest}");
    }
}

#[test]
fn the_services_leave_room_for_four_hundred_rules_of_ones_own() {
    let mut file = String::from("config wan 'w'\n option trust_dscp 'both'\n");
    for n in 0..400 {
        let class = ["critical", "high", "low"][n % 3];
        let _ = writeln!(
            file,
            "config rule 'r{n}'\n option class '{class}'\n option remote_port '{}'",
            10_000 + 37 * n
        );
    }
    let (config, warnings) = load(file.as_bytes()).expect("it fits");
    assert_eq!(warnings, []);
    assert_eq!(config.rules.iter().filter(|rule| rule.line > 0).count(), 400);
}

#[test]
fn the_list_for_people_is_as_written_down() {
    let weir = |words: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_weir")).arg("services").args(words).output().expect("weir runs")
    };
    let mut found = String::new();
    for words in [&[][..], &["zoom", "tcp_ack"], &["torrent"]] {
        let output = weir(words);
        let _ = writeln!(found, "> weir services {}", words.join(" "));
        found.push_str(&String::from_utf8_lossy(&output.stdout));
        found.push_str(&String::from_utf8_lossy(&output.stderr));
        let _ = writeln!(found, "exit code {}\n", output.status.code().expect("it ends"));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/services.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &found).expect("writable");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, expected, "{} (BLESS=1 rewrites)", path.display());
}
