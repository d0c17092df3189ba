// SPDX-License-Identifier: Apache-2.0
//! What the commands say beside a running daemon: of what is in force, of a file that was changed or spoilt since, and of
//! what is held. The program itself in a network of its own. Needs root.

mod daemon;

use daemon::{Daemon, patiently};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const FILE: &str = "config wan 'home'\n option device 'line0'\n option upload '10mbit'\n";

/// One for a device of a file that is not where files usually are.
impl Daemon {
    /// `None`: there is no network of our own to be had.
    fn begin(name: &str, file: &str) -> Option<Self> {
        let dir = Self::folder(&format!("in-force-{name}"))?;
        std::fs::write(dir.join("mine.conf"), file).expect("written");
        let ready = "ip link set lo name line0; ip link set line0 up; exec \"$@\"";
        let child = Command::new("unshare")
            .args(["-n", "sh", "-c", ready, "sh", env!("CARGO_BIN_EXE_weir"), "daemon", "--foreground"])
            // A path that only means something where the daemon was begun.
            .current_dir(&dir)
            .args(["--config", "mine.conf", "--state-dir"])
            .arg(dir.join("state"))
            .stderr(std::fs::File::create(dir.join("log")).expect("a file"))
            .stdout(Stdio::null())
            .spawn()
            .expect("unshare is there");
        let daemon = Self { dir, child };
        patiently("it answers", || daemon.dir.join("state/socket").exists());
        Some(daemon)
    }

    fn file(&self) -> PathBuf {
        self.dir.join("mine.conf")
    }

    /// A command in the daemon's network.
    fn run(&self, words: &[&str]) -> Output {
        self.enter().args(words).output().expect("nsenter is there")
    }

    /// Of the program itself, which is told nothing but where the state is: exit code, output, errors.
    fn weir(&self, words: &[&str]) -> (i32, String, String) {
        let state = self.dir.join("state");
        let state = ["--state-dir", state.to_str().expect("text")];
        let output = self.run(&[&[env!("CARGO_BIN_EXE_weir")], words, &state].concat());
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("it ends"), text(output.stdout), text(output.stderr))
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().expect("kill is there").success());
    }

    fn is_shaped(&self) {
        patiently("shaped", || self.weir(&["status"]).0 == 0);
    }

    fn says(&self, text: &str) {
        patiently(text, || self.log().contains(text));
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn commands_speak_of_the_running_daemons_file_and_not_of_the_usual_one() {
    let Some(daemon) = Daemon::begin("own-file", FILE) else { return };
    daemon.is_shaped();
    let (code, status, _) = daemon.weir(&["status"]);
    assert!(code == 0 && status.starts_with("home: line0 (up)"), "{status}");
    // The package's file is root's alone to read, and so is what is kept of it.
    let kept = std::fs::metadata(daemon.dir.join("state/in-force")).expect("it is kept");
    assert_eq!(kept.mode() & 0o777, 0o600);
    assert!(!status.contains("not in force"), "{status}");
    assert!(daemon.weir(&["status", "--json"]).1.contains("\"name\":\"home\""));
    assert!(daemon.weir(&["rules"]).1.starts_with("home upload: htb on line0, in force"));
    let (code, plan, _) = daemon.weir(&["plan", "--diff"]);
    assert!(code == 0 && plan.ends_with("nothing to change\n"), "{plan}");
    assert!(daemon.weir(&["plan"]).1.contains("dev line0 parent 57e1: classid 57e1:1 htb rate 10000000bit"));
    let (_, doctor, _) = daemon.weir(&["doctor"]);
    assert!(!doctor.contains("home upload is not shaped"), "{doctor}");
    // A file that is named is what is meant, whatever runs.
    let other = daemon.dir.join("other.conf");
    std::fs::write(&other, "config wan 'other'\n option device 'none0'\n option upload '1mbit'\n")
        .expect("written");
    let (code, status, _) = daemon.weir(&["status", "--config", &shown(&other)]);
    assert!(code == 1 && status.starts_with("other: none0 (not there)"), "{status}");
    let told = daemon.weir(&["check"]).1;
    assert!(
        told.ends_with(&format!(
            "the running daemon has another file: weir check {}\n",
            shown(&daemon.file())
        )),
        "{told}"
    );
}

#[test]
fn the_daemon_keeps_two_capabilities_and_can_get_no_more() {
    let Some(daemon) = Daemon::begin("privileges", FILE) else { return };
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.child.id())).expect("it lives");
    for line in [
        "CapPrm:\t0000000000003000",
        "CapEff:\t0000000000003000",
        "CapBnd:\t0000000000003000",
        "NoNewPrivs:\t1",
    ] {
        assert!(status.lines().any(|known| known == line), "{line} is not in {status}");
    }
}

#[test]
fn a_typo_in_the_file_does_not_hide_what_is_in_force() {
    let Some(daemon) = Daemon::begin(
        "typo",
        &format!("{FILE}config rule 'mine'\n option class 'low'\n option remote_port '9999'\n"),
    ) else {
        return;
    };
    daemon.is_shaped();
    std::fs::write(daemon.file(), FILE.replace("10mbit", "fast")).expect("written");
    for is_told in [false, true] {
        if is_told {
            daemon.signal("-HUP");
            daemon.says("the earlier one stays in force");
        }
        let (code, status, _) = daemon.weir(&["status"]);
        assert!(code == 0 && status.contains("shaped to 10 Mbit/s by htb on line0"), "{status}");
        let note = format!("note: {} has faults and is not in force (", shown(&daemon.file()));
        assert!(status.contains(&note), "{status}");
        // Where the daemon's own file is named it is still about what is in force.
        assert!(daemon.weir(&["status", "--config", &shown(&daemon.file())]).1.contains(&note));
        let (code, explained, errors) = daemon.weir(&["explain", "udp", ":9999"]);
        assert!(
            code == 0 && explained.contains("mine") && errors.contains("has faults"),
            "{explained} {errors}"
        );
        let (code, doctor, _) = daemon.weir(&["doctor"]);
        assert!(code == 1 && doctor.starts_with("  fault    the configuration: "), "{doctor}");
        assert!(!doctor.contains("home upload is not shaped"), "{doctor}");
        let (code, plan, errors) = daemon.weir(&["plan", "--diff"]);
        assert_eq!((code, plan.as_str()), (78, ""));
        assert!(errors.starts_with(&format!("{}:3: fault: ", shown(&daemon.file()))), "{errors}");
    }
    std::fs::write(daemon.file(), FILE.replace("10mbit", "5mbit")).expect("written");
    let (code, status, _) = daemon.weir(&["status"]);
    assert!(
        code == 0 && status.contains("10 Mbit/s") && status.contains("was changed and is not in force yet"),
        "{status}"
    );
    let plan = daemon.weir(&["plan", "--diff"]).1;
    assert!(plan.contains("rate 5000000bit"), "{plan}");
    daemon.signal("-HUP");
    patiently("taken", || daemon.weir(&["status"]).1.contains("shaped to 5 Mbit/s"));
    assert!(!daemon.weir(&["status"]).1.contains("not in force"));
}

#[test]
fn without_a_daemon_a_spoilt_file_is_told_and_what_the_kernel_has_is_shown() {
    let Some(mut daemon) = Daemon::begin("alone", FILE) else { return };
    daemon.is_shaped();
    let mut keeper = daemon.enter().args(["sleep", "100"]).spawn().expect("nsenter is there");
    patiently("in the network", || {
        let net = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        net(keeper.id()) == net(daemon.child.id())
    });
    daemon.child.kill().expect("it lives");
    daemon.child.wait().expect("it was ours");
    std::fs::write(daemon.file(), "config wna 'home'\n").expect("written");
    std::mem::swap(&mut daemon.child, &mut keeper);
    let (code, status, errors) = daemon.weir(&["status", "--config", &shown(&daemon.file())]);
    assert_eq!(code, 78);
    assert!(
        errors.contains(":1: fault: there are no sections 'wna'; did you mean 'config wan'?"),
        "{errors}"
    );
    assert!(status.contains("note: line0: htb 57e1: at 10 Mbit/s"), "{status}");
    let json = daemon.weir(&["status", "--json", "--config", &shown(&daemon.file())]).1;
    assert!(json.contains("htb 57e1: at 10 Mbit/s"), "{json}");
}

#[test]
fn stop_and_apply_beside_a_daemon_say_what_to_do_instead() {
    let Some(mut daemon) = Daemon::begin("stop", FILE) else { return };
    daemon.is_shaped();
    let pid = daemon.child.id();
    let (code, _, errors) = daemon.weir(&["stop"]);
    assert_eq!(code, 1);
    assert!(errors.contains(&format!("weir is already at work (process {pid})\n")), "{errors}");
    assert!(
        errors.contains("it would put back what is removed; to end it, which removes everything: "),
        "{errors}"
    );
    assert!(
        errors.contains(&format!("kill {pid}")) || Path::new("/etc/openwrt_release").exists(),
        "{errors}"
    );
    let (code, _, errors) = daemon.weir(&["apply"]);
    assert!(code == 1 && errors.contains("it takes a changed configuration with: "), "{errors}");
    // Another state directory makes no other network of it.
    for command in ["stop", "apply", "daemon"] {
        let other = shown(&daemon.dir.join("other"));
        let output = daemon.run(&[env!("CARGO_BIN_EXE_weir"), command, "--state-dir", &other]);
        let errors = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{command}: {errors}");
        assert!(
            errors.contains(&format!("with another state directory (process {pid})")),
            "{command}: {errors}"
        );
        assert!(!errors.contains("try again"), "{command}: {errors}");
    }
    for words in [&["status"][..], &["doctor"], &["top"], &["hold"], &["history"]] {
        let other = shown(&daemon.dir.join("other"));
        let output = daemon.run(&[&[env!("CARGO_BIN_EXE_weir")], words, &["--state-dir", &other]].concat());
        let errors = String::from_utf8(output.stderr).expect("text");
        let told = format!("process {pid} is at work here with another state directory");
        assert_eq!(errors.matches(&told).count(), 1, "{words:?}: {errors}");
    }
    assert_eq!(daemon.weir(&["status"]).0, 0, "nothing has changed");
    // What it says to do does it.
    daemon.signal("-TERM");
    assert_eq!(daemon.child.wait().expect("it was ours").code(), Some(0));
    assert!(daemon.log().contains("the shaper is removed"), "{}", daemon.log());
    assert!(!daemon.dir.join("state/in-force").exists());
}

#[test]
fn a_daemon_that_hangs_is_waited_for_once_and_not_by_each_question_of_a_command() {
    let Some(daemon) = Daemon::begin("hangs", FILE) else { return };
    daemon.is_shaped();
    daemon.signal("-STOP");
    let begun = std::time::Instant::now();
    let (_, _, errors) = daemon.weir(&["doctor"]);
    let took = begun.elapsed().as_secs();
    daemon.signal("-CONT");
    assert!((5..15).contains(&took), "{took} s, with four questions of 5 s each");
    assert!(errors.contains("the daemon runs, but did not answer within 5 s"), "{errors}");
    daemon.is_shaped();
}

#[test]
fn rates_a_person_sets_are_had_to_the_bit_and_no_limit_shown_is_above_the_line() {
    let Some(daemon) = Daemon::begin("set-rate", FILE) else { return };
    daemon.is_shaped();
    for (rate, bits) in [("20mbit", 20_000_000u64), ("19500kbit", 19_500_000), ("7mbit", 7_000_000)] {
        assert_eq!(daemon.weir(&["set-rate", "home", "up", rate]).0, 0);
        let document: serde_json::Value =
            serde_json::from_str(&daemon.weir(&["status", "--json"]).1).expect("JSON");
        let upload = &document["lines"][0]["upload"];
        assert_eq!(upload["rate_bps"], bits);
        let classes = upload["classes"].as_array().expect("classes");
        assert!(
            classes.iter().all(|class| class["ceil_bps"].as_u64().expect("a rate") <= bits),
            "{upload:#}"
        );
        assert!(classes.iter().any(|class| class["ceil_bps"] == bits), "{upload:#}");
    }
}

#[test]
fn a_doctor_who_comes_right_after_a_release_sees_no_fault() {
    let Some(daemon) = Daemon::begin("release", FILE) else { return };
    daemon.is_shaped();
    for _ in 0..3 {
        assert_eq!(daemon.weir(&["set-rate", "home", "up", "3mbit"]).0, 0);
        assert_eq!(daemon.weir(&["release"]).0, 0);
        let (_, doctor, _) = daemon.weir(&["doctor"]);
        assert!(!doctor.contains("home upload is not shaped"), "{doctor}");
        assert_eq!(daemon.weir(&["set-rate", "home", "up", "3mbit"]).0, 0);
        assert_eq!(daemon.weir(&["release"]).0, 0);
        let (code, status, _) = daemon.weir(&["status"]);
        assert!(code == 0 && status.contains("shaped to 10 Mbit/s"), "{status}");
    }
}

#[test]
fn a_line_that_is_held_says_so_also_while_its_device_is_gone() {
    let Some(daemon) = Daemon::begin("hold", FILE) else { return };
    daemon.is_shaped();
    let rename = |from: &str, to: &str| {
        let words = format!("ip link set {from} down; ip link set {from} name {to}; ip link set {to} up");
        assert!(daemon.run(&["sh", "-c", &words]).status.success());
    };
    rename("line0", "other0");
    patiently("gone", || daemon.weir(&["status"]).1.contains("there is no device line0 yet"));
    assert!(!daemon.weir(&["status"]).1.contains("held"));
    assert_eq!(daemon.weir(&["hold", "home", "--for", "600"]).0, 0);
    let (code, status, _) = daemon.weir(&["status"]);
    assert!(
        code == 1 && status.contains("\n            held, for 10 min more\n")
            || status.contains("held, for 5"),
        "{status}"
    );
    assert!(daemon.weir(&["status", "--json"]).1.contains("\"state\":\"held\""));
    // It does not keep the line from being shaped when it returns.
    rename("other0", "line0");
    daemon.is_shaped();
    assert!(daemon.weir(&["status"]).1.contains("shaped to 10 Mbit/s"));
}
