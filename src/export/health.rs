// SPDX-License-Identifier: Apache-2.0
//! How an outlet does, and the door for Prometheus: what arrived, what did not, how long it takes. No secret is ever in here.

use super::limits::DURATIONS;
use super::metrics::{OUTLET, Row};
use super::web::Asked;
use crate::order;
use crate::scribe::Scribe;
use crate::units::Micros;
use alloc::string::String;
use alloc::vec::Vec;

/// One outlet's.
#[derive(Clone, Debug, Default)]
pub struct Health {
    /// Points, alerts or messages that arrived.
    pub sent: u64,
    /// Those that were refused for good.
    pub failed: u64,
    /// Attempts that failed and were made again.
    pub retried: u64,
    /// Those that were dropped as the queue was full.
    pub dropped: u64,
    /// Those that wait.
    pub queued: u64,
    /// Bytes that were delivered, before packing.
    pub body_bytes: u64,
    /// Bytes that packing saved.
    pub saved_bytes: u64,
    /// Why the last attempt failed; `None`: it did not.
    pub trouble: Option<String>,
    durations: Vec<Micros>,
    next: usize,
}

impl Health {
    /// A delivery took so long.
    pub fn took(&mut self, span: Micros) {
        match self.durations.get_mut(self.next) {
            Some(place) => *place = span,
            None => self.durations.push(span),
        }
        self.next = (self.next + 1) % DURATIONS;
    }

    /// How long 95 of 100 deliveries take at most; `None`: there was none.
    pub fn p95(&self) -> Option<Micros> {
        let mut sorted = self.durations.clone();
        order::rising(&mut sorted);
        let rank = (sorted.len() * 95).div_ceil(100).checked_sub(1)?;
        sorted.get(rank).copied()
    }

    /// An attempt ended, with `trouble` or without; gives what is worth a line in the log: that it is otherwise than the
    /// time before.
    pub fn ended(&mut self, trouble: Option<String>) -> Option<Option<&str>> {
        let is_news = self.trouble.is_some() != trouble.is_some();
        self.trouble = trouble;
        is_news.then_some(self.trouble.as_deref())
    }

    /// Its numbers.
    pub fn row(&self, outlet: &str) -> Row {
        Row::new(&OUTLET, &[outlet])
            .with("sent", Some(self.sent))
            .with("failed", Some(self.failed))
            .with("retried", Some(self.retried))
            .with("dropped", Some(self.dropped))
            .with("queued", Some(self.queued))
            .with("p95_us", self.p95().map(|span| span.0))
            .with("body_bytes", Some(self.body_bytes))
            .with("saved_bytes", Some(self.saved_bytes))
    }

    /// As fields of the status.
    pub fn write(&self, outlet: &str, out: &mut dyn Scribe) {
        out.text("outlet", &outlet);
        for (metric, value) in self.row(outlet).values {
            out.count(metric.field, value);
        }
        out.maybe_text("trouble", self.trouble.as_ref().map(|text| text as &dyn core::fmt::Display));
    }
}

/// How the door for Prometheus does.
#[derive(Clone, Debug, Default)]
pub struct Door {
    /// Scrapes that were served.
    pub scrapes: u64,
    /// When the last one was, in seconds since 1970.
    pub last: Option<u64>,
    /// Callers who were not served: they wanted something else, or said nothing in time, or did not take the answer.
    pub refused: u64,
}

impl Door {
    /// A caller wanted this and was answered; `None`: it was not. Who looks at what there is here counts as neither.
    pub fn called(&mut self, wanted: Option<Asked>, now: u64) {
        match wanted {
            Some(Asked::Metrics(_)) => {
                self.scrapes += 1;
                self.last = Some(now);
            }
            Some(Asked::Root) => {}
            Some(Asked::Nothing | Asked::Method | Asked::Nonsense) | None => self.refused += 1,
        }
    }

    /// As fields of the status.
    pub fn write(&self, listen: &dyn core::fmt::Display, out: &mut dyn Scribe) {
        out.text("listen", listen);
        out.count("scrapes", self.scrapes);
        out.maybe_count("last_seconds", self.last);
        out.count("refused", self.refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ninety_five_of_a_hundred_take_no_longer_and_old_ones_are_forgotten() {
        let mut health = Health::default();
        assert_eq!(health.p95(), None);
        health.took(Micros(7));
        assert_eq!(health.p95(), Some(Micros(7)));
        (1..=20).for_each(|n| health.took(Micros(n)));
        assert_eq!(health.p95(), Some(Micros(19)), "of 21");
        (0..DURATIONS).for_each(|_| health.took(Micros(3)));
        assert_eq!(health.p95(), Some(Micros(3)));
    }

    #[test]
    fn a_scrape_counts_when_it_was_served_and_who_wants_something_else_is_refused() {
        let mut door = Door::default();
        for (n, wanted) in [
            Some(Asked::Metrics(false)),
            Some(Asked::Metrics(true)),
            Some(Asked::Root),
            Some(Asked::Nothing),
            Some(Asked::Method),
            Some(Asked::Nonsense),
            None,
        ]
        .into_iter()
        .enumerate()
        {
            door.called(wanted, 100 + n as u64);
        }
        assert_eq!((door.scrapes, door.last, door.refused), (2, Some(101), 4));
    }

    #[test]
    fn only_what_changes_is_worth_a_line() {
        let mut health = Health::default();
        assert_eq!(health.ended(None), None);
        assert_eq!(health.ended(Some("gone".into())), Some(Some("gone")));
        assert_eq!(health.ended(Some("still gone".into())), None);
        assert_eq!(health.ended(None), Some(None));
    }
}
