// SPDX-License-Identifier: Apache-2.0
//! The whole daemon as a pilot: the very code that runs on a router, in a machine of one device whose kernel accepts
//! everything.

use super::pilot::{Action, Event, Pilot};
use crate::config::link::{Cells, LinkLayer};
use crate::config::steer::Far;
use crate::config::{Config, Wan};
use crate::daemon::{self, Daemon, Observation};
use crate::measure::counters::{Count, Queue, Sample, WayCounters};
use crate::tc::plan::{Lacks, World};
use crate::tc::{Link, Tree};
use crate::units::{DeviceName, Rate, Time, Way};
use std::collections::VecDeque;

/// A daemon and the machine it thinks it is on.
pub struct Whole {
    daemon: Daemon,
    config: Config,
    world: World,
    tree: Tree,
    rates: [Option<Rate>; 2],
    todo: VecDeque<Action>,
}

impl Whole {
    /// With nothing configured but whom to ask.
    pub fn new(reflectors: usize) -> Self {
        let name = DeviceName::new("wan").expect("a name");
        let mut wan = Wan { device: Some(name), ..Wan::new("wan") };
        // What is simulated are packets as the line sees them.
        wan.link = LinkLayer { name: "custom", overhead: 0, mpu: 0, cells: Cells::None };
        let address = |n: usize| Far::Address([192, 0, 2, n as u8 + 1].into());
        wan.steer.reflectors = (0..reflectors).map(address).collect();
        let link = Link { hardware: 512, ..Link::ethernet(2, name) };
        Self {
            daemon: Daemon::new(Lacks::default()),
            config: Config { wans: vec![wan], ..Config::default() },
            world: World { links: vec![link], ..World::default() },
            tree: Tree::default(),
            rates: [None; 2],
            todo: VecDeque::new(),
        }
    }

    fn tell(&mut self, now: Time, event: daemon::Event) {
        self.daemon.handle(now, event);
        while let Some(action) = self.daemon.poll() {
            let answer = match action {
                daemon::Action::ReadConfig => {
                    daemon::Event::ConfigRead(Ok((self.config.clone(), Vec::new())))
                }
                daemon::Action::Observe => daemon::Event::Observed(Observation {
                    world: self.world.clone(),
                    tree: self.tree.clone(),
                }),
                daemon::Action::Apply { .. } => {
                    self.tree.clone_from(&self.daemon.plan().tree);
                    daemon::Event::Applied
                }
                daemon::Action::Retune(ops) => {
                    self.tree.clone_from(&self.daemon.plan().tree);
                    daemon::Event::Retuned { ops, refused: None }
                }
                daemon::Action::Sample { .. } => {
                    self.todo.push_back(Action::ReadCounters);
                    continue;
                }
                daemon::Action::Probe { reflector, id, question, .. } => {
                    self.todo.push_back(Action::Probe { reflector, id, question });
                    continue;
                }
                _ => continue,
            };
            self.daemon.handle(now, answer);
        }
        // What the kernel has now; rates are moved in it and nowhere else.
        let rates = Way::ALL.map(|way| self.daemon.speeds().get(0, way).map(|speed| speed.line));
        if rates != self.rates {
            let news = |way: usize| {
                rates.get(way).copied().flatten().filter(|_| rates.get(way) != self.rates.get(way))
            };
            self.todo.push_back(Action::SetRates { up: news(0), down: news(1) });
            self.rates = rates;
        }
    }
}

impl Pilot for Whole {
    fn handle(&mut self, now: Time, event: Event) {
        let event = match event {
            Event::Start => daemon::Event::Start,
            Event::Deadline => daemon::Event::Deadline,
            Event::Counters { at, up, down } => {
                let received = Some(Count { bytes: down.line.0, packets: 0 });
                let sample =
                    Sample { queues: [Some(queue(&up)), Some(queue(&down))], received, is_whole: true };
                daemon::Event::Sampled { line: 0, at, sample }
            }
            answer => daemon::Event::Answered { line: 0, answer },
        };
        self.tell(now, event);
    }

    fn poll(&mut self) -> Option<Action> {
        self.todo.pop_front()
    }

    fn deadline(&self) -> Option<Time> {
        self.daemon.deadline()
    }
}

fn queue(counters: &WayCounters) -> Queue {
    Queue {
        sent: Count { bytes: counters.released.0, packets: 0 },
        is_wire: true,
        backlog: Count { bytes: counters.backlog.0, packets: counters.packets.into() },
        drops: counters.drops as u32,
        marks: counters.marks as u32,
        ..Queue::default()
    }
}
