// SPDX-License-Identifier: Apache-2.0
//! Reads what the doctor looks at: small files below a root, which is `/` but for tests and a router's backup.

use super::files::read_all;
use crate::watch::checks::Cores;
use crate::watch::evidence::{Evidence, FILES, SAMPLED};
use nix::errno::Errno;
use std::fs::File;
use std::os::fd::AsFd;
use std::time::SystemTime;

/// So much of a file is read: a few hundred flows, and of all others everything.
const BYTES: usize = 64 * 1024;

/// Adds what is read to what is known already.
pub fn collect<'a>(root: &str, known: Evidence<'a>) -> Evidence<'a> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Evidence { files: texts(root, &FILES, known.pid), seconds, ..known }
}

/// Reads again, some time later, what tells how busy the processor was meanwhile.
pub fn sample(root: &str, evidence: &mut Evidence<'_>) {
    evidence.later = texts(root, FILES.get(..SAMPLED).unwrap_or_default(), evidence.pid);
}

#[inline(never)]
fn texts(root: &str, paths: &[&str], pid: Option<u32>) -> Vec<String> {
    paths.iter().map(|path| text(root, path, pid).unwrap_or_default()).collect()
}

/// A file; of several the first that is there.
fn text(root: &str, path: &str, pid: Option<u32>) -> Option<String> {
    let Some((front, back)) = path.split_once('?') else { return read(&format!("{root}{path}")) };
    // S00 to S99 without reading the folder, which would take a kilobyte of code.
    let (first, last, width) = if back.starts_with('/') { (pid?, pid?, 0) } else { (0, 99, 2) };
    (first..=last).find_map(|n| read(&format!("{root}{front}{n:0width$}{back}")))
}

/// What each core has done, without asking for memory, as a daemon that steers does it.
pub(super) fn cores() -> Option<Cores> {
    let file = File::open("/proc/stat").ok()?;
    // The cores come first; what is long comes behind them.
    let mut bytes = [0; 1024];
    let count = nix::unistd::read(file.as_fd(), &mut bytes).ok()?;
    let text = bytes.get(..count)?;
    // The last line may be cut.
    let end = text.iter().rposition(|byte| *byte == b'\n')?;
    Some(Cores::read(std::str::from_utf8(text.get(..end)?).ok()?))
}

fn read(path: &str) -> Option<String> {
    let file = match File::open(path) {
        // A socket is there, and cannot be opened.
        Err(error) if error.raw_os_error() == Some(Errno::ENXIO as i32) => return Some("socket".into()),
        other => other.ok()?,
    };
    Some(String::from_utf8_lossy(&read_all(file.as_fd(), BYTES).ok()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::evidence::File as Which;
    use std::fs;
    use std::os::unix::net::UnixListener;

    #[test]
    fn files_are_read_below_the_root_and_what_is_not_there_is_empty() {
        let root = std::env::temp_dir().join(format!("weir-evidence-{}", std::process::id()));
        for dir in ["proc/7", "etc/rc.d", "etc/config", "var/run", "proc/net"] {
            fs::create_dir_all(root.join(dir)).expect("a folder");
        }
        for (path, content) in [
            ("proc/7/status", &b"CapEff:\t1\n"[..]),
            ("etc/rc.d/S99weir", b"#!"),
            ("etc/rc.d/S05sqm", b"#!"),
            ("etc/rc.d/K50qosify", b"#!"),
            ("etc/config/firewall", b"\xff odd"),
        ] {
            fs::write(root.join(path), content).expect("a file");
        }
        fs::write(root.join("proc/net/nf_conntrack"), vec![b'x'; BYTES + 1]).expect("a file");
        let _socket = UnixListener::bind(root.join("var/run/ubus.sock")).expect("a socket");
        let text = root.to_str().expect("UTF-8");
        let mut evidence = collect(text, Evidence { pid: Some(7), ..Evidence::default() });
        assert_eq!(evidence.text(Which::Status), "CapEff:\t1\n");
        assert_eq!(evidence.text(Which::Firewall), "\u{fffd} odd");
        assert_eq!(evidence.text(Which::Flows).len(), BYTES);
        assert!(evidence.seconds > 1_700_000_000);
        let there: Vec<&str> = FILES
            .into_iter()
            .zip(&evidence.files)
            .filter(|(_, text)| !text.is_empty())
            .map(|(path, _)| path)
            .collect();
        assert_eq!(
            there,
            [
                "/proc/?/status",
                "/etc/config/firewall",
                "/proc/net/nf_conntrack",
                "/var/run/ubus.sock",
                "/etc/rc.d/S?weir",
                "/etc/rc.d/S?sqm"
            ]
        );
        fs::write(root.join("proc/stat"), "cpu0 1\n").expect("a file");
        sample(text, &mut evidence);
        assert_eq!(evidence.later, ["cpu0 1\n", ""]);
        assert!(!collect(text, Evidence::default()).has(Which::Status), "nobody's process");
        fs::remove_dir_all(&root).expect("removed");
    }
}
