// SPDX-License-Identifier: Apache-2.0
//! A daemon in a machine that is a handful of variables.

mod archive;
mod history;
mod networks;
mod schedules;
mod watch;

use super::*;
use crate::config::{Severity, Wan};
use crate::tc::plan::plan;
use crate::tc::{Device, Link};
use crate::units::Rate;

fn name(text: &str) -> DeviceName {
    DeviceName::new(text).expect("valid")
}

fn config(upload: u32) -> Config {
    let wan = Wan { device: Some(name("eth0")), upload: Some(Rate::mbit(upload)), ..Wan::new("wan") };
    Config { wans: alloc::vec![wan], ..Config::default() }
}

fn world() -> World {
    let link = Link::ethernet(2, name("eth0"));
    World { links: alloc::vec![link], ..World::default() }
}

/// A system that does what it is told, and a log of what it was told.
struct Machine {
    daemon: Daemon,
    now: Time,
    file: Reading,
    world: World,
    tree: Tree,
    refuses: Option<Failure>,
    applied: usize,
    retuned: usize,
    /// What the clock on the wall shows when the other one shows nothing, and the zone.
    clock: u64,
    zone: &'static str,
    clocks: usize,
    /// What counters say when they are read; `None`: nothing.
    sample: Option<Sample>,
    samples: usize,
    /// What the kernel says of its processors.
    stat: String,
    learnt: Vec<String>,
    /// The file of histories, and how often it was written.
    archive: Vec<u8>,
    written: usize,
    said: Vec<String>,
    news: Vec<News>,
    exit: Option<u8>,
}

impl Machine {
    fn new(daemon: Daemon) -> Self {
        let tree = Tree { devices: alloc::vec![Device::system(name("eth0"))] };
        Self {
            daemon,
            now: Time(0),
            file: Ok((config(5), Vec::new())),
            world: world(),
            tree,
            refuses: None,
            applied: 0,
            retuned: 0,
            clock: 0,
            zone: "UTC0",
            clocks: 0,
            sample: None,
            samples: 0,
            stat: String::new(),
            learnt: Vec::new(),
            archive: Vec::new(),
            written: 0,
            said: Vec::new(),
            news: Vec::new(),
            exit: None,
        }
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        self.daemon.handle(self.now, event);
        self.perform()
    }

    fn ask(&mut self, request: &str) -> String {
        let answer = self.daemon.asked(self.now, request);
        self.perform();
        answer
    }

    fn perform(&mut self) -> &mut Self {
        while let Some(action) = self.daemon.poll() {
            let answer = match action {
                Action::ReadConfig => Event::ConfigRead(self.file.clone()),
                Action::ReadClock => {
                    self.clocks += 1;
                    let seconds = self.clock + self.now.0 / 1_000_000;
                    Event::Clock { seconds, zone: self.zone.into() }
                }
                Action::Observe => {
                    Event::Observed(Observation { world: self.world.clone(), tree: self.tree.clone() })
                }
                Action::Apply { .. } => match self.refuses.take() {
                    Some(failure) => Event::ApplyFailed(failure),
                    None => {
                        self.applied += 1;
                        self.tree = self.daemon.plan().tree.clone();
                        Event::Applied
                    }
                },
                Action::Sample { line, .. } => {
                    self.samples += 1;
                    let Some(sample) = self.sample else { continue };
                    Event::Sampled { line, at: self.now, sample }
                }
                Action::Split(_) | Action::Remember(_) | Action::Listen { .. } | Action::Probe { .. } => {
                    continue;
                }
                Action::ReadBusy => Event::LookedBusy(Cores::read(&self.stat)),
                Action::Learn(text) => {
                    self.learnt.push(text);
                    continue;
                }
                Action::Keep(packed) => {
                    let seconds = self.clock + self.now.0 / 1_000_000;
                    if let Some(file) = crate::watch::archive::seal(packed, seconds) {
                        self.archive = file;
                        self.written += 1;
                    }
                    continue;
                }
                Action::Recall => {
                    let seconds = self.clock + self.now.0 / 1_000_000;
                    Event::Recalled { file: Ok(self.archive.clone()), seconds }
                }
                Action::Retune(ops) => {
                    self.retuned += ops.len();
                    self.tree = self.daemon.plan().tree.clone();
                    Event::Retuned { ops, refused: None }
                }
                Action::Tell(fault) => {
                    self.said.push(format!("FILE:{fault}"));
                    continue;
                }
                Action::Say(_, text) => {
                    self.said.push(text);
                    continue;
                }
                Action::Tidings(news) => {
                    self.news.push(news);
                    continue;
                }
                Action::Exit(code) => {
                    self.exit = Some(code);
                    continue;
                }
            };
            self.daemon.handle(self.now, answer);
        }
        self
    }

    /// Lets time pass to the next deadline.
    fn wait(&mut self) -> Micros {
        let at = self.daemon.deadline().expect("there is something to wait for");
        let waited = at - self.now;
        self.now = at;
        self.tell(Event::Deadline);
        waited
    }

    /// Lets this much time pass, and everything in it happen.
    fn pass(&mut self, span: Micros) {
        let until = self.now + span;
        while self.daemon.deadline().is_some_and(|at| at <= until) {
            self.wait();
        }
        self.now = until;
    }

    fn heard(&self, part: &str) -> bool {
        self.said.iter().any(|text| text.contains(part))
    }
}

fn failure(extack: &str, op: Option<Op>) -> Failure {
    Failure {
        op: op.map(Box::new),
        errno: 2,
        extack: extack.into(),
        text: "the kernel refused".into(),
        is_restored: true,
    }
}

#[test]
fn a_start_leads_to_the_wanted_tree_and_then_to_rest() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    assert_eq!((machine.applied, machine.exit), (1, None));
    assert_eq!(machine.daemon.deadline(), machine.daemon.read_due(), "but for what is kept of the line");
    assert!(machine.heard("wan: upload 5 Mbit/s on eth0 (htb)"));
}

#[test]
fn a_shaper_that_stands_already_is_adopted() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tree = plan(&config(5), &world()).tree;
    assert_eq!(machine.tell(Event::Start).applied, 0);
}

#[test]
fn an_unchanged_reload_and_news_that_change_nothing_send_nothing() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start).tell(Event::Reload).tell(Event::LinksChanged);
    machine.wait();
    assert_eq!(machine.applied, 1);
    let said = machine.said.len();
    machine.tell(Event::LinksChanged).wait();
    assert_eq!(machine.said.len(), said, "nothing to say either");
}

#[test]
fn a_shower_of_news_is_looked_at_once_when_it_is_over() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    for n in 1..10 {
        machine.now = Time(n * 10_000);
        machine.tell(Event::LinksChanged);
    }
    assert_eq!(machine.daemon.deadline(), Some(Time(90_000) + CALM));
}

#[test]
fn a_refused_file_leaves_what_runs_as_it_is() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    let fault =
        Fault { severity: Severity::Fault, line: 3, option: "upload".into(), text: "is wrong".into() };
    machine.file = Err(Refusal::Faults(alloc::vec![fault]));
    machine.tell(Event::Reload);
    assert!(
        machine.heard("FILE:3: fault: option 'upload': is wrong") && machine.heard("the earlier one stays")
    );
    assert_eq!((machine.applied, machine.tree.clone()), (1, plan(&config(5), &world()).tree));
}

#[test]
fn what_somebody_removed_is_put_back_and_said() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    machine.tree = Tree { devices: alloc::vec![Device::system(name("eth0"))] };
    machine.tell(Event::TcChanged).wait();
    assert_eq!(machine.applied, 2);
    assert!(machine.heard("putting them back"));
}

#[test]
fn a_kind_the_kernel_lacks_is_learnt_from_its_refusal() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    let wanted = plan(&config(5), &world()).tree;
    let leaf = wanted.devices[0].qdiscs[1].clone();
    let op =
        Op::Qdisc { device: name("eth0"), verb: crate::tc::diff::Verb::Create, qdisc: leaf, options: true };
    machine.refuses = Some(failure("Specified qdisc kind is unknown", Some(op)));
    machine.tell(Event::Start);
    assert_eq!(machine.applied, 1);
    assert!(machine.heard("this kernel has no fq_codel"));
}

#[test]
fn a_failure_is_tried_again_after_pauses_that_grow_to_a_minute() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.refuses = Some(failure("no memory", None));
    machine.tell(Event::Start);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        machine.refuses = Some(failure("no memory", None));
        pauses.push(machine.wait().0 / 1_000_000);
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    machine.wait();
    assert_eq!(machine.applied, 1, "and in the end it works");
}

#[test]
fn stop_removes_everything_and_keep_leaves_it() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start).tell(Event::Stop { keep: false });
    assert_eq!((machine.exit, machine.tree.devices.len()), (Some(0), 0));
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start).tell(Event::Stop { keep: true });
    assert_eq!((machine.exit, machine.tree.clone()), (Some(0), plan(&config(5), &world()).tree));
}

#[test]
fn a_stop_says_whether_there_was_anything_to_remove() {
    let mut machine = Machine::new(Daemon::once(Lacks::default()));
    machine.tell(Event::Stop { keep: false });
    assert!(machine.heard("there was nothing of weir's") && !machine.heard("is removed"));
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start).tell(Event::Stop { keep: false });
    assert!(machine.heard("the shaper is removed") && !machine.heard("nothing of weir's"));
}

#[test]
fn a_file_that_cannot_be_read_ends_a_single_apply_with_66_and_a_faulty_one_with_78() {
    let fault = Fault { severity: Severity::Fault, line: 3, option: String::new(), text: "no".into() };
    for (refusal, code) in
        [(Refusal::Unreadable("cannot read it".into()), 66), (Refusal::Faults(alloc::vec![fault]), 78)]
    {
        let mut machine = Machine::new(Daemon::once(Lacks::default()));
        machine.file = Err(refusal);
        assert_eq!(machine.tell(Event::Start).exit, Some(code));
    }
}

#[test]
fn what_the_kernel_forbids_is_said_to_need_root() {
    let mut machine = Machine::new(Daemon::once(Lacks::default()));
    machine.refuses = Some(Failure { errno: EPERM, ..failure("", None) });
    machine.tell(Event::Start);
    assert!(machine.heard("everything is as it was before; run as root"));
}

#[test]
fn a_single_apply_ends_with_failure_when_a_speed_cannot_be_kept() {
    let mut machine = Machine::new(Daemon::once(Lacks::default()));
    assert_eq!(machine.tell(Event::Start).exit, Some(0));
    let mut machine = Machine::new(Daemon::once(Lacks::default()));
    machine.world.links.clear();
    assert_eq!(machine.tell(Event::Start).exit, Some(1));
    assert!(machine.heard("there is no device eth0 yet"));
}

/// A line nothing is known of: it is steered.
fn steered() -> Config {
    let wan = Wan { device: Some(name("eth0")), ..Wan::new("wan") };
    Config { wans: alloc::vec![wan], ..Config::default() }
}

/// The rate of the line's class on a device.
fn line_rate(machine: &Machine, device: &str) -> Option<Rate> {
    let device = machine.tree.device(&name(device))?;
    device.classes.iter().find(|class| class.handle == crate::tc::shape::LINE).map(|class| class.rate)
}

#[test]
fn a_line_without_speeds_is_shaped_and_steered_by_the_daemon_and_by_nothing_else() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    assert!(line_rate(&machine, "eth0").is_some() && line_rate(&machine, "weir-wan").is_some());
    assert!(machine.daemon.deadline().is_some(), "it measures");
    assert!(
        machine
            .heard("wan: upload follows the line on eth0 (htb), download follows the line on weir-wan (htb)")
    );
    let mut machine = Machine::new(Daemon::once(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    assert_eq!(line_rate(&machine, "eth0"), None);
    assert!(machine.heard("'weir daemon' finds the speed, and none runs"), "{:?}", machine.said);
}

#[test]
fn a_held_line_has_its_rate_until_the_time_is_over_and_is_steered_on_then() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    let answer = machine.ask("rate wan 7000000 - 60");
    assert!(
        answer.starts_with("ok\nwan: upload 7 Mbit/s, download ") && answer.ends_with(", held for 1 min\n")
    );
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(7)));
    assert!(machine.ask("speeds").contains("0 0 7000000 "));
    assert!(machine.ask("speeds").contains("held, for 1 min more"));
    assert!(!machine.ask("speeds").contains("probes"), "none are sent");
    machine.tell(Event::Reload);
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(7)), "a reload does not end it");
    machine.pass(Micros::secs(60));
    assert!(machine.heard("rates are no longer held"));
    assert!(machine.ask("speeds").contains("nothing measured yet"), "{}", machine.ask("speeds"));
    assert!(machine.ask("speeds").contains("\nprobes 0 1 0 "), "{}", machine.ask("speeds"));
}

#[test]
fn a_line_with_speeds_can_be_held_at_others_and_gets_its_own_back() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    assert_eq!(machine.ask("rate - 2000000 - -"), "ok\nwan: upload 2 Mbit/s, held for 1 h\n");
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(2)));
    machine.tell(Event::LinksChanged).wait();
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(2)), "looking again changes nothing");
    assert_eq!(machine.ask("release wan"), "ok\nwan: rates are no longer held\n");
    assert!(machine.ask("speeds").ends_with("at work\n"), "what was let go is on its way");
    machine.wait();
    assert!(!machine.ask("speeds").ends_with("at work\n"));
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(5)));
    assert!(!machine.heard("putting them back"), "what the end of a hold changes is nobody's meddling");
}

#[test]
fn a_hold_without_a_time_does_not_move_the_end_that_somebody_gave() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start).ask("rate wan 2000000 - 600");
    machine.pass(Micros::secs(100));
    let still = "ok\nwan: upload 2 Mbit/s, still held for 8 min 20 s\n";
    assert_eq!(machine.ask("hold - -"), still);
    assert!(machine.heard(still.trim().trim_start_matches("ok\n")), "the log says the same");
    assert_eq!(machine.ask("hold wan 90"), "ok\nwan: upload 2 Mbit/s, held for 1 min 30 s\n");
    machine.pass(Micros::secs(91));
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(5)));
    assert_eq!(machine.ask("release -"), "ok\nnothing was held\n");
}

#[test]
fn rates_that_somebody_set_are_not_taken_for_measured_ones() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    let held = "ok\nwan: upload 90 Mbit/s, download 70 Mbit/s, held for 1 s\n";
    assert_eq!(machine.ask("rate wan 90000000 70000000 1"), held);
    machine.pass(Micros::secs(5));
    assert!(line_rate(&machine, "eth0") < Some(Rate::mbit(20)));
    machine.tell(Event::Stop { keep: false });
    assert_eq!(machine.learnt, [] as [String; 0]);
}

#[test]
fn what_cannot_be_held_is_refused_with_its_reason() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    assert!(machine.ask("hold - 60").starts_with("error: no configuration is in force"));
    machine.tell(Event::Start);
    assert_eq!(
        machine.ask("rate wan - 1000000 60"),
        "error: the download is not shaped, so it cannot have 1 Mbit/s\n"
    );
    assert_eq!(machine.ask("hold lte 60"), "error: there is no line 'lte'; there is: wan\n");
    assert_eq!(machine.ask("hold wan soon"), "error: no time: soon\n");
    assert_eq!(machine.ask("sing"), "error: not understood: sing\n");
    assert_eq!(machine.ask(""), "error: not understood: (nothing)\n");
}

#[test]
fn a_line_whose_device_went_away_rests_and_goes_on_when_it_is_back() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    machine.world.links.clear();
    machine.tree.devices.clear();
    machine.tell(Event::LinksChanged).pass(Micros::secs(1));
    assert_eq!(machine.daemon.deadline(), None, "nothing is asked while there is no line");
    machine.world = world();
    machine.tree = Tree { devices: alloc::vec![Device::system(name("eth0"))] };
    machine.tell(Event::LinksChanged).pass(Micros::secs(1));
    assert!(line_rate(&machine, "eth0").is_some() && machine.daemon.deadline().is_some());
}

#[test]
fn what_was_learnt_is_where_the_next_start_begins() {
    let (learnt, _) = Learnt::from_text("weir learnt 1\nwan 12000 34000\n");
    let mut machine = Machine::new(Daemon::new(Lacks::default()).knowing(learnt));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    assert_eq!(line_rate(&machine, "eth0"), Some(Rate::mbit(12)));
    assert_eq!(line_rate(&machine, "weir-wan"), Some(Rate::mbit(34)));
}

#[test]
fn what_a_line_carried_is_written_down_once_it_is_known_and_seldom_after() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    machine.pass(Micros::secs(3600));
    assert_eq!(machine.learnt, [] as [String; 0], "nothing was measured, so nothing is known");
    let (learnt, _) = Learnt::from_text("weir learnt 1\nwan 12000 34000\n");
    let mut machine = Machine::new(Daemon::new(Lacks::default()).knowing(learnt));
    machine.file = Ok((steered(), Vec::new()));
    machine.tell(Event::Start);
    machine.pass(Micros::secs(24 * 3600));
    assert_eq!(machine.learnt, [] as [String; 0], "what is known already is not written again");
}

#[test]
fn while_nobody_listens_nothing_is_made_for_listeners_and_those_who_do_hear_every_change() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    machine.ask("rate wan 3000000 - 60");
    assert_eq!(machine.news, []);

    machine.daemon.want(Wanted { all: false, seldom: true });
    machine.ask("rate wan 4000000 - 60");
    assert_eq!(machine.news, [], "a rate is only for those who have subscribed");
    machine.file = Ok((config(7), Vec::new()));
    machine.tell(Event::Reload);
    assert_eq!(machine.news.first(), Some(&News::Config { is_taken: true }));
    assert!(
        matches!(machine.news.get(1), Some(News::State(text)) if text.contains("upload 4 Mbit/s on eth0"))
    );
    machine.file = Err(Refusal::Unreadable("gone".into()));
    machine.tell(Event::Reload);
    let refused = "the configuration is refused; the earlier one stays in force";
    for news in [
        News::Config { is_taken: false },
        News::Alert(Level::Error, "gone".into()),
        News::Alert(Level::Error, refused.into()),
    ] {
        assert!(machine.news.contains(&news), "{news:?} in {:?}", machine.news);
    }

    machine.daemon.want(Wanted { all: true, seldom: true });
    machine.news.clear();
    machine.ask("rate wan 2000000 - 60");
    let rates = [Rate::mbit(4), Rate::mbit(2)];
    assert_eq!(machine.news, [News::Rate { line: 0, way: Way::Up, old: rates[0], new: rates[1] }]);
}

#[test]
fn listeners_hear_of_the_rates_that_the_end_of_a_hold_and_a_reload_bring() {
    let mut machine = Machine::new(Daemon::new(Lacks::default()));
    machine.tell(Event::Start);
    machine.daemon.want(Wanted { all: true, seldom: true });
    machine.ask("rate wan 1000000 - 3");
    machine.pass(Micros::secs(5));
    machine.ask("rate wan 2000000 - 60");
    machine.ask("release wan");
    machine.wait();
    machine.file = Ok((config(7), Vec::new()));
    machine.tell(Event::Reload);
    let rates = machine.news.iter().filter_map(|news| match news {
        News::Rate { line: 0, way: Way::Up, old, new } => Some((*old, *new)),
        _ => None,
    });
    let [own, one, two, other] = [5, 1, 2, 7].map(Rate::mbit);
    let wanted = [(own, one), (one, own), (own, two), (two, own), (own, other)];
    assert_eq!(rates.collect::<Vec<_>>(), wanted);
}
