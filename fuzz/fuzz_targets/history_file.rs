// SPDX-License-Identifier: Apache-2.0
//! No file of histories stops the reader, whatever its checksum says, and what it says fits where it belongs.
//!
//! Read `src/watch/archive.rs` before changing what is expected here.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir::units::Time;
use weir::watch::archive::{Archive, check, pack, seal};
use weir::watch::history::History;

/// The daemon's clock, in the fourth day after a boot.
const NOW: Time = Time(300_000_000_000);

fuzz_target!(|bytes: &[u8]| {
    let _ = check(bytes);
    let Some(read) = Archive::read(bytes) else { return };
    for gap in [0, 119, 7_000, u64::MAX] {
        let mut history = History::new(NOW);
        history.clear_recalled();
        read.pieces.iter().for_each(|piece| piece.place(&mut history, NOW, gap, gap > 0));
        // What was recalled can be written again, and is read again.
        if let Some(packed) = pack(&[("wan", &[][..], &history)], NOW) {
            let file = seal(packed, 1_777_593_600).expect("a clock that is right");
            assert_eq!(check(&file), Ok(()));
            assert!(Archive::read(&file).is_some());
        }
    }
});
