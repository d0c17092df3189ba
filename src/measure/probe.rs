// SPDX-License-Identifier: Apache-2.0
//! Whom to ask and how, which answers count, and who is worth asking again.
//!
//! ```text
//!            silent while others answer                      nothing answers at all
//!  Timestamp ────▶ Echo ────▶ Tcp ────▶ Dns ────▶ rest       the same, but nobody rests: the line may be at fault
//!      ▲                                            │
//!      └──────── after a pause that doubles ◀───────┘        one that answers in a lower way is now and then asked in a
//!                                                            higher
//! ```
//!
//! DNS comes last: a provider's own resolver may answer in the reflector's place, before the queue that is measured. So
//! may a proxy accept connections (RFC 3135), which is rarer; neither answers pings.
//!
//! Reflectors are numbered as they were given, and keep their numbers: a replaced one comes with another number, and so
//! with another baseline. Nothing here looks at a clock; nothing is allocated.

use crate::limits;
use crate::units::{Bytes, Micros, Time};

/// How many are asked in turn; the others replace them.
const ACTIVE: usize = 6;
/// One reflector is asked this often at most: it serves others as well.
const GAP: Micros = Micros::ms(200);
/// One that limits its answers is asked this often at least.
const LONGEST_GAP: Micros = Micros::secs(4);
/// An answer is waited for as long as this, while the line is known to carry any, …
const GIVE_UP: Micros = Micros::secs(5);
/// … as long as this before the first one came, …
const FIRST: Micros = Micros::ms(1500);
/// … and no longer once a probe that was sent so much later has been answered.
const OVERTAKEN: Micros = Micros::secs(1);
/// If that one was sent no later than this, others were answered at the time, so the line was not at fault.
const ALIKE: Micros = Micros::secs(2);
/// After so many connections one probe is left out: one that is answered is a SYN and a RST, 128 bytes over IPv4, and the
/// pace counts 98 for a probe.
const CONNECTIONS: u8 = 3;
/// Unanswered probes in a row until another way is tried of one that never answered in this way.
const MISSES: u8 = 3;
/// The same in the lower ways, so that one that is dead is found out soon, …
const LOWER_MISSES: u8 = 2;
/// … and there as long as nobody has answered anything: what is blocked is blocked for all.
const FIRST_MISSES: u8 = 1;
/// The same for one that did answer, and for how long at least: a tenth of all packets may be lost.
const LASTING_MISSES: u8 = 5;
const LASTING: Micros = Micros::secs(3);
/// When nobody has answered for this long, how they did is forgotten: the line may be another one now.
const FORGET: Micros = Micros::secs(60);
/// How long a reflector rests the first time; each time twice as long.
const FIRST_REST: Micros = Micros::secs(30);
const LONGEST_REST: Micros = Micros::secs(3600);
/// Answers that are looked at together for a limit, and losses between them that make one likely.
const WINDOW: u8 = 8;
/// Answers in a lower way until one probe goes out in a higher one.
const RETRY: u16 = 256;
/// Answers before noise is judged.
const ENOUGH: u16 = 32;
/// Later than the others by this much beyond twice what they are is noise that hides a queue.
const NOISY: u32 = 6_000;
/// No single answer is worse than this.
const WORST: u32 = 64_000;
/// Nobody answers, if so many probes …
const SILENT_PROBES: u16 = 6;
/// … and this long have passed without an answer.
const SILENCE: Micros = Micros::secs(3);

/// How a reflector is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Question {
    /// ICMP echo: how long it took there and back.
    #[default]
    Echo,
    /// ICMP timestamp: tells both ways apart. Over IPv6 there is none, so it is an echo there.
    Timestamp,
    /// The first half of a TCP connection: for those who do not answer ICMP.
    Tcp,
    /// A DNS question: for those who do not answer that either.
    Dns,
}

/// Which questions may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Questions {
    /// All of them.
    #[default]
    All,
    /// Those of ICMP.
    Icmp,
    /// The TCP connection.
    Tcp,
    /// The DNS question.
    Dns,
}

impl Questions {
    /// This question, or the nearest that may be asked.
    const fn nearest(self, question: Question) -> Question {
        match (self, question) {
            (Self::Dns, _) => Question::Dns,
            (Self::Tcp, _) => Question::Tcp,
            (Self::Icmp, Question::Tcp | Question::Dns) => Question::Echo,
            _ => question,
        }
    }

    /// What is tried last.
    const fn last(self) -> Question {
        match self {
            Self::Icmp => Question::Echo,
            Self::Tcp => Question::Tcp,
            Self::All | Self::Dns => Question::Dns,
        }
    }
}

/// What has become of a probe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    None,
    Open,
    Answered,
    Lost,
}

/// A probe that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Its number.
    pub id: u32,
    /// Who was asked.
    pub reflector: u16,
    /// How.
    pub question: Question,
    /// When.
    pub at: Time,
    /// What the upload shaper had let out by then.
    pub released: Bytes,
    fate: Fate,
}

/// What became of all probes, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent.
    pub sent: u32,
    /// Answered in time.
    pub answered: u32,
    /// Answered after they were given up.
    pub late: u32,
    /// Answered once more.
    pub duplicate: u32,
    /// Given up.
    pub unanswered: u32,
}

/// What is known of one reflector.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    question: Question,
    is_active: bool,
    /// Whether it has answered this question.
    answers: bool,
    misses: u8,
    asked: Time,
    /// The probe answered last was sent then.
    answered: Time,
    /// It is asked this often at most.
    gap: Micros,
    /// Of the window: answers, losses, when it began and the shortest time between two answered probes.
    window: (u8, u8, Time, Micros),
    /// Answers since it is active, or since a higher way was tried.
    heard: u16,
    /// Which higher way comes next.
    retry: u8,
    /// The fastest answer, which grows slowly, and how far its answers are above the others' on average; microseconds.
    fastest: u32,
    noise: u32,
    /// It rests until then, and then for this long the next time.
    rests_until: Time,
    rest: Micros,
}

/// One of which nothing is known.
const FRESH: Candidate = Candidate {
    question: Question::Timestamp,
    is_active: false,
    answers: false,
    misses: 0,
    asked: Time(0),
    answered: Time(0),
    gap: GAP,
    window: (0, 0, Time(0), Micros(0)),
    heard: 0,
    retry: 0,
    fastest: 0,
    noise: 0,
    rests_until: Time(0),
    rest: Micros(0),
};

/// Whom to ask and what is under way.
#[derive(Clone, Debug)]
pub struct Prober {
    reflectors: [Candidate; limits::REFLECTORS],
    count: usize,
    questions: Questions,
    flying: [Sent; limits::PROBES],
    counts: Counts,
    asked: Time,
    /// Of all answered probes, when the one sent last was sent.
    newest: Time,
    /// When the first probe after the last answer was sent, and how many were.
    unheard: (Time, u16),
    /// Who answered last, how far that was above its fastest answer, and the same of the answer before it.
    last: (usize, u32, u32),
    /// Whether anybody has ever answered.
    has_heard: bool,
    /// Connections that were answered since a probe was left out for them.
    connections: u8,
}

impl Prober {
    /// For this many reflectors; more than [`limits::REFLECTORS`] are not asked.
    pub fn new(reflectors: u16) -> Self {
        Self {
            reflectors: [FRESH; limits::REFLECTORS],
            count: usize::from(reflectors).min(limits::REFLECTORS),
            questions: Questions::All,
            flying: [Sent::default(); limits::PROBES],
            counts: Counts::default(),
            asked: Time(0),
            newest: Time(0),
            unheard: (Time(0), 0),
            last: (usize::MAX, 0, 0),
            has_heard: false,
            connections: 0,
        }
    }

    /// The same, but they are asked no other questions.
    pub fn only(self, questions: Questions) -> Self {
        Self { questions, ..self }
    }

    /// What became of all probes.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The next probe to be sent; `None` when there is nobody to ask now.
    pub fn ask(&mut self, now: Time, released: Bytes) -> Option<Sent> {
        self.give_up(now);
        if self.connections >= CONNECTIONS {
            self.connections = 0;
            return None;
        }
        let index = self.choose(now)?;
        let reflector = self.reflectors.get_mut(index)?;
        (reflector.asked, self.asked) = (now, now);
        self.counts.sent = self.counts.sent.wrapping_add(1);
        let id = self.counts.sent;
        reflector.question = self.questions.nearest(reflector.question);
        let question = self.questions.nearest(reflector.next_question());
        if self.unheard.1 == 0 {
            self.unheard.0 = now;
        }
        self.unheard.1 = self.unheard.1.saturating_add(1);
        let sent = Sent { id, reflector: index as u16, question, at: now, released, fate: Fate::Open };
        // The oldest gives way; it was given up, or the beat is faster than was thought of.
        *self.flying.get_mut(id as usize % limits::PROBES)? = sent;
        Some(sent)
    }

    /// The counters were read at `at`, when a probe was sent.
    pub fn counted(&mut self, at: Time, released: Bytes) {
        let open = self.flying.iter_mut().filter(|probe| probe.fate == Fate::Open && probe.at == at);
        open.for_each(|probe| probe.released = released);
    }

    /// An answer to probe `id` came; `None` if it does not count.
    pub fn answered(&mut self, now: Time, id: u32) -> Option<Sent> {
        let slot = self.flying.get_mut(id as usize % limits::PROBES)?;
        let (sent, fate) = (*slot, slot.fate);
        if sent.id != id || fate == Fate::None {
            self.counts.late += 1;
            return None;
        }
        slot.fate = Fate::Answered;
        self.has_heard = true;
        self.unheard.1 = 0;
        let candidate = self.reflectors.get_mut(usize::from(sent.reflector))?;
        // Late or not, it answers this question.
        if !candidate.answers || rank(sent.question) < rank(candidate.question) {
            (candidate.question, candidate.answers) = (sent.question, true);
        }
        candidate.misses = 0;
        match fate {
            Fate::Open => {
                self.counts.answered += 1;
                self.newest = self.newest.max(sent.at);
                self.connections += u8::from(sent.question == Question::Tcp);
                self.judge(now, &sent);
                Some(sent)
            }
            Fate::Answered => {
                self.counts.duplicate += 1;
                None
            }
            Fate::Lost | Fate::None => {
                self.counts.late += 1;
                None
            }
        }
    }

    /// A probe that is waited for and later than any that was answered: since then there is at least this delay. Of two
    /// reflectors, if two are asked, so that one lost packet is none.
    pub fn oldest(&self, now: Time) -> Option<Sent> {
        let waits =
            |probe: &&Sent| probe.fate == Fate::Open && probe.at > self.newest && now - probe.at < GIVE_UP;
        let open = || self.flying.iter().filter(waits);
        let first = open().min_by_key(|probe| probe.at)?;
        if self.active().count() < 2 {
            return Some(*first);
        }
        open().filter(|probe| probe.reflector != first.reflector).min_by_key(|probe| probe.at).copied()
    }

    /// Whether nobody answers.
    pub fn is_silent(&self, now: Time) -> bool {
        let (since, probes) = self.unheard;
        probes >= SILENT_PROBES && now - since >= SILENCE
    }

    /// How a reflector is asked, if it is asked at present.
    pub fn asked(&self, reflector: u16) -> Option<Question> {
        let candidate = self.reflectors.get(usize::from(reflector))?;
        candidate.is_active.then_some(candidate.question)
    }

    fn active(&self) -> impl Iterator<Item = &Candidate> {
        self.reflectors.iter().filter(|candidate| candidate.is_active)
    }

    /// Of those whose turn it is, the one that has waited longest.
    fn choose(&mut self, now: Time) -> Option<usize> {
        // Where all limit their answers, more are asked, each more rarely.
        let least = self.active().map(|candidate| candidate.gap).min().unwrap_or(GAP);
        let wanted = if least > GAP { 2 * ACTIVE } else { ACTIVE };
        let mut active = self.active().count();
        while active < wanted && self.enlist(now, active == 0) {
            active += 1;
        }
        // Spread evenly.
        if self.asked != Time(0) && (now - self.asked).0 * (active as u64) < least.0 {
            return None;
        }
        let all = self.reflectors.iter().enumerate().take(self.count);
        let due = |candidate: &Candidate| {
            let is_first = candidate.asked == Time(0);
            candidate.is_active && (is_first || now - candidate.asked >= candidate.gap)
        };
        all.filter(|(_, candidate)| due(candidate))
            .min_by_key(|(_, candidate)| candidate.asked)
            .map(|(n, _)| n)
    }

    /// Takes in another one that is rested, those first that never had to; with `must` one that is not, if need be.
    fn enlist(&mut self, now: Time, must: bool) -> bool {
        let idle = self.reflectors.iter_mut().take(self.count).filter(|candidate| !candidate.is_active);
        let rested = idle.filter(|candidate| must || candidate.rests_until <= now);
        let best = rested.min_by_key(|candidate| (candidate.rests_until > now, candidate.rest));
        if let Some(best) = best {
            let Candidate { rest, asked, .. } = *best;
            *best = Candidate { is_active: true, answered: now, rest, asked, ..FRESH };
            return true;
        }
        false
    }

    /// Gives up what nobody will answer.
    fn give_up(&mut self, now: Time) {
        let patience = if self.has_heard { GIVE_UP } else { FIRST };
        for probe in &mut self.flying {
            let is_overtaken = self.newest - probe.at >= OVERTAKEN;
            if probe.fate != Fate::Open || !(is_overtaken || now - probe.at >= patience) {
                continue;
            }
            probe.fate = Fate::Lost;
            self.counts.unanswered += 1;
            let Some(candidate) = self.reflectors.get_mut(usize::from(probe.reflector)) else { continue };
            candidate.window.1 = candidate.window.1.saturating_add(1);
            if candidate.question == probe.question {
                let is_own = is_overtaken && self.newest - probe.at < ALIKE;
                let lower = if self.has_heard { LOWER_MISSES } else { FIRST_MISSES };
                candidate.miss(now, is_own, lower, self.questions.last());
            }
        }
    }

    /// What an answer says about who gave it.
    fn judge(&mut self, now: Time, sent: &Sent) {
        let index = usize::from(sent.reflector);
        let Some(candidate) = self.reflectors.get_mut(index) else { return };
        candidate.count(sent.at);
        let trip = (now - sent.at).0.min(GIVE_UP.0) as u32;
        if candidate.heard == 1 || trip < candidate.fastest {
            candidate.fastest = trip;
        }
        let above = trip - candidate.fastest;
        candidate.fastest += above / 256;
        let (last, last_above, before) = self.last;
        if last == index {
            return;
        }
        self.last = (index, above, last_above);
        // The answer before this one, against those on both sides of it: a queue of the line's comes at once and goes
        // slowly, so one of them has met it as well.
        let active = || self.reflectors.iter().filter(|candidate| candidate.is_active);
        let others = active().map(|candidate| candidate.noise).sum::<u32>() / active().count().max(1) as u32;
        let Some(judged) = self.reflectors.get_mut(last) else { return };
        let extra = last_above.saturating_sub(before.max(above)).min(WORST);
        judged.noise = (judged.noise * 15 + extra) / 16;
        if judged.heard > ENOUGH && judged.noise > 2 * others + NOISY {
            judged.retire(now);
        }
    }
}

/// The best comes first.
const fn rank(question: Question) -> u8 {
    match question {
        Question::Timestamp => 0,
        Question::Echo => 1,
        Question::Tcp => 2,
        Question::Dns => 3,
    }
}

impl Candidate {
    /// A probe was not answered. `is_own`: others were answered since, so it is not the line. `lower`: how often that is
    /// seen in a lower way.
    fn miss(&mut self, now: Time, is_own: bool, lower: u8, last: Question) {
        let silent_for = now - self.answered;
        self.misses = self.misses.saturating_add(u8::from(is_own || !self.answers));
        let may_leave = if self.answers {
            self.misses >= LASTING_MISSES && silent_for >= LASTING || silent_for >= FORGET
        } else {
            self.misses >= if self.question == Question::Timestamp { MISSES } else { lower }
        };
        if !may_leave {
            return;
        }
        // One that answered this question and stopped will not answer another.
        let is_last = self.answers || self.question == last;
        self.question = match self.question {
            _ if is_last => Question::Timestamp,
            Question::Timestamp => Question::Echo,
            Question::Echo => Question::Tcp,
            Question::Tcp | Question::Dns => Question::Dns,
        };
        (self.misses, self.answers) = (0, false);
        if is_last && is_own {
            self.retire(now);
        }
    }

    /// How to ask this time.
    fn next_question(&mut self) -> Question {
        if self.question == Question::Timestamp || self.heard < RETRY {
            return self.question;
        }
        self.heard = ENOUGH + 1;
        let ways = [Question::Timestamp, Question::Echo, Question::Tcp];
        let higher = if self.question == Question::Dns { 3 } else { 2 };
        let way = ways.get(usize::from(self.retry % higher)).copied().unwrap_or_default();
        self.retry = (self.retry + 1) % higher;
        way
    }

    /// Counts an answer, and learns how often this reflector gives any.
    fn count(&mut self, sent: Time) {
        self.heard = self.heard.saturating_add(1);
        let (answers, losses, began, least) = &mut self.window;
        if *answers == 0 {
            (*losses, *began, *least) = (0, sent, Micros::MAX);
        } else {
            *least = (*least).min(sent - self.answered);
        }
        self.answered = sent;
        *answers += 1;
        if *answers > WINDOW {
            let probes = u64::from(WINDOW) + u64::from(*losses);
            // Losses by chance leave some answers with no loss between them.
            if *losses >= WINDOW && least.0 * 2 * probes >= (sent - *began).0 * 3 {
                self.gap = Micros(least.0 + least.0 / 16).clamp(GAP, LONGEST_GAP);
            } else if *losses == 0 {
                self.rest = Micros(self.rest.0 / 2);
            }
            *answers = 0;
        }
    }

    /// Has to rest.
    fn retire(&mut self, now: Time) {
        if !core::mem::take(&mut self.is_active) {
            return;
        }
        self.rests_until = now + self.rest.max(FIRST_REST);
        self.rest = Micros(self.rest.max(FIRST_REST).0 * 2).min(LONGEST_REST);
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
