// SPDX-License-Identifier: Apache-2.0
//! UCI files against the recorded verdicts of the real `uci` tool; see `tests/uci/README.md`.

use std::fs;
use std::path::Path;
use std::process::Command;

/// `== uci show NAME: exit 1` and what it wrote to standard error, for each of the tool's commands.
fn verdict(recorded: &str, command: &str) -> (i32, String) {
    let start = format!("== uci {command} ");
    let mut lines = recorded.lines().skip_while(|line| !line.starts_with(&start));
    let head = lines.next().unwrap_or_else(|| panic!("no record of '{command}'"));
    let code = head.rsplit(' ').next().and_then(|code| code.parse().ok()).expect("ends with the exit code");
    let text: String =
        lines.take_while(|line| !line.starts_with("== ")).map(|line| format!("{line}\n")).collect();
    (code, text)
}

#[test]
fn every_recorded_file_gets_the_real_tools_verdict() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/uci");
    let mut count = 0;
    for entry in fs::read_dir(&cases).expect("the cases are there") {
        let folder = entry.expect("readable").path();
        if !folder.is_dir() {
            continue;
        }
        count += 1;
        let name = folder.file_name().expect("a name").to_str().expect("ASCII").to_owned();
        let recorded = fs::read_to_string(folder.join(format!("{name}.err"))).expect("a record");
        for (recorded_as, suffix, args) in [
            ("show", "show", vec!["show"]),
            ("-X show", "showX", vec!["show", "-X"]),
            ("export", "export", vec!["export"]),
        ] {
            let (code, stderr) = verdict(&recorded, recorded_as);
            let stdout = fs::read(folder.join(format!("{name}.{suffix}"))).expect("a record");
            let ours = Command::new(env!("CARGO_BIN_EXE_weir"))
                .arg("uci")
                .args(&args)
                .arg(folder.join(&name))
                .output()
                .expect("weir runs");
            assert_eq!(ours.status.code(), Some(code), "{name} {suffix}: exit code");
            assert_eq!(
                ours.stdout.escape_ascii().to_string(),
                stdout.escape_ascii().to_string(),
                "{name} {suffix}"
            );
            assert_eq!(String::from_utf8_lossy(&ours.stderr), stderr, "{name} {suffix}: standard error");
        }
    }
    assert_eq!(count, 50, "cases are missing");
}

#[test]
fn a_missing_file_is_said_and_fails() {
    let ours = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["uci", "show", "/nonexistent"])
        .output()
        .expect("weir runs");
    assert_eq!(ours.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ours.stderr).contains("cannot read /nonexistent"));
}
