// SPDX-License-Identifier: Apache-2.0
//! One outlet: its queue and its health, shared by who reads the daemon and the thread that delivers.

use super::log::{self, Level};
use crate::export::backoff::{self, Chance};
use crate::export::health::Health;
use crate::export::queue::{Batch, Portion, Queue};
use crate::export::web::Outcome;
use crate::io::clock;
use crate::units::{Micros, Time};
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// What both sides know.
pub struct Outlet {
    /// Its name.
    pub name: String,
    /// Where it leads to, without secrets.
    pub target: String,
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    queue: Queue,
    health: Health,
    is_over: bool,
}

/// How much goes at once, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Points of a request.
    pub points: u32,
    /// Its bytes.
    pub bytes: usize,
    /// From one to the next.
    pub interval: Micros,
}

/// What became of an attempt.
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes that packing saved.
    pub saved: usize,
}

/// Nothing comes any more.
#[derive(Debug)]
pub struct Over;

impl Outlet {
    /// An outlet whose queue holds so many bytes.
    pub fn new(name: &str, target: String, queue: usize) -> Self {
        let state = State { queue: Queue::new(queue), health: Health::default(), is_over: false };
        Self { name: name.into(), target, state: Mutex::new(state), wake: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing in here is left half done by a panic.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Adds what is to be delivered; the log hears when the oldest begin to be dropped for it.
    pub fn push(&self, portion: Portion) {
        let begins = self.state().queue.push(portion);
        self.wake.notify_all();
        if begins {
            self.say(Level::Warning, "the queue is full: the oldest are dropped until there is room again");
        }
    }

    fn say(&self, level: Level, text: &str) {
        log::say(level, &format!("{}: {}: {text}", self.name, self.target));
    }

    /// Nothing more comes: the thread ends when all is delivered.
    pub fn end(&self) {
        self.state().is_over = true;
        self.wake.notify_all();
    }

    /// How it does now.
    pub fn health(&self) -> Health {
        let state = self.state();
        let mut health = state.health.clone();
        (health.queued, health.dropped) = (state.queue.count(), state.queue.dropped());
        health
    }

    /// Waits until `at` and until there is something to deliver; `Ok(None)`: there is nothing yet at `until`.
    ///
    /// # Errors
    /// Nothing comes any more.
    pub fn next(&self, at: Time, until: Option<Time>, pace: &Pace) -> Result<Option<Batch>, Over> {
        let mut state = self.state();
        loop {
            let now = clock::now();
            if now >= at
                && let Some(batch) = state.queue.batch(pace.points, pace.bytes)
            {
                return Ok(Some(batch));
            }
            if state.is_over && state.queue.is_empty() {
                return Err(Over);
            }
            if until.is_some_and(|until| until <= now) {
                return Ok(None);
            }
            let next = if state.queue.is_empty() { until } else { until.into_iter().chain([at]).min() };
            let span = next.map_or(Duration::from_secs(3600), |next| Duration::from_micros((next - now).0));
            // Its only error is a poisoned lock.
            state = match self.wake.wait_timeout(state, span) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Takes note of what became of a batch that took so long; the log hears of what is otherwise than before.
    fn ended(&self, batch: &Batch, attempt: &Attempt, took: Micros) {
        let mut guard = self.state();
        let state = &mut *guard;
        let trouble = match &attempt.outcome {
            Outcome::Done => {
                state.health.sent += state.queue.done(batch);
                state.health.body_bytes += batch.text.len() as u64;
                state.health.saved_bytes += attempt.saved as u64;
                state.health.took(took);
                None
            }
            Outcome::Refused(why) => {
                state.health.failed += state.queue.done(batch);
                Some(format!("refused for good: {why}"))
            }
            Outcome::TooLarge if batch.portions == 1 => {
                state.health.failed += state.queue.done(batch);
                Some("refused for good: larger than the server takes".into())
            }
            Outcome::TooLarge => {
                state.health.retried += 1;
                None
            }
            Outcome::Later(_, why) => {
                state.health.retried += 1;
                Some(why.clone())
            }
        };
        let waiting = state.queue.count();
        let lost = state.queue.relieved();
        let news = state.health.ended(trouble).map(|trouble| trouble.map(String::from));
        drop(guard);
        match news {
            Some(Some(why)) => self.say(Level::Warning, &format!("{why}; {waiting} wait, trying on")),
            Some(None) => self.say(Level::Info, "delivers again"),
            None => {}
        }
        if let Some(lost) = lost {
            let text = format!("the queue has room again; {lost} were dropped meanwhile (option 'queue')");
            self.say(Level::Warning, &text);
        }
    }

    /// Delivers by `send` until nothing comes any more.
    pub fn run(&self, pace: Pace, mut chance: Chance, send: &mut dyn FnMut(&str) -> Attempt) {
        let (mut at, mut failures, mut points) = (Time(0), 0u32, pace.points);
        while let Ok(batch) = self.next(at, None, &Pace { points, ..pace }) {
            let Some(batch) = batch else { continue };
            let begun = clock::now();
            let attempt = send(&batch.text);
            let now = clock::now();
            self.ended(&batch, &attempt, now - begun);
            at = match attempt.outcome {
                Outcome::Done | Outcome::Refused(_) => {
                    failures = 0;
                    // What waits behind a full batch goes at once.
                    if self.health().queued >= u64::from(points) { now } else { begun + pace.interval }
                }
                Outcome::TooLarge => {
                    points = (points / 2).max(1);
                    now
                }
                Outcome::Later(asked, _) => {
                    failures = failures.saturating_add(1);
                    now + backoff::pause(failures, chance.roll(), asked)
                }
            };
        }
    }

    /// The same for who holds a connection: says what became of a batch.
    pub fn tell(&self, batch: &Batch, outcome: Outcome, took: Micros) {
        self.ended(batch, &Attempt { outcome, saved: 0 }, took);
    }

    /// Takes note that there is no connection, and why.
    pub fn failed(&self, why: &str) {
        let mut state = self.state();
        state.health.retried += 1;
        let is_news = state.health.ended(Some(why.into())).is_some();
        drop(state);
        if is_news {
            self.say(Level::Warning, &format!("{why}; trying on"));
        }
    }
}
