// SPDX-License-Identifier: Apache-2.0
//! What weir makes of whole files: `tests/config/NAME.conf` beside what it says of them, `NAME.txt`: each fault and
//! warning, then, unless the file is refused, the configuration as understood. `BLESS=1 cargo test` rewrites those.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use weir::config::Severity;
use weir::config::describe::describe;
use weir::door::load;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let entries = fs::read_dir(folder).expect("tests/config").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == "conf")).collect();
    files.sort();
    files
}

fn verdict(path: &Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy();
    let (faults, config) = match load(&fs::read(path).expect("readable")) {
        Ok((config, warnings)) => (warnings, Some(config)),
        Err(faults) => (faults, None),
    };
    let mut out = String::new();
    for fault in faults {
        let _ = writeln!(out, "{name}:{fault}");
    }
    if let Some(config) = config {
        let _ = writeln!(out, "{}{}", if out.is_empty() { "" } else { "\n" }, describe(&config).trim_end());
    }
    out
}

#[test]
fn every_file_is_judged_as_written_down() {
    let mut wrong = Vec::new();
    for path in files() {
        let (found, expected) = (verdict(&path), path.with_extension("txt"));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&expected, &found).expect("writable");
        } else if fs::read_to_string(&expected).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as written down (BLESS=1 rewrites):\n{}", wrong.join("\n"));
}

/// A file's name is its claim.
#[test]
fn a_file_is_refused_or_warned_about_as_its_name_says() {
    for path in files() {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let worst = match load(&fs::read(&path).expect("readable")) {
            Err(faults) => faults.iter().map(|fault| fault.severity).find(|s| *s == Severity::Fault),
            Ok((_, warnings)) => warnings.first().map(|fault| fault.severity),
        };
        let expected = match name.split('-').next() {
            Some("good") => None,
            Some("warning") => Some(Severity::Warning),
            Some("fault") => Some(Severity::Fault),
            _ => panic!("{name}: call it good-, warning- or fault-something"),
        };
        assert_eq!(worst, expected, "{name}");
    }
}
