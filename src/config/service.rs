// SPDX-License-Identifier: Apache-2.0
//! The built-in services: which ports speak of what, in one table, which `weir services` and the README print.
//!
//! Well-known ports are those of IANA's Service Name and Transport Protocol Port Number Registry. The others are what
//! their publishers name: Zoom ("Network firewall or proxy server settings"), Microsoft ("Microsoft 365 URLs and IP
//! address ranges", "Network ports used by Xbox"), Google ("Prepare your network for Meet meetings"), Cisco ("Network
//! Requirements for Webex Services"), Apple ("TCP and UDP ports used by Apple software products", "Use FaceTime behind
//! a firewall"), GoTo, Jitsi ("Self-Hosting Guide"), AVM, Valve ("Required Ports for Steam"), Sony, Activision, EA,
//! Riot, Ubisoft, Rockstar, Blizzard, Mojang, Square Enix, NVIDIA, Moonlight, TeamViewer, AnyDesk, RustDesk, Syncthing
//! and the makers of backups, each on the support page about firewalls. WhatsApp and Discord publish no list for homes;
//! their rows are what firewalls that single them out agree on, and say so.
//!
//! Without a row, as only a range too wide to mean anything is published: Nintendo (UDP 45000-65535), Roblox
//! (49152-65535), Fortnite and newer Battle.net titles (12000-64000), Rocket League (7000-9000, but see `riot`). A rule
//! that names the console's address (`local`) finds them where the line sees it: IPv6, or behind no NAT.
//!
//! Before editing: no row of `critical` or `high` takes a port that something bulky commonly uses, none is wider than
//! about a thousand ports, and Steam's TCP ports are downloads. The tests below hold the order.

use alloc::string::String;
use core::fmt::Write;

/// One service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name in rules.
    pub name: &'static str,
    /// The class it goes to unless a rule of its name says otherwise.
    pub class: &'static str,
    /// What it matches, any of these: `tcp/udp 53,853; udp 443; tcp 22 at either end; icmp`.
    ///
    /// Ports are those of the far end: destination out, source in. At either end is said of peers that talk to each
    /// other and of servers that also stand at home.
    pub packets: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Why this class, and what ports cannot tell.
    pub note: &'static str,
}

/// Some ports of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Protocols, between slashes.
    pub protocols: &'static str,
    /// Ports and ranges, between commas, rising and disjoint; empty: the whole protocol.
    pub ports: &'static str,
    /// Also at the near end.
    pub is_either: bool,
    /// TCP without payload.
    pub is_bare: bool,
}

/// Rows become one text: 50 rows of five pointers each would take as much room as what they point to.
macro_rules! table {
    ($($name:literal $class:literal $packets:literal $title:literal $note:literal;)*) => {
        concat!($($name, "|", $class, "|", $packets, "|", $title, "|", $note, "\n"),*)
    };
}

/// The table; the first that matches wins, so the specific stands before the general.
const TABLE: &str = table! {
    // What everything else waits for.
    "icmp" "critical" "icmp" "Ping and errors"
        "Small, and tells of unreachable hosts and too large packets; has a leaf and a limit of its own.";
    "dns" "critical" "tcp/udp 53,853" "DNS"
        "Plain, over TLS and over QUIC (853); DNS over HTTPS cannot be told from web.";
    "ntp" "critical" "udp 123; tcp 4460" "Time"
        "A packet that waits is a clock that is wrong; 4460 is the key exchange of NTS.";
    "dhcp" "critical" "udp 67-68,546-547" "Addresses"
        "Without a lease there is no line.";
    "igmp" "critical" "igmp" "Multicast groups"
        "Keeps television by multicast subscribed; the programmes themselves are not matched.";

    // Voice and video calls: the picture shares the ports of the voice. `stun` is what most of them have in common.
    "sip" "critical" "tcp/udp 5060-5061" "SIP"
        "Sets calls up; the voice itself is rtp or a range of the provider's own.";
    "zoom" "critical" "udp 3478-3479,8801-8810; tcp 8801-8802" "Zoom"
        "Where these are blocked Zoom takes 443, which is web.";
    "teams" "critical" "udp 3478-3481" "Microsoft Teams"
        "Voice, picture and shared screens through Microsoft's relays; files and chat are web.";
    "meet" "critical" "udp 3478,19302-19309" "Google Meet"
        "Where these are blocked Meet takes 443, which is web.";
    "webex" "critical" "udp 5004,9000; tcp 5004" "Cisco Webex"
        "Where these are blocked Webex takes 443, which is web.";
    "whatsapp" "critical" "udp 3478,45395,50318,59234" "WhatsApp calls"
        "Not published, but what firewalls let through for it; direct calls take any port.";
    "discord" "critical" "udp 19294-19344,50000-50100" "Discord calls"
        "Where its servers answer; it reserves 50000-65535, which is too wide to tell.";
    "facetime" "critical" "udp 3478-3497,16384-16387,16393-16402" "FaceTime"
        "Apple's calls; its messages are in messengers.";
    "jitsi" "critical" "udp 10000" "Jitsi Meet"
        "The bridge's own port; a server may have been given another one.";
    "goto_meeting" "critical" "udp 1853" "GoTo Meeting"
        "Its other ports, 443 and 8200 by TCP, are also those of web and backups.";
    "voice_chat" "critical" "udp 9987; tcp/udp 64738" "TeamSpeak, Mumble"
        "Voice of games; TeamSpeak's files (TCP 30033) are not here.";
    "rtp" "critical" "udp 7078-7109,16384-16482 at either end" "Telephones"
        "FRITZ!Box and Cisco; the 10000-20000 of others is too wide: torrents are there as well.";
    "stun" "critical" "tcp/udp 3478-3479,5349" "Calls by relay"
        "STUN and TURN: any call that cannot go directly, also of Signal and in browsers.";

    // What somebody is looking at.
    "streaming" "high" "tcp/udp 554; tcp 1935" "Live streams"
        "RTSP and RTMP; films and most live television come by 443 and are web.";

    // Games: only the play itself; what is downloaded is in `game_downloads` or web.
    "xbox" "high" "udp 88,3074,3544 at either end" "Xbox"
        "The console's own port is 3074, so this also finds servers on any port.";
    "playstation" "high" "udp 3478-3479,3658,9295-9304,9308 at either end; tcp 3478-3480" "PlayStation"
        "With Remote Play (9295-9304); 3478-3479 are critical already, by stun.";
    "steam" "high" "udp 4379-4380,27000-27100" "Steam"
        "Valve's games, peers and Remote Play; its TCP is downloads.";
    "call_of_duty" "high" "udp 3074-3079 at either end" "Call of Duty"
        "Its players' own ports, so this also finds servers on any port.";
    "riot" "high" "udp 5000-5500,7000-8000" "League, Valorant"
        "Games on Unreal's usual 7777 as well; calls within these ranges are critical already.";
    "ea" "high" "udp 3659,14000-14016,22990-23006,25200-25300" "Electronic Arts"
        "Battlefield, FC; Apex Legends takes 37005-38515, too wide to tell.";
    "ubisoft" "high" "udp 6015,6115,6150" "Ubisoft"
        "Rainbow Six; its console players use xbox and playstation.";
    "rockstar" "high" "udp 6672,61455-61458 at either end" "Rockstar"
        "GTA and Red Dead Online: players talk to each other.";
    "blizzard" "high" "tcp/udp 1119,3724,6012,6112-6119" "Blizzard"
        "World of Warcraft and older games; newer ones take UDP 12000-64000, too wide to tell.";
    "minecraft" "high" "tcp 25565 at either end; udp 19132-19133 at either end" "Minecraft"
        "Java and Bedrock; also where the world stands at home.";
    "final_fantasy" "high" "tcp 54992-54994,55006-55007,55021-55040" "Final Fantasy XIV"
        "The game itself goes by TCP; its patches are web.";
    "geforce_now" "high" "udp 49003-49006; tcp 49100" "GeForce NOW"
        "A game as video, tens of Mbit/s of it.";
    "moonlight" "high" "tcp 47984,47989,48010 at either end; udp 47998-48000,48002,48010 at either end" "Moonlight"
        "One's own computer's games as video, from home or from afar.";

    // Somebody types and waits.
    "ssh" "high" "tcp 22-23 at either end; udp 60000-61000" "SSH, telnet, mosh"
        "Keystrokes; scp and rsync look the same, and fq_codel keeps them apart within the class.";
    "remote_desktop" "high"
        "tcp/udp 3389,5938 at either end; tcp 5900-5909,6568,7070,21115-21119 at either end" "Remote desktops"
        "RDP, TeamViewer, VNC, AnyDesk, RustDesk; also to a computer at home.";
    "messengers" "high" "tcp 1883,5222-5223,5228-5230,6697,8883" "Messages, push"
        "XMPP, WhatsApp, Apple (5223), Google (5228), IRC, MQTT; pictures sent are web.";
    "databases" "high" "tcp 1433,1521,3306,5432,6379" "Databases"
        "Questions and answers; a dump looks the same. MongoDB's 27017 is also Steam's.";
    "wifi_calling" "high" "udp 500,4500" "Calls over Wi-Fi"
        "Telephones' IPsec to their provider; a VPN by IPsec looks the same: then move it to normal.";

    // Nobody waits. Also for servers at home: what they send is what fills the upload.
    "ftp" "low" "tcp 20-21,989-990 at either end" "FTP"
        "Passive transfers take any port, which nothing here can tell.";
    "file_shares" "low" "tcp 139,445,548,2049 at either end" "SMB, NFS, AFP"
        "Seldom over the internet, then mostly backups (Time Machine is 548 or 445).";
    "usenet" "low" "tcp 119,433,563" "Usenet"
        "Bulk; many providers also offer 443, which is web.";
    "torrents" "low" "tcp/udp 6881-6999,51413 at either end" "Torrents"
        "Clients like random ports: set a fixed one there and name it in a rule (local_port).";
    "peer_to_peer" "low" "tcp/udp 4001,4662,4672 at either end; tcp 2234-2240,8333 at either end" "Other peers"
        "IPFS, eDonkey, Soulseek, Bitcoin.";
    "file_sync" "low" "tcp/udp 22000 at either end; tcp 8384 at either end" "Syncthing"
        "Dropbox, OneDrive and the like go by 443 and are web.";
    "backup" "low" "tcp 873,3260,4282,6281,8007,8200,9101-9103,44445 at either end" "Backups"
        "rsync, iSCSI, CrashPlan, Synology, Proxmox, Duplicati, Bacula, Acronis; Borg is ssh.";
    "game_downloads" "low" "tcp 27015-27050" "Steam downloads"
        "Where Steam does not use 80 and 443, which are web.";
    "windows_updates" "low" "tcp 7680 at either end" "Windows updates"
        "What computers pass on to each other; from Microsoft itself they come by 80.";

    // Behind `low`: acknowledgements of bulk stay with it, or they would pull more of it in. Before `normal`: those of
    // web go ahead, on the upload they are what a download's speed hangs on.
    "tcp_ack" "high" "tcp without payload" "TCP control"
        "ACKs, SYN, FIN, RST; behind low, so that bulk's stay with it, before normal, so that web's go first.";

    // The default class: here to be named. A rule that says what holds anyway costs the program nothing.
    "web" "normal" "tcp 80,443,8080,8443" "Web"
        "Pages, films, downloads and whatever else hides in HTTPS.";
    "quic" "normal" "udp 443" "QUIC"
        "HTTP/3: web by UDP; calls that found their own ports blocked are in it, too.";
    "mail" "normal" "tcp 25,110,143,465,587,993,995 at either end" "Mail"
        "Seconds do not matter; large attachments do not hurry anybody.";
    "vpn" "normal" "udp 1194,1701,51820 at either end; tcp 1194,1723 at either end; gre/esp/ah" "VPN"
        "Nobody sees what is in a tunnel; move it to high if it carries calls.";
};

/// Every service, in order.
pub fn services() -> impl Iterator<Item = Service> + Clone {
    TABLE.lines().filter_map(|line| {
        let mut parts = line.split('|');
        let mut next = || parts.next();
        Some(Service { name: next()?, class: next()?, packets: next()?, title: next()?, note: next()? })
    })
}

/// The service of this name.
pub fn find(name: &str) -> Option<Service> {
    services().find(|service| service.name == name)
}

impl Service {
    /// What it matches, taken apart.
    pub fn ports(&self) -> impl Iterator<Item = Ports> + use<> {
        self.packets.split(';').map(|text| {
            let text = text.trim_start();
            let near = text.strip_suffix(" at either end");
            let (protocols, ports) = near.unwrap_or(text).split_once(' ').unwrap_or((text, ""));
            let is_bare = ports == "without payload";
            Ports { protocols, ports: if is_bare { "" } else { ports }, is_either: near.is_some(), is_bare }
        })
    }
}

/// `weir services`: all of them, aligned.
pub fn list() -> String {
    let width =
        |text: fn(&Service) -> &str| services().map(|service| text(&service).len()).max().unwrap_or(0);
    let (name, class, title) =
        (width(|service| service.name), width(|service| service.class), width(|service| service.title));
    let mut out = String::new();
    let mut row = |a: &str, b: &str, c: &str, d: &str| {
        let _ = writeln!(out, "  {a:<name$}  {b:<class$}  {c:<title$}  {d}");
    };
    row("service", "class", "what it is", "packets");
    services().for_each(|service| row(service.name, service.class, service.title, service.packets));
    out.push_str(
        "\nThe first that matches decides, behind the rules of the file and trusted DSCPs. Ports are those of the far \
         end.\n'weir services NAME' says more of one.\n",
    );
    out
}

/// `weir services NAME`.
pub fn detail(service: &Service) -> String {
    let Service { name, class, packets, title, note } = service;
    alloc::format!("{name}: {title}\n  class    {class}\n  packets  {packets}\n  {note}\n")
}

/// The README's table.
pub fn readme() -> String {
    let mut out = String::from(
        "| service | what | packets | class | why, and what ports cannot tell |\n|---|---|---|---|---|\n",
    );
    for Service { name, class, packets, title, note } in services() {
        let _ = writeln!(out, "| `{name}` | {title} | {packets} | {class} | {note} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Class, value};
    use super::*;
    use alloc::vec::Vec;

    /// Ports of one range, at most.
    const WIDEST: u16 = 1001;

    #[test]
    fn every_row_has_a_name_of_its_own_a_class_that_is_there_and_a_short_reason() {
        assert_eq!(services().count(), TABLE.lines().count());
        let mut names = Vec::new();
        for service in services() {
            let Service { name, class, packets, title, note } = service;
            assert_eq!(
                TABLE.matches(&alloc::format!("{name}|{class}|{packets}|{title}|{note}\n")).count(),
                1
            );
            assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name}");
            assert!(!names.contains(&name), "{name} is there twice");
            names.push(name);
            assert!(Class::defaults().iter().any(|known| known.name == class), "{name}: class {class}");
            assert!((3..=18).contains(&title.len()), "{name}: {title}");
            assert!((20..=100).contains(&note.len()) && note.ends_with('.'), "{name}: {note}");
            assert_eq!(find(name), Some(service));
        }
    }

    #[test]
    fn every_word_of_the_packets_is_understood_and_ranges_rise() {
        for service in services() {
            for group in service.ports() {
                let said = (service.name, group);
                let protocols: Vec<u8> =
                    group.protocols.split('/').flat_map(|word| value::protocols(word).expect(word)).collect();
                assert!(!protocols.is_empty(), "{said:?}");
                let ports = group.ports.split(',').filter(|word| !word.is_empty());
                let ranges: Vec<(u16, u16)> = ports.map(|word| value::ports(word).expect(word)).collect();
                assert_eq!(ranges.is_empty(), group.ports.is_empty(), "{said:?}");
                // Not even touching: two ranges where one would do cost twice.
                assert!(ranges.is_sorted_by(|a, b| a.1 < b.0 - 1), "{said:?}");
                assert!(ranges.is_empty() || protocols.iter().all(|n| [6, 17].contains(n)), "{said:?}");
                assert!(ranges.iter().all(|(low, high)| high - low < WIDEST), "{said:?}");
                assert!(!group.is_bare || protocols == [6] && ranges.is_empty(), "{said:?}");
                assert!(!group.is_either || !ranges.is_empty(), "{said:?}");
            }
        }
    }

    #[test]
    fn an_end_is_said_of_the_group_it_stands_behind() {
        let service =
            Service { packets: "tcp/udp 53,853 at either end; udp 443; icmp", ..find("dns").expect("there") };
        let group = |protocols, ports, is_either| Ports { protocols, ports, is_either, is_bare: false };
        let wanted = [group("tcp/udp", "53,853", true), group("udp", "443", false), group("icmp", "", false)];
        assert_eq!(service.ports().collect::<Vec<_>>(), wanted);
        let bare = Ports { protocols: "tcp", ports: "", is_either: false, is_bare: true };
        assert_eq!(find("tcp_ack").expect("there").ports().collect::<Vec<_>>(), [bare]);
    }
}
