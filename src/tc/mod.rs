// SPDX-License-Identifier: Apache-2.0
//! The kernel's traffic control as one type, [`Tree`]: wanted, dumped and previous state alike.
//!
//! `plan` makes the wanted tree, `message` and one file per kind turn it into netlink bytes and back,
//! `diff` says what to send. Names are the kernel's; devices are known by name, never by index, so that a
//! tree still compares equal after a PPPoE device came back with another index.
//!
//! Ours is marked: root handle `57e1:`, leaves `57e2:`…, filter preference 22497, IFB devices in group 22497.
//! Everything else is [`QdiscKind::Foreign`] and never touched without `takeover`.

pub mod action;
pub mod attr;
pub mod bpf;
pub mod cake;
pub mod classifier;
pub mod diff;
pub mod dump;
pub mod explain;
pub mod fifo;
pub mod fq_codel;
pub mod htb;
pub mod memo;
pub mod message;
pub mod mirred;
pub mod plan;
pub mod retune;
pub mod shape;
pub mod show;
pub mod speed;
pub mod stab;
pub mod stats;
#[cfg(test)]
mod tests;
pub mod u32;

pub use action::Action;
pub use u32::U32;

use crate::classify::Program;
use crate::units::{DeviceName, Handle, Rate};
use alloc::string::String;
use alloc::vec::Vec;

/// The major of our root qdisc, `57e1:`; the number is "weir" on a telephone keypad turned hexadecimal enough.
pub const ROOT_MAJOR: u16 = 0x57e1;
/// The preference of the first filter of ours at each place; further ones follow it.
pub const PREFERENCE: u16 = 22497;
/// How many preferences from [`PREFERENCE`] on are ours: one for each thing a filter of ours can do (`classifier`).
pub const PREFERENCES: u16 = 144;
/// The group of every IFB device of ours (`IFLA_GROUP`); kind ifb in this group is ours.
pub const GROUP: u32 = 22497;
/// The scratch device a takeover is tried on.
pub const SCRATCH_DEVICE: &str = "weir-try";

/// What is, was or should be installed on a set of devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The devices, each once, in the order in which they are set up (an IFB before what feeds it).
    pub devices: Vec<Device>,
}

/// One network device and the traffic control on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub name: DeviceName,
    /// Whether the device itself is ours to create and remove.
    pub origin: Origin,
    /// Root qdisc first, then leaves and the ingress qdisc, by handle.
    pub qdiscs: Vec<Qdisc>,
    /// Parents before children.
    pub classes: Vec<Class>,
    /// Filters by parent.
    pub filters: Vec<Filter>,
}

/// Whose a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The system's; only the traffic control on it can be ours.
    System,
    /// An IFB of ours, created with its group and removed with its tree.
    Ifb {
        /// Whether it is up; a wanted one always is.
        up: bool,
    },
}

/// A queueing discipline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qdisc {
    /// Where it hangs: [`Handle::ROOT`], [`Handle::INGRESS`] or a class.
    pub parent: Handle,
    /// Its own handle; [`Handle::NONE`] for the ones the kernel makes by default.
    pub handle: Handle,
    /// The size table, on root qdiscs.
    pub stab: Option<Stab>,
    /// What it is.
    pub kind: QdiscKind,
}

/// The kinds of qdisc.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QdiscKind {
    /// Hierarchy token bucket.
    Htb(Htb),
    /// Fair queueing with controlled delay.
    FqCodel(FqCodel),
    /// Stochastic fairness queueing, the fallback for fq_codel.
    Sfq(Sfq),
    /// A byte-limited fifo, the fallback of the fallback.
    Bfifo(Bfifo),
    /// Common applications kept enhanced.
    Cake(Cake),
    /// The hook for filters on arriving and leaving packets.
    Clsact,
    /// The older hook, for filters on arriving packets only.
    Ingress,
    /// Not ours, or not understood: kept as the kernel wrote it.
    Foreign(Foreign),
}

/// A kind weir does not read, with the raw payload of its `TCA_OPTIONS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// `TCA_KIND`.
    pub kind: String,
    /// `TCA_OPTIONS`, as dumped.
    pub options: Vec<u8>,
}

/// HTB's own settings, none of which the kernel can change in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Htb {
    /// The minor of the class for what no filter places.
    pub default: u16,
    /// Length of the queue of unclassified packets.
    pub direct_qlen: u32,
}

/// An HTB class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The class above, or the root qdisc.
    pub parent: Handle,
    /// Its own id.
    pub handle: Handle,
    /// The guaranteed rate, whole bytes per second.
    pub rate: Rate,
    /// The rate it may borrow up to.
    pub ceil: Rate,
    /// How much may go at once at `rate`.
    pub burst: Ticks,
    /// How much may go at once at `ceil`.
    pub cburst: Ticks,
    /// Bytes per turn among classes of the same priority.
    pub quantum: u32,
    /// Who borrows first; 0 is first.
    pub prio: u32,
}

/// A burst as HTB keeps it: the time the bytes take at the rate, in ticks of 64 ns (`PSCHED_TICKS2NS`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticks(pub u32);

/// fq_codel's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FqCodel {
    /// Packets at most.
    pub limit: u32,
    /// Number of flow queues; the kernel refuses to change it.
    pub flows: u32,
    /// Acceptable standing delay, microseconds. The kernel keeps it in units of 1.024 us: see `tc::fq_codel`.
    pub target_us: u32,
    /// The time over which delay must dip below the target, microseconds.
    pub interval_us: u32,
    /// Bytes per turn.
    pub quantum: u32,
    /// Mark instead of drop.
    pub ecn: bool,
    /// Memory for queued packets, bytes.
    pub memory_limit: u32,
}

/// sfq's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sfq {
    /// Bytes per turn.
    pub quantum: u32,
    /// Seconds between changes of the hash.
    pub perturb_period: i32,
    /// Packets at most.
    pub limit: u32,
}

/// bfifo's setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bfifo {
    /// Bytes at most.
    pub limit: u32,
}

/// CAKE's settings, each as the kernel keeps it. See `sch_cake.c` (cake_change, cake_dump).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cake {
    /// `TCA_CAKE_BASE_RATE64`, zero: unlimited.
    pub bandwidth: Rate,
    /// `TCA_CAKE_DIFFSERV_MODE`.
    pub diffserv: crate::config::Diffserv,
    /// `TCA_CAKE_FLOW_MODE` without the nat bit.
    pub isolation: crate::config::Isolation,
    /// `TCA_CAKE_NAT`.
    pub nat: bool,
    /// `TCA_CAKE_ACK_FILTER`.
    pub ack_filter: crate::config::AckFilter,
    /// `TCA_CAKE_WASH`.
    pub wash: bool,
    /// `TCA_CAKE_SPLIT_GSO`.
    pub split_gso: bool,
    /// `TCA_CAKE_RTT`, microseconds.
    pub rtt_us: u32,
    /// `TCA_CAKE_TARGET`, microseconds; the kernel derives it from the round trip.
    pub target_us: u32,
    /// `TCA_CAKE_MEMORY`, bytes; zero: by the rate.
    pub memory: u32,
    /// `TCA_CAKE_INGRESS`.
    pub ingress: bool,
    /// `TCA_CAKE_FWMARK`.
    pub fwmark: u32,
    /// `TCA_CAKE_OVERHEAD`: counted from the IP packet, as CAKE does unless `raw`.
    pub overhead: i32,
    /// `TCA_CAKE_MPU`.
    pub mpu: u32,
    /// `TCA_CAKE_ATM`: the cell rule.
    pub cells: crate::config::link::Cells,
}

/// A size table (`TCA_STAB`): what packets of each length cost on the line.
///
/// The kernel dumps only the base (`struct tc_sizespec`), so two tables are the same when their bases are; what the
/// table holds follows from the base alone (`stab::table`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stab {
    /// Added to every packet before the table is looked up; may be negative.
    pub overhead: i32,
    /// The fewest bytes a packet takes on the line.
    pub mpu: u16,
    /// The cell rule.
    pub cells: crate::config::link::Cells,
    /// The largest IP packet, which tells how super-packets will be cut.
    pub mtu: u16,
    /// Bytes of link header the device counts with every packet; `overhead` is less by as much.
    pub header: u16,
}

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Where it hangs: a qdisc, or [`Handle::INGRESS_FILTERS`].
    pub parent: Handle,
    /// Its preference; [`PREFERENCE`] or one of the next few if it is ours.
    pub pref: u16,
    /// The EtherType it sees; 3 (`ETH_P_ALL`) for ours.
    pub protocol: u16,
    /// What it is.
    pub kind: FilterKind,
}

impl Filter {
    /// The preference it has in the kernel: that of a u32 classifier goes by its slot.
    pub fn placed(&self) -> u16 {
        match &self.kind {
            FilterKind::U32(kind) => self.pref.saturating_add(kind.place.slot),
            FilterKind::Redirect { .. } | FilterKind::Bpf(_) | FilterKind::Foreign(_) => self.pref,
        }
    }
}

/// The kinds of filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterKind {
    /// A u32 filter that matches every packet and redirects it to another device's egress (`mirred egress redirect`).
    Redirect {
        /// The device the packets go to.
        to: DeviceName,
    },
    /// A classic BPF classifier (`cls_bpf`).
    Bpf(Bpf),
    /// Hash tables (`cls_u32`) in its place.
    U32(U32),
    /// Not ours, or not understood.
    Foreign(Foreign),
}

/// A classic BPF classifier and what it does with the packets it matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bpf {
    /// Its return value is the class, 0 for the next filter, -1 for "matched".
    pub program: Program,
    /// What is done with what it matches, in order.
    pub actions: Vec<Action>,
}

/// A network device as the system reports it; what `plan` and messages need to know of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index, which changes when it is made anew.
    pub index: u32,
    /// Its name.
    pub name: DeviceName,
    /// `IFLA_INFO_KIND` (`ifb`, `vlan`, `bridge`, `ppp`…), empty for hardware.
    pub kind: String,
    /// `ifi_type`: `ARPHRD_ETHER` 1, `ARPHRD_PPP` 512, `ARPHRD_NONE` 65534…
    pub hardware: u16,
    /// `IFF_UP`.
    pub is_up: bool,
    /// `IFLA_MTU`.
    pub mtu: u32,
    /// `IFLA_GROUP`.
    pub group: u32,
    /// `IFLA_MASTER`, zero if none.
    pub master: u32,
    /// `IFLA_GSO_MAX_SEGS`: packets a super-packet of the router's own may hold; zero on kernels that do not say.
    pub gso_max_segs: u32,
}

impl Link {
    /// A device of Ethernet as most are: up, with an MTU of 1500, of no group and no bridge.
    pub fn ethernet(index: u32, name: DeviceName) -> Self {
        Self {
            index,
            name,
            kind: String::new(),
            hardware: 1,
            is_up: true,
            mtu: 1500,
            group: 0,
            master: 0,
            gso_max_segs: 65_535,
        }
    }

    /// Whether it is an IFB device of ours.
    pub fn is_ours(&self) -> bool {
        self.kind == "ifb" && self.group == GROUP
    }

    /// Bytes of link header the kernel counts with every packet on this device (`dev->hard_header_len`).
    pub fn header_bytes(&self) -> u16 {
        // ARPHRD_ETHER and loopback carry an Ethernet header; PPP, raw IP, tunnels do not show theirs to qdiscs.
        match self.hardware {
            1 | 772 => 14,
            _ => 0,
        }
    }
}

impl Tree {
    /// The device of this name.
    pub fn device(&self, name: &DeviceName) -> Option<&Device> {
        self.devices.iter().find(|d| d.name == *name)
    }
}

impl Device {
    /// A system device with nothing on it.
    pub fn system(name: DeviceName) -> Self {
        Self { name, origin: Origin::System, qdiscs: Vec::new(), classes: Vec::new(), filters: Vec::new() }
    }
}

impl Qdisc {
    /// Whether the kernel made it by itself (`handle 0:`), so that replacing it takes nothing from anybody.
    pub fn is_kernel_default(&self) -> bool {
        self.handle == Handle::NONE
    }
}

impl QdiscKind {
    /// The kernel's name of the kind.
    pub fn name(&self) -> &str {
        match self {
            Self::Htb(_) => "htb",
            Self::FqCodel(_) => "fq_codel",
            Self::Sfq(_) => "sfq",
            Self::Bfifo(_) => "bfifo",
            Self::Cake(_) => "cake",
            Self::Clsact => "clsact",
            Self::Ingress => "ingress",
            Self::Foreign(foreign) => &foreign.kind,
        }
    }
}

impl FilterKind {
    /// The kernel's name of the classifier.
    pub fn name(&self) -> &str {
        match self {
            Self::Redirect { .. } | Self::U32(_) => "u32",
            Self::Bpf(_) => "bpf",
            Self::Foreign(foreign) => &foreign.kind,
        }
    }
}
