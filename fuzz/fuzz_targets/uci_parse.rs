// SPDX-License-Identifier: Apache-2.0
//! No file stops the UCI parser, and what it exports reads as the same package.
//!
//! Read `src/config/uci/words.rs` before changing what is expected here.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use weir::config::uci::{self, Package};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(package) = uci::parse(bytes) else { return Corpus::Keep };
    let mut out = Vec::new();
    uci::show(&package, "fuzz", false, &mut out);
    uci::show(&package, "fuzz", true, &mut out);
    out.clear();
    uci::export(&package, "fuzz", &mut out);
    // A type is written bare, as the real tool does; one with these characters in it does not survive that.
    let is_plain = |kind: &str| !kind.contains(['\'', '"', '\\', ';', '#']);
    if package.sections.iter().all(|section| is_plain(&section.kind)) && out.len() <= weir::limits::CONFIG_BYTES {
        let again = uci::parse(&out).expect("an export is a good file");
        assert_eq!(without_lines(again), without_lines(package));
    }
    Corpus::Keep
});

fn without_lines(mut package: Package) -> Package {
    for section in &mut package.sections {
        section.line = 0;
        for option in &mut section.options {
            option.line = 0;
        }
    }
    package
}
