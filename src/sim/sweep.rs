// SPDX-License-Identifier: Apache-2.0
//! Many worlds, on all cores; what comes out does not depend on which core ran what.

use super::roster::Entry;
use super::scenario::Case;
use super::world::{Outcome, World};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A world and who steers in it.
pub struct Job {
    /// The world.
    pub case: Case,
    /// Who steers.
    pub pilot: &'static Entry,
}

impl Job {
    /// Runs it.
    pub fn run(&self) -> Outcome {
        let setup = self.case.setup();
        let mut pilot = (self.pilot.make)(&setup);
        World::new(&setup).run(pilot.as_mut())
    }
}

/// How fast it went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Speed {
    /// Seconds of virtual time per second of one core's time.
    pub per_core: f64,
    /// Seconds of virtual time per second, all cores together.
    pub in_all: f64,
    /// Events per second of one core's time.
    pub events: f64,
}

/// Runs all jobs on all cores and calls `tell` with how many are done; the outcomes come in the order of the jobs.
pub fn run(jobs: &[Job], tell: impl Fn(usize) + Sync) -> (Vec<Outcome>, Speed) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len().max(1));
    let (next, done, busy) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(0.0));
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(jobs.iter().map(|_| None).collect());
    let began = Instant::now();
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let began = Instant::now();
            let outcome = job.run();
            *busy.lock().expect("nobody panics while adding") += began.elapsed().as_secs_f64();
            outcomes.lock().expect("nobody panics while storing")[at] = Some(outcome);
            tell(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    std::thread::scope(|scope| {
        (0..cores).for_each(|_| _ = scope.spawn(work));
    });
    let outcomes: Vec<Outcome> =
        outcomes.into_inner().expect("all threads have ended well").into_iter().flatten().collect();
    let virtual_time: f64 = jobs.iter().map(|job| job.case.length.as_secs()).sum();
    let events: u64 = outcomes.iter().map(|outcome| outcome.events).sum();
    let busy = busy.into_inner().expect("all threads have ended well").max(1e-9);
    let speed = Speed {
        per_core: virtual_time / busy,
        in_all: virtual_time / began.elapsed().as_secs_f64().max(1e-9),
        events: events as f64 / busy,
    };
    (outcomes, speed)
}
