// SPDX-License-Identifier: Apache-2.0
//! The built program's command line: what it prints, where, and its exit code.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn weir(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir")).args(args).output().expect("weir runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A file of this content; each test its own name.
fn file(name: &str, content: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("weir-cli-{}-{name}", std::process::id()));
    fs::write(&path, content).expect("writable");
    path
}

#[test]
fn nonsense_on_the_command_line_is_told_apart_from_failure() {
    for (args, part) in [
        (&["frobnicate"][..], "there is no command 'frobnicate'"),
        (&["staus"], "did you mean 'status'?"),
        (&["status", "--jsn"], "did you mean --json?"),
        (&["apply", "now"], "weir apply takes no argument"),
        (&[], "Name a command"),
        (&["check", "--config"], "missing argument"),
    ] {
        let output = weir(args);
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert!(text(&output.stderr).contains(part), "{args:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output() {
    assert_eq!(text(&weir(&["--version"]).stdout), format!("weir {}\n", env!("CARGO_PKG_VERSION")));
    let overview = text(&weir(&["help"]).stdout);
    for command in ["daemon", "apply", "stop", "plan", "status", "check", "help", "version"] {
        assert!(overview.contains(&format!("\n  {command} ")), "{command}");
        let own = weir(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0));
        assert!(text(&own.stdout).starts_with(&format!("usage: weir {command}")), "{command}");
    }
    assert!(text(&weir(&["help", "config"]).stdout).contains("\nconfig wan "));
    assert!(text(&weir(&["help", "--completion"]).stdout).contains("complete -F _weir weir"));
}

#[test]
fn check_names_file_line_and_option_and_exits_with_78() {
    let path = file("bad", "config wan 'wan'\n\toption download '80\n");
    let output = weir(&["check", path.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output.stderr).contains("EOF with unterminated '"), "{}", text(&output.stderr));

    let path = file("worse", "config wan 'wan'\n\toption device 'a b'\n\toption upload 'fast'\n");
    let output = weir(&["--config", path.to_str().expect("UTF-8"), "check"]);
    let wanted = [":2: fault: option 'device'", ":3: fault: option 'upload'"]
        .map(|rest| format!("{}{rest}", path.display()));
    assert!(wanted.iter().all(|line| text(&output.stderr).contains(line)), "{}", text(&output.stderr));

    let missing = weir(&["check", "/nonexistent/weir"]);
    assert_eq!(missing.status.code(), Some(66));
}

#[test]
fn a_plan_can_be_looked_at_on_any_machine() {
    let path = file(
        "plan",
        "config wan 'w'\n\toption device 'nowhere0'\n\toption download '20mbit'\n\toption upload '5mbit'\n",
    );
    let output = weir(&["plan", "--config", path.to_str().expect("UTF-8")]);
    let plan = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(plan.contains("# there is no device nowhere0 here; taken to be Ethernet"));
    assert!(plan.contains(
        "tc class add dev nowhere0 parent 57e1: classid 57e1:1 htb rate 5000000bit ceil 5000000bit"
    ));
    assert!(plan.contains("ip link add weir-w group 22497 type ifb"));
    assert!(plan.contains(
        "tc filter add dev nowhere0 ingress protocol all pref 22497 u32 match u32 0 0 action mirred"
    ));
}

#[test]
fn status_says_why_nothing_is_shaped_and_its_json_keeps_to_the_schema() {
    let path = file("status", "config wan 'w'\n\toption device 'nowhere0'\n\toption upload '5mbit'\n");
    let config = path.to_str().expect("UTF-8");
    let output = weir(&["status", "--config", config]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("upload   NOT SHAPED: there is no device nowhere0 yet"),
        "{}",
        text(&output.stdout)
    );

    let json = text(&weir(&["status", "--json", "--config", config]).stdout);
    let schema = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/status.schema.json"))
        .expect("the schema");
    let keys = |text: &str| {
        let mut found: Vec<String> = text
            .split('"')
            .zip(text.split('"').skip(1))
            .filter(|(before, _)| before.ends_with(['{', ',', ' ']))
            .map(|(_, key)| key.into())
            .collect();
        found.retain(|key: &String| json.contains(&format!("\"{key}\":")));
        found.sort();
        found.dedup();
        found
    };
    for key in keys(&json) {
        assert!(schema.contains(&format!("\"{key}\": {{")), "'{key}' is not in docs/status.schema.json");
    }
    for key in ["wanted", "shaped", "reason", "rate_bps", "classes", "overhead_bytes"] {
        assert!(json.contains(&format!("\"{key}\":")), "{key}: {json}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["help", "--man"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("weir runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}
