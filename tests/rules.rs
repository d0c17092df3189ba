// SPDX-License-Identifier: Apache-2.0
//! Rules all the way: `tests/rules/NAME.conf` → the decision list of each way and its program (`NAME.program`), and what
//! is said of the flows in `NAME.flows` (`NAME.answers`). `BLESS=1 cargo test` rewrites what is expected.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use weir::classify::compile::{Framing, compile};
use weir::classify::list::list;
use weir::classify::listing::Listing;
use weir::config::Config;
use weir::door::load;
use weir::tc::classifier::scheme;
use weir::tc::explain::explain;
use weir::units::Way;

fn files(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let entries = fs::read_dir(folder).expect("tests/rules").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

fn config(path: &Path) -> Config {
    load(&fs::read(path).expect("readable"))
        .unwrap_or_else(|faults| panic!("{}: {faults:#?}", path.display()))
        .0
}

fn expect(path: &Path, found: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, found).expect("writable");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{} (BLESS=1 rewrites)", path.display());
}

#[test]
fn rules_become_the_list_and_the_program_written_down() {
    for path in files("conf") {
        let config = config(&path);
        let wan = &config.wans[0];
        let mut out = String::new();
        for (way, header) in [(Way::Up, 14), (Way::Down, 0)] {
            let scheme = scheme(&config, wan, way, header, None, true);
            let list = list(&scheme).expect("a short list");
            let _ = writeln!(out, "{way}, {header} bytes of link header");
            for line in &list.lines {
                let _ = writeln!(out, "  {line}");
            }
            let _ = writeln!(out, "  else → {}\n", list.default);
            let framing = Framing { way, header, control: scheme.of_control(), only: None };
            let returns = |verdict: weir::classify::scheme::Verdict| verdict.leaf.0;
            let program = compile(&list, &framing, &returns).expect("a short program");
            let _ = writeln!(out, "{}", Listing(&program.insns));
        }
        expect(&path.with_extension("program"), &out);
    }
}

#[test]
fn every_flow_is_explained_as_written_down() {
    for path in files("flows") {
        let config = config(&path.with_extension("conf"));
        let flows = fs::read_to_string(&path).expect("readable");
        let mut out = String::new();
        for text in flows.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let flow = weir::classify::flow::parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            let _ = writeln!(out, "> {text}\n{}", explain(&config, &flow));
        }
        expect(&path.with_extension("answers"), &out);
    }
}
