// SPDX-License-Identifier: Apache-2.0
//! Lines that are networks, while netifd says now this and now that of them (`tests/netifd`).

use super::*;
use crate::config::LinkLayer;
use crate::netifd::tests::networks;

/// A machine with these devices, where netifd said this.
fn machine(said: &str, devices: &[&str], wans: &[(&str, Option<&str>)]) -> Machine {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    let wan = |(section, network): &(&str, Option<&str>)| Wan {
        upload: Some(Rate::mbit(5)),
        network: network.map(String::from),
        ..Wan::new(section)
    };
    machine.file = Ok((Config { wans: wans.iter().map(wan).collect(), ..Config::default() }, Vec::new()));
    machine.world.networks = networks(said);
    machine.has(devices);
    machine.tell(Event::Start);
    machine
}

impl Machine {
    /// These devices are there, and no others.
    fn has(&mut self, devices: &[&str]) {
        let mut index = 1;
        self.world.links.clear();
        for device in devices {
            index += 1;
            self.world.links.push(Link::ethernet(index, name(device)));
        }
        self.tree.devices.retain(|device| devices.contains(&device.name.as_str()));
        for device in devices {
            if self.tree.device(&name(device)).is_none() {
                self.tree.devices.push(Device::system(name(device)));
            }
        }
    }

    /// netifd says this, and the devices are these; gives whether netifd's word made a difference, and what was done
    /// and said because of both.
    fn news(&mut self, said: &str, devices: &[&str]) -> (bool, usize, Vec<String>) {
        let networks = networks(said);
        let differs = networks != self.world.networks;
        self.world.networks = networks;
        self.has(devices);
        let (applied, heard) = (self.applied, self.said.len());
        self.tell(Event::LinksChanged).wait();
        (differs, self.applied - applied, self.said.split_off(heard))
    }

    fn way_up(&self, line: usize) -> String {
        self.daemon.plan().lines.get(line).map(|line| format!("{}", line.upload)).unwrap_or_default()
    }
}

#[test]
fn a_pppoe_line_is_waited_for_shaped_lost_and_healed() {
    let mut machine = machine("pending", &["dsl0", "dsl0.7", "br-lan"], &[("line", Some("wan"))]);
    assert_eq!(machine.applied, 0);
    assert!(machine.heard("line: upload not shaped: network 'wan' is connecting: waiting for its device"));
    // netifd says so a moment before the device is seen, or a moment after: both are fine.
    let (differs, applied, said) = machine.news("up", &["dsl0", "dsl0.7", "br-lan"]);
    assert_eq!((differs, applied), (true, 0));
    assert!(said[0].contains("there is no device pppoe-wan yet"), "{said:?}");
    let (_, applied, said) = machine.news("up", &["dsl0", "dsl0.7", "br-lan", "pppoe-wan"]);
    assert_eq!((applied, machine.way_up(0).as_str()), (1, "5 Mbit/s on pppoe-wan (htb)"));
    assert!(said[0].contains("5 Mbit/s on pppoe-wan"), "{said:?}");

    let (_, applied, said) = machine.news("down", &["dsl0", "dsl0.7", "br-lan"]);
    assert_eq!(applied, 0, "its queues went with the device");
    assert!(said[0].contains("network 'wan' is down: waiting for its device"), "{said:?}");
    let (_, applied, said) = machine.news("pending-again", &["dsl0", "dsl0.7", "br-lan"]);
    assert_eq!((applied, said.len()), (0, 1));
    let (_, applied, _) = machine.news("up-again", &["dsl0", "dsl0.7", "br-lan", "pppoe-wan"]);
    assert_eq!((applied, machine.way_up(0).as_str()), (1, "5 Mbit/s on pppoe-wan (htb)"));
}

#[test]
fn a_hundred_updates_that_change_nothing_do_nothing_and_say_nothing() {
    let devices = ["eth1", "eth7", "br-lan", "wwan0", "vpn", "eth1.8"];
    let mut machine = machine("mobile-up", &devices, &[("wan", Some("wan")), ("lte", Some("mobile"))]);
    assert_eq!(machine.applied, 1);
    let mut differences = 0;
    for n in 0..100 {
        let said = if n % 2 == 0 { "renewed" } else { "mobile-up" };
        let (differs, applied, said) = machine.news(said, &devices);
        differences += usize::from(differs);
        assert_eq!((applied, said), (0, Vec::new()));
    }
    assert_eq!(differences, 0);
    // Nor does another DNS server make the queues move.
    assert_eq!(machine.news("other-dns", &devices), (true, 0, Vec::new()));
}

#[test]
fn ifdown_of_a_direct_network_leaves_its_queues_where_they_are() {
    let devices = ["eth1", "br-lan", "wwan0"];
    let mut machine = machine("mobile-up", &devices, &[("wan", Some("wan"))]);
    assert_eq!(machine.news("wan-down", &devices), (true, 0, Vec::new()));
    assert_eq!(machine.news("mobile-up", &devices), (true, 0, Vec::new()));
}

#[test]
fn a_network_that_was_renamed_is_missed_by_its_old_name_and_found_by_its_new() {
    let mut machine = machine("up", &["dsl0.7", "pppoe-wan"], &[("old", Some("wan")), ("new", Some("dsl"))]);
    assert_eq!(machine.way_up(0), "5 Mbit/s on pppoe-wan (htb)");
    assert_eq!(machine.way_up(1), "not shaped: network 'dsl' is not known to netifd");
    let (_, applied, said) = machine.news("renamed", &["dsl0.7", "pppoe-dsl"]);
    assert_eq!((applied, machine.way_up(1).as_str()), (1, "5 Mbit/s on pppoe-dsl (htb)"));
    assert_eq!(machine.way_up(0), "not shaped: network 'wan' is not known to netifd; did you mean 'wan6'?");
    assert!(said.iter().any(|text| text.contains("old: upload not shaped: network 'wan' is not known")));
    // Switched off, it is as unknown as one that never was.
    machine.news("disabled", &["dsl0.7"]);
    assert_eq!(machine.way_up(1), "not shaped: network 'dsl' is not known to netifd");
}

#[test]
fn an_alias_is_its_line_and_no_second_one() {
    let lines = [("wan", Some("wan")), ("wan6", Some("wan6"))];
    let mut machine = machine("wan6-up", &["dsl0.7", "pppoe-wan"], &lines);
    assert_eq!(machine.way_up(0), "5 Mbit/s on pppoe-wan (htb)");
    assert_eq!(machine.way_up(1), "not shaped: wan6 is the same line as wan (both on pppoe-wan)");
    assert!(machine.daemon.plan().is_possible(), "nothing is missing");
    let root = |machine: &Machine| {
        let device = machine.tree.device(&name("pppoe-wan")).cloned();
        device.map_or(0, |device| {
            device.qdiscs.iter().filter(|q| q.parent == crate::units::Handle::ROOT).count()
        })
    };
    assert_eq!(root(&machine), 1);
    // While IPv6 comes and goes the line stays as it is.
    let devices = ["dsl0.7", "pppoe-wan"];
    assert_eq!(machine.news("up", &devices).1, 0);
    assert_eq!(machine.news("wan6-up", &devices).1, 0);
}

#[test]
fn without_a_network_named_the_line_is_the_default_routes_and_says_whose() {
    let devices = ["eth1", "br-lan", "wwan0"];
    let mut machine = machine("mobile-up", &devices, &[("wan", None)]);
    assert!(machine.heard("wan: is network 'wan', which has the default route"));
    assert_eq!(machine.way_up(0), "5 Mbit/s on eth1 (htb)");
    // The kernel has moved to the backup.
    machine.world.default_route = Some(name("wwan0"));
    let (_, applied, said) = machine.news("wan-down", &devices);
    assert_eq!((applied, machine.way_up(0).as_str()), (1, "5 Mbit/s on wwan0 (htb)"));
    assert!(
        said.iter().any(|text| text == "wan: is network 'mobile', which has the default route"),
        "{said:?}"
    );
}

#[test]
fn a_link_layer_is_suggested_taken_when_asked_for_and_left_alone_when_given() {
    let line = |link: LinkLayer, is_link_given: bool, said: &str, device: &str| {
        let mut machine = machine(said, &[device], &[]);
        let network = Some(String::from("wan"));
        let wan = Wan { upload: Some(Rate::mbit(5)), network, link, is_link_given, ..Wan::new("wan") };
        machine.file = Ok((Config { wans: alloc::vec![wan], ..Config::default() }, Vec::new()));
        machine.said.clear();
        machine.tell(Event::Reload);
        let plan = machine.daemon.plan();
        let qdisc = plan.tree.device(&name(device)).and_then(|device| device.qdiscs.first()).cloned();
        let stab = qdisc.and_then(|qdisc| qdisc.stab).map(|stab| stab.overhead);
        (plan.lines[0].link.name, stab, plan.notes.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>())
    };
    let usual = LinkLayer::default();
    let words = |text: &str| alloc::vec![String::from(text)];
    let hint =
        "packets are counted as Ethernet's; option link 'auto' would be 'pppoe-vdsl2-vlan': pppoe on dsl0.7";
    // These devices are Ethernet: the kernel counts 14 bytes of the overhead itself.
    assert_eq!(line(usual, false, "up", "pppoe-wan"), ("ethernet", Some(38 - 14), words(hint)));
    assert_eq!(line(usual, true, "up", "pppoe-wan"), ("ethernet", Some(38 - 14), Vec::new()));
    let taken = "link 'auto' is 'pppoe-vdsl2-vlan': pppoe on dsl0.7";
    let found = line(LinkLayer::AUTO, true, "up", "pppoe-wan");
    assert_eq!(found, ("pppoe-vdsl2-vlan", Some(34 - 14), words(taken)));
    let nothing = "link 'auto' is 'ethernet': nothing tells what the line is";
    assert_eq!(line(LinkLayer::AUTO, true, "mobile-up", "eth1"), ("ethernet", Some(38 - 14), words(nothing)));
    assert_eq!(line(usual, false, "mobile-up", "eth1"), ("ethernet", Some(38 - 14), Vec::new()));
}

#[test]
fn what_is_noted_of_a_line_is_said_once_and_not_each_time_it_returns() {
    let up = ["dsl0", "dsl0.7", "br-lan", "pppoe-wan"];
    let mut machine = machine("pending", &["dsl0", "dsl0.7", "br-lan"], &[("line", Some("wan"))]);
    let note = "line: packets are counted as Ethernet's";
    let (_, _, said) = machine.news("up", &up);
    assert!(said.iter().any(|text| text.contains(note)), "{said:?}");
    for _ in 0..2 {
        let (_, _, said) = machine.news("down", &["dsl0", "dsl0.7", "br-lan"]);
        assert_eq!(said.len(), 1, "{said:?}");
        let (_, _, said) = machine.news("up-again", &up);
        assert!(said[0].contains("5 Mbit/s on pppoe-wan") && said.len() == 1, "{said:?}");
    }
}
