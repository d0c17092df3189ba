// SPDX-License-Identifier: Apache-2.0
//! The sending end: what to send when, what has arrived, what is lost (RFC 6675, RACK of RFC 8985, PRR of RFC 6937,
//! RFC 6298 for the timer, and an undo of false time-outs in the spirit of RFC 5682).

use super::law::{Ack, INITIAL_WINDOW, Kind, Law, Window};
use crate::sim::clock::{Moment, Span};
use crate::sim::ranges::Ranges;
use std::collections::VecDeque;

/// What the other end is ready to take: Linux's 6 MB buffer offers about half of itself.
const RECEIVE_WINDOW: u32 = 2172;
/// So many later segments must have arrived before an earlier one counts as lost, unless the path reorders.
const ENOUGH: u32 = 3;
const LEAST_TIMEOUT: Span = Span::ms(200);
const FIRST_TIMEOUT: Span = Span::secs(1);
const LONGEST_TIMEOUT: Span = Span::secs(60);
/// What a tail probe allows for an acknowledgement that is held back.
const PATIENCE: Span = Span::ms(50);

#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    sent: Moment,
    /// How many segments had been delivered then, and when the last of them was.
    delivered: u64,
    delivered_at: Moment,
    was_held_back: bool,
    has_arrived: bool,
    is_under_way: bool,
    was_repeated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Open,
    /// Repairing what was lost before segment `until`.
    Recovery {
        until: u32,
    },
    /// After a time-out.
    Loss {
        until: u32,
    },
}

/// Proportional rate reduction: what a recovery has sent for what arrived.
#[derive(Clone, Copy, Debug, Default)]
struct Reduction {
    delivered: u32,
    sent: u32,
    pipe_before: f64,
}

/// What an acknowledgement says.
#[derive(Clone, Copy, Debug)]
pub struct News {
    /// The first segment still missing.
    pub next: u32,
    /// What arrived beyond it.
    pub sacks: [(u32, u32); 3],
    /// Whether a segment was marked.
    pub has_echo: bool,
}

/// A sender.
#[derive(Clone, Debug)]
pub struct Sender {
    law: Law,
    window: Window,
    segments: VecDeque<Segment>,
    first: u32,
    next: u32,
    limit: u32,
    arrived: Ranges,
    /// Kept only so that it need not be made anew for every acknowledgement.
    new_ranges: Vec<(u32, u32)>,
    arrived_beyond: u32,
    pipe: u32,
    lost: VecDeque<u32>,
    /// Every transmission in the order it was made, until it is known what became of it.
    order: VecDeque<(Moment, u32)>,
    /// The latest transmission known to have arrived.
    newest: (Moment, u32),
    highest: u32,
    reorders: bool,
    mode: Mode,
    reduction: Reduction,
    before_timeout: Option<Window>,
    smooth: Span,
    variance: Span,
    least: Span,
    backoff: u32,
    timer: Moment,
    is_probe: bool,
    delivered: u64,
    delivered_at: Moment,
    round_ends: u64,
    is_limited: bool,
    is_held_back: bool,
    next_send: Moment,
    /// Whether nothing but the pace keeps it from sending.
    waits_for_pace: bool,
}

impl Sender {
    /// A connection that has just been opened and has `limit` segments to send.
    pub fn new(kind: Kind, now: Moment, limit: u32) -> Self {
        Self {
            law: Law::new(kind),
            window: Window::default(),
            segments: VecDeque::with_capacity(256),
            first: 0,
            next: 0,
            limit,
            arrived: Ranges::default(),
            new_ranges: Vec::new(),
            arrived_beyond: 0,
            pipe: 0,
            lost: VecDeque::new(),
            order: VecDeque::with_capacity(256),
            newest: (Moment::START, 0),
            highest: 0,
            reorders: false,
            mode: Mode::Open,
            reduction: Reduction::default(),
            before_timeout: None,
            smooth: Span::ZERO,
            variance: Span::ZERO,
            least: Span::ZERO,
            backoff: 0,
            timer: Moment::NEVER,
            is_probe: false,
            delivered: 0,
            delivered_at: now,
            round_ends: 0,
            is_limited: false,
            is_held_back: false,
            next_send: now,
            waits_for_pace: false,
        }
    }

    /// Gives it `more` segments to send; after a pause it begins with a small window again (RFC 5681, section 4.1).
    pub fn supply(&mut self, now: Moment, more: u32) {
        if self.is_done() && now - self.delivered_at > self.timeout() {
            self.window.size = self.window.size.min(INITIAL_WINDOW);
        }
        self.limit = self.limit.saturating_add(more);
    }

    /// Sends nothing new any more.
    pub fn stop(&mut self) {
        self.limit = self.next;
    }

    /// Whether all it had to send has arrived.
    pub const fn is_done(&self) -> bool {
        self.first == self.limit
    }

    /// The window, in segments.
    pub const fn window(&self) -> Window {
        self.window
    }

    /// How many segments have arrived.
    #[cfg(test)]
    pub(crate) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The next segment to send now.
    pub fn transmit(&mut self, now: Moment) -> Option<u32> {
        self.waits_for_pace = now < self.next_send;
        if self.waits_for_pace {
            return None;
        }
        if f64::from(self.pipe) + 1.0 > self.window.size.max(1.0) {
            self.is_limited = true;
            return None;
        }
        let number = self.next_lost().or_else(|| self.next_new())?;
        if self.pipe == 0 {
            // Nothing under way: a rate measured from here on begins here.
            self.delivered_at = now;
        }
        let segment = &mut self.segments[(number - self.first) as usize];
        segment.sent = now;
        segment.is_under_way = true;
        segment.delivered = self.delivered;
        segment.delivered_at = self.delivered_at;
        segment.was_held_back = self.is_held_back;
        self.pipe += 1;
        self.order.push_back((now, number));
        if matches!(self.mode, Mode::Recovery { .. }) {
            self.reduction.sent += 1;
        }
        if let Some(rate) = self.law.pace() {
            self.next_send = self.next_send.max(now) + Span::from_secs(1.0 / rate.max(0.1));
        }
        if self.timer == Moment::NEVER {
            self.arm(now);
        }
        Some(number)
    }

    fn next_lost(&mut self) -> Option<u32> {
        while let Some(number) = self.lost.pop_front() {
            let Some(at) = number.checked_sub(self.first) else { continue };
            let Some(segment) = self.segments.get_mut(at as usize) else { continue };
            if !segment.has_arrived && !segment.is_under_way {
                segment.was_repeated = true;
                return Some(number);
            }
        }
        None
    }

    fn next_new(&mut self) -> Option<u32> {
        if self.next >= self.limit {
            (self.is_limited, self.is_held_back) = (false, true);
            return None;
        }
        if self.next - self.first >= RECEIVE_WINDOW {
            self.is_limited = false;
            return None;
        }
        self.is_held_back = false;
        self.segments.push_back(Segment::default());
        self.next += 1;
        Some(self.next - 1)
    }

    /// Takes an acknowledgement.
    pub fn take(&mut self, now: Moment, news: &News) {
        if news.next > self.next {
            return; // of an earlier life
        }
        let (pipe_before, delivered_before, first_before) = (self.pipe, self.delivered, self.first);
        let mut found = Found::default();
        while self.first < news.next {
            let Some(segment) = self.segments.pop_front() else { break };
            if segment.has_arrived {
                self.arrived_beyond -= 1;
            } else {
                self.has_arrived(self.first, segment, &mut found);
            }
            self.first += 1;
        }
        self.arrived.forget_below(self.first);
        self.take_sacks(news, &mut found);
        if found.is_false_timeout {
            self.undo_timeout();
        }
        let delivered = (self.delivered - delivered_before) as u32;
        if delivered > 0 {
            self.delivered_at = now;
            self.backoff = 0;
        }
        let rtt = found.rtt_from.map(|sent| now - sent);
        if let Some(rtt) = rtt {
            self.measured(rtt);
        }
        let is_round = found.delivered_then >= self.round_ends && delivered > 0;
        if is_round {
            self.round_ends = self.delivered;
        }
        let rate = found.rate(now, self.delivered);
        let was_open = self.mode == Mode::Open;
        let has_lost = self.find_lost(now);
        self.change_mode(news, delivered, pipe_before);
        // As in Linux, no growth while something seems to be missing (tcp_may_raise_cwnd).
        let is_whole = self.reorders || self.arrived_beyond == 0;
        let is_calm = was_open && self.mode == Mode::Open && self.is_limited && is_whole;
        let may_grow = is_calm || matches!(self.mode, Mode::Loss { .. });
        if delivered > 0 {
            let ack = Ack {
                now,
                delivered,
                delivered_in_all: self.delivered,
                rtt,
                smooth: self.smooth,
                least: self.least,
                pipe: self.pipe,
                is_round,
                rate,
                may_grow,
            };
            self.law.acked(&mut self.window, &ack);
        }
        if matches!(self.mode, Mode::Recovery { .. }) && self.law.follows_losses() {
            let is_going_well = self.first > first_before && !has_lost;
            self.reduce(delivered, is_going_well);
        }
        self.arm(now);
    }

    fn has_arrived(&mut self, number: u32, segment: Segment, found: &mut Found) {
        self.delivered += 1;
        if segment.is_under_way {
            self.pipe -= 1;
        } else if !segment.was_repeated {
            // It was taken for lost, and was not.
            if matches!(self.mode, Mode::Loss { .. }) {
                found.is_false_timeout = true;
            } else {
                self.reorders = true;
            }
        }
        if !segment.was_repeated {
            found.rtt_from = found.rtt_from.max(Some(segment.sent));
            if number < self.highest {
                self.reorders = true;
            }
            self.highest = self.highest.max(number);
        }
        if (segment.sent, number) > self.newest {
            self.newest = (segment.sent, number);
        }
        if segment.delivered >= found.delivered_then {
            found.delivered_then = segment.delivered;
            found.segment = Some(segment);
        }
    }

    fn take_sacks(&mut self, news: &News, found: &mut Found) {
        let mut new = core::mem::take(&mut self.new_ranges);
        for (from, to) in news.sacks {
            self.arrived.add(from.max(self.first), to.min(self.next), |from, to| new.push((from, to)));
        }
        // Lower numbers first, or the higher ones of the same news would make them look reordered.
        new.sort_unstable();
        for (from, to) in new.drain(..) {
            for number in from..to {
                let at = (number - self.first) as usize;
                let segment = self.segments[at];
                self.has_arrived(number, segment, found);
                let segment = &mut self.segments[at];
                (segment.has_arrived, segment.is_under_way) = (true, false);
                self.arrived_beyond += 1;
            }
        }
        self.new_ranges = new;
    }

    /// RACK: what was sent before something that has arrived, is lost. Says whether there was any.
    fn find_lost(&mut self, now: Moment) -> bool {
        let mut has_lost = false;
        let is_sure = self.reorders || self.arrived_beyond >= ENOUGH || self.mode != Mode::Open;
        let patience = if self.reorders { Span(self.least.0 / 4) } else { Span::ZERO };
        while let Some(&(sent, number)) = self.order.front() {
            let segment = number.checked_sub(self.first).and_then(|at| self.segments.get_mut(at as usize));
            let Some(segment) = segment.filter(|segment| segment.is_under_way && segment.sent == sent) else {
                self.order.pop_front();
                continue;
            };
            let is_earlier = (sent, number) < self.newest;
            // With reordering it is given as long as the latest round trip and a quarter of the shortest.
            let has_waited = !self.reorders || now - sent >= self.smooth + patience;
            if !is_sure || !is_earlier || !has_waited {
                break;
            }
            has_lost = true;
            segment.is_under_way = false;
            self.pipe -= 1;
            self.lost.push_back(number);
            self.order.pop_front();
        }
        has_lost
    }

    fn change_mode(&mut self, news: &News, delivered: u32, pipe_before: u32) {
        match self.mode {
            Mode::Recovery { until } | Mode::Loss { until } if self.first >= until => {
                if matches!(self.mode, Mode::Recovery { .. }) && self.law.follows_losses() {
                    self.window.size = self.window.threshold;
                }
                self.mode = Mode::Open;
                self.before_timeout = None;
            }
            Mode::Recovery { .. } => self.reduction.delivered += delivered,
            Mode::Open | Mode::Loss { .. } => {}
        }
        if self.mode == Mode::Open && (!self.lost.is_empty() || news.has_echo) && self.next > self.first {
            self.law.lost(&mut self.window);
            self.mode = Mode::Recovery { until: self.next };
            self.reduction = Reduction { delivered, sent: 0, pipe_before: f64::from(pipe_before.max(1)) };
        }
    }

    /// As Linux does it (tcp_cwnd_reduction): no more than what arrived while losses go on.
    fn reduce(&mut self, delivered: u32, is_going_well: bool) {
        let Reduction { delivered: all, sent, pipe_before } = self.reduction;
        let (pipe, threshold) = (f64::from(self.pipe), self.window.threshold);
        let allowed = if pipe > threshold {
            (f64::from(all) * threshold / pipe_before).ceil() - f64::from(sent)
        } else {
            let catch_up = f64::from(all) - f64::from(sent);
            let one_more = if is_going_well { 1.0 } else { 0.0 };
            (threshold - pipe).min(catch_up.max(f64::from(delivered)) + one_more)
        };
        let first = if sent == 0 { 1.0 } else { 0.0 };
        self.window.size = pipe + allowed.max(first);
    }

    fn measured(&mut self, rtt: Span) {
        self.least = if self.least == Span::ZERO { rtt } else { self.least.min(rtt) };
        if self.smooth == Span::ZERO {
            (self.smooth, self.variance) = (rtt, Span(rtt.0 / 2));
            return;
        }
        self.variance = Span((self.variance.0 * 3 + self.smooth.0.abs_diff(rtt.0)) / 4);
        self.smooth = Span((self.smooth.0 * 7 + rtt.0) / 8);
    }

    fn timeout(&self) -> Span {
        if self.smooth == Span::ZERO {
            return FIRST_TIMEOUT;
        }
        let base = self.smooth + Span(self.variance.0 * 4).max(LEAST_TIMEOUT);
        Span(base.0 << self.backoff.min(16)).min(LONGEST_TIMEOUT)
    }

    /// Sets the timer: a tail probe first, if nothing is being repaired.
    fn arm(&mut self, now: Moment) {
        if self.segments.is_empty() {
            (self.timer, self.is_probe) = (Moment::NEVER, false);
            return;
        }
        let timeout = self.timeout();
        self.is_probe = self.mode == Mode::Open && self.backoff == 0 && self.smooth > Span::ZERO;
        let patience = if self.pipe <= 1 { LEAST_TIMEOUT } else { PATIENCE };
        let span = if self.is_probe { (self.smooth.times(2) + patience).min(timeout) } else { timeout };
        self.timer = now + span;
    }

    /// When it wants to be woken.
    pub fn due(&self) -> Option<Moment> {
        let due = if self.waits_for_pace { self.timer.min(self.next_send) } else { self.timer };
        (due < Moment::NEVER).then_some(due)
    }

    /// Does what is due. A segment to send again whatever the window says is returned.
    pub fn wake(&mut self, now: Moment) -> Option<u32> {
        if now < self.timer {
            return None;
        }
        if self.is_probe {
            // RFC 8985, section 7: send the last segment once more, so that the news of it shows what is missing.
            let number = self.next - 1;
            let timeout = self.timeout();
            (self.timer, self.is_probe) = (now + timeout, false);
            let segment = self.segments.back_mut()?;
            if segment.has_arrived || !segment.is_under_way {
                return None;
            }
            segment.sent = now;
            segment.was_repeated = true;
            self.order.push_back((now, number));
            return Some(number);
        }
        if !matches!(self.mode, Mode::Loss { .. }) {
            self.before_timeout = Some(self.window);
            self.law.lost(&mut self.window);
        }
        self.mode = Mode::Loss { until: self.next };
        self.window.size = 1.0;
        self.lost.clear();
        self.order.clear();
        for (at, segment) in (0..).zip(&mut self.segments) {
            if !segment.has_arrived {
                segment.is_under_way = false;
                self.lost.push_back(self.first + at);
            }
        }
        self.pipe = 0;
        self.backoff += 1;
        self.timer = now + self.timeout();
        None
    }

    /// What was sent before the time-out arrives after all: it had only waited.
    fn undo_timeout(&mut self) {
        let Some(window) = self.before_timeout.take() else { return };
        self.window = window;
        self.mode = Mode::Open;
        self.lost.clear();
        self.order.clear();
        for (at, segment) in (0..).zip(&mut self.segments) {
            if !segment.has_arrived && !segment.is_under_way {
                segment.is_under_way = true;
                self.pipe += 1;
            }
            if segment.is_under_way {
                self.order.push_back((segment.sent, self.first + at));
            }
        }
        self.order.make_contiguous().sort_unstable();
    }
}

/// What an acknowledgement brought to light.
#[derive(Clone, Copy, Debug, Default)]
struct Found {
    /// When the last sent of the new arrivals was sent, if that is known for sure.
    rtt_from: Option<Moment>,
    delivered_then: u64,
    segment: Option<Segment>,
    is_false_timeout: bool,
}

impl Found {
    fn rate(&self, now: Moment, delivered: u64) -> Option<(f64, bool)> {
        let segment = self.segment?;
        let span = (now - segment.delivered_at).as_secs();
        (span > 0.0).then(|| ((delivered - segment.delivered) as f64 / span, segment.was_held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(sender: &mut Sender, now: Moment) -> Vec<u32> {
        core::iter::from_fn(|| sender.transmit(now)).collect()
    }

    fn news(next: u32, sacks: &[(u32, u32)]) -> News {
        let mut all = [(0, 0); 3];
        all.iter_mut().zip(sacks).for_each(|(slot, range)| *slot = *range);
        News { next, sacks: all, has_echo: false }
    }

    fn at(ms: u64) -> Moment {
        Moment::START + Span::ms(ms)
    }

    #[test]
    fn slow_start_doubles_the_window_every_round_trip() {
        let mut sender = Sender::new(Kind::Reno, Moment::START, u32::MAX);
        assert_eq!(sent(&mut sender, at(0)), (0..10).collect::<Vec<u32>>());
        sender.take(at(50), &news(10, &[]));
        assert_eq!(sent(&mut sender, at(50)).len(), 20);
        sender.take(at(100), &news(30, &[]));
        assert_eq!(sent(&mut sender, at(100)).len(), 40);
    }

    #[test]
    fn a_lost_segment_is_repeated_once_and_halves_the_window() {
        let mut sender = Sender::new(Kind::Reno, Moment::START, u32::MAX);
        sent(&mut sender, at(0));
        sender.take(at(50), &news(10, &[]));
        sent(&mut sender, at(50));
        // Segment 10 is lost; 11 to 29 arrive one by one.
        let mut repeated = Vec::new();
        for number in 11..30 {
            sender.take(at(100), &news(10, &[(11, number + 1)]));
            repeated.extend(sent(&mut sender, at(100)).into_iter().filter(|&n| n == 10));
        }
        assert_eq!(repeated, [10]);
        let end = sender.next;
        sender.take(at(150), &news(end, &[]));
        assert_eq!(sender.window().size, 10.0);
        assert_eq!(sender.mode, Mode::Open);
    }

    #[test]
    fn a_lost_repetition_is_found_without_a_timeout() {
        let mut sender = Sender::new(Kind::Reno, Moment::START, u32::MAX);
        sent(&mut sender, at(0));
        sender.take(at(50), &news(10, &[]));
        let end = 10 + sent(&mut sender, at(50)).len() as u32;
        sender.take(at(100), &news(10, &[(11, end)]));
        let again = sent(&mut sender, at(101));
        assert_eq!(again[0], 10);
        let next = again[1..].to_vec();
        assert!(!next.is_empty(), "new ones follow the repetition");
        // The new ones arrive, the repetition does not.
        sender.take(at(152), &news(10, &[(11, next[next.len() - 1] + 1)]));
        assert_eq!(sent(&mut sender, at(152)).first(), Some(&10));
    }

    #[test]
    fn a_timeout_repeats_everything_and_is_undone_when_the_originals_arrive() {
        let mut sender = Sender::new(Kind::Cubic, Moment::START, u32::MAX);
        sent(&mut sender, at(0));
        sender.take(at(50), &news(10, &[]));
        sent(&mut sender, at(50));
        let before = sender.window();
        let probe_at = sender.due().expect("a timer runs");
        assert_eq!(sender.wake(probe_at), Some(29), "a tail probe");
        let timeout_at = sender.due().expect("a timer runs");
        assert_eq!(sender.wake(timeout_at), None);
        assert_eq!((sender.window().size, sent(&mut sender, timeout_at)), (1.0, vec![10]));
        // The acknowledgement of 10 can be that of either; 11 was never repeated, so it is the original's.
        sender.take(timeout_at + Span::ms(5), &news(12, &[]));
        assert_eq!(sender.window().threshold, before.threshold);
        assert!(sender.window().size >= before.size);
        assert_eq!((sender.pipe, sender.mode), (18, Mode::Open));
    }

    #[test]
    fn a_reordering_path_is_learnt_and_no_longer_taken_for_loss() {
        let mut sender = Sender::new(Kind::Reno, Moment::START, u32::MAX);
        sent(&mut sender, at(0));
        // 0 comes late, behind 1 to 4.
        sender.take(at(50), &news(0, &[(1, 5)]));
        sender.take(at(51), &news(5, &[]));
        assert!(sender.reorders);
        let end = 10 + sent(&mut sender, at(52)).len() as u32;
        sender.take(at(102), &news(end, &[]));
        assert_eq!((sent(&mut sender, at(102)).first(), sender.mode), (Some(&end), Mode::Open));
        sender.take(at(153), &news(end, &[(end + 1, end + 5)]));
        assert_eq!(sender.mode, Mode::Open, "not before a quarter of a round trip more");
        sender.take(at(170), &news(end, &[(end + 1, end + 6)]));
        assert_eq!((sender.mode != Mode::Open, sent(&mut sender, at(170))[0]), (true, end));
    }

    #[test]
    fn an_application_that_has_nothing_to_send_does_not_grow_the_window() {
        let mut sender = Sender::new(Kind::Cubic, Moment::START, 5);
        assert_eq!(sent(&mut sender, at(0)).len(), 5);
        sender.take(at(50), &news(5, &[]));
        assert_eq!((sender.window().size, sender.is_done(), sender.due()), (10.0, true, None));
    }
}
