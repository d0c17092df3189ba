// SPDX-License-Identifier: Apache-2.0
//! Every check, in every verdict it can have.

use super::doctor::{CHECKS, Verdict, examine, is_well, write, write_text};
use super::evidence::{Evidence, FILES, File, Lines};
use crate::config::Fault;
use crate::door;
use crate::json::Json;
use crate::report::{Seen, Told, snapshot};
use crate::scribe::Scribe;
use crate::steer::{Probed, Standing};
use crate::tc::plan::{Plan, World, ifb_name, plan_with};
use crate::tc::speed::Speeds;
use crate::tc::stats::Counters;
use crate::tc::{Device, Filter, FilterKind, Foreign, Link, PREFERENCE, Qdisc, QdiscKind, Tree, memo::Memo};
use crate::units::{DeviceName, Handle};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// A router on which all is well; tests spoil it.
struct House {
    file: String,
    world: World,
    /// Changes what the kernel was seen to have, which is what is planned.
    spoil: fn(&mut Tree),
    counters: Vec<(u32, Handle, Counters)>,
    standings: Vec<Standing>,
    probing: Vec<(usize, Probed)>,
    is_running: Option<bool>,
    merging: Vec<DeviceName>,
    files: Vec<String>,
    later: Vec<String>,
    seconds: u64,
}

fn device(name: &str) -> DeviceName {
    DeviceName::new(name).expect("a name")
}

impl House {
    fn new() -> Self {
        let ifb = Link { kind: "ifb".into(), group: crate::tc::GROUP, ..Link::ethernet(3, ifb_name("wan")) };
        let links = alloc::vec![Link::ethernet(2, device("eth0")), ifb];
        let world = World { links, default_route: Some(device("eth0")), ..World::default() };
        let mut house = Self {
            file: "config wan 'wan'\n option network 'wan'\n option download '80mbit'\n option upload '20mbit'\n".into(),
            world: World { networks: alloc::vec![("wan".into(), device("eth0"))].into(), ..world },
            spoil: |_| {},
            counters: Vec::new(),
            standings: Vec::new(),
            probing: Vec::new(),
            is_running: Some(true),
            merging: Vec::new(),
            files: alloc::vec![String::new(); FILES.len()],
            later: Vec::new(),
            seconds: 1_800_000_000,
        };
        for (file, text) in [
            (File::Stat, "cpu  9 9 9 9 9 9 9 9\ncpu0 100 0 100 800 0 0 0 0 0 0\nintr 5\n"),
            (File::Own, "7 (we)ir) S 1 7 7 0 -1 4 0 0 0 0 10 20 0 0 20 0\n"),
            (
                File::Status,
                "Name:\tweir\nCapEff:\t0000000000003000\nCapBnd:\t0\nNoNewPrivs:\t1\nSeccomp:\t0\n",
            ),
            (File::Firewall, "config defaults\n option flow_offloading '0'\n"),
            (File::Network, "config interface 'wan'\n option proto 'dhcp'\n"),
            (File::Bus, "socket"),
            (File::Acl, "{\"weir\":{\"read\":{}}}"),
            (File::Release, "DISTRIB_ID='OpenWrt'\n"),
            (File::Boot, "#!"),
            (File::Sysntpd, "#!"),
        ] {
            house.set(file, text);
        }
        let stat = "cpu  9 9 9 9 9 9 9 9\ncpu0 110 0 110 870 0 0 10 0 0 0\nintr 6\n";
        house.later = alloc::vec![stat.into(), "7 (we)ir) S 1 7 7 0 -1 4 0 0 0 0 11 21 0 0 20 0\n".into()];
        house
    }

    fn set(&mut self, file: File, text: &str) {
        self.files[file as usize] = text.into();
    }

    fn shaper(&mut self, name: &str, config: &str) {
        let at = FILES
            .iter()
            .position(|path| path.strip_prefix("/etc/rc.d/S?") == Some(name))
            .expect("one that is known");
        self.files[at] = "#!".into();
        self.files[at + 1] = config.into();
    }

    fn option(&mut self, line: &str) {
        self.file.push_str(&format!(" option {line}\n"));
    }

    /// What the doctor says of it, with the evidence shown to `show`.
    fn examined<T>(&self, show: impl FnOnce(&Evidence<'_>) -> T) -> T {
        let (config, faults): (_, Vec<Fault>) = match door::check(self.file.as_bytes()) {
            Ok((config, warnings)) => (Some(config), warnings),
            Err(faults) => (None, faults),
        };
        let mut evidence = Evidence {
            path: "/etc/config/weir".into(),
            faults: &faults,
            is_running: self.is_running,
            merging: self.merging.clone(),
            files: self.files.clone(),
            later: self.later.clone(),
            seconds: self.seconds,
            ..Evidence::default()
        };
        let Some(config) = config else { return show(&evidence) };
        let mut plan: Plan = plan_with(&config, &self.world, &Speeds::default(), &mut Memo::default());
        let mut tree = plan.tree.clone();
        (self.spoil)(&mut tree);
        plan.yield_to_others(&tree);
        let seen = Seen { links: &self.world.links, tree: &tree, counters: &self.counters };
        let mut report = snapshot(&config, &plan, &seen);
        let (standings, probing) = (self.standings.clone(), self.probing.clone());
        report.add(Told { standings, probing, ..Told::default() });
        evidence.lines =
            Some(Lines { config: &config, plan: &plan, world: &self.world, tree: &tree, report: &report });
        show(&evidence)
    }

    /// `verdict: evidence` of one check.
    fn told(&self, check: &str) -> Vec<String> {
        self.examined(|evidence| {
            let found = examine(evidence).into_iter().filter(|finding| finding.check.name == check);
            found.map(|finding| format!("{}: {}", finding.verdict.word(), finding.evidence)).collect()
        })
    }
}

/// Spoils a house, and says what one check then says.
type Case = (&'static str, fn(&mut House), &'static [&'static str]);

fn foreign(parent: Handle, handle: Handle) -> Qdisc {
    let kind = QdiscKind::Foreign(Foreign { kind: "tbf".into(), options: Vec::new() });
    Qdisc { parent, handle, stab: None, kind }
}

fn wan(tree: &mut Tree) -> &mut Device {
    tree.devices.iter_mut().find(|known| known.name == device("eth0")).expect("the line's device")
}

fn standing(state: &str) -> Standing {
    Standing::from_text(&format!("0 0 20000000 20000000 0 0 0 0 {state} why")).expect("a standing")
}

#[test]
fn a_router_on_which_all_is_well_is_well_and_every_check_is_told_once() {
    let house = House::new();
    house.examined(|evidence| {
        let found = examine(evidence);
        let names: Vec<&str> = found.iter().map(|finding| finding.check.name).collect();
        assert_eq!(names, CHECKS.iter().map(|check| check.name).collect::<Vec<_>>());
        for finding in &found {
            assert_eq!(finding.verdict, Verdict::Ok, "{}: {}", finding.check.name, finding.evidence);
            assert!(!finding.evidence.is_empty() && finding.remedy().is_empty());
        }
        assert!(is_well(&found));
    });
    assert_eq!(
        house.told("processor"),
        ["ok: its busiest core is 10 % busy with packets, weir itself takes 2 %"]
    );
}

const CASES: &[Case] = &[
    (
        "config",
        |house| house.option("speed '1'"),
        &["warning: /etc/config/weir:5: warning: option 'speed': not known in section wan and ignored"],
    ),
    (
        "config",
        |house| house.option("device 'a b'"),
        &["fault: /etc/config/weir:5: fault: option 'device': "],
    ),
    (
        "shaped",
        |house| house.spoil = |tree| tree.devices.clear(),
        &[
            "fault: wan upload is not shaped: not as planned: weir would ",
            "fault: wan download is not shaped: not as planned: weir would ",
        ],
    ),
    (
        "shaped",
        |house| house.file = "config wan 'wan'\n option device 'eth0'\n option adapt '0'\n".into(),
        &[
            "warning: wan upload is not shaped: no speed known",
            "warning: wan download is not shaped: no speed known",
        ],
    ),
    (
        "shaped",
        |house| house.file = "config wan 'wan'\n option device 'eth0'\n option upload '5mbit'\n".into(),
        &["note: wan download is not shaped: no speed known"],
    ),
    (
        "shaped",
        |house| house.option("enabled '0'"),
        &[
            "note: wan upload is not shaped: this line is switched off",
            "note: wan download is not shaped: this line is switched off",
        ],
    ),
    ("shaped", |house| house.option("device 'a b'"), &["unknown: no configuration in force"]),
    (
        "flow_offload",
        |house| house.set(File::Firewall, "config defaults\n option flow_offloading '1'\n"),
        &["warning: known flows pass by the queues of bridges (/etc/config/firewall)"],
    ),
    (
        "flow_offload",
        |house| {
            house.set(
                File::Firewall,
                "config defaults\n option flow_offloading '1'\n option flow_offloading_hw 'on'\n",
            );
        },
        &["fault: the hardware forwards known flows, past every queue (/etc/config/firewall)"],
    ),
    // The firewall looks at the second only with the first.
    (
        "flow_offload",
        |house| house.set(File::Firewall, "config defaults\n option flow_offloading_hw '1'\n"),
        &["ok: "],
    ),
    (
        "flow_offload",
        |house| house.set(File::Flows, "ipv4 2 tcp 6 src=192.0.2.1 [OFFLOAD] mark=0\n"),
        &["warning: known flows pass by the queues of bridges (/proc/net/nf_conntrack)"],
    ),
    (
        "flow_offload",
        |house| house.set(File::Flows, "ipv4 2 tcp 6 src=192.0.2.1 [HW_OFFLOAD] mark=0\n"),
        &["fault: the hardware forwards known flows, past every queue (/proc/net/nf_conntrack)"],
    ),
    (
        "flow_offload",
        |house| {
            house.set(File::Firewall, "config defaults\n option flow_offloading '1'\n");
            house.option("download_on 'lan'");
            house.option("lan 'br-lan'");
        },
        &["fault: known flows pass by the queues of bridges"],
    ),
    (
        "flow_offload",
        |house| house.set(File::Firewall, ""),
        &["unknown: neither /etc/config/firewall nor /proc/net/nf_conntrack can be read"],
    ),
    (
        "shapers",
        |house| house.shaper("sqm", "config queue 'eth0'\n option enabled '1'\n option debug '0'\n"),
        &["warning: one starts at boot and is switched on: /etc/config/sqm"],
    ),
    (
        "shapers",
        |house| house.shaper("sqm", "config queue 'eth0'\n option enabled '0'\n option debug '1'\n"),
        &["ok: none starts at boot"],
    ),
    ("shapers", |house| house.shaper("qosify", "config interface 'wan'\n option disabled '1'\n"), &["ok: "]),
    (
        "shapers",
        |house| house.shaper("nft-qos", "config default 'default'\n option limit_enable '0'\n"),
        &["ok: "],
    ),
    ("shapers", |house| house.shaper("cake-autorate", ""), &["warning: "]),
    ("shapers", |house| house.set(File::Release, ""), &["unknown: there is no /etc/rc.d of OpenWrt's"]),
    (
        "foreign",
        |house| {
            house.world.links.clear();
        },
        &["unknown: the line's device is not there"],
    ),
    (
        "foreign",
        |house| {
            house.spoil = |tree| {
                let wan = wan(tree);
                wan.qdiscs.retain(|qdisc| qdisc.parent != Handle::ROOT);
                wan.qdiscs.push(foreign(Handle::ROOT, Handle::new(0x8001, 0)));
            };
        },
        &["fault: tbf 8001: at the root of eth0"],
    ),
    (
        "foreign",
        |house| {
            house.spoil = |tree| {
                let kind = FilterKind::Foreign(Foreign { kind: "matchall".into(), options: Vec::new() });
                let filter =
                    |pref| Filter { parent: Handle::INGRESS_FILTERS, pref, protocol: 3, kind: kind.clone() };
                wan(tree).filters.extend([filter(10), filter(PREFERENCE + 1000)]);
            };
        },
        &["note: a matchall filter (pref 10) sees what arrives on eth0 before weir's"],
    ),
    ("modules", |house| house.world.lacks.bpf = true, &["warning: the kernel has no bpf: kmod-sched-bpf"]),
    (
        "modules",
        |house| (house.world.lacks.cake, house.world.lacks.ifb) = (true, true),
        &[
            "warning: the kernel has no cake: kmod-sched-cake",
            "warning: the kernel has no ifb: kmod-ifb and kmod-sched-core",
        ],
    ),
    (
        "modules",
        |house| house.spoil = |tree| tree.devices.clear(),
        &["unknown: it has not been asked for everything"],
    ),
    (
        "plan",
        |house| house.world.lacks.fq_codel = true,
        &["note: wan: this kernel has no fq_codel; CAKE is used"],
    ),
    (
        "device",
        |house| house.world.links[0].kind = "bridge".into(),
        &["warning: eth0 is a bridge or part of one"],
    ),
    ("device", |house| house.world.links[0].master = 9, &["warning: eth0 is a bridge or part of one"]),
    (
        "device",
        |house| house.world.default_route = Some(device("pppoe-wan")),
        &["warning: packets to the internet leave by pppoe-wan, which no line is on"],
    ),
    ("device", |house| house.world.default_route = None, &["unknown: there is no default route now"]),
    (
        "direction",
        |house| {
            house.file = "config wan 'wan'\n option device 'eth0'\n option download '20mbit'\n option upload '80mbit'\n \
                          option link 'pppoe-vdsl2'\n"
                .into();
        },
        &["note: wan: upload 80 Mbit/s is more than download 20 Mbit/s, odd for pppoe-vdsl2"],
    ),
    (
        "direction",
        |house| {
            let counters = Counters { bytes: 4 << 30, ..Counters::default() };
            house.counters.push((2, Handle::new(crate::tc::ROOT_MAJOR, 0x30), counters));
        },
        &["note: wan: 4 GiB were sent and only 0 B received"],
    ),
    (
        "overhead",
        |house| house.world.links[0].hardware = 512,
        &["warning: wan: PPP by its device, but link is 'ethernet' (overhead 38)"],
    ),
    (
        "overhead",
        |house| house.set(File::Network, "config interface 'wan'\n option proto 'pppoe'\n"),
        &["warning: wan: PPP by /etc/config/network, but link is 'ethernet' (overhead 38)"],
    ),
    (
        "overhead",
        |house| {
            house.world.links[0].hardware = 512;
            house.option("link 'pppoe-vdsl2'");
        },
        &["ok: "],
    ),
    (
        "super_packets",
        |house| house.merging.push(device("eth0")),
        &["warning: wan: its device still has them"],
    ),
    ("super_packets", |house| house.option("offloads 'keep'"), &["note: wan: option 'offloads' keeps them"]),
    ("mtu", |house| house.world.links[0].mtu = 9000, &["note: eth0 has an MTU of 9000"]),
    (
        "probes",
        |house| house.probing.extend(Probed::from_text("6 0 60 0 0 0").map(|all| (0, all))),
        &["warning: wan: nobody answers: 0 of 6 reflectors answer; 60 sent"],
    ),
    ("probes", |house| house.probing.push((0, Probed::default())), &["ok: "]),
    ("probes", |house| house.standings.push(standing("blind")), &["warning: wan: nobody answers"]),
    (
        "marks",
        |house| {
            house.option("cake_fwmark '0xff00'");
            house.set(File::Mwan3, "config globals 'globals'\n option mmx_mask '0x3F00'\n");
            house.set(File::Pbr, "config pbr 'config'\n option fw_mask '00ff0000'\n");
        },
        &["warning: wan: cake_fwmark 0xff00 has bits of mmx_mask 0x3F00 (/etc/config/mwan3)"],
    ),
    (
        "marks",
        |house| {
            house.option("cake_fwmark '0xff0000'");
            house.set(File::Mwan3, "config globals 'globals'\n");
            house.set(File::Pbr, "config pbr 'config'\n");
        },
        &["warning: wan: cake_fwmark 0xff0000 has bits of fw_mask 0x00ff0000 (/etc/config/pbr)"],
    ),
    ("marks", |house| house.option("cake_fwmark '0xffffff'"), &["ok: "]),
    (
        "processor",
        |house| house.later[0] = "cpu  9 9 9 9 9 9 9 9\ncpu0 105 0 105 800 0 2 88 0 0 0\n".into(),
        &["warning: its busiest core is 90 % busy with packets, weir itself takes 2 %"],
    ),
    ("processor", |house| house.later.clear(), &["unknown: not measured"]),
    ("daemon", |house| house.is_running = Some(false), &["warning: none runs"]),
    ("daemon", |house| house.is_running = None, &["fault: it runs, but does not answer"]),
    (
        "privileges",
        |house| house.set(File::Status, "CapEff:\t000001ffffffffff\nNoNewPrivs:\t0\n"),
        &[
            "warning: 'CapEff:\t000001ffffffffff' in /proc/PID/status, not 'CapEff:\t0000000000003000'",
            "warning: 'NoNewPrivs:\t0' in /proc/PID/status, not 'NoNewPrivs:\t1'",
        ],
    ),
    ("privileges", |house| house.set(File::Status, ""), &["unknown: no /proc/PID/status of a daemon"]),
    ("boot", |house| house.set(File::Boot, ""), &["warning: weir is not in /etc/rc.d"]),
    ("boot", |house| house.set(File::Release, ""), &["unknown: there is no /etc/rc.d of OpenWrt's"]),
    ("clock", |house| house.seconds = 1_767_225_599, &["warning: it says a day before 2026"]),
    ("clock", |house| house.seconds = 1_767_225_600, &["ok: "]),
    ("clock", |house| house.set(File::Sysntpd, ""), &["note: neither sysntpd nor chronyd is in /etc/rc.d"]),
    (
        "bus",
        |house| house.set(File::Bus, ""),
        &["warning: neither /var/run/ubus/ubus.sock nor /var/run/ubus.sock is there"],
    ),
    ("bus", |house| house.set(File::Acl, ""), &["note: /usr/share/rpcd/acl.d/weir.json is not there"]),
    (
        "bus",
        |house| house.set(File::Acl, "{\"weir\":{"),
        &["warning: /usr/share/rpcd/acl.d/weir.json is damaged"],
    ),
    (
        "bus",
        |house| house.set(File::Acl, "{\"luci\":{}}"),
        &["warning: /usr/share/rpcd/acl.d/weir.json is damaged"],
    ),
    ("bus", |house| house.set(File::Release, ""), &["ok: none needed: this is not OpenWrt"]),
];

#[test]
fn every_check_says_what_it_found_and_how_bad_it_is() {
    let mut wrong = Vec::new();
    for (check, spoil, wanted) in CASES {
        let mut house = House::new();
        spoil(&mut house);
        let told = house.told(check);
        let is_right = told.len() == wanted.len()
            && told.iter().zip(*wanted).all(|(told, wanted)| told.starts_with(wanted));
        if !is_right {
            wrong.push(format!("{check}: {told:?} for {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for check in &CHECKS {
        assert!(CASES.iter().any(|(name, ..)| *name == check.name), "no case for '{}'", check.name);
    }
}

#[test]
fn what_matters_most_comes_first_with_what_to_do() {
    let mut house = House::new();
    house.world.links[0].mtu = 9000;
    house.is_running = Some(false);
    house.spoil = |tree| tree.devices.clear();
    house.examined(|evidence| {
        let found = examine(evidence);
        assert!(found.is_sorted_by_key(|finding| finding.verdict));
        assert!(!is_well(&found));
        let mut text = String::new();
        write_text(&found, &mut text).expect("a String takes everything");
        assert!(text.starts_with("  fault    what is wanted: wan upload is not shaped: "), "{text}");
        assert!(text.contains("\n  warning  the daemon: none runs"), "{text}");
        assert!(text.contains("\n           -> 'service weir start'"), "{text}");
        assert!(text.contains("\n  ok       firewall marks: "), "{text}");
        let mut json = String::new();
        let mut document = Json::new(&mut json);
        let out: &mut dyn Scribe = &mut document;
        out.table("", |out| write(&found, out));
        document.end().expect("a String takes everything");
        assert!(
            json.starts_with("{\"findings\":[{\"check\":\"shaped\",\"verdict\":\"fault\",\"title\":"),
            "{json}"
        );
        assert!(json.ends_with("\"remedy\":\"\"}]}"), "{json}");
    });
}

#[test]
fn a_file_that_is_none_is_no_reason_to_panic() {
    let mut house = House::new();
    for text in ["\u{0}", "config", "{{{", "cpu cpu cpu0\ncpu1\n", "option x 'y", "7 ("] {
        house.files.iter_mut().for_each(|file| *file = text.into());
        house.later = alloc::vec![text.into(), text.into()];
        house.examined(|evidence| assert!(examine(evidence).len() >= CHECKS.len()));
    }
}
