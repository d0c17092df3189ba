// SPDX-License-Identifier: Apache-2.0
//! The door: text becomes a configuration that is checked whole, once, or every fault of it is told.

use crate::classify::check::NEVER;
use crate::config::{Config, Fault, read};
use crate::order;
use crate::tc::classifier;
use crate::text;
use alloc::string::String;
use alloc::vec::Vec;

/// Why there is no configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The file cannot be read: which, and why, for people.
    Unreadable(String),
    /// Its faults, and the warnings between them.
    Faults(Vec<Fault>),
}

/// What the door says of a file: the configuration with its warnings, or its faults.
pub type Verdict = Result<(Config, Vec<Fault>), Vec<Fault>>;

/// What became of reading the file: the configuration with its warnings, or why there is none.
pub type Reading = Result<(Config, Vec<Fault>), Refusal>;

/// Reads a file: its grammar, its values, what contradicts what, and whether its rules make a program.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn load(bytes: &[u8]) -> Verdict {
    verified(bytes, false)
}

/// The same, for somebody who may only ask: with less to say of rules that are too many, and a fraction of the work.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn glance(bytes: &[u8]) -> Verdict {
    verified(bytes, true)
}

fn verified(bytes: &[u8], is_glance: bool) -> Verdict {
    let (config, warnings) = read::load(bytes)?;
    let warnings = classifier::verify(&config, warnings, is_glance)?;
    Ok((config, warnings))
}

/// The same, and what takes longer to find: rules that several others together leave no packet.
///
/// # Errors
/// Every fault and warning, when there is at least one fault.
pub fn check(bytes: &[u8]) -> Verdict {
    let (config, mut warnings) = load(bytes)?;
    let is_new = |fault: &Fault| {
        !warnings.iter().any(|known| known.line == fault.line && text::find(&known.text, NEVER).is_some())
    };
    let found: Vec<Fault> = classifier::out_of_reach(&config).into_iter().filter(is_new).collect();
    warnings.extend(found);
    order::by_key(&mut warnings, |warning| warning.line);
    Ok((config, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    fn told(file: &str) -> Vec<String> {
        let faults = match load(file.as_bytes()) {
            Ok((_, warnings)) => warnings,
            Err(faults) => faults,
        };
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_rule_behind_one_that_takes_all_its_packets_is_told_of_both() {
        let file = "config rule 'wide'\n option class 'low'\n list remote_port '100-200'\n list remote_port '300'\n\
                    config rule 'narrow'\n option class 'high'\n option proto 'udp'\n list remote_port '150 300'\n";
        assert_eq!(
            told(file),
            [
                "5: warning: rule 'narrow' can never match: rule 'wide' (line 1) takes all its packets first; option \
              'priority' puts it in front"
            ]
        );
        // One way round, or with a port of its own, it is reached.
        assert_eq!(
            told(&file.replace("config rule 'narrow'\n", "config rule 'narrow'\n option priority '9'\n")),
            [""; 0]
        );
        assert_eq!(told(&file.replace("150 300", "150 301")), [""; 0]);
        assert_eq!(
            told(&file.replace("config rule 'wide'\n", "config rule 'wide'\n option direction 'up'\n")),
            [""; 0]
        );
    }

    #[test]
    fn a_rule_behind_a_trusted_mark_is_reached_where_marks_are_not_trusted() {
        let file = "config rule 'late'\n option class 'high'\n option dscp 'EF'\n option priority '600'\n";
        assert_eq!(told(file), [""; 0]);
        let both = format!("config wan 'w'\n option trust_dscp 'both'\n{file}");
        assert_eq!(
            told(&both),
            [
                "3: warning: rule 'late' can never match: rule 'dscp_critical' (built in) takes all its packets first; \
              option 'priority' puts it in front"
            ]
        );
    }

    #[test]
    fn a_rule_that_several_others_leave_nothing_is_told_of() {
        let told = |file: &str| {
            let (_, warnings) = check(file.as_bytes()).expect("no fault");
            warnings.iter().map(|warning| warning.line).collect::<Vec<_>>()
        };
        let halves = "config rule 'a'\n option class 'low'\n list remote_port '1-100'\n\
                      config rule 'b'\n option class 'high'\n list remote_port '101-65535'\n\
                      config rule 'c'\n option class 'low'\n list remote_port '90-110'\n";
        assert_eq!(told(halves), [7]);
        assert_eq!(told(&halves.replace("101-", "102-")), [0; 0]);
        let behind_services =
            "config rule 'c'\n option class 'low'\n list remote_port '443'\n option priority '2000'\n";
        assert_eq!(told(behind_services), [1], "web and quic take it all");
        let two_families =
            "config rule 'c'\n option class 'low'\n list remote '192.0.2.1'\n list local '2001:db8::1'\n";
        assert_eq!(told(two_families), [1]);
        let one = "config rule 'wide'\n option class 'low'\n list remote_port '1-100'\n\
                   config rule 'narrow'\n option class 'low'\n list remote_port '50'\n";
        assert_eq!(told(one), [4], "and only once");
    }

    #[test]
    fn rules_that_make_too_large_a_program_are_named() {
        let mut file = String::from("config globals 'g'\n option services '0'\n");
        for n in 0..250 {
            let (net, class) = (n * 77 % 250, ["low", "high"][n % 2]);
            file.push_str(&format!("config rule 'r{n}'\n option class '{class}'\n"));
            (0..24).for_each(|m| file.push_str(&format!(" list remote '2001:db8:{net:x}:{m:x}::/64'\n")));
        }
        let told = told(&file);
        assert!(
            told[0].contains("the rules for upload make a program of more than 4000 instructions"),
            "{told:?}"
        );
        assert!(told[0].contains("'r0' (48 conditions)"), "{told:?}");
        let first = told[0].split("from rule 'r").nth(1).and_then(|rest| rest.split('\'').next());
        let first: usize = first.and_then(|n| n.parse().ok()).expect("the first that does not fit");
        let line = 3 + 26 * first;
        assert!(told[0].starts_with(&format!("{line}: fault")), "{}", told[0]);
        let at_a_glance = glance(file.as_bytes()).expect_err("too much as well");
        assert!(
            at_a_glance[0].text.contains("instructions, which the kernel does not take; those that cost")
        );
        // Without it and those behind it they do fit.
        let lines =
            |count: usize| file.lines().take(count).map(|line| format!("{line}\n")).collect::<String>();
        assert!(load(lines(line - 1).as_bytes()).is_ok());
        assert!(load(lines(line + 25).as_bytes()).is_err());
    }
}
