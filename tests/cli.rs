// SPDX-License-Identifier: Apache-2.0
//! The built program's command line: what it prints, where, and its exit code.

mod schema;

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
        (&["history", "wan", "extra"], "weir history takes one argument, so 'extra' is too much"),
        (&["status", "--every", "1s"], "--every is for --follow"),
        (
            &["set-rate", "up", "0"],
            "up: must lie between 64 kbit/s and 100 Gbit/s; a speed that is not known is left out",
        ),
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
}

#[test]
fn a_named_file_that_cannot_be_read_is_66_with_every_command_and_says_which_file_and_why() {
    let state = std::env::temp_dir().join(format!("weir-cli-{}-state", std::process::id()));
    let state = state.to_str().expect("UTF-8");
    for words in [
        &["check"][..],
        &["rules"],
        &["plan"],
        &["plan", "--diff"],
        &["status"],
        &["explain", "udp", ":53"],
        &["watch-rules"],
        &["services", "ssh"],
        &["apply", "--state-dir", state],
    ] {
        let output = weir(&[words, &["--config", "/nonexistent/weir"]].concat());
        assert_eq!(output.status.code(), Some(66), "{words:?}");
        let told = text(&output.stderr);
        assert!(
            told.contains("cannot read /nonexistent/weir: No such file or directory\n"),
            "{words:?}: {told}"
        );
    }
    assert_eq!(weir(&["check", "/nonexistent/weir"]).status.code(), Some(66));
    assert_eq!(weir(&["check", "/"]).status.code(), Some(66));
}

#[test]
fn an_option_of_another_command_is_refused() {
    for (args, option) in [
        (&["rules", "--json"][..], "--json"),
        (&["plan", "--json"], "--json"),
        (&["services", "--json"], "--json"),
        (&["check", "--for", "3s"], "--for"),
        (&["explain", "udp", ":53", "--diff"], "--diff"),
        (&["status", "--diff"], "--diff"),
        (&["status", "-v"], "--verbose"),
        (&["status", "--bundle"], "--bundle"),
        (&["status", "--svg", "x"], "--svg"),
        (&["history", "--once"], "--once"),
    ] {
        let output = weir(args);
        assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(64), ""), "{args:?}");
        let wanted = format!("weir: '{}' has no option {option}", args[0]);
        assert!(text(&output.stderr).starts_with(&wanted), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_history_in_two_forms_or_of_two_lines_is_refused() {
    for (args, wanted) in [
        (&["--svg", "x", "--csv"][..], "weir: --csv and --svg exclude each other; choose one\n"),
        (&["--json", "--svg", "-", "wan"], "weir: --json and --svg exclude each other; choose one\n"),
        (&["--json", "--csv"], "weir: --csv and --json exclude each other; choose one\n"),
    ] {
        let output = weir(&[&["history"], args].concat());
        assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(64), wanted), "{args:?}");
    }
}

#[test]
fn a_history_of_longer_than_is_kept_says_so() {
    let told = |span| text(&weir(&["history", "--state-dir", "/nonexistent", "--span", span]).stderr);
    assert!(told("3d").starts_with("weir: asked for 3 d, but no more than 2 d is kept\n"), "{}", told("3d"));
    assert!(told("2d").starts_with("weir: no daemon is running here"), "{}", told("2d"));
}

#[test]
fn a_span_out_of_range_is_not_answered_with_another_one() {
    for (span, wanted) in [
        ("604801", "must lie between 100 ms and 7 d\n"),
        ("0", "must lie between 100 ms and 7 d\n"),
        ("0s", "must lie between 100 ms and 7 d\n"),
        ("8d", "must lie between 100 ms and 7 d\n"),
        ("2y", "'2y' is not a span of time; write for example 30s, 90m or 2h\n"),
    ] {
        let told = text(&weir(&["watch-rules", "--for", span]).stderr);
        assert!(told.starts_with(&format!("weir: --for: {wanted}")), "{told}");
    }
}

#[test]
fn apply_writes_faults_as_check_does() {
    let path = file("faulty", "config wan 'wan'\n\toption device 'a b'\n");
    let config = path.to_str().expect("UTF-8");
    let state = std::env::temp_dir().join(format!("weir-cli-{}-state2", std::process::id()));
    let checked = text(&weir(&["check", config]).stderr);
    let applied = weir(&["apply", "-c", config, "--state-dir", state.to_str().expect("UTF-8")]);
    assert_eq!(applied.status.code(), Some(78));
    assert!(checked.starts_with(&format!("{config}:2: fault: option 'device'")), "{checked}");
    assert!(text(&applied.stderr).starts_with(&checked), "{}", text(&applied.stderr));
}

#[test]
fn a_service_is_told_with_what_the_file_makes_of_it() {
    let path = file(
        "services",
        "config rule 'ssh'\n\toption class 'critical'\nconfig rule 'torrents'\n\toption enabled '0'\n\
         config rule 'sip'\n\toption remote_port '7000'\n",
    );
    let config = path.to_str().expect("UTF-8");
    let told = |words: &[&str]| text(&weir(&[&["services", "-c", config], words].concat()).stdout);
    assert!(
        told(&["ssh"]).ends_with(&format!("\n  here     critical by line 1 of {config}\n")),
        "{}",
        told(&["ssh"])
    );
    assert!(told(&["torrents"]).ends_with(&format!("\n  here     off by line 3 of {config}\n")));
    assert!(told(&["sip"]).contains("critical, tcp/udp, remote_port 7000 by line 5"), "{}", told(&["sip"]));
    assert!(!told(&["dns"]).contains("here"));
    assert!(told(&[]).contains(&format!("\ntorrents: off by line 3 of {config}\n")));

    fs::write(&path, "config globals 'g'\n\toption services '0'\n").expect("writable");
    assert!(told(&["dns"]).ends_with(&format!("\n  here     off by line 1 of {config}\n")));
}

/// Reading packets needs root; without it there is nothing to end early.
#[test]
fn watching_that_is_interrupted_shows_what_was_seen() {
    use std::io::Read;
    use std::process::Stdio;
    let path = file("watch", "config wan 'w'\n\toption device 'lo'\n\toption upload '5mbit'\n");
    for signal in ["-INT", "-TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["watch-rules", "--for", "60s", "-c", path.to_str().expect("UTF-8")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("weir runs");
        let mut first = [0; 5];
        let mut stderr = child.stderr.take().expect("piped");
        let _ = stderr.read_exact(&mut first);
        std::thread::sleep(std::time::Duration::from_millis(300));
        let began = std::time::Instant::now();
        let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        let output = child.wait_with_output().expect("it ends");
        let mut rest = String::new();
        let _ = stderr.read_to_string(&mut rest);
        if rest.contains("run as root") {
            return;
        }
        assert!(began.elapsed().as_secs() < 20, "it did not wait for the end");
        assert_eq!(output.status.code(), Some(0), "{signal}: {rest}");
        assert!(text(&output.stdout).contains("w upload: "), "{signal}: {}", text(&output.stdout));
    }
}

#[test]
fn a_state_directory_that_cannot_be_made_is_named() {
    let folder = std::env::temp_dir().join(format!("weir-cli-{}-full", std::process::id()));
    fs::write(&folder, "no folder").expect("writable");
    let state = folder.join("state");
    let output = weir(&["stop", "--state-dir", state.to_str().expect("UTF-8")]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), format!("weir: cannot write {}: Not a directory\n", state.display()));
}

#[test]
fn check_says_in_a_line_what_the_file_asks_for() {
    let path = file(
        "summary",
        "config wan 'home'\n\toption device 'eth0'\n\toption download '80mbit'\n\toption upload '20mbit'\n\
         config class 'high'\n\toption set_dscp_up 'AF41'\n\toption set_dscp_down 'CS3'\n\
         config rule 'mine'\n\toption class 'low'\n\toption remote_port '7'\n\
         config rule 'torrents'\n\toption enabled '0'\n",
    );
    let config = path.to_str().expect("UTF-8");
    let output = weir(&["check", config]);
    let line = text(&output.stdout);
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
    assert_eq!(
        line,
        format!(
            "{config}: no faults; home: 80 Mbit/s down, 20 Mbit/s up on eth0; 1 rule of its own, 54 built in\n"
        )
    );
    let verbose = text(&weir(&["check", "-v", config]).stdout);
    assert!(verbose.starts_with(&line));
    for wanted in ["\nclass high: set_dscp_up AF41, set_dscp_down CS3\n", "\nswitched off: torrents\n"] {
        assert!(verbose.contains(wanted), "{verbose}");
    }

    fs::write(&path, "config wan 'home'\n\toption upload '20mbit'\n\toption speed '1'\n").expect("writable");
    let output = weir(&["check", config]);
    assert!(text(&output.stderr).contains(":3: warning: option 'speed'"));
    assert!(text(&output.stdout).contains(
        ": no faults, 1 warning; home: down not shaped, 20 Mbit/s up on the default route's network; 0 rules"
    ));
}

#[test]
fn a_file_without_anything_in_it_is_not_called_faultless() {
    for content in ["", "\n", "# nothing yet\n", "package weir\n"] {
        let path = file("nothing", content);
        let output = weir(&["check", path.to_str().expect("UTF-8")]);
        let told = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{content:?}");
        let wanted = format!(
            "{}: nothing is in it, so the default holds; wan: down as the line carries, ",
            path.display()
        );
        assert!(told.starts_with(&wanted) && told.contains(" on the default route's network; "), "{told}");
    }
    if !std::path::Path::new("/etc/config/weir").exists() {
        let told = text(&weir(&["check", "--state-dir", "/nonexistent"]).stdout);
        assert!(
            told.starts_with("/etc/config/weir: there is no such file, so the default holds; wan: "),
            "{told}"
        );
    }
}

#[test]
fn help_explains_sections_and_options_and_guesses_what_was_meant() {
    let threshold = weir(&["help", "threshold"]);
    assert_eq!(threshold.status.code(), Some(0));
    for part in ["\nconfig threshold  (", "\n  metric ", "a number alone is seconds"] {
        assert!(text(&threshold.stdout).contains(part), "{part}");
    }
    let typo = weir(&["help", "treshold"]);
    assert_eq!(typo.status.code(), Some(64));
    assert!(
        text(&typo.stderr).contains("no command, section or option 'treshold'; did you mean 'threshold'?")
    );
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
    // In a pipe a shell can run it: programs are whole.
    let program = plan.lines().find_map(|line| line.split_once(" bytecode '")?.1.strip_suffix('\''));
    let (count, code) = program.and_then(|text| text.split_once(',')).expect("a program");
    assert_eq!(count.parse(), Ok(code.split(',').count()));
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
    let document = serde_json::from_str(&json).expect("JSON");
    assert_eq!(schema::faults(&schema::read("status.schema.json"), &document), [""; 0], "{document:#}");
    for key in ["wanted", "shaped", "reason", "rate_bps", "classes", "overhead_bytes"] {
        assert!(json.contains(&format!("\"{key}\":")), "{key}: {json}");
    }
}

#[test]
fn a_status_that_is_followed_says_once_that_no_daemon_runs_and_what_is_wrong_with_the_file() {
    use std::io::{BufRead, BufReader, Read};
    use std::process::Stdio;
    let path = file(
        "followed",
        "config wan 'w'\n\toption device 'nowhere0'\n\toption upload '5mbit'\n\toption downlod '5mbit'\n\
         config schedule 'night'\n\toption from '22:00'\n\toption to '06:00'\n\toption upload '4mbit'\n",
    );
    let state = std::env::temp_dir().join(format!("weir-cli-{}-followed-by-nobody", std::process::id()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
        .args(["status", "--follow", "--every", "100ms", "--config"])
        .args([path.as_path(), "--state-dir".as_ref(), state.as_path()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("weir runs");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(lines.take(4).filter(Result::is_ok).count(), 4);
    child.kill().expect("it runs yet");
    let mut said = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("UTF-8");
    child.wait().expect("it ends");
    for part in ["no daemon says what holds now", "option 'downlod'"] {
        assert_eq!(said.matches(part).count(), 1, "{part}: {said}");
    }
}

/// A root with these files; each test its own name.
fn root(name: &str, files: &[(&str, &str)]) -> String {
    let root = std::env::temp_dir().join(format!("weir-cli-{}-{name}", std::process::id()));
    for (path, content) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, content).expect("writable");
    }
    root.to_str().expect("UTF-8").into()
}

#[test]
fn the_doctor_looks_below_its_root_and_says_what_to_do_within_80_columns() {
    let root = root(
        "doctor",
        &[
            ("etc/openwrt_release", "DISTRIB_ID='OpenWrt'\n"),
            (
                "etc/config/firewall",
                "config defaults\n option flow_offloading '1'\n option flow_offloading_hw '1'\n",
            ),
            ("etc/rc.d/S50sqm", "#!/bin/sh\n"),
            ("etc/config/sqm", "config queue 'eth1'\n option enabled '1'\n"),
            ("proc/stat", "cpu  1 1 1 1 1 1 1 1\ncpu0 1 1 1 1 1 1 1 1\n"),
        ],
    );
    let path = file("doctor.conf", "config wan 'w'\n\toption device 'nowhere0'\n\toption upload '5mbit'\n");
    let config = path.to_str().expect("UTF-8");
    let state = format!("{root}/state");
    let args = ["doctor", "--root", &root, "--config", config, "--state-dir", &state];
    let output = weir(&args);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}{}", text(&output.stderr));
    assert!(
        told.starts_with(
            "  fault    what is wanted: w upload is not shaped: there is no device nowhere0\n           yet\n"
        ),
        "{told}"
    );
    for part in [
        "\n  fault    flow offloading: the hardware forwards known flows, past every queue\n           (/etc/config/firewall)\n",
        "\n           -> switch it off: LuCI, Network, Firewall",
        "\n  warning  other shapers: one starts at boot and is switched on: /etc/config/sqm\n",
        "\n  warning  the daemon: none runs",
        "\n  warning  start at boot: weir is not in /etc/rc.d",
        "\n  ok       the processor: its busiest core is 0 % busy with packets",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");

    let json = text(&weir(&[&args[..], &["--json"]].concat()).stdout);
    let document: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(schema::faults(&schema::read("doctor.schema.json"), &document), [""; 0], "{document:#}");
    assert!(document["findings"].as_array().is_some_and(|all| all.len() >= 20), "{document:#}");
    fs::remove_dir_all(&root).expect("removed");
}

#[test]
fn a_configuration_with_faults_is_a_finding_and_one_that_is_not_there_is_66() {
    let path = file("doctor-bad", "config wan 'w'\n\toption upload 'fast'\n");
    let output = weir(&["doctor", "--config", path.to_str().expect("UTF-8"), "--root", "/nonexistent"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(told.starts_with(&format!("  fault    the configuration: {}", path.display())), "{told}");
    assert!(told.contains("\n  unknown  what is wanted: no configuration in force"), "{told}");
    assert_eq!(weir(&["doctor", "--config", "/nonexistent/weir"]).status.code(), Some(66));
}

#[test]
fn a_bundle_has_everything_but_addresses_names_and_comments() {
    let root = root(
        "bundle",
        &[
            ("etc/openwrt_release", "DISTRIB_RELEASE='24.10.0'\n"),
            ("tmp/sysinfo/model", "A Router v1.2.3\n"),
            ("proc/sys/kernel/osrelease", "6.6.73\n"),
            ("proc/meminfo", "MemTotal:  64000 kB\nSwapTotal: 0 kB\n"),
        ],
    );
    let path = file(
        "bundle.conf",
        "# my password is hunter2\nconfig wan 'w'\n\toption device 'nowhere0'\n\toption upload '5mbit'\n\
         \tlist reflector '203.0.113.9'\n\tlist reflector 'ping.example.net'\n\
         config rule 'nas'\n\toption class 'low'\n\tlist remote '203.0.113.9'\n\tlist remote '2001:db8::7/64'\n\
         \toption dark_token 'hunter3'\n",
    );
    let config = path.to_str().expect("UTF-8");
    let output = weir(&[
        "doctor",
        "--bundle",
        "--root",
        &root,
        "--config",
        config,
        "--state-dir",
        &format!("{root}/s"),
    ]);
    let told = text(&output.stdout);
    for part in [
        concat!(
            "weir ",
            env!("CARGO_PKG_VERSION"),
            "\nkernel: 6.6.73\nrouter: A Router v1.2.3\nsystem: DISTRIB_RELEASE='24.10.0'\nMemTotal:  64000 kB\n"
        ),
        "\n== doctor\n  fault    ",
        "\n== configuration, without comments\npackage weir\n",
        "list reflector '<ipv4-1>'\n",
        "list reflector '<name-",
        "list remote '<ipv4-1>'\n\tlist remote '<ipv6-1>/64'\n",
        "option dark_token '<blanked>'\n",
        "\n== status\nw: nowhere0 (not there)",
        "\n== learnt\n",
        "\n== plan\n# there is no device nowhere0 here",
        "parent 57e1: classid 57e1:1 htb",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for part in ["203.0.113", "2001:db8", "example.net", "hunter", "SwapTotal"] {
        assert!(!told.contains(part), "{part}: {told}");
    }
    fs::remove_dir_all(&root).expect("removed");
}

#[test]
fn a_full_disk_is_told_and_no_success() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("there is one everywhere");
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    let output = command.arg("services").stdout(full).output().expect("weir runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "weir: cannot write: No space left on device\n");
}

#[test]
fn apply_without_a_file_does_not_remove_what_stands() {
    if fs::exists("/etc/config/weir").expect("it can be asked") {
        return;
    }
    let output = weir(&["apply", "--state-dir", "/nonexistent/state"]);
    assert_eq!(output.status.code(), Some(66));
    assert!(text(&output.stderr).contains("Nothing is changed"), "{}", text(&output.stderr));
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

#[test]
fn what_only_a_running_daemon_can_do_says_that_none_runs() {
    let state = std::env::temp_dir().join(format!("weir-cli-{}-nobody", std::process::id()));
    let state = state.to_str().expect("UTF-8");
    for (args, part) in [
        (&["hold"][..], "no daemon is running here"),
        (&["hold", "wan", "--for", "10m"], "no daemon is running here"),
        (&["set-rate", "up", "20mbit"], "no daemon is running here"),
        (&["set-rate", "wan", "down", "20mbit", "up", "1mbit"], "no daemon is running here"),
        (&["release"], "no daemon is running here"),
        (&["record", "--for", "1s"], "no daemon is running here"),
        (&["top"], "no daemon is running here"),
        (&["history", "--svg", "-"], "no daemon is running here"),
    ] {
        let output = weir(&[args, &["--state-dir", state]].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(text(&output.stderr).contains(part), "{args:?}: {}", text(&output.stderr));
    }
    for (args, part) in [
        (&["set-rate"][..], "no rate; for example"),
        (&["set-rate", "up"], "'up' needs a rate"),
        (&["set-rate", "up", "fast"], "'fast'"),
        (&["set-rate", "up", "3mbit", "up", "4mbit"], "'up' is there twice"),
        (&["set-rate", "wan", "sideways", "1mbit"], "'sideways' is neither 'up' nor 'down'"),
        (&["hold", "wan", "lte"], "takes one argument"),
    ] {
        let output = weir(&[args, &["--state-dir", state]].concat());
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert!(text(&output.stderr).contains(part), "{args:?}: {}", text(&output.stderr));
    }
}
