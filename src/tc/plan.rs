// SPDX-License-Identifier: Apache-2.0
//! The wanted tree: `plan(config, world) -> Plan`, a function of nothing else.
//!
//! Which device a line is, which engine shapes it, and what the kernel lacks for it is decided here and said in the
//! plan's notes; how one direction's queues look is `shape`'s business.

use super::classifier::{self, ALL_PROTOCOLS, Made, TooMuch};
use super::diff::{self, Conflict, Op, Verb};
use super::memo::{Key, Memo};
use super::shape::{Kit, Leaf, Shape};
use super::speed::{Speed, Speeds};
use super::{
    Action, Cake, Device, Filter, FilterKind, Link, Origin, PREFERENCE, Qdisc, QdiscKind, ROOT_MAJOR, Stab,
    Tree, cake,
};
use crate::classify::list::list;
use crate::config::network::{Network, Networks};
use crate::config::suggest::suggest;
use crate::config::{self, Config, Diffserv, DownloadOn, Engine, Isolation, LinkLayer, Offloads, Wan};
use crate::limits;
use crate::text::{self, joined};
use crate::units::{DeviceName, Handle, Prefix, Rate, Way};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Below this rate a super-packet of 64 KB holds the line for 5 ms and more, so `offloads 'auto'` splits them.
const SPLIT_BELOW: Rate = Rate::mbit(100);

/// What the planner needs to know of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    /// The network devices there are.
    pub links: Vec<Link>,
    /// The device of the default route.
    pub default_route: Option<DeviceName>,
    /// The networks the system knows by name.
    pub networks: Networks,
    /// Addresses and connected prefixes other than the default route's device's.
    pub local: Vec<Prefix>,
    /// What the kernel has turned out not to have.
    pub lacks: Lacks,
}

/// What this kernel refused when asked; each step down is named in a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lacks {
    /// `sch_htb`.
    pub htb: bool,
    /// `sch_fq_codel`.
    pub fq_codel: bool,
    /// `sch_sfq`.
    pub sfq: bool,
    /// `sch_cake`.
    pub cake: bool,
    /// `cls_bpf`.
    pub bpf: bool,
    /// `cls_u32`, in place of `cls_bpf`.
    pub u32: bool,
    /// `ifb`, `sch_ingress`, `cls_u32` or `act_mirred`: the way to an IFB.
    pub ifb: bool,
    /// `act_pedit` or `act_csum`: what rewrites DSCPs.
    pub pedit: bool,
    /// `act_skbedit`: what chooses CAKE's tins.
    pub skbedit: bool,
}

impl Lacks {
    /// The name of each, as the state file has them.
    const NAMES: [&str; 9] = ["htb", "fq_codel", "sfq", "cake", "bpf", "u32", "ifb", "pedit", "skbedit"];

    fn flags(&mut self) -> [&mut bool; 9] {
        [
            &mut self.htb,
            &mut self.fq_codel,
            &mut self.sfq,
            &mut self.cake,
            &mut self.bpf,
            &mut self.u32,
            &mut self.ifb,
            &mut self.pedit,
            &mut self.skbedit,
        ]
    }

    /// Reads a state file.
    pub fn from_text(text: &str) -> Self {
        let mut lacks = Self::default();
        for (flag, name) in lacks.flags().into_iter().zip(Self::NAMES) {
            *flag = text.split_whitespace().any(|word| word == name);
        }
        lacks
    }

    /// Writes a state file.
    pub fn to_text(mut self) -> String {
        let flags = self.flags().into_iter().zip(Self::NAMES);
        let names: Vec<&str> = flags.filter(|(flag, _)| **flag).map(|(_, name)| name).collect();
        joined(&names, " ")
    }

    /// Learns from a request the kernel refused first in its batch, with its extack text if there was one; says
    /// whether that told something new, so that planning again leads to something else.
    pub fn learn(&mut self, op: &Op, errno: i32, text: &str) -> bool {
        const ENOENT: i32 = 2;
        const EOPNOTSUPP: i32 = 95;
        // Any of these words, or an old kernel without words; "not found" alone would blame a missing parent.
        const UNKNOWN: [&str; 4] =
            ["kind is unknown", "classifier not found", "load TC action module", "Unknown device type"];
        if !text.is_empty() && !UNKNOWN.iter().any(|words| text::find(text, words).is_some()) {
            return false;
        }
        let before = *self;
        match op {
            Op::AddIfb(_) if errno == EOPNOTSUPP => self.ifb = true,
            Op::Qdisc { verb: Verb::Create | Verb::Replace, qdisc, .. } if errno == ENOENT => {
                match qdisc.kind {
                    QdiscKind::Htb(_) => self.htb = true,
                    QdiscKind::FqCodel(_) => self.fq_codel = true,
                    QdiscKind::Sfq(_) => self.sfq = true,
                    QdiscKind::Cake(_) => self.cake = true,
                    QdiscKind::Clsact | QdiscKind::Ingress => self.ifb = true,
                    QdiscKind::Bfifo(_) | QdiscKind::Foreign(_) => {}
                }
            }
            Op::Filter { verb: Verb::Create | Verb::Replace, filter, .. } if errno == ENOENT => {
                match &filter.kind {
                    // The same number for a missing classifier and a missing action; without words the action is
                    // given up first.
                    FilterKind::Bpf(bpf) => match bpf.actions.first() {
                        Some(action) if text::find(text, "classifier not found").is_none() => match action {
                            Action::Priority { .. } => self.skbedit = true,
                            Action::SetDscp { .. } | Action::HeaderChecksum => self.pedit = true,
                        },
                        _ => self.bpf = true,
                    },
                    FilterKind::U32(kind) => {
                        let acts = kind.nodes.iter().any(|node| !node.actions.is_empty());
                        let is_action = acts && text::find(text, "classifier not found").is_none();
                        if is_action { self.pedit = true } else { self.u32 = true }
                    }
                    FilterKind::Redirect { .. } => self.ifb = true,
                    FilterKind::Foreign(_) => {}
                }
            }
            _ => {}
        }
        *self != before
    }
}

/// The wanted tree and what there is to say about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What the kernel should have.
    pub tree: Tree,
    /// The lines, as in the configuration.
    pub lines: Vec<Line>,
    /// Devices whose super-packets should be switched off.
    pub split: Vec<DeviceName>,
    /// The directions whose speed can be moved, by their place in the configuration.
    pub tunes: Vec<Tune>,
    /// The bytes of link header the kernel counts with each packet on the lines' devices.
    pub headers: Vec<(DeviceName, u16)>,
    /// Root qdiscs of others that may be replaced on these devices (`takeover`).
    pub takeover: Vec<DeviceName>,
    /// Steps down, compromises and what the user should know, `(line, text)`.
    pub notes: Vec<(String, String)>,
}

/// What is planned for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The section's name.
    pub name: String,
    /// The device packets leave by, if one was found.
    pub device: Option<DeviceName>,
    /// What a packet costs on it.
    pub link: LinkLayer,
    /// Leaving traffic.
    pub upload: Direction,
    /// Arriving traffic.
    pub download: Direction,
}

/// How the speed of one direction is moved without planning again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tune {
    /// Whose it is.
    pub line: usize,
    /// Which direction.
    pub way: Way,
    /// Where its queues are.
    pub device: DeviceName,
    /// What they are made of; `None`: CAKE.
    pub kit: Option<Kit>,
}

/// What is planned for one direction of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It is shaped.
    Shaped {
        /// On this device.
        device: DeviceName,
        /// At this rate.
        rate: Rate,
        /// By this engine: `htb` or `cake`.
        engine: &'static str,
    },
    /// It is not, and need not be: this is why.
    Off(String),
    /// It should be and cannot: this is why.
    Blocked(String),
}

/// `20 Mbit/s on wan (htb)`, or `not shaped: why`.
impl core::fmt::Display for Direction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Shaped { device, rate, engine } => write!(f, "{rate} on {device} ({engine})"),
            Self::Off(reason) | Self::Blocked(reason) => write!(f, "not shaped: {reason}"),
        }
    }
}

/// Plans every line of `config`.
pub fn plan(config: &Config, world: &World) -> Plan {
    plan_with(config, world, &Speeds::default(), &mut Memo::default())
}

/// The same, with the speeds that lines are steered to and what earlier plans have made.
pub fn plan_with(config: &Config, world: &World, speeds: &Speeds, memo: &mut Memo) -> Plan {
    let mut plan = Plan::default();
    memo.begin(config);
    for (place, wan) in config.wans.iter().enumerate() {
        let (layer, plan) = (wan.link, &mut plan);
        let mut planner = Planner { config, world, place, wan, layer, speeds, memo, plan };
        let line = planner.line();
        plan.lines.push(line);
    }
    memo.end();
    plan
}

impl Plan {
    /// Whether every direction that has a speed can be shaped.
    pub fn is_possible(&self) -> bool {
        let mut ways = self.lines.iter().flat_map(|line| [&line.upload, &line.download]);
        !ways.any(|way| matches!(way, Direction::Blocked(_)))
    }

    /// Leaves alone what others put at the root of a device, unless `takeover` allows to replace it; gives what was
    /// left alone. The direction it costs is unshaped, and says why.
    pub fn yield_to_others(&mut self, have: &Tree) -> Vec<Conflict> {
        let mut theirs = diff::conflicts(have, &self.tree);
        theirs.retain(|conflict| !self.takeover.contains(&conflict.device));
        for conflict in &theirs {
            self.tunes.retain(|tune| tune.device != conflict.device);
            let reason = format!(
                "{} {} of another program is at the root of {}: remove it, or set option 'takeover' to replace it",
                conflict.kind, conflict.handle, conflict.device
            );
            for line in &mut self.lines {
                for way in [&mut line.upload, &mut line.download] {
                    if matches!(way, Direction::Shaped { device, .. } if *device == conflict.device) {
                        *way = Direction::Blocked(reason.clone());
                    }
                }
            }
            for device in self.tree.devices.iter_mut().filter(|device| device.name == conflict.device) {
                device.qdiscs.retain(|qdisc| qdisc.parent == Handle::INGRESS);
                device.classes.clear();
                device.filters.retain(|filter| filter.parent == Handle::INGRESS_FILTERS);
            }
        }
        theirs
    }

    /// What a takeover is about to replace.
    pub fn takes_over(&self, have: &Tree) -> Vec<Conflict> {
        let mut theirs = diff::conflicts(have, &self.tree);
        theirs.retain(|conflict| self.takeover.contains(&conflict.device));
        theirs
    }
}

/// The name of the IFB that shapes what arrives on line `wan`: `weir-` and its name, shortened with a hash.
pub fn ifb_name(wan: &str) -> DeviceName {
    let short = if wan.len() <= 10 {
        format!("weir-{wan}")
    } else {
        let hash = wan.bytes().fold(5381u32, |h, b| h.wrapping_mul(33) ^ u32::from(b));
        format!("weir-{}{:04x}", wan.get(..6).unwrap_or_default(), hash as u16)
    };
    DeviceName::new(&short).expect("section names are letters, digits and underscores")
}

/// One line being planned.
struct Planner<'a> {
    config: &'a Config,
    world: &'a World,
    place: usize,
    wan: &'a Wan,
    layer: LinkLayer,
    speeds: &'a Speeds,
    memo: &'a mut Memo,
    plan: &'a mut Plan,
}

impl<'a> Planner<'a> {
    fn line(&mut self) -> Line {
        let (device, network) = self.device().unzip();
        let (upload, download) = match self.refusal(device) {
            Err(both) => (both.clone(), both),
            Ok(link) => {
                self.plan.headers.push((link.name, link.header_bytes()));
                if let Some(Some(network)) = network {
                    self.note(format!("is network '{}', which has the default route", network.name));
                }
                self.settle_layer(link.name);
                let upload = self.upload(link);
                let download = self.download(link);
                (upload.unwrap_or_else(|off| off), download.unwrap_or_else(|off| off))
            }
        };
        Line { name: self.wan.name.clone(), device, link: self.layer, upload, download }
    }

    /// The device of the line: named, or its network's, or the default route's with its network.
    fn device(&self) -> Option<(DeviceName, Option<&'a Network>)> {
        let world = self.world;
        match (self.wan.device, &self.wan.network) {
            (Some(device), _) => Some((device, None)),
            (None, Some(network)) => Some((world.networks.device(network)?, None)),
            (None, None) => world.networks.default_line(world.default_route),
        }
    }

    /// What a packet costs: as configured, or as the system suggests. What is suggested and not asked for is said.
    fn settle_layer(&mut self, device: DeviceName) {
        let is_asked = self.wan.link == LinkLayer::AUTO;
        if self.wan.is_link_given && !is_asked {
            return;
        }
        let usual = LinkLayer::default();
        let (link, why) = match suggest(&self.world.networks, device) {
            Some(found) => (found.link, found.why),
            None if is_asked => (usual, "nothing tells what the line is".into()),
            None => return,
        };
        let what = if is_asked { "" } else { "packets are counted as Ethernet's; option " };
        let be = if is_asked { "is" } else { "would be" };
        self.note(format!("{what}link 'auto' {be} '{}': {why}", link.name));
        self.layer = if is_asked { link } else { usual };
    }

    /// Why the whole line is left alone, or the link it is on.
    fn refusal(&self, device: Option<DeviceName>) -> Result<&'a Link, Direction> {
        if !self.config.globals.enabled {
            return Err(off("weir is switched off (option 'enabled' in section globals)"));
        }
        if !self.wan.enabled {
            return Err(off("this line is switched off (option 'enabled')"));
        }
        if Way::ALL.iter().all(|way| self.speed(*way).is_none()) {
            return Err(self.no_speed(Way::Up, "options 'download' and 'upload'"));
        }
        let Some(device) = device else {
            return Err(blocked(match &self.wan.network {
                Some(network) => self.world.networks.why_not(network),
                None => "no default route yet; name the device with option 'device'".into(),
            }));
        };
        let twice = |line: &Line| line.device == Some(device) && is_shaped(line);
        if let Some(other) = self.plan.lines.iter().find(|line| twice(line)) {
            return Err(Direction::Off(format!(
                "{} is the same line as {} (both on {device})",
                self.wan.name, other.name
            )));
        }
        self.world
            .links
            .iter()
            .find(|link| link.name == device)
            .ok_or_else(|| blocked(format!("there is no device {device} yet")))
    }

    /// Why a direction without a speed is not shaped, and which options would give it one.
    fn no_speed(&self, way: Way, options: &str) -> Direction {
        let steers = self.wan.steers(way);
        let why = if steers { "'weir daemon' finds the speed, and none runs" } else { "no speed known" };
        let or = if steers { "start it, or set" } else { "set" };
        Direction::Off(format!("{why}: {or} {options}"))
    }

    /// What it is steered to, or configured for.
    fn speed(&self, way: Way) -> Option<Speed> {
        self.speeds.get(self.place, way).or_else(|| self.wan.speed(way).map(Speed::fixed))
    }

    fn upload(&mut self, link: &Link) -> Result<Direction, Direction> {
        let speed = self.speed(Way::Up).ok_or_else(|| self.no_speed(Way::Up, "option 'upload'"))?;
        let rate = speed.line;
        let (qdiscs, classes, filters, engine) = self.root(Way::Up, speed, link, None)?;
        let device = self.system(link.name);
        device.qdiscs.extend(qdiscs);
        device.classes.extend(classes);
        device.filters.extend(filters);
        if engine == "htb" && self.splits(rate) {
            // The router's own packets are built on the WAN; everyone else's are merged where they arrive.
            self.split(link.name);
            self.split_lan(link);
        }
        self.takeover(link.name);
        Ok(Direction::Shaped { device: link.name, rate, engine })
    }

    fn download(&mut self, link: &Link) -> Result<Direction, Direction> {
        match self.wan.download_on {
            DownloadOn::None => Err(off("switched off (option 'download_on')")),
            DownloadOn::Ifb => self.download_on_ifb(link),
            DownloadOn::Lan => self.download_on_lan(link),
        }
    }

    fn download_on_ifb(&mut self, link: &Link) -> Result<Direction, Direction> {
        let speed = self.speed(Way::Down).ok_or_else(|| self.no_speed(Way::Down, "option 'download'"))?;
        let rate = speed.line;
        if self.world.lacks.ifb {
            return Err(blocked("this kernel cannot redirect arriving packets (kmod-ifb, kmod-sched-core)"));
        }
        let name = ifb_name(&self.wan.name);
        if self.world.links.iter().any(|other| other.name == name && !other.is_ours()) {
            return Err(blocked(format!("a device {name} that is not weir's is in the way")));
        }
        let (qdiscs, classes, filters, engine) = self.root(Way::Down, speed, link, None)?;
        let ifb = Device { name, origin: Origin::Ifb { up: true }, qdiscs, classes, filters };
        // An IFB stands before what feeds it.
        self.plan.tree.devices.insert(0, ifb);
        let wan = self.system(link.name);
        wan.qdiscs.push(Qdisc {
            parent: Handle::INGRESS,
            handle: Handle::new(0xffff, 0),
            stab: None,
            kind: QdiscKind::Clsact,
        });
        wan.filters.push(filter(Handle::INGRESS_FILTERS, FilterKind::Redirect { to: name }));
        if engine == "htb" && self.splits(rate) {
            self.split(link.name);
        }
        Ok(Direction::Shaped { device: name, rate, engine })
    }

    fn download_on_lan(&mut self, link: &Link) -> Result<Direction, Direction> {
        let speed = self.speed(Way::Down).ok_or_else(|| self.no_speed(Way::Down, "option 'download'"))?;
        let rate = speed.line;
        let lan = self.wan.lan.ok_or_else(|| blocked("no LAN device: set option 'lan'"))?;
        if self.world.lacks.bpf && self.world.lacks.u32 {
            return Err(blocked(
                "telling local traffic apart needs cls_bpf (kmod-sched-bpf): use download_on 'ifb'",
            ));
        }
        let missing = || blocked(format!("there is no device {lan} yet"));
        let lan = self.world.links.iter().find(|other| other.name == lan).ok_or_else(missing)?;
        let (qdiscs, classes, filters, engine) = self.root(Way::Down, speed, link, Some(lan))?;
        let device = self.system(lan.name);
        device.qdiscs.extend(qdiscs);
        device.classes.extend(classes);
        device.filters.extend(filters);
        if self.splits(rate) {
            self.split(link.name);
        }
        self.takeover(lan.name);
        Ok(Direction::Shaped { device: lan.name, rate, engine })
    }

    /// The queues of one direction. `wan` is the device the line is, `lan` where they hang if it is not that or an IFB.
    #[expect(clippy::type_complexity, reason = "the parts of a Device, taken apart at once by both callers")]
    fn root(
        &mut self,
        way: Way,
        speed: Speed,
        wan: &Link,
        lan: Option<&Link>,
    ) -> Result<(Vec<Qdisc>, Vec<super::Class>, Vec<Filter>, &'static str), Direction> {
        match self.engine(lan.is_some())? {
            "cake" => {
                let (qdisc, filters) = self.cake(way, speed.line, wan);
                self.tune(way, wan, lan, None);
                Ok((alloc::vec![qdisc], Vec::new(), filters, "cake"))
            }
            engine => {
                let kit = self.kit(wan, lan);
                let shape = Shape { speed, classes: &self.config.classes, kit };
                self.tune(way, wan, lan, Some(kit));
                let (qdiscs, mut classes) = shape.build();
                let made = self.classifier(way, lan.unwrap_or(wan), lan.is_some());
                classes.extend(made.classes);
                Ok((qdiscs, classes, made.filters, engine))
            }
        }
    }

    /// The engine that is used, with a note where it is not the one asked for.
    fn engine(&mut self, is_on_lan: bool) -> Result<&'static str, Direction> {
        let lacks = self.world.lacks;
        match self.wan.engine {
            Engine::Cake if is_on_lan => {
                self.note(
                    "engine 'cake' cannot tell local traffic apart on a LAN device; HTB is used".into(),
                );
            }
            Engine::Cake if !lacks.cake => return Ok("cake"),
            Engine::Cake => {
                self.note("this kernel has no CAKE (kmod-sched-cake); HTB is used instead".into());
            }
            // CAKE's own fairness is worth more than our classes over a leaf without it.
            Engine::Auto if !is_on_lan && !lacks.cake && (lacks.htb || lacks.fq_codel) => {
                let missing = if lacks.htb { "HTB" } else { "fq_codel" };
                self.note(format!(
                    "this kernel has no {missing}; CAKE is used, guarantees and limits are its own"
                ));
                return Ok("cake");
            }
            Engine::Auto | Engine::Htb => {}
        }
        if lacks.htb { Err(blocked("this kernel has no HTB (kmod-sched-core)")) } else { Ok("htb") }
    }

    fn tune(&mut self, way: Way, wan: &Link, lan: Option<&Link>, kit: Option<Kit>) {
        let device = match (way, lan) {
            (Way::Up, _) => wan.name,
            (Way::Down, Some(lan)) => lan.name,
            (Way::Down, None) => ifb_name(&self.wan.name),
        };
        self.plan.tunes.push(Tune { line: self.place, way, device, kit });
    }

    fn kit(&mut self, wan: &Link, lan: Option<&Link>) -> Kit {
        let lacks = self.world.lacks;
        let leaf = match (lacks.fq_codel, lacks.sfq) {
            (false, _) => Leaf::FqCodel,
            (true, false) => Leaf::Sfq,
            (true, true) => Leaf::Bfifo,
        };
        match leaf {
            Leaf::FqCodel => {}
            Leaf::Sfq => {
                self.note("this kernel has no fq_codel; sfq is used: fair, but queues grow longer".into());
            }
            Leaf::Bfifo => {
                self.note("this kernel has neither fq_codel nor sfq; plain fifos of 100 ms are used".into());
            }
        }
        let mtu = wan.mtu.clamp(576, 9000) as u16;
        let header = lan.unwrap_or(wan).header_bytes();
        let link = self.layer;
        Kit {
            stab: Stab {
                overhead: i32::from(link.overhead) - i32::from(header),
                mpu: link.mpu,
                cells: link.cells,
                mtu,
                header,
            },
            packet: link.wire_bytes(u32::from(mtu)),
            leaf,
            ecn: self.wan.ecn,
            has_unshaped: lan.is_some(),
        }
    }

    /// The filters of an HTB direction.
    fn classifier(&mut self, way: Way, link: &Link, is_on_lan: bool) -> Made {
        let lacks = self.world.lacks;
        if lacks.bpf && lacks.u32 {
            self.note(
                "this kernel has neither cls_bpf (kmod-sched-bpf) nor cls_u32 (kmod-sched-core): every packet goes to \
                 the default class"
                    .into(),
            );
            return Made::default();
        }
        let marks = self.can_mark(way);
        let local = is_on_lan.then_some(self.world.local.as_slice());
        if lacks.bpf {
            self.note(
                "this kernel has no cls_bpf (kmod-sched-bpf): u32 classifies packets, which is slower and sees no ports \
                 and no TCP without payload behind IPv4 options, and no transport protocol behind IPv6 extension headers"
                    .into(),
            );
        }
        self.made(way, link, None, local, marks)
    }

    /// The classifier of a direction, made now or before.
    fn made(
        &mut self,
        way: Way,
        link: &Link,
        cake: Option<Diffserv>,
        local: Option<&[Prefix]>,
        marks: bool,
    ) -> Made {
        let (config, wan, header) = (self.config, self.wan, link.header_bytes());
        let is_u32 = self.world.lacks.bpf;
        let key = Key {
            way,
            header,
            cake,
            is_u32,
            marks,
            washes: wan.wash.has(way),
            trusts: wan.trust_dscp.has(way),
            local: local.map(<[Prefix]>::to_vec),
        };
        let made = self.memo.get(key, || {
            let scheme = classifier::scheme(config, wan, way, header, local, marks);
            let list = list(&scheme).ok_or(TooMuch::Program)?;
            match cake {
                None if is_u32 => classifier::for_htb_by_u32(&scheme, &list),
                None => classifier::for_htb(&scheme, &list),
                Some(mode) => classifier::for_cake(&scheme, &list, config, mode),
            }
        });
        let made = made.unwrap_or_else(|why| {
            self.too_much(why);
            Made::default()
        });
        made.note.iter().for_each(|note| self.note(note.clone()));
        made
    }

    /// Whether DSCPs can be rewritten, with a note if they should be and cannot.
    fn can_mark(&mut self, way: Way) -> bool {
        let rules = self.config.rules.iter().any(|rule| rule.set_dscp.is_some());
        let classes = self.config.classes.iter().any(|class| class.set_dscp(way).is_some());
        if self.world.lacks.pedit && (rules || classes || self.wan.wash.has(way)) {
            self.note(
                "this kernel cannot rewrite DSCPs (kmod-sched: act_pedit, act_csum); they stay as they are"
                    .into(),
            );
        }
        !self.world.lacks.pedit
    }

    /// The door has checked this already for every line; a note, should the two ever differ.
    fn too_much(&mut self, why: TooMuch) {
        self.note(match why {
            TooMuch::Program => {
                format!("the rules need more than {} instructions; no rule is in force", limits::PROGRAM)
            }
            TooMuch::Marks => {
                format!("more than {} pairs of class and DSCP; no rule is in force", limits::MARKS)
            }
        });
    }

    fn cake(&mut self, way: Way, rate: Rate, link: &Link) -> (Qdisc, Vec<Filter>) {
        let (filters, washes) = self.cake_filters(way, link);
        let options = &self.wan.cake;
        let isolation = match (options.isolation, way) {
            (Some(chosen), _) => chosen,
            (None, Way::Up) => Isolation::DualSrchost,
            (None, Way::Down) => Isolation::DualDsthost,
        };
        // A provider marks at random; what is not trusted must not choose a tin. Filters choose it for every packet.
        let is_chosen = !filters.is_empty() || self.wan.trust_dscp.has(way);
        let diffserv = if is_chosen { options.diffserv } else { Diffserv::Besteffort };
        let rtt_us = options.rtt.0.min(u64::from(u32::MAX)) as u32;
        let link = self.layer;
        let cake = Cake {
            bandwidth: rate.whole_bytes(),
            diffserv,
            isolation,
            nat: options.nat,
            ack_filter: match way {
                Way::Up => options.ack_filter,
                Way::Down => config::AckFilter::Off,
            },
            wash: washes,
            // CAKE's own rule: above a gigabit the processor matters more than 50 us.
            split_gso: options.split_gso.unwrap_or(rate < Rate::mbit(1000)),
            rtt_us,
            target_us: cake::target_for(rtt_us),
            memory: options.memlimit.map_or(0, |bytes| bytes.0.min(u64::from(u32::MAX)) as u32),
            ingress: options.ingress.unwrap_or(way == Way::Down),
            fwmark: options.fwmark,
            overhead: i32::from(link.overhead),
            mpu: u32::from(link.mpu),
            cells: link.cells,
        };
        let handle = Handle::new(ROOT_MAJOR, 0);
        (Qdisc { parent: Handle::ROOT, handle, stab: None, kind: QdiscKind::Cake(cake) }, filters)
    }

    /// The filters that choose CAKE's tins, and whether CAKE itself clears DSCPs.
    fn cake_filters(&mut self, way: Way, link: &Link) -> (Vec<Filter>, bool) {
        let washes = self.wan.wash.has(way);
        let mode = self.wan.cake.diffserv;
        let lacks = self.world.lacks;
        if lacks.bpf || lacks.skbedit {
            let missing =
                if lacks.bpf { "cls_bpf (kmod-sched-bpf)" } else { "act_skbedit (kmod-sched-core)" };
            self.note(format!(
                "this kernel has no {missing}; CAKE chooses tins by trusted DSCPs alone, rules do not count"
            ));
            return (Vec::new(), washes);
        }
        let sets = self.config.rules.iter().any(|rule| rule.set_dscp.is_some())
            || self.config.classes.iter().any(|class| class.set_dscp(way).is_some());
        let marks = self.can_mark(way) && sets;
        // CAKE's own wash comes after filters and would clear what they set.
        let made = self.made(way, link, Some(mode), None, marks);
        (made.filters, washes && !marks)
    }

    /// The planned state of a device of the system.
    fn system(&mut self, name: DeviceName) -> &mut Device {
        let devices = &mut self.plan.tree.devices;
        let at = devices.iter().position(|device| device.name == name).unwrap_or(devices.len());
        if at == devices.len() {
            devices.push(Device::system(name));
        }
        devices.get_mut(at).expect("pushed above if it was missing")
    }

    fn splits(&self, rate: Rate) -> bool {
        match self.wan.offloads {
            Offloads::Auto => rate <= SPLIT_BELOW,
            Offloads::Off => true,
            Offloads::Keep => false,
        }
    }

    fn split(&mut self, device: DeviceName) {
        if !self.plan.split.contains(&device) {
            self.plan.split.push(device);
        }
    }

    /// What leaves by the WAN was merged on the LAN's ports.
    fn split_lan(&mut self, wan: &Link) {
        let lan = self.wan.lan;
        let feeds = |link: &&Link| (link.master != 0 || lan == Some(link.name)) && link.name != wan.name;
        let ports: Vec<DeviceName> = self.world.links.iter().filter(feeds).map(|link| link.name).collect();
        ports.into_iter().for_each(|port| self.split(port));
    }

    fn takeover(&mut self, device: DeviceName) {
        if self.wan.takeover {
            self.plan.takeover.push(device);
        }
    }

    fn note(&mut self, text: String) {
        let note = (self.wan.name.to_string(), text);
        if !self.plan.notes.contains(&note) {
            self.plan.notes.push(note);
        }
    }
}

fn off(reason: &str) -> Direction {
    Direction::Off(reason.into())
}

fn blocked(reason: impl Into<String>) -> Direction {
    Direction::Blocked(reason.into())
}

fn is_shaped(line: &Line) -> bool {
    [&line.upload, &line.download].iter().any(|way| matches!(way, Direction::Shaped { .. }))
}

fn filter(parent: Handle, kind: FilterKind) -> Filter {
    Filter { parent, pref: PREFERENCE, protocol: ALL_PROTOCOLS, kind }
}
