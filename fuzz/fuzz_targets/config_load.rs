// SPDX-License-Identifier: Apache-2.0
//! No file stops the door, the reader of configurations and the compiler of their rules; it says a bounded number of
//! things, each about a line there is.
//!
//! Read `src/door.rs` before changing what is expected here.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir::config::Severity;
use weir::{door, limits};

fuzz_target!(|bytes: &[u8]| {
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() + 1;
    let faults = match door::load(bytes) {
        Ok((config, warnings)) => {
            assert!(warnings.iter().all(|warning| warning.severity == Severity::Warning));
            assert!(config.wans.len() <= limits::WANS && config.classes.len() <= limits::CLASSES);
            warnings
        }
        Err(faults) => {
            assert!(faults.iter().any(|fault| fault.severity == Severity::Fault));
            faults
        }
    };
    assert!(faults.len() <= limits::FAULTS);
    for fault in faults {
        assert!(fault.line as usize <= lines, "{fault}");
        assert!(!format!("{fault}").is_empty());
    }
});
