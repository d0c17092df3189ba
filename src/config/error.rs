// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a configuration, where, and what is allowed instead.

use alloc::string::String;
use core::fmt;

/// Whether a configuration can be used in spite of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused; what runs stays as it is.
    Fault,
    /// The file is used; the person should know.
    Warning,
}

/// One thing wrong with a file: shown as `FILE:LINE: fault: option 'download': …` by whoever knows the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Refuse or merely tell.
    pub severity: Severity,
    /// The line it stands in, from 1; 0 when no line is to blame (a missing option is the section's line).
    pub line: u32,
    /// The option it is about; empty for a whole section or file.
    pub option: String,
    /// What is wrong and what is allowed, lower case, without a full stop.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Fault => "fault",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {severity}: ", self.line)?;
        if !self.option.is_empty() {
            write!(f, "option '{}': ", self.option)?;
        }
        f.write_str(&self.text)
    }
}
