// SPDX-License-Identifier: Apache-2.0
//! No description of a packet stops the reader of `weir explain`; what it understood, written out, is the same flow.
//!
//! Read `src/classify/flow.rs` before changing what is expected here.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use weir::classify::flow::{self, Flow};
use weir::units::Way;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    match flow::parse(text) {
        Ok(flow) => {
            let whole = flow.to_string();
            let again = flow::parse(&whole).unwrap_or_else(|told| panic!("{whole}: {told}"));
            assert_eq!(again, Flow { way: None, ..flow }, "{whole}");
            let [up, down] = Way::ALL.map(|way| flow.packet(way));
            assert_eq!((up.source, up.destination), (down.destination, down.source));
        }
        Err(told) => assert!(!told.is_empty() && told.len() < 2 * text.len() + 1000, "{told}"),
    }
    Corpus::Keep
});
