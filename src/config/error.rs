// SPDX-License-Identifier: Apache-2.0
//! What is wrong with a configuration, where, and what is allowed instead.

use crate::limits;
use crate::order;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Whether a configuration can be used in spite of a [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused; what runs stays as it is.
    Fault,
    /// The file is used; the person should know.
    Warning,
}

impl Severity {
    /// What it is called.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Warning => "warning",
        }
    }
}

/// One thing wrong with a file: shown as `FILE:LINE: fault: option 'download': …` by whoever knows the file's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Refuse or merely tell.
    pub severity: Severity,
    /// The line it stands in, from 1 (a missing option is the section's line); 0 when no line is to blame.
    pub line: u32,
    /// The option it is about; empty for a whole section or file.
    pub option: String,
    /// What is wrong and what is allowed, lower case, without a full stop.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.line, self.severity.word(), self.words())
    }
}

impl Fault {
    /// What is wrong, for those who have line and severity beside it.
    pub fn words(&self) -> String {
        let Self { option, text, .. } = self;
        if option.is_empty() { text.clone() } else { format!("option '{option}': {text}") }
    }

    /// The same with its line, for those who have the severity beside it and no file's name in front.
    pub fn sentence(&self) -> String {
        let words = self.words();
        if self.line == 0 { words } else { format!("line {} of the configuration: {words}", self.line) }
    }
}

/// Every fault and warning of one file, as many as a person reads.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<Fault>,
    /// Those beyond the list, and whether a fault is among them.
    left_out: usize,
    is_fault_left_out: bool,
}

impl Faults {
    pub(crate) fn fault(&mut self, line: u32, option: &str, text: impl Into<String>) {
        self.add(Fault { severity: Severity::Fault, line, option: option.into(), text: text.into() });
    }

    pub(crate) fn warn(&mut self, line: u32, option: &str, text: impl Into<String>) {
        self.add(Fault { severity: Severity::Warning, line, option: option.into(), text: text.into() });
    }

    /// Keeps one place free for the number of those left out. A fault takes a warning's place: it refuses the file.
    fn add(&mut self, fault: Fault) {
        if self.list.len() < limits::FAULTS - 1 {
            return self.list.push(fault);
        }
        self.left_out += 1;
        let is_fault = fault.severity == Severity::Fault;
        match self.list.iter_mut().rfind(|kept| is_fault && kept.severity == Severity::Warning) {
            Some(place) => *place = fault,
            None => self.is_fault_left_out |= is_fault,
        }
    }

    /// How many faults there are, beside warnings.
    pub(crate) fn count(&self) -> usize {
        self.list.iter().filter(|fault| fault.severity == Severity::Fault).count()
    }

    /// Whether the value of this option was refused: what follows from its absence is then not worth telling.
    pub(crate) fn is_refused(&self, line: u32, option: &str) -> bool {
        let is_it =
            |fault: &Fault| fault.severity == Severity::Fault && fault.line == line && fault.option == option;
        self.list.iter().any(is_it)
    }

    /// In the order of the file; last how many more there are.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        order::by_key(&mut self.list, |fault| fault.line);
        if self.left_out > 0 {
            let severity = if self.is_fault_left_out { Severity::Fault } else { Severity::Warning };
            let text = format!("and {} more; mend these first", self.left_out);
            let line = self.list.last().map_or(0, |last| last.line);
            self.list.push(Fault { severity, line, option: String::new(), text });
        }
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_fault_behind_a_hundred_warnings_is_shown_and_the_rest_counted() {
        let mut faults = Faults::default();
        (1..=100).for_each(|line| faults.warn(line, "", "odd"));
        faults.fault(500, "upload", "wrong");
        let all = faults.finish();
        assert_eq!(all.len(), limits::FAULTS);
        assert_eq!(all[62].to_string(), "500: fault: option 'upload': wrong");
        assert_eq!(all[63].to_string(), "500: warning: and 38 more; mend these first");
    }

    #[test]
    fn line_and_severity_are_not_said_twice_nor_a_line_without_of_what() {
        let fault = |line, option: &str| Fault {
            severity: Severity::Fault,
            line,
            option: option.into(),
            text: "wrong".into(),
        };
        assert_eq!(
            (fault(7, "").words(), fault(7, "upload").words()),
            ("wrong".into(), "option 'upload': wrong".into())
        );
        assert_eq!(fault(7, "upload").sentence(), "line 7 of the configuration: option 'upload': wrong");
        assert_eq!(fault(0, "").sentence(), "wrong");
    }

    #[test]
    fn faults_that_found_no_place_still_refuse_the_file() {
        let mut faults = Faults::default();
        (1..=64).for_each(|line| faults.fault(line, "", "wrong"));
        assert_eq!(faults.finish()[63].to_string(), "63: fault: and 1 more; mend these first");
    }
}
