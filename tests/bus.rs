// SPDX-License-Identifier: Apache-2.0
//! The running daemon on a bus: the program itself in a network of its own, the broker of the crate ubusd, and the client
//! of the crate ubus-zero, which knows nothing of ours. Needs root.

mod broker;
mod daemon;
#[path = "broker/netifd.rs"]
mod netifd;
mod schema;

use broker::Bus;
use daemon::{Daemon, patiently};
use netifd::Netifd;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use ubus::client::UbusClient;
use ubus::json::{blobmsg_to_json, json_to_blobmsg};
use ubus::unix::UnixUbusTransport;

const CONFIG: &str = "config wan 'home'\n option device 'lo'\n option upload '20mbit'\n";

/// One for the loopback device, that looks for the bus in its folder.
impl Daemon {
    /// `None`: there is no network of our own to be had.
    fn begin(name: &str) -> Option<Self> {
        Self::with(name, CONFIG)
    }

    fn with(name: &str, config: &str) -> Option<Self> {
        let dir = Self::folder(&format!("bus-{name}"))?;
        std::fs::write(dir.join("weir"), config).expect("written");
        let mut command = Command::new("unshare");
        command.args(["-n", "sh", "-c", "ip link set lo up; exec \"$@\"", "sh"]);
        let child = Self::spawn(command, &dir);
        Some(Self { dir, child })
    }

    /// `command` goes on as a daemon.
    fn spawn(mut command: Command, dir: &Path) -> Child {
        command.args([env!("CARGO_BIN_EXE_weir"), "daemon", "--foreground"]);
        command.arg("--config").arg(dir.join("weir")).arg("--state-dir").arg(dir.join("state"));
        command.arg("--ubus").arg(dir.join("ubus.sock"));
        let log = std::fs::File::create(dir.join("log")).expect("a file");
        command.stderr(log).stdout(Stdio::null()).spawn().expect("it is there")
    }

    /// Killed, and another one begins in the same network.
    fn again(&mut self) {
        self.after(nix::sys::signal::Signal::SIGKILL, |_| {});
    }

    /// The same after this signal, and after something was done while none runs.
    fn after(&mut self, signal: nix::sys::signal::Signal, meanwhile: impl FnOnce(&Path)) {
        let network = std::fs::File::open(format!("/proc/{}/ns/net", self.child.id())).expect("it lives");
        let id = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(id, signal).expect("it lives");
        self.child.wait().expect("it was ours");
        meanwhile(&self.dir);
        let mut command = Command::new("nsenter");
        // Standard input is the way to a network that no process is in any more.
        command.stdin(network).arg("--net=/proc/self/fd/0");
        self.child = Self::spawn(command, &self.dir);
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("ubus.sock")
    }

    /// A command of the program, in the daemon's network.
    fn weir(&self, words: &[&str]) -> String {
        let mut command = self.enter();
        command.arg(env!("CARGO_BIN_EXE_weir")).args(words).arg("--config").arg(self.dir.join("weir"));
        command.arg("--state-dir").arg(self.dir.join("state"));
        if matches!(words, ["status" | "plan" | "rules", ..]) {
            command.arg("--ubus").arg(self.socket());
        }
        String::from_utf8(command.output().expect("nsenter is there").stdout).expect("text")
    }

    /// Resident memory, KiB.
    fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

/// Somebody on the bus.
struct Caller(UbusClient<UnixUbusTransport>);

impl Caller {
    fn new(path: &Path) -> Self {
        let transport = UnixUbusTransport::connect(path.to_str().expect("text")).expect("the broker listens");
        Self(UbusClient::connect(transport).expect("the broker greets"))
    }

    /// Waits until weir is on the bus.
    fn find(&mut self) -> u32 {
        let mut found = None;
        patiently("the object comes", || {
            found = self.0.lookup("weir").ok();
            found.is_some()
        });
        found.expect("it came")
    }

    /// An answer, or the code of the refusal.
    fn call(&mut self, method: &str, arguments: &Value) -> Result<Value, i32> {
        let id = self.find();
        let arguments = json_to_blobmsg(arguments).expect("fields");
        match self.0.invoke(id, method, &arguments) {
            Ok(data) => Ok(blobmsg_to_json(&data).expect("fields")),
            Err(ubus::UbusError::Status(code)) => Err(code),
            Err(error) => panic!("{method}: {error}"),
        }
    }

    /// Until the first line's upload is shaped to so much.
    fn waits_for_upload(&mut self, bits: u64) {
        patiently("shaped", || {
            let line = self.call("wan", &json!({})).unwrap_or_default();
            let upload = line.get("upload");
            let told = |name| upload.and_then(|upload| upload.get(name));
            told("shaped") == Some(&json!(true)) && told("rate_bps") == Some(&json!(bits))
        });
    }
}

#[test]
fn the_object_is_there_when_the_bus_comes_later_and_again_when_the_bus_begins_anew() {
    let Some(daemon) = Daemon::begin("anew") else { return };
    patiently("it shapes without a bus", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    for _ in 0..2 {
        let bus = Bus::begin(&daemon.socket());
        Caller::new(&daemon.socket()).find();
        drop(bus);
        assert!(daemon.weir(&["status"]).contains("shaped to 20 Mbit/s"), "it shapes on");
    }
}

#[test]
fn a_bus_that_takes_calls_and_never_answers_stalls_nothing_and_is_given_up() {
    use std::io::Read;
    let Some(daemon) = Daemon::begin("mute") else { return };
    let bus = std::os::unix::net::UnixListener::bind(daemon.socket()).expect("bound");
    // Again, with room for one caller who waits.
    nix::sys::socket::listen(&bus, nix::sys::socket::Backlog::new(1).expect("few")).expect("listens");
    let (mut first, _) = bus.accept().expect("it calls");
    patiently("it shapes", || daemon.weir(&["status"]).contains("shaped to 20 Mbit/s"));
    first.set_read_timeout(Some(Duration::from_secs(60))).expect("a socket");
    assert_eq!(first.read_to_end(&mut Vec::new()).expect("it hangs up"), 0, "the bus speaks first");
    bus.accept().expect("it calls again");
    // Nobody at the desk: callers queue until there is no more room for them.
    let full: Vec<_> = (0..9).map_while(|_| try_to_connect(&daemon.socket())).collect();
    assert!(full.len() < 9);
    assert!(daemon.weir(&["status"]).contains("shaped to 20 Mbit/s"));
}

/// A connection nobody has taken yet, unless that would mean waiting.
fn try_to_connect(path: &Path) -> Option<std::os::fd::OwnedFd> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
    use std::os::fd::AsRawFd;
    let file = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).ok()?;
    connect(file.as_raw_fd(), &UnixAddr::new(path).ok()?).ok()?;
    Some(file)
}

#[test]
fn status_is_one_document_on_the_bus_and_on_the_command_line_and_as_its_schema_says() {
    let Some(daemon) = Daemon::begin("status") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    let schema = schema::read("status.schema.json");
    for held in [false, true] {
        if held {
            let told = caller.call("hold", &json!({"wan": "home", "for": "90s"})).expect("held");
            assert_eq!(told["text"], "home: upload 20 Mbit/s, held for 1 min 30 s");
        }
        let mut one = caller.call("status", &json!({"ubus_rpc_session": "0"})).expect("an answer");
        let mut other: Value = serde_json::from_str(&daemon.weir(&["status", "--json"])).expect("JSON");
        for document in [&one, &other] {
            assert_eq!(schema::faults(&schema, document), [""; 0], "{document:#}");
        }
        assert_eq!(one["config"]["taken"], true, "{one:#}");
        assert!(one["uptime_us"].as_u64().is_some_and(|up| up > 0), "{one:#}");
        let class = &one["lines"][0]["upload"]["classes"][0];
        let told = ["guarantee_permille", "limit_permille", "target_us"].map(|key| class[key].as_u64());
        assert_eq!(told, [Some(300), Some(500), Some(50_000)], "{class:#}");
        // Time passes between the two.
        for document in [&mut one, &mut other] {
            document["uptime_us"] = Value::Null;
            for place in ["held_us", "text"] {
                if let Some(value) = document.pointer_mut(&format!("/lines/0/upload/steering/{place}")) {
                    *value = Value::Null;
                }
            }
        }
        // The bus has no booleans of its own, nor numbers without a size: this is what comes out of it again.
        assert_eq!(one, other);
    }
    let found = caller.call("doctor", &json!({})).expect("an answer");
    let schema = schema::read("doctor.schema.json");
    assert_eq!(schema::faults(&schema, &found), [""; 0], "{found:#}");
    let verdict = |check: &str| {
        let rows = found["findings"].as_array().expect("a list");
        rows.iter().find(|row| row["check"] == check).map(|row| row["verdict"].clone())
    };
    assert_eq!(verdict("daemon"), Some(json!("ok")), "{found:#}");
    let bundle = caller.call("bundle", &json!({})).expect("an answer");
    let text = bundle["text"].as_str().expect("a text");
    for part in [
        "== doctor\n",
        "\nconfig wan 'home'\n",
        "\n== status\nhome: lo (up)",
        "\n== plan\n",
        "filter add dev lo parent 57e1:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let line = caller.call("wan", &json!({"name": "home"})).expect("an answer");
    assert_eq!((&line["name"], &line["upload"]["rate_bps"]), (&json!("home"), &json!(20_000_000)));
    let classes = caller.call("classes", &json!({"wan": "home"})).expect("an answer");
    assert_eq!(classes["upload"]["classes"][0]["name"], "critical", "{classes:#}");
}

#[test]
fn status_tells_that_the_file_was_refused_and_why_until_a_right_one_is_taken() {
    let Some(daemon) = Daemon::begin("refusal") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    let schema = schema::read("status.schema.json");
    let mut told = |is_taken: bool, count: usize| {
        let mut told = Value::Null;
        patiently("it is told", || {
            told = caller.call("status", &json!({})).expect("an answer");
            told["config"]["taken"] == is_taken
        });
        assert_eq!(schema::faults(&schema, &told), [""; 0], "{told:#}");
        assert_eq!(told["config"]["faults"].as_array().map(Vec::len), Some(count), "{told:#}");
        assert_eq!(told["config"]["path"], daemon.dir.join("weir").to_str().expect("text"));
        told
    };
    assert_eq!(told(true, 0)["config"]["faults"], json!([]));
    let mut other = Caller::new(&daemon.socket());
    let mut reload = |file: &str| {
        std::fs::write(daemon.dir.join("weir"), file).expect("written");
        other.call("reload", &json!({})).expect("an answer");
    };
    reload(&format!("{CONFIG} option download 'fast'\n option uplaod '3mbit'\n"));
    let refused = told(false, 2);
    let [fault, warning] = [0, 1].map(|n| &refused["config"]["faults"][n]);
    assert_eq!((&fault["line"], &fault["severity"]), (&json!(4), &json!("fault")), "{refused:#}");
    assert!(fault["text"].as_str().is_some_and(|text| text.starts_with("option 'download': ")));
    assert_eq!((&warning["line"], &warning["severity"]), (&json!(5), &json!("warning")), "{refused:#}");
    assert_eq!(refused["lines"][0]["upload"]["rate_bps"], 20_000_000, "the earlier one stays in force");
    reload(&"config wan\n option upload 'x'\n".repeat(20));
    told(false, 8);
    reload(CONFIG);
    told(true, 0);
}

#[test]
fn a_line_with_a_fixed_speed_has_a_history_on_the_bus_and_on_the_command_line() {
    let Some(daemon) = Daemon::begin("history") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    let schema = schema::read("history.schema.json");
    let mut page = Value::Null;
    let mut rates: Vec<Value> = Vec::new();
    let mut since = 0;
    patiently("five seconds are over", || {
        page = caller.call("history", &json!({"wan": "home", "since": since})).unwrap_or_default();
        if page.is_object() {
            assert_eq!(schema::faults(&schema, &page), [""; 0], "{page:#}");
            rates.extend(page["upload"]["rate_bps"].as_array().into_iter().flatten().cloned());
            since = page["next"].as_u64().expect("a number");
        }
        rates.len() >= 6
    });
    // Two bytes are a number to 0.025 %.
    let known: Vec<u64> = rates.iter().filter_map(Value::as_u64).collect();
    assert!(known.len() >= 4 && known.iter().all(|bits| bits.abs_diff(20_000_000) < 5_000), "{rates:?}");
    assert_eq!((&page["step_us"], &page["download"]), (&json!(1_000_000), &Value::Null));
    assert_eq!(page["upload"]["classes"].as_object().map(serde_json::Map::len), Some(4), "{page:#}");
    let page = caller.call("history", &json!({"span": "2h"})).expect("an answer");
    assert_eq!((&page["step_us"], &page["wan"]), (&json!(10_000_000), &json!("home")));

    let told: Value = serde_json::from_str(&daemon.weir(&["history", "--json"])).expect("JSON");
    assert_eq!(schema::faults(&schema, &told), [""; 0], "{told:#}");
    let sheet = daemon.weir(&["history", "home", "--csv", "--span", "2m"]);
    let widths: Vec<usize> = sheet.lines().map(|line| line.split(',').count()).collect();
    assert!(widths.len() > 5 && widths.iter().all(|width| *width == 1 + 2 * 21), "{sheet}");
    let table = daemon.weir(&["history"]);
    assert!(table.contains("ago") && table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn what_a_line_did_outlives_its_daemon_in_a_file_and_a_broken_one_is_said_and_left_out() {
    use nix::sys::signal::Signal;
    let config = format!("config globals 'globals'\n option keep_history '6h'\n{CONFIG}");
    let Some(mut daemon) = Daemon::with("kept", &config) else { return };
    let known = |daemon: &Daemon| {
        let page: Value =
            serde_json::from_str(&daemon.weir(&["history", "--json", "--span", "2h"])).unwrap_or_default();
        let rates = page.pointer("/upload/rate_bps").and_then(Value::as_array).cloned().unwrap_or_default();
        rates.iter().filter(|rate| rate.is_u64()).count()
    };
    patiently("ten seconds are over", || known(&daemon) > 0);
    let file = daemon.dir.join("state/history");
    assert!(!file.exists(), "it is written at the end, or after hours");
    daemon.after(Signal::SIGTERM, |_| {});
    let written = std::fs::read(&file).expect("it is written at the end");
    assert!(written.starts_with(b"weir history 1\n") && written.len() < 1000, "{}", written.len());
    patiently("it is read", || daemon.log().contains("what 1 line did until"));
    patiently("it shapes", || daemon.weir(&["status"]).contains("shaped to 20 Mbit/s"));
    assert!(known(&daemon) > 0, "{}", daemon.weir(&["history", "--json", "--span", "2h"]));
    // What has just begun and ends again spares the flash.
    let at = std::fs::metadata(&file).expect("a file").modified().expect("a time");
    daemon.after(Signal::SIGTERM, |dir| {
        let file = dir.join("state/history");
        assert_eq!(std::fs::metadata(&file).expect("a file").modified().expect("a time"), at);
        let mut broken = std::fs::read(&file).expect("a file");
        *broken.last_mut().expect("a byte") ^= 1;
        std::fs::write(&file, broken).expect("written");
    });
    let told = format!("{}: damaged; histories begin anew", file.display());
    patiently("it is said", || daemon.log().contains(&told));
    patiently("it shapes", || daemon.weir(&["status"]).contains("shaped to 20 Mbit/s"));
    daemon.after(Signal::SIGKILL, |dir| {
        std::fs::remove_file(dir.join("state/history")).expect("removed");
        std::fs::create_dir(dir.join("state/history")).expect("a folder in its place");
    });
    let told = format!("{}: Is a directory; histories begin anew", file.display());
    patiently("it is said", || daemon.log().contains(&told));
}

#[test]
fn top_shows_a_line_once_and_live_until_it_is_told_to_end_and_leaves_the_terminal_as_it_was() {
    use std::io::{Read, Write};
    let Some(daemon) = Daemon::begin("top") else { return };
    patiently("a second of it is known", || daemon.weir(&["top", "--once"]).contains("critical"));
    let page = daemon.weir(&["top", "--once", "--ascii"]);
    for part in [
        "home: lo\n",
        " up   fixed",
        "20M",
        " down off",
        "critical",
        "said\n",
        "home: upload 20 Mbit/s on lo",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.is_ascii() && !page.contains('\x1b') && page.lines().all(|row| row.len() <= 80), "{page}");
    assert_eq!(daemon.weir(&["top", "--line", "adsl"]), "", "what is wrong is no page");
    let picture = daemon.weir(&["history", "--svg", "-"]);
    assert!(picture.starts_with("<svg ") && picture.contains(">upload<"), "{picture}");
    let file = daemon.dir.join("picture.svg");
    assert_eq!(daemon.weir(&["history", "home", "--svg", file.to_str().expect("text")]), "");
    assert!(std::fs::read_to_string(&file).expect("a file").ends_with("</svg>\n"));

    for (key, lives) in [("q", "fixed"), ("\x03", "fixed"), ("\x03", "no daemon is running here")] {
        let state = if lives == "fixed" { daemon.dir.join("state") } else { daemon.dir.join("nobody") };
        let (program, state) = (env!("CARGO_BIN_EXE_weir"), state.display());
        let command = format!(
            "stty cols 60 rows 20; trap : INT; {program} top --state-dir {state}; stty -a | tr ';' '\\n'"
        );
        let mut script = Command::new("script");
        script.args(["-qefc", &command, "/dev/null"]).env("LC_ALL", "C.UTF-8").env("SHELL", "/bin/sh");
        let Ok(mut child) = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn() else {
            println!("the live page is skipped: there is no script(1)");
            return;
        };
        let (mut input, mut output) =
            (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let mut seen = Vec::new();
        let mut read = |until: &str| {
            let mut piece = [0; 4096];
            loop {
                let text = String::from_utf8_lossy(&seen).into_owned();
                if text.contains(until) {
                    return text;
                }
                let count = output.read(&mut piece).expect("a pipe");
                assert!(count > 0, "{until}: {text}");
                seen.extend(&piece[..count]);
            }
        };
        let text = read(lives);
        assert!(text.contains("\x1b[?1049h\x1b[?25l\x1b[H\x1b[2Kweir "), "{text:?}");
        input.write_all(key.as_bytes()).expect("a key");
        let text = read(" echo ");
        let (page, after) = text.split_once("\x1b[?25h\x1b[?1049l").expect("the cursor is back");
        assert!(after.contains(" icanon ") && !after.contains(" -echo "), "{after}");
        let rows = page.split("\x1b[2K").skip(1).map(|row| row.split('\x1b').next().unwrap_or(""));
        assert!(
            rows.clone().count() >= 2 && rows.into_iter().all(|row| row.trim_end().chars().count() <= 60),
            "{page}"
        );
        drop(input);
        child.wait().expect("it ends");
    }
}

#[test]
fn a_schedule_that_holds_now_is_in_force_and_shown_until_a_reload_without_it() {
    let schedule = "config rule 'mine'\n option class 'high'\n option remote_port '7'\n\
                    config schedule 'always'\n option upload '7mbit'\n\
                    config schedule 'never'\n option days 'mon'\n option from '03:00'\n option to '03:01'\n list rule 'mine'\n";
    let Some(daemon) = Daemon::with("schedule", &format!("{CONFIG}{schedule}")) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    caller.waits_for_upload(7_000_000);
    let told = caller.call("status", &json!({})).expect("an answer");
    assert_eq!(schema::faults(&schema::read("status.schema.json"), &told), [""; 0], "{told:#}");
    let always = &told["schedules"][0];
    assert_eq!((&always["name"], &always["active"]), (&json!("always"), &json!(true)), "{told:#}");
    assert_eq!((&always["until"], &always["next"]), (&Value::Null, &Value::Null), "{told:#}");
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let next =
        told["schedules"][1]["next"].as_u64().or(told["schedules"][1]["until"].as_u64()).expect("a time");
    assert!(next > now && next <= now + 7 * 86_400 + 3600, "{next} {now}");
    let other: Value = serde_json::from_str(&daemon.weir(&["status", "--json"])).expect("JSON");
    assert_eq!(told["schedules"], other["schedules"]);
    let shown = daemon.weir(&["status"]);
    assert!(
        shown.contains("shaped to 7 Mbit/s") && shown.contains("\nschedule always: holds always; "),
        "{shown}"
    );
    // The rule waits for its minute, which is not now but once a week.
    let in_its_minute = told["schedules"][1]["active"] == true;
    let told = caller.call("explain", &json!({"flow": "udp 192.0.2.7:7"})).expect("an answer").to_string();
    assert_eq!(told.contains("rule 'mine'"), in_its_minute, "{told}");
    assert_eq!(daemon.weir(&["explain", "udp", "192.0.2.7:7"]).contains("rule 'mine'"), in_its_minute);

    std::fs::write(daemon.dir.join("weir"), CONFIG).expect("written");
    caller.call("reload", &json!({})).expect("an answer");
    caller.waits_for_upload(20_000_000);
    let told = caller.call("status", &json!({})).expect("an answer");
    assert_eq!(told["schedules"], json!([]));
    assert!(
        daemon
            .log()
            .contains("schedule 'always' holds now: every day, all day: upload 7 Mbit/s on every line")
    );
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let Some(daemon) = Daemon::begin("refused") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    for (method, arguments, code) in [
        ("nothing", json!({}), 3),
        ("wan", json!({"name": 1}), 2),
        ("wan", json!({"name": "lte"}), 4),
        ("events", json!({"since": "yesterday"}), 2),
        ("set_rate", json!({"wan": "home", "direction": "up"}), 2),
        ("set_rate", json!({"wan": "home", "direction": "up", "rate": 5}), 2),
        ("set_rate", json!({"wan": "home", "direction": "sideways", "rate": "5mbit"}), 2),
        ("set_rate", json!({"wan": "home", "direction": "down", "rate": "5mbit"}), 2),
        ("set_rate", json!({"wan": "home - 1 1", "direction": "up", "rate": "5mbit"}), 4),
        ("hold", json!({"for": "a while"}), 2),
        ("history", json!({"wan": "lte"}), 4),
        ("history", json!({"span": "8d"}), 2),
        ("log_level", json!({"level": "loud"}), 2),
        ("explain", json!({"flow": "sctp nowhere"}), 2),
    ] {
        assert_eq!(caller.call(method, &arguments), Err(code), "{method} {arguments}");
    }
    let line = caller.call("wan", &json!({})).expect("the first");
    assert_eq!(
        (&line["upload"]["rate_bps"], &line["upload"]["steering"]),
        (&json!(20_000_000), &Value::Null)
    );
    // The first refusal is in the log with its reason; the others are too many for it.
    assert_eq!(daemon.log().matches("refused").count(), 1, "{}", daemon.log());
    assert!(
        daemon.log().contains("ubus: 'wan' refused: argument 'name' is of the wrong type"),
        "{}",
        daemon.log()
    );
}

#[test]
fn a_bad_file_is_refused_with_its_faults_and_a_good_one_taken() {
    let Some(daemon) = Daemon::begin("reload") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    caller.waits_for_upload(20_000_000);
    let file = daemon.dir.join("weir");
    std::fs::write(&file, CONFIG.replace("20mbit", "fast")).expect("written");
    for method in ["check", "reload"] {
        let told = caller.call(method, &json!({})).expect("an answer");
        assert_eq!((&told["ok"], &told["faults"][0]["line"]), (&json!(false), &json!(3)), "{told:#}");
        assert!(told["faults"][0]["text"].as_str().is_some_and(|text| text.starts_with("option 'upload': ")));
    }
    caller.waits_for_upload(20_000_000);
    let events = caller.call("events", &json!({})).expect("an answer");
    assert!(
        events.to_string().contains("the configuration is refused; the earlier one stays in force"),
        "{events:#}"
    );
    assert!(events.to_string().contains("\"line 3 of the configuration: option 'upload': "), "{events:#}");
    let last = events["last"].as_u64().expect("a number");
    // What is shown is in force, and does not stand in the file.
    let status = |caller: &mut Caller| caller.call("status", &json!({})).expect("an answer").to_string();
    let note = format!("{} was refused and is not in force", file.display());
    assert!(status(&mut caller).contains(&note), "{}", status(&mut caller));

    let good = CONFIG.replace("20mbit", "7mbit");
    assert_eq!(caller.call("check", &json!({"config": good})).expect("an answer")["ok"], true);
    std::fs::write(&file, good).expect("written");
    assert_eq!(caller.call("reload", &json!({})).expect("an answer"), json!({"ok": true, "faults": []}));
    caller.waits_for_upload(7_000_000);
    assert!(!status(&mut caller).contains("was refused"));
    let events = caller.call("events", &json!({"since": last})).expect("an answer");
    let texts: Vec<&str> =
        events["events"].as_array().expect("a list").iter().filter_map(|e| e["text"].as_str()).collect();
    assert_eq!(
        texts,
        ["home: upload 7 Mbit/s on lo (htb), download not shaped: no speed known: set option 'download'"]
    );
}

#[test]
fn who_listens_hears_of_rates_and_of_the_configuration_and_events_go_to_all() {
    let Some(daemon) = Daemon::begin("listen") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    let mut listener = Caller::new(&daemon.socket());
    let id = listener.find();
    let ear = listener.0.add_anonymous_object().expect("a nameless object");
    listener.0.subscribe(ear, id).expect("subscribed");
    listener.0.register_event(ear, "weir.*").expect("registered");
    let mut heard = Vec::new();
    let mut hear = |heard: &mut Vec<(String, Value)>| {
        while let Some(frame) = listener.0.recv_frame().expect("the broker lives") {
            let find = |attr| ubus::envelope::try_find(&frame.payload, attr).expect("attributes");
            let Some(method) = find(ubus::envelope::UbusAttr::Method).and_then(|attr| attr.as_str()) else {
                continue;
            };
            let data = find(ubus::envelope::UbusAttr::Data).expect("data").payload;
            heard.push((method.to_string(), blobmsg_to_json(data).expect("fields")));
        }
    };
    // The broker has told the listener that it listens; when it tells the daemon is another matter.
    let mut set = |rate: &str| {
        caller.call("set_rate", &json!({"wan": "home", "direction": "up", "rate": rate})).expect("set");
    };
    patiently("a rate is heard", || {
        set("6mbit");
        hear(&mut heard);
        let is_heard = heard.iter().any(|(what, _)| what == "rate");
        set("5mbit");
        is_heard
    });
    std::fs::write(daemon.dir.join("weir"), "config wan 'home'\n option upload 'fast'\n").expect("written");
    caller.call("reload", &json!({})).expect("an answer");
    patiently("all is heard", || {
        hear(&mut heard);
        heard.iter().any(|(what, _)| what == "weir.alert") && heard.iter().any(|(what, _)| what == "config")
    });
    let rates: Vec<_> = heard.iter().filter(|(what, _)| what == "rate").collect();
    let last = json!({"wan": "home", "direction": "upload", "old_bps": 6_000_000, "new_bps": 5_000_000});
    assert_eq!(rates.last().expect("a rate").1, last);
    let config = &heard.iter().find(|(what, _)| what == "config").expect("it was read").1;
    assert_eq!(config, &json!({"taken": false, "enabled": true}));
    let alert = &heard.iter().find(|(what, _)| what == "weir.alert").expect("an alert").1;
    assert_eq!(alert["level"], "error", "{heard:?}");
    assert_eq!(
        (&alert["cleared"], &alert["alert"]),
        (&json!(false), &Value::Null),
        "it is no level: {heard:?}"
    );
    std::fs::write(daemon.dir.join("weir"), CONFIG.replace("20mbit", "9mbit")).expect("written");
    caller.call("reload", &json!({})).expect("an answer");
    patiently("the rest is heard", || {
        hear(&mut heard);
        ["alert", "state", "weir.state"].iter().all(|wanted| heard.iter().any(|(what, _)| what == wanted))
    });
    // Who has subscribed and follows events gets the same twice, under both names.
    for (notified, event) in [("alert", "weir.alert"), ("state", "weir.state")] {
        let of = |name: &str| heard.iter().find(|(what, _)| what == name).map(|(_, data)| data.clone());
        assert_eq!(of(notified), of(event), "{heard:?}");
    }
    // The line is held yet.
    let state = &heard.iter().find(|(what, _)| what == "state").expect("it was heard").1;
    assert!(
        state["text"].as_str().is_some_and(|text| text.starts_with("home: upload 5 Mbit/s on lo")),
        "{state}"
    );
}

#[test]
fn the_log_has_what_the_bus_asked_for_until_the_next_reload() {
    let Some(daemon) = Daemon::begin("log-level") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    caller.waits_for_upload(20_000_000);
    let level = |caller: &mut Caller, level: &str| {
        assert_eq!(caller.call("log_level", &json!({"level": level})), Ok(json!({})));
    };
    let hold = |caller: &mut Caller, minutes: u32| {
        caller.call("hold", &json!({"for": format!("{minutes}m")})).expect("held");
        format!("held for {minutes} min")
    };
    let said = hold(&mut caller, 11);
    patiently("it is said", || daemon.log().contains(&said));
    level(&mut caller, "error");
    let unsaid = hold(&mut caller, 12);
    level(&mut caller, "info");
    let said = hold(&mut caller, 13);
    patiently("it is said again", || daemon.log().contains(&said));
    assert!(!daemon.log().contains(&unsaid), "{}", daemon.log());
    level(&mut caller, "error");
    assert_eq!(caller.call("reload", &json!({})).expect("an answer")["ok"], true);
    patiently("the file's level holds again", || {
        let said = hold(&mut caller, 14);
        daemon.log().contains(&said)
    });
}

/// Not a test by itself: what somebody who is not root may, for the test after it, which runs this as such.
#[test]
#[ignore = "run by the test of rights, as another user"]
fn somebody_who_is_not_root() {
    let socket = PathBuf::from(std::env::var("WEIR_TEST_BUS").expect("the test of rights says where"));
    let mut caller = Caller::new(&socket);
    let id = std::env::var("WEIR_TEST_OBJECT").expect("so it does").parse().expect("a number");
    let mut code = |method: &str, arguments: Value| {
        let arguments = json_to_blobmsg(&arguments).expect("fields");
        match caller.0.invoke(id, method, &arguments) {
            Ok(_) => 0,
            Err(ubus::UbusError::Status(code)) => code,
            Err(error) => panic!("{method}: {error}"),
        }
    };
    for method in ["status", "wan", "classes", "rules", "hits", "events", "plan", "check", "doctor", "bundle"]
    {
        println!("{method} {}", code(method, json!({})));
    }
    println!("reload {}", code("reload", json!({})));
    println!("set_rate {}", code("set_rate", json!({"wan": "home", "direction": "up", "rate": "1mbit"})));
    println!("hold {}", code("hold", json!({})));
    println!("log_level {}", code("log_level", json!({"level": "debug"})));
    let ear = caller.0.add_anonymous_object().expect("a nameless object");
    println!("subscribe {}", u8::from(caller.0.subscribe(ear, id).is_err()));
}

#[test]
fn who_is_in_the_group_may_look_and_listen_and_change_nothing_and_others_may_nothing() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let Some(daemon) = Daemon::begin("rights") else { return };
    let rights = daemon.dir.join("acl");
    std::fs::create_dir_all(&rights).expect("a folder");
    let file =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/openwrt/weir/files/ubus-acl.json"));
    // The machine that tests has no group of weir's; it has Debian's for nobody.
    let file = file.expect("the package's").replace("\"group\": \"weir\"", "\"group\": \"nogroup\"");
    std::fs::write(rights.join("weir.json"), file).expect("written");
    std::fs::set_permissions(rights.join("weir.json"), std::fs::Permissions::from_mode(0o644)).expect("set");
    let _bus = Bus::with_rights(&daemon.socket(), Some(&rights));
    let mut root = Caller::new(&daemon.socket());
    patiently("it shapes", || root.call("status", &json!({})).expect("an answer")["shaping"] == true);
    let id = root.find();
    // The program of the test must be within reach of somebody who is not root.
    let program = daemon.dir.join("somebody");
    // Not by this process: what another test begins meanwhile would have it open for writing, and it could not be run.
    let copied = Command::new("cp").arg(std::env::current_exe().expect("it runs")).arg(&program).status();
    assert!(copied.expect("cp runs").success());
    for path in [&daemon.dir, &program] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("set");
    }
    let as_group = |group: u32| {
        let mut command = Command::new(&program);
        command.args(["--ignored", "--exact", "--nocapture", "somebody_who_is_not_root"]);
        command.env("WEIR_TEST_BUS", daemon.socket()).env("WEIR_TEST_OBJECT", id.to_string());
        let output = command.uid(65534).gid(group).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        let rows = text
            .lines()
            .filter_map(|line| line.trim_start_matches("test somebody_who_is_not_root ... ").split_once(' '));
        let codes = rows.filter_map(|(what, code)| Some((what.to_string(), code.parse().ok()?)));
        codes.collect::<Vec<(String, i32)>>()
    };
    const NOGROUP: u32 = 65534;
    const GAMES: u32 = 60;
    for (group, looks, changes) in [(NOGROUP, 0, 6), (GAMES, 6, 6)] {
        let codes = as_group(group);
        assert_eq!(codes.len(), 15, "{codes:?}");
        for (what, code) in codes {
            let wanted = match what.as_str() {
                "reload" | "set_rate" | "hold" | "log_level" => changes,
                "subscribe" => i32::from(looks != 0),
                _ => looks,
            };
            assert_eq!(code, wanted, "{what} by group {group}");
        }
    }
    assert_eq!(root.call("wan", &json!({})).expect("an answer")["upload"]["rate_bps"], 20_000_000);
}

#[test]
fn lists_come_in_pages_that_together_are_the_whole() {
    let Some(daemon) = Daemon::begin("pages") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("configured", || caller.call("rules", &json!({})).is_ok());
    let (mut rules, mut total) = (Vec::new(), 1);
    while rules.len() < total {
        let page =
            caller.call("rules", &json!({"wan": "home", "since": rules.len(), "limit": 50})).expect("a page");
        total = usize::try_from(page["total"].as_u64().expect("a number")).expect("few");
        let page = page["rules"].as_array().expect("a list").clone();
        assert!(!page.is_empty() && page.len() <= 50);
        rules.extend(page);
    }
    let numbers: Vec<u64> = rules.iter().filter_map(|rule| rule["number"].as_u64()).collect();
    assert_eq!(numbers, (1..=total as u64).collect::<Vec<u64>>());
    assert!(rules.iter().any(|rule| rule["rule"] == "ssh" && rule["builtin"] == true), "{rules:?}");
    let told = caller.call("explain", &json!({"flow": "tcp 192.0.2.1:22"})).expect("an answer");
    assert!(told["text"].as_str().is_some_and(|text| text.contains("home upload")), "{told:#}");
    let plan = caller.call("plan", &json!({})).expect("an answer");
    assert!(
        plan["text"].as_str().is_some_and(|text| text.contains("tc qdisc replace dev lo root handle 57e1:")),
        "{plan:#}"
    );
    let plan = caller.call("plan", &json!({"diff": true})).expect("an answer");
    assert_eq!(
        plan["text"],
        "# home download: not shaped: no speed known: set option 'download'\nnothing to change\n"
    );
}

#[test]
fn hits_of_rules_are_counted_on_live_packets_while_somebody_asks_and_no_longer() {
    let rule = "config rule 'mine'\n option class 'high'\n option proto 'udp'\n option remote_port '7777'\n";
    let Some(daemon) = Daemon::with("hits", &format!("{CONFIG}{rule}")) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    assert_eq!(caller.call("hits", &json!({"wan": "other"})), Err(4));
    assert_eq!(caller.call("hits", &json!({"wan": 7})), Err(2));
    let sockets = || {
        let files = std::fs::read_dir(format!("/proc/{}/fd", daemon.child.id())).expect("it lives");
        files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok()).count()
    };
    let before = sockets();
    let begun = caller.call("hits", &json!({"wan": "home"})).expect("an answer");
    assert_eq!((&begun["rules"], &begun["packets"]), (&json!([]), &json!(0)), "{begun:#}");
    assert_eq!((&begun["device"], &begun["left_us"]), (&json!("lo"), &json!(10_000_000)), "{begun:#}");
    assert_eq!(sockets(), before + 1);

    let send = |count: usize, port: u16| {
        let mut command = daemon.enter();
        let script = format!("for ((n = 0; n < {count}; n++)); do printf x >/dev/udp/127.0.0.1/{port}; done");
        command.args(["bash", "-c", &script]).stderr(Stdio::null());
        command.status().expect("nsenter and bash are there");
    };
    for (count, port) in [(20, 7777), (30, 53), (10, 4242)] {
        send(count, port);
    }
    let packets = |told: &Value, list: &str, wanted: &[(&str, Value)]| {
        let rows = told[list].as_array().cloned().unwrap_or_default();
        let row = rows.into_iter().find(|row| wanted.iter().all(|(key, value)| row[*key] == *value));
        row.map_or(json!(0), |row| row["packets"].clone())
    };
    let up = || ("direction", json!("upload"));
    let mut told = Value::Null;
    patiently("all are counted", || {
        told = caller.call("hits", &json!({"wan": "home"})).expect("an answer");
        let unknown = [up(), ("protocol", json!("udp")), ("remote_port", json!(4242))];
        packets(&told, "unknown", &unknown) == 10
            && packets(&told, "rules", &[up(), ("rule", json!("dns"))]) == 30
    });
    let mine = [up(), ("rule", json!("mine")), ("class", json!("high"))];
    assert_eq!(packets(&told, "rules", &mine), 20, "{told:#}");
    assert_eq!(told["limited"], false, "{told:#}");
    assert!(told["passed_packets"].as_u64() >= told["packets"].as_u64(), "{told:#}");
    // A row's number is that of the rule in the list of rules.
    let row =
        told["rules"].as_array().expect("a list").iter().find(|row| row["rule"] == "mine").expect("hit");
    let number = row["number"].as_u64().expect("a number");
    let page =
        caller.call("rules", &json!({"wan": "home", "since": number - 1, "limit": 1})).expect("a page");
    assert_eq!((&page["rules"][0]["number"], &page["rules"][0]["rule"]), (&row["number"], &row["rule"]));

    patiently("more come than are looked at", || {
        send(20_000, 4242);
        told = caller.call("hits", &json!({})).expect("an answer");
        told["limited"] == true
    });
    let [seen, passed] = ["packets", "passed_packets"].map(|key| told[key].as_u64().expect("a number"));
    assert!(passed > 2 * seen && seen > 0, "{told:#}");

    // Other rules are counted anew.
    std::fs::write(daemon.dir.join("weir"), CONFIG).expect("written");
    caller.call("reload", &json!({})).expect("an answer");
    patiently("it is counted anew", || {
        told = caller.call("hits", &json!({})).expect("an answer");
        told["limited"] == false && packets(&told, "rules", &[("rule", json!("mine"))]) == 0
    });
    patiently("nobody asks, nothing is open", || sockets() == before);
}

#[test]
fn who_asks_a_lot_and_reads_nothing_costs_neither_memory_nor_the_others_their_answers() {
    let Some(daemon) = Daemon::begin("flood") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    let before = daemon.memory();
    let mut rude: Vec<Caller> = (0..4).map(|_| Caller::new(&daemon.socket())).collect();
    let nothing = json_to_blobmsg(&json!({})).expect("fields");
    let id = caller.find();
    for _ in 0..300 {
        for one in &mut rude {
            // Full is full: then there is nothing more to be asked.
            let _ = one.0.send_invoke(id, "status", &nothing);
        }
    }
    let answer = caller.call("wan", &json!({})).expect("an answer");
    assert_eq!(answer["upload"]["shaped"], true);
    let grown = daemon.memory().saturating_sub(before);
    assert!(grown < 512, "{grown} KiB more");
}

#[test]
fn a_line_follows_its_network_as_netifd_tells_and_a_shower_of_the_same_changes_nothing() {
    let config = "config wan 'home'\n option network 'wan'\n option upload '20mbit'\n";
    let Some(daemon) = Daemon::with("network", config) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let (down, up) = (("wan", "pppoe", false, ""), ("wan", "pppoe", true, "lo"));
    let netifd = Netifd::begin(&daemon.socket(), &[down]);
    let mut caller = Caller::new(&daemon.socket());
    let mut reason = |is_it: &dyn Fn(&Value) -> bool| {
        patiently("it stands so", || is_it(&caller.call("wan", &json!({})).unwrap_or_default()["upload"]));
    };
    let waits = |upload: &Value| {
        upload["reason"].as_str().is_some_and(|why| why.contains("network 'wan' is connecting"))
    };
    reason(&waits);
    assert!(
        daemon.weir(&["status"]).contains("NOT SHAPED: network 'wan' is connecting"),
        "{}",
        daemon.weir(&["status"])
    );

    netifd.tell(&[up], 1);
    reason(&|upload| upload["shaped"] == true && upload["device"] == "lo");
    assert!(daemon.weir(&["status"]).contains("home: lo (up)"), "{}", daemon.weir(&["status"]));
    assert!(daemon.weir(&["plan"]).contains("dev lo root handle 57e1:"), "{}", daemon.weir(&["plan"]));

    // Rivals begin anew with each of these.
    let (log, dumps) = (daemon.log(), netifd.dumps());
    for _ in 0..20 {
        netifd.tell(&[up], 10);
        std::thread::sleep(Duration::from_millis(20));
    }
    patiently("it was asked again", || netifd.dumps() > dumps);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(daemon.log(), log);
    assert!(netifd.dumps() - dumps <= 10, "{} dumps for 200 hints", netifd.dumps() - dumps);

    netifd.tell(&[down], 1);
    reason(&waits);
    netifd.tell(&[up], 1);
    reason(&|upload| upload["shaped"] == true);
}

#[test]
fn a_daemon_that_begins_anew_asks_netifd_before_it_removes_what_stands_on_a_device_no_file_names() {
    let config = "config wan 'home'\n option network 'wwan'\n option upload '20mbit'\n";
    let Some(mut daemon) = Daemon::with("adopt", config) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let _netifd = Netifd::begin(&daemon.socket(), &[("wwan", "qmi", true, "lo")]);
    patiently("it shapes", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    daemon.again();
    patiently("another shapes", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    assert!(!daemon.log().contains("not shaped: network"), "{}", daemon.log());
}

#[test]
fn a_daemon_that_begins_while_the_bus_is_away_keeps_what_stands_on_a_device_netifd_named() {
    let config = "config wan 'home'\n option network 'wwan'\n option upload '20mbit'\n";
    let Some(mut daemon) = Daemon::with("away", config) else { return };
    let bus = Bus::begin(&daemon.socket());
    let netifd = Netifd::begin(&daemon.socket(), &[("wwan", "qmi", true, "lo")]);
    patiently("it shapes", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    drop((netifd, bus));
    daemon.again();
    patiently("another shapes", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    assert!(!daemon.log().contains("not shaped: network"), "{}", daemon.log());

    // Until netifd says otherwise, and then no longer than that.
    let _bus = Bus::begin(&daemon.socket());
    let netifd = Netifd::begin(&daemon.socket(), &[("wwan", "qmi", false, "")]);
    patiently("it is told", || daemon.log().contains("network 'wwan' is connecting"));
    drop(netifd);
    daemon.again();
    patiently("it knows no device", || daemon.log().contains("not shaped: network 'wwan'"));
}

#[test]
fn a_netifd_whose_dump_is_too_large_is_asked_for_the_networks_of_lines_alone() {
    let config = "config wan 'home'\n option network 'wan'\n option upload '20mbit'\n\
                  config wan 'other'\n option network 'none'\n option upload '20mbit'\n";
    let Some(daemon) = Daemon::with("large", config) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let netifd =
        Netifd::begin(&daemon.socket(), &[("lan", "static", true, "br"), ("wan", "pppoe", false, "")]);
    netifd.weigh(70_000);
    patiently("it is told", || daemon.log().contains("network 'wan' is connecting"));
    let said = "netifd tells more of its networks than weir keeps";
    assert!(daemon.log().contains(said) && daemon.log().contains("network 'none' is not known to netifd"));
    netifd.tell(&[("lan", "static", true, "br"), ("wan", "pppoe", true, "lo")], 3);
    patiently("it shapes", || daemon.log().contains("home: upload 20 Mbit/s on lo"));
    netifd.tell(&[("lan", "static", true, "br")], 1);
    patiently("it does not", || daemon.log().contains("network 'wan' is not known to netifd"));
    assert_eq!(daemon.log().matches(said).count(), 1, "once is enough");
}

#[test]
fn a_netifd_that_refuses_to_tell_is_asked_again() {
    let config = "config wan 'home'\n option network 'wan'\n option upload '20mbit'\n";
    let Some(daemon) = Daemon::with("again", config) else { return };
    let _bus = Bus::begin(&daemon.socket());
    let netifd = Netifd::begin(&daemon.socket(), &[("wan", "pppoe", true, "lo")]);
    // The look at the start, and the first of the daemon's own.
    netifd.refuse(2);
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    assert!(netifd.dumps() > 2);
}

#[test]
fn what_callers_name_comes_into_the_log_as_one_line_and_not_all_of_it() {
    let Some(daemon) = Daemon::begin("forged") else { return };
    let _bus = Bus::begin(&daemon.socket());
    let mut caller = Caller::new(&daemon.socket());
    patiently("it shapes", || caller.call("status", &json!({})).expect("an answer")["shaping"] == true);
    let name = format!("x\n<27>weir[1]: the shaper is removed{}", "y".repeat(9000));
    assert_eq!(caller.call("wan", &json!({"name": name})), Err(4));
    let large = format!("config wan 'w'\n#{}\n", "z".repeat(17 * 1024));
    assert_eq!(caller.call("check", &json!({"config": large})), Err(2));
    patiently("it is in the log", || daemon.log().contains("ubus: 'wan' refused: there is no line"));
    let log = daemon.log();
    assert!(log.lines().all(|line| line.starts_with("weir: ") && line.len() < 300), "{log}");
    assert_eq!(log.matches("refused").count(), 1, "{log}");
}
